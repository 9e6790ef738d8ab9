package store

import (
	"log/slog"
	"testing"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

func migrate(t *testing.T, db *DB) error {
	t.Helper()
	return schema.NewMigrator(db.SQL(), db.Dialect(), slog.New(slog.DiscardHandler)).Up(t.Context())
}

func filledEvent(t *testing.T) invoice.Event {
	t.Helper()
	return invoice.Event{
		InvoiceID: storetest.NewID(t), UserID: storetest.NewID(t), Seq: 1, Stage: invoice.StageFailed, Status: invoice.StatusFailed,
		Percent: 2, Provider: "p", Attempt: 3, ItemsFound: 4, Message: "m", Code: invoice.CodeInternal, At: storetest.At(1), More: true,
	}
}

func filledSession(t *testing.T) *account.Session {
	t.Helper()
	return &account.Session{
		ID: storetest.NewID(t), FamilyID: storetest.NewID(t), UserID: storetest.NewID(t), RefreshHash: "h", CreatedAt: storetest.At(1),
		ExpiresAt: storetest.At(2), ReplacedAt: new(storetest.At(3)), RevokedAt: new(storetest.At(4)), Device: "d",
	}
}
