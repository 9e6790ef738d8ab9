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
	// More says that an analysis follows, though Stage ends the extraction.
	More bool `json:"more,omitempty"`
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

	// An analysis follows a completed extraction, or is asked for later.
	StageAnalyzing      Stage = "ANALYZING"
	StageAnalyzed       Stage = "ANALYZED"
	StageAnalysisFailed Stage = "ANALYSIS_FAILED" // the purchase itself is as it was
)

// Final says that nothing follows the event by itself: the extraction ended and no analysis comes after it, or the analysis
// ended. The end of an analysis is none while the invoice, retried meanwhile, is being read again.
func (e Event) Final() bool {
	switch e.Stage {
	case StageCompleted, StageNeedsReview, StageDuplicate, StageFailed, StageCancelled, StageAnalyzed, StageAnalysisFailed:
		return !e.More && e.Status.Final()
	case StageQueued, StageReading, StageExtracting, StageChecking, StageRetrying, StageAnalyzing:
	}
	return false
}
