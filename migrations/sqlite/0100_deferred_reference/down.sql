CREATE TABLE item_new (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    datastore INTEGER NOT NULL,
    modseq INTEGER NOT NULL, -- the newest of the two that follow
    content_modseq INTEGER NOT NULL,
    flag_modseq INTEGER NOT NULL,
    created_modseq INTEGER NOT NULL,
    deleted INTEGER NOT NULL, -- 1: a tombstone; its body is kept
    kind INTEGER, -- see kind_number in src/store/row.rs
    format INTEGER NOT NULL,
    digest BLOB NOT NULL,
    match_key INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    origin INTEGER, -- the device that wrote it last
    folder INTEGER NOT NULL, -- its item's number plus 16, or a root folder: see src/store/row.rs
    uid INTEGER NOT NULL, -- within the folder
    body BLOB NOT NULL,
    original BLOB, -- what was received, if the body is not just that
    received INTEGER NOT NULL DEFAULT 0,
    thread INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
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
