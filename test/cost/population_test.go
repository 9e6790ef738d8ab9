package cost_test

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// The mix, in percent. docs/costs.md says why it is what it is.
const (
	pdfPercent       = 8  // of purchases: a PDF with text, from a shop's app or by e-mail
	xmlPercent       = 4  // of purchases: the XML
	againPercent     = 4  // of purchases: the same file comes a second time from the same person
	reshotPercent    = 4  // of purchases: a second photo of the same paper comes from the same person
	forwardedPercent = 3  // of purchases: the same file comes from somebody else of the family too
	premiumPercent   = 25 // of people
	readablePercent  = 50 // of states: the page that the QR code leads to can be read
	misreadPercent   = 4  // of photos: the model's first reading has a wrong figure, which the ledger finds
)

// form is what a purchase is handed in as.
type form int

const (
	formPhoto form = iota
	formPDF
	formXML
)

// purchase is one receipt of a family.
type purchase struct {
	serial  int // among all
	receipt receipts.Receipt
	form    form
	style   receipts.Style
	misread bool
}

// submission is a purchase as somebody hands it in.
type submission struct {
	*purchase

	shot   int  // which photo of it
	spouse bool // by the second person of the family
}

// family is people who hand in one after the other, each when the one before has ended.
type family struct {
	number      int
	premium     bool
	income      fiscal.Money
	adults      int
	children    int
	readable    bool // their state shows its records
	submissions []submission
}

// population makes up n submissions. Of a family's year a part is handed in, each family beginning in another week, so that the
// month that this stands for has people of no history at all and people of almost a year.
func population(n int, seed uint64) []*family {
	const most, least, families = 100, 8, 100
	size := min(most, max(least, n/families))
	var all []*family
	for serial, left := 0, n; left > 0; {
		f := newFamily(len(all), seed)
		f.buy(rand.New(rand.NewPCG(seed, uint64(f.number)|1<<32)), min(size, left), &serial)
		left -= len(f.submissions)
		all = append(all, f)
	}
	return all
}

func newFamily(number int, seed uint64) *family {
	rng := rand.New(rand.NewPCG(seed, uint64(number)))
	return &family{
		number: number, premium: number*100%(100*100/premiumPercent) == 0, income: fiscal.Money(250_000 + 50_000*rng.IntN(20)),
		adults: 1 + rng.IntN(3), children: rng.IntN(3),
		readable: number%len(receipts.States())*100 < readablePercent*len(receipts.States()),
	}
}

// buy hands in size documents of a year.
func (f *family) buy(rng *rand.Rand, size int, serial *int) {
	year := receipts.Year(receipts.YearOptions{Seed: uint64(f.number)})
	const step = 17 // families begin in different weeks
	first := f.number * step % max(1, len(year)-size)
	level := decimal.New(int64(850+rng.IntN(300)), -3) // of the prices where they live
	style := receipts.Styles()[f.number%len(receipts.Styles())]
	for _, model := range year[first:] {
		p := &purchase{serial: *serial, receipt: f.near(rng, model, level), style: style}
		*serial++
		roll := rng.IntN(100)
		switch {
		case roll < xmlPercent:
			p.form = formXML
		case roll < xmlPercent+pdfPercent:
			p.form = formPDF
		default:
			p.misread = rng.IntN(100) < misreadPercent
		}
		f.submissions = append(f.submissions, submission{purchase: p})
		switch roll = rng.IntN(100); {
		case roll < againPercent:
			f.submissions = append(f.submissions, submission{purchase: p})
		case roll < againPercent+reshotPercent && p.form == formPhoto:
			f.submissions = append(f.submissions, submission{purchase: p, shot: 1})
		case roll >= 100-forwardedPercent:
			f.submissions = append(f.submissions, submission{purchase: p, spouse: true})
		}
		if len(f.submissions) >= size {
			f.submissions = f.submissions[:size]
			return
		}
	}
}

// near is a purchase of the year as this family made it: in their state, at their prices.
func (f *family) near(rng *rand.Rand, model receipts.Receipt, level decimal.Decimal) receipts.Receipt {
	shop := model.Store
	state := receipts.States()[f.number%len(receipts.States())]
	shop.State, shop.City, shop.CityCode, shop.CEP = state, state.City, state.IBGE, state.CEP+"100"
	basket := make([]receipts.Product, len(model.Items))
	quantities, prices := map[int]decimal.Decimal{}, map[int]fiscal.Money{}
	for i, it := range model.Items {
		basket[i] = it.Product
		quantities[it.Product.Seq] = it.Quantity
		prices[it.Product.Seq] = max(5, fiscal.Money(it.UnitPrice.Mul(level).Shift(2).Round(0).IntPart()))
	}
	return receipts.Generate(rng, receipts.Options{
		Store: &shop, IssuedAt: model.IssuedAt, Basket: basket, Issue: receipts.IssueOnline, Plain: true,
		PriceOf:    func(p receipts.Product) fiscal.Money { return prices[p.Seq] },
		QuantityOf: func(p receipts.Product) decimal.Decimal { return quantities[p.Seq] },
	})
}

// people are those of the family who hand in.
func (f *family) people() int {
	if slices.ContainsFunc(f.submissions, func(s submission) bool { return s.spouse }) {
		return 2
	}
	return 1
}

// text is the receipt as a PDF's text layer has it.
func (p *purchase) text() string { return strings.Join(p.receipt.Paper(p.style), "\n") }
