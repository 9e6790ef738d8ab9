package invoice

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Invoice is one submitted purchase of one user: its files, what was read from them, and how far that has come.
type Invoice struct {
	ID     string // UUIDv7
	UserID string
	Status Status
	// Version counts the changes of what the user sees; correctInvoice names the one it saw.
	Version int
	// Run counts the times extraction was begun. A write that names an older run is refused: a worker that was thought dead
	// cannot overwrite its successor.
	Run int
	// EventSeq is the sequence number of the last event.
	EventSeq int
	JobID    int64 // of the job that extracts it; 0 when there is none
	// ItemsVersion counts the changes of the items: an analysis names the one it has seen.
	ItemsVersion int
	ConfirmedAt  *time.Time // when the user said that the paper is like this, failed checks or not

	Draft
	Source     Source   // where Draft came from; "" before anything was read
	Checks     []Check  // the ledger's verdict over Draft
	Confidence *float64 // 0 to 1, computed from Checks; nil before anything was read
	Attempts   []Attempt
	Files      []File

	// AllowDuplicate says that the user wants it though a duplicate exists.
	AllowDuplicate bool
	Duplicate      *Duplicate // set when extraction found that the purchase is already there
	Failure        *Failure   // set when Status is StatusFailed
	IdempotencyKey string     // "" when the client sent none; unique per user

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Draft is a purchase as a document states it. What the document does not say, or what could not be read, is zero or nil;
// nothing here is computed from other figures.
type Draft struct {
	AccessKey string // 44 characters that pass their check digit, or ""
	Model     int    // 55, 65, or 0
	Number    int    // nNF
	Series    *int   // serie; 0 is a legal series
	IssuedAt  *time.Time
	// TestDocument is tpAmb = 2: a note without fiscal value.
	TestDocument bool
	Protocol     string // nProt
	Issuer       Issuer
	ConsumerCPF  string // masked ("***.***.247-**"), or "": a CPF is never kept in clear
	Items        []Item
	// PrintedItemCount is "Qtde total de itens": the number of lines, not of units.
	PrintedItemCount *int
	Totals           Totals
	Payments         []Payment
}

// Issuer is the shop.
type Issuer struct {
	Name  string
	CNPJ  string // 14 characters without punctuation, or ""
	State string // "SP", or ""
}

// Item is one line of the purchase.
type Item struct {
	ID          string // UUIDv7; "" in a draft that is not stored
	Line        int    // 1-based, in the order printed
	Description string
	Code        string // the shop's own (cProd)
	GTIN        string // digits, or "" (SEM GTIN)
	Unit        string // free text: UN, KG, C30
	Quantity    decimal.Decimal
	UnitPrice   decimal.Decimal
	Total       fiscal.Money // gross: quantity times unit price as printed (vProd)
	Discount    fiscal.Money // positive (vDesc)
	NotInTotal  bool         // indTot = 0: the line does not count in the totals
	Uncertain   bool         // the reader marked the line as hard to read
	Category    string       // the id of a product category; "" until classified
	ProductID   string       // UUIDv7 of what it is; "" until classified
}

// Totals of the note. A nil amount was not stated.
type Totals struct {
	Products  *fiscal.Money // gross sum of the lines (vProd)
	Discount  fiscal.Money  // positive (vDesc)
	Freight   fiscal.Money  // vFrete
	Insurance fiscal.Money  // vSeg
	Other     fiscal.Money  // surcharges (vOutro, "Acréscimo")
	Taxes     fiscal.Money  // taxes added to the price (vST + vIPI + vII ..., NF-e only)
	Due       *fiscal.Money // "Valor a Pagar" (vNF)
	Paid      *fiscal.Money // sum handed over, as stated
	Change    fiscal.Money  // "Troco" (vTroco)
}

// Payment is one way the purchase was paid.
type Payment struct {
	Method PaymentMethod
	Amount fiscal.Money
}

// PaymentMethod is the official tPag.
type PaymentMethod string

// The values of tPag.
const (
	PaymentCash        PaymentMethod = "CASH"         // 01
	PaymentCheque      PaymentMethod = "CHEQUE"       // 02
	PaymentCreditCard  PaymentMethod = "CREDIT_CARD"  // 03
	PaymentDebitCard   PaymentMethod = "DEBIT_CARD"   // 04
	PaymentStoreCredit PaymentMethod = "STORE_CREDIT" // 05, 21
	PaymentFoodVoucher PaymentMethod = "FOOD_VOUCHER" // 10
	PaymentMealVoucher PaymentMethod = "MEAL_VOUCHER" // 11
	PaymentGiftVoucher PaymentMethod = "GIFT_VOUCHER" // 12
	PaymentFuelVoucher PaymentMethod = "FUEL_VOUCHER" // 13
	PaymentBoleto      PaymentMethod = "BOLETO"       // 15
	PaymentDeposit     PaymentMethod = "DEPOSIT"      // 16
	PaymentPix         PaymentMethod = "PIX"          // 17, 20
	PaymentWallet      PaymentMethod = "WALLET"       // 18
	PaymentLoyalty     PaymentMethod = "LOYALTY"      // 19
	PaymentNone        PaymentMethod = "NONE"         // 90
	PaymentOther       PaymentMethod = "OTHER"        // 99 and whatever is not listed
)

// PaymentMethodOfCode maps tPag to a method; an unknown code is PaymentOther.
func PaymentMethodOfCode(tPag string) PaymentMethod {
	switch tPag {
	case "01":
		return PaymentCash
	case "02":
		return PaymentCheque
	case "03":
		return PaymentCreditCard
	case "04":
		return PaymentDebitCard
	case "05", "21":
		return PaymentStoreCredit
	case "10":
		return PaymentFoodVoucher
	case "11":
		return PaymentMealVoucher
	case "12":
		return PaymentGiftVoucher
	case "13":
		return PaymentFuelVoucher
	case "15":
		return PaymentBoleto
	case "16":
		return PaymentDeposit
	case "17", "20":
		return PaymentPix
	case "18":
		return PaymentWallet
	case "19":
		return PaymentLoyalty
	case "90":
		return PaymentNone
	}
	return PaymentOther
}

// Source says where the figures of an invoice came from.
type Source string

// The sources, from the exact to the doubtful.
const (
	SourceXML    Source = "XML"    // the note's own XML: exact
	SourceSefaz  Source = "SEFAZ"  // the state's public record: exact
	SourcePDF    Source = "PDF"    // text inside a PDF
	SourceModel  Source = "MODEL"  // an LLM read pictures
	SourceOCR    Source = "OCR"    // character recognition and rules read pictures
	SourceManual Source = "MANUAL" // corrected by the user
)

// File is one submitted file. Its name is not kept: it is the user's own text, and often personal.
type File struct {
	ID       string // UUIDv7
	Position int    // 0-based: several photos of one long receipt keep their order
	Kind     FileKind
	Size     int64 // bytes
	SHA256   string
	BlobKey  string // where the bytes are
	// PictureHash is the perceptual hash of a picture, empty before it was prepared and for other kinds.
	PictureHash []byte
	RemovedAt   *time.Time // when the bytes were removed, for they are kept for a while only
}

// FileKind is what the bytes of a file are, whatever its name says.
type FileKind string

// The kinds that are read.
const (
	FileJPEG FileKind = "JPEG"
	FilePNG  FileKind = "PNG"
	FileWebP FileKind = "WEBP"
	FileHEIC FileKind = "HEIC"
	FilePDF  FileKind = "PDF"
	FileXML  FileKind = "XML"
	// FileQR is a QR code or a key that was submitted in the place of files: what fiscal.QR.Record makes of it, without a
	// consumer. It is kept, exported and removed as files are, and is not shown among them.
	FileQR FileKind = "QR"
)

// Attempt is one try to read the invoice: by a provider, or from the document itself.
type Attempt struct {
	Number     int // 1-based over the life of the invoice
	Run        int
	Provider   string // "gemini", "offline"; "document" when no provider was needed
	Model      string // the provider's model, or its version
	Outcome    string // "ok", or an error code in lower case: "unavailable", "invalid_reply"
	Items      int    // found
	StartedAt  time.Time
	FinishedAt time.Time
}

// Failure says why extraction ended without a purchase.
type Failure struct {
	Code    Code
	Message string // a sentence in pt-BR for the family
}

// Duplicate names the invoice that already holds the purchase, and what they have in common.
type Duplicate struct {
	Reason    DuplicateReason
	InvoiceID string
}

// DuplicateReason is the layer that found a duplicate.
type DuplicateReason string

// The four layers, in the order they are tried.
const (
	DuplicateSameBytes     DuplicateReason = "SAME_BYTES"
	DuplicateSamePicture   DuplicateReason = "SAME_PICTURE"
	DuplicateSameAccessKey DuplicateReason = "SAME_ACCESS_KEY"
	DuplicateSamePurchase  DuplicateReason = "SAME_PURCHASE" // issuer, moment and total
)
