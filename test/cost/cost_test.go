package cost_test

import (
	"testing"
	"time"

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
		{Name: "the state's record by QR code", set: func(m *measures) { m.Official = true }},
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
		started := time.Now()
		all[i].set(&m)
		t.Run(all[i].Name, func(t *testing.T) { //nolint:tparallel // one after the other
			all[i].bill = w.run(t, m)
			t.Logf("%+v in %s", all[i].bill, time.Since(started).Round(time.Millisecond))
		})
	}
}
