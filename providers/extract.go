package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Extract reads a document: from the cache, by waiting for an equal request that is under way, or by asking the providers in
// their order. See invoice.Extractor for what observe and the error are. An answer that cost no call is one attempt with the
// outcome "cached" or "shared", under the name of the provider that gave it.
func (c *Chain) Extract(
	ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress),
) (invoice.Extraction, error) {
	if len(req.Pages) == 0 {
		return invoice.Extraction{}, &invoice.ExtractionError{
			Code: invoice.CodeBadUserInput, Message: sentenceUnreadable, Permanent: true, Cause: errors.New("no pages"),
		}
	}
	started := c.config.Now()
	total, cancel := context.WithTimeout(ctx, c.config.TotalTimeout)
	defer cancel()
	say := readingWords()
	may, err := c.permissions(total, req.UserID)
	if err != nil {
		return invoice.Extraction{}, say.forCaller(ctx, err)
	}
	key := cacheKey(req.Pages, c.question)
	accept := func(value []byte) bool {
		var a answer
		return json.Unmarshal(value, &a) == nil && c.judge(a.Draft, req.QR).sound()
	}
	run := &fallback{
		chain: c, say: say, userID: req.UserID, invoiceID: req.InvoiceID, request: c.request(sdkPages(req.Pages)), may: may,
		log: c.config.Log.With("invoice_id", req.InvoiceID),
	}
	run.errand = &extraction{fallback: run, qr: req.QR}
	res := c.answer(total, key, run, accept, observe)

	got := invoice.Extraction{Attempts: res.attempts}
	if res.err != nil {
		return got, say.forCaller(ctx, res.err)
	}
	var a answer
	if err := json.Unmarshal(res.value, &a); err != nil {
		return got, fmt.Errorf("reading of %s: %w", key, err)
	}
	got.Draft, got.Source = a.Draft, a.Source
	if res.from != fromProvider {
		got.Attempts = append(got.Attempts, invoice.Attempt{
			Provider: a.Provider, Model: a.Model, Outcome: string(res.from), Items: len(a.Draft.Items),
			StartedAt: started, FinishedAt: c.config.Now(),
		})
		observe(invoice.Progress{Provider: a.Provider, Attempt: len(got.Attempts), ItemsFound: len(a.Draft.Items)})
		c.saved(ctx, run.row(a.Provider, a.Model, a.Local, 1, run.request, started), a.Usage)
	}
	return got, nil
}

// request is what every provider is asked.
func (c *Chain) request(pages []sdk.Page) sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: c.prompt.Instructions, Schema: c.prompt.Schema, SchemaName: c.prompt.SchemaName, Pages: pages,
	}
}

func sdkPages(pages []invoice.DocumentPage) []sdk.Page {
	out := make([]sdk.Page, len(pages))
	for i, p := range pages {
		out[i] = sdk.Page{MediaType: p.MediaType, Data: p.Data, Text: p.Text}
	}
	return out
}

// extraction is the errand of reading a document.
type extraction struct {
	*fallback

	qr   *fiscal.QR
	best *reading
}

// reading is a draft that a provider gave and what there is against it.
type reading struct {
	provider, model string
	local           bool
	draft           invoice.Draft
	verdict         verdict
	usage           sdk.Usage // of all calls that it took
}

func (x *extraction) answered() bool { return x.best != nil }

func (x *extraction) sound() bool { return x.best != nil && x.best.verdict.sound() }

// beyond: character recognition does not better what a model made of a picture.
func (x *extraction) beyond(desc sdk.Description) bool {
	return x.best != nil && !x.best.local && desc.Local
}

// ask has a provider read the pages, and look again when the figures do not add up.
func (x *extraction) ask(ctx context.Context, m *member, desc sdk.Description) error {
	first, err := x.read(ctx, m, desc, x.request)
	if err != nil {
		return err
	}
	x.take(ctx, first)
	x.better(ctx, m, desc, first)
	return nil
}

