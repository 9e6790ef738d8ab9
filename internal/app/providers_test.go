package app_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const geminiKey = "test-gemini-key-0123456789abcdef"

// withVendors points the four vendors' plugins at a stub, and leaves the offline one out.
func withVendors(at installation, stub *llmstub.Stub, more ...string) installation {
	at.env = append(slices.Clip(at.env),
		"PROVIDER_ORDER=gemini,openrouter,openai,anthropic",
		"GEMINI_API_KEY="+geminiKey, "GEMINI_BASE_URL="+stub.BaseURL(llmstub.Gemini),
		"OPENROUTER_API_KEY=test-openrouter-key-0123456789", "OPENROUTER_BASE_URL="+stub.BaseURL(llmstub.OpenRouter),
		"OPENAI_API_KEY=test-openai-key-0123456789", "OPENAI_BASE_URL="+stub.BaseURL(llmstub.OpenAI),
		"ANTHROPIC_API_KEY=test-anthropic-key-0123456789", "ANTHROPIC_BASE_URL="+stub.BaseURL(llmstub.Anthropic),
		"BUDGET_USER_DAILY_USD=50",
	)
	at.env = append(at.env, more...)
	return at
}

// consent lets every vendor see the user's documents.
func consent(t *testing.T, c *apitest.Client, providers ...string) {
	t.Helper()
	given := make([]map[string]any, 0, len(providers))
	for _, name := range providers {
		given = append(given, map[string]any{"provider": name, "granted": true})
	}
	res := c.Query(t, `mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename } }`,
		map[string]any{"input": map[string]any{"consents": given}}, nil)
	require.Empty(t, res.Errors)
}

func consentAll(t *testing.T, c *apitest.Client) {
	t.Helper()
	consent(t, c, "gemini", "openrouter", "openai", "anthropic")
}

// paper is a receipt that the stub knows, and a photo of it.
func paper(t *testing.T, stub *llmstub.Stub, seed uint64) []byte {
	t.Helper()
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline})
	style := receipts.Styles()[0]
	stub.KnowPaper(style, r)
	picture, err := r.Picture(style, 1)
	require.NoError(t, err)
	data, err := receipts.JPEG(picture, 85)
	require.NoError(t, err)
	return data
}

// submitted uploads a photo and follows it to its end.
func submitted(t *testing.T, c *apitest.Client, photo []byte) (id, stage string) {
	t.Helper()
	sub, res := c.Submit(t, photo)
	require.Empty(t, res.Errors)
	require.Nil(t, sub.SubmitInvoice.Duplicate)
	events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
	require.NotEmpty(t, events)
	return sub.SubmitInvoice.Invoice.ID, events[len(events)-1].Stage
}

func TestGeminiIsAskedFirstOnceAndNothingPersonalLeaves(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		c := apitest.Client{URL: withVendors(at, stub).start(t, app.RoleAll).URL()}
		c.SignUp(t, "ana@example.com")
		consentAll(t, &c)
		id, stage := submitted(t, &c, receipts.WithEXIF(paper(t, stub, 1), 1, true))
		assert.Equal(t, "COMPLETED", stage)
		require.NoError(t, stub.AwaitDone(t.Context()))
		require.Len(t, stub.Calls(), 1)
		call := stub.Calls()[0]
		assert.Equal(t, llmstub.Gemini, call.Vendor)
		for _, seen := range call.Media {
			assert.False(t, seen.EXIF, "the place where a photo was taken stays here")
			assert.False(t, seen.GPS)
		}

		var out struct {
			Invoice struct {
				Source   string
				Attempts []struct{ Provider, Model, Outcome string }
			}
			Usage struct {
				Calls int
				Cost  struct{ MicroUsd int64 }
			}
		}
		c.Query(t, `query($id: ID!, $p: DateRangeInput!) { invoice(id: $id) { source attempts { provider model outcome } }
			usage(period: $p) { calls cost { microUsd } } }`, map[string]any{"id": id, "p": thisYear()}, &out)
		assert.Equal(t, "MODEL", out.Invoice.Source)
		require.Len(t, out.Invoice.Attempts, 1)
		assert.Equal(t, "gemini", out.Invoice.Attempts[0].Provider)
		assert.Equal(t, 1, out.Usage.Calls)
		assert.Positive(t, out.Usage.Cost.MicroUsd)
	})
}

