// Package sdktest holds the promises that every provider keeps, as tests. A plugin's own test calls Exercise with a provider
// that talks to a stub of its vendor; the host's tests call it with a provider in another process.
package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// describeTime is how long Describe may take. It needs no network and no file; the rest is for slow machines.
const describeTime = 5 * time.Second

// Options are what Exercise needs to know of a provider.
type Options struct {
	// Page is a receipt that the provider can read. Required.
	Page sdk.Page
	// Schema and Instructions go with each request. Schema defaults to that of sdk.Receipt.
	Schema       json.RawMessage
	Instructions string
	// Timeout bounds each call, so that a provider that ignores the end of its context fails the test instead of blocking it.
	// Defaults to 1 min
	Timeout time.Duration
	// Concurrent is how many calls are made at once. Defaults to 4
	Concurrent int
}

// Exercise fails t for each promise that p breaks.
func Exercise(t *testing.T, p sdk.Provider, opts Options) {
	t.Helper()
	if opts.Schema == nil {
		schema, err := jsonschema.Of[sdk.Receipt](nil)
		if err != nil {
			t.Fatalf("schema of sdk.Receipt: %v", err)
		}
		opts.Schema = schema
	}
	if opts.Timeout <= 0 {
		opts.Timeout = time.Minute
	}
	if opts.Concurrent <= 0 {
		opts.Concurrent = 4
	}
	e := exercise{provider: p, opts: opts}
	t.Run("describes itself at once and always the same", e.describe)
	t.Run("is ready", e.check)
	t.Run("replies with JSON that fits the schema", e.extract)
	t.Run("puts findings into words if it says that it does", e.analyze)
	t.Run("answers several calls at once", e.concurrent)
	t.Run("does nothing for a caller that has gone", e.cancelledBefore)
	t.Run("stops when the caller goes away", e.cancelledWithin)
	t.Run("stops when its deadline has passed", e.deadline)
	t.Run("stops when a piece of the reply is refused", e.refusedPiece)
	t.Run("refuses media types that it does not take", e.unsupportedMedia)
	t.Run("refuses tasks that it does not know", e.unsupportedTask)
}

type exercise struct {
	provider sdk.Provider
	opts     Options
}

func (e exercise) request() sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: e.opts.Instructions, Pages: []sdk.Page{e.opts.Page},
		Schema: e.opts.Schema, SchemaName: "receipt",
	}
}

// answer is what a call gave.
type answer struct {
	text   string
	pieces int
	result sdk.Result
	err    error
}

// generate calls the provider and fails t when the call does not end in time.
func (e exercise) generate(ctx context.Context, t *testing.T, req sdk.Request, emit func(text string) error) answer {
	t.Helper()
	done := make(chan answer, 1)
	go func() {
		var a answer
		var text strings.Builder
		a.result, a.err = e.provider.Generate(ctx, req, func(piece string) error {
			text.WriteString(piece)
			a.pieces++
			return emit(piece)
		})
		a.text = text.String()
		done <- a
	}()
	timer := time.NewTimer(e.opts.Timeout)
	defer timer.Stop()
	select {
	case a := <-done:
		return a
	case <-timer.C:
		t.Fatalf("Generate did not return within %s", e.opts.Timeout)
		return answer{}
	}
}

func accept(string) error { return nil }

// wantKind fails t unless err is an *sdk.Error of one of the kinds.
func wantKind(t *testing.T, err error, kinds ...sdk.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want kind %q", kinds)
		return
	}
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		t.Errorf("error is a %T, not an *sdk.Error: %v", err, err)
		return
	}
	if !slices.Contains(kinds, e.Kind) {
		t.Errorf("error kind is %q, want one of %q: %v", e.Kind, kinds, err)
	}
	switch e.Blame {
	case sdk.BlamePlugin, sdk.BlameDownstream, sdk.BlameHost:
	default:
		t.Errorf("error blames %q, which is nobody", e.Blame)
	}
}

func (e exercise) describe(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), describeTime)
	defer cancel()
	first, err := e.provider.Describe(ctx)
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	second, err := e.provider.Describe(ctx)
	if err != nil {
		t.Fatalf("Describe again: %v", err)
	}
	a, errA := json.Marshal(first)
	b, errB := json.Marshal(second)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("Describe changed from %s to %s", a, b)
	}
	if first.Name == "" || strings.Trim(first.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		t.Errorf("name %q is not lower case letters, digits and dashes", first.Name)
	}
	if first.Version == "" {
		t.Error("no version")
	}
	if len(first.MediaTypes) == 0 {
		t.Error("no media types")
	}
	if len(first.Tasks) == 0 {
		t.Error("no tasks")
	}
	for _, task := range first.Tasks {
		if task != sdk.TaskExtract && task != sdk.TaskAnalyze && task != sdk.TaskProbe {
			t.Errorf("unknown task %q", task)
		}
	}
}

func (e exercise) check(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e.opts.Timeout)
	defer cancel()
	if err := e.provider.Check(ctx); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func (e exercise) extract(t *testing.T) {
	t.Helper()
	e.wantReceipt(t, e.generate(t.Context(), t, e.request(), accept))
}

