package invoice

import "time"

// Event is one step of an invoice's way. Events are stored with consecutive sequence numbers per invoice, from 1.
type Event struct {
	InvoiceID  string    `json:"invoice_id"`
	UserID     string    `json:"user_id"`
	Seq        int       `json:"seq"`
	Stage      Stage     `json:"stage"`
	Status     Status    `json:"status"`
	Percent    int       `json:"percent"` // 0 to 100, never falls within a run
	Provider   string    `json:"provider,omitempty"`
	Attempt    int       `json:"attempt,omitempty"` // the provider call's number within the run, from 1
	ItemsFound int       `json:"items_found,omitempty"`
	Message    string    `json:"message"` // pt-BR, for people
	Code       Code      `json:"code,omitempty"`
	At         time.Time `json:"at"`
}

// Stage is the step an event is about.
type Stage string

// The stages, in the order an invoice goes through them.
const (
	StageQueued      Stage = "QUEUED"
	StageReading     Stage = "READING"    // types, QR, XML, PDF text, pictures
	StageExtracting  Stage = "EXTRACTING" // a provider is at work
	StageChecking    Stage = "CHECKING"   // the ledger
	StageCompleted   Stage = "COMPLETED"
	StageNeedsReview Stage = "NEEDS_REVIEW"
	StageDuplicate   Stage = "DUPLICATE" // ended because the purchase is already there
	StageRetrying    Stage = "RETRYING"  // a try failed; another follows
	StageFailed      Stage = "FAILED"
	StageCancelled   Stage = "CANCELLED"
)

// Final says that no event of the same run follows.
func (s Stage) Final() bool {
	switch s {
	case StageCompleted, StageNeedsReview, StageDuplicate, StageFailed, StageCancelled:
		return true
	case StageQueued, StageReading, StageExtracting, StageChecking, StageRetrying:
	}
	return false
}
