-- Mailboxes of accounts, and what is mirrored of them. Times in these tables are milliseconds since 1970, those of
-- messages seconds. Enums are integers, numbered in src/sync/mailbox.rs.

ALTER TABLE account ADD COLUMN next_mailbox INTEGER NOT NULL DEFAULT 1;

CREATE TABLE mailbox (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    address TEXT NOT NULL, -- in lower case
    settings BLOB NOT NULL, -- sealed
    created INTEGER NOT NULL,
    due INTEGER, -- when it is to be watched, or a node's lease on it ends; NULL if there is nothing to watch
    node TEXT, -- who has the lease
    state INTEGER NOT NULL DEFAULT 1,
    since INTEGER NOT NULL, -- when it came into that state
    checked INTEGER NOT NULL DEFAULT 0, -- when it was last seen to be as it is mirrored
    why TEXT, -- what is wrong
    failures INTEGER NOT NULL DEFAULT 0, -- in a row
    told INTEGER NOT NULL DEFAULT 0, -- 1: the account was told that its login is refused
    carried INTEGER NOT NULL DEFAULT 0, -- changes of the account up to this number are at the server
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mailbox_local ON mailbox (address) WHERE kind = 1; -- for mail that is handed to us
CREATE INDEX mailbox_due ON mailbox (due) WHERE due IS NOT NULL; -- over all accounts: what a node has to do
CREATE INDEX mailbox_node ON mailbox (node) WHERE node IS NOT NULL;

-- A folder at the server.
CREATE TABLE mirror_folder (
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL, -- as the server writes it
    folder INTEGER NOT NULL, -- ours
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL, -- messages with lower UIDs were looked at
    modseq INTEGER NOT NULL, -- the server's changes up to this number were looked at
    PRIMARY KEY (account, mailbox, id),
    FOREIGN KEY (account, mailbox) REFERENCES mailbox (account, id)
) STRICT, WITHOUT ROWID;

-- A message at the server, and the item that it is.
CREATE TABLE mirror_message (
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    item INTEGER NOT NULL,
    flags INTEGER NOT NULL, -- that both sides knew last
    received INTEGER NOT NULL,
    uidl TEXT, -- of POP3
    wanted INTEGER NOT NULL DEFAULT 0, -- 1: a device asked for the rest of it
    PRIMARY KEY (account, mailbox, folder, uid),
    FOREIGN KEY (account, mailbox, folder) REFERENCES mirror_folder (account, mailbox, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mirror_message_item ON mirror_message (account, item);
CREATE INDEX mirror_message_wanted ON mirror_message (account, mailbox) WHERE wanted = 1;
