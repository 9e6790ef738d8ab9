package cost_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// step is a run with one measure more than the one before.
type step struct {
	Name string `json:"name"`
	bill

	set func(*measures)
}

func steps() []step {
	return []step{
		{Name: "the plan's baseline", set: func(*measures) {}},
		{Name: "one call for the 14 analyses", set: func(m *measures) { m.Batching = true }},
		{Name: "analyses for premium users from R$ 50", set: func(m *measures) { m.Conditional = true }},
		{Name: "Gemini direct", set: func(m *measures) { m.Direct = true }},
		{Name: "pictures scaled", set: func(m *measures) { m.Scaling = true }},
		{Name: "XML and PDF without a model", set: func(m *measures) { m.ModelFree = true }},
		{Name: "the state's record by the QR code", set: func(m *measures) { m.Official = true }},
		{Name: "duplicates recognised", set: func(m *measures) { m.Duplicates = true }},
		{Name: "replies cached for 72 h", set: func(m *measures) { m.Cache = true }},
		{Name: "the vendor's prompt cache", set: func(m *measures) { m.PromptCache = true }},
	}
}

// TestEachMeasureSavesAndAllTogetherMostOfTheBill runs the same people's month once for each measure.
func TestEachMeasureSavesAndAllTogetherMostOfTheBill(t *testing.T) { //nolint:tparallel // one after the other
	t.Parallel()
	w := newWorld(t)
	var m measures
	all := steps()
	for i := range all {
		all[i].set(&m)
		if !t.Run(all[i].Name, func(t *testing.T) { all[i].bill = w.step(t, m) }) {
			return
		}
	}
	if w.sampled() {
		all[0].bill = all[0].times(w.share()).plus(all[1].bill)
	}
	for i := range all[1:] {
		assert.LessOrEqual(t, all[i+1].CostMicroUSD, all[i].CostMicroUSD, "%s costs more than it saves", all[i+1].Name)
	}
	first, last := all[0], all[len(all)-1]
	assert.Greater(t, last.CachedInput, all[len(all)-2].CachedInput, "the vendor's cache is used, whatever it costs")
	assert.GreaterOrEqual(t, saved(first, last), target, "%v", last.bill)

	m.Cheapest = true
	cheapest := step{Name: "beyond the plan: OpenAI's gpt-6-luna first"}
	t.Run(cheapest.Name, func(t *testing.T) { cheapest.bill = w.run(t, m, w.families) })
	write(t, *out, newTable(w, all, cheapest))
}

// Fourteen calls for each of 10,000 purchases take longer than all the other runs together. Beyond sampleFrom invoices they are made
// for every tenth family, with and without the measure that ends them; the difference, times ten, is that measure's.
const (
	sampleFrom  = 2000
	sampleEvery = 10
)

func (w *world) sampled() bool { return *invoices > sampleFrom }

func (w *world) sample() []*family {
	var some []*family
	for i := 0; i < len(w.families); i += sampleEvery {
		some = append(some, w.families[i])
	}
	return some
}

// share is how many times the sample all submissions are.
func (w *world) share() float64 {
	n := 0
	for _, f := range w.sample() {
		n += len(f.submissions)
	}
	return float64(*invoices) / float64(n)
}

// step is a run of everybody; of fourteen calls for each analysis, with a sample, only what they cost beyond one.
func (w *world) step(t *testing.T, m measures) bill {
	t.Helper()
	if m.Batching || !w.sampled() {
		return w.run(t, m, w.families)
	}
	each := w.run(t, m, w.sample())
	m.Batching = true
	return each.plus(w.run(t, m, w.sample()).times(-1))
}

// target is what the plan wants saved, in percent of the baseline.
const target = 82.0

// saved is in percent of the first.
func saved(first, now step) float64 {
	return 100 - 100*float64(now.CostMicroUSD)/float64(first.CostMicroUSD)
}
