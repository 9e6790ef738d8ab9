package llmstub_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func decodeReply(t *testing.T, text string) sdk.Receipt {
	t.Helper()
	var r sdk.Receipt
	require.NoError(t, json.Unmarshal([]byte(text), &r), "reply: %.200s", text)
	return r
}

func TestReadsTheReceiptOnThePicture(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t, llmstub.Options{Vendors: map[llmstub.Vendor]llmstub.VendorOptions{v: {ThinkingTokens: 40}}})
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		require.NoError(t, got.err)
		receipt := decodeReply(t, got.text)
		truth := b.receipt.PaperTruth(b.style)
		assert.Equal(t, truth.AccessKey, receipt.AccessKey)
		assert.Len(t, receipt.Items, len(truth.Items))
		assert.Equal(t, truth.Totals.Due.Decimal().StringFixed(2), receipt.Due)
		assert.NotEmpty(t, got.model)
		assert.Contains(t, []string{"STOP", "stop", "end_turn"}, got.finish)
		if stream {
			assert.Greater(t, got.pieces, 5)
		}
		assert.Positive(t, got.input)
		assert.Equal(t, int64(40), got.thinking)
		assert.Equal(t, int64((len(got.text)+3)/4)+40, got.output)
		if v == llmstub.OpenRouter {
			assert.Regexp(t, `^0\.00\d+$`, got.cost)
		} else {
			assert.Empty(t, got.cost)
		}

		require.NoError(t, b.stub.AwaitDone(t.Context()))
		require.Len(t, b.stub.Calls(), 1)
		call := b.stub.Calls()[0]
		assert.Equal(t, v, call.Vendor)
		assert.Equal(t, llmstub.OutcomeAnswered, call.Outcome)
		assert.Equal(t, sdk.TaskExtract, call.Task)
		assert.Equal(t, stream, call.Stream)
		assert.Equal(t, truth.AccessKey, call.AccessKey)
		assert.Equal(t, got.input, call.Usage.Input)
		assert.Equal(t, got.output, call.Usage.Output)
		assert.Len(t, call.KeySHA256, 16)
		require.Len(t, call.Media, 1)
		assert.Equal(t, len(b.picture), call.Media[0].Bytes)
		assert.False(t, call.Media[0].EXIF)
		assert.Equal(t, 1, b.stub.Paid(v))
		ledger, err := json.Marshal(b.stub.Calls())
		require.NoError(t, err)
		assert.NotContains(t, string(ledger), "key-of-a-test")
	})
}

func TestCachesTheUnchangingPrefix(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		first := b.ask(t.Context(), t, v, b.extraction(stream))
		require.NoError(t, first.err)
		assert.Zero(t, first.cached)
		assert.Equal(t, v == llmstub.Anthropic, first.cacheWritten > 1000)
		q := b.extraction(stream)
		q.text = "Another wording of what changes."
		second := b.ask(t.Context(), t, v, q)
		require.NoError(t, second.err)
		assert.Greater(t, second.cached, int64(1000))
		assert.Less(t, second.cached, second.input)
		q.system += " A new word."
		third := b.ask(t.Context(), t, v, q)
		require.NoError(t, third.err)
		assert.Zero(t, third.cached)
	})
}

func TestRecognisesWhatTheHostPrepares(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, style := range receipts.Styles() {
		r := receipts.Generate(receipts.NewRand(uint64(100+i)), receipts.Options{Items: 6})
		b.stub.KnowPaper(style, r)
		paper, err := r.Picture(style, 2)
		require.NoError(t, err)
		small := image.NewGray(image.Rect(0, 0, paper.Rect.Dx()*7/10, paper.Rect.Dy()*7/10))
		draw.CatmullRom.Scale(small, small.Rect, paper, paper.Rect, draw.Src, nil)
		var data bytes.Buffer
		require.NoError(t, jpeg.Encode(&data, small, &jpeg.Options{Quality: 70}))
		q := b.extraction(false)
		q.data = data.Bytes()
		got := b.ask(t.Context(), t, llmstub.Gemini, q)
		require.NoError(t, got.err)
		assert.Equal(t, string(r.Key), decodeReply(t, got.text).AccessKey, style.Name)
	}
}

func TestRecognisesARegisteredPictureWithoutItsCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	paper, err := b.receipt.Picture(b.style, 1)
	require.NoError(t, err)
	top := paper.SubImage(image.Rect(0, 0, paper.Rect.Dx(), paper.Rect.Dy()/3))
	part, err := receipts.JPEG(top, 90)
	require.NoError(t, err)
	again, err := receipts.JPEG(top, 70)
	require.NoError(t, err)
	q := b.extraction(false)
	q.data = again
	got := b.ask(t.Context(), t, llmstub.Gemini, q)
	require.NoError(t, got.err)
	assert.Empty(t, decodeReply(t, got.text).AccessKey, "the part has no code and was not registered")
	require.NoError(t, b.stub.KnowPicture(t.Context(), part, b.receipt.Key))
	got = b.ask(t.Context(), t, llmstub.Gemini, q)
	require.NoError(t, got.err)
	assert.Equal(t, string(b.receipt.Key), decodeReply(t, got.text).AccessKey)
}

