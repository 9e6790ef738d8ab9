package receipts

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// YearOptions are of a Year. The zero value is the year that tests and documents show.
type YearOptions struct {
	// Seed is what habits do not decide: who the shops are, the hours, discounts, payments, numbers.
	Seed uint64
	// First is a day in the first month. Zero is January 2025.
	First time.Time
}

// MonthScript is what happens to a Year's family in one month.
type MonthScript string

// The months that differ from the others, by their number from 1.
const (
	ScriptPlain   MonthScript = ""
	ScriptCoffee  MonthScript = "coffee"  // the 5th: coffee costs 1.7 times as much
	ScriptParty   MonthScript = "party"   // the 6th: one purchase of meat and drinks for a party
	ScriptErrands MonthScript = "errands" // the 8th: many small purchases round the corner, and two larger ones
	ScriptGreens  MonthScript = "greens"  // the 9th: nothing from the greengrocer
	ScriptBaby    MonthScript = "baby"    // the 10th and the 11th: a baby needs napkins
)

// ScriptOf is what happens in the month with that number, from 1.
func ScriptOf(month int) MonthScript {
	switch month {
	case 5:
		return ScriptCoffee
	case 6:
		return ScriptParty
	case 8:
		return ScriptErrands
	case 9:
		return ScriptGreens
	case 10, 11:
		return ScriptBaby
	}
	return ScriptPlain
}

// Year makes up the purchases of a family in twelve months, oldest first: every Saturday the supermarket, every Wednesday the
// greengrocer, on the fifth the wholesaler, by habit the same things; and what ScriptOf tells. Prices rise by half a percent a
// month, differ between shops, and those of fruit and vegetables rise by half out of season.
func Year(o YearOptions) []Receipt {
	first := o.First
	if first.IsZero() {
		first = time.Date(2025, time.January, 1, 0, 0, 0, 0, zone())
	}
	y := year{rng: NewRand(o.Seed), first: time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, zone()), shelf: map[string]Product{}}
	for _, p := range Catalogue() {
		y.shelf[p.Description] = p
	}
	y.drawShops()
	for n := range 12 {
		y.month(n + 1)
	}
	slices.SortStableFunc(y.receipts, func(a, b Receipt) int { return a.IssuedAt.Compare(b.IssuedAt) })
	return y.receipts
}

type year struct {
	rng      *rand.Rand
	first    time.Time
	shelf    map[string]Product // the Catalogue by label
	receipts []Receipt

	supermarket, corner, greengrocer, wholesaler shop
}

// shop is a store and its prices, in percent of the usual ones.
type shop struct {
	Store

	level fiscal.Money
}

// want is a thing that the family buys, and how much of it. What is bought every n weeks comes in the weeks that n divides.
type want struct {
	label string
	milli int64 // how much of the unit, in thousandths
	every int   // 0 is always
}

func (y *year) drawShops() {
	open := func(name string, level fiscal.Money) shop {
		s := drawStore(y.rng, false)
		s.Name = name
		s.State = States()[0]
		s.City, s.CityCode, s.CEP = s.State.City, s.State.IBGE, s.State.CEP+"100"
		return shop{s, level}
	}
	y.supermarket = open("SUPERMERCADO EXEMPLO LTDA", 100)
	y.corner = open("MERCADO MODELO DO BAIRRO LTDA", 114)
	y.greengrocer = open("HORTIFRUTI DE MENTIRA LTDA", 96)
	y.wholesaler = open("ATACADO FICTÍCIO S/A", 88)
}

// month makes the purchases of the month with that number, from 1.
func (y *year) month(number int) {
	script := ScriptOf(number)
	first := y.first.AddDate(0, number-1, 0)
	for day := first; day.Month() == first.Month(); day = day.AddDate(0, 0, 1) {
		_, week := day.ISOWeek()
		switch {
		case day.Day() == 5:
			y.buy(number, day, y.wholesaler, bulk(), 0)
		case day.Weekday() == time.Saturday:
			y.buy(number, day, y.supermarket, groceries(script), week)
		case day.Weekday() == time.Wednesday && script != ScriptGreens:
			y.buy(number, day, y.greengrocer, greens(), week)
		}
		switch {
		case script == ScriptParty && day.Day() == 19:
			y.buy(number, day, y.supermarket, party(), 0)
		case script == ScriptErrands && day.Day() >= 10 && day.Day()%2 == 0:
			y.buy(number, day, y.corner, errand(day.Day()), 0)
		}
	}
}

func groceries(script MonthScript) []want {
	wants := []want{
		{"LEITE INT ITALAC 1L", 6000, 0},
		{"ARROZ TIO JOAO T1 5KG", 1000, 3},
		{"FEIJAO CARIOCA KICALDO 1KG", 2000, 0},
		{"LENTILHA YOKI 500G", 1000, 0},
		{"CAFE PILAO TRAD 500G", 1000, 0},
		{"FILE PEITO FGO RESF KG", 1200, 0},
		{"PATINHO BOV KG", 800, 2},
		{"QJO MUSS FAT KG", 350, 0},
		{"PÃO FRANCÊS KG", 900, 0},
		{"MAC ESPAG ADRIA 500G", 2000, 2},
		{"OLEO SOJA LIZA 900ML", 1000, 3},
		{"BISC MAISENA 350G", 2000, 2},
		{"REFRI COCA COLA PET 2L", 1000, 2},
		{"DET YPE NEUTRO 500ML", 2000, 2},
		{"IOG NESTLE MOR 170G", 4000, 0},
		{"OVOS BRANCOS 12UN", 1000, 0},
		{"CHOC LACTA AO LEITE 80G", 2000, 4},
		{"CREME DENTAL COLGATE 90G", 2000, 4},
	}
	if script == ScriptBaby {
		wants = append(wants, want{"FRALDA PAMPERS G C/30", 1000, 0}, want{"LENÇO UMED HUGGIES C/48", 2000, 0})
	}
	return wants
}

