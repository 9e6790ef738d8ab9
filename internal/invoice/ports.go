package invoice

import (
	"context"
	"database/sql"
	"io"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Store keeps invoices. Every read that names a user answers NotFound for another user's invoice.
type Store interface {
	// InTx runs fn in one transaction, committed when fn returns nil and rolled back otherwise.
	InTx(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Invoice loads the whole aggregate. A NotFound *Error when it is not userID's.
	Invoice(ctx context.Context, userID, id string) (*Invoice, error)
	// InvoiceByIdempotencyKey answers nil, nil when there is none.
	InvoiceByIdempotencyKey(ctx context.Context, userID, key string) (*Invoice, error)
	// Invoices lists a page of whole aggregates with a constant number of statements.
	Invoices(ctx context.Context, q ListQuery) (Page, error)
	// Events are those of the invoice with a sequence number above afterSeq, in order, at most limit.
	Events(ctx context.Context, invoiceID string, afterSeq, limit int) ([]Event, error)
	// LastEvent is the newest event of the invoice; a NotFound *Error when it has none or is not userID's.
	LastEvent(ctx context.Context, userID, invoiceID string) (Event, error)
	// InvoicesByID are those of the user's invoices that are among ids, whole, by id: as many statements as for one.
	InvoicesByID(ctx context.Context, userID string, ids []string) (map[string]*Invoice, error)
	// ItemsByID are those of the user's items that are among ids, by id: one statement.
	ItemsByID(ctx context.Context, userID string, ids []string) (map[string]Item, error)
	// Revisions are what the user's invoices said before their corrections, oldest first, by invoice: one statement.
	Revisions(ctx context.Context, userID string, invoiceIDs []string) (map[string][]Revision, error)
	// PictureHashes are those of all the user's files but the ones of the invoice exceptID and of invoices that FAILED or were
	// CANCELLED, oldest invoice first.
	PictureHashes(ctx context.Context, userID, exceptID string) ([]PictureHash, error)
}

// Tx is a Store's open transaction.
type Tx interface {
	// SQL is the transaction itself, so that a job commits with the row it is about.
	SQL() *sql.Tx
	// Insert stores a new invoice with its files. A CONFLICT *Error when the idempotency key is taken.
	Insert(ctx context.Context, inv *Invoice) error
	// Lock loads the whole aggregate and keeps others from changing it until the transaction ends. With userID "" any
	// user's invoice is found: for jobs, whose arguments hold the id alone. A NotFound *Error when there is none.
	Lock(ctx context.Context, userID, id string) (*Invoice, error)
	// Save writes the whole aggregate back: items, payments, checks and attempts are replaced, files updated.
	Save(ctx context.Context, inv *Invoice) error
	// AppendEvent stores the event under the next sequence number of its invoice and returns it with Seq set. Save must not
	// have to be called for it: the counter is the row's own.
	AppendEvent(ctx context.Context, e Event) (Event, error)
	// AppendRunEvent is AppendEvent for the job that works on run: ErrSuperseded when the invoice is gone, is no longer
	// QUEUED or PROCESSING, or has a newer run. It touches the row's counter alone, so it is cheap.
	AppendRunEvent(ctx context.Context, run int, e Event) (Event, error)
	// Claim takes (userID, kind, value) for invoiceID and returns the id of whoever holds it: invoiceID itself on success,
	// the earlier invoice otherwise. Claims make duplicates impossible under concurrency; Release frees all of an invoice,
	// Unclaim one of them, and nothing when invoiceID does not hold it.
	Claim(ctx context.Context, userID string, kind DuplicateReason, value, invoiceID string) (holder string, err error)
	Release(ctx context.Context, invoiceID string) error
	Unclaim(ctx context.Context, userID string, kind DuplicateReason, value, invoiceID string) error
	// AddRevision keeps what the invoice said before a change of what was read.
	AddRevision(ctx context.Context, invoiceID string, r Revision) error
	// Delete removes the invoice and everything below it, its events and claims too.
	Delete(ctx context.Context, id string) error
}

// PictureHash is the perceptual hash of one stored picture.
type PictureHash struct {
	InvoiceID string
	Position  int
	Hash      []byte
}

// ListQuery asks for a page of a user's invoices, Relay style: First+After or Last+Before.
type ListQuery struct {
	UserID  string
	First   int // 0 when Last is set; the caller has clamped both
	Last    int
	After   *Cursor
	Before  *Cursor
	Filter  Filter
	OrderBy Order
}

// Filter narrows a list; zero fields do not.
type Filter struct {
	Statuses    []Status
	IssuedFrom  *time.Time // inclusive
	IssuedUntil *time.Time // exclusive
	IssuerCNPJ  string
	Search      string // in issuer and item descriptions, case-insensitive
}

// Order of a list: by creation or by issue, newest first unless Ascending. Ties are broken by id.
type Order struct {
	By        OrderField
	Ascending bool
}

// OrderField is what a list is sorted by.
type OrderField string

// The fields.
const (
	OrderByCreatedAt OrderField = "CREATED_AT"
	OrderByIssuedAt  OrderField = "ISSUED_AT" // invoices without a date come last, whatever the direction
)

// Cursor is a place in a list: the sort value and the id of the invoice there.
type Cursor struct {
	At *time.Time // nil where the sort value is null
	ID string
}

// Page is part of a list, always in the list's order.
type Page struct {
	Invoices    []*Invoice
	HasPrevious bool
	HasNext     bool
	Total       int // of the filtered list
}

// Queue holds the work that was accepted. Implemented by worker.
type Queue interface {
	// EnqueueExtraction adds a job inside the caller's transaction and returns its id.
	EnqueueExtraction(ctx context.Context, tx *sql.Tx, invoiceID string) (jobID int64, err error)
	// EnqueueConfirmation adds a job inside the caller's transaction that holds what run read against the state's record, not
	// before at. try counts from 1.
	EnqueueConfirmation(ctx context.Context, tx *sql.Tx, invoiceID string, run, try int, at time.Time) error
	// CancelExtraction cancels the job inside the caller's transaction; one that runs has its context cancelled. No error
	// when the job is gone already.
	CancelExtraction(ctx context.Context, tx *sql.Tx, jobID int64) error
}

// Catalogue knows which product a line is, and keeps the ledger of purchases that analyses and reports read: one row for each
// invoice that counts, and one for each of its lines. Its methods write inside the caller's transaction. Implemented by
// product.Catalogue.
type Catalogue interface {
	// Record sets Category and ProductID of the items, and replaces what the ledger holds of the invoice: nothing when it does
	// not count (a test document, no items, a status other than COMPLETED and NEEDS_REVIEW). Items have their ids already.
	Record(ctx context.Context, tx *sql.Tx, inv *Invoice) error
	// Teach notes what the user said of items: it holds for their label at that shop from now on, and for the purchases with
	// that label that are in the ledger. Record must follow. A BAD_USER_INPUT *Error when a category does not exist.
	Teach(ctx context.Context, tx *sql.Tx, inv *Invoice, lessons []Lesson) error
}

// Lesson is what the user said of an item's product. What is "" stays as it is.
type Lesson struct {
	ItemID   string
	Name     string // for people: "Leite integral Italac 1 L"
	Category string // the id of a product category
}

// Analyses decides whether an invoice is analysed. Implemented by insight.Service.
type Analyses interface {
	// Plan writes down, inside the caller's transaction, that the completed invoice is to be analysed, with the job that does
	// it, or why it is not. follows says that a job was enqueued.
	Plan(ctx context.Context, tx *sql.Tx, inv *Invoice) (follows bool, err error)
}

// Publisher tells subscribers of a stored event. It never blocks and may lose one: subscribers find the rest in the Store.
type Publisher interface {
	Publish(ctx context.Context, e Event)
}

// Subscriber delivers published events.
type Subscriber interface {
	// Subscribe delivers the events of the user's invoices until ctx ends or the listener falls too far behind; then the
	// channel is closed. When it returns, no later event is missed.
	Subscribe(ctx context.Context, userID string) (<-chan Event, error)
}

// Files keeps the bytes of submitted files.
type Files interface {
	Put(ctx context.Context, key string, r io.Reader) error
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Delete of what does not exist is no error.
	Delete(ctx context.Context, key string) error
}

// Reader reads what needs no model. Implemented by internal/document.
type Reader interface {
	// Inspect says what a file is and refuses what would not be read: UNSUPPORTED_MEDIA, TOO_LARGE or BAD_USER_INPUT. It
	// looks at headers and structure only, and decodes no picture. An XML's access key comes with it.
	Inspect(ctx context.Context, data []byte) (Inspection, error)
	// Read reads the files of one invoice, in their order. found, which may be nil, is told of the first code on a picture as
	// soon as it is seen, while pictures are still being prepared.
	Read(ctx context.Context, files []Content, found func(fiscal.QR)) (Reading, error)
}

// Inspection is what can be known of a file before it is accepted.
type Inspection struct {
	Kind      FileKind
	AccessKey string // XML only; "" elsewhere
	// Clean is the file as it may be kept: a picture without the place it was taken at, comments, and what lies behind its end;
	// an XML without its consumer. nil for what is kept as it came.
	Clean []byte
}

// Content is a file and its bytes.
type Content struct {
	File File
	Data []byte
}

// Reading is what a document says without a model.
type Reading struct {
	// Draft is set when the documents gave the whole purchase (XML, or the text of a PDF); no provider is then needed.
	Draft  *Draft
	Source Source
	// Pages are for a provider, in order; empty when Draft is set.
	Pages []DocumentPage
	// QR is what a QR code on the pages or in the XML says; nil when none was found.
	QR *fiscal.QR
	// Hashes are the perceptual hashes of the picture files, by the file's Position.
	Hashes map[int][]byte

	started time.Time // when the Service began to read
}

// DocumentPage is one page prepared for a provider: upright, without metadata, scaled.
type DocumentPage struct {
	MediaType string // "image/jpeg"; "" for a page that has text alone
	Data      []byte
	Text      string // the text layer of a PDF page, laid out in columns with blanks; "" for pictures
}

// Official asks the state for its public record of a consumer invoice. Implemented by sefaz.Client.
type Official interface {
	// Accepts says whether the state can be asked with what qr has: a BAD_USER_INPUT *Error otherwise, for the family.
	Accepts(qr fiscal.QR) error
	// Lookup asks. It takes no longer than its own deadline, and answers a Record for whatever happens.
	Lookup(ctx context.Context, qr fiscal.QR) Record
}

// Record is what the state answered.
type Record struct {
	State   string // "SP"
	Outcome RecordOutcome
	Draft   *Draft // of RecordFound alone
}

// RecordOutcome is how a look-up of the state's record ended.
type RecordOutcome string

// The outcomes.
const (
	RecordFound         RecordOutcome = "FOUND"
	RecordNotYet        RecordOutcome = "NOT_YET"        // the state does not have the note: it was issued offline, or never
	RecordCaptcha       RecordOutcome = "CAPTCHA"        // the page asks for a person
	RecordUnknownLayout RecordOutcome = "UNKNOWN_LAYOUT" // there is a page that is not understood
	RecordUnavailable   RecordOutcome = "UNAVAILABLE"    // no answer, an error, too many askers
	RecordRefused       RecordOutcome = "REFUSED"        // the state does not take the code, or leads to where nothing is fetched
	RecordCancelled     RecordOutcome = "CANCELLED"      // the shop took the note back
)

// SamePicture says whether two perceptual hashes are of near-same pictures. Implemented by internal/document.
type SamePicture func(a, b []byte) bool

// Extractor turns pages into a draft by asking providers. Implemented by providers.Chain.
type Extractor interface {
	// Extract asks the providers in their order until one gives a draft that can be used. observe is called from one
	// goroutine at a time as the reply comes in, and must be quick. Attempts come back with an error too. The error is an
	// *ExtractionError, or ctx's.
	Extract(ctx context.Context, req ExtractionRequest, observe func(Progress)) (Extraction, error)
}

// ExtractionRequest is the pages of one invoice and what is known of it already.
type ExtractionRequest struct {
	InvoiceID string
	UserID    string
	Pages     []DocumentPage
	QR        *fiscal.QR
}

// Progress is how far a provider has come.
type Progress struct {
	Provider   string
	Attempt    int // 1-based within the request
	ItemsFound int
}

// Extraction is a reading of an invoice.
type Extraction struct {
	Draft    Draft
	Source   Source
	Attempts []Attempt // Number and Run are left to the caller
	// Record is what the state said of the note meanwhile, "" when it was not asked. Extractors leave it.
	Record RecordOutcome
}

// ExtractionError says why no provider could read a document, and whether trying again can help.
type ExtractionError struct {
	Code    Code
	Message string // pt-BR, for the family
	// Permanent says that another try of the same document gives the same answer.
	Permanent  bool
	RetryAfter time.Duration // 0: the caller's own back-off
	Cause      error
}

func (e *ExtractionError) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *ExtractionError) Unwrap() error { return e.Cause }
