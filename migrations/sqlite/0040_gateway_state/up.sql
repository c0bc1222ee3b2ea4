-- What each node knows of its gateways, for people. They are of no account: account is 0. Times are milliseconds since 1970.

CREATE TABLE gateway_state (
    account INTEGER NOT NULL,
    gateway TEXT NOT NULL,
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    open_until INTEGER, -- left alone until then; NULL: messages go
    why TEXT,
    accepted INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    throttled INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    receipts INTEGER NOT NULL,
    incoming INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (account, gateway, node)
) STRICT, WITHOUT ROWID;
