-- Mailboxes of accounts, and what is mirrored of them. Times in these tables are milliseconds since 1970, those of
-- messages seconds. Enums are integers, numbered in src/sync/mailbox.rs.

ALTER TABLE account ADD COLUMN next_mailbox BIGINT NOT NULL DEFAULT 1;

CREATE TABLE mailbox (
    account BIGINT NOT NULL REFERENCES account (id),
    id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    address TEXT NOT NULL, -- in lower case
    settings BYTEA NOT NULL, -- sealed
    created BIGINT NOT NULL,
    due BIGINT, -- when it is to be watched, or a node's lease on it ends; NULL if there is nothing to watch
    node TEXT, -- who has the lease
    state BIGINT NOT NULL DEFAULT 1,
    since BIGINT NOT NULL, -- when it came into that state
    checked BIGINT NOT NULL DEFAULT 0, -- when it was last seen to be as it is mirrored
    why TEXT, -- what is wrong
    failures BIGINT NOT NULL DEFAULT 0, -- in a row
    told BIGINT NOT NULL DEFAULT 0, -- 1: the account was told that its login is refused
    carried BIGINT NOT NULL DEFAULT 0, -- changes of the account up to this number are at the server
    PRIMARY KEY (account, id)
);
CREATE UNIQUE INDEX mailbox_local ON mailbox (address) WHERE kind = 1; -- for mail that is handed to us
CREATE INDEX mailbox_due ON mailbox (due) WHERE due IS NOT NULL; -- over all accounts: what a node has to do
CREATE INDEX mailbox_node ON mailbox (node) WHERE node IS NOT NULL;

-- A folder at the server.
CREATE TABLE mirror_folder (
    account BIGINT NOT NULL,
    mailbox BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL, -- as the server writes it
    folder BIGINT NOT NULL, -- ours
    uid_validity BIGINT NOT NULL,
    uid_next BIGINT NOT NULL, -- messages with lower UIDs were looked at
    modseq BIGINT NOT NULL, -- the server's changes up to this number were looked at
    PRIMARY KEY (account, mailbox, id),
    FOREIGN KEY (account, mailbox) REFERENCES mailbox (account, id)
);

-- A message at the server, and the item that it is.
CREATE TABLE mirror_message (
    account BIGINT NOT NULL,
    mailbox BIGINT NOT NULL,
    folder BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    item BIGINT NOT NULL,
    flags BIGINT NOT NULL, -- that both sides knew last
    received BIGINT NOT NULL,
    uidl TEXT, -- of POP3
    wanted BIGINT NOT NULL DEFAULT 0, -- 1: a device asked for the rest of it
    PRIMARY KEY (account, mailbox, folder, uid),
    FOREIGN KEY (account, mailbox, folder) REFERENCES mirror_folder (account, mailbox, id)
);
CREATE INDEX mirror_message_item ON mirror_message (account, item);
CREATE INDEX mirror_message_wanted ON mirror_message (account, mailbox) WHERE wanted = 1;
