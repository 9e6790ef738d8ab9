// Package store keeps users, sessions and invoices in PostgreSQL or SQLite with bun. It promises what the ports of
// internal/invoice and internal/account promise, alike on both databases: storetest holds it to that. Tables and migrations
// are in schema; what may happen to an invoice is decided by internal/invoice.
package store
