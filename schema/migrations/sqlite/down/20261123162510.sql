-- Back to an empty database: every invoice, account and event is lost.
DROP TABLE extraction_events;
DROP TABLE invoice_claims;
DROP TABLE invoice_files;
DROP TABLE invoice_attempts;
DROP TABLE invoice_checks;
DROP TABLE invoice_payments;
DROP TABLE invoice_items;
DROP TABLE invoices;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE worker_heartbeats;
