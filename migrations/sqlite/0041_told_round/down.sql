ALTER TABLE notification DROP COLUMN told_round;
