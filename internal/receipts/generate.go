package receipts

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Options fix what Generate would otherwise draw. The zero value draws everything.
type Options struct {
	// Store is the shop; nil makes one up.
	Store *Store
	// IssuedAt is the moment of the purchase; zero draws one from January to October 2026. It is put at -03:00.
	IssuedAt time.Time
	// Items is the number of lines; 0 draws 1 to 60, mostly below 25.
	Items int
	// Basket is what was bought, line by line, instead of a draw from the Catalogue; Items is then ignored.
	Basket []Product
	// PriceOf is the shop's price of a product's unit; nil draws one near Product.Price. A year of purchases sets it to let
	// prices drift.
	PriceOf func(Product) fiscal.Money
	// QuantityOf is how much of a product is bought; nil draws it.
	QuantityOf func(Product) decimal.Decimal
	// Plain leaves out what makes arithmetic interesting: receipt-level discount, acréscimo, freight, odd unit prices.
	Plain bool
	// QRVersion is 2 or 3; 0 draws.
	QRVersion int
	// Issue fixes how the receipt was issued.
	Issue Issue
	// Consumer fixes whether the consumer is named.
	Consumer Consumer
	// Test makes a document without fiscal value (tpAmb = 2).
	Test bool
}

// Issue is how a receipt was issued.
type Issue int

// The ways of issue.
const (
	IssueDrawn   Issue = iota // one in eight is offline
	IssueOnline               // tpEmis = 1
	IssueOffline              // tpEmis = 9, contingency
)

// Consumer says whether a receipt names its consumer.
type Consumer int

// The choices.
const (
	ConsumerDrawn Consumer = iota // one in three is identified
	ConsumerNone
	ConsumerCPF
)

// zone is -03:00, the offset of every receipt.
func zone() *time.Location { return time.FixedZone("-03:00", -3*60*60) }

// lettersFrom is when CNPJs with letters began.
func lettersFrom() time.Time { return time.Date(2026, time.July, 1, 0, 0, 0, 0, zone()) }

// Generate makes up a receipt. All that is random comes from rng, in a fixed order.
func Generate(rng *rand.Rand, opts Options) Receipt {
	r := Receipt{
		Series: 1 + rng.IntN(20), Number: 1 + rng.IntN(999_999), Test: opts.Test,
		IssuedAt: drawMoment(rng), TaxReform: chance(rng, 3),
	}
	if chance(rng, 50) {
		r.Series = 0 // a legal series
	}
	if !opts.IssuedAt.IsZero() {
		r.IssuedAt = opts.IssuedAt.In(zone()).Truncate(time.Second)
	}
	r.Store = drawStore(rng, chance(rng, 3) && !r.IssuedAt.Before(lettersFrom()))
	if opts.Store != nil {
		r.Store = *opts.Store
	}
	r.drawItems(rng, opts)
	if !opts.Plain {
		r.drawTotals(rng)
	}
	r.drawTaxes(rng)
	r.drawPayments(rng)
	if drawn := chance(rng, 3); opts.Consumer == ConsumerCPF || opts.Consumer == ConsumerDrawn && drawn {
		r.ConsumerCPF = pick(rng, testCPFs())
	}
	r.drawIssue(rng, opts)
	return r
}

func drawMoment(rng *rand.Rand) time.Time {
	day := time.Date(2026, time.January, 2, 0, 0, 0, 0, zone()).AddDate(0, 0, rng.IntN(300))
	return day.Add(time.Duration(7*3600+rng.IntN(15*3600)) * time.Second)
}

