package providers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// stub is a provider that gives what the test wants.
type stub struct {
	name  string
	local bool
	media []string   // defaults to image/jpeg
	tasks []sdk.Task // defaults to extract
	reply string
	err   error
	// generate takes over when set.
	generate    func(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error)
	describeErr error
	usage       sdk.Usage
	calls       atomic.Int32
}

func (s *stub) Describe(context.Context) (sdk.Description, error) {
	media := s.media
	if media == nil {
		media = []string{"image/jpeg"}
	}
	tasks := s.tasks
	if tasks == nil {
		tasks = []sdk.Task{sdk.TaskExtract}
	}
	return sdk.Description{
		Name: s.name, Version: "1.0.0", Model: s.name + "-model", MediaTypes: media, Tasks: tasks, Local: s.local,
	}, s.describeErr
}

func (s *stub) Check(context.Context) error { return nil }

func (s *stub) Generate(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
	s.calls.Add(1)
	if s.generate != nil {
		return s.generate(ctx, req, emit)
	}
	if s.err != nil {
		return sdk.Result{}, s.err
	}
	for piece := range strings.SplitAfterSeq(s.reply, ",") {
		if err := emit(piece); err != nil {
			return sdk.Result{}, err
		}
	}
	return sdk.Result{FinishReason: sdk.FinishStop, Usage: s.usage}, nil
}

func fails(name string, kind sdk.Kind) *stub {
	return &stub{name: name, err: &sdk.Error{Kind: kind, Blame: sdk.BlameDownstream, Message: "no"}}
}

// replyOf is a receipt as a provider sends it.
func replyOf(t *testing.T, r sdk.Receipt) string {
	t.Helper()
	if r.Items == nil {
		r.Items = []sdk.ReceiptItem{}
	}
	if r.Payments == nil {
		r.Payments = []sdk.ReceiptPayment{}
	}
	b, err := json.Marshal(r)
	require.NoError(t, err)
	return string(b)
}

// receiptOf is a reply with n items and this amount due.
func receiptOf(t *testing.T, due string, n int) string {
	t.Helper()
	r := sdk.Receipt{Due: due}
	for range n {
		r.Items = append(r.Items, sdk.ReceiptItem{Description: "LEITE", Quantity: "1", UnitPrice: "5.99", Total: "5.99"})
	}
	return replyOf(t, r)
}

// checksByDue passes drafts whose due amount is R$ 10,00, and finds one fault for each real that is missing.
func checksByDue(d invoice.Draft, _ *fiscal.QR) []invoice.Check {
	var checks []invoice.Check
	for i := range 10 {
		checks = append(checks, invoice.Check{
			Name: invoice.CheckAmountDue, Passed: d.Totals.Due != nil && int(*d.Totals.Due)/100 > i, Expected: "R$ 10,00", Found: "menos",
		})
	}
	return checks
}

func acceptAll(invoice.Draft, *fiscal.QR) []invoice.Check {
	return []invoice.Check{{Name: invoice.CheckHasItems, Passed: true}}
}

// chainOf asks each provider once, and accepts every draft, unless config says otherwise.
func chainOf(t *testing.T, config ChainConfig, stubs ...*stub) *Chain {
	t.Helper()
	for _, s := range stubs {
		config.Order = append(config.Order, Named{Name: s.name, Provider: s})
	}
	if config.Checks == nil {
		config.Checks = acceptAll
	}
	if config.Retry.Tries == 0 {
		config.Retry.Tries = 1
	}
	c, err := NewChain(config)
	require.NoError(t, err)
	return c
}

func onePicture() invoice.ExtractionRequest {
	return invoice.ExtractionRequest{Pages: []invoice.DocumentPage{{MediaType: "image/jpeg", Data: []byte("picture")}}}
}

func ignore(invoice.Progress) {}

func outcomes(e invoice.Extraction) []string {
	var out []string
	for _, a := range e.Attempts {
		out = append(out, a.Provider+" "+a.Outcome)
	}
	return out
}

