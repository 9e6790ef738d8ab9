package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// What the family is told when no provider could read a document. Which provider failed, and why, is for the operator: it is in
// the error's cause, the log and the attempts.
const (
	sentenceUnsupported = "Nenhum leitor disponível consegue ler este tipo de arquivo."
	sentenceUnreadable  = "Não foi possível ler a nota. Envie uma foto mais nítida, de perto, reta e sem sombras."
	sentenceUnavailable = "A leitura de notas está indisponível agora. Tente de novo mais tarde."
)

const (
	outcomeOK           = "ok"
	outcomeInvalidReply = "invalid_reply"
)

// fallback is one request's way through the providers.
type fallback struct {
	chain   *Chain
	pages   []invoice.DocumentPage
	qr      *fiscal.QR
	observe func(invoice.Progress)
	log     *slog.Logger

	attempts []invoice.Attempt
	failures []failure
	best     *reading
}

// reading is a draft that a provider gave and what the ledger says of it.
type reading struct {
	draft          invoice.Draft
	source         invoice.Source
	local          bool
	passed, failed int
}

// better prefers fewer failed checks, then more passed ones; of equals the earlier.
func (r *reading) better(than *reading) bool {
	if than == nil || r.failed != than.failed {
		return than == nil || r.failed < than.failed
	}
	return r.passed > than.passed
}

// failure is why one provider gave nothing.
type failure struct {
	provider string
	err      error
	// hopeless says that the same document would fail with this provider again.
	hopeless bool
}

// all asks one provider after the other until a reading passes every check.
func (f *fallback) all(ctx context.Context) {
	for _, n := range f.chain.config.Order {
		if ctx.Err() != nil {
			if f.best == nil {
				f.fail(n.Name, false, &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameHost, Message: "no time left"})
			}
			return
		}
		desc, err := f.chain.describe(ctx, n)
		if err != nil {
			f.attempts = append(f.attempts, f.attempt(n.Name, "", f.chain.config.Now(), 0, err))
			f.fail(n.Name, false, err)
			continue
		}
		if !takes(desc, f.pages) {
			f.fail(n.Name, desc.Local, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "does not take these pages"})
			continue
		}
		if f.best != nil && !f.best.local && desc.Local {
			continue // character recognition does not better what a model made of a picture
		}
		f.one(ctx, n, desc)
		if f.best != nil && f.best.failed == 0 {
			return
		}
	}
}

// one asks one provider.
func (f *fallback) one(ctx context.Context, n Named, desc sdk.Description) {
	progress := invoice.Progress{Provider: n.Name, Attempt: len(f.attempts) + 1}
	f.observe(progress)
	started := f.chain.config.Now()
	res, err := f.chain.ask(n)(ctx, f.chain.request(f.pages), func(items int) {
		progress.ItemsFound = items
		f.observe(progress)
	})
	var draft invoice.Draft
	if err == nil {
		draft, err = draftFromReply(res.text, f.qr)
	}
	model := res.result.Model
	if model == "" {
		model = desc.Model
	}
	f.attempts = append(f.attempts, f.attempt(n.Name, model, started, len(draft.Items), err))
	if err != nil {
		f.fail(n.Name, desc.Local, err)
		return
	}
	r := &reading{draft: draft, source: invoice.SourceModel, local: desc.Local}
	if desc.Local {
		r.source = invoice.SourceOCR
	}
	r.passed, r.failed = f.chain.config.Judge(draft, f.qr)
	f.log.InfoContext(ctx, "provider answered", "provider", n.Name, "items", len(draft.Items),
		"checks_passed", r.passed, "checks_failed", r.failed, "input_tokens", res.result.Usage.InputTokens,
		"output_tokens", res.result.Usage.OutputTokens)
	if r.better(f.best) {
		f.best = r
	}
}

func (f *fallback) attempt(provider, model string, started time.Time, items int, err error) invoice.Attempt {
	return invoice.Attempt{
		Provider: provider, Model: model, Outcome: outcome(err), Items: items,
		StartedAt: started, FinishedAt: f.chain.config.Now(),
	}
}

func (f *fallback) fail(provider string, local bool, err error) {
	f.failures = append(f.failures, failure{provider: provider, err: err, hopeless: hopeless(err, local)})
	f.log.Warn("provider failed", "provider", provider, "outcome", outcome(err), "error", err.Error())
}

// outcome names an error for the list of attempts.
func outcome(err error) string {
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
	switch outcome(err) {
	case string(sdk.KindUnsupported), string(sdk.KindInvalidRequest), string(sdk.KindBlocked), string(sdk.KindTruncated):
		return true
	case outcomeInvalidReply, string(sdk.KindEmpty):
		return local
	}
	return false
}

// failure is the error of a request that no provider could answer. It is permanent when every provider's answer is final. It
// asks for patience only when every provider that may yet answer says for how long: the shortest of their hints.
func (f *fallback) failure() error {
	e := &invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: sentenceUnavailable}
	causes := []error{errors.New("no provider could read the document")}
	permanent, unsupported, hints := len(f.failures) > 0, len(f.failures) > 0, true
	for _, one := range f.failures {
		causes = append(causes, fmt.Errorf("%s: %w", one.provider, one.err))
		permanent = permanent && one.hopeless
		unsupported = unsupported && outcome(one.err) == string(sdk.KindUnsupported)
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
	if permanent {
		e.Permanent, e.Code, e.Message = true, invoice.CodeBadUserInput, sentenceUnreadable
	}
	if unsupported {
		e.Code, e.Message = invoice.CodeUnsupportedMedia, sentenceUnsupported
	}
	return e
}
