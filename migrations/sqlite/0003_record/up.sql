-- What is kept of sessions for people: see src/store/recording.rs.

ALTER TABLE account ADD COLUMN next_recording INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN conflicts TEXT NOT NULL DEFAULT ''; -- policies of this account: see src/sync/conflict.rs
ALTER TABLE session ADD COLUMN recording INTEGER NOT NULL DEFAULT 0; -- 0: not recorded
ALTER TABLE view ADD COLUMN pending INTEGER NOT NULL DEFAULT 0; -- 1: deletions of the device wait for the end of its package

-- Deletions that wait or are held: see Entry::PENDING and those beside it.
CREATE INDEX entry_held ON entry (account, device, view, failures, item) WHERE failures < 0;
-- For what is kept no longer.
CREATE INDEX revision_replaced ON revision (account, replaced_at);
CREATE INDEX item_buried ON item (account, updated) WHERE deleted = 1;

CREATE TABLE recording (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    device INTEGER NOT NULL, -- may be forgotten; 0 for work of the operator
    device_uri TEXT NOT NULL,
    session TEXT NOT NULL, -- SessionID
    began INTEGER NOT NULL,
    held INTEGER NOT NULL, -- 0: nothing, 1: deletions wait for the operator, 2: released, 3: discarded
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE recorded_message (
    account INTEGER NOT NULL REFERENCES account (id),
    recording INTEGER NOT NULL,
    number INTEGER NOT NULL,
    msg_id TEXT NOT NULL,
    received INTEGER NOT NULL,
    ended INTEGER NOT NULL, -- 1: the session ended with it
    modseq_before INTEGER NOT NULL, -- what the message wrote has the numbers that follow, in the order of `written`
    content_type TEXT NOT NULL,
    summary TEXT NOT NULL, -- JSON: what the session did with each datastore so far
    written BLOB NOT NULL,
    trace BLOB NOT NULL,
    request BLOB NOT NULL, -- without credentials
    reply BLOB NOT NULL,
    PRIMARY KEY (account, recording, number)
) STRICT, WITHOUT ROWID;
