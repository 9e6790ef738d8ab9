package resolvers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
)

// uuidOf makes the n-th id of a kind of things.
func uuidOf(kind string, n int) string { return fmt.Sprintf("0193b000-0000-7000-9%s-%012d", kind, n) }

// many replaces Ana's seed by n invoices with two items each, an insight with both as evidence, an analysis and a revision. Each is
// the duplicate of an older one that is in no list. Every item has a product of its own, which has a price and is in an offer.
func (s *server) many(n int) {
	s.seed.Insights, s.seed.Analyses, s.seed.Revisions, s.seed.Products, s.seed.Prices = nil, nil, nil, nil, nil
	s.seed.Invoices = nil
	price := decimal.RequireFromString("5.49")
	for i := range n {
		inv := &invoice.Invoice{ID: uuidOf("001", i), UserID: anaID, Status: invoice.StatusCompleted, Version: 2, CreatedAt: s.now, UpdatedAt: s.now}
		older := &invoice.Invoice{ID: uuidOf("002", i), UserID: anaID, Status: invoice.StatusCompleted, Version: 1, CreatedAt: s.now, UpdatedAt: s.now}
		inv.Duplicate = &invoice.Duplicate{Reason: invoice.DuplicateSamePurchase, InvoiceID: older.ID}
		found := &insight.Insight{
			ID: uuidOf("003", i), UserID: anaID, InvoiceID: inv.ID, Kind: insight.KindSummary, Priority: insight.PriorityLow, CreatedAt: s.now,
			Details: json.RawMessage(`{}`), Period: insight.Period{From: "2026-11-23", To: "2026-11-23"}, Categories: []string{"dairy"},
		}
		for line := range 2 {
			p := &product.Product{ID: uuidOf("004", 2*i+line), UserID: anaID, Name: "Produto", Measure: product.MeasureUnit}
			item := invoice.Item{ID: uuidOf("005", 2*i+line), Line: line + 1, Description: "PRODUTO", ProductID: p.ID}
			inv.Items, found.ItemIDs = append(inv.Items, item), append(found.ItemIDs, item.ID)
			s.seed.Products = append(s.seed.Products, p)
			s.seed.Prices = append(s.seed.Prices, seedPrice{UserID: anaID, ProductID: anaMilk, PricePoint: spending.PricePoint{
				InvoiceID: older.ID, On: "2026-11-23", MerchantKey: "name:feira", MerchantName: "Feira", Price: &price,
			}})
		}
		s.seed.Invoices = append(s.seed.Invoices, inv)
		s.seed.Insights = append(s.seed.Insights, found)
		s.seed.Analyses = append(s.seed.Analyses, &insight.Analysis{InvoiceID: inv.ID, UserID: anaID, Status: insight.AnalysisCompleted})
		s.seed.Revisions = append(s.seed.Revisions, seedRevision{UserID: anaID, InvoiceID: inv.ID, Revision: invoice.Revision{Version: 1}})
		s.seed.Events = append(s.seed.Events, invoice.Event{InvoiceID: inv.ID, UserID: anaID, Seq: 1, Stage: invoice.StageReading, Status: invoice.StatusProcessing})
		defer func() { s.seed.Invoices = append(s.seed.Invoices, older) }() // behind the page
	}
	s.seed.Products = append(s.seed.Products, &product.Product{ID: anaMilk, UserID: anaID, Name: "Leite", Measure: product.MeasureLitre})
}

// lines is a basket of n products.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{productId: "%s"} `, productID(uuidOf("004", i)))
	}
	return "[" + b.String() + "]"
}

func TestCallsDoNotGrowWithThePage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		query func(n int) string
		calls map[string]int
	}{
		{
			"invoices with everything", func(n int) string {
				return fmt.Sprintf(`{ invoices(first: %d) { nodes { id items { product { id category { name } } } insights { evidence { id product { id } }
					invoice { id } categories { name } } analysis { status } revisions { version } duplicateOf { invoice { id } } }
					edges { node { analysis { status } } } } }`, n)
			},
			map[string]int{"InsightsOf": 1, "Analyses": 1, "Revisions": 1, "Products": 1, "ItemsByID": 1, "InvoicesByID": 1},
		},
		{
			"invoices by their edges", func(n int) string {
				return fmt.Sprintf(`{ invoices(first: %d) { edges { node { items { product { id } } duplicateOf { invoice { id } } } } } }`, n)
			},
			map[string]int{"Products": 1, "InvoicesByID": 1},
		},
		{
			"invoices without what others hold", func(n int) string { return fmt.Sprintf(`{ invoices(first: %d) { nodes { id items { id } } } }`, n) },
			map[string]int{},
		},
		{
			"what the duplicates' originals lead to", func(n int) string {
				return fmt.Sprintf(`{ invoices(first: %d) { nodes { duplicateOf { invoice { insights { title } analysis { status } } } } } }`, n)
			},
			map[string]int{"InvoicesByID": 1, "InsightsOf": 1, "Analyses": 1},
		},
		{
			"insights", func(n int) string {
				return fmt.Sprintf(`{ insights(first: %d) { nodes { evidence { product { id } } invoice { id analysis { status } items { product { id } } } } } }`, n)
			},
			map[string]int{"ItemsByID": 1, "InvoicesByID": 1, "Analyses": 1, "Products": 1},
		},
		{
			"prices", func(int) string {
				return `{ priceHistory(productId: "` + productID(anaMilk) + `") { invoice { id } } }`
			},
			map[string]int{"InvoicesByID": 1},
		},
		{
			"a basket", func(n int) string {
				return `{ basket(lines: ` + lines(n) + `) { prices { product { id } } missing { id } } }`
			},
			map[string]int{"Products": 1},
		},
		{
			"one invoice of many lines", func(int) string {
				return `{ node(id: "` + invoiceID(uuidOf("001", 0)) + `") { ... on Invoice { items { product { id } } insights { evidence { product { id } } } } } }`
			},
			map[string]int{"Products": 1, "InsightsOf": 1, "ItemsByID": 1},
		},
	} {
		for _, n := range []int{1, 50} {
			t.Run(fmt.Sprintf("%s, %d", c.name, n), func(t *testing.T) {
				t.Parallel()
				s := setup(t)
				s.many(n)
				_, _, answer := s.json(t, `{"query":`+quote(t, c.query(n))+`}`)
				require.NotContains(t, answer, `"errors"`)
				assert.NotContains(t, answer, `"product":null`)
				assert.NotContains(t, answer, `"invoice":null`)
				if c.name == "insights" { // products are those of the evidence and of the invoices, whichever comes first
					assert.LessOrEqual(t, s.calls["Products"], 2)
					s.calls["Products"] = 1
				}
				assert.Equal(t, c.calls, s.calls)
			})
		}
	}
}

