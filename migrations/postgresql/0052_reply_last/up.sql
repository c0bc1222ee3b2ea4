-- The reply stands behind all else: each message reads its session, and few read the reply to the message before.
CREATE TABLE session_with_reply_last (
    account BIGINT NOT NULL,
    device BIGINT NOT NULL,
    session TEXT NOT NULL,
    step BIGINT NOT NULL,
    msg_id TEXT NOT NULL,
    request BYTEA NOT NULL, -- digest
    reply_type TEXT NOT NULL,
    ended BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    recording BIGINT NOT NULL, -- 0: not recorded
    snapshot BYTEA NOT NULL,
    reply BYTEA NOT NULL,
    PRIMARY KEY (account, device, session),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
);
INSERT INTO session_with_reply_last
SELECT account, device, session, step, msg_id, request, reply_type, ended, updated, recording, snapshot, reply FROM session;
DROP TABLE session;
ALTER TABLE session_with_reply_last RENAME TO session;
