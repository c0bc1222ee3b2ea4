CREATE TABLE session_with_recording_last (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    session TEXT NOT NULL,
    step INTEGER NOT NULL,
    msg_id TEXT NOT NULL,
    request BLOB NOT NULL,
    reply_type TEXT NOT NULL,
    ended INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    reply BLOB NOT NULL,
    recording INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, device, session),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;
INSERT INTO session_with_recording_last
SELECT account, device, session, step, msg_id, request, reply_type, ended, updated, snapshot, reply, recording FROM session;
DROP TABLE session;
ALTER TABLE session_with_recording_last RENAME TO session;
