-- Stands for the octets that the device sent last for the item; 0 stands for none.
ALTER TABLE entry ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
