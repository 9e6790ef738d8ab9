package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// printInvoice writes an invoice for people: who, what, how much, and what the ledger says.
func printInvoice(w io.Writer, inv *invoice.Invoice) error {
	var b strings.Builder
	head(&b, inv)
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "#\tqtd\tun\tunitário\ttotal\tdesconto\t\t")
	for _, it := range inv.Items {
		discount := ""
		if it.Discount != 0 {
			discount = (-it.Discount).String()
		}
		mark := ""
		if it.Uncertain {
			mark = "?"
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", it.Line, comma(it.Quantity.String()), it.Unit,
			comma(it.UnitPrice.String()), it.Total, discount, mark, it.Description)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	b.WriteByte('\n')
	totals(&b, inv)
	ledger(&b, inv)
	_, err := io.WriteString(w, b.String())
	return err
}

func head(b *strings.Builder, inv *invoice.Invoice) {
	line := func(label, value string) {
		if value != "" {
			fmt.Fprintf(b, "%-11s %s\n", label, value)
		}
	}
	line("Loja", strings.TrimSpace(inv.Issuer.Name+"  "+inv.Issuer.CNPJ))
	if inv.IssuedAt != nil {
		line("Emissão", inv.IssuedAt.Format("02/01/2006 15:04:05"))
	}
	if key := fiscal.AccessKey(inv.AccessKey); key != "" {
		line("Chave", key.Grouped())
	}
	line("Origem", string(inv.Source))
	b.WriteByte('\n')
}

func totals(b *strings.Builder, inv *invoice.Invoice) {
	line := func(label string, m fiscal.Money) { fmt.Fprintf(b, "%-20s %14s\n", label, m) }
	optional := func(label string, m *fiscal.Money) {
		if m != nil {
			line(label, *m)
		}
	}
	nonZero := func(label string, m fiscal.Money) {
		if m != 0 {
			line(label, m)
		}
	}
	t := inv.Totals
	optional("Produtos", t.Products)
	nonZero("Desconto", -t.Discount)
	nonZero("Frete", t.Freight)
	nonZero("Seguro", t.Insurance)
	nonZero("Acréscimo", t.Other)
	nonZero("Impostos", t.Taxes)
	optional("A pagar", t.Due)
	for _, p := range inv.Payments {
		line("  "+string(p.Method), p.Amount)
	}
	nonZero("Troco", t.Change)
	b.WriteByte('\n')
}

func ledger(b *strings.Builder, inv *invoice.Invoice) {
	passed := 0
	for _, c := range inv.Checks {
		if c.Passed {
			passed++
			continue
		}
		where := ""
		if c.Line > 0 {
			where = fmt.Sprintf(" linha %d", c.Line)
		}
		fmt.Fprintf(b, "✗ %s%s: esperado %s, encontrado %s\n", c.Name, where, c.Expected, c.Found)
	}
	fmt.Fprintf(b, "%s: %d de %d conferências certas\n", inv.Status, passed, len(inv.Checks))
}

// comma turns the decimal point of a plain number into the comma that Brazilians write.
func comma(s string) string { return strings.ReplaceAll(s, ".", ",") }
