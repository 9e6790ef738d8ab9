package providers

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	// maxItems is more lines than any purchase has; NF-e allows 990.
	maxItems = 2000
	// maxPayments is more ways to pay than a note allows (100).
	maxPayments = 100
	// maxAmount is more than a household spends on a line or a note: what is read as more is a number of another kind.
	maxAmount fiscal.Money = 10_000_000_00
	// Lengths in runes: twice what the official layout allows, so that nothing printed is lost.
	maxDescription = 240
	maxName        = 120
	maxCode        = 120
	maxUnit        = 12
)

// What makes a receipt useless.
var (
	ErrNothingRead  = errors.New("the receipt has no items, no total and no access key")
	ErrTooManyItems = errors.New("the receipt has more than 2000 items")
)

// DraftFromReceipt takes a receipt as some reader saw it for what it is: text from outside. Figures are parsed, never computed;
// what is not a figure, is negative where nothing can be, or is too large to be true is left out, and the line is marked as
// uncertain. A discount may come with its minus sign. Text is freed of control characters and clipped, CPFs are masked.
// Times without an offset are those of Brasília. It fails with ErrNothingRead or ErrTooManyItems.
func DraftFromReceipt(r sdk.Receipt) (invoice.Draft, error) {
	if len(r.Items) > maxItems {
		return invoice.Draft{}, ErrTooManyItems
	}
	d := invoice.Draft{
		Number:           number(r.Number),
		IssuedAt:         issuedAt(r.IssuedAt),
		TestDocument:     r.Test,
		Protocol:         clip(fiscal.OnlyDigits(r.Protocol), maxUnit*2),
		Issuer:           invoice.Issuer{Name: line(r.IssuerName, maxName)},
		ConsumerCPF:      fiscal.MaskCPF(strings.TrimSpace(r.ConsumerCPF)),
		PrintedItemCount: itemCount(r.ItemCount),
		Totals: invoice.Totals{
			Products: statedAmount(r.Products), Discount: amountOrZero(unsigned(r.Discount)), Freight: amountOrZero(r.Freight),
			Insurance: amountOrZero(r.Insurance), Other: amountOrZero(r.Other), Due: statedAmount(r.Due), Change: amountOrZero(r.Change),
		},
	}
	if cnpj := fiscal.NormalizeCNPJ(clip(r.IssuerCNPJ, maxName)); len(cnpj) == 14 {
		d.Issuer.CNPJ = cnpj
	}
	if n, err := strconv.Atoi(fiscal.OnlyDigits(r.Series)); err == nil && n <= 999 {
		d.Series = &n
	}
	if key, err := fiscal.ParseAccessKey(clip(r.AccessKey, maxName)); err == nil {
		// The key states its own model and state; nothing else on the paper does.
		d.AccessKey, d.Model, d.Issuer.State = string(key), model(key.Model()), key.State()
	}
	for _, item := range r.Items {
		if it, ok := draftItem(item); ok {
			it.Line = len(d.Items) + 1
			d.Items = append(d.Items, it)
		}
	}
	for _, p := range r.Payments[:min(len(r.Payments), maxPayments)] {
		if strings.TrimSpace(p.Method+p.Amount) != "" {
			d.Payments = append(d.Payments, invoice.Payment{Method: paymentMethod(p.Method), Amount: amountOrZero(p.Amount)})
		}
	}
	if len(d.Items) == 0 && d.Totals.Due == nil && d.Totals.Products == nil && d.AccessKey == "" {
		return invoice.Draft{}, ErrNothingRead
	}
	return d, nil
}

// draftItem takes one line; false when there is nothing on it.
func draftItem(r sdk.ReceiptItem) (invoice.Item, bool) {
	it := invoice.Item{
		Description: line(r.Description, maxDescription), Code: line(r.Code, maxCode), Unit: line(r.Unit, maxUnit),
		Uncertain: r.Uncertain,
	}
	switch gtin := fiscal.OnlyDigits(clip(r.GTIN, maxName)); len(gtin) {
	case 8, 12, 13, 14:
		it.GTIN = gtin
	}
	var ok [4]bool
	it.Quantity, ok[0] = factor(r.Quantity)
	it.UnitPrice, ok[1] = factor(r.UnitPrice)
	it.Total, ok[2] = amount(r.Total)
	it.Discount, ok[3] = amount(unsigned(r.Discount))
	if strings.TrimSpace(r.Discount) == "" {
		ok[3] = true // most lines have none
	}
	if ok != [4]bool{true, true, true, true} {
		it.Uncertain = true
	}
	empty := it.Description == "" && it.Code == "" && it.GTIN == "" && it.Total == 0 && it.Quantity.IsZero() && it.UnitPrice.IsZero()
	return it, !empty
}

