package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// What the family is told when no provider could read a document. Which provider failed, and why, is for the operator: it is in
// the error's cause, the log and the attempts.
const (
	sentenceUnsupported = "Nenhum leitor disponível consegue ler este tipo de arquivo."
	sentenceUnreadable  = "Não foi possível ler a nota. Envie uma foto mais nítida, de perto, reta e sem sombras."
	sentenceUnavailable = "A leitura de notas está indisponível agora. Tente de novo mais tarde."
	sentenceInternal    = "Algo deu errado do nosso lado ao ler a nota."
	// The consent is the user's to give, and may be kept back.
	sentenceConsent      = "Para ler esta nota é preciso autorizar um leitor externo no seu perfil."
	sentenceLaterConsent = "A leitura de notas está indisponível agora. Tente de novo mais tarde ou autorize outro leitor no seu perfil."
)

const (
	outcomeOK           = "ok"
	outcomeInvalidReply = "invalid_reply"
)

// errNoConsent is why a provider abroad was passed over.
var errNoConsent = errors.New("the user has not consented to this provider")

// fallback is one request's way through the providers.
type fallback struct {
	chain   *Chain
	req     invoice.ExtractionRequest
	pages   []sdk.Page
	may     permissions
	observe func(invoice.Progress)
	log     *slog.Logger

	described map[string]described
	attempts  []invoice.Attempt
	failures  []failure
	best      *reading
	// stop ends the request before all providers were asked: a call could not be booked.
	stop *notBookedError
}

// described is what a provider said that it can do.
type described struct {
	desc sdk.Description
	err  error
}

// reading is a draft that a provider gave and what there is against it.
type reading struct {
	provider, model string
	local           bool
	draft           invoice.Draft
	verdict         verdict
	usage           sdk.Usage // of all calls that it took
}

// failure is why one provider gave nothing.
type failure struct {
	provider string
	err      error
	// hopeless says that the same document would fail with this provider again.
	hopeless bool
}

// all asks one provider after the other until a reading passes every check. It is the innermost work of a request.
func (f *fallback) all(ctx context.Context, observe func(invoice.Progress)) result {
	f.observe = observe
	for _, m := range f.order(ctx) {
		if ctx.Err() != nil {
			if f.best == nil {
				f.fail(ctx, m.Name, false, &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameHost, Message: "no time left"})
			}
			break
		}
		f.provider(ctx, m)
		if f.stop != nil || f.best != nil && f.best.verdict.sound() {
			break
		}
	}
	res := result{from: fromProvider, attempts: f.attempts}
	switch {
	case f.best != nil:
		res.value, res.err = f.best.encode()
		res.keep = res.err == nil && f.best.verdict.sound()
	case f.stop != nil:
		res.err, res.private = f.stop.forCaller()
	default:
		res.err = f.failure()
	}
	return res
}

func (r *reading) encode() ([]byte, error) {
	a := answer{Draft: r.draft, Source: invoice.SourceModel, Provider: r.provider, Model: r.model, Local: r.local, Usage: r.usage}
	if r.local {
		a.Source = invoice.SourceOCR
	}
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("reading of %s: %w", r.provider, err)
	}
	return b, nil
}

// order is the providers in the order in which to ask them.
func (f *fallback) order(ctx context.Context) []*member {
	cheaper := f.chain.config.Cheaper
	if cheaper == nil {
		return f.chain.members
	}
	order := slices.Clone(f.chain.members)
	known := map[*member]sdk.Description{}
	for _, m := range order {
		if m.breaker.refusal() != nil {
			continue // it will be passed over
		}
		if d, err := f.describe(ctx, m); err == nil {
			known[m] = d
		}
	}
	slices.SortStableFunc(order, func(a, b *member) int {
		descA, okA := known[a]
		descB, okB := known[b]
		switch {
		case okA && okB:
			return cheaper(descA, descB)
		case okA:
			return -1
		case okB:
			return 1
		}
		return 0
	})
	return order
}

// describe asks a provider once in a request what it can do: one whose process is down takes its time to say so.
func (f *fallback) describe(ctx context.Context, m *member) (sdk.Description, error) {
	d, ok := f.described[m.Name]
	if !ok {
		d.desc, d.err = f.chain.describe(ctx, m)
		if f.described == nil {
			f.described = map[string]described{}
		}
		f.described[m.Name] = d
	}
	return d.desc, d.err
}

