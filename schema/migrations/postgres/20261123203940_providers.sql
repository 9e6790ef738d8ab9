-- Create "provider_control" table
CREATE TABLE "provider_control" (
  "id" integer NOT NULL,
  "reload" bigint NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "provider_control_id_check" CHECK (id = 1)
);
-- Create "provider_settings" table
CREATE TABLE "provider_settings" (
  "name" text NOT NULL,
  "enabled" boolean NOT NULL,
  "position" integer NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("name")
);
