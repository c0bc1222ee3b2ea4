-- What the server says without being asked. Times in these tables are milliseconds since 1970. Enums are integers,
-- numbered in src/sync/notification.rs.

ALTER TABLE account ADD COLUMN next_notification INTEGER NOT NULL DEFAULT 1;

CREATE INDEX device_msisdn ON device (msisdn, account) WHERE msisdn IS NOT NULL; -- for texts from phones

-- How a device is spoken to; one without a row has the defaults.
CREATE TABLE reach (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    channels TEXT, -- set by hand: gateways or kinds of them in order, or none
    form TEXT, -- of its notifications, set by hand
    password BLOB, -- sealed; the device's own
    unbound INTEGER NOT NULL DEFAULT 0, -- 1: waits for a phone that comes with that password
    connected INTEGER NOT NULL DEFAULT 0, -- when it last held a connection
    PRIMARY KEY (account, device),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE notification (
    account INTEGER NOT NULL REFERENCES account (id),
    id INTEGER NOT NULL,
    device INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    due INTEGER, -- when it is to be looked at, or a node's lease on it ends; NULL when it is finished
    node TEXT, -- who has the lease
    finished INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, -- submissions that were tried
    used INTEGER NOT NULL DEFAULT 0, -- channels that had their turn
    gateway TEXT, -- the one that took it, or a part of it
    submitted INTEGER,
    told_modseq INTEGER, -- the account's counter then
    told TEXT, -- the datastores that it named
    wanted TEXT, -- the datastores that were asked for
    why TEXT, -- the newest word on it
    parameters BLOB, -- sealed; what settings are made of
    frozen BLOB, -- sealed; the octets of which some parts are out
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notification_open ON notification (account, device) WHERE finished IS NULL;
CREATE INDEX notification_device ON notification (account, device, id);
CREATE INDEX notification_due ON notification (due) WHERE due IS NOT NULL; -- over all accounts: what a node has to do
CREATE INDEX notification_finished ON notification (finished) WHERE finished IS NOT NULL;

CREATE TABLE notification_event (
    account INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (account, notification, number)
) STRICT, WITHOUT ROWID;

-- Parts that gateways took.
CREATE TABLE submitted_part (
    account INTEGER NOT NULL,
    notification INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    part INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    gateway_id TEXT,
    receipt INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, notification, attempt, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX submitted_gateway_id ON submitted_part (gateway_id, gateway) WHERE gateway_id IS NOT NULL; -- for receipts

-- SMS by day (number of days since 1970, in the server's zone). Account and device 0: all that went through the gateway.
CREATE TABLE spent_sms (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    day INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    sms INTEGER NOT NULL,
    PRIMARY KEY (account, device, day, gateway)
) STRICT, WITHOUT ROWID;
