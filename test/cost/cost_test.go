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
func TestEachMeasureSavesAndAllTogetherMostOfTheBill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var m measures
	all := steps()
	for i := range all {
		all[i].set(&m)
		if !t.Run(all[i].Name, func(t *testing.T) { all[i].bill = w.run(t, m) }) {
			return
		}
		if i > 0 {
			assert.LessOrEqual(t, all[i].CostMicroUSD, all[i-1].CostMicroUSD, "%s costs more than it saves", all[i].Name)
		}
	}
	first, last := all[0], all[len(all)-1]
	assert.Greater(t, last.CachedInput, all[len(all)-2].CachedInput, "the vendor's cache is used, whatever it costs")
	assert.GreaterOrEqual(t, saved(first, last), target, "%v", last.bill)

	m.Cheapest = true
	cheapest := step{Name: "beyond the plan: OpenAI's gpt-6-luna first"}
	t.Run(cheapest.Name, func(t *testing.T) { cheapest.bill = w.run(t, m) })
	write(t, *out, newTable(w, all, cheapest))
}

// target is what the plan wants saved, in percent of the baseline.
const target = 82.0

// saved is in percent of the first.
func saved(first, now step) float64 {
	return 100 - 100*float64(now.CostMicroUSD)/float64(first.CostMicroUSD)
}
