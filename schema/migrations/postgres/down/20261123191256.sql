-- Back to sessions without a device, to no log of what admins did, and to not knowing which files were removed: all of it is lost.
ALTER TABLE invoice_files DROP COLUMN removed_at;
DROP TABLE audit_entries;
ALTER TABLE sessions DROP COLUMN device;
