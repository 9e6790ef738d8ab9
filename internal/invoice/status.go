package invoice

import "slices"

// Status is how far an invoice has come.
type Status string

// The statuses.
const (
	StatusQueued      Status = "QUEUED"
	StatusProcessing  Status = "PROCESSING"
	StatusNeedsReview Status = "NEEDS_REVIEW"
	StatusCompleted   Status = "COMPLETED"
	StatusFailed      Status = "FAILED"
	StatusCancelled   Status = "CANCELLED"
)

// next lists what may follow a status. A retry takes an invoice back to the queue; a correction or a confirmation moves it
// between review and completion.
func (s Status) next() []Status {
	switch s {
	case StatusQueued:
		return []Status{StatusProcessing, StatusCancelled, StatusFailed}
	case StatusProcessing:
		// PROCESSING again is a run that starts over after its process died.
		return []Status{StatusProcessing, StatusQueued, StatusCompleted, StatusNeedsReview, StatusFailed, StatusCancelled}
	case StatusNeedsReview:
		return []Status{StatusCompleted, StatusNeedsReview, StatusQueued}
	case StatusCompleted:
		return []Status{StatusCompleted, StatusNeedsReview}
	case StatusFailed, StatusCancelled:
		return []Status{StatusQueued}
	}
	return nil
}

// CanBecome says whether to may follow s.
func (s Status) CanBecome(to Status) bool { return slices.Contains(s.next(), to) }

// Final says that no work is under way or waiting.
func (s Status) Final() bool { return s != StatusQueued && s != StatusProcessing }