func TestAFailedBatchIsNotTriedForEachObject(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.many(50)
	for _, inv := range s.seed.Invoices {
		for i := range inv.Items {
			inv.Items[i].ProductID = brokenProduct
		}
	}
	_, _, answer := s.json(t, `{"query":"{ invoices(first: 50) { nodes { items { product { id } } } } }"}`)
	assert.Contains(t, answer, "INTERNAL")
	assert.NotContains(t, answer, "10.0.0.7")
	assert.Equal(t, map[string]int{"Products": 1}, s.calls)
}

func TestBatchesAreOfTheViewer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.many(1)
	s.seed.Products[0].UserID, s.seed.Invoices[1].UserID = "0193b000-0000-7000-8000-000000000002", "0193b000-0000-7000-8000-000000000002"
	_, _, answer := s.json(t, `{"query":"{ invoices(first: 1) { nodes { items { product { name } } duplicateOf { invoice { id } } } } }"}`)
	assert.JSONEq(t, `{"data":{"invoices":{"nodes":[{"items":[{"product":null},{"product":{"name":"Produto"}}],"duplicateOf":{"invoice":null}}]}}}`,
		answer)
}

func TestEveryEventSeesWhatIsThereThen(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.many(1)
	id := uuidOf("001", 0)
	stream := s.subscribe(t, `{"query":"subscription { extractionProgress(invoiceId: \"`+invoiceID(id)+
		`\") { seq final invoice { version items { product { name } } analysis { status } } } }"}`)
	const want = `{"data":{"extractionProgress":{"seq":%d,"final":%t,"invoice":{"version":%d,
		"items":[{"product":{"name":"Produto"}},{"product":{"name":"Produto"}}],"analysis":{"status":"COMPLETED"}}}}}`
	assert.JSONEq(t, fmt.Sprintf(want, 1, false, 2), stream.skipTo(t, "next"))
	s.mu.Lock()
	changed := *s.seed.Invoices[0]
	changed.Version = 3
	s.seed.Invoices[0] = &changed
	s.mu.Unlock()
	event := invoice.Event{InvoiceID: id, UserID: anaID, Seq: 2, Stage: invoice.StageCompleted, Status: invoice.StatusCompleted, More: true}
	require.True(t, s.publish(event))
	assert.JSONEq(t, fmt.Sprintf(want, 2, false, 3), stream.skipTo(t, "next"))
	event.Seq, event.Stage, event.More = 3, invoice.StageAnalyzed, false
	require.True(t, s.publish(event))
	assert.JSONEq(t, fmt.Sprintf(want, 3, true, 3), stream.skipTo(t, "next"))
	name, _ := stream.next(t)
	assert.Equal(t, "complete", name)
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Equal(t, map[string]int{"InvoicesByID": 3, "Products": 3, "Analyses": 3}, s.calls)
}

func TestAMutationDoesNotSeeWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	s := setup(t)
	correct := func(alias string, version int) string {
		return fmt.Sprintf(`%s: correctInvoice(input: {invoiceId: %q, expectedVersion: %d, issuerName: %q}) { invoice { revisions { version } } } `,
			alias, invoiceID(anaReview), version, alias)
	}
	_, _, answer := s.json(t, `{"query":`+quote(t, "mutation { "+correct("a", 3)+correct("b", 4)+"}")+`}`)
	assert.JSONEq(t, `{"data":{"a":{"invoice":{"revisions":[{"version":1},{"version":2},{"version":3}]}},
		"b":{"invoice":{"revisions":[{"version":1},{"version":2},{"version":3},{"version":4}]}}}}`, answer)
}
