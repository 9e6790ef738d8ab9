package invoice

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Revision is what an invoice said before a correction, or before a retry read it once more. The first one of an invoice is
// what was read: corrections change the invoice, and no printed figure is lost.
type Revision struct {
	Version   int // the invoice's, before the change
	Source    Source
	Draft     Draft
	ChangedAt time.Time
}

// FieldChange is one field in which two drafts differ.
type FieldChange struct {
	// Field is its name in the GraphQL schema: "issuer.name", "totals.due", "items.unitPrice", "payments"; "items" for a line
	// that was added or removed.
	Field string
	Line  int // in the later draft, in the earlier for a line that was removed; 0 when it is about the whole note
	// Before and After are in Brazilian formats; "" where there was nothing. A category is its id.
	Before, After string
}

// Changes says in what two drafts differ, the note first, then its lines in their order. Lines are matched by their ids. Values
// are compared, not how they are written: 1.50 is 1.5.
func Changes(before, after Draft) []FieldChange {
	var c changes
	c.text(0, "issuer.name", before.Issuer.Name, after.Issuer.Name)
	c.shown("issuer.cnpj", before.Issuer.CNPJ, after.Issuer.CNPJ, showCNPJ)
	c.text(0, "issuer.state", before.Issuer.State, after.Issuer.State)
	c.shown("accessKey", before.AccessKey, after.AccessKey, func(key string) string { return showKey(fiscal.AccessKey(key)) })
	c.text(0, "model", numberText(before.Model), numberText(after.Model))
	c.text(0, "number", numberText(before.Number), numberText(after.Number))
	c.text(0, "series", statedText(before.Series), statedText(after.Series))
	c.moments(before.IssuedAt, after.IssuedAt)
	c.text(0, "testDocument", yesNo(before.TestDocument), yesNo(after.TestDocument))
	c.text(0, "itemCount", statedText(before.PrintedItemCount), statedText(after.PrintedItemCount))
	c.totals(before.Totals, after.Totals)
	c.text(0, "payments", paymentsText(before.Payments), paymentsText(after.Payments))
	c.items(&before, &after)
	return c
}

type changes []FieldChange

func (c *changes) text(line int, field, before, after string) {
	if before != after {
		*c = append(*c, FieldChange{Field: field, Line: line, Before: before, After: after})
	}
}

// shown compares what identifies somebody by itself: show hides a CPF, and may make two of them alike.
func (c *changes) shown(field, before, after string, show func(string) string) {
	if before == after {
		return
	}
	f := FieldChange{Field: field}
	if before != "" {
		f.Before = show(before)
	}
	if after != "" {
		f.After = show(after)
	}
	*c = append(*c, f)
}

func (c *changes) moments(before, after *time.Time) {
	if before == after || before != nil && after != nil && before.Equal(*after) {
		return
	}
	const minute, second = "02/01/2006 15:04", "02/01/2006 15:04:05"
	f := FieldChange{Field: "issuedAt", Before: momentText(before, minute), After: momentText(after, minute)}
	if f.Before == f.After {
		f.Before, f.After = momentText(before, second), momentText(after, second)
	}
	*c = append(*c, f)
}

func (c *changes) totals(before, after Totals) {
	c.text(0, "totals.products", amountText(before.Products), amountText(after.Products))
	c.text(0, "totals.discount", before.Discount.String(), after.Discount.String())
	c.text(0, "totals.freight", before.Freight.String(), after.Freight.String())
	c.text(0, "totals.insurance", before.Insurance.String(), after.Insurance.String())
	c.text(0, "totals.other", before.Other.String(), after.Other.String())
	c.text(0, "totals.taxes", before.Taxes.String(), after.Taxes.String())
	c.text(0, "totals.due", amountText(before.Due), amountText(after.Due))
	c.text(0, "totals.paid", amountText(before.Paid), amountText(after.Paid))
	c.text(0, "totals.change", before.Change.String(), after.Change.String())
}

