package providers

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// drawer is Replies in memory.
type drawer struct {
	mu   sync.Mutex
	kept map[string][]byte
	ttl  time.Duration
	err  error
}

func (d *drawer) Get(_ context.Context, key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[key], d.err
}

func (d *drawer) Put(_ context.Context, _, key string, value []byte, ttl time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	if d.kept == nil {
		d.kept = map[string][]byte{}
	}
	d.kept[key], d.ttl = value, ttl
	return nil
}

func (d *drawer) values(t *testing.T) []string {
	t.Helper()
	codec, err := newCodec()
	require.NoError(t, err)
	var all []string
	for _, packed := range d.kept {
		value, err := codec.unpack(packed)
		require.NoError(t, err)
		all = append(all, string(value))
	}
	return all
}

func TestSecondRequestIsAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	kept := &drawer{}
	a := &stub{name: "a", reply: receiptOf(t, "10.00", 3)}
	config := ChainConfig{Checks: checksByDue, Replies: kept, CacheTTL: 72 * time.Hour}
	chain := chainOf(t, config, a)
	first, err := chain.Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, 72*time.Hour, kept.ttl)

	var seen []invoice.Progress
	// Another process, with other providers.
	other := &stub{name: "other"}
	second, err := chainOf(t, config, other).Extract(t.Context(), onePicture(), func(p invoice.Progress) { seen = append(seen, p) })
	require.NoError(t, err)
	assert.Equal(t, int32(1), a.calls.Load()+other.calls.Load())
	assert.Equal(t, first.Draft, second.Draft)
	assert.Equal(t, invoice.SourceModel, second.Source)
	assert.Equal(t, []string{"a cached"}, outcomes(second))
	assert.Equal(t, "a-model", second.Attempts[0].Model)
	assert.Equal(t, 3, second.Attempts[0].Items)
	assert.Equal(t, []invoice.Progress{{Provider: "a", Attempt: 1, ItemsFound: 3}}, seen)
}

func TestCacheIsOffWithoutATTL(t *testing.T) {
	t.Parallel()
	kept, a := &drawer{}, &stub{name: "a", reply: receiptOf(t, "10.00", 1)}
	chain := chainOf(t, ChainConfig{Replies: kept}, a)
	for range 2 {
		_, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
	}
	assert.Equal(t, int32(2), a.calls.Load())
	assert.Empty(t, kept.kept)
}

func TestAnyChangeOfWhatIsAskedIsAnotherKey(t *testing.T) {
	t.Parallel()
	page := func(media, data, text string) invoice.DocumentPage {
		return invoice.DocumentPage{MediaType: media, Data: []byte(data), Text: text}
	}
	prompt := prompts.Prompt{Version: "v1", Instructions: "read", Schema: []byte("{}"), SchemaName: "receipt"}
	changed := func(change func(*prompts.Prompt)) string {
		p := prompt
		change(&p)
		return question("answer.v1", p)
	}
	asked := question("answer.v1", prompt)
	a, b := page("image/jpeg", "one", ""), page("image/jpeg", "two", "")
	keys := map[string]string{}
	for name, key := range map[string]string{
		"as it was":           cacheKey([]invoice.DocumentPage{a, b}, asked),
		"other order":         cacheKey([]invoice.DocumentPage{b, a}, asked),
		"one page":            cacheKey([]invoice.DocumentPage{a}, asked),
		"a byte":              cacheKey([]invoice.DocumentPage{a, page("image/jpeg", "twp", "")}, asked),
		"a border moved":      cacheKey([]invoice.DocumentPage{page("image/jpeg", "onet", ""), page("image/jpeg", "wo", "")}, asked),
		"data for text":       cacheKey([]invoice.DocumentPage{a, page("image/jpeg", "", "two")}, asked),
		"media type":          cacheKey([]invoice.DocumentPage{a, page("image/png", "two", "")}, asked),
		"a word":              cacheKey([]invoice.DocumentPage{a, b}, changed(func(p *prompts.Prompt) { p.Instructions = "write" })),
		"schema":              cacheKey([]invoice.DocumentPage{a, b}, changed(func(p *prompts.Prompt) { p.Schema = []byte("[]") })),
		"name of the schema":  cacheKey([]invoice.DocumentPage{a, b}, changed(func(p *prompts.Prompt) { p.SchemaName = "note" })),
		"version":             cacheKey([]invoice.DocumentPage{a, b}, changed(func(p *prompts.Prompt) { p.Version = "v2" })),
		"version of answers":  cacheKey([]invoice.DocumentPage{a, b}, question("answer.v2", prompt)),
		"one more prompt":     cacheKey([]invoice.DocumentPage{a, b}, question("answer.v1", prompt, prompt)),
		"nothing in the page": cacheKey([]invoice.DocumentPage{{}}, asked),
	} {
		assert.Empty(t, keys[key], "%s has the key of %s", name, keys[key])
		keys[key] = name
		assert.Regexp(t, `^[0-9a-f]{64}:[0-9a-f]{64}$`, key)
	}
	again := cacheKey([]invoice.DocumentPage{page("image/jpeg", "one", ""), page("image/jpeg", "two", "")}, question("answer.v1", prompt))
	assert.Equal(t, "as it was", keys[again])
}

