-- Add column "removed_at" to table: "invoice_files"
ALTER TABLE `invoice_files` ADD COLUMN `removed_at` datetime NULL;
-- Add column "device" to table: "sessions"
ALTER TABLE `sessions` ADD COLUMN `device` text NOT NULL DEFAULT '';
-- Create "audit_entries" table
CREATE TABLE `audit_entries` (
  `id` text NOT NULL,
  `at` datetime NOT NULL,
  `actor_id` text NULL,
  `subject_id` text NULL,
  `action` text NOT NULL,
  `detail` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `audit_entries_subject_id_fkey` FOREIGN KEY (`subject_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT `audit_entries_actor_id_fkey` FOREIGN KEY (`actor_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE SET NULL
);
-- Create index "audit_entries_at_idx" to table: "audit_entries"
CREATE INDEX `audit_entries_at_idx` ON `audit_entries` (`at`);
-- Create index "audit_entries_actor_id_idx" to table: "audit_entries"
CREATE INDEX `audit_entries_actor_id_idx` ON `audit_entries` (`actor_id`);
-- Create index "audit_entries_subject_id_idx" to table: "audit_entries"
CREATE INDEX `audit_entries_subject_id_idx` ON `audit_entries` (`subject_id`);
