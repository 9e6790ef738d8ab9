package resolvers

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// fromCorrection fails with a BAD_USER_INPUT *invoice.Error on what is no amount, and with a NOT_FOUND one on what is no line's id.
func fromCorrection(invoiceID string, in model.CorrectInvoiceInput) (invoice.Correction, error) {
	out := invoice.Correction{
		InvoiceID: invoiceID, ExpectedVersion: in.ExpectedVersion,
		IssuerName: optional(in.IssuerName), IssuerCNPJ: optional(in.IssuerCnpj), IssuedAt: optional(in.IssuedAt),
		AccessKey: optional(in.AccessKey), Number: optional(in.Number), Series: optional(in.Series),
	}
	c := corrector{}
	if in.Totals != nil {
		out.Totals = c.totals(*in.Totals)
	}
	out.Payments = c.payments(in.Payments)
	for _, item := range in.Items {
		out.Items = append(out.Items, c.item(*item))
	}
	for _, item := range in.AddItems {
		out.AddItems = append(out.AddItems, c.newItem(*item))
	}
	for _, id := range in.RemoveItemIds {
		out.RemoveIDs = append(out.RemoveIDs, c.itemID(id))
	}
	return out, c.err
}

// corrector converts the parts of a correction, up to the first that fails.
type corrector struct{ err error }

func (c *corrector) totals(in model.TotalsInput) invoice.TotalsCorrection {
	return invoice.TotalsCorrection{
		Products:  c.optionalMoney("totals.products", in.Products),
		Discount:  c.optionalMoney("totals.discount", in.Discount),
		Freight:   c.optionalMoney("totals.freight", in.Freight),
		Insurance: c.optionalMoney("totals.insurance", in.Insurance),
		Other:     c.optionalMoney("totals.other", in.Other),
		Taxes:     c.optionalMoney("totals.taxes", in.Taxes),
		Due:       c.optionalMoney("totals.due", in.Due),
		Paid:      c.optionalMoney("totals.paid", in.Paid),
		Change:    c.optionalMoney("totals.change", in.Change),
	}
}

func (c *corrector) payments(in graphql.Omittable[[]*model.PaymentInput]) invoice.Optional[[]invoice.Payment] {
	list, set := in.ValueOK()
	if !set || list == nil {
		return invoice.Optional[[]invoice.Payment]{Set: set}
	}
	payments := make([]invoice.Payment, len(list))
	for i, p := range list {
		payments[i] = invoice.Payment{Method: p.Method, Amount: c.money("payments.amount", p.Amount)}
	}
	return invoice.Optional[[]invoice.Payment]{Set: true, Value: &payments}
}

func (c *corrector) item(in model.ItemCorrectionInput) invoice.ItemCorrection {
	return invoice.ItemCorrection{
		ItemID:      c.itemID(in.ItemID),
		Description: optional(in.Description),
		GTIN:        optional(in.Gtin),
		Quantity:    optional(in.Quantity),
		Unit:        optional(in.Unit),
		UnitPrice:   optional(in.UnitPrice),
		Total:       c.optionalMoney("items.total", in.Total),
		Discount:    c.optionalMoney("items.discount", in.Discount),
		ProductName: orEmpty(in.ProductName),
		Category:    orEmpty(in.Category),
	}
}

func (c *corrector) newItem(in model.NewItemInput) invoice.NewItem {
	out := invoice.NewItem{
		AfterLine: in.AfterLine, Description: in.Description, GTIN: orEmpty(in.Gtin), Quantity: in.Quantity, Unit: orEmpty(in.Unit),
		UnitPrice: in.UnitPrice,
	}
	if in.Total != nil {
		out.Total = new(c.money("addItems.total", *in.Total))
	}
	if in.Discount != nil {
		out.Discount = c.money("addItems.discount", *in.Discount)
	}
	return out
}

func (c *corrector) itemID(opaque string) string {
	typ, id, err := relay.DecodeID(opaque)
	if err != nil || typ != relay.TypeItem {
		c.fail(invoice.NotFound("Linha"))
	}
	return id
}

func (c *corrector) optionalMoney(field string, in graphql.Omittable[*decimal.Decimal]) invoice.Optional[fiscal.Money] {
	d, set := in.ValueOK()
	if !set || d == nil {
		return invoice.Optional[fiscal.Money]{Set: set}
	}
	return invoice.Optional[fiscal.Money]{Set: true, Value: new(c.money(field, *d))}
}

// money takes whole centavos alone: what a user typed is not rounded.
func (c *corrector) money(field string, d decimal.Decimal) fiscal.Money {
	amount, err := fiscal.MoneyFromDecimal(d)
	if err != nil || !amount.Decimal().Equal(d) {
		c.fail(&invoice.Error{
			Code: invoice.CodeBadUserInput, Field: field, Message: "O valor deve ser em reais, com até duas casas decimais.", Cause: err,
		})
	}
	return amount
}

func (c *corrector) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func optional[T any](in graphql.Omittable[*T]) invoice.Optional[T] {
	value, set := in.ValueOK()
	return invoice.Optional[T]{Set: set, Value: value}
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
