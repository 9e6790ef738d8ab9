package cache

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

func TestBoardShowsWhatIsRenewedAndForgetsTheRest(t *testing.T) {
	t.Parallel()
	client := connect(t, redistest.Start(t).URL())
	b := NewBoard(client, slog.New(slog.DiscardHandler))
	all, err := b.All(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
	for _, name := range []string{"one", "two", "three"} {
		require.NoError(t, b.Put(t.Context(), name, []byte("of "+name)))
	}
	ttl, err := client.TTL(t.Context(), "board:one").Result()
	require.NoError(t, err)
	assert.InDelta(t, boardTTL, ttl, float64(5*time.Second))
	require.NoError(t, b.Remove(t.Context(), "two"))
	require.NoError(t, client.Del(t.Context(), "board:three").Err(), "its time is over")
	all, err = b.All(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"one": []byte("of one")}, all)
	members, err := client.SMembers(t.Context(), "board").Result()
	require.NoError(t, err)
	assert.Equal(t, []string{"one"}, members)
}