func (r *Receipt) drawItems(rng *rand.Rand, opts Options) {
	basket := opts.Basket
	if basket == nil {
		basket = drawBasket(rng, opts.Items)
	}
	price := opts.PriceOf
	if price == nil {
		price = func(p Product) fiscal.Money { return drawPrice(rng, p) }
	}
	seen := map[int]decimal.Decimal{} // a shop has one price for a product
	for i, p := range basket {
		it := Item{Line: i + 1, Product: p, GTIN: p.GTIN(), Code: p.StoreCode()}
		if known, ok := seen[p.Seq]; ok {
			it.UnitPrice = known
		} else {
			it.UnitPrice = price(p).Decimal()
			// A few shops promote in thirds and print three decimals.
			if !opts.Plain && !p.Weighed() && chance(rng, 60) {
				it.UnitPrice = it.UnitPrice.Add(decimal.New(int64(rng.IntN(2)*3+3), -3))
			}
			seen[p.Seq] = it.UnitPrice
		}
		if opts.QuantityOf != nil {
			it.Quantity = opts.QuantityOf(p)
		} else {
			it.Quantity = drawQuantity(rng, p)
		}
		it.Total = cents(it.Quantity.Mul(it.UnitPrice))
		if chance(rng, 9) && it.Total >= 100 {
			it.Discount = it.Total * fiscal.Money(5+rng.IntN(26)) / 100
		}
		r.Items = append(r.Items, it)
	}
}

// drawBasket draws n products, or a number that families have on their receipts. A product may come twice, as at a till.
func drawBasket(rng *rand.Rand, n int) []Product {
	if n <= 0 {
		switch roll := rng.IntN(10); {
		case roll < 3:
			n = 1 + rng.IntN(6)
		case roll < 8:
			n = 5 + rng.IntN(20)
		default:
			n = 20 + rng.IntN(41)
		}
	}
	all := Catalogue()
	basket := make([]Product, n)
	for i := range basket {
		basket[i] = pick(rng, all)
	}
	return basket
}

// drawPrice is within 15 % of the usual price and mostly ends in 9, 5 or 0.
func drawPrice(rng *rand.Rand, p Product) fiscal.Money {
	price := p.Price * fiscal.Money(85+rng.IntN(31)) / 100
	switch rng.IntN(10) {
	case 0, 1, 2, 3, 4, 5:
		price = price/10*10 + 9
	case 6, 7:
		price = price/10*10 + 8
	case 8:
		price = price / 5 * 5
	}
	return max(price, 5)
}

func drawQuantity(rng *rand.Rand, p Product) decimal.Decimal {
	switch {
	case p.Weighed():
		return decimal.New(int64(85+rng.IntN(2400)), -3)
	case p.Unit == "LT" || chance(rng, 25):
		return decimal.New(int64(1+rng.IntN(24)), 0)
	case chance(rng, 3):
		return decimal.New(int64(2+rng.IntN(4)), 0)
	}
	return decimal.New(1, 0)
}

// cents rounds an amount in reais half up. Amounts of receipts are far from the limits of int64.
func cents(d decimal.Decimal) fiscal.Money { return fiscal.Money(d.Shift(2).Round(0).IntPart()) }

func (r *Receipt) drawTotals(rng *rand.Rand) {
	net := r.Products() - r.TotalDiscount()
	if chance(rng, 8) && net >= 2000 {
		r.Discount = net * fiscal.Money(1+rng.IntN(10)) / 100
		net -= r.Discount
	}
	if chance(rng, 20) && net >= 1000 {
		r.Other = net * 2 / 100
	}
	if chance(rng, 20) {
		r.Freight = fiscal.Money(490 + 100*rng.IntN(15))
	}
	weights := make([]fiscal.Money, len(r.Items))
	for i, it := range r.Items {
		weights[i] = it.Total - it.Discount
	}
	for i, share := range apportion(r.Discount, weights) {
		r.Items[i].DiscountShare = share
	}
	for i, share := range apportion(r.Other, weights) {
		r.Items[i].OtherShare = share
	}
	for i, share := range apportion(r.Freight, weights) {
		r.Items[i].FreightShare = share
	}
}

