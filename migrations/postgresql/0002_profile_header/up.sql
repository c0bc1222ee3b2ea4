ALTER TABLE device ADD COLUMN profile_header TEXT; -- HTTP x-wap-profile, or Profile
