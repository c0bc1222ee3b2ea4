-- Texts that wait for a device: shown once, in its next session (Alert 100).
CREATE TABLE announcement (
    account BIGINT NOT NULL REFERENCES account (id),
    device BIGINT NOT NULL,
    number BIGINT NOT NULL, -- ascending
    text TEXT NOT NULL,
    PRIMARY KEY (account, device, number)
);

-- Messages that were refused outside of any session: one row for each device and Status.
CREATE TABLE refusal (
    account BIGINT NOT NULL REFERENCES account (id),
    device TEXT NOT NULL, -- its address; empty if the message could not be read
    code BIGINT NOT NULL,
    times BIGINT NOT NULL,
    began BIGINT NOT NULL,
    latest BIGINT NOT NULL,
    PRIMARY KEY (account, device, code)
);
