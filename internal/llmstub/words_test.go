package llmstub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// analysis is the question that the product asks to have findings put into words.
func (b *bundle) analysis(t *testing.T, stream bool) question {
	t.Helper()
	prompt, err := prompts.Analyze()
	require.NoError(t, err)
	input, err := json.Marshal(sdk.Findings{Findings: []sdk.Finding{
		{Key: "f1", Kind: "PRICE_ALERT", Priority: "HIGH", Facts: json.RawMessage(
			`{"product":"CAFÉ","current_price":{"centavos":2390,"formatted":"R$ 23,90"},"average_price":{"centavos":1790,"formatted":"R$ 17,90"}}`)},
		{Key: "f2", Kind: "SUMMARY", Priority: "LOW", Facts: json.RawMessage(
			`{"categories":[{"category":"Pães","total":{"centavos":500,"formatted":"R$ 5,00"}}],"item_count":3}`)},
		{Key: "f3", Kind: "FAMILY_NUTRITION", Priority: "LOW", Facts: json.RawMessage(`{"missing_groups":["FRUITS"]}`)},
	}})
	require.NoError(t, err)
	return question{
		stream: stream, text: string(input), schema: prompt.Schema, system: prompt.Instructions, maxTokens: 2000, key: "key-of-a-test",
	}
}

func insightsIn(t *testing.T, text string) []sdk.Insight {
	t.Helper()
	var in sdk.Insights
	require.NoError(t, json.Unmarshal([]byte(text), &in), "reply: %.200s", text)
	return in.Insights
}

func TestPutsFindingsIntoWords(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		got := b.ask(t.Context(), t, v, b.analysis(t, stream))
		require.NoError(t, got.err)
		in := insightsIn(t, got.text)
		require.Len(t, in, 3)
		assert.Equal(t, "f1", in[0].Key)
		assert.Contains(t, in[0].Description, "R$ 17,90")
		assert.Contains(t, in[1].Description, "R$ 5,00")
		assert.NotEmpty(t, in[2].Title)
		assert.NotContains(t, in[2].Title+in[2].Description, "R$")

		require.NoError(t, b.stub.AwaitDone(t.Context()))
		require.Len(t, b.stub.Calls(), 1)
		call := b.stub.Calls()[0]
		assert.Equal(t, sdk.TaskAnalyze, call.Task)
		assert.Equal(t, llmstub.OutcomeAnswered, call.Outcome)
		assert.Equal(t, 1, b.stub.Paid(v))
		t.Logf("%s: %d tokens in, %d out", v, got.input, got.output)
	})
}

func TestCachesTheInstructionsOfAnalyses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	q := b.analysis(t, false)
	require.NoError(t, b.ask(t.Context(), t, llmstub.OpenAI, q).err)
	q.text = strings.Replace(q.text, "CAFÉ", "LEITE", 1)
	again := b.ask(t.Context(), t, llmstub.OpenAI, q)
	require.NoError(t, again.err)
	assert.Greater(t, again.cached, int64(1000))
}

func TestReplyOfOnesOwnIsAskedFirstForWords(t *testing.T) {
	t.Parallel()
	b := setup(t, llmstub.Options{Reply: func(r llmstub.Request) (string, bool) { return `{"insights":[]}`, r.Task == sdk.TaskAnalyze }})
	got := b.ask(t.Context(), t, llmstub.Gemini, b.analysis(t, false))
	require.NoError(t, got.err)
	assert.JSONEq(t, `{"insights":[]}`, got.text)
}

func TestFaultsOfWords(t *testing.T) {
	t.Parallel()
	for fault, want := range map[llmstub.Fault]string{
		llmstub.FaultWrongFigures: "R$ 98.765,43", llmstub.FaultWrongOnce: "R$ 98.765,43", llmstub.FaultInjected: "http://oferta.example",
		llmstub.FaultHuge: "Economize. Economize.",
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.stub.Fail(llmstub.Gemini, fault)
			q := b.analysis(t, false)
			q.maxTokens = 0
			got := b.ask(t.Context(), t, llmstub.Gemini, q)
			require.NoError(t, got.err)
			in := insightsIn(t, got.text)
			require.Len(t, in, 3)
			for _, entry := range in {
				assert.Contains(t, entry.Description, want)
			}
		})
	}
}
