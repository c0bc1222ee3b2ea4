DROP TABLE mail_submission;
