package providers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// ChainConfig says whom a Chain asks, in which order, and for how long. Zero durations take their defaults.
type ChainConfig struct {
	// Order is the providers, the first to be asked first.
	Order []Named
	// ProviderTimeout ends one call. Defaults to 90 s
	ProviderTimeout time.Duration
	// TotalTimeout ends the whole request, waiting included. Defaults to 4 min
	TotalTimeout time.Duration
	// DescribeTimeout ends the question what a provider can do, which is answered without the network; a provider whose process
	// is just being restarted may take longer. Defaults to 10 s
	DescribeTimeout time.Duration
	// Run bounds the calls of each provider; nil does not.
	Run Run
	// Judge counts the checks of the ledger that a draft passes and fails; nil accepts every draft.
	Judge Judge
	// Redactor cleans replies and errors. Defaults to one that knows the shapes of keys only
	Redactor *Redactor
	Now      func() time.Time // Defaults to time.Now
	Log      *slog.Logger
}

// Named is a provider under the name that it has in settings, logs and attempts.
type Named struct {
	Name     string
	Provider sdk.Provider
}

// Judge counts the checks of the ledger that a draft passes and fails. qr is nil when no QR code was read.
type Judge func(draft invoice.Draft, qr *fiscal.QR) (passed, failed int)

// Chain asks providers in order until one reads the document such that the ledger accepts it, and keeps the best reading.
type Chain struct {
	config ChainConfig
	prompt prompts.Prompt
}

var _ invoice.Extractor = (*Chain)(nil)

// NewChain fails when the prompt that is built in cannot be loaded.
func NewChain(config ChainConfig) (*Chain, error) {
	prompt, err := prompts.Extract()
	if err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	if config.ProviderTimeout <= 0 {
		config.ProviderTimeout = 90 * time.Second
	}
	if config.TotalTimeout <= 0 {
		config.TotalTimeout = 4 * time.Minute
	}
	if config.DescribeTimeout <= 0 {
		config.DescribeTimeout = 10 * time.Second
	}
	if config.Redactor == nil {
		config.Redactor = NewRedactor()
	}
	if config.Judge == nil {
		config.Judge = func(invoice.Draft, *fiscal.QR) (int, int) { return 1, 0 }
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Chain{config: config, prompt: prompt}, nil
}

// Extract asks the providers in their order. See invoice.Extractor for what observe and the error are.
func (c *Chain) Extract(
	ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress),
) (invoice.Extraction, error) {
	if len(req.Pages) == 0 {
		return invoice.Extraction{}, &invoice.ExtractionError{
			Code: invoice.CodeBadUserInput, Message: sentenceUnreadable, Permanent: true, Cause: errors.New("no pages"),
		}
	}
	total, cancel := context.WithTimeout(ctx, c.config.TotalTimeout)
	defer cancel()
	run := &fallback{
		chain: c, pages: req.Pages, qr: req.QR, observe: observe,
		log: c.config.Log.With("invoice_id", req.InvoiceID),
	}
	run.all(total)
	extraction := invoice.Extraction{Attempts: run.attempts}
	switch {
	case ctx.Err() != nil:
		return extraction, ctx.Err()
	case run.best == nil:
		return extraction, run.failure()
	}
	extraction.Draft, extraction.Source = run.best.draft, run.best.source
	return extraction, nil
}

// request is what every provider is asked.
func (c *Chain) request(pages []invoice.DocumentPage) sdk.Request {
	req := sdk.Request{
		Task: sdk.TaskExtract, Instructions: c.prompt.Instructions, Schema: c.prompt.Schema, SchemaName: c.prompt.SchemaName,
	}
	for _, p := range pages {
		req.Pages = append(req.Pages, sdk.Page{MediaType: p.MediaType, Data: p.Data, Text: p.Text})
	}
	return req
}

// ask is how a provider is called: its turn, its time, its reply in one piece, and everything clean.
func (c *Chain) ask(n Named) call {
	return redact(c.config.Redactor, limit(c.config.Run, n.Name, within(c.config.ProviderTimeout, collect(n.Provider))))
}

// describe asks a provider what it can do.
func (c *Chain) describe(ctx context.Context, n Named) (sdk.Description, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.DescribeTimeout)
	defer cancel()
	d, err := n.Provider.Describe(ctx)
	if err != nil {
		return d, c.config.Redactor.Error(sdk.AsError(err))
	}
	return d, nil
}

// takes says whether a provider can read all of the pages, as pictures or as text.
func takes(d sdk.Description, pages []invoice.DocumentPage) bool {
	if !slices.Contains(d.Tasks, sdk.TaskExtract) {
		return false
	}
	has := func(media string) bool {
		media, _, _ = strings.Cut(media, ";")
		return slices.Contains(d.MediaTypes, strings.TrimSpace(media))
	}
	for _, p := range pages {
		picture, text := len(p.Data) > 0 && has(p.MediaType), p.Text != "" && has("text/plain")
		if !picture && !text {
			return false
		}
	}
	return true
}
