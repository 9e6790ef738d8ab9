-- Modify "extraction_events" table
ALTER TABLE "extraction_events" ADD COLUMN "more" boolean NOT NULL DEFAULT false;
-- Modify "invoice_items" table
ALTER TABLE "invoice_items" ADD COLUMN "product_id" uuid NULL;
-- Create index "invoice_items_product_id_idx" to table: "invoice_items"
CREATE INDEX "invoice_items_product_id_idx" ON "invoice_items" ("product_id");
-- Modify "invoices" table
ALTER TABLE "invoices" ADD COLUMN "items_version" integer NOT NULL DEFAULT 1, ADD COLUMN "confirmed_at" timestamptz NULL;
-- Create "analyses" table
CREATE TABLE "analyses" (
  "invoice_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "status" text NOT NULL,
  "skip_reason" text NOT NULL,
  "failure_code" text NOT NULL,
  "items_version" integer NOT NULL,
  "job_id" bigint NOT NULL,
  "provider" text NOT NULL,
  "model" text NOT NULL,
  "gaps" jsonb NOT NULL,
  "requested_at" timestamptz NOT NULL,
  "finished_at" timestamptz NULL,
  PRIMARY KEY ("invoice_id"),
  CONSTRAINT "analyses_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "analyses_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "analyses_status_check" CHECK (status = ANY (ARRAY['QUEUED'::text, 'COMPLETED'::text, 'SKIPPED'::text, 'FAILED'::text]))
);
-- Create index "analyses_user_id_idx" to table: "analyses"
CREATE INDEX "analyses_user_id_idx" ON "analyses" ("user_id");
-- Create "insights" table
CREATE TABLE "insights" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "invoice_id" uuid NOT NULL,
  "kind" text NOT NULL,
  "subject" text NOT NULL,
  "priority" text NOT NULL,
  "priority_rank" integer NOT NULL,
  "title" text NOT NULL,
  "description" text NOT NULL,
  "details" jsonb NOT NULL,
  "period_from" text NOT NULL,
  "period_to" text NOT NULL,
  "categories" jsonb NOT NULL,
  "merchants" jsonb NOT NULL,
  "item_ids" jsonb NOT NULL,
  "provider" text NOT NULL,
  "model" text NOT NULL,
  "read_at" timestamptz NULL,
  "acted_upon_at" timestamptz NULL,
  "dismissed_at" timestamptz NULL,
  "created_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "insights_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "insights_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "insights_priority_check" CHECK (priority = ANY (ARRAY['LOW'::text, 'MEDIUM'::text, 'HIGH'::text, 'CRITICAL'::text]))
);
-- Create index "insights_created_at_idx" to table: "insights"
CREATE INDEX "insights_created_at_idx" ON "insights" ("user_id", "created_at", "id");
-- Create index "insights_invoice_id_idx" to table: "insights"
CREATE INDEX "insights_invoice_id_idx" ON "insights" ("invoice_id");
-- Create index "insights_kind_idx" to table: "insights"
CREATE INDEX "insights_kind_idx" ON "insights" ("user_id", "kind", "created_at");
-- Create "invoice_revisions" table
CREATE TABLE "invoice_revisions" (
  "invoice_id" uuid NOT NULL,
  "version" integer NOT NULL,
  "source" text NOT NULL,
  "draft" jsonb NOT NULL,
  "changed_at" timestamptz NOT NULL,
  PRIMARY KEY ("invoice_id", "version"),
  CONSTRAINT "invoice_revisions_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create "products" table
CREATE TABLE "products" (
  "id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "key" text NOT NULL,
  "gtin" text NOT NULL,
  "name" text NOT NULL,
  "brand" text NOT NULL,
  "size" text NOT NULL,
  "measure" text NOT NULL,
  "category" text NOT NULL,
  "food_group" text NOT NULL,
  "essential" boolean NOT NULL,
  "child" boolean NOT NULL,
  "produce" text NOT NULL,
  "taught" boolean NOT NULL,
  "search_text" text NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "products_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "products_measure_check" CHECK (measure = ANY (ARRAY['KG'::text, 'L'::text, 'UN'::text]))
);
-- Create index "products_gtin_idx" to table: "products"
CREATE INDEX "products_gtin_idx" ON "products" ("user_id", "gtin");
-- Create index "products_key" to table: "products"
CREATE UNIQUE INDEX "products_key" ON "products" ("user_id", "key");
-- Create "product_labels" table
CREATE TABLE "product_labels" (
  "user_id" uuid NOT NULL,
  "merchant" text NOT NULL,
  "label" text NOT NULL,
  "product_id" uuid NOT NULL,
  "taught" boolean NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("user_id", "merchant", "label"),
  CONSTRAINT "product_labels_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "product_labels_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "product_labels_label_idx" to table: "product_labels"
CREATE INDEX "product_labels_label_idx" ON "product_labels" ("user_id", "label");
-- Create index "product_labels_product_id_idx" to table: "product_labels"
CREATE INDEX "product_labels_product_id_idx" ON "product_labels" ("product_id");
-- Create "purchases" table
CREATE TABLE "purchases" (
  "invoice_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "bought_on" text NOT NULL,
  "bought_at" timestamptz NOT NULL,
  "merchant" text NOT NULL,
  "merchant_name" text NOT NULL,
  "merchant_category" text NOT NULL,
  "total_centavos" bigint NOT NULL,
  "item_count" integer NOT NULL,
  PRIMARY KEY ("invoice_id"),
  CONSTRAINT "purchases_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "invoices" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "purchases_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "purchases_bought_on_idx" to table: "purchases"
CREATE INDEX "purchases_bought_on_idx" ON "purchases" ("user_id", "bought_on");
-- Create index "purchases_merchant_idx" to table: "purchases"
CREATE INDEX "purchases_merchant_idx" ON "purchases" ("user_id", "merchant", "bought_on");
-- Create "purchase_lines" table
CREATE TABLE "purchase_lines" (
  "item_id" uuid NOT NULL,
  "invoice_id" uuid NOT NULL,
  "user_id" uuid NOT NULL,
  "product_id" uuid NOT NULL,
  "bought_on" text NOT NULL,
  "merchant" text NOT NULL,
  "label" text NOT NULL,
  "quantity_micro" bigint NOT NULL,
  "paid_centavos" bigint NOT NULL,
  "price_micro" bigint NULL,
  "measure_price_micro" bigint NULL,
  PRIMARY KEY ("item_id"),
  CONSTRAINT "purchase_lines_invoice_id_fkey" FOREIGN KEY ("invoice_id") REFERENCES "purchases" ("invoice_id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "purchase_lines_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "purchase_lines_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- Create index "purchase_lines_bought_on_idx" to table: "purchase_lines"
CREATE INDEX "purchase_lines_bought_on_idx" ON "purchase_lines" ("user_id", "bought_on");
-- Create index "purchase_lines_invoice_id_idx" to table: "purchase_lines"
CREATE INDEX "purchase_lines_invoice_id_idx" ON "purchase_lines" ("invoice_id");
-- Create index "purchase_lines_label_idx" to table: "purchase_lines"
CREATE INDEX "purchase_lines_label_idx" ON "purchase_lines" ("user_id", "merchant", "label");
-- Create index "purchase_lines_product_idx" to table: "purchase_lines"
CREATE INDEX "purchase_lines_product_idx" ON "purchase_lines" ("product_id", "bought_on");