func thisYear() map[string]any {
	year := time.Now().Year()
	return map[string]any{"from": fmt.Sprintf("%d-01-01", year), "to": fmt.Sprintf("%d-12-31", year)}
}

func TestASecondEqualPhotoComesFromTheCache(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		url := withVendors(at, stub).start(t, app.RoleAll).URL()
		photo := paper(t, stub, 2)
		ana, rui := apitest.Client{URL: url}, apitest.Client{URL: url}
		for i, c := range []*apitest.Client{&ana, &rui} { // another user's is no duplicate
			c.SignUp(t, fmt.Sprintf("user%d@example.com", i))
			consentAll(t, c)
			_, stage := submitted(t, c, photo)
			assert.Equal(t, "COMPLETED", stage)
		}
		require.NoError(t, stub.AwaitDone(t.Context()))
		assert.Len(t, stub.Calls(), 1)
		var out struct {
			Usage struct {
				Calls, Cached int
				SavedByCache  struct{ MicroUsd int64 }
			}
		}
		rui.Query(t, `query($p: DateRangeInput!) { usage(period: $p) { calls cached savedByCache { microUsd } } }`,
			map[string]any{"p": thisYear()}, &out)
		assert.Zero(t, out.Usage.Calls)
		assert.Equal(t, 1, out.Usage.Cached)
		assert.Positive(t, out.Usage.SavedByCache.MicroUsd)
	})
}

func TestTwentyEqualPhotosOnTwoServersCostOneCall(t *testing.T) {
	t.Parallel()
	stub := llmstub.Start(t)
	at := withVendors(production(t), stub, "WORKER_JOBS=10", "BLOB_URL=file://"+t.TempDir())
	second := at
	second.env = append(slices.Clip(second.env), "DATA_DIR="+t.TempDir(), "WORKER_NAME=second")
	urls := []string{at.start(t, app.RoleAll).URL(), second.start(t, app.RoleAll).URL()}
	photo := paper(t, stub, 3)
	clients := make([]*apitest.Client, 20)
	for i := range clients {
		clients[i] = &apitest.Client{URL: urls[i%2]}
		clients[i].SignUp(t, fmt.Sprintf("user%d@example.com", i))
		consentAll(t, clients[i])
	}
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			_, stage := submitted(t, c, photo)
			assert.Equal(t, "COMPLETED", stage)
		})
	}
	wg.Wait()
	require.NoError(t, stub.AwaitDone(t.Context()))
	assert.Len(t, stub.Calls(), 1)
}

func TestWithoutConsentNothingLeavesAndTheFamilyIsTold(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		c := apitest.Client{URL: withVendors(at, stub).start(t, app.RoleAll).URL()}
		c.SignUp(t, "ana@example.com")
		id, stage := submitted(t, &c, paper(t, stub, 4))
		assert.Equal(t, "FAILED", stage)
		assert.Empty(t, stub.Calls())

		consent(t, &c, "openai")
		res := c.Query(t, `mutation($id: ID!) { retryExtraction(input: {invoiceId: $id}) { __typename } }`, map[string]any{"id": id}, nil)
		require.Empty(t, res.Errors)
		events := c.Watch(t, id, 0)
		assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
		require.NoError(t, stub.AwaitDone(t.Context()))
		require.Len(t, stub.Calls(), 1)
		assert.Equal(t, llmstub.OpenAI, stub.Calls()[0].Vendor)
	})
}

func TestASpentBudgetStopsBeforeAnyCall(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		c := apitest.Client{URL: withVendors(at, stub, "BUDGET_USER_DAILY_USD=0.000001").start(t, app.RoleAll).URL()}
		c.SignUp(t, "ana@example.com")
		consentAll(t, &c)
		id, stage := submitted(t, &c, paper(t, stub, 5))
		assert.Equal(t, "FAILED", stage)
		var out struct {
			Invoice struct{ Failure struct{ Code string } }
		}
		c.Query(t, `query($id: ID!) { invoice(id: $id) { failure { code } } }`, map[string]any{"id": id}, &out)
		assert.Equal(t, "QUOTA_EXCEEDED", out.Invoice.Failure.Code)
		assert.Empty(t, stub.Calls())
	})
}

