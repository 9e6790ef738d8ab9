package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	outcomeOK           = "ok"
	outcomeInvalidReply = "invalid_reply"
)

// errNoConsent is why a provider abroad was passed over.
var errNoConsent = errors.New("the user has not consented to this provider")

// fallback is one request's way through the providers, whatever its task.
type fallback struct {
	chain     *Chain
	errand    errand
	say       wording
	userID    string
	invoiceID string
	request   sdk.Request // what every provider is asked
	may       permissions
	observe   func(invoice.Progress)
	log       *slog.Logger

	described map[string]described
	attempts  []invoice.Attempt
	failures  []failure
	// stop ends the request before all providers were asked: a call could not be booked.
	stop *notBookedError
}

// errand is the task of a request: how a provider is asked, and what its replies are worth.
type errand interface {
	// ask has one provider do it, and keeps the answer if it is the best so far. An error says that it gave none.
	ask(ctx context.Context, m *member, desc sdk.Description) error
	// answered says that there is an answer, and sound that nobody need better it.
	answered() bool
	sound() bool
	// beyond says that the provider could not better the answer that there is.
	beyond(desc sdk.Description) bool
	// encode is the answer in the form in which it is shared, and whether it may be kept for later requests.
	encode() (value []byte, keep bool, err error)
}

// described is what a provider said that it can do.
type described struct {
	desc sdk.Description
	err  error
}

// failure is why one provider gave nothing.
type failure struct {
	provider string
	err      error
	// hopeless says that the same document would fail with this provider again.
	hopeless bool
}

// all asks one provider after the other until there is a sound answer. It is the innermost work of a request.
func (f *fallback) all(ctx context.Context, observe func(invoice.Progress)) result {
	f.observe = observe
	for _, m := range f.order(ctx) {
		if ctx.Err() != nil {
			if !f.errand.answered() {
				f.fail(ctx, m.Name, false, &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameHost, Message: "no time left"})
			}
			break
		}
		f.provider(ctx, m)
		if f.stop != nil || f.errand.sound() {
			break
		}
	}
	res := result{from: fromProvider, attempts: f.attempts}
	switch {
	case f.errand.answered():
		res.value, res.keep, res.err = f.errand.encode()
	case f.stop != nil:
		res.err, res.private = f.stop.forCaller()
	default:
		res.err = f.failure()
	}
	return res
}

// order is the providers in the order in which to ask them.
func (f *fallback) order(ctx context.Context) []*member {
	cheaper := f.chain.config.Cheaper
	if cheaper == nil {
		return f.may.members
	}
	order := slices.Clone(f.may.members)
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
	case !takes(desc, f.request.Task, f.request.Pages):
		f.skip(ctx, m.Name, desc.Local, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "does not take this task or these pages"})
	case !f.may.use(desc):
		f.skip(ctx, m.Name, false, errNoConsent)
	case f.errand.beyond(desc):
	default:
		if err := f.errand.ask(ctx, m, desc); err != nil {
			f.fail(ctx, m.Name, desc.Local, err)
		}
	}
}

// call asks a provider once; trying again in between is part of it. model is what answered.
func (f *fallback) call(
	ctx context.Context, m *member, desc sdk.Description, req sdk.Request, ok usable,
) (usage sdk.Usage, model string, err error) {
	plan := func(req sdk.Request) Call {
		return f.row(m.Name, desc.Model, desc.Local, len(f.attempts)+1, req, f.chain.config.Now())
	}
	attempt := func(next call) call { return f.attempting(m.Name, desc.Model, next) }
	res, err := f.chain.ask(m, plan, ok, attempt)(ctx, req, func(int) {})
	if err != nil {
		return sdk.Usage{}, "", err
	}
	if model = res.result.Model; model == "" {
		model = desc.Model
	}
	return res.result.Usage, model, nil
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
		UserID: f.userID, InvoiceID: f.invoiceID, Task: req.Task, Provider: provider, Model: model, Local: local,
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

// failure is the error of a request that no provider could answer. It is permanent when every provider's answer is final: it
// cannot be done, or not without the user's consent. It asks for patience only when every provider that may yet answer says for
// how long: the shortest of their hints.
func (f *fallback) failure() error {
	e := &invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: f.say.unavailable}
	causes := []error{errors.New(f.say.nobody)}
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
		e.Code, e.Message = f.say.unsupportedCode, f.say.unsupported
	case permanent && consent:
		e.Code, e.Message = invoice.CodeForbidden, f.say.consent
	case permanent:
		e.Code, e.Message = f.say.impossibleCode, f.say.impossible
	case consent:
		e.Message = f.say.laterConsent
	}
	return e
}
