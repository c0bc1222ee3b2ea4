ALTER TABLE notification DROP COLUMN stirred;
