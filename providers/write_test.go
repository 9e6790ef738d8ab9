package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// twoFindings is a request for the keys f1 and f2.
func twoFindings() insight.WriteRequest {
	return insight.WriteRequest{UserID: "user", InvoiceID: "invoice", Findings: []insight.WriteFinding{
		{Key: "f1", Kind: insight.KindPriceAlert, Priority: insight.PriorityHigh, Facts: json.RawMessage(`{"product": "CAFÉ & CIA"}`)},
		{Key: "f2", Kind: insight.KindSummary, Priority: insight.PriorityLow, Facts: json.RawMessage(`{"item_count":3}`)},
	}}
}

// entry is one finding in words.
func entry(key string) string {
	return fmt.Sprintf(`{"key":%q,"title":"Título","description":"Três itens."}`, key)
}

func wordsOf(entries ...string) string { return `{"insights":[` + strings.Join(entries, ",") + `]}` }

// pen is a provider that analyses only.
func pen(name, reply string) *stub {
	return &stub{name: name, tasks: []sdk.Task{sdk.TaskAnalyze}, reply: reply}
}

func broken(name string, kind sdk.Kind) *stub {
	s := fails(name, kind)
	s.tasks = []sdk.Task{sdk.TaskAnalyze}
	return s
}

func local(s *stub) *stub {
	s.local = true
	return s
}

func good() string { return wordsOf(entry("f1"), entry("f2")) }

func extractionError(t *testing.T, err error) *invoice.ExtractionError {
	t.Helper()
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	return e
}

func TestWriterIsAskedOnceForAllFindings(t *testing.T) {
	t.Parallel()
	var asked []sdk.Request
	a, b := pen("a", ""), pen("b", good())
	a.generate = func(_ context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
		asked = append(asked, req)
		return sdk.Result{Model: "exact"}, emit(good())
	}
	chain := chainOf(t, ChainConfig{}, a, b)
	got, err := chain.Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.Equal(t, insight.Words{
		Entries: []json.RawMessage{json.RawMessage(entry("f1")), json.RawMessage(entry("f2"))}, Provider: "a", Model: "exact",
	}, got)
	assert.Zero(t, b.calls.Load())
	require.Len(t, asked, 1)
	assert.Equal(t, sdk.Request{
		Task: sdk.TaskAnalyze, Instructions: chain.analyze.Instructions, Schema: chain.analyze.Schema, SchemaName: "insights",
		Input: `{"findings":[{"key":"f1","kind":"PRICE_ALERT","priority":"HIGH","facts":{"product":"CAFÉ & CIA"}},` +
			`{"key":"f2","kind":"SUMMARY","priority":"LOW","facts":{"item_count":3}}]}`,
		MaxOutputTokens: 1424,
	}, asked[0])
	assert.NotContains(t, asked[0].Instructions, "CAFÉ", "facts are data")
}

func TestModelOfTheWordsIsThatOfTheDescriptionWhenTheReplyNamesNone(t *testing.T) {
	t.Parallel()
	got, err := chainOf(t, ChainConfig{}, pen("a", good())).Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.Equal(t, "a-model", got.Model)
}

func TestWriterFallsBack(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*stub{
		"overloaded":      broken("a", sdk.KindOverloaded),
		"blocked":         broken("a", sdk.KindBlocked),
		"truncated":       broken("a", sdk.KindTruncated),
		"cut off":         pen("a", good()[:len(good())/2]),
		"no JSON":         pen("a", "Claro! Aqui estão."),
		"a list":          pen("a", `[`+entry("f1")+`]`),
		"null":            pen("a", `null`),
		"no insights":     pen("a", `{"words":[]}`),
		"insights null":   pen("a", `{"insights":null}`),
		"not a list":      pen("a", `{"insights":{"f1":"x"}}`),
		"an empty list":   pen("a", wordsOf()),
		"text after it":   pen("a", good()+" Espero ter ajudado."),
		"empty":           pen("a", " "),
		"two megabytes":   pen("a", wordsOf(entry(strings.Repeat("x", maxReply)))),
		"does not write":  {name: "a", reply: good()},
		"cannot describe": {name: "a", describeErr: unavailable("a", "parked")},
		"said to be truncated": {name: "a", tasks: []sdk.Task{sdk.TaskAnalyze}, generate: func(
			_ context.Context, _ sdk.Request, emit func(string) error,
		) (sdk.Result, error) {
			return sdk.Result{FinishReason: sdk.FinishLength}, emit(good())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a.name = "a"
			b := local(pen("b", good()))
			got, err := chainOf(t, ChainConfig{}, a, b).Write(t.Context(), twoFindings())
			require.NoError(t, err)
			assert.Equal(t, "b", got.Provider)
			assert.Len(t, got.Entries, 2)
			if name == "does not write" {
				assert.Zero(t, a.calls.Load())
			}
		})
	}
}

func TestEntriesComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	b := pen("b", good())
	odd := []string{entry("f2"), `"f1"`, `{"key":"f9","title":1}`, `null`, entry("f2"), `{ "key": "f1" }`}
	got, err := chainOf(t, ChainConfig{}, pen("a", "```json\n"+wordsOf(odd...)+"\n```"), b).Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.Equal(t, "a", got.Provider, "a bad entry is the caller's to judge")
	require.Len(t, got.Entries, len(odd))
	for i, want := range odd {
		assert.JSONEq(t, want, string(got.Entries[i]))
	}
}

func TestEqualFactsAreAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	kept, ledger := &drawer{}, &till{}
	a := pen("a", good())
	a.usage = sdk.Usage{InputTokens: 1500, OutputTokens: 300}
	chain := chainOf(t, ChainConfig{Replies: kept, Ledger: ledger, CacheTTL: 72 * time.Hour}, a)
	first, err := chain.Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.Equal(t, 72*time.Hour, kept.ttl)
	again := twoFindings()
	again.UserID, again.InvoiceID = "other", "of other"
	second, err := chain.Write(t.Context(), again)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	assert.Equal(t, int32(1), a.calls.Load())
	for key := range kept.kept {
		assert.Regexp(t, `^[0-9a-f]{64}:[0-9a-f]{64}$`, key)
	}

	require.Len(t, ledger.reserved, 1)
	require.Len(t, ledger.saved, 1)
	assert.Equal(t, a.usage, ledger.usage[0])
	ledger.saved[0].StartedAt = time.Time{}
	input := `{"findings":[{"key":"f1","kind":"PRICE_ALERT","priority":"HIGH","facts":{"product":"CAFÉ & CIA"}},` +
		`{"key":"f2","kind":"SUMMARY","priority":"LOW","facts":{"item_count":3}}]}`
	assert.Equal(t, Call{
		UserID: "other", InvoiceID: "of other", Task: sdk.TaskAnalyze, Provider: "a", Model: "a-model", Attempt: 1,
		InputBytes: len(chain.analyze.Instructions) + len(input), MaxOutputTokens: 1424,
	}, ledger.saved[0])
}

func TestAnyChangeOfTheFactsIsANewCall(t *testing.T) {
	t.Parallel()
	a := pen("a", good())
	chain := chainOf(t, ChainConfig{Replies: &drawer{}, CacheTTL: time.Hour}, a)
	write := func(change func(*insight.WriteRequest)) {
		t.Helper()
		req := twoFindings()
		change(&req)
		_, err := chain.Write(t.Context(), req)
		require.NoError(t, err)
	}
	for i, change := range []func(*insight.WriteRequest){
		func(*insight.WriteRequest) {},
		func(r *insight.WriteRequest) { r.Findings[1].Facts = json.RawMessage(`{"item_count":4}`) },
		func(r *insight.WriteRequest) { r.Findings[0], r.Findings[1] = r.Findings[1], r.Findings[0] },
		func(r *insight.WriteRequest) { r.Findings[0].Kind = insight.KindSummary },
		func(r *insight.WriteRequest) { r.Findings[0].Priority = insight.PriorityLow },
		func(r *insight.WriteRequest) { r.Findings = r.Findings[:1] },
	} {
		write(change)
		assert.Equal(t, int32(i+1), a.calls.Load())
	}
	write(func(r *insight.WriteRequest) { r.Findings[1].Facts = json.RawMessage("{ \"item_count\": 3 }") })
	assert.Equal(t, int32(6), a.calls.Load(), "blanks are no facts")
}

