package usage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Tokens is what a call used.
type Tokens struct {
	Input       int64 // all of the prompt
	CachedInput int64 // of Input, read from the vendor's cache
	CacheWrite  int64 // of Input, written to the vendor's cache
	Output      int64 // all that is billed as output, thinking included
	Thinking    int64 // of Output
}

// maxTokens bounds one count. No call comes near it; a plugin that counts absurdly must not make sums wrap around.
const maxTokens = 1_000_000_000

// sane puts counts that contradict each other in order, without making the call cheaper than its parts.
func (t Tokens) sane() Tokens {
	for _, n := range []*int64{&t.Input, &t.CachedInput, &t.CacheWrite, &t.Output, &t.Thinking} {
		*n = min(max(*n, 0), maxTokens)
	}
	t.Input = max(t.Input, t.CachedInput+t.CacheWrite)
	t.Output = max(t.Output, t.Thinking)
	return t
}

// none says that nothing was counted: the vendor said nothing, or nothing was used.
func (t Tokens) none() bool { return t.Input == 0 && t.Output == 0 }

// Rate is US dollars for a million tokens: times a number of tokens, micro-dollars.
type Rate struct {
	Input       decimal.Decimal
	CachedInput decimal.Decimal
	CacheWrite  decimal.Decimal
	Output      decimal.Decimal
}

// cost is exact, without fee, in micro-dollars.
func (r Rate) cost(t Tokens) decimal.Decimal {
	times := func(rate decimal.Decimal, n int64) decimal.Decimal { return rate.Mul(decimal.NewFromInt(n)) }
	return decimal.Sum(
		times(r.Input, t.Input-t.CachedInput-t.CacheWrite), times(r.CachedInput, t.CachedInput),
		times(r.CacheWrite, t.CacheWrite), times(r.Output, t.Output),
	)
}

// Tier is the rate of calls whose prompt has at most UpTo tokens, all of the call and not only the tokens below that.
type Tier struct {
	UpTo int64 // tokens of the prompt, cached ones included; 0: however many
	Rate Rate
}

// Price is what a model costs from a moment on, until the model's next Price.
type Price struct {
	From  time.Time
	Tiers []Tier // by size; the last has no bound
}

func (p Price) rate(prompt int64) Rate {
	for _, t := range p.Tiers {
		if t.UpTo == 0 || prompt <= t.UpTo {
			return t.Rate
		}
	}
	return p.Tiers[len(p.Tiers)-1].Rate
}

// Provider is the price list of one provider.
type Provider struct {
	// FeePercent is added to every call, also to a figure of the vendor's own: what credit costs beyond its value.
	FeePercent decimal.Decimal
	Models     map[string][]Price
}

// Prices is the price lists of all providers, by name. It does not change.
type Prices struct{ providers map[string]Provider }

// maxRate is beyond every price, in US dollars for a million tokens; a figure above it is a slip.
const maxRate = 1_000_000

