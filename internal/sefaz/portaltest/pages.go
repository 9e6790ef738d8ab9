package portaltest

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// Model is a way of showing a note.
type Model string

// The models, as internal/sefaz describes them.
const (
	Common    Model = "common"
	Danfe     Model = "danfe"     // Rio Grande do Sul
	Accordion Model = "accordion" // Minas Gerais
)

// Models are all of them.
func Models() []Model { return []Model{Common, Danfe, Accordion} }

// Page is the page of a receipt, in UTF-8.
func Page(m Model, r receipts.Receipt) string {
	switch m {
	case Danfe:
		return danfePage(r)
	case Accordion:
		return accordionPage(r)
	case Common:
	}
	return commonPage(r)
}

// Draft is what the page of a receipt states, as the domain sees it: discounts are on no line, one code stands for both numbers,
// and an accordion has no unit prices.
func Draft(m Model, r receipts.Receipt) invoice.Draft {
	d := r.Draft()
	count := len(r.Items)
	d.PrintedItemCount = &count
	for i := range d.Items {
		it := &d.Items[i]
		it.Discount = 0
		if it.Code != it.GTIN {
			it.GTIN = ""
		}
		if m == Accordion {
			it.UnitPrice = decimal.Decimal{}
		}
	}
	return d
}

func esc(s string) string { return html.EscapeString(s) }

// br writes a number as Brazilians do, with at least so many decimals.
func br(d decimal.Decimal, decimals int32) string {
	text := d.String()
	if _, fraction, _ := strings.Cut(text, "."); len(fraction) < int(decimals) {
		text = d.StringFixed(decimals)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(c)
	}
	if fraction != "" {
		b.WriteString("," + fraction)
	}
	return b.String()
}

func money(m fiscal.Money) string { return br(m.Decimal(), 2) }

// paid are the words for a tPag.
func paid(tPag string) string {
	words := map[string]string{
		"01": "Dinheiro", "03": "Cartão de Crédito", "04": "Cartão de Débito", "05": "Crédito Loja", "10": "Vale Alimentação",
		"11": "Vale Refeição", "17": "Pagamento Instantâneo (PIX)", "18": "Carteira Digital", "20": "PIX Estático",
	}
	if w, ok := words[tPag]; ok {
		return w
	}
	return "Outros"
}

// totals are the lines at the foot of a note: labels and values.
func totals(r receipts.Receipt) [][2]string {
	lines := [][2]string{{"Qtd. total de itens:", strconv.Itoa(len(r.Items))}, {"Valor total R$:", money(r.Products())}}
	for _, optional := range []struct {
		label string
		m     fiscal.Money
	}{
		{"Descontos R$:", r.TotalDiscount()},
		{"Acréscimos R$:", r.Other},
		{"Frete R$:", r.Freight},
	} {
		if optional.m != 0 {
			lines = append(lines, [2]string{optional.label, money(optional.m)})
		}
	}
	lines = append(lines, [2]string{"Valor a pagar R$:", money(r.Due())}, [2]string{"Forma de pagamento:", "Valor pago R$:"})
	for _, p := range r.Payments {
		lines = append(lines, [2]string{paid(p.Code), money(p.Amount)})
	}
	if r.Change != 0 {
		lines = append(lines, [2]string{"Troco", money(r.Change)})
	}
	return append(lines, [2]string{"Informação dos Tributos Totais (Lei Federal 12.741/2012) R$", money(r.Taxes())})
}

func emission(r receipts.Receipt) string {
	if r.Offline {
		return "EMISSÃO EM CONTINGÊNCIA"
	}
	return "EMISSÃO NORMAL"
}

func formatCNPJ(s string) string {
	return s[:2] + "." + s[2:5] + "." + s[5:8] + "/" + s[8:12] + "-" + s[12:]
}

func formatCPF(s string) string { return s[:3] + "." + s[3:6] + "." + s[6:9] + "-" + s[9:] }

const clock = "02/01/2006 15:04:05"

