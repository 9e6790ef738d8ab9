package llmstub

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// words is a good reply to TaskAnalyze: an entry for each finding, whose figures are amounts of its facts. A request that holds
// no findings gets the smallest reply that fits its schema.
func words(req *Request) string {
	var in sdk.Findings
	if json.Unmarshal([]byte(req.Text), &in) != nil || len(in.Findings) == 0 {
		return encode(emptyInstance(req.Schema))
	}
	var out sdk.Insights
	for _, f := range in.Findings {
		entry := sdk.Insight{Key: f.Key, Title: "Sobre a sua compra", Description: "Vale a pena olhar com calma."}
		var facts any
		if json.Unmarshal(f.Facts, &facts) == nil {
			if amounts := amountsIn(facts); len(amounts) > 0 {
				entry.Title += ": " + amounts[0]
				entry.Description = "Encontramos o valor de " + amounts[0] + " nas suas compras. " + entry.Description
			}
		}
		out.Insights = append(out.Insights, entry)
	}
	return encode(out)
}

// amountsIn are the amounts of facts as they are printed, in the order of the fields' names.
func amountsIn(fact any) []string {
	var found []string
	switch fact := fact.(type) {
	case map[string]any:
		if amount, ok := fact["formatted"].(string); ok {
			return []string{amount}
		}
		for _, name := range slices.Sorted(maps.Keys(fact)) {
			found = append(found, amountsIn(fact[name])...)
		}
	case []any:
		for _, one := range fact {
			found = append(found, amountsIn(one)...)
		}
	}
	return found
}

// spoilWords applies to a reply of words what change does to a receipt; a reply of another form stays as it is.
func spoilWords(f Fault, text string) string {
	var in sdk.Insights
	if json.Unmarshal([]byte(text), &in) != nil || len(in.Insights) == 0 {
		return text
	}
	for i := range in.Insights {
		entry := &in.Insights[i]
		switch f {
		case FaultWrongFigures, FaultWrongOnce:
			entry.Description += " Isso dá R$ 98.765,43."
		case FaultInjected:
			entry.Description += " Veja http://oferta.example/agora."
		case FaultHuge:
			entry.Description += strings.Repeat(" Economize.", hugeReply/len(" Economize."))
		default:
		}
	}
	return encode(in)
}
