package insight

import (
	"encoding/json"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

// Kind is one of the fourteen analyses.
type Kind string

// The kinds, those of one purchase first.
const (
	KindPriceAlert       Kind = "PRICE_ALERT"
	KindCategoryInsight  Kind = "CATEGORY_INSIGHT"
	KindMerchantPattern  Kind = "MERCHANT_PATTERN"
	KindSummary          Kind = "SUMMARY"
	KindEssentialRatio   Kind = "ESSENTIAL_RATIO"
	KindSeasonalAlert    Kind = "SEASONAL_ALERT"
	KindChildrenSpending Kind = "CHILDREN_SPENDING"

	// Monthly ones come at most once in thirty days.
	KindBudgetHealth         Kind = "BUDGET_HEALTH"
	KindIncomeCommitment     Kind = "INCOME_COMMITMENT"
	KindPerCapitaSpending    Kind = "PER_CAPITA_SPENDING"
	KindShoppingFrequency    Kind = "SHOPPING_FREQUENCY"
	KindWholesaleOpportunity Kind = "WHOLESALE_OPPORTUNITY"
	KindSavingsPotential     Kind = "SAVINGS_POTENTIAL"
	KindFamilyNutrition      Kind = "FAMILY_NUTRITION"
)

// Priority is how much an insight matters.
type Priority string

// The priorities.
const (
	PriorityLow      Priority = "LOW"
	PriorityMedium   Priority = "MEDIUM"
	PriorityHigh     Priority = "HIGH"
	PriorityCritical Priority = "CRITICAL"
)

// Day is a day in Brasília: "2026-11-23". Days compare as texts.
type Day string

// Period is a run of days, both included.
type Period struct{ From, To Day }

// Household is whom the analysed user buys for.
type Household struct {
	Income   *fiscal.Money // monthly; nil when not told
	Adults   int
	Children int
}

// Subject is the purchase that is analysed, and what rules need to know around it.
type Subject struct {
	UserID    string
	InvoiceID string
	// Today is the day of the analysis for monthly kinds: the purchase's own day, so that an old receipt handed in late is
	// analysed in its month.
	Today     Day
	Merchant  Merchant
	Total     fiscal.Money // what was paid
	Lines     []Line
	Household Household
}

// Merchant is a shop.
type Merchant struct {
	Key      string // as in the ledger: its CNPJ, or "name:" and its normalised name
	Name     string
	Category string // "supermarket"; see package product
}

// Line is one line of the purchase.
type Line struct {
	ItemID  string
	Product product.Product
	// Quantity of the printed unit, and Price paid for one, in millionths; PriceMicro is nil without a quantity.
	QuantityMicro int64
	PriceMicro    *int64
	// MeasurePriceMicro is the price of a kilogram, a litre or a piece; nil when the size is not known.
	MeasurePriceMicro *int64
	Paid              fiscal.Money
}

// Finding is that a rule has something to say.
type Finding struct {
	Kind Kind
	// Subject tells two findings of a kind apart: a product's id, a category's. "" where there is one of the kind.
	Subject  string
	Priority Priority
	// Facts is the kind's own struct. Its JSON is the details of the insight and all that the writer is told: amounts are Amount,
	// shares and percentages are decimals with one place.
	Facts      any
	Period     Period   // ends on the purchase's day
	Categories []string // ids
	Merchants  []string // names
	ItemIDs    []string // the lines that are its evidence: of the analysed invoice, or of earlier ones
}

// Gap is that a rule could not look: what it needs is not known.
type Gap struct {
	Kind    Kind   `json:"kind"`
	Missing string `json:"missing"` // "income" or "children": the field of the household
}

// Amount is money in facts: {"centavos": 1234, "formatted": "R$ 12,34"}.
type Amount fiscal.Money

// MarshalJSON implements json.Marshaler.
func (a Amount) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Centavos  int64  `json:"centavos"`
		Formatted string `json:"formatted"`
	}{int64(a), fiscal.Money(a).String()})
}

// Insight is a finding in words.
type Insight struct {
	ID        string // UUIDv7
	UserID    string
	InvoiceID string
	Kind      Kind
	Subject   string
	Priority  Priority
	Title     string          // pt-BR
	Text      string          // pt-BR
	Details   json.RawMessage // the JSON of the finding's Facts
	Period    Period
	// Categories are ids, Merchants names, ItemIDs the evidence.
	Categories  []string
	Merchants   []string
	ItemIDs     []string
	Provider    string
	Model       string
	ReadAt      *time.Time
	ActedUponAt *time.Time
	DismissedAt *time.Time
	CreatedAt   time.Time
}

// Analysis is how an invoice was analysed last.
type Analysis struct {
	InvoiceID    string
	UserID       string
	Status       AnalysisStatus
	SkipReason   SkipReason // "" unless skipped
	FailureCode  string     // an invoice.Code; "" unless failed
	ItemsVersion int        // of the invoice, when it was asked for
	JobID        int64      // 0 when there is none
	Provider     string     // that wrote the words; "" when there was nothing to say
	Model        string
	Gaps         []Gap
	RequestedAt  time.Time
	FinishedAt   *time.Time
}

// AnalysisStatus is how far an analysis has come.
type AnalysisStatus string

// The statuses.
const (
	AnalysisQueued    AnalysisStatus = "QUEUED"
	AnalysisCompleted AnalysisStatus = "COMPLETED"
	AnalysisSkipped   AnalysisStatus = "SKIPPED"
	AnalysisFailed    AnalysisStatus = "FAILED"
)

// SkipReason is which condition for an analysis failed.
type SkipReason string

// The reasons.
const (
	SkipNotPremium     SkipReason = "NOT_PREMIUM"
	SkipBelowMinimum   SkipReason = "BELOW_MINIMUM_VALUE"
	SkipAlreadyCurrent SkipReason = "ALREADY_ANALYZED"
)