func TestWrongFiguresAreRepairedOnceThenEscalatedThenShown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		gemini, others []llmstub.Fault
		stage          string
		calls          int
	}{
		"the repair is right":         {[]llmstub.Fault{llmstub.FaultWrongOnce, llmstub.FaultWrongOnce}, nil, "COMPLETED", 2},
		"the next provider is right":  {[]llmstub.Fault{llmstub.FaultWrongFigures, llmstub.FaultWrongFigures}, nil, "COMPLETED", 3},
		"an order on the receipt won": {repeat(llmstub.FaultInjected), repeat(llmstub.FaultInjected), "NEEDS_REVIEW", 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stub := llmstub.Start(t)
			stub.Fail(llmstub.Gemini, test.gemini...)
			for _, v := range []llmstub.Vendor{llmstub.OpenRouter, llmstub.OpenAI, llmstub.Anthropic} {
				stub.Fail(v, test.others...)
			}
			c := apitest.Client{URL: withVendors(installation{"embedded", environ(t)}, stub).start(t, app.RoleAll).URL()}
			c.SignUp(t, "ana@example.com")
			consentAll(t, &c)
			_, stage := submitted(t, &c, paper(t, stub, 6))
			assert.Equal(t, test.stage, stage)
			require.NoError(t, stub.AwaitDone(t.Context()))
			assert.Len(t, stub.Calls(), test.calls)
		})
	}
}

func repeat(f llmstub.Fault) []llmstub.Fault { return []llmstub.Fault{f, f, f} }

// TestABrownOutOfVendorsLosesNothing has Gemini fail now and then, OpenRouter refuse and OpenAI hang: everything completes, and
// nobody is paid twice beyond what the failures force.
func TestABrownOutOfVendorsLosesNothing(t *testing.T) {
	t.Parallel()
	submissions := 200
	if testing.Short() {
		submissions = 20
	}
	stub := llmstub.Start(t, llmstub.Options{Vendors: map[llmstub.Vendor]llmstub.VendorOptions{
		llmstub.Gemini: {Chances: []llmstub.Chance{{P: 0.3, Fault: llmstub.FaultUnavailable}}},
	}})
	stub.Always(llmstub.OpenRouter, &llmstub.Behaviour{Fault: llmstub.FaultRateLimited})
	stub.Always(llmstub.OpenAI, &llmstub.Behaviour{Fault: llmstub.FaultHang})
	at := withVendors(production(t), stub, "WORKER_JOBS=8", "PROVIDER_TIMEOUT=5s", "BUDGET_DAILY_USD=0", "RATE_LIMIT_ENABLED=false")
	c := apitest.Client{URL: at.start(t, app.RoleAll).URL()}
	c.SignUp(t, "ana@example.com")
	consentAll(t, &c)
	photos := make([][]byte, submissions)
	for i := range photos {
		photos[i] = paper(t, stub, 10_000+uint64(i))
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, 16)
	for _, photo := range photos {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			_, stage := submitted(t, &c, photo)
			assert.Equal(t, "COMPLETED", stage)
		})
	}
	wg.Wait()
	require.NoError(t, stub.AwaitDone(context.WithoutCancel(t.Context())))
	paid := 0
	for vendor, total := range stub.Totals() {
		t.Logf("%-12s %+v", vendor, total)
		paid += total.Paid
	}
	assert.LessOrEqual(t, float64(paid), 1.1*float64(submissions), "paid calls")
}

// TestKeysAreNowhere reads everything that the service wrote down.
func TestKeysAreNowhere(t *testing.T) {
	t.Parallel()
	stub := llmstub.Start(t)
	stub.Fail(llmstub.Gemini, llmstub.FaultUnauthorized, llmstub.FaultUnauthorized)
	at := withVendors(installation{"embedded", environ(t)}, stub)
	a := at.start(t, app.RoleAll)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	consentAll(t, &c)
	submitted(t, &c, paper(t, stub, 7))
	dir := at.config(t).Storage.DataDir
	for _, file := range []string{"smarket.db", "smarket.db-wal"} {
		data, err := os.ReadFile(dir + "/" + file)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		assert.NotContains(t, string(data), geminiKey, file)
		assert.NotContains(t, string(data), "test-openai-key", file)
	}
}
