package receipts

import (
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Truth is what a reader of the receipt should find, under the names of the GraphQL contract's Invoice. Amounts are
// centavos; quantities and unit prices are decimal text, without trailing zeros.
type Truth struct {
	AccessKey string         `json:"accessKey"`
	Number    int            `json:"number"`
	Series    int            `json:"series"`
	Model     int            `json:"model"`
	IssuedAt  string         `json:"issuedAt"` // RFC 3339
	Issuer    TruthIssuer    `json:"issuer"`
	Items     []TruthItem    `json:"items"`
	ItemCount int            `json:"itemCount"`
	Totals    TruthTotals    `json:"totals"`
	Payments  []TruthPayment `json:"payments"`
}

// TruthIssuer is the shop.
type TruthIssuer struct {
	Name string `json:"name"`
	CNPJ string `json:"cnpj"`
}

// TruthItem is a line.
type TruthItem struct {
	LineNumber  int          `json:"lineNumber"`
	Description string       `json:"description"`
	Code        string       `json:"code"`
	GTIN        string       `json:"gtin"`
	Quantity    string       `json:"quantity"`
	Unit        string       `json:"unit"`
	UnitPrice   string       `json:"unitPrice"`
	Total       fiscal.Money `json:"total"`
	Discount    fiscal.Money `json:"discount"`
}

// TruthTotals are the totals.
type TruthTotals struct {
	Products fiscal.Money `json:"products"`
	Discount fiscal.Money `json:"discount"`
	Freight  fiscal.Money `json:"freight"`
	Other    fiscal.Money `json:"other"`
	Due      fiscal.Money `json:"due"`
	Paid     fiscal.Money `json:"paid"`
	Change   fiscal.Money `json:"change"`
}

// TruthPayment is one payment.
type TruthPayment struct {
	Method invoice.PaymentMethod `json:"method"`
	Amount fiscal.Money          `json:"amount"`
}

// Truth is what the receipt's XML says.
func (r Receipt) Truth() Truth { return r.truthOf(r.Draft()) }

// PaperTruth is what the paper of a style says: descriptions are cut, one of the two codes is printed, and a discount of
// the whole purchase is on no line.
func (r Receipt) PaperTruth(s Style) Truth { return r.truthOf(r.PaperDraft(s)) }

// Draft is what the receipt's XML states, as the domain sees it. Paid and PrintedItemCount are nil: the XML states neither.
func (r Receipt) Draft() invoice.Draft {
	d := r.draft()
	d.Protocol = r.Protocol
	for _, it := range r.Items {
		item := it.draft()
		item.Description, item.Code, item.GTIN = it.Product.Description, it.Code, it.GTIN
		item.Discount = it.Discount + it.DiscountShare
		d.Items = append(d.Items, item)
	}
	return d
}

// PaperDraft is what the paper of a style states, as the domain sees it. Paid is nil: paper states the parts alone.
func (r Receipt) PaperDraft(s Style) invoice.Draft {
	d := r.draft()
	if !r.Offline { // printed before there was one
		d.Protocol = r.Protocol
	}
	d.Issuer.Name = s.text(d.Issuer.Name)
	count := len(r.Items)
	d.PrintedItemCount = &count
	for _, it := range r.Items {
		item := it.draft()
		item.Code, item.Description = s.code(it), s.description(it)
		if item.Code == it.GTIN {
			item.GTIN = it.GTIN
		}
		if s.ItemDiscount != "" {
			item.Discount = it.Discount
		}
		d.Items = append(d.Items, item)
	}
	return d
}

// draft is what XML and paper have in common.
func (r Receipt) draft() invoice.Draft {
	series, issued, products, due := r.Series, r.IssuedAt, r.Products(), r.Due()
	d := invoice.Draft{
		AccessKey: string(r.Key), Model: 65, Number: r.Number, Series: &series, IssuedAt: &issued, TestDocument: r.Test,
		Issuer:      invoice.Issuer{Name: r.Store.Name, CNPJ: r.Store.CNPJ, State: r.Store.State.UF},
		ConsumerCPF: maskCPF(r.ConsumerCPF),
		Totals: invoice.Totals{
			Products: &products, Discount: r.TotalDiscount(), Freight: r.Freight, Other: r.Other, Due: &due, Change: r.Change,
		},
	}
	for _, p := range r.Payments {
		d.Payments = append(d.Payments, invoice.Payment{Method: p.Method(), Amount: p.Amount})
	}
	return d
}

func (it Item) draft() invoice.Item {
	return invoice.Item{Line: it.Line, Unit: it.Product.Unit, Quantity: it.Quantity, UnitPrice: it.UnitPrice, Total: it.Total}
}

// maskCPF keeps the third group alone: "***.***.247-**".
func maskCPF(cpf string) string {
	if len(cpf) != 11 {
		return ""
	}
	return "***.***." + cpf[6:9] + "-**"
}

func (r Receipt) truthOf(d invoice.Draft) Truth {
	t := Truth{
		AccessKey: d.AccessKey, Number: d.Number, Series: *d.Series, Model: d.Model, IssuedAt: d.IssuedAt.Format(time.RFC3339),
		Issuer: TruthIssuer{d.Issuer.Name, d.Issuer.CNPJ}, ItemCount: len(d.Items),
		Totals: TruthTotals{
			Products: *d.Totals.Products, Discount: d.Totals.Discount, Freight: d.Totals.Freight, Other: d.Totals.Other,
			Due: *d.Totals.Due, Paid: r.Paid(), Change: d.Totals.Change,
		},
	}
	for _, it := range d.Items {
		t.Items = append(t.Items, TruthItem{
			LineNumber: it.Line, Description: it.Description, Code: it.Code, GTIN: it.GTIN, Quantity: it.Quantity.String(),
			Unit: it.Unit, UnitPrice: it.UnitPrice.String(), Total: it.Total, Discount: it.Discount,
		})
	}
	for _, p := range d.Payments {
		t.Payments = append(t.Payments, TruthPayment{p.Method, p.Amount})
	}
	return t
}
