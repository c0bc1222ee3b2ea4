-- What each node knows of its gateways, for people. They are of no account: account is 0. Times are milliseconds since 1970.

CREATE TABLE gateway_state (
    account BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    open_until BIGINT, -- left alone until then; NULL: messages go
    why TEXT,
    accepted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    throttled BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    in_doubt BIGINT NOT NULL,
    receipts BIGINT NOT NULL,
    incoming BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (account, gateway, node)
);
