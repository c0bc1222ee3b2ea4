-- The reply stands behind all else: each message reads its session, and few read the reply to the message before.
CREATE TABLE session_with_reply_last (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    session TEXT NOT NULL,
    step INTEGER NOT NULL,
    msg_id TEXT NOT NULL,
    request BLOB NOT NULL, -- digest
    reply_type TEXT NOT NULL,
    ended INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    recording INTEGER NOT NULL, -- 0: not recorded
    snapshot BLOB NOT NULL,
    reply BLOB NOT NULL,
    PRIMARY KEY (account, device, session),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;
INSERT INTO session_with_reply_last
SELECT account, device, session, step, msg_id, request, reply_type, ended, updated, recording, snapshot, reply FROM session;
DROP TABLE session;
ALTER TABLE session_with_reply_last RENAME TO session;
