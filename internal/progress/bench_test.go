package progress

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

// BenchmarkDeliver measures from Publish until the event has reached its listener, with 1000 listeners in the process: of
// as many users, as production has, and of one user, the worst case, where each event goes to all of them.
func BenchmarkDeliver(b *testing.B) {
	for name, open := range map[string]func(testing.TB) string{
		"embedded": embedded,
		"real":     func(tb testing.TB) string { tb.Helper(); return redistest.Start(tb).URL() },
	} {
		for _, users := range []int{1000, 1} {
			b.Run(fmt.Sprintf("%s/1000_listeners_of_%d_users", name, users), func(b *testing.B) {
				h := hubOn(b, open(b))
				channels := make([]<-chan invoice.Event, 1000)
				for i := range channels {
					ch, err := h.Subscribe(b.Context(), fmt.Sprint("user-", i%users))
					require.NoError(b, err)
					channels[i] = ch
				}
				seq := 0
				for b.Loop() {
					user := seq % users
					h.Publish(b.Context(), event(fmt.Sprint("user-", user), seq))
					for i := user; i < len(channels); i += users {
						if e := <-channels[i]; e.Seq != seq {
							b.Fatalf("got %d, want %d", e.Seq, seq)
						}
					}
					seq++
				}
				require.Zero(b, h.Stats().Lost)
			})
		}
	}
}

// BenchmarkPublish is what a job pays for an event.
func BenchmarkPublish(b *testing.B) {
	h := hubOn(b, embedded(b))
	ctx, e := context.Background(), event("maria", 1)
	for b.Loop() {
		h.Publish(ctx, e)
	}
}
