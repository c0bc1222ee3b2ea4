DROP INDEX item_thread;
ALTER TABLE item DROP COLUMN thread;
