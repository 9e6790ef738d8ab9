package providers

import (
	"encoding/json"
	"fmt"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	// maxRepairs is how often one provider may look again in one request. A model that has misread a line twice misreads it a
	// third time, and each look costs as much as the first.
	maxRepairs = 1
	// maxQuoted bounds the checks and the lines that are quoted: a reading with more faults is one to be made anew.
	maxQuoted = 40
)

// doubts is what is quoted to a provider that is to look again. What the rules would have (a check's Expected and Difference)
// is left out: a model that knows the sum that is wanted writes it, and then the figures agree and are wrong.
type doubts struct {
	Checks []doubtedCheck `json:"checks"`
	Lines  []doubtedLine  `json:"lines"`
	Totals doubtedTotals  `json:"totals"`
	Form   string         `json:"form,omitempty"`
}

type doubtedCheck struct {
	Rule  string `json:"rule"`
	Line  int    `json:"line"`
	Found string `json:"found"`
}

type doubtedLine struct {
	Line        int    `json:"line"`
	Description string `json:"description"`
	Quantity    string `json:"quantity"`
	Unit        string `json:"unit"`
	UnitPrice   string `json:"unit_price"`
	Total       string `json:"total"`
	Discount    string `json:"discount"`
	Uncertain   bool   `json:"uncertain"`
}

type doubtedTotals struct {
	Items     int    `json:"items"`
	Products  string `json:"products,omitempty"`
	Discount  string `json:"discount"`
	Freight   string `json:"freight"`
	Insurance string `json:"insurance"`
	Other     string `json:"other"`
	Due       string `json:"due,omitempty"`
	Change    string `json:"change"`
}

// doubtsAbout quotes the checks that a reading fails, the lines that they are about and those marked as hard to read.
func doubtsAbout(r *reading) doubts {
	t := r.draft.Totals
	d := doubts{Checks: []doubtedCheck{}, Lines: []doubtedLine{}, Form: r.verdict.form, Totals: doubtedTotals{
		Items: len(r.draft.Items), Discount: decimalText(t.Discount), Freight: decimalText(t.Freight),
		Insurance: decimalText(t.Insurance), Other: decimalText(t.Other), Change: decimalText(t.Change),
	}}
	if t.Products != nil {
		d.Totals.Products = decimalText(*t.Products)
	}
	if t.Due != nil {
		d.Totals.Due = decimalText(*t.Due)
	}
	named := map[int]bool{}
	for _, c := range r.verdict.faults[:min(len(r.verdict.faults), maxQuoted)] {
		d.Checks = append(d.Checks, doubtedCheck{Rule: string(c.Name), Line: c.Line, Found: c.Found})
		named[c.Line] = true
	}
	for _, item := range r.draft.Items {
		if (named[item.Line] || item.Uncertain) && len(d.Lines) < maxQuoted {
			d.Lines = append(d.Lines, doubtedLine{
				Line: item.Line, Description: item.Description, Quantity: item.Quantity.String(), Unit: item.Unit,
				UnitPrice: item.UnitPrice.String(), Total: decimalText(item.Total), Discount: decimalText(item.Discount),
				Uncertain: item.Uncertain,
			})
		}
	}
	return d
}

func decimalText(m interface{ Centavos() int64 }) string {
	n, sign := m.Centavos(), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// repairable says whether looking again has something to look for.
func (r *reading) repairable() bool {
	return !r.local && (len(r.verdict.faults) > 0 || r.verdict.form != "")
}

// repairRequest asks for the same pages once more.
func (c *Chain) repairRequest(pages []sdk.Page, r *reading) (sdk.Request, error) {
	input, err := json.Marshal(doubtsAbout(r))
	if err != nil {
		return sdk.Request{}, fmt.Errorf("quote what is in doubt: %w", err)
	}
	req := c.request(pages)
	req.Instructions, req.Input = c.repair.Instructions, string(input)
	return req, nil
}
