-- Texts that wait for a device: shown once, in its next session (Alert 100).
CREATE TABLE announcement (
    account INTEGER NOT NULL REFERENCES account (id),
    device INTEGER NOT NULL,
    number INTEGER NOT NULL, -- ascending
    text TEXT NOT NULL,
    PRIMARY KEY (account, device, number)
) STRICT, WITHOUT ROWID;

-- Messages that were refused outside of any session: one row for each device and Status.
CREATE TABLE refusal (
    account INTEGER NOT NULL REFERENCES account (id),
    device TEXT NOT NULL, -- its address; empty if the message could not be read
    code INTEGER NOT NULL,
    times INTEGER NOT NULL,
    began INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    PRIMARY KEY (account, device, code)
) STRICT, WITHOUT ROWID;
