CREATE INDEX entry_sent ON entry (account, device, view, round) WHERE sent IS NOT NULL;
ALTER TABLE view DROP COLUMN unsettled;
