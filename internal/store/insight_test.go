package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

func TestInsights(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.ExerciseInsights(t, func(tb testing.TB) storetest.InsightStores {
				tb.Helper()
				db := open(tb)
				var dialect bunschema.Dialect = sqlitedialect.New()
				if db.Dialect() == schema.Postgres {
					dialect = pgdialect.New()
				}
				return storetest.InsightStores{
					Stores: stores(db), Insights: store.NewInsights(db),
					Insert: func(tb testing.TB, row any) {
						tb.Helper()
						_, err := bun.NewDB(db.SQL(), dialect).NewInsert().Model(row).Exec(tb.Context())
						require.NoError(tb, err)
					},
				}
			})
		})
	}
}
