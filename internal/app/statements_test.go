package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// statements keeps what is sent to the database by requests that the test makes.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.Contains(e.Query, "worker_heartbeats") {
		return // the worker's own
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, e.Query)
}

func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// TestALongPageTakesAsManyStatementsAsAShortOne counts what the API sends to the database, all that belongs to invoices and
// insights asked for.
func TestALongPageTakesAsManyStatementsAsAShortOne(t *testing.T) {
	t.Parallel()
	const invoices = 50
	both(t, func(t *testing.T, at installation) {
		counted := &statements{}
		at.env = append(at.env, "PROVIDER_ORDER=offline", "RATE_LIMIT_ENABLED=false")
		api, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: quiet(), Statements: counted})
		require.NoError(t, err)
		t.Cleanup(func() { stop(t, api) })
		require.NoError(t, api.Start(t.Context()))
		c := family(t, api, "ana@example.com")
		var ids []string
		for n := range invoices {
			data, err := shopping(1+n, 2000, four()[n%2:]...).XML(receipts.XMLOptions{}) // the 32nd of March is the first of April
			require.NoError(t, err)
			sub, res := c.Submit(t, data)
			require.Empty(t, res.Errors)
			ids = append(ids, sub.SubmitInvoice.Invoice.ID)
		}
		for _, id := range ids {
			events := c.Watch(t, id, 0)
			require.Equal(t, "ANALYZED", events[len(events)-1].Stage)
		}
		for name, query := range map[string]string{
			"invoices": `query($first: Int!) { invoices(first: $first) { nodes { id items { description product { id name category { id } } }
				insights { kind evidence { id } } analysis { status gaps { kind } } revisions { version } } } }`,
			"insights": `query($first: Int!) { insights(first: $first) { nodes { kind evidence { id product { name } } invoice { id status } } } }`,
		} {
			var sent [2][]string
			for i, first := range []int{1, invoices} {
				counted.take()
				var out map[string]struct{ Nodes []map[string]any }
				c.Query(t, query, map[string]any{"first": first}, &out)
				require.Len(t, out[name].Nodes, first)
				sent[i] = counted.take()
			}
			assert.NotEmpty(t, sent[0])
			assert.Len(t, sent[1], len(sent[0]), "%s: %s", name, fmt.Sprint(sent))
		}
	})
}
