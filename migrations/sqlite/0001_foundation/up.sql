-- Times are seconds since 1970. Enums are integers, numbered in src/store/row.rs and src/sync/datastore.rs.
-- The key of every table begins with the account. Bodies stand last in their rows, so that what is known of an item
-- is read without them.

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE, -- NULL while the account is being removed
    password BLOB NOT NULL, -- sealed
    modseq INTEGER NOT NULL DEFAULT 0, -- number of the newest write
    next_item INTEGER NOT NULL DEFAULT 1,
    next_device INTEGER NOT NULL DEFAULT 1,
    next_folder INTEGER NOT NULL DEFAULT 16, -- root folders have their datastore's number
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    uri TEXT NOT NULL,
    msisdn TEXT,
    profile TEXT,
    nonce BLOB NOT NULL,
    previous_nonce BLOB NOT NULL,
    notification_nonce BLOB NOT NULL,
    openings BLOB NOT NULL,
    user_agent TEXT,
    last_seen INTEGER NOT NULL,
    created INTEGER NOT NULL,
    devinf BLOB NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_uri ON device (account, uri);
CREATE INDEX device_account ON device (uri, account); -- for messages that name no account

CREATE TABLE folder (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    datastore INTEGER NOT NULL,
    parent INTEGER, -- NULL for the root folder of a datastore
    name TEXT NOT NULL,
    modseq INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    uid_validity INTEGER NOT NULL,
    next_uid INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE item (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    datastore INTEGER NOT NULL,
    modseq INTEGER NOT NULL, -- the newest of the two that follow
    content_modseq INTEGER NOT NULL,
    flag_modseq INTEGER NOT NULL,
    created_modseq INTEGER NOT NULL,
    deleted INTEGER NOT NULL, -- 1: a tombstone; its body is kept
    kind INTEGER, -- NULL for mail
    format INTEGER NOT NULL,
    digest BLOB NOT NULL,
    match_key INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    origin INTEGER, -- the device that wrote it last
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL, -- within the folder
    body BLOB NOT NULL,
    original BLOB, -- what was received, if the body is not just that
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_modseq ON item (account, datastore, modseq, id, deleted);
CREATE INDEX item_match ON item (account, datastore, match_key) WHERE deleted = 0;

CREATE TABLE revision (
    account INTEGER NOT NULL REFERENCES account (id),
    item INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    datastore INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    format INTEGER NOT NULL,
    digest BLOB NOT NULL,
    match_key INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    origin INTEGER,
    replaced_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    original BLOB,
    PRIMARY KEY (account, item, modseq)
) STRICT, WITHOUT ROWID;

-- What a device has of an item, or was sent of it.
CREATE TABLE entry (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    view INTEGER NOT NULL,
    item INTEGER NOT NULL,
    luid TEXT,
    seen INTEGER NOT NULL,
    sent INTEGER,
    digest BLOB NOT NULL,
    round INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (account, device, view, item),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entry_luid ON entry (account, device, view, luid) WHERE luid IS NOT NULL;
CREATE INDEX entry_sent ON entry (account, device, view, round) WHERE sent IS NOT NULL;

CREATE TABLE view (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    view INTEGER NOT NULL,
    round INTEGER NOT NULL,
    sending_since INTEGER NOT NULL,
    client_anchor TEXT, -- this and the two that follow: the confirmed generation
    server_anchor TEXT,
    base INTEGER,
    previous_client_anchor TEXT,
    previous_server_anchor TEXT,
    previous_base INTEGER,
    PRIMARY KEY (account, device, view),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    session TEXT NOT NULL,
    step INTEGER NOT NULL,
    msg_id TEXT NOT NULL,
    request BLOB NOT NULL, -- digest
    reply_type TEXT NOT NULL,
    ended INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    reply BLOB NOT NULL,
    PRIMARY KEY (account, device, session),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;