func commonPage(r receipts.Receipt) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>Nota Fiscal de Consumidor Eletrônica</title>
<script>document.title = "<tr><td>não é um item</td></tr>";</script></head><body><div data-role="page"><div id="conteudo">
<div class="txtCenter"><div id="u20" class="txtTopo">` + esc(r.Store.Name) + `</div>
<div class="text">CNPJ:
	` + formatCNPJ(r.Store.CNPJ) + `</div><div class="text">` + esc(r.Store.Street) + `, ` + esc(r.Store.City) + `, ` + r.Store.State.UF + `</div></div>
<table border="0" align="center" cellpadding="0" cellspacing="0" id="tabResult" data-filter="true">`)
	for _, it := range r.Items {
		fmt.Fprintf(&b, `<tr id="Item + %d"><td valign="top"><span class="txtTit">%s</span><span class="RCod">
(Código:
	%s
)</span><br><span class="Rqtd"><strong>Qtde.:</strong>%s</span><span class="RUN"><strong>UN: </strong>%s</span><span class="RvlUnit"><strong>Vl. Unit.:</strong>
&nbsp;%s</span></td><td align="right" valign="top" class="txtTit noWrap">Vl. Total<br><span class="valor">%s</span></td></tr>
`, it.Line, esc(it.Product.Description), it.Code, br(it.Quantity, 0), esc(it.Product.Unit), br(it.UnitPrice, 2), money(it.Total))
	}
	b.WriteString(`</table><div id="totalNota" class="txtRight">`)
	for _, l := range totals(r) {
		class := "totalNumb"
		if strings.HasPrefix(l[0], "Valor a pagar") {
			class = "totalNumb txtMax"
		}
		fmt.Fprintf(&b, `<div id="linhaTotal"><label>%s</label><span class="%s">%s</span></div>`, l[0], class, l[1])
	}
	fmt.Fprintf(&b, `</div></div><div id="infos" class="txtCenter"><div data-role="collapsible"><h4>Informações gerais da Nota</h4><ul><li>
<strong> %s </strong><br><br><strong>Número: </strong>%d<strong> Série: </strong>%d<strong> Emissão: </strong>%s - Via Consumidor<br><br>
<strong>Protocolo de Autorização: </strong>%s %s<br><br><strong>%s - </strong><strong>Versão XML: 4.00</strong></li></ul></div>
<div data-role="collapsible"><h4>Chave de acesso</h4><ul><li>Consulte pela Chave de Acesso em %s<br><br><span class="chave">%s</span></li></ul></div>`,
		emission(r), r.Number, r.Series, r.IssuedAt.Format(clock), r.Protocol, r.Authorized.Format(clock), environment(r), r.Store.State.KeyURL, r.Key.Grouped())
	b.WriteString(`<div data-role="collapsible"><h4>Consumidor</h4><ul><li>`)
	if r.ConsumerCPF != "" {
		b.WriteString(`<strong>CPF: </strong>` + formatCPF(r.ConsumerCPF) + `</li><li><strong>Nome: </strong>FULANA DE TAL`)
	} else {
		b.WriteString(`Consumidor não identificado`)
	}
	b.WriteString(`</li></ul></div></div></div></body></html>`)
	return b.String()
}

func environment(r receipts.Receipt) string {
	if r.Test {
		return "Ambiente de Homologação"
	}
	return "Ambiente de Produção"
}

func danfePage(r receipts.Receipt) string {
	var b strings.Builder
	b.WriteString(`<html><head><title>NFC-e</title></head><body><table width="100%"><tr><td align="center"><table><tr><td>
