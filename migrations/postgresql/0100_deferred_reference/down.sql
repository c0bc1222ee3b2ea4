CREATE TABLE item_new (
    account BIGINT NOT NULL REFERENCES account (id),
    id BIGINT NOT NULL,
    datastore BIGINT NOT NULL,
    modseq BIGINT NOT NULL, -- the newest of the two that follow
    content_modseq BIGINT NOT NULL,
    flag_modseq BIGINT NOT NULL,
    created_modseq BIGINT NOT NULL,
    deleted BIGINT NOT NULL, -- 1: a tombstone; its body is kept
    kind BIGINT, -- see kind_number in src/store/row.rs
    format BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    match_key BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    origin BIGINT, -- the device that wrote it last
    folder BIGINT NOT NULL, -- its item's number plus 16, or a root folder: see src/store/row.rs
    uid BIGINT NOT NULL, -- within the folder
    body BYTEA NOT NULL,
    original BYTEA, -- what was received, if the body is not just that
    received BIGINT NOT NULL DEFAULT 0,
    thread BIGINT,
    PRIMARY KEY (account, id)
);
INSERT INTO item_new SELECT account, id, datastore, modseq, content_modseq, flag_modseq, created_modseq, deleted, kind, format,
    digest, match_key, updated, origin, folder, uid, body, original, received, thread FROM item;
DROP TABLE item;
ALTER TABLE item_new RENAME TO item;
CREATE INDEX item_modseq ON item (account, datastore, modseq, id, deleted);
CREATE INDEX item_match ON item (account, datastore, match_key) WHERE deleted = 0;
CREATE INDEX item_buried ON item (account, updated) WHERE deleted = 1;
CREATE INDEX item_received ON item (account, folder, received, id) WHERE kind = 5 AND deleted = 0; -- mails
CREATE INDEX item_folder ON item (account, folder, id) WHERE kind = 6 AND deleted = 0; -- folders
CREATE INDEX item_thread ON item (account, thread, id) WHERE kind = 5 AND deleted = 0; -- mails
