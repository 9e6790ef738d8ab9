package invoice_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestEveryPairOfStatuses(t *testing.T) {
	t.Parallel()
	statuses := []invoice.Status{
		invoice.StatusQueued, invoice.StatusProcessing, invoice.StatusNeedsReview,
		invoice.StatusCompleted, invoice.StatusFailed, invoice.StatusCancelled,
	}
	// One row per status, in the order above; 1 where the column may follow.
	allowed := map[invoice.Status][6]int{
		//                           Q  P  N  C  F  X
		invoice.StatusQueued:      {0, 1, 0, 0, 1, 1},
		invoice.StatusProcessing:  {1, 1, 1, 1, 1, 1},
		invoice.StatusNeedsReview: {1, 0, 1, 1, 0, 0},
		invoice.StatusCompleted:   {0, 0, 1, 1, 0, 0},
		invoice.StatusFailed:      {1, 0, 0, 0, 0, 0},
		invoice.StatusCancelled:   {1, 0, 0, 0, 0, 0},
	}
	for _, from := range statuses {
		for column, to := range statuses {
			assert.Equal(t, allowed[from][column] == 1, from.CanBecome(to), "%s -> %s", from, to)
		}
		assert.False(t, from.CanBecome(""))
		assert.False(t, from.CanBecome("processing"))
		assert.False(t, invoice.Status("").CanBecome(from))
		assert.False(t, invoice.Status("OTHER").CanBecome(from))
	}
}

func TestWorkIsUnderWayOrWaitingInTwoStatusesAlone(t *testing.T) {
	t.Parallel()
	for status, final := range map[invoice.Status]bool{
		invoice.StatusQueued:      false,
		invoice.StatusProcessing:  false,
		invoice.StatusNeedsReview: true,
		invoice.StatusCompleted:   true,
		invoice.StatusFailed:      true,
		invoice.StatusCancelled:   true,
	} {
		assert.Equal(t, final, status.Final(), status)
	}
}

func TestEveryStatusThatEndsWorkCanBeLeft(t *testing.T) {
	t.Parallel()
	// Nothing is a dead end: a failure or a cancellation can be queued again, a reviewed note corrected.
	for _, from := range []invoice.Status{
		invoice.StatusNeedsReview, invoice.StatusCompleted, invoice.StatusFailed, invoice.StatusCancelled,
	} {
		assert.True(t, from.CanBecome(invoice.StatusQueued) || from.CanBecome(invoice.StatusNeedsReview), from)
	}
}
