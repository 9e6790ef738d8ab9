package sefaz

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// common is the layout that most states share, made for telephones:
//
//	<div class="txtTopo">SHOP</div> <div class="text">CNPJ: …</div>
//	<table id="tabResult"><tr id="Item + 1">
//	  <td><span class="txtTit">NAME</span><span class="RCod">(Código: 123 )</span><br>
//	    <span class="Rqtd"><strong>Qtde.:</strong>2</span><span class="RUN"><strong>UN: </strong>KG</span>
//	    <span class="RvlUnit"><strong>Vl. Unit.:</strong> 5,99</span></td>
//	  <td class="txtTit noWrap">Vl. Total<br><span class="valor">11,98</span></td></tr></table>
//	<div id="totalNota"><div id="linhaTotal"><label>Valor a pagar R$:</label><span class="totalNumb txtMax">11,98</span></div>…</div>
//	<div id="infos"> … Número: 1 Série: 1 Emissão: 05/01/2026 10:00:00 … <span class="chave">3526 …</span></div>
//
// Some write txtTit2 for txtTit.
type common struct{}

var _ layout = common{}

func (common) matches(root *html.Node) bool {
	return first(root, id("totalNota")) != nil && first(root, class("Rqtd", "RCod", "RvlUnit")) != nil
}

func (common) lines() selector { return isItem }

// isItem is a row of the table of items, or a block in its place. The price has a title's class too, so a row is known by its
// quantity.
func isItem(n *html.Node) bool {
	row := n.DataAtom == atom.Tr && first(n, tag(atom.Tr)) == nil
	block := n.DataAtom == atom.Div && strings.HasPrefix(attribute(n, "id"), "Item")
	return (row || block) && first(n, class("Rqtd")) != nil
}

func (l common) read(root *html.Node, zone *time.Location) (*sheet, error) {
	s := &sheet{key: text(first(root, class("chave")))}
	for _, row := range all(root, l.lines()) {
		it, err := l.item(row)
		if err == nil {
			err = s.item(it)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := l.totals(first(root, id("totalNota")), s); err != nil {
		return nil, err
	}
	infos := first(root, id("infos"))
	said := text(infos)
	s.general(said, zone)
	l.issuer(root, &s.draft.Issuer)
	s.draft.ConsumerCPF = fiscal.MaskCPF(match(patterns.cpf, said))
	return s, nil
}

func (common) item(row *html.Node) (invoice.Item, error) {
	code := after(text(first(row, class("RCod"))))
	it := invoice.Item{
		Description: text(first(row, tag(atom.Span).and(class("txtTit", "txtTit2", "txtTit3"))), class("RCod", "Rqtd", "RUN", "RvlUnit")),
		Code:        strings.TrimSpace(strings.TrimSuffix(code, ")")),
		Unit:        after(text(first(row, class("RUN")))),
	}
	var err error
	if it.Quantity, err = number(after(text(first(row, class("Rqtd"))))); err != nil {
		return it, errors.New("an item without a quantity")
	}
	if it.UnitPrice, err = number(after(text(first(row, class("RvlUnit"))))); err != nil {
		return it, errors.New("an item without a unit price")
	}
	if it.Total, err = amount(text(first(row, class("valor")))); err != nil {
		return it, errors.New("an item without a total")
	}
	return it, nil
}

func (common) totals(foot *html.Node, s *sheet) error {
	for _, label := range all(foot, tag(atom.Label)) {
		value := first(label.Parent, class("totalNumb"))
		if err := s.line(text(label), text(value)); err != nil {
			return err
		}
	}
	return nil
}

func (common) issuer(root *html.Node, issuer *invoice.Issuer) {
	head := first(root, class("txtTopo"))
	issuer.Name = cut(text(head), maxText)
	if head == nil || head.Parent == nil {
		return
	}
	issuer.CNPJ = cnpjOf(text(head.Parent))
}

// cnpjOf is the first CNPJ that is named as such, without punctuation; "" when its digits are wrong: a sole trader's CPF, say.
func cnpjOf(said string) string {
	if cnpj := fiscal.NormalizeCNPJ(match(patterns.cnpj, said)); fiscal.ValidCNPJ(cnpj) {
		return cnpj
	}
	return ""
}