// analyze asks for words about two findings, the second of a kind that any provider may be too old for.
func (e exercise) analyze(t *testing.T) {
	t.Helper()
	d, err := e.provider.Describe(t.Context())
	if err != nil {
		t.Fatalf("Describe: %v", err)
	}
	if !slices.Contains(d.Tasks, sdk.TaskAnalyze) {
		t.Skip("it does not")
	}
	schema, err := jsonschema.Of[sdk.Insights](nil)
	if err != nil {
		t.Fatalf("schema of sdk.Insights: %v", err)
	}
	req := sdk.Request{Task: sdk.TaskAnalyze, Instructions: e.opts.Instructions, Schema: schema, SchemaName: "insights", MaxOutputTokens: 2048}
	req.Input = `{"findings":[{"key":"f1","kind":"SUMMARY","priority":"LOW","facts":{"total_value":{"centavos":5000,"formatted":"R$ 50,00"},` +
		`"item_count":3,"merchant":"LOJA","categories":[]}},{"key":"f2","kind":"UNHEARD_OF","priority":"LOW","facts":{"item_count":3}}]}`
	a := e.generate(t.Context(), t, req, accept)
	if !e.wantReply(t, a, schema) {
		return
	}
	var reply sdk.Insights
	if err := json.Unmarshal([]byte(a.text), &reply); err != nil {
		t.Fatalf("reply: %v", err)
	}
	count := map[string]int{}
	for _, in := range reply.Insights {
		count[in.Key]++
	}
	if count["f1"] != 1 || count["f2"] > 1 || len(count) > 1+count["f2"] {
		t.Errorf("the reply has these keys: %v", count)
	}
}

func (e exercise) wantReceipt(t *testing.T, a answer) {
	t.Helper()
	e.wantReply(t, a, e.opts.Schema)
}

// wantReply fails t, and is false, unless a call gave a reply of the schema's form.
func (e exercise) wantReply(t *testing.T, a answer, schema json.RawMessage) bool {
	t.Helper()
	if a.err != nil {
		t.Errorf("Generate: %v", a.err)
		return false
	}
	fits := true
	if err := jsonschema.Check(schema, []byte(a.text)); err != nil {
		fits = false
		t.Errorf("reply does not fit the schema: %v", err)
	}
	if a.result.FinishReason != sdk.FinishStop {
		t.Errorf("finish reason %q beside a reply without error", a.result.FinishReason)
	}
	if a.result.Model == "" {
		t.Error("the result does not say which model answered")
	}
	u := a.result.Usage
	if min(u.InputTokens, u.CachedInputTokens, u.CacheWriteTokens, u.OutputTokens, u.ThinkingTokens) < 0 {
		t.Errorf("negative usage: %+v", u)
	}
	if u.CachedInputTokens+u.CacheWriteTokens > u.InputTokens || u.ThinkingTokens > u.OutputTokens {
		t.Errorf("usage has parts larger than the whole: %+v", u)
	}
	return fits
}

func (e exercise) concurrent(t *testing.T) {
	t.Helper()
	answers := make([]answer, e.opts.Concurrent)
	ctx, cancel := context.WithTimeout(t.Context(), e.opts.Timeout)
	defer cancel()
	var calls sync.WaitGroup
	for i := range answers {
		calls.Go(func() {
			var text strings.Builder
			a := &answers[i]
			a.result, a.err = e.provider.Generate(ctx, e.request(), func(piece string) error {
				text.WriteString(piece)
				return nil
			})
			a.text = text.String()
		})
	}
	calls.Wait()
	for _, a := range answers {
		e.wantReceipt(t, a)
	}
}

func (e exercise) cancelledBefore(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := e.generate(ctx, t, e.request(), accept)
	wantKind(t, a.err, sdk.KindCancelled)
	if a.pieces > 0 {
		t.Errorf("%d pieces of a reply for a caller that has gone", a.pieces)
	}
}

// cancelledWithin ends the context as the call begins. A provider that was faster has kept its promise too.
func (e exercise) cancelledWithin(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go cancel()
	if a := e.generate(ctx, t, e.request(), accept); a.err != nil {
		wantKind(t, a.err, sdk.KindCancelled)
	}
}

func (e exercise) deadline(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	wantKind(t, e.generate(ctx, t, e.request(), accept).err, sdk.KindTimeout, sdk.KindCancelled)
}

func (e exercise) refusedPiece(t *testing.T) {
	t.Helper()
	refused := errors.New("no more of this")
	a := e.generate(t.Context(), t, e.request(), func(string) error { return refused })
	if a.err == nil {
		t.Error("no error though a piece was refused")
	}
	if a.pieces != 1 {
		t.Errorf("%d pieces, want the refused one only", a.pieces)
	}
}

func (e exercise) unsupportedMedia(t *testing.T) {
	t.Helper()
	req := e.request()
	req.Pages = []sdk.Page{{MediaType: "application/x-unheard-of", Data: []byte("?")}}
	wantKind(t, e.generate(t.Context(), t, req, accept).err, sdk.KindUnsupported)
}

func (e exercise) unsupportedTask(t *testing.T) {
	t.Helper()
	req := e.request()
	req.Task = "juggle"
	wantKind(t, e.generate(t.Context(), t, req, accept).err, sdk.KindUnsupported)
}
