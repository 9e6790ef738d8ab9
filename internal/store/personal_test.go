package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

// impersonal are the tables that hold nothing about a user, and why.
var impersonal = map[string]string{
	"worker_heartbeats": "which processes live",
	"provider_settings": "which providers are asked, for everybody",
	"provider_control":  "what workers are to do",
}

// anonymised are the tables whose rows outlive their user, without naming them.
var anonymised = map[string]string{
	"provider_calls": "what was spent was spent",
	"audit_entries":  "what admins did was done",
}

// person is a row of every table about one user.
type person struct {
	id, invoice string
	mark        string // in every text that has no shape
}

// newPerson inserts them in the order of schema.Rows, in which what is referred to comes first, but for products.
func newPerson(t *testing.T, db *store.DB, mark string) person {
	t.Helper()
	p := person{id: storetest.NewID(t), invoice: storetest.NewID(t), mark: mark}
	b := bunOf(db)
	ids := map[string]string{
		"user_id": p.id, "subject_id": p.id, "invoice_id": p.invoice, "product_id": storetest.NewID(t), "item_id": storetest.NewID(t),
	}
	for _, model := range schema.Rows() {
		table := b.Table(reflect.TypeOf(model).Elem())
		if _, ok := impersonal[table.Name]; ok {
			continue
		}
		row := reflect.New(reflect.TypeOf(model).Elem())
		for _, f := range table.Fields {
			f.Value(row.Elem()).Set(p.value(t, table.Name, f.Name, f.StructField.Type, ids))
		}
		_, err := b.NewInsert().Model(row.Interface()).Exec(t.Context())
		require.NoError(t, err, table.Name)
	}
	return p
}

func bunOf(db *store.DB) *bun.DB {
	if db.Dialect() == schema.Postgres {
		return bun.NewDB(db.SQL(), pgdialect.New())
	}
	return bun.NewDB(db.SQL(), sqlitedialect.New())
}

// own is what the primary key of each table is known by elsewhere.
var own = map[string]string{"users": "user_id", "invoices": "invoice_id", "products": "product_id", "invoice_items": "item_id"}

