package spending

// What the API shows of a report, a price and an offer under names of its own.

// Merchant is a shop of the ledger.
type Merchant struct {
	Key  string // its CNPJ, or "name:" and its normalised name
	Name string
}

// From is the first day of the report.
func (r *Report) From() string { return r.Period.From }

// To is the last day of the report.
func (r *Report) To() string { return r.Period.To }

// PreviousFrom is the first day of the period before.
func (r *Report) PreviousFrom() string { return r.Previous.From }

// PreviousTo is the last day of the period before.
func (r *Report) PreviousTo() string { return r.Previous.To }

// Merchant is where the price was paid.
func (p *PricePoint) Merchant() Merchant { return Merchant{Key: p.MerchantKey, Name: p.MerchantName} }

// Merchant is whose offer it is.
func (o *BasketOffer) Merchant() Merchant { return Merchant{Key: o.MerchantKey, Name: o.MerchantName} }
