package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// Invoice is a row of invoices: what there is one of per invoice.
type Invoice struct {
	bun.BaseModel `bun:"table:invoices,alias:i"`

	ID       string `bun:"id,pk"`
	UserID   string `bun:"user_id"`
	Status   string `bun:"status"`
	Version  int    `bun:"version"`
	Run      int    `bun:"run"`
	EventSeq int    `bun:"event_seq"`
	JobID    int64  `bun:"job_id"`
	// ItemsVersion counts the changes of the items: what an analysis has seen.
	ItemsVersion int        `bun:"items_version"`
	ConfirmedAt  *time.Time `bun:"confirmed_at"`

	Source     string   `bun:"source"`
	Confidence *float64 `bun:"confidence"`

	AccessKey        string     `bun:"access_key"`
	Model            int        `bun:"model"`
	Number           int        `bun:"number"`
	Series           *int       `bun:"series"`
	IssuedAt         *time.Time `bun:"issued_at"`
	TestDocument     bool       `bun:"test_document"`
	Protocol         string     `bun:"protocol"`
	IssuerName       string     `bun:"issuer_name"`
	IssuerCNPJ       string     `bun:"issuer_cnpj"`
	IssuerState      string     `bun:"issuer_state"`
	ConsumerCPF      string     `bun:"consumer_cpf"` // masked
	PrintedItemCount *int       `bun:"printed_item_count"`

	ProductsCentavos  *int64 `bun:"products_centavos"`
	DiscountCentavos  int64  `bun:"discount_centavos"`
	FreightCentavos   int64  `bun:"freight_centavos"`
	InsuranceCentavos int64  `bun:"insurance_centavos"`
	OtherCentavos     int64  `bun:"other_centavos"`
	TaxesCentavos     int64  `bun:"taxes_centavos"`
	DueCentavos       *int64 `bun:"due_centavos"`
	PaidCentavos      *int64 `bun:"paid_centavos"`
	ChangeCentavos    int64  `bun:"change_centavos"`

	AllowDuplicate  bool   `bun:"allow_duplicate"`
	DuplicateReason string `bun:"duplicate_reason,nullzero"`
	DuplicateOf     string `bun:"duplicate_of,nullzero"`
	FailureCode     string `bun:"failure_code,nullzero"`
	FailureMessage  string `bun:"failure_message,nullzero"`
	IdempotencyKey  string `bun:"idempotency_key,nullzero"`

	// SearchText is derived: issuer and item descriptions in lower case and without accents, one a line.
	SearchText string `bun:"search_text"`

	CreatedAt time.Time `bun:"created_at"`
	UpdatedAt time.Time `bun:"updated_at"`
}
