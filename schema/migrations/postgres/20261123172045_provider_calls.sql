-- Create "budget_days" table
CREATE TABLE "budget_days" (
  "scope" text NOT NULL,
  "day" text NOT NULL,
  "user_id" uuid NULL,
  "spent_micro_usd" bigint NOT NULL,
  "reserved_micro_usd" bigint NOT NULL,
  PRIMARY KEY ("scope", "day"),
  CONSTRAINT "budget_days_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "budget_days_user_id_idx" to table: "budget_days"
CREATE INDEX "budget_days_user_id_idx" ON "budget_days" ("user_id");
-- Create "provider_calls" table
CREATE TABLE "provider_calls" (
  "id" uuid NOT NULL,
  "user_id" uuid NULL,
  "invoice_id" uuid NULL,
  "day" text NOT NULL,
  "task" text NOT NULL,
  "provider" text NOT NULL,
  "model" text NOT NULL,
  "attempt" integer NOT NULL,
  "outcome" text NOT NULL,
  "input_tokens" bigint NOT NULL,
  "cached_tokens" bigint NOT NULL,
  "cache_write_tokens" bigint NOT NULL,
  "output_tokens" bigint NOT NULL,
  "thinking_tokens" bigint NOT NULL,
  "latency_ms" bigint NOT NULL,
  "cost_micro_usd" bigint NULL,
  "charged_micro_usd" bigint NOT NULL,
  "saved_micro_usd" bigint NOT NULL,
  "started_at" timestamptz NOT NULL,
  "ended_at" timestamptz NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "provider_calls_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "provider_calls_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE SET NULL,
  CONSTRAINT "provider_calls_amounts_check" CHECK ((cost_micro_usd >= 0) AND (charged_micro_usd >= 0) AND (saved_micro_usd >= 0))
);
-- Create index "provider_calls_day_idx" to table: "provider_calls"
CREATE INDEX "provider_calls_day_idx" ON "provider_calls" ("day");
-- Create index "provider_calls_invoice_id_idx" to table: "provider_calls"
CREATE INDEX "provider_calls_invoice_id_idx" ON "provider_calls" ("invoice_id");
-- Create index "provider_calls_reserved_idx" to table: "provider_calls"
CREATE INDEX "provider_calls_reserved_idx" ON "provider_calls" ("started_at") WHERE (outcome = 'reserved'::text);
-- Create index "provider_calls_user_day_idx" to table: "provider_calls"
CREATE INDEX "provider_calls_user_day_idx" ON "provider_calls" ("user_id", "day");
