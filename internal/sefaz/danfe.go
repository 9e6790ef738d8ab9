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

// danfe is the layout that looks like the paper, a table with headings. Rio Grande do Sul has it, in a frame.
//
//	<td class="NFCCabecalho_SubTitulo">SHOP</td> <td class="NFCCabecalho_SubTitulo1">CNPJ: … Inscrição Estadual: …</td>
//	<tr><td class="NFCDetalhe_Item">Código</td><td class="NFCDetalhe_Item">Descrição</td>…<td>Vl Total</td></tr>
//	<tr id="Item + 1"><td class="NFCDetalhe_Item">123</td><td class="NFCDetalhe_Item">NAME</td>…</tr>
//	<tr><td class="NFCDetalhe_Item">Valor total R$</td><td class="NFCDetalhe_Item">11,98</td></tr>
type danfe struct{}

var _ layout = danfe{}

func (danfe) matches(root *html.Node) bool { return first(root, isDanfeItem) != nil }

func (danfe) lines() selector { return isDanfeItem }

func isDanfeItem(n *html.Node) bool {
	return n.DataAtom == atom.Tr && strings.HasPrefix(attribute(n, "id"), "Item") && first(n, class("NFCDetalhe_Item")) != nil
}

func (l danfe) read(root *html.Node, zone *time.Location) (*sheet, error) {
	s := &sheet{}
	var columns map[string]int
	for _, row := range all(root, tag(atom.Tr)) {
		cells := children(row)
		var err error
		switch {
		case isDanfeItem(row):
			err = l.item(cells, columns, s)
		case first(row, tag(atom.Table)) != nil: // the tables are in a table
		case len(cells) == 2 && columns != nil && class("NFCDetalhe_Item")(cells[0]):
			err = s.line(text(cells[0]), text(cells[1]))
		case columns == nil:
			columns = headings(cells)
		}
		if err != nil {
			return nil, err
		}
	}
	l.heads(root, s, zone)
	return s, nil
}

// headings are the places of the columns by their names, folded; nil when the row is not that of the headings.
func headings(cells []*html.Node) map[string]int {
	columns := map[string]int{}
	for i, cell := range cells {
		columns[strings.TrimSuffix(fold(text(cell)), ".")] = i
	}
	for _, needed := range []string{"descricao", "qtde", "vl unit", "vl total"} {
		if _, ok := columns[needed]; !ok {
			return nil
		}
	}
	return columns
}

func (danfe) item(cells []*html.Node, columns map[string]int, s *sheet) error {
	cell := func(name string) string {
		if i, ok := columns[name]; ok && i < len(cells) {
			return text(cells[i])
		}
		return ""
	}
	it := invoice.Item{Description: cell("descricao"), Code: cell("codigo"), Unit: cell("un")}
	var err error
	if it.Quantity, err = number(cell("qtde")); err != nil {
		return errors.New("an item without a quantity")
	}
	if it.UnitPrice, err = number(cell("vl unit")); err != nil {
		return errors.New("an item without a unit price")
	}
	if it.Total, err = amount(cell("vl total")); err != nil {
		return errors.New("an item without a total")
	}
	return s.item(it)
}

// heads reads the cells about shop, note and consumer.
func (danfe) heads(root *html.Node, s *sheet, zone *time.Location) {
	var said []string
	consumer := false
	for _, cell := range all(root, class("NFCCabecalho_Titulo", "NFCCabecalho_SubTitulo", "NFCCabecalho_SubTitulo1")) {
		if first(cell, tag(atom.Table)) != nil {
			continue
		}
		t := text(cell)
		if fold(t) == "consumidor" {
			consumer = true
		}
		if consumer {
			if cpf := match(patterns.cpf, t); cpf != "" {
				s.draft.ConsumerCPF = fiscal.MaskCPF(cpf)
			}
			continue
		}
		if s.draft.Issuer.Name == "" && t != "" {
			s.draft.Issuer.Name = cut(t, maxText)
		}
		if s.draft.Issuer.CNPJ == "" {
			s.draft.Issuer.CNPJ = cnpjOf(t)
		}
		if _, err := fiscal.ParseAccessKey(t); err == nil {
			s.key = t
		}
		said = append(said, t)
	}
	s.general(strings.Join(said, " "), zone)
}
