-- Create "users" table
CREATE TABLE `users` (
  `id` text NOT NULL,
  `email` text NOT NULL,
  `name` text NOT NULL,
  `password_hash` text NOT NULL,
  `role` text NOT NULL,
  `plan` text NOT NULL,
  `income_centavos` integer NULL,
  `adults` integer NOT NULL,
  `children` integer NOT NULL,
  `consents` json NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `users_role_check` CHECK (role IN ('USER', 'ADMIN')),
  CONSTRAINT `users_plan_check` CHECK (plan IN ('FREE', 'PREMIUM')),
  CONSTRAINT `users_household_check` CHECK (adults >= 0 AND children >= 0)
);
-- Create index "users_email_key" to table: "users"
CREATE UNIQUE INDEX `users_email_key` ON `users` (`email`);
-- Create "sessions" table
CREATE TABLE `sessions` (
  `id` text NOT NULL,
  `family_id` text NOT NULL,
  `user_id` text NOT NULL,
  `refresh_hash` text NOT NULL,
  `created_at` datetime NOT NULL,
  `expires_at` datetime NOT NULL,
  `replaced_at` datetime NULL,
  `revoked_at` datetime NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sessions_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "sessions_refresh_hash_key" to table: "sessions"
CREATE UNIQUE INDEX `sessions_refresh_hash_key` ON `sessions` (`refresh_hash`);
-- Create index "sessions_family_id_idx" to table: "sessions"
CREATE INDEX `sessions_family_id_idx` ON `sessions` (`family_id`);
-- Create index "sessions_user_id_idx" to table: "sessions"
CREATE INDEX `sessions_user_id_idx` ON `sessions` (`user_id`);
-- Create "invoices" table
CREATE TABLE `invoices` (
  `id` text NOT NULL,
  `user_id` text NOT NULL,
  `status` text NOT NULL,
  `version` integer NOT NULL,
  `run` integer NOT NULL,
  `event_seq` integer NOT NULL,
  `job_id` integer NOT NULL,
  `source` text NOT NULL,
  `confidence` real NULL,
  `access_key` text NOT NULL,
  `model` integer NOT NULL,
  `number` integer NOT NULL,
  `series` integer NULL,
  `issued_at` datetime NULL,
  `test_document` boolean NOT NULL,
  `protocol` text NOT NULL,
  `issuer_name` text NOT NULL,
  `issuer_cnpj` text NOT NULL,
  `issuer_state` text NOT NULL,
  `consumer_cpf` text NOT NULL,
  `printed_item_count` integer NULL,
  `products_centavos` integer NULL,
  `discount_centavos` integer NOT NULL,
  `freight_centavos` integer NOT NULL,
  `insurance_centavos` integer NOT NULL,
  `other_centavos` integer NOT NULL,
  `taxes_centavos` integer NOT NULL,
  `due_centavos` integer NULL,
  `paid_centavos` integer NULL,
  `change_centavos` integer NOT NULL,
  `allow_duplicate` boolean NOT NULL,
  `duplicate_reason` text NULL,
  `duplicate_of` text NULL,
  `failure_code` text NULL,
  `failure_message` text NULL,
  `idempotency_key` text NULL,
  `search_text` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `invoices_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `invoices_status_check` CHECK (status IN ('QUEUED', 'PROCESSING', 'NEEDS_REVIEW', 'COMPLETED', 'FAILED', 'CANCELLED')),
  CONSTRAINT `invoices_counters_check` CHECK (version >= 0 AND run >= 0 AND event_seq >= 0),
  CONSTRAINT `invoices_confidence_check` CHECK (confidence >= 0 AND confidence <= 1)
);
-- Create index "invoices_idempotency_key" to table: "invoices"
CREATE UNIQUE INDEX `invoices_idempotency_key` ON `invoices` (`user_id`, `idempotency_key`) WHERE idempotency_key IS NOT NULL;
-- Create index "invoices_created_at_idx" to table: "invoices"
CREATE INDEX `invoices_created_at_idx` ON `invoices` (`user_id`, `created_at`, `id`);
-- Create index "invoices_issued_at_idx" to table: "invoices"
CREATE INDEX `invoices_issued_at_idx` ON `invoices` (`user_id`, `issued_at`, `id`);
-- Create "invoice_items" table
CREATE TABLE `invoice_items` (
  `id` text NOT NULL,
  `invoice_id` text NOT NULL,
  `position` integer NOT NULL,
  `line` integer NOT NULL,
  `description` text NOT NULL,
  `code` text NOT NULL,
  `gtin` text NOT NULL,
  `unit` text NOT NULL,
  `quantity` text NOT NULL,
  `unit_price` text NOT NULL,
  `total_centavos` integer NOT NULL,
  `discount_centavos` integer NOT NULL,
  `not_in_total` boolean NOT NULL,
  `uncertain` boolean NOT NULL,
  `category` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `invoice_items_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_items_position_key" to table: "invoice_items"
CREATE UNIQUE INDEX `invoice_items_position_key` ON `invoice_items` (`invoice_id`, `position`);
-- Create "invoice_payments" table
CREATE TABLE `invoice_payments` (
  `invoice_id` text NOT NULL,
  `position` integer NOT NULL,
  `method` text NOT NULL,
  `amount_centavos` integer NOT NULL,
  PRIMARY KEY (`invoice_id`, `position`),
  CONSTRAINT `invoice_payments_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "invoice_checks" table
CREATE TABLE `invoice_checks` (
  `invoice_id` text NOT NULL,
  `position` integer NOT NULL,
  `name` text NOT NULL,
  `passed` boolean NOT NULL,
  `expected` text NOT NULL,
  `found` text NOT NULL,
  `difference_centavos` integer NULL,
  `line` integer NOT NULL,
  PRIMARY KEY (`invoice_id`, `position`),
  CONSTRAINT `invoice_checks_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "invoice_attempts" table
CREATE TABLE `invoice_attempts` (
  `invoice_id` text NOT NULL,
  `position` integer NOT NULL,
  `number` integer NOT NULL,
  `run` integer NOT NULL,
  `provider` text NOT NULL,
  `model` text NOT NULL,
  `outcome` text NOT NULL,
  `items` integer NOT NULL,
  `started_at` datetime NOT NULL,
  `finished_at` datetime NOT NULL,
  PRIMARY KEY (`invoice_id`, `position`),
  CONSTRAINT `invoice_attempts_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "invoice_files" table
CREATE TABLE `invoice_files` (
  `id` text NOT NULL,
  `invoice_id` text NOT NULL,
  `user_id` text NOT NULL,
  `position` integer NOT NULL,
  `kind` text NOT NULL,
  `size` integer NOT NULL,
  `sha256` text NOT NULL,
  `blob_key` text NOT NULL,
  `picture_hash` blob NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `invoice_files_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `invoice_files_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_files_position_key" to table: "invoice_files"
CREATE UNIQUE INDEX `invoice_files_position_key` ON `invoice_files` (`invoice_id`, `position`);
-- Create index "invoice_files_picture_hash_idx" to table: "invoice_files"
CREATE INDEX `invoice_files_picture_hash_idx` ON `invoice_files` (`user_id`) WHERE picture_hash IS NOT NULL;
-- Create "invoice_claims" table
CREATE TABLE `invoice_claims` (
  `user_id` text NOT NULL,
  `kind` text NOT NULL,
  `value` text NOT NULL,
  `invoice_id` text NOT NULL,
  PRIMARY KEY (`user_id`, `kind`, `value`),
  CONSTRAINT `invoice_claims_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `invoice_claims_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_claims_invoice_id_idx" to table: "invoice_claims"
CREATE INDEX `invoice_claims_invoice_id_idx` ON `invoice_claims` (`invoice_id`);
-- Create "extraction_events" table
CREATE TABLE `extraction_events` (
  `invoice_id` text NOT NULL,
  `seq` integer NOT NULL,
  `user_id` text NOT NULL,
  `stage` text NOT NULL,
  `status` text NOT NULL,
  `percent` integer NOT NULL,
  `provider` text NOT NULL,
  `attempt` integer NOT NULL,
  `items_found` integer NOT NULL,
  `message` text NOT NULL,
  `code` text NOT NULL,
  `at` datetime NOT NULL,
  PRIMARY KEY (`invoice_id`, `seq`),
  CONSTRAINT `extraction_events_user_id_fkey` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `extraction_events_invoice_id_fkey` FOREIGN KEY (`invoice_id`) REFERENCES `invoices` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `extraction_events_percent_check` CHECK (percent >= 0 AND percent <= 100)
);
-- Create index "extraction_events_user_id_idx" to table: "extraction_events"
CREATE INDEX `extraction_events_user_id_idx` ON `extraction_events` (`user_id`);
-- Create "worker_heartbeats" table
CREATE TABLE `worker_heartbeats` (
  `worker_id` text NOT NULL,
  `name` text NOT NULL,
  `started_at` datetime NOT NULL,
  `seen_at` datetime NOT NULL,
  PRIMARY KEY (`worker_id`)
);
