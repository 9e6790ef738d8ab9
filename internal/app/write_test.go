package app_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// TestEachPluginPutsFindingsIntoWords asks the real processes, one chain for each.
func TestEachPluginPutsFindingsIntoWords(t *testing.T) {
	t.Parallel()
	stub := llmstub.Start(t)
	at := withVendors(installation{"embedded", environ(t)}, stub, "PROVIDER_ORDER=gemini,openrouter,openai,anthropic,offline")
	host, err := app.NewHost(at.config(t), quiet())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, host.Start(t.Context()))
	req := insight.WriteRequest{UserID: "user", InvoiceID: "invoice", Findings: []insight.WriteFinding{
		{Key: "f1", Kind: insight.KindPriceAlert, Priority: insight.PriorityHigh, Facts: json.RawMessage(
			`{"product":"CAFÉ","current_price":{"centavos":2390,"formatted":"R$ 23,90"},"average_price":{"centavos":1790,"formatted":"R$ 17,90"},` +
				`"price_difference_percent":"33.5","history_count":4,"quantity":"1"}`)},
		{Key: "f2", Kind: insight.KindSummary, Priority: insight.PriorityLow, Facts: json.RawMessage(
			`{"total_value":{"centavos":5000,"formatted":"R$ 50,00"},"item_count":3,"merchant":"LOJA","categories":[]}`)},
	}}
	for _, name := range []string{"gemini", "openrouter", "openai", "anthropic", "offline"} {
		chain, err := providers.NewChain(providers.ChainConfig{
			Order: []providers.Named{{Name: name, Provider: host.Provider(name)}}, TotalTimeout: time.Minute,
		})
		require.NoError(t, err)
		words, err := chain.Write(t.Context(), req)
		require.NoError(t, err, name)
		assert.Equal(t, name, words.Provider)
		assert.NotEmpty(t, words.Model)
		require.Len(t, words.Entries, 2, name)
		for i, raw := range words.Entries {
			var entry sdk.Insight
			require.NoError(t, json.Unmarshal(raw, &entry))
			assert.Equal(t, req.Findings[i].Key, entry.Key)
			assert.Contains(t, entry.Description, []string{"R$ 17,90", "R$ 50,00"}[i], name)
		}
	}
	require.NoError(t, stub.AwaitDone(t.Context()))
	calls := stub.Calls()
	require.Len(t, calls, 4, "offline asks nobody")
	for _, call := range calls {
		assert.Equal(t, sdk.TaskAnalyze, call.Task)
		assert.Equal(t, llmstub.OutcomeAnswered, call.Outcome)
	}
}
