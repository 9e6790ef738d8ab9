package store

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/schema"
)

// Every field is filled, converted there and back, and none may have been lost on the way: a new field that somebody forgets
// to map, or to fill, fails here.
func TestConversionsAreComplete(t *testing.T) {
	t.Parallel()
	inv := storetest.FilledInvoice(t, storetest.NewID(t), 2)
	rows, err := toRows(inv)
	require.NoError(t, err)
	user := storetest.FilledUser(t)
	userRow := toUserRow(user)
	event := filledEvent(t)
	eventRow := toEventRow(event)
	session := filledSession(t)
	sessionRow := toSessionRow(session)
	callRow, err := toCallRow(storetest.FilledCall(t, storetest.NewID(t), storetest.NewID(t)))
	require.NoError(t, err)
	for _, c := range []struct {
		name  string
		value any
	}{
		{"the invoice as filled", inv},
		{"invoice row", rows.invoice},
		{"item rows", rows.items[1:]},
		{"payment rows", rows.payments[1:]},
		{"check rows", rows.checks[1:]},
		{"attempt rows", rows.attempts[1:]},
		{"file rows", rows.files},
		{"invoice", fromRows(rows)},
		{"user row", userRow},
		{"user", fromUserRow(&userRow)},
		{"event row", eventRow},
		{"event", fromEventRow(eventRow)},
		{"session row", sessionRow},
		{"session", fromSessionRow(&sessionRow)},
		{"call row", callRow},
		{"call", fromCallRow(&callRow)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, zeros(reflect.ValueOf(c.value), c.name))
		})
	}
	storetest.EqualInvoices(t, inv, fromRows(rows))
}

// Of a call's row, a settlement leaves alone what was known before.
func TestASettlementIsWrittenWhole(t *testing.T) {
	t.Parallel()
	cost, row := usage.MicroUSD(1), schema.ProviderCall{}
	end := usage.Settlement{
		Model: "m", Outcome: "ok", Tokens: usage.Tokens{Input: 1, CachedInput: 2, CacheWrite: 3, Output: 4, Thinking: 5},
		Latency: time.Second, Cost: &cost, Charged: 6, EndedAt: storetest.At(1),
	}
	assert.Empty(t, zeros(reflect.ValueOf(end), "settlement"))
	settleRow(&row, end)
	assert.Equal(t, []string{
		"row.ID", "row.UserID", "row.InvoiceID", "row.Day", "row.Task", "row.Provider", "row.Attempt", "row.SavedMicroUSD", "row.StartedAt",
	}, zeros(reflect.ValueOf(row), "row"))
}

func TestZerosSeesAField(t *testing.T) {
	t.Parallel()
	inv := storetest.FilledInvoice(t, storetest.NewID(t), 1)
	inv.Items[0].Unit = ""
	assert.Equal(t, []string{"x.Draft.Items[0].Unit"}, zeros(reflect.ValueOf(inv), "x"))
}

// zeros lists the fields that are zero, at any depth.
func zeros(v reflect.Value, path string) []string {
	switch v.Interface().(type) {
	case time.Time, decimal.Decimal, []byte:
		if v.IsZero() {
			return []string{path}
		}
		return nil
	case bun.BaseModel:
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return []string{path}
		}
		return zeros(v.Elem(), path)
	case reflect.Struct:
		var found []string
		for i := range v.NumField() {
			found = append(found, zeros(v.Field(i), path+"."+v.Type().Field(i).Name)...)
		}
		return found
	case reflect.Slice:
		if v.Len() == 0 {
			return []string{path}
		}
		var found []string
		for i := range v.Len() {
			found = append(found, zeros(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
		return found
	case reflect.Map:
		if v.Len() == 0 {
			return []string{path}
		}
		return nil
	default:
		if v.IsZero() {
			return []string{path}
		}
		return nil
	}
}

// counter counts statements.
type counter struct{ n atomic.Int64 }

func (c *counter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (c *counter) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Operation() == "SELECT" {
		c.n.Add(1)
	}
}

func TestListsTakeAConstantNumberOfStatements(t *testing.T) {
	t.Parallel()
	db := openMigrated(t)
	counted := &counter{}
	db.read = db.read.WithQueryHook(counted)
	accounts, invoices := NewAccounts(db), NewInvoices(db)
	user := storetest.NewUser(t, accounts)
	for range 12 {
		require.NoError(t, invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			return tx.Insert(ctx, storetest.FilledInvoice(t, user, 3))
		}))
	}
	for _, size := range []int{1, 5, 12} {
		counted.n.Store(0)
		page, err := invoices.Invoices(t.Context(), invoice.ListQuery{UserID: user, First: size})
		require.NoError(t, err)
		require.Len(t, page.Invoices, size)
		assert.EqualValues(t, 7, counted.n.Load(), "count, rows and five lists")

		counted.n.Store(0)
		last := page.Invoices[0]
		_, err = invoices.Invoices(t.Context(), invoice.ListQuery{UserID: user, First: size, After: &invoice.Cursor{At: &last.CreatedAt, ID: last.ID}})
		require.NoError(t, err)
		assert.LessOrEqual(t, counted.n.Load(), int64(8), "and a look behind")
	}
}

func TestSaveWritesOnlyListsThatChanged(t *testing.T) {
	t.Parallel()
	db := openMigrated(t)
	writes := &writeLog{}
	user := storetest.NewUser(t, NewAccounts(db))
	db.write = db.write.WithQueryHook(writes)
	invoices := NewInvoices(db)
	inv := storetest.FilledInvoice(t, user, 3)
	require.NoError(t, invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	writes.operations = nil
	require.NoError(t, invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		i, err := tx.Lock(ctx, "", inv.ID)
		require.NoError(t, err)
		i.Version++
		require.NoError(t, tx.Save(ctx, i))
		i.Checks = nil
		return tx.Save(ctx, i)
	}))
	assert.Equal(t, []string{"UPDATE", "UPDATE", "DELETE"}, writes.operations)
}

// writeLog notes the statements that write.
type writeLog struct{ operations []string }

func (w *writeLog) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (w *writeLog) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if op := e.Operation(); op == "INSERT" || op == "UPDATE" || op == "DELETE" {
		w.operations = append(w.operations, op)
	}
}

func openMigrated(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "x.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, migrate(t, db))
	return db
}
