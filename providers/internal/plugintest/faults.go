package plugintest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// hint is the wait that the stub asks for where it does; minute is so long that no machine's slowness is mistaken for it.
const hint = 90 * time.Second

// Expectation is what becomes of a fault.
type Expectation struct {
	Fault llmstub.Fault
	// Kind of the error; "" for a reply that the plugin passes on, because only the host can judge it.
	Kind       sdk.Kind
	Status     int // of the error
	RetryAfter bool
	RetryAt    bool // the hint is a date
	Finish     sdk.FinishReason
	// Ends says that the fault lasts until the caller's deadline.
	Ends bool
	// Paid says that the call's usage is known.
	Paid bool
}

// Faults runs a subtest for each expectation: one call, exactly one request upstream, and nothing of the key in the error. A
// fault of the stub without an expectation fails t.
func Faults(t *testing.T, front *Front, vendor llmstub.Vendor, p sdk.Provider, all []Expectation) {
	t.Helper()
	known := map[llmstub.Fault]bool{}
	for _, want := range all {
		known[want.Fault] = true
		name := string(want.Fault)
		if want.RetryAt {
			name += " with a date"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault(t, front.NewCase(t), vendor, p, want)
		})
	}
	for _, f := range llmstub.Faults() {
		assert.True(t, known[f], "no expectation for fault %s", f)
	}
}

func fault(t *testing.T, c *Case, vendor llmstub.Vendor, p sdk.Provider, want Expectation) {
	t.Helper()
	c.Stub.Script(vendor, llmstub.Behaviour{Fault: want.Fault, RetryAfter: hint, RetryAt: want.RetryAt, Drip: time.Hour})
	deadline := NewDeadline(t)
	answered := make(chan Answer, 1)
	pieces := make(chan struct{}, 1)
	go func() {
		answered <- Ask(deadline, p, c.Request, func() {
			select {
			case pieces <- struct{}{}:
			default:
			}
		})
	}()
	if want.Ends {
		require.NoError(t, c.Stub.Await(t.Context(), vendor, 1))
		if want.Fault != llmstub.FaultHang {
			<-pieces
		}
		deadline.Pass()
	}
	a := <-answered
	require.NoError(t, c.Stub.AwaitDone(t.Context()))
	assert.Equal(t, 1, c.Stub.Count(vendor), "exactly one call upstream")
	assert.Zero(t, c.Stub.Count(llmstub.Elsewhere), "nobody else is called")
	for _, call := range c.Stub.Calls() {
		assert.NotEqual(t, llmstub.OutcomeRejected, call.Outcome, call.Why)
	}
	if want.Paid {
		assert.Positive(t, a.Result.Usage.InputTokens, "a failed call costs too")
	}
	assert.Equal(t, want.Finish, a.Result.FinishReason)
	if want.Kind == "" {
		require.NoError(t, a.Err)
		assert.NotEmpty(t, a.Text)
		return
	}
	require.Error(t, a.Err)
	e := sdk.AsError(a.Err)
	assert.Equal(t, want.Kind, e.Kind, e.Message)
	assert.Equal(t, want.Status, e.HTTPStatus, e.Message)
	assert.NotContains(t, e.Message, Key)
	assert.NotContains(t, e.Message, c.Request.Input)
	assert.Less(t, len(e.Message), 500)
	switch {
	case want.RetryAt:
		assert.InDelta(t, hint, e.RetryAfter, float64(2*time.Second))
	case want.RetryAfter:
		assert.Equal(t, hint, e.RetryAfter)
	default:
		assert.Zero(t, e.RetryAfter)
	}
}
