-- Syncs that the device had begun when it was told, over all its views: more of them later means that it came.

ALTER TABLE notification ADD COLUMN told_round BIGINT;