func TestReadsPDFs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	withText, err := b.receipt.PDF(b.style)
	require.NoError(t, err)
	paper, err := b.receipt.Picture(b.style, 1)
	require.NoError(t, err)
	scanned, err := receipts.ScannedPDF(paper, 80, b.receipt.IssuedAt)
	require.NoError(t, err)
	for _, v := range llmstub.Vendors() {
		for _, pdf := range [][]byte{withText, scanned} {
			q := b.extraction(true)
			q.mediaType, q.data = "application/pdf", pdf
			got := b.ask(t.Context(), t, v, q)
			require.NoError(t, got.err, v)
			assert.Equal(t, string(b.receipt.Key), decodeReply(t, got.text).AccessKey, v)
		}
	}
}

func TestReadsTheKeyInAText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, v := range llmstub.Vendors() {
		q := b.extraction(false)
		q.data, q.mediaType = nil, ""
		q.text = strings.Join(b.receipt.Paper(b.style), "\n")
		got := b.ask(t.Context(), t, v, q)
		require.NoError(t, got.err, v)
		assert.Equal(t, string(b.receipt.Key), decodeReply(t, got.text).AccessKey, v)
	}
}

func TestInventsAReceiptWhenItIsShownNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	q := b.extraction(false)
	q.data, q.mediaType, q.text = nil, "", " "
	got := b.ask(t.Context(), t, llmstub.Gemini, q)
	require.NoError(t, got.err)
	invented := decodeReply(t, got.text)
	assert.NotEmpty(t, invented.Items)
	assert.NotEqual(t, string(b.receipt.Key), invented.AccessKey)

	unknown := receipts.Generate(receipts.NewRand(99), receipts.Options{Items: 2})
	q = b.extraction(false)
	q.data = jpegOf(t, unknown, b.style)
	got = b.ask(t.Context(), t, llmstub.Gemini, q)
	require.NoError(t, got.err)
	empty := decodeReply(t, got.text)
	assert.Empty(t, empty.Items)
	assert.Empty(t, empty.Due)
}

func TestReadsTheWordOfAProbe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.stub.KnowWord(t.Context(), "ABACAXI", b.picture))
	for _, v := range llmstub.Vendors() {
		q := b.extraction(false)
		q.schema, q.system, q.text, q.maxTokens = nil, "", "Which word is on the picture?", 50
		got := b.ask(t.Context(), t, v, q)
		require.NoError(t, got.err, v)
		assert.Equal(t, "ABACAXI", got.text)
		q.schema = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"word":{"type":"string"}},"required":["word"]}`)
		got = b.ask(t.Context(), t, v, q)
		require.NoError(t, got.err, v)
		assert.JSONEq(t, `{"word":"ABACAXI"}`, got.text)
		q.schema, q.data, q.mediaType = nil, nil, ""
		got = b.ask(t.Context(), t, v, q)
		require.NoError(t, got.err, v)
		assert.NotEqual(t, "ABACAXI", got.text, "it was shown nothing")
	}
}

func TestAsksTheHookFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, llmstub.Options{Reply: func(r llmstub.Request) (string, bool) {
		return `{"insights":["` + r.Text + `"]}`, r.Task == sdk.TaskAnalyze
	}})
	q := b.extraction(false)
	q.data, q.mediaType, q.text = nil, "", "facts"
	q.schema = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"insights":{"type":"array","items":{"type":"string"}}},"required":["insights"]}`)
	got := b.ask(t.Context(), t, llmstub.OpenAI, q)
	require.NoError(t, got.err)
	assert.JSONEq(t, `{"insights":["facts"]}`, got.text)
	got = b.ask(t.Context(), t, llmstub.OpenAI, b.extraction(false))
	require.NoError(t, got.err)
	assert.Equal(t, string(b.receipt.Key), decodeReply(t, got.text).AccessKey)
}

func TestStopsAtTheRequestsLimit(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		q := b.extraction(stream)
		q.maxTokens = 50
		got := b.ask(t.Context(), t, v, q)
		require.NoError(t, got.err)
		assert.Contains(t, []string{"MAX_TOKENS", "length", "max_tokens"}, got.finish)
		assert.LessOrEqual(t, got.output, int64(50))
		assert.False(t, json.Valid([]byte(got.text)))
	})
}

func TestTheLedgerSeesMetadata(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, gps := range []bool{false, true} {
		q := b.extraction(false)
		q.data = receipts.WithEXIF(b.picture, 6, gps)
		got := b.ask(t.Context(), t, llmstub.Gemini, q)
		require.NoError(t, got.err)
		calls := b.stub.Calls()
		seen := calls[len(calls)-1].Media[0]
		assert.True(t, seen.EXIF)
		assert.Equal(t, gps, seen.GPS)
	}
}
