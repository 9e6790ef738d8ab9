// Package pricefile reads the file that says what models cost; its form is described at its head, in
// internal/usage/prices.yaml. What prices mean is left to package usage.
package pricefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"

	"github.com/mercadoesperto/smarket/internal/usage"
)

// maxSize of a price file in bytes; the built-in one has some thousand.
const maxSize = 1 << 20

// Load reads the file at path; the prices that are built in when path is "".
func Load(path string) (*usage.Prices, error) {
	if path == "" {
		return Parse([]byte(usage.BuiltInPrices()))
	}
	f, err := os.Open(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		return nil, fmt.Errorf("open the price file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the price file: %w", err)
	}
	return Parse(text)
}

// Parse fails with every fault of the file, joined, each with its place. Where YAML itself is at fault, those of YAML alone.
func Parse(text []byte) (*usage.Prices, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("the price file is larger than %d bytes", maxSize)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the price file: %w", err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("read the price file: it goes on after its end")
	}
	var r reader
	lists := map[string]usage.Provider{}
	for _, name := range slices.Sorted(maps.Keys(f.Providers)) {
		lists[name] = r.provider(name, f.Providers[name])
	}
	prices, err := usage.NewPrices(lists)
	if err = errors.Join(append(r.errs, err)...); err != nil {
		return nil, fmt.Errorf("the price file is wrong: %w", err)
	}
	return prices, nil
}

// Figures are read as the text they are: a float would not be exact.
type (
	file struct {
		Providers map[string]provider `yaml:"providers"`
	}
	provider struct {
		Fee    *string            `yaml:"credit_fee_percent"`
		Models map[string][]price `yaml:"models"`
	}
	price struct {
		From  *string `yaml:"from"`
		Rate  rate    `yaml:",inline"`
		Tiers []tier  `yaml:"tiers"`
	}
	tier struct {
		UpTo *string `yaml:"up_to_prompt_tokens"`
		Rate rate    `yaml:",inline"`
	}
	rate struct {
		Input       *string `yaml:"input"`
		CachedInput *string `yaml:"cached_input"`
		CacheWrite  *string `yaml:"cache_write"`
		Output      *string `yaml:"output"`
	}
)

// reader collects what is wrong and goes on.
type reader struct{ errs []error }

func (r *reader) fault(place, problem string) {
	r.errs = append(r.errs, errors.New(place+": "+problem))
}

func (r *reader) provider(name string, in provider) usage.Provider {
	out := usage.Provider{Models: map[string][]usage.Price{}}
	if in.Fee != nil {
		out.FeePercent = r.number(name+" credit_fee_percent", in.Fee)
	}
	if len(in.Models) == 0 {
		r.fault(name, "has no models")
	}
	for _, model := range slices.Sorted(maps.Keys(in.Models)) {
		prices := []usage.Price{}
		for i, p := range in.Models[model] {
			place := fmt.Sprintf("%s %s, price %d", name, model, i+1)
			prices = append(prices, usage.Price{From: r.day(place+": from", p.From), Tiers: r.tiers(place, p)})
		}
		out.Models[model] = prices
	}
	return out
}

func (r *reader) tiers(place string, in price) []usage.Tier {
	if len(in.Tiers) == 0 {
		return []usage.Tier{{Rate: r.rate(place, in.Rate)}}
	}
	if in.Rate != (rate{}) {
		r.fault(place, "has both rates and tiers")
	}
	var out []usage.Tier
	for i, t := range in.Tiers {
		at := fmt.Sprintf("%s, tier %d", place, i+1)
		tier := usage.Tier{Rate: r.rate(at, t.Rate)}
		if t.UpTo != nil {
			bound := r.number(at+": up_to_prompt_tokens", t.UpTo)
			if tier.UpTo = bound.IntPart(); !bound.IsInteger() || tier.UpTo == 0 {
				r.fault(at+": up_to_prompt_tokens", "must be a whole number above zero")
			}
		}
		out = append(out, tier)
	}
	return out
}

func (r *reader) rate(place string, in rate) usage.Rate {
	out := usage.Rate{Input: r.number(place+": input", in.Input), Output: r.number(place+": output", in.Output)}
	out.CachedInput, out.CacheWrite = out.Input, out.Input
	if in.CachedInput != nil {
		out.CachedInput = r.number(place+": cached_input", in.CachedInput)
	}
	if in.CacheWrite != nil {
		out.CacheWrite = r.number(place+": cache_write", in.CacheWrite)
	}
	return out
}

// number reads digits with at most one point between them.
func (r *reader) number(place string, text *string) decimal.Decimal {
	if text == nil {
		r.fault(place, "is missing")
		return decimal.Zero
	}
	d, ok := usage.PlainDecimal(*text)
	if !ok {
		r.fault(place, "must be a plain number, such as 0.30")
		return decimal.Zero
	}
	return d
}

func (r *reader) day(place string, text *string) time.Time {
	if text == nil {
		r.fault(place, "is missing")
		return time.Time{}
	}
	at, err := time.Parse(time.DateOnly, *text)
	if err != nil {
		r.fault(place, "must be a day, such as 2026-10-01")
	}
	return at
}
