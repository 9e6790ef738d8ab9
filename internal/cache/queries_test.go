package cache

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

func TestQueriesAreKeptForADay(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	client := connect(t, url)
	queries := NewQueries(client, "one", discard())
	got, err := queries.Get(t.Context(), "h")
	require.NoError(t, err)
	assert.Empty(t, got)
	require.NoError(t, queries.Put(t.Context(), "h", "{ a }"))
	got, err = queries.Get(t.Context(), "h")
	require.NoError(t, err)
	assert.Equal(t, "{ a }", got)
	got, err = NewQueries(client, "two", discard()).Get(t.Context(), "h")
	require.NoError(t, err)
	assert.Empty(t, got, "another installation's")

	server.FastForward(24*time.Hour - time.Second)
	got, err = queries.Get(t.Context(), "h")
	require.NoError(t, err)
	assert.Equal(t, "{ a }", got)
	server.FastForward(time.Second)
	got, err = queries.Get(t.Context(), "h")
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Empty(t, server.Keys(), "nothing stays behind")
}

func TestQueriesTakeBoundedRoom(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"real": redistest.Start(t).URL(), "embedded": started(t, NewEmbedded()).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, url)
			queries := NewQueries(client, "one", discard())
			now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			queries.now = func() time.Time { now = now.Add(time.Second); return now }
			require.NoError(t, queries.Put(t.Context(), "large", strings.Repeat("x", maxQueryBytes+1)))
			require.NoError(t, queries.Put(t.Context(), "full", strings.Repeat("x", maxQueryBytes)))
			for i := range maxQueries {
				require.NoError(t, queries.Put(t.Context(), strconv.Itoa(i), "q"))
			}
			for hash, kept := range map[string]bool{"large": false, "full": false, "0": true, strconv.Itoa(maxQueries - 1): true} {
				got, err := queries.Get(t.Context(), hash)
				require.NoError(t, err)
				assert.Equal(t, kept, got != "", hash)
			}
			keys, err := client.DBSize(t.Context()).Result()
			require.NoError(t, err)
			assert.EqualValues(t, maxQueries+1, keys, "the queries and their ages")

			// One that is sent again is young again.
			require.NoError(t, queries.Put(t.Context(), "0", "q"))
			require.NoError(t, queries.Put(t.Context(), "new", "q"))
			got, err := queries.Get(t.Context(), "0")
			require.NoError(t, err)
			assert.Equal(t, "q", got)
			got, err = queries.Get(t.Context(), "1")
			require.NoError(t, err)
			assert.Empty(t, got)
		})
	}
}

func TestQueriesWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	queries := NewQueries(connect(t, server.URL()), "one", discard())
	require.NoError(t, queries.Put(t.Context(), "h", "{ a }"))
	server.Stop(t)
	_, err := queries.Get(t.Context(), "h")
	require.Error(t, err)
	require.ErrorIs(t, queries.Put(t.Context(), "h", "{ a }"), errOutage, "nobody waits for it again")
}
