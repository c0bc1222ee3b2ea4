DROP TABLE mail_rule;
