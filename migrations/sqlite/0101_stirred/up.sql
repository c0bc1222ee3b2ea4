-- 1: something happened that counts for it while a node had it in its hands.
ALTER TABLE notification ADD COLUMN stirred INTEGER NOT NULL DEFAULT 0;
