-- Mail that phones put into their outboxes. Times are milliseconds since 1970; states are numbered in src/store/submission.rs.
CREATE TABLE mail_submission (
    account INTEGER NOT NULL REFERENCES account (id),
    item INTEGER NOT NULL, -- the mail
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    due INTEGER, -- when it is to be looked at, or a node's lease on it ends; NULL when it is finished
    node TEXT, -- who has the lease
    attempts INTEGER NOT NULL DEFAULT 0,
    message_id TEXT NOT NULL, -- what the message's id is made of; the same in every attempt
    recipients TEXT NOT NULL DEFAULT '[]', -- JSON: what became of each
    why TEXT, -- the newest word on it
    finished INTEGER,
    PRIMARY KEY (account, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_submission_due ON mail_submission (due) WHERE due IS NOT NULL; -- over all accounts: what a node has to do
