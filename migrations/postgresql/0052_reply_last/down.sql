CREATE TABLE session_with_recording_last (
    account BIGINT NOT NULL,
    device BIGINT NOT NULL,
    session TEXT NOT NULL,
    step BIGINT NOT NULL,
    msg_id TEXT NOT NULL,
    request BYTEA NOT NULL,
    reply_type TEXT NOT NULL,
    ended BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    snapshot BYTEA NOT NULL,
    reply BYTEA NOT NULL,
    recording BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account, device, session),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
);
INSERT INTO session_with_recording_last
SELECT account, device, session, step, msg_id, request, reply_type, ended, updated, snapshot, reply, recording FROM session;
DROP TABLE session;
ALTER TABLE session_with_recording_last RENAME TO session;
