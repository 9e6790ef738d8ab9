package cost_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/sefaz/portaltest"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/internal/usage/pricefile"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// measures are what saves money, each on or off.
type measures struct {
	Batching    bool // one call for the words of all that was found
	Conditional bool // analyses for those who pay, of purchases of R$ 50 and more
	Direct      bool // Gemini before OpenRouter
	Scaling     bool // pictures
	ModelFree   bool // XML and the text of PDFs
	Official    bool // the state's record, by the QR code
	Duplicates  bool // are recognised
	Cache       bool // of replies
	PromptCache bool // the vendor's
	Cheapest    bool // OpenAI before Gemini: no part of the plan
}

// world is what all runs have in common.
type world struct {
	families  []*family
	purchases []*purchase // by serial
	camera    *camera
	portal    *portaltest.Portal
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{families: population(*invoices, *seed), camera: newCamera(tb), portal: portaltest.Start(tb)}
	go func() { // until the test ends
		for {
			select {
			case <-w.portal.Asked():
			case <-tb.Context().Done():
				return
			}
		}
	}()
	for _, f := range w.families {
		for _, s := range f.submissions {
			if s.serial < len(w.purchases) {
				continue
			}
			w.purchases = append(w.purchases, s.purchase)
			if f.readable {
				w.portal.Know(portaltest.Common, s.receipt, false)
			}
		}
	}
	return w
}

// vendors is a fresh stand-in. It sells at the prices of the service's own list.
func (w *world) vendors(tb testing.TB, m measures) *llmstub.Stub {
	tb.Helper()
	var stub *llmstub.Stub
	caching := llmstub.VendorOptions{}
	if !m.PromptCache {
		caching.CacheMinTokens = -1
	}
	reseller := caching
	reseller.InputPrice, reseller.OutputPrice = listed(tb)
	stub = llmstub.Start(tb, llmstub.Options{
		Vendors: map[llmstub.Vendor]llmstub.VendorOptions{
			llmstub.Gemini: caching, llmstub.OpenAI: caching, llmstub.OpenRouter: reseller,
		},
		Reply: func(req llmstub.Request) (string, bool) { return w.reply(stub, req) },
	})
	for _, p := range w.purchases {
		stub.KnowPaper(p.style, p.receipt)
	}
	return stub
}

// listed is the price of OpenRouter's model without its fee, in the stub's unit.
func listed(tb testing.TB) (input, output int64) {
	tb.Helper()
	prices, err := pricefile.Load("")
	require.NoError(tb, err)
	const million = 1_000_000
	in, ok := prices.Cost("gemini", "gemini-3.1-flash-lite", time.Now(), usage.Tokens{Input: million})
	require.True(tb, ok)
	out, ok := prices.Cost("gemini", "gemini-3.1-flash-lite", time.Now(), usage.Tokens{Output: million})
	require.True(tb, ok)
	return int64(in), int64(out)
}

// reply reads the receipt whose slip a picture carries. Some are misread at the first look: the amount due is wrong by ten.
func (w *world) reply(stub *llmstub.Stub, req llmstub.Request) (string, bool) {
	if req.Task == sdk.TaskAnalyze {
		return worded(req.Text), true
	}
	if req.Task != sdk.TaskExtract || len(req.Media) == 0 {
		return "", false
	}
	serial, _, ok := named(req.Media[0].Data)
	if !ok {
		return "", false
	}
	p := w.purchases[serial]
	text, known := stub.Reading(p.receipt.Key)
	if looksAgain := strings.Contains(req.Text, `"checks"`); p.misread && !looksAgain {
		text = misread(text)
	}
	return text, known
}

func misread(text string) string {
	var r sdk.Receipt
	if json.Unmarshal([]byte(text), &r) != nil {
		return text
	}
	due, err := decimal.NewFromString(r.Due)
	if err != nil {
		return text
	}
	r.Due = due.Add(decimal.NewFromInt(10)).StringFixed(2)
	out, err := json.Marshal(r)
	if err != nil {
		return text
	}
	return string(out)
}

// least is what a purchase must have come to, for an analysis.
func (m measures) least() fiscal.Money {
	if m.Conditional {
		return 50_00
	}
	return 0
}