func TestOnlyWordsForEveryFindingAreKept(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reply string
		kept  bool
	}{
		"every key once":      {good(), true},
		"another order":       {wordsOf(entry("f2"), entry("f1")), true},
		"in a fence":          {"```json\n" + good() + "\n```", true},
		"one more":            {wordsOf(entry("f1"), entry("f2"), entry("f3")), true},
		"a key is missing":    {wordsOf(entry("f1")), false},
		"a key twice":         {wordsOf(entry("f1"), entry("f1"), entry("f2")), false},
		"a key misspelt":      {wordsOf(entry("F1"), entry("f2")), false},
		"an entry of no form": {wordsOf(entry("f1"), `{"key":"f2","title":"Só"}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := &drawer{}
			_, err := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour}, pen("a", tc.reply)).Write(t.Context(), twoFindings())
			require.NoError(t, err)
			assert.Equal(t, tc.kept, len(kept.kept) == 1)
		})
	}
	t.Run("a failure", func(t *testing.T) {
		t.Parallel()
		kept := &drawer{}
		_, err := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour}, broken("a", sdk.KindBlocked)).Write(t.Context(), twoFindings())
		require.Error(t, err)
		assert.Empty(t, kept.kept)
	})
}

func TestWordsThatTheCallerFindsUnsoundAreNotKept(t *testing.T) {
	t.Parallel()
	kept, a := &drawer{}, pen("a", good())
	chain := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour}, a)
	write := func(sound bool) {
		t.Helper()
		req := twoFindings()
		req.Sound = func(entries []json.RawMessage) bool { return sound && len(entries) == 2 }
		got, err := chain.Write(t.Context(), req)
		require.NoError(t, err)
		assert.Len(t, got.Entries, 2, "they are the answer all the same")
	}
	write(false)
	assert.Empty(t, kept.kept)
	write(true)
	assert.Len(t, kept.kept, 1)
	write(true)
	assert.Equal(t, int32(2), a.calls.Load())
	write(false)
	assert.Equal(t, int32(3), a.calls.Load(), "a rule that has come since")
}

func TestKeptRubbishIsAskedForAnew(t *testing.T) {
	t.Parallel()
	kept, a := &drawer{}, pen("a", good())
	chain := chainOf(t, ChainConfig{Replies: kept, CacheTTL: time.Hour}, a)
	asked, err := chain.writeRequest(twoFindings().Findings)
	require.NoError(t, err)
	for _, rubbish := range []string{"no JSON", "{}", `{"Entries":[` + entry("f1") + `]}`} {
		kept.kept = map[string][]byte{wordsKey(asked.Input, chain.wordsQuestion): chain.codec.pack([]byte(rubbish))}
		a.calls.Store(0)
		_, err := chain.Write(t.Context(), twoFindings())
		require.NoError(t, err)
		assert.Equal(t, int32(1), a.calls.Load())
	}
}

// TestWordsSurviveBeingKept fills every field: one that cannot be written as JSON would come back zero.
func TestWordsSurviveBeingKept(t *testing.T) {
	t.Parallel()
	want := words{Entries: []json.RawMessage{json.RawMessage(entry("f1"))}}
	for field, value := range reflect.ValueOf(&want).Elem().Fields() {
		if field.Name != "Entries" {
			fill(t, value, field.Name)
		}
	}
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got words
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, want, got)
}

func TestEqualAnalysesOnTwoProcessesAreOneCall(t *testing.T) {
	t.Parallel()
	for name, start := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newGated("a", good())
			a.tasks = []sdk.Task{sdk.TaskAnalyze}
			ledger := &till{}
			var chains []*Chain
			for _, client := range sharedRedis(t, start(t)) {
				log := slog.New(slog.DiscardHandler)
				chains = append(chains, chainOf(t, ChainConfig{
					Order: []Named{{Name: "a", Provider: a}}, Ledger: ledger, CacheTTL: time.Hour,
					Replies: cache.NewReplies(client, log), Flights: cache.NewFlights(client, log),
				}))
			}
			type outcome struct {
				words insight.Words
				err   error
			}
			answers := make(chan outcome, 10)
			for i := range cap(answers) {
				go func() {
					w, err := chains[i%2].Write(t.Context(), twoFindings())
					answers <- outcome{w, err}
				}()
			}
			awaitSeats(t, 10, chains...)
			close(a.gate)
			for range cap(answers) {
				got := <-answers
				require.NoError(t, got.err)
				assert.Len(t, got.words.Entries, 2)
				assert.Equal(t, "a", got.words.Provider)
			}
			assert.Len(t, a.started, 1)
			assert.Len(t, ledger.reserved, 1)
			assert.Len(t, ledger.saved, 9)
		})
	}
}

func TestFactsGoAbroadOnlyWithConsent(t *testing.T) {
	t.Parallel()
	users := consents{"all": {"a", "b"}, "b": {"b"}, "none": {}}
	for user, want := range map[string]string{"all": "a", "b": "b", "none": "offline"} {
		a, b, offline := pen("a", good()), pen("b", good()), local(pen("offline", good()))
		req := twoFindings()
		req.UserID = user
		got, err := chainOf(t, ChainConfig{Consents: users}, a, b, offline).Write(t.Context(), req)
		require.NoError(t, err)
		assert.Equal(t, want, got.Provider)
		assert.Equal(t, int32(1), a.calls.Load()+b.calls.Load()+offline.calls.Load())
	}
}

func TestWhyNobodyWrote(t *testing.T) {
	t.Parallel()
	hinted := broken("a", sdk.KindRateLimited)
	hinted.err = &sdk.Error{Kind: sdk.KindRateLimited, RetryAfter: time.Minute}
	for name, tc := range map[string]struct {
		stubs     []*stub
		config    ChainConfig
		code      invoice.Code
		permanent bool
		after     time.Duration
		message   string
	}{
		"nobody there":         {nil, ChainConfig{}, invoice.CodeUnavailable, false, 0, sentenceNoWordsNow},
		"nobody writes":        {[]*stub{{name: "a"}}, ChainConfig{}, invoice.CodeUnavailable, true, 0, sentenceNoWords},
		"overloaded":           {[]*stub{broken("a", sdk.KindOverloaded)}, ChainConfig{}, invoice.CodeUnavailable, false, 0, sentenceNoWordsNow},
		"later":                {[]*stub{hinted}, ChainConfig{}, invoice.CodeUnavailable, false, time.Minute, sentenceNoWordsNow},
		"refused":              {[]*stub{broken("a", sdk.KindBlocked)}, ChainConfig{}, invoice.CodeUnavailable, true, 0, sentenceNoWords},
		"no use":               {[]*stub{pen("a", "Olá")}, ChainConfig{}, invoice.CodeUnavailable, false, 0, sentenceNoWordsNow},
		"no consent":           {[]*stub{pen("a", good())}, ChainConfig{Consents: consents{"user": nil}}, invoice.CodeForbidden, true, 0, sentenceNoWordsConsent},
		"no consent, or later": {[]*stub{pen("a", good()), local(broken("b", sdk.KindUnavailable))}, ChainConfig{Consents: consents{"user": nil}}, invoice.CodeUnavailable, false, 0, sentenceNoWordsLaterConsent},
		"consent not known":    {[]*stub{pen("a", good())}, ChainConfig{Consents: consents{}}, invoice.CodeUnavailable, false, 0, sentenceNoWordsNow},
		"budget spent":         {[]*stub{pen("a", good())}, ChainConfig{Ledger: &till{refuse: quotaSpent}}, invoice.CodeQuotaExceeded, true, time.Hour, "O limite de hoje foi atingido."},
		"no books":             {[]*stub{pen("a", good())}, ChainConfig{Ledger: &till{refuse: func(Call) error { return errors.New("down") }}}, invoice.CodeUnavailable, false, 0, sentenceNoWordsNow},
		"a panic": {[]*stub{{name: "a", tasks: []sdk.Task{sdk.TaskAnalyze}, generate: func(context.Context, sdk.Request, func(string) error) (sdk.Result, error) {
			panic("at the disco")
		}}}, ChainConfig{}, invoice.CodeInternal, false, 0, sentenceNoWordsInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := chainOf(t, tc.config, tc.stubs...).Write(t.Context(), twoFindings())
			e := extractionError(t, err)
			assert.Equal(t, tc.code, e.Code)
			assert.Equal(t, tc.permanent, e.Permanent)
			assert.Equal(t, tc.after, e.RetryAfter)
			assert.Equal(t, tc.message, e.Message)
			assert.NotContains(t, err.Error(), "CAFÉ", "facts are nobody's business")
			if tc.code == invoice.CodeForbidden || tc.code == invoice.CodeQuotaExceeded {
				assert.Zero(t, tc.stubs[0].calls.Load())
			}
		})
	}
}

func TestSpentBudgetDoesNotGoOnToTheNextWriter(t *testing.T) {
	t.Parallel()
	a, b := pen("a", good()), pen("b", good())
	_, err := chainOf(t, ChainConfig{Ledger: &till{refuse: quotaSpent}}, a, b).Write(t.Context(), twoFindings())
	assert.Equal(t, invoice.CodeQuotaExceeded, extractionError(t, err).Code)
	assert.Zero(t, a.calls.Load()+b.calls.Load())
}

func TestEveryCallForWordsIsBookedAsAnAnalysis(t *testing.T) {
	t.Parallel()
	var p pauses
	ledger := &till{}
	c := pen("c", good())
	c.usage = sdk.Usage{InputTokens: 1500, OutputTokens: 300}
	_, err := chainOf(t, ChainConfig{Ledger: ledger, Retry: p.retry()}, broken("a", sdk.KindOverloaded), pen("b", "Olá"), c).
		Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.Equal(t, []string{"a overloaded", "a overloaded", "a overloaded", "b invalid_reply", "c ok"}, ledger.outcomes())
	for i, call := range ledger.reserved {
		assert.Equal(t, sdk.TaskAnalyze, call.Task)
		assert.Equal(t, i+1, call.Attempt)
		assert.Equal(t, "user", call.UserID)
		assert.Equal(t, "invoice", call.InvoiceID)
		assert.Zero(t, call.Pictures)
		assert.Equal(t, 1424, call.MaxOutputTokens)
	}
	assert.Equal(t, c.usage, ledger.settled[4].Usage)
}

func TestAFailingWriterIsLeftAloneForReadingsToo(t *testing.T) {
	t.Parallel()
	a := broken("a", sdk.KindOverloaded)
	a.tasks = append(a.tasks, sdk.TaskExtract)
	chain := chainOf(t, ChainConfig{Breaker: Breaker{Failures: 1, Of: 1}}, a)
	_, err := chain.Write(t.Context(), twoFindings())
	require.Error(t, err)
	_, err = chain.Extract(t.Context(), onePicture(), ignore)
	assert.Equal(t, sentenceUnavailable, extractionError(t, err).Message)
	assert.Equal(t, int32(1), a.calls.Load())
}

func TestWordsAreRedacted(t *testing.T) {
	t.Parallel()
	kept := &drawer{}
	a := pen("a", wordsOf(`{"key":"f1","title":"key-of-the-host","description":"Do CPF 529.982.247-25."}`, entry("f2")))
	got, err := chainOf(t, ChainConfig{Redactor: NewRedactor("key-of-the-host"), Replies: kept, CacheTTL: time.Hour}, a).
		Write(t.Context(), twoFindings())
	require.NoError(t, err)
	assert.JSONEq(t, `{"key":"f1","title":"[redacted]","description":"Do CPF ***.***.247-**."}`, string(got.Entries[0]))
	for _, v := range kept.values(t) {
		assert.NotContains(t, v, "key-of-the-host")
		assert.NotContains(t, v, "529.982")
	}
}

func TestEndOfTheCallerOfWordsIsItsOwn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	a := pen("a", "")
	a.generate = func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
		cancel()
		<-ctx.Done()
		return sdk.Result{}, ctx.Err()
	}
	_, err := chainOf(t, ChainConfig{}, a).Write(ctx, twoFindings())
	require.ErrorIs(t, err, context.Canceled)
}

func TestNothingToSayIsNobodysWork(t *testing.T) {
	t.Parallel()
	a := pen("a", good())
	got, err := chainOf(t, ChainConfig{}, a).Write(t.Context(), insight.WriteRequest{UserID: "user"})
	require.NoError(t, err)
	assert.Empty(t, got.Entries)
	assert.Zero(t, a.calls.Load())
}

func TestFactsThatAreNoJSONAreAskedOfNobody(t *testing.T) {
	t.Parallel()
	a := pen("a", good())
	req := twoFindings()
	req.Findings[0].Facts = json.RawMessage(`{"income": 5000`)
	_, err := chainOf(t, ChainConfig{}, a).Write(t.Context(), req)
	e := extractionError(t, err)
	assert.Equal(t, invoice.CodeInternal, e.Code)
	assert.True(t, e.Permanent)
	assert.Equal(t, sentenceNoWordsInternal, e.Message)
	assert.Zero(t, a.calls.Load())
}
