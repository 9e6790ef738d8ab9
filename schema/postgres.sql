-- The desired state on PostgreSQL. After a change here, `atlas migrate diff NAME --env postgres` writes the migration that
-- leads to it, to which its way back is added in migrations/postgres/down/VERSION.sql. Names of checks are given so that a
-- later migration can replace one: a new value is first admitted by a migration, then written by a release. A new column has a
-- default, so that the release before it can still insert.
-- River's tables (river_*) and Atlas' own (atlas_schema_revisions) are not part of it.

CREATE TABLE users (
  id              uuid        NOT NULL,
  email           text        NOT NULL,
  name            text        NOT NULL,
  password_hash   text        NOT NULL,
  role            text        NOT NULL,
  plan            text        NOT NULL,
  income_centavos bigint      NULL,
  adults          integer     NOT NULL,
  children        integer     NOT NULL,
  consents        jsonb       NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT users_role_check CHECK (role IN ('USER', 'ADMIN')),
  CONSTRAINT users_plan_check CHECK (plan IN ('FREE', 'PREMIUM')),
  CONSTRAINT users_household_check CHECK (adults >= 0 AND children >= 0)
);
CREATE UNIQUE INDEX users_email_key ON users (email);

CREATE TABLE sessions (
  id           uuid        NOT NULL,
  family_id    uuid        NOT NULL,
  user_id      uuid        NOT NULL,
  refresh_hash text        NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  replaced_at  timestamptz NULL,
  revoked_at   timestamptz NULL,
  device       text        NOT NULL DEFAULT '', -- browser and system, told by the user agent
  PRIMARY KEY (id),
  CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sessions_refresh_hash_key ON sessions (refresh_hash);
CREATE INDEX sessions_family_id_idx ON sessions (family_id);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);

-- What a family buys under one name. key is the bar code's number or the normalised label, and unique for the user.
CREATE TABLE products (
  id          uuid        NOT NULL,
  user_id     uuid        NOT NULL,
  key         text        NOT NULL, -- gtin:7891000100103, or label:leite integral italac 1l
  gtin        text        NOT NULL,
  name        text        NOT NULL,
  brand       text        NOT NULL,
  size        text        NOT NULL, -- of one sold unit in measure, a decimal; empty when not known
  measure     text        NOT NULL,
  category    text        NOT NULL,
  food_group  text        NOT NULL, -- empty for what is not food
  essential   boolean     NOT NULL,
  child       boolean     NOT NULL,
  produce     text        NOT NULL, -- the fruit or vegetable whose season it has; empty for the rest
  taught      boolean     NOT NULL, -- named or classified by the user
  search_text text        NOT NULL, -- name and brand, lower case, without accents
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT products_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT products_measure_check CHECK (measure IN ('KG', 'L', 'UN'))
);
CREATE UNIQUE INDEX products_key ON products (user_id, key);
CREATE INDEX products_gtin_idx ON products (user_id, gtin);

