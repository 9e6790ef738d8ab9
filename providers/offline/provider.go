// Package offline is the provider that needs no key and no network: it takes the text of PDFs, reads pictures with Tesseract,
// and finds the purchase in the text with rules. What it cannot read it leaves empty; judging the purchase is the host's. It also
// puts findings into words, by templates.
package offline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/providers/offline/danfe"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	name = "offline"
	// version changes with the rules: readings of different versions may differ.
	version = "1.1.0"
	// rulesOnly is the model of a reply that took no character recognition.
	rulesOnly = "line rules"
	// describeTime bounds the look for the tool, so that Describe answers at once.
	describeTime = 2 * time.Second
	maxPages     = 50
)

// Config is what may be set. The zero value is right where Tesseract is installed by a package.
type Config struct {
	// Command is the Tesseract program: a name to be looked up or a path. Defaults to "tesseract".
	Command string
	// DataDir is where Tesseract's language data are. Defaults to the program's own folder.
	DataDir string
}

// Provider reads documents on this machine.
type Provider struct {
	tool tesseract
	// model is what Describe says; found once, so that it says the same always.
	model func() string
}

var _ sdk.Provider = (*Provider)(nil)

// New makes a provider. It starts nothing.
func New(cfg Config) *Provider {
	if cfg.Command == "" {
		cfg.Command = "tesseract"
	}
	tool := tesseract{command: cfg.Command, dataDir: cfg.DataDir}
	return &Provider{tool: tool, model: sync.OnceValue(func() string {
		// Of no caller: the answer is kept for all of them.
		ctx, cancel := context.WithTimeout(context.Background(), describeTime)
		defer cancel()
		v, err := tool.version(ctx)
		if err != nil {
			return rulesOnly
		}
		return "tesseract " + v + " " + language
	})}
}

// Describe says what the provider can do. Without Tesseract it takes pages with text alone, and its model is "line rules".
func (p *Provider) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: name, Version: version, Model: p.model(), Local: true, Streaming: true,
		MediaTypes: []string{"image/jpeg", "image/png", "text/plain"},
		Tasks:      []sdk.Task{sdk.TaskExtract, sdk.TaskAnalyze, sdk.TaskProbe},
	}, nil
}

// Check fails with KindUnavailable when Tesseract or its Portuguese data are not installed.
func (p *Provider) Check(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	_, err := p.tool.version(ctx)
	return err
}

// Generate answers TaskExtract with a Receipt, TaskAnalyze with Insights and TaskProbe with the words on the picture. Tesseract runs once for each picture,
// and once more for all of them when what was read does not add up.
func (p *Provider) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	if ctx.Err() != nil {
		return sdk.Result{}, ended(ctx)
	}
	if req.Task == sdk.TaskAnalyze {
		return write(ctx, req.Input, emit)
	}
	if err := accept(req); err != nil {
		return sdk.Result{}, err
	}
	pages, err := p.open(req.Pages)
	if err != nil {
		return sdk.Result{}, err
	}
	var send func(func(string) error) error
	switch req.Task {
	case sdk.TaskProbe:
		texts, err := p.texts(ctx, pages, probing())
		if err != nil {
			return sdk.Result{}, err
		}
		send = func(emit func(string) error) error {
			return emit(strings.Join(strings.Fields(strings.Join(texts, " ")), " "))
		}
	default:
		receipt, err := p.extract(ctx, pages)
		if err != nil {
			return sdk.Result{}, err
		}
		send = func(emit func(string) error) error { return emitReceipt(receipt, emit) }
	}
	return reply(ctx, p.modelOf(pages), send, emit)
}

// write answers TaskAnalyze.
func write(ctx context.Context, input string, emit func(string) error) (sdk.Result, error) {
	insights, err := analyze(input)
	if err != nil {
		return sdk.Result{}, err
	}
	return reply(ctx, templatesModel, func(emit func(string) error) error { return emitInsights(insights, emit) }, emit)
}

// reply has send give a reply piece by piece, and says how that ended.
func reply(ctx context.Context, model string, send func(func(string) error) error, emit func(string) error) (sdk.Result, error) {
	if err := send(func(text string) error {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return emit(text)
	}); err != nil {
		if _, ok := errors.AsType[*sdk.Error](err); ok {
			return sdk.Result{}, err
		}
		return sdk.Result{}, &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "the reply was not taken: " + err.Error()}
	}
	return sdk.Result{Model: model, FinishReason: sdk.FinishStop}, nil
}

func (p *Provider) modelOf(pages []page) string {
	for _, pg := range pages {
		if pg.picture != nil {
			return p.model()
		}
	}
	return rulesOnly
}

// accept refuses what the provider does not take.
func accept(req sdk.Request) error {
	if req.Task != sdk.TaskExtract && req.Task != sdk.TaskProbe {
		return &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: fmt.Sprintf("task %q is not supported", req.Task)}
	}
	if len(req.Pages) == 0 || len(req.Pages) > maxPages {
		return &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: fmt.Sprintf("%d pages: want 1 to %d", len(req.Pages), maxPages)}
	}
	return nil
}

// extract reads the pages, and reads the pictures again in another way when the purchase does not add up.
func (p *Provider) extract(ctx context.Context, pages []page) (sdk.Receipt, error) {
	var best sdk.Receipt
	for i, how := range passes() {
		texts, err := p.texts(ctx, pages, how)
		if err != nil {
			return sdk.Receipt{}, err
		}
		receipt := danfe.Parse(texts)
		if i == 0 {
			best = receipt
		} else {
			best = danfe.Merge(best, receipt)
		}
		if p.modelOf(pages) == rulesOnly || danfe.Complete(best) {
			break
		}
	}
	return best, nil
}

// emitReceipt sends the items one by one, so that the host counts them as they come, and then the rest.
func emitReceipt(r sdk.Receipt, emit func(string) error) error {
	if err := emit(`{"items":[`); err != nil {
		return err
	}
	for i, it := range r.Items {
		b, err := json.Marshal(it)
		if err != nil {
			return fmt.Errorf("encode item %d: %w", i+1, err)
		}
		piece := string(b)
		if i > 0 {
			piece = "," + piece
		}
		if err := emit(piece); err != nil {
			return err
		}
	}
	r.Items = nil
	b, err := json.Marshal(r) //nolint:gosec // an access key is printed on paper; it is no secret
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	// The items are out already.
	rest := strings.Replace(string(b), `"items":null,`, "", 1)
	return emit("]," + strings.TrimPrefix(rest, "{"))
}
