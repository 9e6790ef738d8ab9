package danfe

import "strings"

// findSections finds the lines between the header over the items and the first line of the totals.
func (d *document) findSections() {
	d.itemsFrom, d.itemsUntil = 0, len(d.lines)
	header := -1
	for i, l := range d.lines {
		if isItemHeader(l) {
			header = i
			break
		}
		if isTotalsStart(l) && header < 0 && i > 0 && d.figuresBefore(i) {
			break // a header further on is not the items'
		}
	}
	if header >= 0 {
		d.itemsFrom = header + 1
	} else {
		d.itemsFrom = d.afterIssuer()
	}
	for i := d.itemsFrom; i < len(d.lines); i++ {
		if isTotalsStart(d.lines[i]) {
			d.itemsUntil = i
			return
		}
	}
	for i := d.itemsFrom; i < len(d.lines); i++ { // the totals' own first lines are lost
		if l := d.lines[i]; isItemsEnd(l) {
			d.itemsUntil = i
			return
		}
	}
}

// figuresBefore says whether a line before i looks like the figures of an item.
func (d *document) figuresBefore(i int) bool {
	const near = 4
	for _, l := range d.lines[max(0, i-near):i] {
		if _, ok := findSum(l.words); ok {
			return true
		}
	}
	return false
}

// afterIssuer is the first line after what stands over the items, when the header of the items is not to be found.
func (d *document) afterIssuer() int {
	const most = 25 // lines over the items
	from := 0
	for i, l := range d.lines[:min(most, len(d.lines))] {
		if isTotalsStart(l) {
			break
		}
		if _, ok := findSum(l.words); ok {
			break
		}
		if l.hasAny("CNPJ", "DOCUMENTO", "AUXILIAR", "CONSUMIDOR", "ELETRONICA", "CREDITO", "DANFE", "CEP") && !startsWithCode(l) {
			from = i + 1
		}
	}
	return from
}

func startsWithCode(l line) bool {
	return len(l.words) > 1 && len(l.words[0].raw) >= 3 && looksLikeCode(l.words[0].raw)
}

// isItemHeader is "Código Descrição Qtde UN Vl Unit Vl Total" or a part of it.
func isItemHeader(l line) bool {
	known, other := headerWords(l)
	return known >= 2 && other*2 <= known && l.hasAny("CODIGO", "COD", "DESCRICAO", "DESC", "ITEM", "PRODUTO")
}

// isHeaderRest is a further line of the header over the items.
func isHeaderRest(l line) bool {
	known, other := headerWords(l)
	return known >= 2 && other*3 <= known
}

func headerWords(l line) (known, other int) {
	for _, w := range l.words {
		switch s := strings.Trim(w.fold, ".,:;()#*-/|="); {
		case s == "" || s == "X" || s == "R$" || s == "RS":
		case isHeaderWord(s):
			known++
		default:
			other++
		}
	}
	return known, other
}

func isHeaderWord(s string) bool {
	switch s {
	case "COD", "DESC", "QTD", "QTDE", "UN", "VL", "VLR", "ITEM", "UNIT", "TOTAL", "VALOR", "TRIB", "ST", "R$)", "QUANT":
		return true
	}
	for _, k := range [...]string{"CODIGO", "DESCRICAO", "UNITARIO", "PRODUTO", "QUANTIDADE"} {
		if like(s, k) {
			return true
		}
	}
	return false
}

// isTotalsStart is the first line under the items: their number, or a total.
func isTotalsStart(l line) bool {
	if len(l.words) == 0 || isItemHeader(l) {
		return false
	}
	first := l.words[0].fold
	if isCountLine(l) {
		return true
	}
	if like(first, "SUBTOTAL") || len(l.words) > 1 && first == "SUB" && like(l.words[1].fold, "TOTAL") {
		return true
	}
	if like(first, "VALOR") && len(l.words) > 1 && (like(l.words[1].fold, "TOTAL") || l.has("PAGAR")) {
		return true
	}
	return like(first, "TOTAL") && (len(l.words) <= 4 || l.hasAny("PAGAR", "PRODUTOS", "ITENS"))
}

// isCountLine is "Qtde total de itens".
func isCountLine(l line) bool {
	if !l.hasAny("ITENS", "ITEN5", "IENS") || isItemHeader(l) {
		return false
	}
	first := strings.Trim(l.words[0].fold, ".,:;")
	return len(l.words) <= 7 && (first == "QTD" || first == "QTDE" || first == "QID" || first == "QTO" || like(first, "QUANTIDADE") ||
		like(first, "TOTAL") || like(first, "NUMERO") || l.has("TOTAL"))
}

// isItemsEnd is a line that never stands among items.
func isItemsEnd(l line) bool {
	return l.has("FORMA", "PAGAMENTO") || l.has("VALOR", "PAGAR") || l.has("CHAVE", "ACESSO") || l.has("CONSULTE", "CHAVE") ||
		l.hasAny("TRIBUTOS") || l.hasAny("PROTOCOLO")
}
