DROP TABLE spent_sms;
DROP TABLE submitted_part;
DROP TABLE notification_event;
DROP TABLE notification;
DROP TABLE reach;
DROP INDEX device_msisdn;
ALTER TABLE account DROP COLUMN next_notification;
