-- 0: `body` is what stands before the message of a mail, and the message is that of the next version; if it is empty, all of the body is. So
-- a mark or a move costs no copy of the mail.
ALTER TABLE revision ADD COLUMN whole INTEGER NOT NULL DEFAULT 1;
