-- Folders are items. One has, as the folder of others, its item's number plus 16: see src/store/row.rs.

-- The folder that a version was in; NULL: the root of its datastore.
ALTER TABLE revision ADD COLUMN folder BIGINT;
-- The folder in which the device has the item; 0: the top.
ALTER TABLE entry ADD COLUMN parent BIGINT NOT NULL DEFAULT 0;
-- When a mail was received. It stands behind the body: it is read in the index alone.
ALTER TABLE item ADD COLUMN received BIGINT NOT NULL DEFAULT 0;
-- Which mails are in the device's view; empty: what the configuration says. See src/sync/window.rs.
ALTER TABLE device ADD COLUMN mail_window TEXT NOT NULL DEFAULT '';

CREATE INDEX item_received ON item (account, folder, received, id) WHERE kind = 5 AND deleted = 0; -- mails
CREATE INDEX item_folder ON item (account, folder, id) WHERE kind = 6 AND deleted = 0; -- folders
