package invoice

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// What a correction may say: as much as a reader may, see providers.DraftFromReceipt.
const (
	maxItems    = 2000
	maxPayments = 100
	// maxCorrected is more than a household spends on a line or a note.
	maxCorrected fiscal.Money = 10_000_000_00
	// maxDecimals of a quantity or a unit price, as in the official layout.
	maxDecimals = 10
	maxNumber   = 999_999_999
	maxSeries   = 999
	lastYear    = 2100
	// Lengths in runes.
	maxDescription = 240
	maxName        = 120
	maxUnit        = 12
)

// apply gives the draft with what the correction changes, and what it teaches; d itself stays as it is. The error is a
// BAD_USER_INPUT *Error that names the first field at fault as the GraphQL input does: "items.2.quantity".
func (c Correction) apply(d Draft, newID func() string) (Draft, []Lesson, error) {
	d.Items, d.Payments = slices.Clone(d.Items), slices.Clone(d.Payments)
	a := amendment{draft: &d}
	a.header(c)
	a.totals(c.Totals)
	a.payments(c.Payments)
	a.items(c.Items)
	lessons := a.lessons(c.Items)
	a.lines(c, newID)
	if a.fault != nil {
		return Draft{}, nil, a.fault
	}
	return d, lessons, nil
}

// amendment is one correction at work on a draft.
type amendment struct {
	draft *Draft
	fault error // the first; what follows does not matter
}

func (a *amendment) fail(field, message string) {
	if a.fault == nil {
		a.fault = &Error{Code: CodeBadUserInput, Field: field, Message: message}
	}
}

func (a *amendment) header(c Correction) {
	d := a.draft
	a.text("issuerName", c.IssuerName, maxName, &d.Issuer.Name)
	if c.IssuerCNPJ.Set {
		d.Issuer.CNPJ = fiscal.NormalizeCNPJ(c.IssuerCNPJ.or(""))
		if c.IssuerCNPJ.or("") != "" && !fiscal.ValidCNPJ(d.Issuer.CNPJ) {
			a.fail("issuerCnpj", "Este CNPJ não existe: confira os números.")
		}
	}
	if c.IssuedAt.Set {
		d.IssuedAt = c.IssuedAt.Value
		if at := d.IssuedAt; at != nil && (at.Year() < firstYear || at.Year() > lastYear) {
			a.fail("issuedAt", fmt.Sprintf("A data deve ficar entre %d e %d.", firstYear, lastYear))
		}
	}
	if c.AccessKey.Set {
		a.accessKey(c.AccessKey.or(""))
	}
	if c.Number.Set {
		if d.Number = c.Number.or(0); d.Number < 0 || d.Number > maxNumber {
			a.fail("number", "O número da nota tem de 1 a 9 algarismos.")
		}
	}
	if c.Series.Set {
		d.Series = c.Series.Value
		if n := c.Series.or(0); n < 0 || n > maxSeries {
			a.fail("series", "A série tem de 1 a 3 algarismos.")
		}
	}
}

// accessKey also sets what the key says of itself, and what only it says, as when a note is read: its model and its state.
func (a *amendment) accessKey(text string) {
	a.draft.AccessKey = ""
	if strings.TrimSpace(text) == "" {
		return
	}
	key, err := fiscal.ParseAccessKey(text)
	if err != nil {
		a.fail("accessKey", "Esta chave de acesso não existe: confira os 44 caracteres.")
		return
	}
	a.draft.AccessKey, a.draft.Issuer.State = string(key), key.State()
	if a.draft.Model = key.Model(); a.draft.Model != 55 && a.draft.Model != 65 {
		a.draft.Model = 0
	}
}

func (a *amendment) totals(c TotalsCorrection) {
	t := &a.draft.Totals
	a.stated("totals.products", c.Products, &t.Products)
	a.amount("totals.discount", c.Discount, &t.Discount)
	a.amount("totals.freight", c.Freight, &t.Freight)
	a.amount("totals.insurance", c.Insurance, &t.Insurance)
	a.amount("totals.other", c.Other, &t.Other)
	a.amount("totals.taxes", c.Taxes, &t.Taxes)
	a.stated("totals.due", c.Due, &t.Due)
	a.stated("totals.paid", c.Paid, &t.Paid)
	a.amount("totals.change", c.Change, &t.Change)
}

