DROP TABLE recorded_message;
DROP TABLE recording;
DROP INDEX item_buried;
DROP INDEX revision_replaced;
DROP INDEX entry_held;
ALTER TABLE view DROP COLUMN pending;
ALTER TABLE session DROP COLUMN recording;
ALTER TABLE account DROP COLUMN conflicts;
ALTER TABLE account DROP COLUMN next_recording;
