DROP TABLE mirror_message;
DROP TABLE mirror_folder;
DROP TABLE mailbox;
ALTER TABLE account DROP COLUMN next_mailbox;
