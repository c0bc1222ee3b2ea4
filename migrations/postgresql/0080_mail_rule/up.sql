-- Which new mail wakes phones: rules of an account (device 0), and of a device over them; see src/outbox/mail/own.rs.
CREATE TABLE mail_rule (
    account BIGINT NOT NULL REFERENCES account (id),
    device BIGINT NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (account, device)
);
