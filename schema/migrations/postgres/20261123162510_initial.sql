-- Create "users" table
CREATE TABLE "users" (
  "id" uuid NOT NULL,
  "email" text NOT NULL,
  "name" text NOT NULL,
  "password_hash" text NOT NULL,
  "role" text NOT NULL,
  "plan" text NOT NULL,
  "income_centavos" bigint NULL,
  "adults" integer NOT NULL,
  "children" integer NOT NULL,
  "consents" jsonb NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "users_household_check" CHECK ((adults >= 0) AND (children >= 0)),
  CONSTRAINT "users_plan_check" CHECK (plan = ANY (ARRAY['FREE'::text, 'PREMIUM'::text])),
  CONSTRAINT "users_role_check" CHECK (role = ANY (ARRAY['USER'::text, 'ADMIN'::text]))
);
-- Create index "users_email_key" to table: "users"
CREATE UNIQUE INDEX "users_email_key" ON "users" ("email");
-- Create "worker_heartbeats" table
CREATE TABLE "worker_heartbeats" (
  "worker_id" text NOT NULL,
  "name" text NOT NULL,
  "started_at" timestamptz NOT NULL,
  "seen_at" timestamptz NOT NULL,
  PRIMARY KEY ("worker_id")
);
-- Create "invoices" table
CREATE TABLE "invoices" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "status" text NOT NULL,
  "version" integer NOT NULL,
  "run" integer NOT NULL,
  "event_seq" integer NOT NULL,
  "job_id" bigint NOT NULL,
  "source" text NOT NULL,
  "confidence" double precision NULL,
  "access_key" text NOT NULL,
  "model" bigint NOT NULL,
  "number" bigint NOT NULL,
  "series" bigint NULL,
  "issued_at" timestamptz NULL,
  "test_document" boolean NOT NULL,
  "protocol" text NOT NULL,
  "issuer_name" text NOT NULL,
  "issuer_cnpj" text NOT NULL,
  "issuer_state" text NOT NULL,
  "consumer_cpf" text NOT NULL,
  "printed_item_count" bigint NULL,
  "products_centavos" bigint NULL,
  "discount_centavos" bigint NOT NULL,
  "freight_centavos" bigint NOT NULL,
  "insurance_centavos" bigint NOT NULL,
  "other_centavos" bigint NOT NULL,
  "taxes_centavos" bigint NOT NULL,
  "due_centavos" bigint NULL,
  "paid_centavos" bigint NULL,
  "change_centavos" bigint NOT NULL,
  "allow_duplicate" boolean NOT NULL,
  "duplicate_reason" text NULL,
  "duplicate_of" uuid NULL,
  "failure_code" text NULL,
  "failure_message" text NULL,
  "idempotency_key" text NULL,
  "search_text" text NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "invoices_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "invoices_confidence_check" CHECK ((confidence >= (0)::double precision) AND (confidence <= (1)::double precision)),
  CONSTRAINT "invoices_counters_check" CHECK ((version >= 0) AND (run >= 0) AND (event_seq >= 0)),
  CONSTRAINT "invoices_status_check" CHECK (status = ANY (ARRAY['QUEUED'::text, 'PROCESSING'::text, 'NEEDS_REVIEW'::text, 'COMPLETED'::text, 'FAILED'::text, 'CANCELLED'::text]))
);
-- Create index "invoices_created_at_idx" to table: "invoices"
CREATE INDEX "invoices_created_at_idx" ON "invoices" ("user_id", "created_at", "id");
-- Create index "invoices_idempotency_key" to table: "invoices"
CREATE UNIQUE INDEX "invoices_idempotency_key" ON "invoices" ("user_id", "idempotency_key") WHERE (idempotency_key IS NOT NULL);
-- Create index "invoices_issued_at_idx" to table: "invoices"
CREATE INDEX "invoices_issued_at_idx" ON "invoices" ("user_id", "issued_at" DESC NULLS LAST, "id" DESC);
-- Create "extraction_events" table
CREATE TABLE "extraction_events" (
  "invoice_id" uuid NOT NULL,
  "seq" integer NOT NULL,
  "user_id" uuid NOT NULL,
  "stage" text NOT NULL,
  "status" text NOT NULL,
  "percent" integer NOT NULL,
  "provider" text NOT NULL,
  "attempt" integer NOT NULL,
  "items_found" integer NOT NULL,
  "message" text NOT NULL,
  "code" text NOT NULL,
  "at" timestamptz NOT NULL,
  PRIMARY KEY ("invoice_id", "seq"),
  CONSTRAINT "extraction_events_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "extraction_events_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "extraction_events_percent_check" CHECK ((percent >= 0) AND (percent <= 100))
);
-- Create index "extraction_events_user_id_idx" to table: "extraction_events"
CREATE INDEX "extraction_events_user_id_idx" ON "extraction_events" ("user_id");
-- Create "invoice_attempts" table
CREATE TABLE "invoice_attempts" (
  "invoice_id" uuid NOT NULL,
  "position" integer NOT NULL,
  "number" integer NOT NULL,
  "run" integer NOT NULL,
  "provider" text NOT NULL,
  "model" text NOT NULL,
  "outcome" text NOT NULL,
  "items" bigint NOT NULL,
  "started_at" timestamptz NOT NULL,
  "finished_at" timestamptz NOT NULL,
  PRIMARY KEY ("invoice_id", "position"),
  CONSTRAINT "invoice_attempts_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "invoice_payments" table
CREATE TABLE "invoice_payments" (
  "invoice_id" uuid NOT NULL,
  "position" integer NOT NULL,
  "method" text NOT NULL,
  "amount_centavos" bigint NOT NULL,
  PRIMARY KEY ("invoice_id", "position"),
  CONSTRAINT "invoice_payments_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "sessions" table
CREATE TABLE "sessions" (
  "id" uuid NOT NULL,
  "family_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "refresh_hash" text NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "replaced_at" timestamptz NULL,
  "revoked_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "sessions_family_id_idx" to table: "sessions"
CREATE INDEX "sessions_family_id_idx" ON "sessions" ("family_id");
-- Create index "sessions_refresh_hash_key" to table: "sessions"
CREATE UNIQUE INDEX "sessions_refresh_hash_key" ON "sessions" ("refresh_hash");
-- Create index "sessions_user_id_idx" to table: "sessions"
CREATE INDEX "sessions_user_id_idx" ON "sessions" ("user_id");
-- Create "invoice_checks" table
CREATE TABLE "invoice_checks" (
  "invoice_id" uuid NOT NULL,
  "position" integer NOT NULL,
  "name" text NOT NULL,
  "passed" boolean NOT NULL,
  "expected" text NOT NULL,
  "found" text NOT NULL,
  "difference_centavos" bigint NULL,
  "line" bigint NOT NULL,
  PRIMARY KEY ("invoice_id", "position"),
  CONSTRAINT "invoice_checks_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "invoice_claims" table
CREATE TABLE "invoice_claims" (
  "user_id" uuid NOT NULL,
  "kind" text NOT NULL,
  "value" text NOT NULL,
  "invoice_id" uuid NOT NULL,
  PRIMARY KEY ("user_id", "kind", "value"),
  CONSTRAINT "invoice_claims_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "invoice_claims_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_claims_invoice_id_idx" to table: "invoice_claims"
CREATE INDEX "invoice_claims_invoice_id_idx" ON "invoice_claims" ("invoice_id");
-- Create "invoice_files" table
CREATE TABLE "invoice_files" (
  "id" uuid NOT NULL,
  "invoice_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "position" integer NOT NULL,
  "kind" text NOT NULL,
  "size" bigint NOT NULL,
  "sha256" text NOT NULL,
  "blob_key" text NOT NULL,
  "picture_hash" bytea NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "invoice_files_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "invoice_files_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_files_picture_hash_idx" to table: "invoice_files"
CREATE INDEX "invoice_files_picture_hash_idx" ON "invoice_files" ("user_id") WHERE (picture_hash IS NOT NULL);
-- Create index "invoice_files_position_key" to table: "invoice_files"
CREATE UNIQUE INDEX "invoice_files_position_key" ON "invoice_files" ("invoice_id", "position");
-- Create "invoice_items" table
CREATE TABLE "invoice_items" (
  "id" uuid NOT NULL,
  "invoice_id" uuid NOT NULL,
  "position" integer NOT NULL,
  "line" bigint NOT NULL,
  "description" text NOT NULL,
  "code" text NOT NULL,
  "gtin" text NOT NULL,
  "unit" text NOT NULL,
  "quantity" numeric NOT NULL,
  "unit_price" numeric NOT NULL,
  "total_centavos" bigint NOT NULL,
  "discount_centavos" bigint NOT NULL,
  "not_in_total" boolean NOT NULL,
  "uncertain" boolean NOT NULL,
  "category" text NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "invoice_items_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "invoice_items_position_key" to table: "invoice_items"
CREATE UNIQUE INDEX "invoice_items_position_key" ON "invoice_items" ("invoice_id", "position");