func TestFirstGoodReplyIsTaken(t *testing.T) {
	t.Parallel()
	shown := make(chan struct{}, 10)
	a, b := &stub{name: "a"}, &stub{name: "b"}
	a.generate = func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		<-shown
		for i, piece := range strings.SplitAfter(receiptOf(t, "10.00", 3), "}") {
			if err := emit(piece); err != nil {
				return sdk.Result{}, err
			}
			if i < 3 {
				<-shown // progress may be skipped when it comes faster than it can be shown
			}
		}
		return sdk.Result{FinishReason: sdk.FinishStop}, nil
	}
	var seen []invoice.Progress
	got, err := chainOf(t, ChainConfig{Checks: checksByDue}, a, b).Extract(t.Context(), onePicture(), func(p invoice.Progress) {
		seen = append(seen, p)
		shown <- struct{}{}
	})
	require.NoError(t, err)
	assert.Equal(t, invoice.SourceModel, got.Source)
	assert.Len(t, got.Draft.Items, 3)
	assert.Zero(t, b.calls.Load())
	require.Len(t, got.Attempts, 1)
	assert.Equal(t, "ok", got.Attempts[0].Outcome)
	assert.Equal(t, "a-model", got.Attempts[0].Model)
	assert.Equal(t, 3, got.Attempts[0].Items)
	assert.False(t, got.Attempts[0].FinishedAt.Before(got.Attempts[0].StartedAt))
	assert.Equal(t, []invoice.Progress{
		{Provider: "a", Attempt: 1},
		{Provider: "a", Attempt: 1, ItemsFound: 1},
		{Provider: "a", Attempt: 1, ItemsFound: 2},
		{Provider: "a", Attempt: 1, ItemsFound: 3},
	}, seen)
}

func TestFailureGoesOnToTheNextProvider(t *testing.T) {
	t.Parallel()
	for _, kind := range []sdk.Kind{
		sdk.KindAuth, sdk.KindNoCredit, sdk.KindQuota, sdk.KindRateLimited, sdk.KindOverloaded, sdk.KindTimeout, sdk.KindTruncated,
		sdk.KindBlocked, sdk.KindEmpty, sdk.KindUnsupported, sdk.KindUnavailable, sdk.KindInternal, sdk.KindInvalidRequest,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := &stub{name: "b", local: true, reply: receiptOf(t, "10.00", 1)}
			got, err := chainOf(t, ChainConfig{}, fails("a", kind), b).Extract(t.Context(), onePicture(), ignore)
			require.NoError(t, err)
			assert.Equal(t, []string{"a " + string(kind), "b ok"}, outcomes(got))
			assert.Equal(t, invoice.SourceOCR, got.Source)
		})
	}
}

func TestRepliesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"not JSON":            "I cannot read this",
		"NaN":                 `{"due": NaN}`,
		"a list":              `[]`,
		"nothing read":        `{"items":[]}`,
		"text after the JSON": `{"due":"1.00"} hope this helps`,
		"two megabytes":       `{"due":"1.00","x":"` + strings.Repeat("y", maxReply) + `"}`,
		"an object as text":   `{"due":{"amount":"1.00"}}`,
		"too many items":      `{"items":[` + strings.Repeat(`{},`, maxItems) + `{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chainOf(t, ChainConfig{}, &stub{name: "a", reply: reply}).Extract(t.Context(), onePicture(), ignore)
			e, ok := errors.AsType[*invoice.ExtractionError](err)
			require.True(t, ok, "%v", err)
			assert.False(t, e.Permanent, "a model may do better next time")
			assert.Equal(t, []string{"a invalid_reply"}, outcomes(got))
		})
	}
	t.Run("empty", func(t *testing.T) {
		t.Parallel()
		got, err := chainOf(t, ChainConfig{}, &stub{name: "a", reply: " \n"}).Extract(t.Context(), onePicture(), ignore)
		require.Error(t, err)
		assert.Equal(t, []string{"a empty"}, outcomes(got))
	})
}

func TestBestReadingIsKeptWhenNonePassesEveryCheck(t *testing.T) {
	t.Parallel()
	due := func(name, due string, local bool) *stub {
		return &stub{name: name, local: local, reply: receiptOf(t, due, 1)}
	}
	a, b, c, ocr := due("a", "7.00", false), due("b", "9.00", false), due("c", "8.00", false), due("ocr", "10.00", true)
	got, err := chainOf(t, ChainConfig{Checks: checksByDue}, a, b, c, ocr).Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, fiscal.Money(9_00), *got.Draft.Totals.Due)
	assert.Equal(t, []string{"a ok", "a ok", "b ok", "b ok", "c ok", "c ok"}, outcomes(got), "each may look again once")
	assert.Zero(t, ocr.calls.Load(), "character recognition is not asked to better a model")

	got, err = chainOf(t, ChainConfig{Checks: checksByDue}, due("ocr", "9.00", true), a).Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, invoice.SourceOCR, got.Source, "the better of the two, whoever it is of")
	assert.Equal(t, []string{"ocr ok", "a ok", "a ok"}, outcomes(got))
}

func TestWhyNobodyCouldReadIt(t *testing.T) {
	t.Parallel()
	hinted := func(name string, d time.Duration) *stub {
		return &stub{name: name, err: &sdk.Error{Kind: sdk.KindRateLimited, Blame: sdk.BlameDownstream, RetryAfter: d}}
	}
	tesseract := &stub{name: "offline", local: true, err: &sdk.Error{
		Kind: sdk.KindUnavailable, Blame: sdk.BlamePlugin, Message: "tesseract is not installed: apt-get install tesseract-ocr-por",
	}}
	unread := &stub{name: "offline", local: true, reply: "{}"}
	pdfOnly := &stub{name: "pdf", media: []string{"application/pdf"}}
	for name, tc := range map[string]struct {
		stubs     []*stub
		code      invoice.Code
		permanent bool
		after     time.Duration
		cause     string
	}{
		"nobody there":               {nil, invoice.CodeUnavailable, false, 0, "no provider"},
		"tool missing":               {[]*stub{tesseract}, invoice.CodeUnavailable, false, 0, "apt-get install tesseract-ocr-por"},
		"all unsupported":            {[]*stub{pdfOnly, fails("a", sdk.KindUnsupported)}, invoice.CodeUnsupportedMedia, true, 0, "pdf: unsupported"},
		"unreadable for good":        {[]*stub{fails("a", sdk.KindBlocked), unread}, invoice.CodeBadUserInput, true, 0, "offline: invalid reply"},
		"one may yet":                {[]*stub{fails("a", sdk.KindOverloaded), unread}, invoice.CodeUnavailable, false, 0, "a: overloaded"},
		"all say when":               {[]*stub{hinted("a", time.Minute), hinted("b", time.Second)}, invoice.CodeUnavailable, false, time.Second, ""},
		"one does not say when":      {[]*stub{hinted("a", time.Minute), fails("b", sdk.KindOverloaded)}, invoice.CodeUnavailable, false, 0, ""},
		"the process will not start": {[]*stub{{name: "a", describeErr: unavailable("a", "parked")}}, invoice.CodeUnavailable, false, 0, "parked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chainOf(t, ChainConfig{}, tc.stubs...).Extract(t.Context(), onePicture(), ignore)
			e, ok := errors.AsType[*invoice.ExtractionError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.code, e.Code)
			assert.Equal(t, tc.permanent, e.Permanent)
			assert.Equal(t, tc.after, e.RetryAfter)
			assert.Contains(t, e.Error(), tc.cause)
			assert.NotContains(t, e.Message, "tesseract", "a family is not told what to install")
			assert.LessOrEqual(t, len(got.Attempts), len(tc.stubs))
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
		<-ctx.Done()
		return sdk.Result{}, ctx.Err()
	}
	t.Run("of one provider goes on to the next", func(t *testing.T) {
		t.Parallel()
		b := &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
		got, err := chainOf(t, ChainConfig{ProviderTimeout: time.Millisecond}, &stub{name: "a", generate: hang}, b).
			Extract(t.Context(), onePicture(), ignore)
		if err != nil { // a machine that took more than a millisecond for b as well
			assert.Equal(t, []string{"a timeout", "b timeout"}, outcomes(got))
			return
		}
		assert.Equal(t, []string{"a timeout", "b ok"}, outcomes(got))
	})
	t.Run("of the request ends in an error that may be retried", func(t *testing.T) {
		t.Parallel()
		b := &stub{name: "b"}
		_, err := chainOf(t, ChainConfig{TotalTimeout: time.Millisecond}, &stub{name: "a", generate: hang}, b).
			Extract(t.Context(), onePicture(), ignore)
		e, ok := errors.AsType[*invoice.ExtractionError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, invoice.CodeUnavailable, e.Code)
		assert.False(t, e.Permanent)
		assert.Zero(t, b.calls.Load())
	})
	t.Run("of the caller is the caller's own", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		a := &stub{name: "a", generate: func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
			cancel()
			return hang(ctx, sdk.Request{}, nil)
		}}
		got, err := chainOf(t, ChainConfig{}, a, &stub{name: "b"}).Extract(ctx, onePicture(), ignore)
		require.ErrorIs(t, err, context.Canceled)
		assert.Len(t, got.Attempts, 1, "attempts come back with an error too")
	})
}

func TestCallsWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	var order []string
	run := func(ctx context.Context, provider string, fn func(context.Context) error) error {
		order = append(order, provider)
		if provider == "full" {
			return context.DeadlineExceeded
		}
		return fn(ctx)
	}
	full, b := &stub{name: "full"}, &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
	got, err := chainOf(t, ChainConfig{Run: run}, full, b).Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, []string{"full", "b"}, order)
	assert.Equal(t, []string{"full timeout", "b ok"}, outcomes(got))
	assert.Zero(t, full.calls.Load())
}

func TestKeyOfTheQRCode(t *testing.T) {
	t.Parallel()
	const (
		key   = "35261111222333000181650010000123451876543214"
		other = "35261112ABC34501DE35650010000123451876543215"
	)
	reply := func(printed string) string { return replyOf(t, sdk.Receipt{Due: "1.00", AccessKey: printed}) }
	for name, tc := range map[string]struct{ printed, want string }{
		"fills in for a missing one":     {"", key},
		"fills in for a malformed one":   {"3526 1111 22", key},
		"fills in for a misread digit":   {strings.Replace(key, "222", "223", 1), key},
		"leaves another sound one alone": {other, other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := onePicture()
			req.QR = &fiscal.QR{Key: key}
			var judged *fiscal.QR
			checks := func(_ invoice.Draft, qr *fiscal.QR) []invoice.Check { judged = qr; return nil }
			got, err := chainOf(t, ChainConfig{Checks: checks}, &stub{name: "a", reply: reply(tc.printed)}).Extract(t.Context(), req, ignore)
			require.NoError(t, err)
			assert.Equal(t, tc.want, got.Draft.AccessKey)
			assert.Equal(t, 65, got.Draft.Model)
			assert.Equal(t, "SP", got.Draft.Issuer.State)
			assert.Same(t, req.QR, judged)
		})
	}
}

func TestProviderIsAskedWithThePromptAndThePages(t *testing.T) {
	t.Parallel()
	var asked sdk.Request
	a := &stub{name: "a", media: []string{"image/jpeg", "text/plain"}}
	a.generate = func(_ context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
		asked = req
		return sdk.Result{Model: "exact"}, emit(receiptOf(t, "1.00", 0))
	}
	req := onePicture()
	req.Pages = append(req.Pages, invoice.DocumentPage{Text: "TOTAL 1,00"})
	got, err := chainOf(t, ChainConfig{}, a).Extract(t.Context(), req, ignore)
	require.NoError(t, err)
	assert.Equal(t, "exact", got.Attempts[0].Model)
	assert.Equal(t, sdk.TaskExtract, asked.Task)
	assert.Contains(t, asked.Instructions, "DANFE")
	assert.True(t, json.Valid(asked.Schema))
	assert.Equal(t, "receipt", asked.SchemaName)
	assert.Empty(t, asked.Input)
	assert.Equal(t, []sdk.Page{{MediaType: "image/jpeg", Data: []byte("picture")}, {Text: "TOTAL 1,00"}}, asked.Pages)
}

func TestSecretsOfAProviderAreRedactedBeforeAnyoneSeesThem(t *testing.T) {
	t.Parallel()
	const key = "some-secret/value"
	a := &stub{name: "a", err: &sdk.Error{Kind: sdk.KindAuth, Message: "key some-secret%2Fvalue of 529.982.247-25"}}
	b := &stub{name: "b", reply: replyOf(t, sdk.Receipt{
		Due: "1.00", ConsumerCPF: "52998224725", IssuerName: "LOJA some-secret/value",
		Items: []sdk.ReceiptItem{{Description: "CPF 529.982.247-25 BALA", Total: "1"}},
	})}
	got, err := chainOf(t, ChainConfig{Redactor: NewRedactor(key)}, a, b).Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, "LOJA [redacted]", got.Draft.Issuer.Name)
	assert.Equal(t, "***.***.247-**", got.Draft.ConsumerCPF)
	assert.Equal(t, "CPF ***.***.247-** BALA", got.Draft.Items[0].Description)

	_, err = chainOf(t, ChainConfig{Redactor: NewRedactor(key)}, a).Extract(t.Context(), onePicture(), ignore)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "some-secret")
	assert.NotContains(t, err.Error(), "529.982")
}

func TestNoPagesAreNobodysWork(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a"}
	_, err := chainOf(t, ChainConfig{}, a).Extract(t.Context(), invoice.ExtractionRequest{}, ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok)
	assert.True(t, e.Permanent)
	assert.Zero(t, a.calls.Load())
}

func TestCheapestFirst(t *testing.T) {
	t.Parallel()
	prices := map[string]int{"dear": 9, "cheap": 1, "middle": 5}
	cheaper := func(a, b sdk.Description) int { return prices[a.Name] - prices[b.Name] }
	dear, broken := fails("dear", sdk.KindBlocked), &stub{name: "broken", describeErr: unavailable("broken", "parked")}
	cheap, middle := fails("cheap", sdk.KindBlocked), fails("middle", sdk.KindBlocked)
	got, err := chainOf(t, ChainConfig{Cheaper: cheaper}, dear, broken, middle, cheap).Extract(t.Context(), onePicture(), ignore)
	require.Error(t, err)
	assert.Equal(t, []string{"cheap blocked", "middle blocked", "dear blocked", "broken unavailable"}, outcomes(got))
}