// amount reads an amount that cannot be negative.
func amount(s string) (fiscal.Money, bool) {
	m, err := fiscal.ParseMoney(s)
	if err != nil || m < 0 || m > maxAmount {
		return 0, false
	}
	return m, true
}

func amountOrZero(s string) fiscal.Money {
	m, _ := amount(s)
	return m
}

func statedAmount(s string) *fiscal.Money {
	if m, ok := amount(s); ok {
		return &m
	}
	return nil
}

// unsigned takes the minus off a discount, which paper prints in front of it or behind.
func unsigned(s string) string {
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "R$"))
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimLeft(s, "-−–"), "-"))
}

// factor reads a quantity or a unit price: not negative, at most ten decimals.
func factor(s string) (decimal.Decimal, bool) {
	const decimals = 10
	d, err := fiscal.ParseDecimal(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "R$")))
	if err != nil || d.IsNegative() || d.GreaterThan(maxAmount.Decimal()) {
		return decimal.Zero, false
	}
	return d.Round(decimals), true
}

// number reads nNF: at most nine digits.
func number(s string) int {
	n, err := strconv.Atoi(fiscal.OnlyDigits(s))
	if err != nil || n > 999_999_999 {
		return 0
	}
	return n
}

func itemCount(s string) *int {
	d, err := fiscal.ParseDecimal(s)
	if err != nil || d.IsNegative() || !d.IsInteger() || d.GreaterThan(decimal.NewFromInt(maxItems)) {
		return nil
	}
	n := int(d.IntPart())
	return &n
}

func model(n int) int {
	if n == 55 || n == 65 {
		return n
	}
	return 0
}

// issuedAt reads the moment of issue as paper, XML and models write it.
func issuedAt(s string) *time.Time {
	const firstYear, lastYear = 2006, 2100 // NF-e began in 2006
	// Brazil has had no summer time since 2019, and receipts do not print an offset.
	brasilia := time.FixedZone("-03", -3*60*60)
	s = strings.TrimSpace(s)
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
		"02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006",
	} {
		t, err := time.ParseInLocation(layout, s, brasilia)
		if err != nil {
			continue
		}
		if t.Year() < firstYear || t.Year() > lastYear {
			return nil
		}
		return &t
	}
	return nil
}

// paymentMethod takes the names that the schema lists, and what is most often printed.
func paymentMethod(s string) invoice.PaymentMethod {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch m := invoice.PaymentMethod(strings.ReplaceAll(s, " ", "_")); m {
	case invoice.PaymentCash, invoice.PaymentCheque, invoice.PaymentCreditCard, invoice.PaymentDebitCard,
		invoice.PaymentStoreCredit, invoice.PaymentFoodVoucher, invoice.PaymentMealVoucher, invoice.PaymentGiftVoucher,
		invoice.PaymentFuelVoucher, invoice.PaymentBoleto, invoice.PaymentDeposit, invoice.PaymentPix, invoice.PaymentWallet,
		invoice.PaymentLoyalty, invoice.PaymentNone, invoice.PaymentOther:
		return m
	}
	for _, printed := range [...]struct {
		word   string
		method invoice.PaymentMethod
	}{
		{"DINHEIRO", invoice.PaymentCash},
		{"CHEQUE", invoice.PaymentCheque},
		{"PIX", invoice.PaymentPix},
		{"DEBITO", invoice.PaymentDebitCard},
		{"DÉBITO", invoice.PaymentDebitCard},
		{"LOJA", invoice.PaymentStoreCredit},
		{"CREDITO", invoice.PaymentCreditCard},
		{"CRÉDITO", invoice.PaymentCreditCard},
		{"REFEI", invoice.PaymentMealVoucher},
		{"ALIMENTA", invoice.PaymentFoodVoucher},
		{"PRESENTE", invoice.PaymentGiftVoucher},
		{"COMBUST", invoice.PaymentFuelVoucher},
		{"BOLETO", invoice.PaymentBoleto},
	} {
		if strings.Contains(s, printed.word) {
			return printed.method
		}
	}
	return invoice.PaymentOther
}

// line makes one line of at most n runes of what may be anything.
func line(s string, n int) string { return clip(invoice.OneLine(s), n) }