CREATE TABLE invoices (
  id                  uuid             NOT NULL,
  user_id             uuid             NOT NULL,
  status              text             NOT NULL,
  version             integer          NOT NULL,
  run                 integer          NOT NULL,
  event_seq           integer          NOT NULL,
  job_id              bigint           NOT NULL,
  items_version       integer          NOT NULL DEFAULT 1, -- counts the changes of the items
  confirmed_at        timestamptz      NULL, -- by the user, against failed checks
  source              text             NOT NULL,
  confidence          double precision NULL,
  access_key          text             NOT NULL,
  model               bigint           NOT NULL,
  number              bigint           NOT NULL,
  series              bigint           NULL,
  issued_at           timestamptz      NULL,
  test_document       boolean          NOT NULL,
  protocol            text             NOT NULL,
  issuer_name         text             NOT NULL,
  issuer_cnpj         text             NOT NULL,
  issuer_state        text             NOT NULL,
  consumer_cpf        text             NOT NULL, -- masked
  printed_item_count  bigint           NULL,
  products_centavos   bigint           NULL,
  discount_centavos   bigint           NOT NULL,
  freight_centavos    bigint           NOT NULL,
  insurance_centavos  bigint           NOT NULL,
  other_centavos      bigint           NOT NULL,
  taxes_centavos      bigint           NOT NULL,
  due_centavos        bigint           NULL,
  paid_centavos       bigint           NULL,
  change_centavos     bigint           NOT NULL,
  allow_duplicate     boolean          NOT NULL,
  duplicate_reason    text             NULL,
  duplicate_of        uuid             NULL, -- no foreign key: it outlives the invoice that it names
  failure_code        text             NULL,
  failure_message     text             NULL,
  idempotency_key     text             NULL,
  search_text         text             NOT NULL, -- issuer and items, lower case, without accents
  created_at          timestamptz      NOT NULL,
  updated_at          timestamptz      NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT invoices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT invoices_status_check CHECK (status IN ('QUEUED', 'PROCESSING', 'NEEDS_REVIEW', 'COMPLETED', 'FAILED', 'CANCELLED')),
  CONSTRAINT invoices_counters_check CHECK (version >= 0 AND run >= 0 AND event_seq >= 0),
  CONSTRAINT invoices_confidence_check CHECK (confidence >= 0 AND confidence <= 1)
);
CREATE UNIQUE INDEX invoices_idempotency_key ON invoices (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX invoices_created_at_idx ON invoices (user_id, created_at, id);
CREATE INDEX invoices_issued_at_idx ON invoices (user_id, issued_at DESC NULLS LAST, id DESC);

CREATE TABLE invoice_items (
  id                uuid    NOT NULL,
  invoice_id        uuid    NOT NULL,
  position          integer NOT NULL, -- 0-based, the order of the list
  line              bigint  NOT NULL, -- 1-based, as printed
  description       text    NOT NULL,
  code              text    NOT NULL,
  gtin              text    NOT NULL,
  unit              text    NOT NULL,
  quantity          numeric NOT NULL,
  unit_price        numeric NOT NULL,
  total_centavos    bigint  NOT NULL,
  discount_centavos bigint  NOT NULL,
  not_in_total      boolean NOT NULL,
  uncertain         boolean NOT NULL,
  category          text    NOT NULL,
  product_id        uuid    NULL, -- no foreign key: products go with their user alone
  PRIMARY KEY (id),
  CONSTRAINT invoice_items_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invoice_items_position_key ON invoice_items (invoice_id, position);
CREATE INDEX invoice_items_product_id_idx ON invoice_items (product_id);

CREATE TABLE invoice_payments (
  invoice_id      uuid    NOT NULL,
  position        integer NOT NULL,
  method          text    NOT NULL,
  amount_centavos bigint  NOT NULL,
  PRIMARY KEY (invoice_id, position),
  CONSTRAINT invoice_payments_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);

CREATE TABLE invoice_checks (
  invoice_id          uuid    NOT NULL,
  position            integer NOT NULL,
  name                text    NOT NULL,
  passed              boolean NOT NULL,
  expected            text    NOT NULL,
  found               text    NOT NULL,
  difference_centavos bigint  NULL,
  line                bigint  NOT NULL,
  PRIMARY KEY (invoice_id, position),
  CONSTRAINT invoice_checks_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);

CREATE TABLE invoice_attempts (
  invoice_id  uuid        NOT NULL,
  position    integer     NOT NULL,
  number      integer     NOT NULL,
  run         integer     NOT NULL,
  provider    text        NOT NULL,
  model       text        NOT NULL,
  outcome     text        NOT NULL,
  items       bigint      NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  PRIMARY KEY (invoice_id, position),
  CONSTRAINT invoice_attempts_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);

CREATE TABLE invoice_files (
  id           uuid    NOT NULL,
  invoice_id   uuid    NOT NULL,
  user_id      uuid    NOT NULL, -- the invoice's, for the index of picture hashes
  position     integer NOT NULL,
  kind         text    NOT NULL,
  size         bigint  NOT NULL,
  sha256       text    NOT NULL,
  blob_key     text    NOT NULL,
  picture_hash bytea   NULL,
  removed_at   timestamptz NULL, -- when the bytes were removed
  PRIMARY KEY (id),
  CONSTRAINT invoice_files_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT invoice_files_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invoice_files_position_key ON invoice_files (invoice_id, position);
CREATE INDEX invoice_files_picture_hash_idx ON invoice_files (user_id) WHERE picture_hash IS NOT NULL;

CREATE TABLE invoice_claims (
  user_id    uuid NOT NULL,
  kind       text NOT NULL,
  value      text NOT NULL,
  invoice_id uuid NOT NULL,
  PRIMARY KEY (user_id, kind, value),
  CONSTRAINT invoice_claims_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT invoice_claims_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);
CREATE INDEX invoice_claims_invoice_id_idx ON invoice_claims (invoice_id);

CREATE TABLE extraction_events (
  invoice_id  uuid        NOT NULL,
  seq         integer     NOT NULL,
  user_id     uuid        NOT NULL,
  stage       text        NOT NULL,
  status      text        NOT NULL,
  percent     integer     NOT NULL,
  provider    text        NOT NULL,
  attempt     integer     NOT NULL,
  items_found integer     NOT NULL,
  message     text        NOT NULL,
  code        text        NOT NULL,
  at          timestamptz NOT NULL,
  more        boolean     NOT NULL DEFAULT false, -- an analysis follows
  PRIMARY KEY (invoice_id, seq),
  CONSTRAINT extraction_events_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT extraction_events_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT extraction_events_percent_check CHECK (percent >= 0 AND percent <= 100)
);
CREATE INDEX extraction_events_user_id_idx ON extraction_events (user_id);

CREATE TABLE worker_heartbeats (
  worker_id  text        NOT NULL, -- host name and instance
  name       text        NOT NULL,
  started_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  PRIMARY KEY (worker_id)
);

-- What calls to providers used and cost. Rows outlive what they were made for, without naming it.
CREATE TABLE provider_calls (
  id                 uuid        NOT NULL,
  user_id            uuid        NULL, -- none for the operator's own calls, and once the account is deleted
  invoice_id         uuid        NULL,
  day                text        NOT NULL, -- 2026-11-23, in Brasília
  task               text        NOT NULL,
  provider           text        NOT NULL,
  model              text        NOT NULL,
  attempt            integer     NOT NULL,
  outcome            text        NOT NULL,
  input_tokens       bigint      NOT NULL,
  cached_tokens      bigint      NOT NULL,
  cache_write_tokens bigint      NOT NULL,
  output_tokens      bigint      NOT NULL,
  thinking_tokens    bigint      NOT NULL,
  latency_ms         bigint      NOT NULL,
  cost_micro_usd     bigint      NULL, -- null when it is not known
  charged_micro_usd  bigint      NOT NULL, -- what counts against budgets
  saved_micro_usd    bigint      NOT NULL,
  started_at         timestamptz NOT NULL,
  ended_at           timestamptz NULL,
  PRIMARY KEY (id),
  CONSTRAINT provider_calls_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT provider_calls_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE SET NULL,
  CONSTRAINT provider_calls_amounts_check CHECK (cost_micro_usd >= 0 AND charged_micro_usd >= 0 AND saved_micro_usd >= 0)
);
CREATE INDEX provider_calls_user_day_idx ON provider_calls (user_id, day);
CREATE INDEX provider_calls_day_idx ON provider_calls (day);
CREATE INDEX provider_calls_invoice_id_idx ON provider_calls (invoice_id);
CREATE INDEX provider_calls_reserved_idx ON provider_calls (started_at) WHERE outcome = 'reserved';

-- What is spent and reserved in a day, by each user and by all together (scope installation).
CREATE TABLE budget_days (
  scope              text   NOT NULL,
  day                text   NOT NULL,
  user_id            uuid   NULL,
  spent_micro_usd    bigint NOT NULL,
  reserved_micro_usd bigint NOT NULL,
  PRIMARY KEY (scope, day),
  CONSTRAINT budget_days_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX budget_days_user_id_idx ON budget_days (user_id);

-- Which product a merchant's label stands for. taught labels come from corrections and win over everything else.
CREATE TABLE product_labels (
  user_id    uuid        NOT NULL,
  merchant   text        NOT NULL, -- as in purchases
  label      text        NOT NULL, -- normalised
  product_id uuid        NOT NULL,
  taught     boolean     NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, merchant, label),
  CONSTRAINT product_labels_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT product_labels_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE INDEX product_labels_product_id_idx ON product_labels (product_id);
CREATE INDEX product_labels_label_idx ON product_labels (user_id, label);

-- The ledger that analyses and reports read: the invoices that count, derived from them in the same transaction.
CREATE TABLE purchases (
  invoice_id        uuid        NOT NULL,
  user_id           uuid        NOT NULL,
  bought_on         text        NOT NULL, -- 2026-11-23, in Brasília
  bought_at         timestamptz NOT NULL,
  merchant          text        NOT NULL, -- its CNPJ, or name: and its normalised name
  merchant_name     text        NOT NULL,
  merchant_category text        NOT NULL,
  total_centavos    bigint      NOT NULL, -- what was paid
  item_count        integer     NOT NULL,
  PRIMARY KEY (invoice_id),
  CONSTRAINT purchases_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT purchases_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX purchases_bought_on_idx ON purchases (user_id, bought_on);
CREATE INDEX purchases_merchant_idx ON purchases (user_id, merchant, bought_on);

CREATE TABLE purchase_lines (
  item_id             uuid    NOT NULL, -- the invoice's item
  invoice_id          uuid    NOT NULL,
  user_id             uuid    NOT NULL,
  product_id          uuid    NOT NULL,
  bought_on           text    NOT NULL, -- the purchase's
  merchant            text    NOT NULL, -- the purchase's
  label               text    NOT NULL, -- normalised
  quantity_micro      bigint  NOT NULL, -- millionths of the printed unit
  paid_centavos       bigint  NOT NULL, -- total less the line's discount
  price_micro         bigint  NULL, -- paid for one printed unit, in millionths of a real; null without a quantity
  measure_price_micro bigint  NULL, -- the same for a kilogram, a litre or a piece; null when the size is not known
  PRIMARY KEY (item_id),
  CONSTRAINT purchase_lines_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES purchases (invoice_id) ON DELETE CASCADE,
  CONSTRAINT purchase_lines_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT purchase_lines_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE INDEX purchase_lines_invoice_id_idx ON purchase_lines (invoice_id);
CREATE INDEX purchase_lines_bought_on_idx ON purchase_lines (user_id, bought_on);
CREATE INDEX purchase_lines_product_idx ON purchase_lines (product_id, bought_on);
CREATE INDEX purchase_lines_label_idx ON purchase_lines (user_id, merchant, label);

-- Whether and how an invoice was analysed last: one row an invoice.
CREATE TABLE analyses (
  invoice_id    uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  status        text        NOT NULL,
  skip_reason   text        NOT NULL, -- empty unless SKIPPED
  failure_code  text        NOT NULL, -- empty unless FAILED
  items_version integer     NOT NULL, -- of the invoice, when it was asked for
  job_id        bigint      NOT NULL,
  provider      text        NOT NULL,
  model         text        NOT NULL,
  gaps          jsonb       NOT NULL, -- what kinds could not be looked at, and what they lack
  requested_at  timestamptz NOT NULL,
  finished_at   timestamptz NULL,
  PRIMARY KEY (invoice_id),
  CONSTRAINT analyses_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT analyses_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT analyses_status_check CHECK (status IN ('QUEUED', 'COMPLETED', 'SKIPPED', 'FAILED'))
);
CREATE INDEX analyses_user_id_idx ON analyses (user_id);

CREATE TABLE insights (
  id           uuid        NOT NULL,
  user_id      uuid        NOT NULL,
  invoice_id   uuid        NOT NULL,
  kind         text        NOT NULL,
  subject      text        NOT NULL, -- what tells two of a kind apart: a product's id, a category; empty where there is one
  priority     text        NOT NULL,
  priority_rank integer  NOT NULL, -- 1 low to 4 critical, for sorting
  title        text        NOT NULL,
  description  text        NOT NULL,
  details      jsonb       NOT NULL,
  period_from  text        NOT NULL, -- 2026-11-01, included
  period_to    text        NOT NULL, -- 2026-11-30, included
  categories   jsonb       NOT NULL,
  merchants    jsonb       NOT NULL,
  item_ids     jsonb       NOT NULL, -- the evidence
  provider     text        NOT NULL,
  model        text        NOT NULL,
  read_at      timestamptz NULL,
  acted_upon_at timestamptz NULL,
  dismissed_at timestamptz NULL,
  created_at   timestamptz NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT insights_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE,
  CONSTRAINT insights_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT insights_priority_check CHECK (priority IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL'))
);
CREATE INDEX insights_created_at_idx ON insights (user_id, created_at, id);
CREATE INDEX insights_kind_idx ON insights (user_id, kind, created_at);
CREATE INDEX insights_invoice_id_idx ON insights (invoice_id);

-- What an invoice said before each correction, the first one as it was read.
CREATE TABLE invoice_revisions (
  invoice_id uuid        NOT NULL,
  version    integer     NOT NULL, -- the invoice's, before the change
  source     text        NOT NULL,
  draft      jsonb       NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (invoice_id, version),
  CONSTRAINT invoice_revisions_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE CASCADE
);

-- What admins looked at and changed. A row outlives both people, without naming them.
CREATE TABLE audit_entries (
  id         uuid        NOT NULL,
  at         timestamptz NOT NULL,
  actor_id   uuid        NULL, -- the admin; none once the account is deleted, or from the shell
  subject_id uuid        NULL, -- the user it was about; none once the account is deleted, or when it was about the service
  action     text        NOT NULL,
  detail     text        NOT NULL, -- what exactly, without personal data
  PRIMARY KEY (id),
  CONSTRAINT audit_entries_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES users (id) ON DELETE SET NULL,
  CONSTRAINT audit_entries_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX audit_entries_at_idx ON audit_entries (at);
CREATE INDEX audit_entries_actor_id_idx ON audit_entries (actor_id);
CREATE INDEX audit_entries_subject_id_idx ON audit_entries (subject_id);

-- What operators decided about providers, beyond the configuration. A provider without a row is as configured.
CREATE TABLE provider_settings (
  name       text        NOT NULL,
  enabled    boolean     NOT NULL,
  position   integer     NOT NULL, -- in the chain, from 1
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (name)
);

-- One row: what the workers are to do. Its lock also makes changes of provider_settings take turns.
CREATE TABLE provider_control (
  id         integer     NOT NULL,
  reload     bigint      NOT NULL, -- grows with each request to load the plugins anew
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (id),
  CONSTRAINT provider_control_id_check CHECK (id = 1)
);
