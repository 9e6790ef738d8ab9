package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/store"
)

func TestDecisionsAboutProvidersAreKeptAndTakeTurns(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ctx := store.NewFleet(open(t)), t.Context()
			desired, err := f.Desired(ctx)
			require.NoError(t, err)
			assert.Zero(t, desired)
			at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
			want := []fleet.Setting{
				{Name: "offline", Enabled: true, Position: 1, UpdatedAt: at}, {Name: "gemini", Enabled: false, Position: 2, UpdatedAt: at},
			}
			require.NoError(t, f.Change(ctx, func(now []fleet.Setting) []fleet.Setting {
				assert.Empty(t, now)
				return want
			}))
			require.NoError(t, f.Change(ctx, func(now []fleet.Setting) []fleet.Setting { return nil }))
			desired, err = f.Desired(ctx)
			require.NoError(t, err)
			assert.Equal(t, fleet.Desired{Settings: want}, desired)

			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					assert.NoError(t, f.Change(ctx, func(now []fleet.Setting) []fleet.Setting {
						now[0].Position++
						now[1].Position++
						return now
					}))
				})
				wg.Go(func() {
					_, err := f.RequestReload(ctx)
					assert.NoError(t, err)
				})
			}
			wg.Wait()
			n, err := f.RequestReload(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 11, n)
			desired, err = f.Desired(ctx)
			require.NoError(t, err)
			assert.EqualValues(t, 11, desired.Reload)
			assert.Equal(t, 11, desired.Settings[0].Position, "no change was lost")
			assert.Equal(t, 12, desired.Settings[1].Position)
		})
	}
}
