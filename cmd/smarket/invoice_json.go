package main

import (
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// The JSON of `smarket extract --json` has the names and shapes of the GraphQL type Invoice.
type (
	invoiceJSON struct {
		ID           string        `json:"id"`
		Status       string        `json:"status"`
		Source       string        `json:"source"`
		AccessKey    *string       `json:"accessKey"`
		Model        *int          `json:"model"`
		Number       *int          `json:"number"`
		Series       *int          `json:"series"`
		IssuedAt     *time.Time    `json:"issuedAt"`
		TestDocument bool          `json:"testDocument"`
		Issuer       issuerJSON    `json:"issuer"`
		Items        []itemJSON    `json:"items"`
		ItemCount    *int          `json:"itemCount"`
		Totals       totalsJSON    `json:"totals"`
		Payments     []paymentJSON `json:"payments"`
		Checks       []checkJSON   `json:"checks"`
		Confidence   *float64      `json:"confidence"`
		Attempts     []attemptJSON `json:"attempts"`
		Files        []fileJSON    `json:"files"`
		CreatedAt    time.Time     `json:"createdAt"`
	}
	moneyJSON struct {
		Centavos  int64  `json:"centavos"`
		Formatted string `json:"formatted"`
	}
	issuerJSON struct {
		Name  *string `json:"name"`
		CNPJ  *string `json:"cnpj"`
		State *string `json:"state"`
	}
	itemJSON struct {
		LineNumber  int       `json:"lineNumber"`
		Description string    `json:"description"`
		Code        *string   `json:"code"`
		GTIN        *string   `json:"gtin"`
		Quantity    string    `json:"quantity"`
		Unit        *string   `json:"unit"`
		UnitPrice   string    `json:"unitPrice"`
		Total       moneyJSON `json:"total"`
		Discount    moneyJSON `json:"discount"`
		Uncertain   bool      `json:"uncertain"`
	}
	totalsJSON struct {
		Products  *moneyJSON `json:"products"`
		Discount  moneyJSON  `json:"discount"`
		Freight   moneyJSON  `json:"freight"`
		Insurance moneyJSON  `json:"insurance"`
		Other     moneyJSON  `json:"other"`
		Taxes     moneyJSON  `json:"taxes"`
		Due       *moneyJSON `json:"due"`
		Paid      *moneyJSON `json:"paid"`
		Change    moneyJSON  `json:"change"`
	}
	paymentJSON struct {
		Method string    `json:"method"`
		Amount moneyJSON `json:"amount"`
	}
	checkJSON struct {
		Name       string     `json:"name"`
		Passed     bool       `json:"passed"`
		Expected   string     `json:"expected"`
		Found      string     `json:"found"`
		Difference *moneyJSON `json:"difference"`
		Line       *int       `json:"line"`
	}
	attemptJSON struct {
		Number     int       `json:"number"`
		Provider   string    `json:"provider"`
		Model      *string   `json:"model"`
		Outcome    string    `json:"outcome"`
		Items      int       `json:"items"`
		StartedAt  time.Time `json:"startedAt"`
		FinishedAt time.Time `json:"finishedAt"`
	}
	fileJSON struct {
		ID       string `json:"id"`
		Position int    `json:"position"`
		Kind     string `json:"kind"`
		Size     int64  `json:"size"`
	}
)

func toJSON(inv *invoice.Invoice) invoiceJSON {
	out := invoiceJSON{
		ID: inv.ID, Status: string(inv.Status), Source: string(inv.Source), AccessKey: orNil(inv.AccessKey),
		Model: orNil(inv.Model), Number: orNil(inv.Number), Series: inv.Series, IssuedAt: inv.IssuedAt,
		TestDocument: inv.TestDocument, ItemCount: inv.PrintedItemCount, Confidence: inv.Confidence, CreatedAt: inv.CreatedAt,
		Issuer: issuerJSON{Name: orNil(inv.Issuer.Name), CNPJ: orNil(inv.Issuer.CNPJ), State: orNil(inv.Issuer.State)},
		Items:  []itemJSON{}, Payments: []paymentJSON{}, Checks: []checkJSON{}, Attempts: []attemptJSON{}, Files: []fileJSON{},
		Totals: totalsJSON{
			Products: optionalMoney(inv.Totals.Products), Discount: money(inv.Totals.Discount),
			Freight: money(inv.Totals.Freight), Insurance: money(inv.Totals.Insurance), Other: money(inv.Totals.Other),
			Taxes: money(inv.Totals.Taxes), Due: optionalMoney(inv.Totals.Due), Paid: optionalMoney(inv.Totals.Paid),
			Change: money(inv.Totals.Change),
		},
	}
	for _, it := range inv.Items {
		out.Items = append(out.Items, itemJSON{
			LineNumber: it.Line, Description: it.Description, Code: orNil(it.Code), GTIN: orNil(it.GTIN),
			Quantity: it.Quantity.String(), Unit: orNil(it.Unit), UnitPrice: it.UnitPrice.String(), Total: money(it.Total),
			Discount: money(it.Discount), Uncertain: it.Uncertain,
		})
	}
	for _, p := range inv.Payments {
		out.Payments = append(out.Payments, paymentJSON{Method: string(p.Method), Amount: money(p.Amount)})
	}
	for _, c := range inv.Checks {
		out.Checks = append(out.Checks, checkJSON{
			Name: string(c.Name), Passed: c.Passed, Expected: c.Expected, Found: c.Found,
			Difference: optionalMoney(c.Difference), Line: orNil(c.Line),
		})
	}
	for _, a := range inv.Attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			Number: a.Number, Provider: a.Provider, Model: orNil(a.Model), Outcome: a.Outcome, Items: a.Items,
			StartedAt: a.StartedAt, FinishedAt: a.FinishedAt,
		})
	}
	for _, f := range inv.Files {
		if f.Kind == invoice.FileQR {
			continue // nobody sent it as a file
		}
		out.Files = append(out.Files, fileJSON{ID: f.ID, Position: f.Position, Kind: string(f.Kind), Size: f.Size})
	}
	return out
}

func money(m fiscal.Money) moneyJSON { return moneyJSON{Centavos: int64(m), Formatted: m.String()} }

func optionalMoney(m *fiscal.Money) *moneyJSON {
	if m == nil {
		return nil
	}
	out := money(*m)
	return &out
}

// orNil is null for what was not stated.
func orNil[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