func (p person) value(t *testing.T, table, column string, typ reflect.Type, ids map[string]string) reflect.Value {
	t.Helper()
	texts := map[string]string{
		"role": "USER", "plan": "FREE", "priority": "LOW", "day": "2026-11-23", "bought_on": "2026-11-23",
		"period_from": "2026-11-01", "period_to": "2026-11-30", "scope": p.id, "status": "QUEUED",
		"measure": "KG", "duplicate_of": storetest.NewID(t), "email": p.mark + p.id,
		"password_hash": "secret-" + p.id, "refresh_hash": "secret-" + p.id, "actor_id": "",
	}
	maps.Copy(texts, ids)
	if column == "id" {
		texts["id"] = storetest.NewID(t)
		if name, ok := own[table]; ok {
			texts["id"] = ids[name]
		}
	}
	if _, ok := texts[column]; !ok && strings.HasSuffix(column, "_id") {
		texts[column] = storetest.NewID(t)
	}
	v := reflect.New(typ).Elem()
	switch {
	case typ == reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{}`))
	case typ.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(typ))
	case typ == reflect.TypeFor[decimal.Decimal]():
		v.Set(reflect.ValueOf(decimal.New(1, 0)))
	case typ == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(storetest.At(1).UTC()))
	case typ.Kind() == reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		v.Elem().Set(p.value(t, table, column, typ.Elem(), ids))
	case typ.Kind() == reflect.String:
		text, ok := texts[column]
		if !ok {
			text = p.mark
		}
		v.SetString(text)
	case v.CanInt():
		v.SetInt(1)
	case v.CanFloat():
		v.SetFloat(1)
	case typ.Kind() == reflect.Bool:
		v.SetBool(true)
	}
	return v
}

// tables is every row of every table as JSON, by table.
func tables(t *testing.T, db *store.DB) map[string][]string {
	t.Helper()
	b, all := bunOf(db), map[string][]string{}
	for _, model := range schema.Rows() {
		table := b.Table(reflect.TypeOf(model).Elem())
		rows := reflect.New(reflect.SliceOf(reflect.TypeOf(model).Elem()))
		require.NoError(t, b.NewSelect().Model(rows.Interface()).Scan(t.Context()))
		all[table.Name] = nil
		for i := range rows.Elem().Len() {
			text, err := json.Marshal(rows.Elem().Index(i).Interface())
			require.NoError(t, err)
			all[table.Name] = append(all[table.Name], string(text))
		}
	}
	return all
}

func TestEveryTableIsExportedOrImpersonal(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			ana, rui := newPerson(t, db, "mark-of-ana"), newPerson(t, db, "mark-of-rui")
			exported := map[string]int{}
			require.NoError(t, store.NewPersonal(db).Rows(t.Context(), ana.id, func(table string, row map[string]any) error {
				exported[table]++
				text, err := json.Marshal(row)
				require.NoError(t, err)
				for _, foreign := range []string{rui.id, rui.invoice, rui.mark, "secret-"} {
					assert.NotContains(t, string(text), foreign, table)
				}
				return nil
			}))
			for table := range tables(t, db) {
				if _, ok := impersonal[table]; ok {
					assert.Zero(t, exported[table], table)
					continue
				}
				assert.Equal(t, 1, exported[table], "a table that is neither exported nor known to be impersonal: %s", table)
			}
			none := func(string, map[string]any) error { return errors.New("a row of nobody") }
			require.NoError(t, store.NewPersonal(db).Rows(t.Context(), storetest.NewID(t), none))
			require.NoError(t, store.NewPersonal(db).Rows(t.Context(), "no id", none))
			require.ErrorContains(t, store.NewPersonal(db).Rows(t.Context(), rui.id, none), "a row of nobody")
		})
	}
}

func TestErasingLeavesNothingOfTheUserAndAllOfTheOthers(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			rui := newPerson(t, db, "mark-of-rui")
			before := tables(t, db)
			ana := newPerson(t, db, "mark-of-ana")
			personal := store.NewPersonal(db)

			refused := errors.New("refused")
			require.ErrorIs(t, personal.Erase(t.Context(), ana.id, func(context.Context, *sql.Tx, []string) error { return refused }), refused)
			assert.Len(t, tables(t, db)["users"], 2, "nothing when a part of it fails")

			require.NoError(t, personal.Erase(t.Context(), ana.id, func(_ context.Context, tx *sql.Tx, ids []string) error {
				assert.NotNil(t, tx)
				assert.Equal(t, []string{ana.invoice}, ids)
				return nil
			}))
			for table, rows := range tables(t, db) {
				left := 0
				for _, row := range rows {
					for _, id := range []string{ana.id, ana.invoice} {
						assert.NotContains(t, row, id, table)
					}
					if strings.Contains(row, ana.mark) {
						left++
					}
				}
				if _, ok := anonymised[table]; ok {
					assert.LessOrEqual(t, left, 1, table)
					assert.Len(t, rows, 2, "%s stays without a name", table)
					continue
				}
				assert.Zero(t, left, table)
				assert.Equal(t, before[table], rows, "another user's rows: %s", table)
			}
			again := func(context.Context, *sql.Tx, []string) error { return nil }
			require.NoError(t, personal.Erase(t.Context(), ana.id, again), "it may be called again")
			require.NoError(t, personal.Erase(t.Context(), "no id", again))
			files, err := personal.Files(t.Context(), rui.id)
			require.NoError(t, err)
			assert.Len(t, files, 1)
		})
	}
}

// TestAnErasedUserIsNotInTheFileEither reads the SQLite file and its log as bytes.
func TestAnErasedUserIsNotInTheFileEither(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := open(t, store.Config{Path: path}, true)
	for range 20 { // pages are split and freed
		newPerson(t, db, "mark-of-rui")
	}
	ana := newPerson(t, db, "mark-of-ana")
	require.NoError(t, store.NewPersonal(db).Erase(t.Context(), ana.id, func(context.Context, *sql.Tx, []string) error { return nil }))
	for _, file := range []string{path, path + "-wal"} {
		for _, mark := range []string{ana.id, ana.invoice} {
			assert.NotContains(t, string(readIfThere(t, file)), mark, filepath.Base(file))
		}
	}
}
