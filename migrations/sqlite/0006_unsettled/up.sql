-- The first round in which something may have been sent that was never confirmed; 0 if there is nothing. Where it says that
-- there is something, the view's entries are looked through: an index of them would be written twice for each item sent.
ALTER TABLE view ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 1;
DROP INDEX entry_sent;
