// Package danfe reads the text of a printed NFC-e, line by line, with rules: no model, no network. The text may come from a
// PDF's text layer or from character recognition. It reads what is printed: a figure that character recognition has damaged is
// repaired only where arithmetic or a check digit leaves one possibility, and a line that cannot be proved is marked as
// uncertain. Whether the purchase adds up is judged by others.
package danfe

import "github.com/mercadoesperto/smarket/providers/sdk"

// Parse reads the pages' text, in order; lines that two pages share at their seam are read once. It always answers; what it
// cannot find is empty. Its time grows linearly with the text, of which it reads the first 5,000 lines.
func Parse(pages []string) sdk.Receipt {
	lines := readLines(pages)
	d := document{lines: lines}
	d.findSections()
	d.readItems()
	d.readTotals()
	d.readIdentity()
	d.repair()
	return d.receipt()
}

// Complete says whether everything that r states adds up: no line is uncertain, the lines are as many and as much as the
// totals say, and so are the payments. A receipt that states too little to tell is not complete.
func Complete(r sdk.Receipt) bool { return score(r).complete }

// document is a receipt while it is read.
type document struct {
	lines []line
	// The lines of the items are lines[itemsFrom:itemsUntil]; the totals come after.
	itemsFrom, itemsUntil int

	items    []*item
	itemPlus int64 // centavos of surcharges printed under items
	totals   totals
	id       identity
}

func (d *document) receipt() sdk.Receipt {
	r := sdk.Receipt{
		AccessKey: d.id.key, Number: d.id.number, Series: d.id.series, IssuedAt: d.id.issuedAt, Protocol: d.id.protocol,
		IssuerName: d.id.name, IssuerCNPJ: d.id.cnpj, ConsumerCPF: d.id.cpf, Test: d.id.test,
		Items: []sdk.ReceiptItem{}, Payments: []sdk.ReceiptPayment{},
		ItemCount: d.totals.count,
		Products:  d.totals.products.text(), Discount: d.totals.discount.text(), Freight: d.totals.freight.text(),
		Insurance: d.totals.insurance.text(), Other: d.totals.other.text(), Due: d.totals.due.text(), Change: d.totals.change.text(),
	}
	for _, it := range d.items {
		r.Items = append(r.Items, it.receipt())
	}
	for _, p := range d.totals.payments {
		r.Payments = append(r.Payments, sdk.ReceiptPayment{Method: p.method, Amount: p.amount.text()})
	}
	return r
}
