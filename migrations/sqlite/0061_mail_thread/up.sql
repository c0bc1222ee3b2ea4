-- What a mail's subject is without "Re:" and the like, as a number: see thread_key in src/content/email/compose.rs. NULL for what is no
-- mail, and for mail that an older program wrote.
ALTER TABLE item ADD COLUMN thread INTEGER;
CREATE INDEX item_thread ON item (account, thread, id) WHERE kind = 5 AND deleted = 0; -- mails
