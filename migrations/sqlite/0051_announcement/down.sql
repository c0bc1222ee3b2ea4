DROP TABLE refusal;
DROP TABLE announcement;