// NewPrices fails with every fault of the lists, joined, each with its place.
func NewPrices(providers map[string]Provider) (*Prices, error) {
	var errs []error
	fault := func(place, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %w", place, fmt.Errorf(format, args...)))
	}
	p, models := &Prices{providers: map[string]Provider{}}, 0
	for _, name := range slices.Sorted(maps.Keys(providers)) {
		list := providers[name]
		if name == "" {
			fault("provider", "has no name")
		}
		if list.FeePercent.IsNegative() || list.FeePercent.GreaterThan(decimal.NewFromInt(100)) {
			fault(name, "the fee must be from 0 to 100 per cent")
		}
		kept := Provider{FeePercent: list.FeePercent, Models: map[string][]Price{}}
		for _, model := range slices.Sorted(maps.Keys(list.Models)) {
			models++
			prices := slices.Clone(list.Models[model])
			slices.SortStableFunc(prices, func(a, b Price) int { return a.From.Compare(b.From) })
			checkModel(name+" "+model, model, prices, fault)
			kept.Models[model] = prices
		}
		p.providers[name] = kept
	}
	if models == 0 {
		fault("prices", "there are none")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func checkModel(place, model string, prices []Price, fault func(string, string, ...any)) {
	if strings.TrimSpace(model) == "" {
		fault(place, "a model has no name")
	}
	if len(prices) == 0 {
		fault(place, "has no price")
	}
	for i, price := range prices {
		at := place + " from " + price.From.Format(time.DateOnly)
		if i > 0 && !price.From.IsZero() && price.From.Equal(prices[i-1].From) {
			fault(at, "there is another price from that day on")
		}
		if len(price.Tiers) == 0 {
			fault(at, "has no rate")
		}
		for k, tier := range price.Tiers {
			last := k == len(price.Tiers)-1
			switch {
			case last && tier.UpTo != 0:
				fault(at, "the last tier must have no bound")
			case !last && tier.UpTo <= 0:
				fault(at, "tier %d needs a bound above zero, as all but the last do", k+1)
			case !last && k > 0 && tier.UpTo <= price.Tiers[k-1].UpTo:
				fault(at, "tier %d must go further than the one before", k+1)
			}
			for _, rate := range []decimal.Decimal{tier.Rate.Input, tier.Rate.CachedInput, tier.Rate.CacheWrite, tier.Rate.Output} {
				if rate.IsNegative() || rate.GreaterThan(decimal.NewFromInt(maxRate)) {
					fault(at, "a rate of tier %d is not from 0 to %d dollars", k+1, maxRate)
					break
				}
			}
		}
	}
}

// Cost is what a call at a moment costs by the list, its fee included; false when the list does not know.
func (p *Prices) Cost(provider, model string, at time.Time, t Tokens) (MicroUSD, bool) {
	price, ok := p.find(provider, model, at)
	if !ok {
		return 0, false
	}
	t = t.sane()
	return p.withFee(provider, price.rate(t.Input).cost(t)), true
}

// Billed is what a call costs by the vendor's own figure. The fee comes on top: vendors count credits, and credits were bought
// for more than their value.
func (p *Prices) Billed(provider string, figure MicroUSD) MicroUSD {
	return p.withFee(provider, decimal.NewFromInt(int64(figure)))
}

// Dearest is what a call to a model without a price costs at most: by the dearest model of the provider, or, when the list has
// none of it, of all providers.
func (p *Prices) Dearest(provider string, at time.Time, t Tokens) MicroUSD {
	names := []string{provider}
	if len(p.providers[provider].Models) == 0 {
		names = slices.Collect(maps.Keys(p.providers))
	}
	t = t.sane()
	var most MicroUSD
	for _, name := range names {
		for _, prices := range p.providers[name].Models {
			price, ok := inForce(prices, at)
			if !ok {
				price = prices[0] // none yet: the first to come
			}
			most = max(most, p.withFee(name, price.rate(t.Input).cost(t)))
		}
	}
	return most
}

// withFee adds the provider's fee and rounds up, the one rounding there is.
func (p *Prices) withFee(provider string, micros decimal.Decimal) MicroUSD {
	fee := p.providers[provider].FeePercent
	if !fee.IsZero() {
		micros = micros.Mul(decimal.NewFromInt(100).Add(fee)).Shift(-2)
	}
	up := micros.Ceil()
	if up.GreaterThan(decimal.NewFromInt(int64(maxMicroUSD))) {
		return maxMicroUSD
	}
	return MicroUSD(up.IntPart())
}

// find knows a model by its name, and a dated snapshot ("gpt-6-luna-2026-09-01", "gemini-3.5-flash-lite-001"), which is what
// vendors answer with, by the name without its date.
func (p *Prices) find(provider, model string, at time.Time) (Price, bool) {
	models := p.providers[provider].Models
	if prices, ok := models[model]; ok {
		return inForce(prices, at)
	}
	const shortestDate = 3
	var best string
	for name := range models {
		rest, ok := strings.CutPrefix(model, name+"-")
		if ok && len(rest) >= shortestDate && strings.Trim(rest, "0123456789-") == "" && len(name) > len(best) {
			best = name
		}
	}
	return inForce(models[best], at)
}

// inForce is the newest price that has begun; false when none has.
func inForce(prices []Price, at time.Time) (Price, bool) {
	for _, price := range slices.Backward(prices) {
		if !price.From.After(at) {
			return price, true
		}
	}
	return Price{}, false
}
