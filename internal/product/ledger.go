package product

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// maxMerchant bounds the key and the name of a shop, in characters.
	maxMerchant = 120
	// micro is how many decimals a millionth has.
	micro = 6
	// namelessMerchant is a shop whose note names neither it nor its CNPJ.
	namelessMerchant = "Loja não identificada"
)

// counts says whether an invoice is a purchase: one that was read, with lines, and no test, be it by its own word or by its QR
// code's, which only the check knows.
func counts(inv *invoice.Invoice) bool {
	read := inv.Status == invoice.StatusCompleted || inv.Status == invoice.StatusNeedsReview
	test := inv.TestDocument || slices.ContainsFunc(inv.Checks, func(c invoice.Check) bool {
		return c.Name == invoice.CheckRealDocument && !c.Passed
	})
	return read && !test && len(inv.Items) > 0
}

// MerchantKey tells a shop apart: its CNPJ, or "name:" and its normalised name where the note has none.
func MerchantKey(issuer invoice.Issuer) string {
	if issuer.CNPJ != "" {
		return limit(issuer.CNPJ, maxMerchant)
	}
	var words []string
	for _, w := range tokens(issuer.Name) {
		switch w {
		case "ltda", "me", "epp", "eireli", "sa", "s", "a", "cia", packMark:
		default:
			words = append(words, w)
		}
	}
	return "name:" + limit(strings.Join(words, " "), maxMerchant)
}

func limit(s string, n int) string {
	r := []rune(s)
	return string(r[:min(len(r), n)])
}

func merchantName(issuer invoice.Issuer) string {
	switch {
	case strings.TrimSpace(issuer.Name) != "":
		return limit(strings.TrimSpace(issuer.Name), maxMerchant)
	case issuer.CNPJ != "":
		return fiscal.FormatCNPJ(issuer.CNPJ)
	}
	return namelessMerchant
}

// boughtAt is the moment of the purchase, and its day in Brasília, which has kept its clocks at UTC-3 since 2019.
func boughtAt(inv *invoice.Invoice) (at time.Time, day string) {
	at = inv.CreatedAt
	if inv.IssuedAt != nil {
		at = *inv.IssuedAt
	}
	return at, at.In(time.FixedZone("-03", -3*60*60)).Format(time.DateOnly)
}

// purchase is the invoice as the ledger has it. found has the label and the product of every item.
func (c *Catalogue) purchase(inv *invoice.Invoice, found []resolved) *Purchase {
	at, day := boughtAt(inv)
	p := &Purchase{
		InvoiceID: inv.ID, UserID: inv.UserID, BoughtOn: day, BoughtAt: at, Merchant: MerchantKey(inv.Issuer),
		MerchantName: merchantName(inv.Issuer), MerchantCategory: c.taxonomy.MerchantCategory(inv.Issuer.Name),
	}
	for i := range inv.Items {
		if inv.Items[i].NotInTotal {
			continue
		}
		l := line(&inv.Items[i], found[i])
		l.Merchant = p.Merchant
		p.Lines = append(p.Lines, l)
		p.Total = p.Total.Add(l.Paid)
	}
	if inv.Totals.Due != nil {
		p.Total = *inv.Totals.Due
	}
	return p
}

func line(it *invoice.Item, r resolved) Line {
	l := Line{ItemID: it.ID, ProductID: r.product.ID, Label: r.label.Key, Paid: it.Total.Sub(it.Discount)}
	l.QuantityMicro, l.PriceMicro = price(it.Quantity, l.Paid)
	l.MeasurePriceMicro = measurePrice(l.PriceMicro, r.label, r.product)
	return l
}

// price gives the quantity in millionths, and what was paid for one in millionths of a real. A quantity beyond what a
// database keeps is none; a price needs a quantity above zero and something that was not paid back.
func price(quantity decimal.Decimal, paid fiscal.Money) (quantityMicro int64, priceMicro *int64) {
	// A hostile exponent would take all memory as a whole number.
	if e := quantity.Exponent(); e > 20 || e < -40 || quantity.NumDigits() > 60 {
		return 0, nil
	}
	n, ok := whole(quantity.Shift(micro))
	if !ok {
		return 0, nil
	}
	if !quantity.IsPositive() || paid < 0 {
		return n, nil
	}
	if p, ok := whole(paid.Decimal().Shift(micro).DivRound(quantity, micro)); ok {
		return n, &p
	}
	return n, nil
}

// measurePrice is what a kilogram, a litre or a piece cost: nil where it is not known how much of the product's measure one
// printed unit has. The label's own size is believed before the product's.
func measurePrice(priceMicro *int64, l Label, p *Product) *int64 {
	size := p.Size
	switch {
	case priceMicro == nil:
		return nil
	case l.Weighed && p.Measure != MeasureKilogram:
		return nil
	case l.Size.IsPositive() && l.Measure == p.Measure:
		size = l.Size
	}
	if !size.IsPositive() {
		return nil
	}
	if n, ok := whole(decimal.NewFromInt(*priceMicro).DivRound(size, 1)); ok {
		return &n
	}
	return nil
}

// whole rounds to a whole number, when it fits.
func whole(d decimal.Decimal) (int64, bool) {
	d = d.Round(0)
	if d.Abs().GreaterThan(decimal.NewFromInt(math.MaxInt64)) {
		return 0, false
	}
	return d.IntPart(), true
}