// provider asks one provider, unless there is a reason not to.
func (f *fallback) provider(ctx context.Context, m *member) {
	if refusal := m.breaker.refusal(); refusal != nil {
		f.skip(ctx, m.Name, false, refusal)
		return
	}
	desc, err := f.describe(ctx, m)
	switch {
	case err != nil:
		f.attempts = append(f.attempts, f.attempt(m.Name, "", f.chain.config.Now(), 0, err))
		f.fail(ctx, m.Name, false, err)
	case !takes(desc, sdk.TaskExtract, f.pages):
		f.skip(ctx, m.Name, desc.Local, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "does not take these pages"})
	case !f.may.use(desc):
		f.skip(ctx, m.Name, false, errNoConsent)
	case f.best != nil && !f.best.local && desc.Local:
		// character recognition does not better what a model made of a picture
	default:
		f.readings(ctx, m, desc)
	}
}

// readings asks a provider to read the pages, and to look again when the figures do not add up.
func (f *fallback) readings(ctx context.Context, m *member, desc sdk.Description) {
	first, err := f.read(ctx, m, desc, f.chain.request(f.pages))
	if err != nil {
		f.fail(ctx, m.Name, desc.Local, err)
		return
	}
	f.take(ctx, first)
	for range maxRepairs {
		if first.verdict.sound() || !first.repairable() || ctx.Err() != nil {
			return
		}
		req, err := f.chain.repairRequest(f.pages, first)
		var second *reading
		if err == nil {
			second, err = f.read(ctx, m, desc, req)
		}
		if err != nil {
			f.stopAt(err)
			f.log.WarnContext(ctx, "provider failed to look again", "provider", m.Name, "outcome", outcomeOf(err), "error", err.Error())
			return // the first reading stands
		}
		second.usage = sum(first.usage, second.usage)
		if !second.verdict.better(first.verdict) {
			f.log.InfoContext(ctx, "looking again did not help", "provider", m.Name,
				"checks_failed", first.verdict.failed, "checks_failed_again", second.verdict.failed)
			return
		}
		f.take(ctx, second)
		first = second
	}
}

// take keeps a reading that is better than what there was; of equals the earlier one.
func (f *fallback) take(ctx context.Context, r *reading) {
	f.log.InfoContext(ctx, "provider answered", "provider", r.provider, "items", len(r.draft.Items),
		"checks_passed", r.verdict.passed, "checks_failed", r.verdict.failed,
		"input_tokens", r.usage.InputTokens, "output_tokens", r.usage.OutputTokens)
	if f.best == nil || r.verdict.better(f.best.verdict) {
		f.best = r
	}
}

// read has a provider read the pages once; trying again in between is part of it.
func (f *fallback) read(ctx context.Context, m *member, desc sdk.Description, req sdk.Request) (*reading, error) {
	var got *reading
	understand := func(text string) (int, error) {
		draft, err := draftFromReply(text, f.req.QR)
		if err != nil {
			return 0, err
		}
		got = &reading{provider: m.Name, local: desc.Local, draft: draft, verdict: f.chain.judge(draft, f.req.QR)}
		if err := jsonschema.Check(req.Schema, []byte(unfence(text))); err != nil {
			got.verdict.form = clip(err.Error(), maxName)
			got.verdict.failed++
		}
		return len(draft.Items), nil
	}
	plan := func(req sdk.Request) Call {
		return f.row(m.Name, desc.Model, desc.Local, len(f.attempts)+1, req, f.chain.config.Now())
	}
	res, err := f.chain.ask(m, plan, understand, func(next call) call { return f.attempting(m.Name, desc.Model, next) })(ctx, req, func(int) {})
	if err != nil {
		return nil, err
	}
	got.usage, got.model = res.result.Usage, res.result.Model
	if got.model == "" {
		got.model = desc.Model
	}
	return got, nil
}

// attempting lists every call and shows how far it has come.
func (f *fallback) attempting(provider, model string, next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		progress := invoice.Progress{Provider: provider, Attempt: len(f.attempts) + 1}
		f.observe(progress)
		started := f.chain.config.Now()
		res, err := next(ctx, req, func(items int) {
			progress.ItemsFound = items
			f.observe(progress)
			observe(items)
		})
		if _, ok := errors.AsType[*notAskedError](err); ok {
			return res, err
		}
		if res.result.Model != "" {
			model = res.result.Model
		}
		f.attempts = append(f.attempts, f.attempt(provider, model, started, res.items, err))
		return res, err
	}
}

