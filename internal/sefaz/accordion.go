package sefaz

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// accordion is the layout of Minas Gerais: sections that open, with tables of one row under headings. It states no unit price.
//
//	<tbody id="myTable"><tr><td><h7>NAME</h7>(Código: 123)</td><td>Qtde total de ítens: 2.0000</td><td>UN: KG</td>
//	  <td>Valor total R$: R$ 11,98</td></tr></tbody>
//	<div class="row"><div><strong>Valor total R$</strong></div><div><strong>11.98</strong></div></div>
//	<table class="table table-hover"><thead><tr><th>Modelo</th><th>Série</th><th>Número</th><th>Data Emissão</th></tr></thead>
//	  <tbody><tr><td>65</td><td>1</td><td>42</td><td>05/01/2026 10:00:00</td></tr></tbody></table>
type accordion struct{}

var _ layout = accordion{}

func (accordion) matches(root *html.Node) bool { return first(root, isAccordionItem) != nil }

func (accordion) lines() selector { return isAccordionItem }

func isName(n *html.Node) bool { return n.Data == "h7" }

func isAccordionItem(n *html.Node) bool {
	return n.DataAtom == atom.Tr && n.Parent != nil && attribute(n.Parent, "id") == "myTable" && first(n, isName) != nil
}

func (l accordion) read(root *html.Node, zone *time.Location) (*sheet, error) {
	s := &sheet{}
	for _, row := range all(root, isAccordionItem) {
		if err := l.item(children(row), s); err != nil {
			return nil, err
		}
	}
	for _, row := range all(root, class("row")) {
		cells := children(row)
		if len(cells) != 2 || first(row, class("row")) != nil {
			continue
		}
		if err := s.line(text(cells[0]), text(cells[1])); err != nil {
			return nil, err
		}
	}
	for _, table := range all(root, tag(atom.Table)) {
		l.table(table, s, zone)
	}
	return s, nil
}

func (accordion) item(cells []*html.Node, s *sheet) error {
	var it invoice.Item
	var quantity, total bool
	for _, cell := range cells {
		t := text(cell)
		label, value, _ := strings.Cut(t, ":")
		var err error
		switch label = fold(label); {
		case first(cell, isName) != nil:
			it.Description = text(first(cell, isName))
			it.Code = strings.TrimSpace(strings.TrimSuffix(after(text(cell, isName)), ")"))
		case strings.HasPrefix(label, "qtd"):
			it.Quantity, err = number(value)
			quantity = true
		case label == "un":
			it.Unit = value
		case strings.HasPrefix(label, "valor total"):
			it.Total, err = amount(value)
			total = true
		case strings.HasPrefix(label, "valor unit"):
			it.UnitPrice, err = number(value)
		}
		if err != nil {
			return errors.New("an item with a figure that is none")
		}
	}
	if !quantity || !total {
		return errors.New("an item without a quantity or a total")
	}
	return s.item(it)
}

// table reads a table of headings and one row.
func (accordion) table(table *html.Node, s *sheet, zone *time.Location) {
	heads, cells := all(table, tag(atom.Th)), all(table, tag(atom.Td))
	d := &s.draft
	for i, head := range heads {
		if i >= len(cells) {
			return
		}
		value := text(cells[i])
		switch label := fold(text(head)); {
		case strings.HasPrefix(label, "nome / razao") || strings.HasPrefix(label, "nome/razao"):
			if d.Issuer.Name == "" {
				d.Issuer.Name = cut(value, maxText)
			}
		case label == "cnpj":
			if cnpj := fiscal.NormalizeCNPJ(value); d.Issuer.CNPJ == "" && fiscal.ValidCNPJ(cnpj) {
				d.Issuer.CNPJ = cnpj
			}
		case label == "serie":
			if n, err := strconv.Atoi(value); err == nil {
				d.Series = &n
			}
		case label == "numero":
			if n, err := strconv.Atoi(value); err == nil {
				d.Number = n
			}
		case strings.HasPrefix(label, "data emissao"), strings.HasPrefix(label, "data de emissao"):
			d.IssuedAt = moment("emissão: "+value, zone)
		case strings.HasPrefix(label, "protocolo"):
			d.Protocol = match(patterns.protocol, "protocolo: "+value)
		case strings.HasPrefix(label, "chave"):
			s.key = value
		case label == "cpf":
			d.ConsumerCPF = fiscal.MaskCPF(value)
		}
	}
}