func (a *amendment) payments(c Optional[[]Payment]) {
	if !c.Set {
		return
	}
	a.draft.Payments = slices.Clone(c.or(nil))
	if len(a.draft.Payments) > maxPayments {
		a.fail("payments", fmt.Sprintf("A nota passa de %d pagamentos.", maxPayments))
	}
	for i, p := range a.draft.Payments {
		if p.Method.name() == "" {
			a.fail(fmt.Sprintf("payments.%d.method", i), "Esta forma de pagamento não existe.")
		}
		a.amount(fmt.Sprintf("payments.%d.amount", i), given(p.Amount), &p.Amount)
	}
}

func (a *amendment) items(corrections []ItemCorrection) {
	seen := map[string]bool{}
	for i, c := range corrections {
		field := fmt.Sprintf("items.%d.", i)
		at := a.find(c.ItemID)
		if at < 0 {
			a.fail(field+"itemId", "Este item não está na nota.")
			return
		}
		if seen[c.ItemID] {
			a.fail(field+"itemId", "O mesmo item aparece duas vezes.")
		}
		seen[c.ItemID] = true
		a.item(field, c, &a.draft.Items[at])
	}
}

func (a *amendment) item(field string, c ItemCorrection, it *Item) {
	was := *it
	a.text(field+"description", c.Description, maxDescription, &it.Description)
	if c.Description.Set && it.Description == "" {
		a.fail(field+"description", "Escreva o nome do produto como está na nota.")
	}
	a.gtin(field+"gtin", c.GTIN, &it.GTIN)
	a.factor(field+"quantity", c.Quantity, &it.Quantity)
	a.text(field+"unit", c.Unit, maxUnit, &it.Unit)
	a.factor(field+"unitPrice", c.UnitPrice, &it.UnitPrice)
	a.amount(field+"total", c.Total, &it.Total)
	a.amount(field+"discount", c.Discount, &it.Discount)
	if len(Changes(Draft{Items: []Item{was}}, Draft{Items: []Item{*it}})) > 0 {
		it.Uncertain = false // somebody has looked at the paper
	}
}

// lessons are what the corrections say of products. Whether a category exists is the Catalogue's to say.
func (a *amendment) lessons(corrections []ItemCorrection) []Lesson {
	var lessons []Lesson
	for i, c := range corrections {
		l := Lesson{ItemID: c.ItemID, Category: strings.TrimSpace(c.Category)}
		a.text(fmt.Sprintf("items.%d.productName", i), given(c.ProductName), maxName, &l.Name)
		if l.Name != "" || l.Category != "" {
			lessons = append(lessons, l)
		}
	}
	return lessons
}

// lines removes and adds lines. Places are those of the lines that the user saw.
func (a *amendment) lines(c Correction, newID func() string) {
	if len(c.RemoveIDs) == 0 && len(c.AddItems) == 0 {
		return
	}
	removed := a.removed(c)
	added := a.added(c.AddItems, newID)
	old := a.draft.Items
	items := slices.Clone(added[0])
	for i, it := range old {
		if !removed[it.ID] {
			items = append(items, it)
		}
		items = append(items, added[i+1]...)
	}
	if len(items) > maxItems {
		a.fail("addItems", fmt.Sprintf("A nota passa de %d itens.", maxItems))
	}
	for i := range items {
		items[i].Line = i + 1
	}
	a.draft.Items = items
}

func (a *amendment) removed(c Correction) map[string]bool {
	removed := map[string]bool{}
	for i, id := range c.RemoveIDs {
		field := fmt.Sprintf("removeItemIds.%d", i)
		switch {
		case a.find(id) < 0:
			a.fail(field, "Este item não está na nota.")
		case removed[id]:
			a.fail(field, "O mesmo item aparece duas vezes.")
		case slices.ContainsFunc(c.Items, func(ic ItemCorrection) bool { return ic.ItemID == id }):
			a.fail(field, "Corrija o item ou tire-o da nota, não os dois.")
		}
		removed[id] = true
	}
	return removed
}

