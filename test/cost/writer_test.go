package cost_test

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// oneByOne asks for each of the fourteen kinds in a call of its own, as the plan's baseline does: also for a kind that found
// nothing, since there it is the model that has to find out.
type oneByOne struct{ insight.Writer }

// Write implements insight.Writer.
func (w oneByOne) Write(ctx context.Context, req insight.WriteRequest) (insight.Words, error) {
	var all insight.Words
	for _, kind := range kinds() {
		part := insight.WriteRequest{InvoiceID: req.InvoiceID, UserID: req.UserID}
		for _, f := range req.Findings {
			if f.Kind == kind {
				part.Findings = append(part.Findings, f)
			}
		}
		silent := len(part.Findings) == 0
		if silent { // the id keeps it from being taken for somebody else's question
			facts := json.RawMessage(`{"purchase":"` + req.InvoiceID + `"}`)
			part.Findings = []insight.WriteFinding{{Key: "f0", Kind: kind, Priority: insight.PriorityLow, Facts: facts}}
		}
		words, err := w.Writer.Write(ctx, part)
		if err != nil {
			return insight.Words{}, err
		}
		if !silent {
			all.Entries = append(all.Entries, words.Entries...)
			all.Provider, all.Model = words.Provider, words.Model
		}
	}
	return all, nil
}

func kinds() []insight.Kind {
	return []insight.Kind{
		insight.KindPriceAlert, insight.KindCategoryInsight, insight.KindMerchantPattern, insight.KindSummary,
		insight.KindEssentialRatio, insight.KindSeasonalAlert, insight.KindChildrenSpending, insight.KindBudgetHealth,
		insight.KindIncomeCommitment, insight.KindPerCapitaSpending, insight.KindShoppingFrequency,
		insight.KindWholesaleOpportunity, insight.KindSavingsPotential, insight.KindFamilyNutrition,
	}
}

// worded is a reply of the length that the prompt asks for: a title of 50 characters, three sentences of 200 in all.
func worded(text string) string {
	var asked sdk.Findings
	if json.Unmarshal([]byte(text), &asked) != nil {
		return "{}"
	}
	const title, sentence = "Uma novidade sobre as compras da família neste mês", "Vale a pena olhar com calma o que mudou nas compras."
	var said sdk.Insights
	for _, f := range asked.Findings {
		said.Insights = append(said.Insights, sdk.Insight{
			Key: f.Key, Title: title, Description: strings.TrimSpace(strings.Repeat(sentence+" ", 4)),
		})
	}
	out, err := json.Marshal(said)
	if err != nil {
		return "{}" // cannot be: strings
	}
	return string(out)
}
