package app_test

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// shopping is a purchase on the n-th of a month: one piece of each label, at the price.
func shopping(n int, price fiscal.Money, labels ...string) receipts.Receipt {
	var basket []receipts.Product
	for _, p := range receipts.Catalogue() {
		if slices.Contains(labels, p.Description) {
			basket = append(basket, p)
		}
	}
	store := receipts.Generate(receipts.NewRand(7), receipts.Options{}).Store
	store.Name = "SUPERMERCADO EXEMPLO LTDA"
	rng := receipts.NewRand(uint64(n))
	for {
		r := receipts.Generate(rng, receipts.Options{
			Store: &store, IssuedAt: time.Date(2025, time.March, n, 12, 0, 0, 0, time.UTC), Basket: basket, Plain: true, Issue: receipts.IssueOnline,
			PriceOf:    func(receipts.Product) fiscal.Money { return price },
			QuantityOf: func(receipts.Product) decimal.Decimal { return decimal.New(1, 0) },
		})
		if r.TotalDiscount() == 0 { // as drawn, one line in nine is cheaper
			return r
		}
	}
}

// four are lines enough for a summary.
func four() []string {
	return []string{"ARROZ TIO JOAO T1 5KG", "CAFE PILAO TRAD 500G", "LEITE INT ITALAC 1L", "SABAO PO OMO 1,6KG"}
}

// analysed is how an invoice was analysed.
type analysed struct {
	Invoice struct {
		Version  int
		Status   string
		Items    []struct{ ID string }
		Analysis struct{ Status, SkipReason, FailureCode string }
		Insights []struct {
			ID, Kind, Title, Description, Model string
			Evidence                            []struct{ ID string }
			ReadAt                              string
		}
	}
}

func analysisOf(t *testing.T, c *apitest.Client, id string) analysed {
	t.Helper()
	var out analysed
	c.Query(t, `query($id: ID!) { invoice(id: $id) { version status items { id } analysis { status skipReason failureCode }
		insights { id kind title description model evidence { id } readAt } } }`, map[string]any{"id": id}, &out)
	return out
}

// analyzing counts the calls to vendors for words.
func analyzing(t *testing.T, stub *llmstub.Stub) (calls []llmstub.Call) {
	t.Helper()
	require.NoError(t, stub.AwaitDone(t.Context()))
	for _, call := range stub.Calls() {
		assert.Equal(t, sdk.TaskAnalyze, call.Task, "XML is read without any call")
		calls = append(calls, call)
	}
	return calls
}

// stubbed is a service with two vendors before the plugin that needs no network, and a premium family that allows them.
func stubbed(t *testing.T, at installation, stub *llmstub.Stub) (*app.App, *apitest.Client) {
	t.Helper()
	a := withVendors(at, stub, "PROVIDER_ORDER=gemini,openrouter,offline", "RATE_LIMIT_ENABLED=false").start(t, app.RoleAll)
	c := family(t, a, "ana@example.com")
	consentAll(t, c)
	return a, c
}

func TestAnAnalysedPurchaseCostsOneCallAndASkippedOneNone(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		a, c := stubbed(t, at, stub)
		free := &apitest.Client{URL: a.URL()}
		free.SignUp(t, "rui@example.com")
		consentAll(t, free)

		id, stage := handIn(t, free, shopping(1, 2000, four()...))
		assert.Equal(t, "COMPLETED", stage)
		assert.Equal(t, "NOT_PREMIUM", analysisOf(t, free, id).Invoice.Analysis.SkipReason)
		cheap := shopping(2, 4999, "CAFE PILAO TRAD 500G")
		require.Equal(t, "R$ 49,99", cheap.Due().String())
		id, stage = handIn(t, c, cheap)
		small := analysisOf(t, c, id).Invoice.Items
		assert.Equal(t, "COMPLETED", stage)
		assert.Equal(t, "BELOW_MINIMUM_VALUE", analysisOf(t, c, id).Invoice.Analysis.SkipReason)
		assert.Empty(t, analyzing(t, stub))

		dear := shopping(3, 1250, four()...)
		require.Equal(t, "R$ 50,00", dear.Due().String())
		id, stage = handIn(t, c, dear)
		assert.Equal(t, "ANALYZED", stage)
		calls := analyzing(t, stub)
		require.Len(t, calls, 1)
		assert.Equal(t, llmstub.Gemini, calls[0].Vendor)
		got := analysisOf(t, c, id).Invoice
		assert.Equal(t, "COMPLETED", got.Analysis.Status)
		require.NotEmpty(t, got.Insights)
		for _, i := range got.Insights {
			require.NotEmpty(t, i.Evidence, i.Kind)
			for _, e := range i.Evidence {
				assert.Contains(t, append(small, got.Items...), e, "%s: a monthly kind may cite the purchase before", i.Kind)
			}
			assert.NotEmpty(t, i.Model)
			if i.Kind == "SUMMARY" {
				assert.Equal(t, got.Items, i.Evidence, "its lines, in their order")
			}
		}

		var again struct {
			AnalyzeInvoice struct {
				Invoice struct {
					Analysis struct{ Status, SkipReason string }
				}
			}
		}
		c.Query(t, `mutation($id: ID!) { analyzeInvoice(input: {invoiceId: $id}) { invoice { analysis { status skipReason } } } }`,
			map[string]any{"id": id}, &again)
		assert.Equal(t, "ALREADY_ANALYZED", again.AnalyzeInvoice.Invoice.Analysis.SkipReason)
		assert.Len(t, analyzing(t, stub), 1)
	})
}

