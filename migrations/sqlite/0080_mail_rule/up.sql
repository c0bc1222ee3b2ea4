-- Which new mail wakes phones: rules of an account (device 0), and of a device over them; see src/outbox/mail/own.rs.
CREATE TABLE mail_rule (
    account INTEGER NOT NULL REFERENCES account (id),
    device INTEGER NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;