// added are the new items by how many of the old ones come before them.
func (a *amendment) added(news []NewItem, newID func() string) map[int][]Item {
	added := map[int][]Item{}
	for i, n := range news {
		field := fmt.Sprintf("addItems.%d.", i)
		it := Item{ID: newID()}
		a.item(field, ItemCorrection{
			Description: given(n.Description), GTIN: given(n.GTIN), Quantity: given(n.Quantity), Unit: given(n.Unit),
			UnitPrice: given(n.UnitPrice), Discount: given(n.Discount), Total: Optional[fiscal.Money]{Set: true, Value: n.Total},
		}, &it)
		if n.Total == nil {
			total, err := fiscal.LineTotal(it.Quantity, it.UnitPrice)
			if err != nil {
				total = maxCorrected + 1
			}
			a.amount(field+"total", given(total), &it.Total)
		}
		place := a.place(n.AfterLine)
		if place < 0 {
			a.fail(field+"afterLine", "Esta linha não está na nota.")
		}
		added[place] = append(added[place], it)
	}
	return added
}

// place is how many items come before what is put after a line; -1 when there is no such line.
func (a *amendment) place(afterLine *int) int {
	switch {
	case afterLine == nil:
		return len(a.draft.Items)
	case *afterLine == 0:
		return 0
	}
	for i := range a.draft.Items {
		if a.draft.lineOf(i) == *afterLine {
			return i + 1
		}
	}
	return -1
}

func (a *amendment) find(itemID string) int {
	return slices.IndexFunc(a.draft.Items, func(it Item) bool { return it.ID == itemID && itemID != "" })
}

func (a *amendment) text(field string, o Optional[string], most int, to *string) {
	if !o.Set {
		return
	}
	*to = OneLine(o.or(""))
	if utf8.RuneCountInString(*to) > most {
		a.fail(field, fmt.Sprintf("O texto passa de %d caracteres.", most))
	}
}

// gtin takes digits with a wrong check digit too: if the paper has them, its check tells.
func (a *amendment) gtin(field string, o Optional[string], to *string) {
	if !o.Set {
		return
	}
	*to = strings.TrimSpace(o.or(""))
	switch len(*to) {
	case 0, 8, 12, 13, 14:
		if fiscal.OnlyDigits(*to) == *to {
			return
		}
	}
	a.fail(field, "O código de barras tem 8, 12, 13 ou 14 algarismos.")
}

func (a *amendment) amount(field string, o Optional[fiscal.Money], to *fiscal.Money) {
	if !o.Set {
		return
	}
	if *to = o.or(0); *to < 0 || *to > maxCorrected {
		a.fail(field, "O valor deve ficar entre R$ 0,00 e "+maxCorrected.String()+".")
	}
}

// stated is amount where the note may say nothing.
func (a *amendment) stated(field string, o Optional[fiscal.Money], to **fiscal.Money) {
	if !o.Set {
		return
	}
	*to = nil
	if o.Value != nil {
		*to = new(fiscal.Money)
		a.amount(field, o, *to)
	}
}

// factor is a quantity or a unit price.
func (a *amendment) factor(field string, o Optional[decimal.Decimal], to *decimal.Decimal) {
	if !o.Set {
		return
	}
	d := o.or(decimal.Zero)
	const longest = 40 // digits and exponent: a hostile one is not calculated with
	if d.Exponent() < -longest || d.Exponent() > longest || d.Coefficient().BitLen() > 4*longest ||
		d.IsNegative() || d.GreaterThan(maxCorrected.Decimal()) || !d.Equal(d.Round(maxDecimals)) {
		a.fail(field, fmt.Sprintf("O número deve ficar entre 0 e 10.000.000, com até %d casas decimais.", maxDecimals))
		return
	}
	*to = d.Round(maxDecimals)
}

// or is the value that was given, or other.
func (o Optional[T]) or(other T) T {
	if o.Value == nil {
		return other
	}
	return *o.Value
}

func given[T any](value T) Optional[T] { return Optional[T]{Set: true, Value: &value} }

// OneLine makes one line of what somebody typed or a model wrote: no control characters, nothing invisible or that turns the
// writing direction, single blanks, no CPF.
func OneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return fiscal.MaskCPFs(strings.Join(strings.Fields(s), " "))
}

// lineOf is the number of the item at that index.
func (d *Draft) lineOf(index int) int {
	if n := d.Items[index].Line; n > 0 {
		return n
	}
	return index + 1
}
