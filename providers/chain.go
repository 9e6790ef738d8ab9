package providers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// ChainConfig says whom a Chain asks, in which order, for how long and at whose expense. Zero durations take their defaults;
// what is nil is done without.
type ChainConfig struct {
	// Order is the providers, the first to be asked first.
	Order []Named
	// Cheaper reorders them for each request, as slices.SortStableFunc would: negative when a is to be asked before b. A
	// provider that cannot be described comes last. nil keeps Order.
	Cheaper func(a, b sdk.Description) int

	// ProviderTimeout ends one call. Defaults to 90 s
	ProviderTimeout time.Duration
	// TotalTimeout ends the whole request, waiting included; it must be shorter than what the caller has. Defaults to 4 min
	TotalTimeout time.Duration
	// DescribeTimeout ends the question what a provider can do, which is answered without the network; a provider whose process
	// is just being restarted may take longer. Defaults to 10 s
	DescribeTimeout time.Duration
	// Run bounds the calls of each provider.
	Run Run
	// Retry is how a provider is asked again.
	Retry Retry
	// Breaker is when a provider is not asked for a while.
	Breaker Breaker

	// Checks is the ledger: what it has for and against a draft. Defaults to invoice.RunChecks
	Checks Checks

	// Replies keeps accepted readings.
	Replies Replies
	// CacheTTL is how long a reading is kept; 0 keeps none.
	CacheTTL time.Duration
	// Flights lets equal requests of several processes share one answer. Those of one process do so in any case.
	Flights Flights
	// Ledger accounts for calls.
	Ledger Ledger
	// Consents says which providers may see a user's documents; nil allows all.
	Consents Consents

	// Answered is told how each request was answered: "ok" (by a provider), "cached", "shared" (by an equal request that was
	// under way) or "failed". nil is nobody.
	Answered func(task sdk.Task, origin string)

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

// Checks is what the ledger has for and against a draft. qr is nil when no QR code was read.
type Checks func(draft invoice.Draft, qr *fiscal.QR) []invoice.Check

// Chain asks providers in order until one does what a request is about: reads a document such that the ledger accepts it (the
// best reading is kept), or puts findings into words.
//
// A request goes through decorators, the outer ones first:
//
//	cache > one flight > cache > fallback, and for each provider
//	retry > attempt > limit > breaker > account > usable > time > redact
//
// The cache comes twice since whoever waited to lead a flight may find the answer there. Redaction, which one would look for
// at the outside, is next to the provider: everything else (the cache, the ledger, attempts, logs, errors) then never sees
// what it takes out. The breaker and the accounts are inside the limit, so that a call that has waited for its turn behind
// others is not made when they have opened the breaker, and no budget is booked while it waits.
type Chain struct {
	config  ChainConfig
	prompt  prompts.Prompt
	repair  prompts.Prompt
	analyze prompts.Prompt
	members []*member // all, in the order of the configuration
	// lineup is who is asked, in this order. A request keeps the one that it began with.
	lineup  atomic.Pointer[[]*member]
	flights flights
	codec   *codec
	// question is the part of the cache's keys that all readings have in common, and wordsQuestion that of all words.
	question, wordsQuestion string
}

// member is a provider and what the chain remembers of it.
type member struct {
	Named

	breaker *breaker
	retries retryBudget
}

var (
	_ invoice.Extractor = (*Chain)(nil)
	_ insight.Writer    = (*Chain)(nil)
)

// NewChain fails when the prompts that are built in cannot be loaded.
func NewChain(config ChainConfig) (*Chain, error) {
	c := &Chain{config: withDefaults(config)}
	var err error
	if c.prompt, err = prompts.Extract(); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	if c.repair, err = prompts.Repair(); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	if c.analyze, err = prompts.Analyze(); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	if c.codec, err = newCodec(); err != nil {
		return nil, fmt.Errorf("chain: %w", err)
	}
	c.question = question(answerVersion, c.prompt, c.repair)
	c.wordsQuestion = question(wordsVersion, c.analyze)
	for _, n := range config.Order {
		m := &member{Named: n, breaker: newBreaker(c.config.Breaker, n.Name, c.config.Log)}
		m.retries.fill()
		c.members = append(c.members, m)
	}
	c.lineup.Store(&c.members)
	return c, nil
}

// Arrange says which of the configured providers are asked from now on, in which order. Names that are not configured are passed
// over. Requests under way, and calls that they still make, go on as they began.
func (c *Chain) Arrange(names []string) {
	var lineup []*member
	for _, name := range names {
		i := slices.IndexFunc(c.members, func(m *member) bool { return m.Name == name })
		if i >= 0 && !slices.Contains(lineup, c.members[i]) {
			lineup = append(lineup, c.members[i])
		}
	}
	c.lineup.Store(&lineup)
}

func withDefaults(config ChainConfig) ChainConfig {
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
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Checks == nil {
		now := config.Now
		config.Checks = func(draft invoice.Draft, qr *fiscal.QR) []invoice.Check {
			return invoice.RunChecks(invoice.CheckInput{Draft: &draft, QR: qr, Now: now()})
		}
	}
	if config.Answered == nil {
		config.Answered = func(sdk.Task, string) {}
	}
	config.Retry, config.Breaker = config.Retry.withDefaults(), config.Breaker.withDefaults()
	return config
}

// Breakers is the state of each provider's circuit breaker by the provider's name: closed (it is asked), open (it is not), or
// half-open (one request tries whether it answers again).
func (c *Chain) Breakers() map[string]string {
	states := make(map[string]string, len(c.members))
	for _, m := range c.members {
		states[m.Name] = m.breaker.state()
	}
	return states
}

// ask is how a provider is called, for any task. plan is the row of the next call in the ledger, usable says what cannot be
// used about a reply, and each call goes through attempt.
func (c *Chain) ask(m *member, plan func(sdk.Request) Call, usable usable, attempt func(call) call) call {
	once := redact(c.config.Redactor, collect(m.Provider))
	once = checked(usable, within(c.config.ProviderTimeout, once))
	once = c.accounted(plan, once)
	once = limit(c.config.Run, m.Name, m.breaker.guard(once))
	return c.config.Retry.retrying(m, attempt(once))
}

// describe asks a provider what it can do.
func (c *Chain) describe(ctx context.Context, m *member) (sdk.Description, error) {
	inner, cancel := context.WithTimeout(ctx, c.config.DescribeTimeout)
	defer cancel()
	d, err := m.Provider.Describe(inner)
	if err != nil {
		clean := c.config.Redactor.Error(sdk.AsError(err))
		m.breaker.failed(ctx, clean)
		return d, clean
	}
	d.Name = m.Name // whatever the plugin calls itself
	return d, nil
}

// takes says whether a provider can do a task with all of the pages, as pictures or as text.
func takes(d sdk.Description, task sdk.Task, pages []sdk.Page) bool {
	if !slices.Contains(d.Tasks, task) {
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