func (f *fallback) attempt(provider, model string, started time.Time, items int, err error) invoice.Attempt {
	return invoice.Attempt{
		Provider: provider, Model: model, Outcome: outcomeOf(err), Items: items,
		StartedAt: started, FinishedAt: f.chain.config.Now(),
	}
}

// row is a call in the ledger.
func (f *fallback) row(provider, model string, local bool, attempt int, req sdk.Request, started time.Time) Call {
	call := Call{
		UserID: f.req.UserID, InvoiceID: f.req.InvoiceID, Task: req.Task, Provider: provider, Model: model, Local: local,
		Attempt: attempt, InputBytes: len(req.Instructions) + len(req.Input), MaxOutputTokens: req.MaxOutputTokens,
		StartedAt: started,
	}
	for _, p := range req.Pages {
		call.InputBytes += len(p.Text)
		if len(p.Data) > 0 {
			call.Pictures++
		}
	}
	return call
}

// request is what every provider is asked.
func (c *Chain) request(pages []sdk.Page) sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: c.prompt.Instructions, Schema: c.prompt.Schema, SchemaName: c.prompt.SchemaName, Pages: pages,
	}
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

// fail notes that a provider was asked in vain.
func (f *fallback) fail(ctx context.Context, provider string, local bool, err error) {
	f.stopAt(err)
	f.failures = append(f.failures, failure{provider: provider, err: err, hopeless: hopeless(err, local)})
	f.log.WarnContext(ctx, "provider failed", "provider", provider, "outcome", outcomeOf(err), "error", err.Error())
}

// skip notes that a provider was passed over: nothing new to whoever reads the log.
func (f *fallback) skip(ctx context.Context, provider string, local bool, err error) {
	f.failures = append(f.failures, failure{provider: provider, err: err, hopeless: hopeless(err, local)})
	f.log.DebugContext(ctx, "provider passed over", "provider", provider, "error", err.Error())
}

func (f *fallback) stopAt(err error) {
	if stop, ok := errors.AsType[*notBookedError](err); ok {
		f.stop = stop
	}
}

// outcomeOf names an error for the list of attempts and the ledger.
func outcomeOf(err error) string {
	if err == nil {
		return outcomeOK
	}
	if _, ok := errors.AsType[*replyError](err); ok {
		return outcomeInvalidReply
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded): // while waiting for a turn
		return string(sdk.KindTimeout)
	case errors.Is(err, context.Canceled):
		return string(sdk.KindCancelled)
	}
	return string(sdk.AsError(err).Kind)
}

// hopeless says that the same provider gives the same answer to the same document. A model may answer otherwise next time;
// character recognition does not.
func hopeless(err error, local bool) bool {
	switch outcomeOf(err) {
	case string(sdk.KindUnsupported), string(sdk.KindInvalidRequest), string(sdk.KindBlocked), string(sdk.KindTruncated):
		return true
	case outcomeInvalidReply, string(sdk.KindEmpty):
		return local
	}
	return errors.Is(err, errNoConsent)
}

// failure is the error of a request that no provider could answer. It is permanent when every provider's answer is final: the
// document cannot be read, or not without the user's consent. It asks for patience only when every provider that may yet answer
// says for how long: the shortest of their hints.
func (f *fallback) failure() error {
	e := &invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: sentenceUnavailable}
	causes := []error{errors.New("no provider could read the document")}
	permanent, unsupported, consent, hints := len(f.failures) > 0, len(f.failures) > 0, false, true
	for _, one := range f.failures {
		causes = append(causes, fmt.Errorf("%s: %w", one.provider, one.err))
		permanent = permanent && one.hopeless
		unsupported = unsupported && outcomeOf(one.err) == string(sdk.KindUnsupported)
		consent = consent || errors.Is(one.err, errNoConsent)
		if one.hopeless {
			continue
		}
		hint := sdk.AsError(one.err).RetryAfter
		switch {
		case hint <= 0:
			hints = false
		case e.RetryAfter == 0 || hint < e.RetryAfter:
			e.RetryAfter = hint
		}
	}
	if !hints {
		e.RetryAfter = 0
	}
	e.Cause = errors.Join(causes...)
	e.Permanent = permanent
	switch {
	case unsupported:
		e.Code, e.Message = invoice.CodeUnsupportedMedia, sentenceUnsupported
	case permanent && consent:
		e.Code, e.Message = invoice.CodeForbidden, sentenceConsent
	case permanent:
		e.Code, e.Message = invoice.CodeBadUserInput, sentenceUnreadable
	case consent:
		e.Message = sentenceLaterConsent
	}
	return e
}
