package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/redistest"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// BenchmarkChain is what the host adds to a call: the provider is in the process and replies at once, with 30 lines that add up,
// to a picture of 300 KB that nobody has sent before. "cached" is a picture that somebody has.
func BenchmarkChain(b *testing.B) {
	const picture = 300_000
	r := sdk.Receipt{ItemCount: "30", Products: "179.70", Due: "179.70", Payments: []sdk.ReceiptPayment{{Method: "PIX", Amount: "179.70"}}}
	for i := range 30 {
		r.Items = append(r.Items, sdk.ReceiptItem{
			Description: fmt.Sprintf("PRODUTO DE EXEMPLO %d", i), Code: "7891000100103", GTIN: "7891000100103",
			Quantity: "1", Unit: "UN", UnitPrice: "5.99", Total: "5.99",
		})
	}
	reply, err := json.Marshal(r)
	require.NoError(b, err)
	provider := &stub{name: "a", generate: func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		return sdk.Result{FinishReason: sdk.FinishStop}, emit(string(reply))
	}}
	data := make([]byte, picture)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(data) // never fails

	extract := func(b *testing.B, c *Chain, want string) {
		b.Helper()
		got, err := c.Extract(b.Context(), invoice.ExtractionRequest{
			UserID: "user", InvoiceID: "invoice", Pages: []invoice.DocumentPage{{MediaType: "image/jpeg", Data: data}},
		}, func(invoice.Progress) {})
		if err != nil || got.Attempts[0].Outcome != want {
			b.Fatal(err, got.Attempts)
		}
	}
	b.Run("provider alone", func(b *testing.B) {
		for b.Loop() {
			if _, err := provider.Generate(b.Context(), sdk.Request{}, func(string) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	open := func(b *testing.B, redis bool) *Chain {
		b.Helper()
		config := ChainConfig{Order: []Named{{Name: "a", Provider: provider}}}
		if redis {
			log := slog.New(slog.DiscardHandler)
			client, err := cache.Connect(b.Context(), redistest.Start(b).URL(), log)
			require.NoError(b, err)
			b.Cleanup(func() { _ = client.Close() })
			config.Replies, config.Flights, config.CacheTTL = cache.NewReplies(client, log), cache.NewFlights(client, log), time.Hour
		}
		c, err := NewChain(config)
		require.NoError(b, err)
		return c
	}
	for _, redis := range []bool{false, true} {
		b.Run(fmt.Sprintf("new, redis %t", redis), func(b *testing.B) {
			c := open(b, redis)
			p50(b, func() {
				_, _ = random.Read(data[:16])
				extract(b, c, "ok")
			})
		})
	}
	b.Run("cached", func(b *testing.B) {
		c := open(b, true)
		extract(b, c, "ok")
		p50(b, func() { extract(b, c, "cached") })
	})
}

// p50 reports the median beside the mean, which on a busy machine says more of its neighbours.
func p50(b *testing.B, fn func()) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		started := time.Now()
		fn()
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns/op")
}