func TestAChangedByteOfThePictureIsANewCall(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: receiptOf(t, "10.00", 1)}
	chain := chainOf(t, ChainConfig{Replies: &drawer{}, CacheTTL: time.Hour}, a)
	for range 2 {
		_, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
	}
	changed := onePicture()
	changed.Pages[0].Data = []byte("pictura")
	_, err := chain.Extract(t.Context(), changed, ignore)
	require.NoError(t, err)
	assert.Equal(t, int32(2), a.calls.Load())
}

func TestWhatIsNeverCached(t *testing.T) {
	t.Parallel()
	good := receiptOf(t, "10.00", 1)
	for name, a := range map[string]*stub{
		"an error":           fails("a", sdk.KindOverloaded),
		"a refusal for good": fails("a", sdk.KindBlocked),
		"a truncated reply":  {reply: good[:len(good)/2]},
		"said to be truncated": {generate: func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
			return sdk.Result{FinishReason: sdk.FinishLength}, emit(good)
		}},
		"a failing check":         {reply: receiptOf(t, "9.00", 1)},
		"a failing local reading": {local: true, reply: receiptOf(t, "9.00", 1)},
		"a reply of another form": {reply: strings.Replace(good, `"test":false`, `"test":"no"`, 1)},
		"an empty reply":          {reply: " "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a.name = "a"
			kept := &drawer{}
			_, _ = chainOf(t, ChainConfig{Checks: checksByDue, Replies: kept, CacheTTL: time.Hour}, a).Extract(t.Context(), onePicture(), ignore)
			assert.Empty(t, kept.kept)
		})
	}
}

func TestAKeptReadingIsJudgedAgain(t *testing.T) {
	t.Parallel()
	var strict bool
	checks := func(_ invoice.Draft, qr *fiscal.QR) []invoice.Check {
		return []invoice.Check{{Name: invoice.CheckQRKey, Passed: !strict && qr == nil}}
	}
	kept, a := &drawer{}, &stub{name: "a", reply: receiptOf(t, "10.00", 1)}
	chain := chainOf(t, ChainConfig{Checks: checks, Replies: kept, CacheTTL: time.Hour}, a)
	extract := func(req invoice.ExtractionRequest) int32 {
		t.Helper()
		a.calls.Store(0)
		_, err := chain.Extract(t.Context(), req, ignore)
		require.NoError(t, err)
		return a.calls.Load()
	}
	assert.Equal(t, int32(1), extract(onePicture()))
	assert.Equal(t, int32(0), extract(onePicture()))
	withQR := onePicture()
	withQR.QR = &fiscal.QR{}
	assert.Equal(t, int32(2), extract(withQR), "asked, and asked to look again")
	strict = true
	assert.Equal(t, int32(2), extract(onePicture()), "a rule that has come since")
}

func TestCacheThatCannotBeUsedIsDoneWithout(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: receiptOf(t, "10.00", 1)}
	down := chainOf(t, ChainConfig{Replies: &drawer{err: errors.New("down")}, CacheTTL: time.Hour}, a)
	_, err := down.Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)

	kept := &drawer{}
	chain := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour}, a)
	codec, err := newCodec()
	require.NoError(t, err)
	for _, rubbish := range [][]byte{[]byte("no zstd"), {}, codec.pack([]byte("no JSON")), codec.pack(make([]byte, maxAnswer+1))} {
		kept.kept = map[string][]byte{cacheKey(onePicture().Pages, chain.question): rubbish}
		a.calls.Store(0)
		got, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		assert.Equal(t, []string{"a ok"}, outcomes(got))
		assert.Equal(t, int32(1), a.calls.Load())
	}
}

func TestNothingPersonalIsCached(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: replyOf(t, sdk.Receipt{
		Due: "1.00", ConsumerCPF: "529.982.247-25", IssuerName: "LOJA key-of-the-host",
		Items: []sdk.ReceiptItem{{Description: "CPF 52998224725 BALA", Total: "1.00"}},
	})}
	kept := &drawer{}
	req := onePicture()
	req.UserID, req.InvoiceID = "user-1", "invoice-1"
	_, err := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour, Redactor: NewRedactor("key-of-the-host")}, a).
		Extract(t.Context(), req, ignore)
	require.NoError(t, err)
	values := kept.values(t)
	require.Len(t, values, 1)
	for key := range kept.kept {
		values = append(values, key)
	}
	for _, v := range values {
		for _, secret := range []string{"52998224725", "529.982", "key-of-the-host", "user-1", "invoice-1"} {
			assert.NotContains(t, v, secret)
		}
	}
}

// TestAnswerSurvivesBeingKept fills every field: one that cannot be written as JSON would come back zero.
func TestAnswerSurvivesBeingKept(t *testing.T) {
	t.Parallel()
	var want answer
	fill(t, reflect.ValueOf(&want).Elem(), "answer")
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got answer
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, want, got)
}

// fill sets every field to something else than zero.
func fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Interface().(type) {
	case decimal.Decimal:
		v.Set(reflect.ValueOf(decimal.RequireFromString("1.5")))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 16, 0, 0, 5, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for field, value := range v.Fields() {
			require.True(t, field.IsExported(), "%s.%s", path, field.Name)
			fill(t, value, path+"."+field.Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.String:
		v.SetString(path)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	default:
		require.Fail(t, "unknown kind", "%s is a %s", path, v.Kind())
	}
}
