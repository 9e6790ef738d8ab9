// Package schema is the shape of the database: one bun row struct per table, the desired state of PostgreSQL and of SQLite,
// the versioned migrations that lead there, and the Migrator that applies them through Atlas' library on the revision table
// that Atlas' CLI uses too. What rows mean, and how they become domain objects, is left to internal/store; the tables of the
// job queue are the queue's own, and come and go through Companion.
//
// A row's texts are never NULL unless the struct says nullzero or has a pointer. Amounts are centavos, but for costs of providers, which are millionths of a dollar. Times are UTC with
// microseconds.
package schema

import "embed"

// Dialect is one of the two databases.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// migrations holds migrations/DIALECT/*.sql, atlas.sum and migrations/DIALECT/down/VERSION.sql.
//
//go:embed migrations
var migrations embed.FS

// Rows lists a nil pointer of every row struct, for code that goes through all tables.
func Rows() []any {
	return []any{
		(*User)(nil),
		(*Session)(nil),
		(*Invoice)(nil),
		(*InvoiceItem)(nil),
		(*InvoicePayment)(nil),
		(*InvoiceCheck)(nil),
		(*InvoiceAttempt)(nil),
		(*InvoiceFile)(nil),
		(*InvoiceClaim)(nil),
		(*ExtractionEvent)(nil),
		(*WorkerHeartbeat)(nil),
		(*ProviderCall)(nil),
		(*BudgetDay)(nil),
		(*Product)(nil),
		(*ProductLabel)(nil),
		(*Purchase)(nil),
		(*PurchaseLine)(nil),
		(*Analysis)(nil),
		(*Insight)(nil),
		(*InvoiceRevision)(nil),
		(*AuditEntry)(nil),
		(*ProviderSetting)(nil),
		(*ProviderControl)(nil),
	}
}
