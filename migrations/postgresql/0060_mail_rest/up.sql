-- Mails of which a device asked for more than is stored, until it has got that.
CREATE TABLE rest_asked (
    account BIGINT NOT NULL,
    device BIGINT NOT NULL,
    item BIGINT NOT NULL,
    whole BIGINT NOT NULL, -- 1: for just this mail; 0: as its window and filter say
    PRIMARY KEY (account, device, item),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
);
