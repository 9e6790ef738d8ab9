package sefaz

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// What a page may say of one purchase.
const (
	maxItems    = 2000
	maxPayments = 100
	maxText     = 240 // runes of a description or a name
	maxUnit     = 12
)

var errFigure = errors.New("a figure is not one")

// amount reads an amount that the page states, with or without "R$".
func amount(s string) (fiscal.Money, error) {
	m, err := fiscal.ParseMoney(s)
	if err != nil || m < 0 {
		return 0, errFigure
	}
	return m, nil
}

// number reads a quantity or a unit price exactly.
func number(s string) (decimal.Decimal, error) {
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "R$"))
	d, err := fiscal.ParseDecimal(s)
	const decimals = 10 // of the official layout
	if err != nil || d.IsNegative() || !d.Equal(d.Round(decimals)) {
		return decimal.Zero, errFigure
	}
	return d, nil
}

// after is what follows the label's colon: "Qtde.: 2" gives "2".
func after(s string) string {
	if _, value, found := strings.Cut(s, ":"); found {
		s = value
	}
	return strings.TrimSpace(s)
}

// cut shortens a text of the page, in which nobody is to be named.
func cut(s string, most int) string {
	s = fiscal.MaskCPFs(oneLine(s))
	if r := []rune(s); len(r) > most {
		s = strings.TrimSpace(string(r[:most]))
	}
	return s
}

// words finds what stands behind words in the text of a page.
type words struct {
	number, series, issued, protocol, cnpj, cpf *regexp.Regexp
}

//nolint:gochecknoglobals // patterns, compiled once
var patterns = words{
	number:   regexp.MustCompile(`(?i)\bn[uú]mero:?\s*(\d{1,9})\b`),
	series:   regexp.MustCompile(`(?i)\bs[eé]rie:?\s*(\d{1,3})\b`),
	issued:   regexp.MustCompile(`(?i)\bemiss[aã]o:?\s*(\d{2}/\d{2}/\d{4}\s+\d{2}:\d{2}:\d{2})\s*([+-]\d{2}:\d{2})?`),
	protocol: regexp.MustCompile(`(?i)\bprotocolo(?:\s+de\s+autoriza[cç][aã]o)?:?\s*(\d{15})\b`),
	cnpj:     regexp.MustCompile(`(?i)\bCNPJ:?\s*([0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2})\b`),
	cpf:      regexp.MustCompile(`(?i)\bCPF:?\s*([0-9*X#]{3}\.?[0-9*X#]{3}\.?[0-9*X#]{3}-?[0-9*X#]{2})`),
}

func match(pattern *regexp.Regexp, s string) string {
	if found := pattern.FindStringSubmatch(s); found != nil {
		return found[1]
	}
	return ""
}

// moment reads the time of issue. One that does not say its zone is the shop's.
func moment(s string, zone *time.Location) *time.Time {
	found := patterns.issued.FindStringSubmatch(s)
	if found == nil {
		return nil
	}
	return momentOf(strings.Join(strings.Fields(found[1]), " "), found[2], zone)
}

func momentOf(clock, offset string, zone *time.Location) *time.Time {
	const layout = "02/01/2006 15:04:05"
	at, err := time.ParseInLocation(layout, clock, zone)
	if offset != "" {
		at, err = time.Parse(layout+"-07:00", clock+offset)
	}
	if err != nil {
		return nil
	}
	return &at
}

// totalLine is what a line at the foot of a note is about.
type totalLine int

const (
	lineOther totalLine = iota // a heading, or what is not kept
	lineCount
	lineProducts
	lineDiscount
	lineSurcharge
	lineFreight
	lineInsurance
	lineDue
	linePaid
	lineChange
	lineTaxes
)

// totalOf tells a line by its label. What is none of them, below the heading of the payments, is a payment.
func totalOf(label string) totalLine {
	label = fold(label)
	for _, known := range []struct {
		begins string
		line   totalLine
	}{
		{"qtd", lineCount},
		{"quantidade total", lineCount},
		{"valor total de tributos", lineTaxes},
		{"valor total dos tributos", lineTaxes},
		{"informacao dos tributos", lineTaxes},
		{"tributos", lineTaxes},
		{"valor a pagar", lineDue},
		{"valor total", lineProducts},
		{"valor dos produtos", lineProducts},
		{"valor descontos", lineDiscount},
		{"valor do desconto", lineDiscount},
		{"desconto", lineDiscount},
		{"acrescimo", lineSurcharge},
		{"outras despesas", lineSurcharge},
		{"frete", lineFreight},
		{"seguro", lineInsurance},
		{"troco", lineChange},
		{"valor pago", linePaid},
		{"forma", lineOther},
	} {
		if strings.HasPrefix(label, known.begins) {
			return known.line
		}
	}
	return lineOther
}

// methodOf is what a payment is called on the page. A code before the words ("04 - Cartão de Débito") is believed.
func methodOf(label string) invoice.PaymentMethod {
	label = fold(label)
	if code, _, found := strings.Cut(label, " "); found && len(code) == 2 && fiscal.OnlyDigits(code) == code {
		return invoice.PaymentMethodOfCode(code)
	}
	for _, known := range []struct {
		words  string
		method invoice.PaymentMethod
	}{
		{"dinheiro", invoice.PaymentCash},
		{"cheque", invoice.PaymentCheque},
		{"cartao de credito", invoice.PaymentCreditCard},
		{"cartao de debito", invoice.PaymentDebitCard},
		{"cartao da loja", invoice.PaymentStoreCredit},
		{"credito loja", invoice.PaymentStoreCredit},
		{"credito em loja", invoice.PaymentStoreCredit},
		{"alimentacao", invoice.PaymentFoodVoucher},
		{"refeicao", invoice.PaymentMealVoucher},
		{"presente", invoice.PaymentGiftVoucher},
		{"combustivel", invoice.PaymentFuelVoucher},
		{"boleto", invoice.PaymentBoleto},
		{"deposito", invoice.PaymentDeposit},
		{"pix", invoice.PaymentPix},
		{"pagamento instantaneo", invoice.PaymentPix},
		{"carteira digital", invoice.PaymentWallet},
		{"transferencia", invoice.PaymentWallet},
		{"fidelidade", invoice.PaymentLoyalty},
		{"cashback", invoice.PaymentLoyalty},
		{"sem pagamento", invoice.PaymentNone},
	} {
		if strings.Contains(label, known.words) {
			return known.method
		}
	}
	return invoice.PaymentOther
}
