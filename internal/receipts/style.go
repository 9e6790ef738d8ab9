package receipts

import (
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Style is how one make of till prints a DANFE NFC-e.
type Style struct {
	Name    string
	Columns int // characters in a line
	PaperMM int // width of the roll: 58 or 80
	// CellWidth and LineHeight are the size of a character in dots of a 203 dpi print head.
	CellWidth, LineHeight int
	Typeface              Typeface

	TwoLines  bool // an item takes two lines: what it is, and the figures
	Numbered  bool // items are numbered, 001 on
	PrintGTIN bool // the code printed is the GTIN where there is one, and not the shop's own
	ASCII     bool // the printer has no accents
	// Thousandths prints every quantity with three decimals.
	Thousandths bool
	Times       string // between quantity and unit price on the second line: "X", "x"
	Rule        string // the character of ruled lines

	Header string // over the items
	// ItemDiscount is the label of a line's discount; "" prints none, the discount is then in the total alone.
	ItemDiscount string
	Labels       Labels
}

// Typeface is what pictures of a style are drawn with. PDFs are in Courier.
type Typeface int

// The typefaces: both monospaced, free, and complete for Portuguese.
const (
	TypefaceGo     Typeface = iota // Go Mono
	TypefaceDejaVu                 // DejaVu Sans Mono
)

// Labels are a till's words for the totals.
type Labels struct {
	Title, Count, Products, Discount, Other, Freight, Due, Paid, PaidAmount, Change, Consult, Number, Taxes string
}

// officialLabels are the words of the official layout.
func officialLabels() Labels {
	return Labels{
		Title: "Documento Auxiliar da Nota Fiscal de Consumidor Eletrônica",
		Count: "Qtde total de itens", Products: "Valor Total R$", Discount: "Desconto R$", Other: "Acréscimo R$",
		Freight: "Frete R$", Due: "Valor a Pagar R$", Paid: "FORMA PAGAMENTO", PaidAmount: "VALOR PAGO R$", Change: "Troco R$",
		Consult: "Consulte pela Chave de Acesso em:", Number: "NFCe n.",
		Taxes: "Tributos totais Incidentes (Lei Federal 12.741/2012): R$", //nolint:misspell // Portuguese
	}
}

// capitalLabels are those of tills that shout.
func capitalLabels() Labels {
	l := officialLabels()
	l.Title = "DANFE NFC-e - DOCUMENTO AUXILIAR DA NOTA FISCAL DE CONSUMIDOR ELETRÔNICA"
	l.Count, l.Products, l.Discount, l.Other = "QTD. TOTAL DE ITENS", "VALOR TOTAL R$", "DESCONTOS R$", "ACRÉSCIMOS R$"
	l.Freight, l.Due, l.Paid, l.Change = "FRETE R$", "VALOR A PAGAR R$", "FORMA DE PAGAMENTO", "TROCO R$"
	l.Consult, l.Number = "CONSULTE PELA CHAVE DE ACESSO EM", "NFC-e nº"
	return l
}

// Styles are the tills we imitate: two rolls of 58 mm, four of 80 mm.
func Styles() []Style {
	const header48 = "Código Descrição Qtde UN Vl Unit Vl Total"
	return []Style{
		{
			Name: "58-two-line", Columns: 32, PaperMM: 58, CellWidth: 12, LineHeight: 24,
			TwoLines: true, Numbered: true, PrintGTIN: true, Times: "X", Rule: "-",
			Header: "Código Descrição\nQtde UN Vl Unit         Vl Total", ItemDiscount: "DESCONTO ITEM", Labels: capitalLabels(),
		},
		{
			Name: "58-plain", Columns: 32, PaperMM: 58, CellWidth: 12, LineHeight: 26, Typeface: TypefaceDejaVu,
			TwoLines: true, ASCII: true, Times: "x", Rule: "=",
			Header: "Codigo Descricao\nQtde UN Vl Unit Vl Total", ItemDiscount: "Desconto", Labels: officialLabels(),
		},
		{
			Name: "80-two-line", Columns: 48, PaperMM: 80, CellWidth: 12, LineHeight: 24,
			TwoLines: true, Numbered: true, PrintGTIN: true, Times: "X", Rule: "-",
			Header: header48, ItemDiscount: "DESCONTO ITEM", Labels: officialLabels(),
		},
		{
			Name: "80-one-line", Columns: 48, PaperMM: 80, CellWidth: 12, LineHeight: 24, Typeface: TypefaceDejaVu, Rule: "-",
			Header: header48, ItemDiscount: "DESCONTO ITEM", Labels: officialLabels(),
		},
		{
			Name: "80-one-line-small", Columns: 64, PaperMM: 80, CellWidth: 9, LineHeight: 20, PrintGTIN: true, Rule: "-",
			Header: header48, Labels: officialLabels(),
		},
		{
			Name: "80-market", Columns: 48, PaperMM: 80, CellWidth: 12, LineHeight: 27, Typeface: TypefaceDejaVu,
			TwoLines: true, Numbered: true, Thousandths: true, Times: "x", Rule: "-",
			Header: "#   CÓDIGO DESCRIÇÃO\n    QTD UN X VL UNIT R$             VL ITEM R$", ItemDiscount: "DESCONTO ITEM", Labels: capitalLabels(),
		},
	}
}

// StyleNamed finds one of Styles.
func StyleNamed(name string) (Style, bool) {
	for _, s := range Styles() {
		if s.Name == name {
			return s, true
		}
	}
	return Style{}, false
}

// text is s as the printer's character set can show it.
func (s Style) text(t string) string {
	if !s.ASCII {
		return t
	}
	return strings.NewReplacer(
		"Á", "A", "À", "A", "Â", "A", "Ã", "A", "É", "E", "Ê", "E", "Í", "I", "Ó", "O", "Ô", "O", "Õ", "O", "Ú", "U", "Ç", "C",
		"á", "a", "à", "a", "â", "a", "ã", "a", "é", "e", "ê", "e", "í", "i", "ó", "o", "ô", "o", "õ", "o", "ú", "u", "ç", "c",
		"º", "o",
	).Replace(t)
}

// code is the one of the item's two codes that is printed.
func (s Style) code(it Item) string {
	if s.PrintGTIN && it.GTIN != "" {
		return it.GTIN
	}
	return it.Code
}

// head is what comes before the description.
func (s Style) head(it Item) string {
	if s.Numbered {
		return threeDigits(it.Line) + " " + s.code(it) + " "
	}
	return s.code(it) + " "
}

// figures is what comes after the description on a one-line item.
func (s Style) figures(it Item) string {
	return s.quantity(it) + " " + it.Product.Unit + " " + number(it.UnitPrice, 2) + " " + amount(it.Total)
}

func (s Style) quantity(it Item) string {
	if s.Thousandths || it.Product.Weighed() {
		return number(it.Quantity, 3)
	}
	return number(it.Quantity, 0)
}

// description is the item's as printed: cut where the line ends.
func (s Style) description(it Item) string {
	room := s.Columns - utf8.RuneCountInString(s.head(it))
	if !s.TwoLines {
		room -= 1 + utf8.RuneCountInString(s.figures(it))
	}
	return strings.TrimSpace(cut(s.text(it.Product.Description), room))
}

// cut keeps the first n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(n, 0)])
	}
	return s
}

func threeDigits(n int) string { return decimal.New(int64(1000+n), 0).String()[1:] }

// amount is money as receipts print it, without its sign of currency: "1.234,56".
func amount(m fiscal.Money) string { return strings.Replace(m.String(), "R$ ", "", 1) }

// number prints d with a decimal comma, at least places decimals and all that it has.
func number(d decimal.Decimal, places int32) string {
	s := d.StringFixed(max(places, decimals(d)))
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "," + fraction
}

// decimals is how many decimals d needs.
func decimals(d decimal.Decimal) int32 {
	_, fraction, _ := strings.Cut(d.String(), ".")
	return int32(len(fraction)) //nolint:gosec // a decimal of ours has at most three
}