// items puts the lines that were removed before those that are there.
func (c *changes) items(before, after *Draft) {
	kept, former := make(map[string]bool, len(after.Items)), make(map[string]Item, len(before.Items))
	for _, it := range after.Items {
		kept[it.ID] = true
	}
	for i, it := range before.Items {
		if former[it.ID] = it; !kept[it.ID] {
			c.text(before.lineOf(i), "items", itemText(it), "")
		}
	}
	for i, it := range after.Items {
		if was, found := former[it.ID]; found {
			c.item(after.lineOf(i), was, it)
		} else {
			c.text(after.lineOf(i), "items", "", itemText(it))
		}
	}
}

func (c *changes) item(line int, before, after Item) {
	c.text(line, "items.description", before.Description, after.Description)
	c.text(line, "items.code", before.Code, after.Code)
	c.text(line, "items.gtin", before.GTIN, after.GTIN)
	c.text(line, "items.quantity", decimalText(before.Quantity, 0), decimalText(after.Quantity, 0))
	c.text(line, "items.unit", before.Unit, after.Unit)
	c.text(line, "items.unitPrice", priceText(before.UnitPrice), priceText(after.UnitPrice))
	c.text(line, "items.total", before.Total.String(), after.Total.String())
	c.text(line, "items.discount", before.Discount.String(), after.Discount.String())
	c.text(line, "items.category", before.Category, after.Category)
}

func itemText(it Item) string { return strings.TrimSpace(it.Description + " " + it.Total.String()) }

func amountText(m *fiscal.Money) string {
	if m == nil {
		return ""
	}
	return m.String()
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func statedText(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func yesNo(b bool) string {
	if b {
		return "sim"
	}
	return "não"
}

// momentText is a moment as clocks in Brasília show it.
func momentText(t *time.Time, layout string) string {
	if t == nil {
		return ""
	}
	return t.In(brasilia()).Format(layout)
}

func priceText(d decimal.Decimal) string {
	const centavos = 2
	if d.IsNegative() {
		return "-R$ " + decimalText(d.Neg(), centavos)
	}
	return "R$ " + decimalText(d, centavos)
}

// decimalText is a number as Brazilians write it, exact, with at least so many decimals: "1.234,5".
func decimalText(d decimal.Decimal, decimals int) string {
	whole, fraction, _ := strings.Cut(d.Abs().String(), ".")
	fraction += strings.Repeat("0", max(0, decimals-len(fraction)))
	var b strings.Builder
	if d.IsNegative() {
		b.WriteByte('-')
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(r)
	}
	if fraction != "" {
		b.WriteString("," + fraction)
	}
	return b.String()
}

func paymentsText(payments []Payment) string {
	texts := make([]string, len(payments))
	for i, p := range payments {
		texts[i] = fmt.Sprintf("%s %s", p.Method.name(), p.Amount)
	}
	return strings.Join(texts, "; ")
}

// name is what people call a method; "" for what is none.
func (m PaymentMethod) name() string {
	switch m {
	case PaymentCash:
		return "dinheiro"
	case PaymentCheque:
		return "cheque"
	case PaymentCreditCard:
		return "cartão de crédito"
	case PaymentDebitCard:
		return "cartão de débito"
	case PaymentStoreCredit:
		return "crédito na loja"
	case PaymentFoodVoucher:
		return "vale-alimentação"
	case PaymentMealVoucher:
		return "vale-refeição"
	case PaymentGiftVoucher:
		return "vale-presente"
	case PaymentFuelVoucher:
		return "vale-combustível"
	case PaymentBoleto:
		return "boleto"
	case PaymentDeposit:
		return "depósito"
	case PaymentPix:
		return "Pix"
	case PaymentWallet:
		return "carteira digital"
	case PaymentLoyalty:
		return "fidelidade"
	case PaymentNone:
		return "sem pagamento"
	case PaymentOther:
		return "outro"
	}
	return ""
}