// better has a provider look again while that may help. When it does not, the reading that there is stands.
func (x *extraction) better(ctx context.Context, m *member, desc sdk.Description, r *reading) {
	for range maxRepairs {
		if r.verdict.sound() || !r.repairable() || ctx.Err() != nil {
			return
		}
		if r = x.again(ctx, m, desc, r); r == nil {
			return
		}
		x.take(ctx, r)
	}
}

// again has a provider look at what is in doubt about its first reading; nil when that did not help.
func (x *extraction) again(ctx context.Context, m *member, desc sdk.Description, first *reading) *reading {
	req, err := x.chain.repairRequest(x.request.Pages, first)
	var second *reading
	if err == nil {
		second, err = x.read(ctx, m, desc, req)
	}
	if err != nil {
		x.stopAt(err)
		x.log.WarnContext(ctx, "provider failed to look again", "provider", m.Name, "outcome", outcomeOf(err), "error", err.Error())
		return nil
	}
	second.usage = sum(first.usage, second.usage)
	if !second.verdict.better(first.verdict) {
		x.log.InfoContext(ctx, "looking again did not help", "provider", m.Name,
			"checks_failed", first.verdict.failed, "checks_failed_again", second.verdict.failed)
		return nil
	}
	return second
}

// take keeps a reading that is better than what there was; of equals the earlier one.
func (x *extraction) take(ctx context.Context, r *reading) {
	x.log.InfoContext(ctx, "provider answered", "provider", r.provider, "items", len(r.draft.Items),
		"checks_passed", r.verdict.passed, "checks_failed", r.verdict.failed,
		"input_tokens", r.usage.InputTokens, "output_tokens", r.usage.OutputTokens)
	if x.best == nil || r.verdict.better(x.best.verdict) {
		x.best = r
	}
}

// read has a provider read the pages once; trying again in between is part of it.
func (x *extraction) read(ctx context.Context, m *member, desc sdk.Description, req sdk.Request) (*reading, error) {
	var got *reading
	understand := func(text string) (int, error) {
		draft, err := draftFromReply(text, x.qr)
		if err != nil {
			return 0, err
		}
		got = &reading{provider: m.Name, local: desc.Local, draft: draft, verdict: x.chain.judge(draft, x.qr)}
		if err := jsonschema.Check(req.Schema, []byte(unfence(text))); err != nil {
			got.verdict.form = clip(err.Error(), maxName)
			got.verdict.failed++
		}
		return len(draft.Items), nil
	}
	usage, model, err := x.call(ctx, m, desc, req, understand)
	if err != nil {
		return nil, err
	}
	got.usage, got.model = usage, model
	return got, nil
}

// encode is the best reading. It is kept when nothing speaks against it.
func (x *extraction) encode() (value []byte, keep bool, err error) {
	r := x.best
	a := answer{Draft: r.draft, Source: invoice.SourceModel, Provider: r.provider, Model: r.model, Local: r.local, Usage: r.usage}
	if r.local {
		a.Source = invoice.SourceOCR
	}
	b, err := json.Marshal(a)
	if err != nil {
		return nil, false, fmt.Errorf("reading of %s: %w", r.provider, err)
	}
	return b, r.verdict.sound(), nil
}

// sum adds up what calls used. The vendor's own price is known when it is for all of them.
func sum(a, b sdk.Usage) sdk.Usage {
	total := sdk.Usage{
		InputTokens: a.InputTokens + b.InputTokens, CachedInputTokens: a.CachedInputTokens + b.CachedInputTokens,
		CacheWriteTokens: a.CacheWriteTokens + b.CacheWriteTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
		ThinkingTokens: a.ThinkingTokens + b.ThinkingTokens,
	}
	if a.CostMicroUSD != nil && b.CostMicroUSD != nil {
		total.CostMicroUSD = new(*a.CostMicroUSD + *b.CostMicroUSD)
	}
	return total
}
