package receipts

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Paper is the text of the receipt in a style, line by line, without the QR code. No line is wider than s.Columns, and none
// ends in a blank.
func (r Receipt) Paper(s Style) []string {
	var lines []string
	for _, l := range r.print(s) {
		if !l.code {
			lines = append(lines, l.text)
		}
	}
	return lines
}

// printed is one line of paper, or the place of the QR code.
type printed struct {
	text string
	bold bool
	code bool
}

// press collects the lines of a receipt.
type press struct {
	style Style
	lines []printed
}

// print sets the receipt in a style.
func (r Receipt) print(s Style) []printed {
	p := &press{style: s}
	p.issuer(r)
	p.rule()
	p.items(r)
	p.rule()
	p.totals(r)
	p.rule()
	p.state(r)
	p.line("")
	p.lines = append(p.lines, printed{code: true})
	p.line("")
	p.centred(s.Labels.Taxes + " " + amount(r.Taxes()))
	p.line(fmt.Sprintf("PDV %03d  OPERADOR %04d", r.Series, 7*r.Number%9000+1000))
	p.centred("VOLTE SEMPRE!")
	return p.lines
}

func (p *press) line(s string) {
	p.lines = append(p.lines, printed{text: strings.TrimRight(p.style.text(s), " ")})
}

func (p *press) rule() { p.line(strings.Repeat(p.style.Rule, p.style.Columns)) }

// centred sets text in the middle of as many lines as it takes.
func (p *press) centred(s string) {
	for _, l := range wrap(p.style.text(s), p.style.Columns) {
		p.line(strings.Repeat(" ", (p.style.Columns-utf8.RuneCountInString(l))/2) + l)
	}
}

// spread sets left and right at the two ends of a line, or of two when one is too short.
func (p *press) spread(left, right string) {
	left = p.style.text(left)
	gap := p.style.Columns - utf8.RuneCountInString(left) - utf8.RuneCountInString(right)
	if gap < 1 {
		p.line(left)
		left, gap = "", p.style.Columns-utf8.RuneCountInString(right)
	}
	p.line(left + strings.Repeat(" ", gap) + right)
}

// bold prints the lines that set adds in bold.
func (p *press) bold(set func()) {
	from := len(p.lines)
	set()
	for i := from; i < len(p.lines); i++ {
		p.lines[i].bold = true
	}
}

func (p *press) issuer(r Receipt) {
	st := r.Store
	p.bold(func() { p.centred(st.Name) })
	p.centred("CNPJ: " + formatCNPJ(st.CNPJ) + "  IE: " + st.IE)
	p.centred(st.Street + ", " + st.StreetNumber + " " + st.District)
	p.centred(st.City + " - " + st.State.UF + " CEP " + st.CEP[:5] + "-" + st.CEP[5:])
	p.rule()
	p.centred(p.style.Labels.Title)
	if p.style.PaperMM == 80 {
		p.centred("Não permite aproveitamento de crédito de ICMS")
	}
	switch {
	case r.Test:
		p.centred("EMITIDA EM AMBIENTE DE HOMOLOGAÇÃO - SEM VALOR FISCAL")
	case r.Offline:
		p.bold(func() { p.centred("EMITIDA EM CONTINGÊNCIA") })
		p.centred("Pendente de autorização")
	}
}

func (p *press) items(r Receipt) {
	s := p.style
	for h := range strings.SplitSeq(s.Header, "\n") {
		p.line(h)
	}
	for _, it := range r.Items {
		if s.TwoLines {
			p.line(s.head(it) + s.description(it))
			p.spread("    "+s.quantity(it)+" "+it.Product.Unit+" "+s.Times+" "+number(it.UnitPrice, 2), amount(it.Total))
		} else {
			p.spread(s.head(it)+s.description(it), s.figures(it))
		}
		if s.ItemDiscount != "" && it.Discount > 0 {
			p.spread("    "+s.ItemDiscount, "-"+amount(it.Discount))
		}
	}
}

func (p *press) totals(r Receipt) {
	l := p.style.Labels
	p.spread(l.Count, strconv.Itoa(len(r.Items)))
	p.spread(l.Products, amount(r.Products()))
	optional := func(label string, m fiscal.Money) {
		if m != 0 {
			p.spread(label, amount(m))
		}
	}
	optional(l.Discount, r.TotalDiscount())
	optional(l.Other, r.Other)
	optional(l.Freight, r.Freight)
	p.bold(func() { p.spread(l.Due, amount(r.Due())) })
	p.spread(l.Paid, l.PaidAmount)
	for _, pay := range r.Payments {
		p.spread(paymentWords(pay.Code), amount(pay.Amount))
	}
	optional(l.Change, r.Change)
}

// paymentWords are what tills print for a tPag.
func paymentWords(tPag string) string {
	switch tPag {
	case "01":
		return "Dinheiro"
	case "03":
		return "Cartão de Crédito"
	case "04":
		return "Cartão de Débito"
	case "05":
		return "Crédito Loja"
	case "10":
		return "Vale Alimentação"
	case "11":
		return "Vale Refeição"
	case "17":
		return "Pagamento Instantâneo (PIX)"
	case "18":
		return "Carteira Digital"
	case "20":
		return "PIX"
	}
	return "Outros"
}

// state prints what leads to the state's record of the purchase.
func (p *press) state(r Receipt) {
	l, s := p.style.Labels, p.style
	p.centred(l.Consult)
	p.centred(r.Store.State.KeyURL)
	p.key(r.Key.Grouped())
	if r.ConsumerCPF == "" {
		p.centred("CONSUMIDOR NÃO IDENTIFICADO")
	} else {
		p.centred("CONSUMIDOR - CPF " + maskCPF(r.ConsumerCPF))
	}
	number := fmt.Sprintf("%s %09d Série %03d", l.Number, r.Number, r.Series)
	moment := r.IssuedAt.Format("02/01/2006 15:04:05")
	if utf8.RuneCountInString(number)+1+len(moment) <= s.Columns {
		p.centred(number + " " + moment)
	} else {
		p.centred(number)
		p.centred(moment)
	}
	if r.Offline {
		return
	}
	p.centred("Protocolo de Autorização: " + r.Protocol)
	p.centred("Data de Autorização " + r.Authorized.Format("02/01/2006 15:04:05"))
}

// key prints the eleven groups of four on as few even lines as the paper allows.
func (p *press) key(grouped string) {
	groups := strings.Fields(grouped)
	perLine := 11
	switch {
	case p.style.Columns < 34:
		perLine = 6
	case p.style.Columns < 54:
		perLine = 8
	}
	for len(groups) > 0 {
		n := min(perLine, len(groups))
		p.centred(strings.Join(groups[:n], " "))
		groups = groups[n:]
	}
}

// wrap breaks text at blanks into lines of at most width characters; a longer word is cut.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			head := cut(word, width)
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// formatCNPJ adds the punctuation: 11.222.333/0001-81.
func formatCNPJ(s string) string {
	return s[:2] + "." + s[2:5] + "." + s[5:8] + "/" + s[8:12] + "-" + s[12:]
}
