package danfe

import (
	"strings"
)

// totals are what stands under the items.
type totals struct {
	count     string
	products  figure
	discount  figure
	freight   figure
	insurance figure
	other     figure
	due       figure
	change    figure
	payments  []payment
}

type payment struct {
	method string
	amount figure
}

// cents is the figure in centavos; 0 when it is not there.
func (f figure) cents() int64 {
	if !f.ok {
		return 0
	}
	return f.value.cents()
}

// readable says that the figure was read, or is not printed.
func (f figure) readable() bool { return f.ok || f.raw == "" }

// paid is the sum of the payments, if there are any and all are read.
func (t *totals) paid() (int64, bool) {
	var sum int64
	for _, p := range t.payments {
		if !p.amount.ok {
			return 0, false
		}
		sum += p.amount.value.cents()
	}
	return sum, len(t.payments) > 0
}

// readTotals reads the lines under the items, to the access key.
func (d *document) readTotals() {
	t := &d.totals
	paying, total := false, figure{}
	lines := d.lines[d.itemsUntil:]
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if l.has("CHAVE", "ACESSO") || l.has("CONSULTE", "CHAVE") || l.has("CONSUMIDOR") && !l.has("VALOR") || l.has("PROTOCOLO") {
			break
		}
		raw := trailingAmount(l)
		if raw == "" && i+1 < len(lines) && len(lines[i+1].words) == 1 && hasDecimals(lines[i+1].words[0].raw) && isLabel(l) {
			raw = lines[i+1].words[0].raw // label and amount did not fit in one line
			i++
		}
		f := newFigure(strings.TrimLeft(raw, "-"), amountKind)
		first := strings.Trim(l.words[0].fold, ".,:;()-+")
		switch {
		case isCountLine(l):
			if t.count == "" {
				t.count = countOf(l)
			}
		case l.hasAny("TRIBUTOS", "TRIB", "APROX", "IBPT", "ICMS", "FEDERAL", "IMPOSTOS"):
		case like(first, "TROCO"):
			set(&t.change, f)
		case l.has("FORMA", "PAGAMENTO") || l.has("FORMAS", "PAGAMENTO") || l.has("VALOR", "PAGO") && raw == "":
			paying = true
		case l.hasAny("PAGAR") && !paying || l.has("VALOR", "LIQUIDO") || l.has("TOTAL", "LIQUIDO"):
			set(&t.due, f)
		case like(first, "DESCONTO") || like(first, "DESCONTOS") || l.has("TOTAL", "DESCONTO") || l.has("TOTAL", "DESCONTOS") || l.has("VALOR", "DESCONTO"):
			set(&t.discount, f)
		case l.hasAny("ACRESCIMO", "ACRESCIMOS") || l.has("OUTRAS", "DESPESAS"):
			set(&t.other, f)
		case like(first, "FRETE") || l.has("VALOR", "FRETE"):
			set(&t.freight, f)
		case like(first, "SEGURO") || l.has("VALOR", "SEGURO"):
			set(&t.insurance, f)
		case like(first, "SUBTOTAL") || first == "SUB" || l.has("VALOR", "TOTAL") || l.has("TOTAL", "PRODUTOS") || l.has("TOTAL", "BRUTO"):
			if !paying {
				set(&t.products, f)
			}
		case like(first, "TOTAL") && !paying:
			set(&total, f)
		default:
			t.payment(l, f, paying)
		}
	}
	switch { // a bare "TOTAL" is what is due, unless that has a line of its own
	case total.raw == "":
	case t.due.raw == "":
		t.due = total
	case t.products.raw == "":
		t.products = total
	}
	if d.itemPlus > 0 && t.other.raw == "" {
		t.other = figure{raw: "+", kind: amountKind, value: centavos(d.itemPlus), ok: true}
	}
}

// set keeps the first figure of a kind.
func set(to *figure, f figure) {
	if to.raw == "" {
		*to = f
	}
}

// trailingAmount is the amount at the end of a line, "" when there is none.
func trailingAmount(l line) string {
	raw := l.words[len(l.words)-1].raw
	if len(l.words) > 1 && (hasDecimals(raw) || lostComma(raw) && codeLength(raw)*2 > len(raw)) {
		return raw
	}
	return ""
}

func isLabel(l line) bool {
	return letterCount(l.raw()) >= 4 && !hasDecimals(l.words[len(l.words)-1].raw)
}

// countOf is the number at the end of "Qtde total de itens 15".
func countOf(l line) string {
	raw := strings.Trim(l.words[len(l.words)-1].raw, ".,:;")
	if n := lineNumber(raw); n > 0 && codeLength(raw) > 0 {
		return strings.TrimLeft(digitsOf(raw), "0")
	}
	return ""
}

// payment reads "Cartão de Débito 12,34".
func (t *totals) payment(l line, f figure, paying bool) {
	if f.raw == "" {
		return
	}
	method := methodOf(l)
	if method == "" {
		if !paying || !f.ok || f.value.cost > literal || letterCount(l.raw()) < 3 {
			return
		}
		method = "OTHER"
	}
	const most = 100 // ways to pay that a note allows
	if len(t.payments) < most {
		t.payments = append(t.payments, payment{method, f})
	}
}

// methodOf is the payment method that a line names; "" when it names none.
func methodOf(l line) string {
	switch {
	case l.hasAny("LOJA", "CREDIARIO", "PRAZO"):
		return "STORE_CREDIT"
	case l.hasAny("DINHEIRO", "ESPECIE"):
		return "CASH"
	case l.hasAny("PIX", "(PIX)") || l.has("PAGAMENTO", "INSTANTANEO"):
		return "PIX"
	case l.hasAny("ALIMENTACAO"):
		return "FOOD_VOUCHER"
	case l.hasAny("REFEICAO"):
		return "MEAL_VOUCHER"
	case l.hasAny("PRESENTE"):
		return "GIFT_VOUCHER"
	case l.hasAny("COMBUSTIVEL"):
		return "FUEL_VOUCHER"
	case l.hasAny("DEBITO"):
		return "DEBIT_CARD"
	case l.hasAny("CREDITO"):
		return "CREDIT_CARD"
	case l.hasAny("CHEQUE"):
		return "CHEQUE"
	case l.hasAny("BOLETO"):
		return "BOLETO"
	case l.hasAny("DEPOSITO"):
		return "DEPOSIT"
	case l.hasAny("CARTEIRA", "TRANSFERENCIA"):
		return "WALLET"
	case l.hasAny("FIDELIDADE", "CASHBACK"):
		return "LOYALTY"
	case l.has("SEM", "PAGAMENTO"):
		return "NONE"
	case l.hasAny("OUTROS"):
		return "OTHER"
	}
	return ""
}
