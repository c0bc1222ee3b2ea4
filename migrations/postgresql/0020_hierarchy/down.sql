DROP INDEX item_folder;
DROP INDEX item_received;
ALTER TABLE device DROP COLUMN mail_window;
ALTER TABLE item DROP COLUMN received;
ALTER TABLE entry DROP COLUMN parent;
ALTER TABLE revision DROP COLUMN folder;
