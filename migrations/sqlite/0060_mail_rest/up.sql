-- Mails of which a device asked for more than is stored, until it has got that.
CREATE TABLE rest_asked (
    account INTEGER NOT NULL,
    device INTEGER NOT NULL,
    item INTEGER NOT NULL,
    whole INTEGER NOT NULL, -- 1: for just this mail; 0: as its window and filter say
    PRIMARY KEY (account, device, item),
    FOREIGN KEY (account, device) REFERENCES device (account, id)
) STRICT, WITHOUT ROWID;
