ALTER TABLE device DROP COLUMN profile_header;