func TestACorrectedItemIsAnalysedOnceMore(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		_, c := stubbed(t, at, stub)
		id, stage := handIn(t, c, shopping(1, 2000, four()...))
		require.Equal(t, "ANALYZED", stage)
		seen := len(c.Watch(t, id, 0))
		before := analysisOf(t, c, id).Invoice
		var marked struct {
			MarkInsight struct{ Insight struct{ ReadAt string } }
		}
		c.Query(t, `mutation($id: ID!) { markInsight(input: {insightId: $id, mark: READ}) { insight { readAt } } }`,
			map[string]any{"id": before.Insights[0].ID}, &marked)
		assert.NotEmpty(t, marked.MarkInsight.Insight.ReadAt)
		assert.NotEmpty(t, analysisOf(t, c, id).Invoice.Insights[0].ReadAt)

		res := c.Query(t, `mutation($in: CorrectInvoiceInput!) { correctInvoice(input: $in) { invoice { status } } }`, map[string]any{
			"in": map[string]any{"invoiceId": id, "expectedVersion": before.Version, "items": []any{
				map[string]any{"itemId": before.Items[0].ID, "category": "sweets"},
			}},
		}, nil)
		require.Empty(t, res.Errors)
		events := c.Watch(t, id, seen)
		require.NotEmpty(t, events)
		assert.Equal(t, "ANALYZED", events[len(events)-1].Stage)
		assert.Len(t, analyzing(t, stub), 2)
		after := analysisOf(t, c, id).Invoice
		assert.Empty(t, after.Insights[0].ReadAt, "it says something else now")
		assert.Equal(t, "COMPLETED", analysisOf(t, c, id).Invoice.Analysis.Status)
	})
}

// TestAnAnalysisIsFollowedLikeAnExtraction reads one subscription from the upload to the insights.
func TestAnAnalysisIsFollowedLikeAnExtraction(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		_, c := stubbed(t, at, stub)
		data, err := shopping(1, 2000, four()...).XML(receipts.XMLOptions{})
		require.NoError(t, err)
		sub, res := c.Submit(t, data)
		require.Empty(t, res.Errors)
		var stages []string
		for i, e := range c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0) {
			assert.Equal(t, i+1, e.Seq)
			stages = append(stages, e.Stage)
		}
		assert.Equal(t, []string{"COMPLETED", "ANALYZING", "ANALYZED"}, stages[len(stages)-3:])
	})
}

// TestMalformedEntriesDoNotSinkTheOthers drives seven findings at once through the whole service; all fourteen never come
// together, and the unit tests of package insight have them.
func TestMalformedEntriesDoNotSinkTheOthers(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		// The first and the last entry of each reply with more than three are no entries.
		var asked atomic.Int64
		stub := llmstub.Start(t, llmstub.Options{Reply: func(req llmstub.Request) (string, bool) {
			var in sdk.Findings
			if req.Task != sdk.TaskAnalyze || json.Unmarshal([]byte(req.Text), &in) != nil {
				return "", false
			}
			asked.Store(int64(len(in.Findings)))
			out := []map[string]any{}
			for i, f := range in.Findings {
				entry := map[string]any{"key": f.Key, "title": "Sobre a compra", "description": "Tudo certo. Isso dá R$ 98.765,43."}
				if len(in.Findings) > 3 && (i == 0 || i == len(in.Findings)-1) {
					entry["description"] = ""
				}
				out = append(out, entry)
			}
			text, err := json.Marshal(map[string]any{"insights": out})
			return string(text), err == nil
		}})
		_, c := stubbed(t, at, stub)
		id := ""
		for n := 1; n <= 4; n++ { // prices rise each time; from the third on they are compared
			var stage string
			id, stage = handIn(t, c, shopping(n, fiscal.Money(1500*n*n), four()...))
			require.Equal(t, "ANALYZED", stage)
		}
		got := analysisOf(t, c, id).Invoice
		assert.Equal(t, "COMPLETED", got.Analysis.Status)
		assert.Len(t, analyzing(t, stub), 4, "all findings of a purchase in one call")
		require.EqualValues(t, 7, asked.Load())
		assert.Len(t, got.Insights, 5)
		for _, i := range got.Insights {
			assert.Equal(t, "Tudo certo.", i.Description, "the sentence with a foreign figure is lost")
		}
	})
}

func TestWhenGeminiIsDownTheNextOneWrites(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		stub.Always(llmstub.Gemini, &llmstub.Behaviour{Fault: llmstub.FaultUnavailable})
		_, c := stubbed(t, at, stub)
		id, stage := handIn(t, c, shopping(1, 2000, four()...))
		assert.Equal(t, "ANALYZED", stage)
		require.NotEmpty(t, analysisOf(t, c, id).Invoice.Insights)
		require.NotEmpty(t, analyzing(t, stub))
		assert.Equal(t, 1, stub.Paid(llmstub.OpenRouter))
		assert.Zero(t, stub.Paid(llmstub.Gemini))

		stub.Always(llmstub.OpenRouter, &llmstub.Behaviour{Fault: llmstub.FaultUnavailable})
		id, stage = handIn(t, c, shopping(2, 3000, four()...))
		assert.Equal(t, "ANALYZED", stage)
		got := analysisOf(t, c, id).Invoice
		require.NotEmpty(t, got.Insights)
		assert.Contains(t, got.Insights[0].Description, "R$ 120,00")
		require.NotEmpty(t, analyzing(t, stub))
		assert.Equal(t, 1, stub.Paid(llmstub.OpenRouter), "the words are the rules' own")
	})
}
