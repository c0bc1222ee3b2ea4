-- What the device made of the item last, and in the lowest three bits how often it sent just that again.
ALTER TABLE entry ADD COLUMN echo BIGINT NOT NULL DEFAULT 0;