// apportion splits amount by weight so that the parts add up to it.
func apportion(amount fiscal.Money, weights []fiscal.Money) []fiscal.Money {
	var total, seen, given fiscal.Money
	for _, w := range weights {
		total += w
	}
	parts := make([]fiscal.Money, len(weights))
	if total == 0 {
		return parts
	}
	for i, w := range weights {
		seen += w
		parts[i] = amount*seen/total - given
		given += parts[i]
	}
	return parts
}

func (r *Receipt) drawTaxes(rng *rand.Rand) {
	for i := range r.Items {
		it := &r.Items[i]
		it.Taxes = (it.Total - it.Discount - it.DiscountShare) * fiscal.Money(1200+rng.IntN(1800)) / 10000
	}
}

func (r *Receipt) drawPayments(rng *rand.Rand) {
	due := r.Due()
	if chance(rng, 6) && due >= 2000 { // a voucher, and the rest otherwise
		part := due * fiscal.Money(20+rng.IntN(50)) / 100
		r.Payments = append(r.Payments, Payment{pick(rng, []string{"10", "11", "05"}), part})
		due -= part
	}
	if chance(rng, 10) && due >= 5000 { // two cards
		part := due / 100 / 2 * 100
		r.Payments = append(r.Payments, Payment{"03", part})
		due -= part
	}
	code := pick(rng, []string{"01", "01", "03", "03", "04", "04", "17", "17", "17", "18", "20"})
	amount := due
	if code == "01" && !chance(rng, 4) { // banknotes, and change
		notes := pick(rng, []fiscal.Money{200, 500, 1000, 2000, 5000, 10000})
		amount = (due + notes - 1) / notes * notes
		r.Change = amount - due
	}
	r.Payments = append(r.Payments, Payment{code, amount})
}

// drawIssue gives the receipt what the state and the signature add: key, protocol, QR code.
func (r *Receipt) drawIssue(rng *rand.Rand, opts Options) {
	drawn := chance(rng, 8)
	r.Offline = opts.Issue == IssueOffline || opts.Issue == IssueDrawn && drawn
	emission := "1"
	r.Authorized = r.IssuedAt.Add(time.Duration(1+rng.IntN(5)) * time.Second)
	if r.Offline {
		emission = "9"
		r.Authorized = r.IssuedAt.Add(time.Duration(1+rng.IntN(20)) * time.Hour)
	}
	key := r.Store.State.Code + r.IssuedAt.Format("0601") + r.Store.CNPJ + "65" + fmt.Sprintf("%03d%09d", r.Series, r.Number) +
		emission + digits(rng, 8)
	r.Key = fiscal.AccessKey(key + mod11(key))
	r.Protocol = "1" + r.Store.State.Code + r.IssuedAt.Format("06") + digits(rng, 10)
	r.Digest, r.Signature = random64(rng, 20), random64(rng, 256)
	r.QRVersion = 2 + rng.IntN(2)
	if opts.QRVersion != 0 {
		r.QRVersion = opts.QRVersion
	}
	r.QR = r.qrText(strings.ToUpper(hex.EncodeToString([]byte(random64(rng, 15)))))
}

// qrText is the URL in the code. The hash is made up: only the shop and the state could check it.
func (r *Receipt) qrText(hash string) string {
	environment := "1"
	if r.Test {
		environment = "2"
	}
	fields := []string{string(r.Key), strconv.Itoa(r.QRVersion), environment}
	day, amount := r.IssuedAt.Format("02"), r.Due().Decimal().StringFixed(2)
	switch {
	case r.QRVersion == 2 && r.Offline:
		// digVal goes as the hexadecimal of its base64 text.
		fields = append(fields, day, amount, hex.EncodeToString([]byte(r.Digest)), "1", hash)
	case r.QRVersion == 2:
		fields = append(fields, "1", hash)
	case r.Offline && r.ConsumerCPF != "":
		fields = append(fields, day, amount, "2", r.ConsumerCPF, r.Signature)
	case r.Offline:
		fields = append(fields, day, amount, "", "", r.Signature)
	}
	return r.Store.State.QRBase + "?p=" + strings.Join(fields, "|")
}