func greens() []want {
	return []want{
		{"BANANA PRATA KG", 1600, 0},
		{"MAÇÃ GALA KG", 1200, 0},
		{"LARANJA PERA KG", 2500, 0},
		{"TOMATE ITALIANO KG", 1400, 0},
		{"CENOURA KG", 800, 0},
		{"ALFACE CRESPA", 2000, 0},
		{"BROCOLIS NINJA", 2000, 0},
		{"CEBOLA KG", 1000, 2},
		{"MORANGO", 2000, 2},
		{"MAMÃO FORMOSA KG", 1500, 0},
		{"COUVE MANTEIGA", 1000, 0},
	}
}

func bulk() []want {
	return []want{
		{"ARROZ TIO JOAO T1 5KG", 2000, 0},
		{"ACUCAR UNIAO REF 1KG", 3000, 0},
		{"SABAO PO OMO 1,6KG", 1000, 0},
		{"PAPEL HIG NEVE 30M C/12", 1000, 0},
		{"COSTELA BOV KG", 2500, 0},
		{"LEITE INT ITALAC 1L", 12000, 0},
		{"SAL REF CISNE 1KG", 1000, 0},
	}
}

func party() []want {
	return []want{
		{"PICANHA BOV KG", 3200, 0},
		{"LING TOSCANA SADIA KG", 2000, 0},
		{"CERV BRAHMA DUPLO MALTE 12X350", 3000, 0},
		{"REFRI GUARANA ANT PET 2L", 4000, 0},
		{"REFRI COCA COLA PET 2L", 4000, 0},
		{"SORVETE KIBON 1,5L", 2000, 0},
		{"SALG DORITOS 84G", 4000, 0},
	}
}

// errand is what was forgotten: mostly below R$ 50, of which nothing is said, and twice above it.
func errand(day int) []want {
	switch day {
	case 20, 28:
		return []want{{"PÃO FRANCÊS KG", 600, 0}, {"PRESUNTO COZ FAT KG", 500, 0}, {"QJO PRATO PECA KG", 500, 0}, {"SUCO DEL VALLE LAR 1L", 2000, 0}}
	case 12, 22:
		return []want{{"LEITE INT ITALAC 1L", 2000, 0}, {"BISC RECH BAUDUCCO CHOC 140G", 1000, 0}}
	}
	return []want{{"PÃO FRANCÊS KG", 500, 0}, {"REFRI GUARANA ANT PET 2L", 1000, 0}}
}

// buy makes one purchase of what the week has of the wants.
func (y *year) buy(month int, day time.Time, at shop, wants []want, week int) {
	var basket []Product
	quantities := map[int]decimal.Decimal{}
	for _, w := range wants {
		if w.every > 0 && week%w.every != 0 {
			continue
		}
		p := y.shelf[w.label]
		basket = append(basket, p)
		quantities[p.Seq] = decimal.New(w.milli, -3)
	}
	y.receipts = append(y.receipts, Generate(y.rng, Options{
		Store: &at.Store, IssuedAt: day.Add(time.Duration(9*60+y.rng.IntN(10*60)) * time.Minute), Basket: basket, Issue: IssueOnline,
		PriceOf:    func(p Product) fiscal.Money { return price(p, at, month, day.Month()) },
		QuantityOf: func(p Product) decimal.Decimal { return quantities[p.Seq] },
	}))
}

// price is a product's in the month with the number, from 1, which is the given one of the calendar.
func price(p Product, at shop, number int, month time.Month) fiscal.Money {
	cost := p.Price * at.level * fiscal.Money(1000+5*(number-1)) / 100 / 1000
	if !inSeason(p.Description, month) {
		cost = cost * 3 / 2
	}
	if ScriptOf(number) == ScriptCoffee && strings.HasPrefix(p.Description, "CAFE") {
		cost = cost * 17 / 10
	}
	return cost
}

// inSeason says in which months a thing is as cheap as the Catalogue says.
func inSeason(label string, month time.Month) bool {
	switch label {
	case "ALFACE CRESPA":
		return month >= time.April && month <= time.November
	case "BROCOLIS NINJA", "COUVE MANTEIGA":
		return month >= time.May && month <= time.October
	case "CEBOLA KG", "TOMATE ITALIANO KG":
		return month <= time.February || month >= time.September
	case "CENOURA KG", "LARANJA PERA KG":
		return month == time.January || month >= time.July
	case "MAÇÃ GALA KG":
		return month <= time.July
	case "MORANGO":
		return month >= time.June && month <= time.October
	}
	return true
}
