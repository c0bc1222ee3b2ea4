DELETE FROM revision WHERE whole = 0;
ALTER TABLE revision DROP COLUMN whole;
