package redistest_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

func TestTheServerNeedsItsPasswordAndStartsAgain(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	opts, err := redis.ParseURL(s.URL())
	require.NoError(t, err)
	client := redis.NewClient(opts)
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Ping(t.Context()).Err())

	stranger := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { _ = stranger.Close() })
	require.ErrorContains(t, stranger.Ping(t.Context()).Err(), "NOAUTH")

	require.NoError(t, client.Set(t.Context(), "k", "v", 0).Err())
	s.Stop(t)
	s.Stop(t)
	require.Error(t, client.Ping(t.Context()).Err())
	s.Restart(t)
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), redis.Nil)
}