<table class="NFCCabecalho"><tr><td rowspan="4"><img src="logo.png"></td><td class="NFCCabecalho_Titulo NFCBold">` + esc(r.Store.Name) + `</td></tr>
<tr><td class="NFCCabecalho_SubTitulo1">CNPJ: ` + formatCNPJ(r.Store.CNPJ) + ` Inscrição Estadual: ` + r.Store.IE + `</td></tr></table></td></tr>
<tr><td><table class="NFCCabecalho"><tr>`)
	for _, h := range []string{"Código", "Descrição", "Qtde", "Un", "Vl Unit", "Vl Tributo", "Vl Total"} {
		b.WriteString(`<td class="borda-pontilhada-3D NFCDetalhe_Item">` + h + `</td>`)
	}
	b.WriteString(`</tr>`)
	for _, it := range r.Items {
		fmt.Fprintf(&b, `<tr id="Item + %d">`, it.Line)
		for _, cell := range []string{
			it.Code, esc(it.Product.Description), br(it.Quantity, 0), esc(it.Product.Unit), br(it.UnitPrice, 2), money(it.Taxes), money(it.Total),
		} {
			b.WriteString(`<td class="NFCDetalhe_Item">` + cell + `</td>`)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString(`</table></td></tr><tr><td><table class="NFCCabecalho">`)
	for _, l := range totals(r) {
		b.WriteString(`<tr><td class="NFCDetalhe_Item">` + l[0] + `</td><td class="NFCDetalhe_Item">` + l[1] + "</td></tr>\n")
	}
	fmt.Fprintf(&b, `</table></td></tr><tr><td><table><tr><td class="NFCCabecalho_SubTitulo NFCBold">%s</td></tr>
<tr><td class="NFCCabecalho_SubTitulo">Número: %d Série: %d Data de Emissão: %s - Via Consumidor</td></tr>
<tr><td class="NFCCabecalho_SubTitulo NFCBold">CHAVE DE ACESSO</td></tr><tr><td class="NFCCabecalho_SubTitulo">%s</td></tr>
<tr><td class="NFCCabecalho_SubTitulo">Protocolo de autorização: %s</td></tr></table></td></tr>
<tr><td><table><tr><td class="NFCCabecalho_SubTitulo NFCBold">CONSUMIDOR</td></tr><tr><td class="NFCCabecalho_SubTitulo">`,
		emission(r), r.Number, r.Series, r.IssuedAt.Format(clock), r.Key.Grouped(), r.Protocol)
	if r.ConsumerCPF != "" {
		b.WriteString(`CPF: ` + formatCPF(r.ConsumerCPF) + ` - FULANA DE TAL`)
	} else {
		b.WriteString(`Consumidor não identificado`)
	}
	b.WriteString(`</td></tr></table></td></tr></table></td></tr></table></body></html>`)
	return b.String()
}

func accordionPage(r receipts.Receipt) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Portal SPED</title></head><body><div class="container">
<table class="table table-striped"><tbody id="myTable">`)
	for _, it := range r.Items {
		fmt.Fprintf(&b, `<tr><td><h7>%s</h7>(Código: %s)</td><td>Qtde total de ítens: %s</td><td>UN: %s</td><td>Valor total R$: R$ %s</td></tr>
`, esc(it.Product.Description), it.Code, it.Quantity.StringFixed(4), esc(it.Product.Unit), money(it.Total))
	}
	b.WriteString(`</tbody></table>`)
	for _, l := range totals(r) {
		fmt.Fprintf(&b, `<div class="row"><div class="col-lg-10"><strong>%s</strong></div><div class="col-lg-2"><strong>%s</strong></div></div>`, l[0], l[1])
	}
	table := func(pairs ...string) {
		b.WriteString(`<table class="table table-hover"><thead><tr>`)
		for i := 0; i < len(pairs); i += 2 {
			b.WriteString(`<th>` + pairs[i] + `</th>`)
		}
		b.WriteString(`</tr></thead><tbody><tr>`)
		for i := 1; i < len(pairs); i += 2 {
			b.WriteString(`<td>` + esc(pairs[i]) + `</td>`)
		}
		b.WriteString(`</tr></tbody></table>`)
	}
	table("Nome / Razão Social", r.Store.Name, "CNPJ", formatCNPJ(r.Store.CNPJ), "Inscrição Estadual", r.Store.IE, "UF", r.Store.State.UF)
	if r.ConsumerCPF != "" {
		table("Nome / Razão Social", "FULANA DE TAL", "CPF", formatCPF(r.ConsumerCPF), "UF", r.Store.State.UF)
	}
	table("Modelo", "65", "Série", strconv.Itoa(r.Series), "Número", strconv.Itoa(r.Number), "Data Emissão", r.IssuedAt.Format(clock))
	table("Protocolo", r.Protocol, "Data", r.Authorized.Format(clock))
	table("Chave de Acesso", string(r.Key))
	b.WriteString(`</div></body></html>`)
	return b.String()
}
