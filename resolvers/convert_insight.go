package resolvers

import (
	"time"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// insightList is the arguments of a list of insights.
type insightList struct {
	first   *int
	after   *string
	filter  *model.InsightFilter
	orderBy model.InsightOrder
}

// fromInsightList fails with a BAD_USER_INPUT *invoice.Error, and with a NOT_FOUND one on what is no invoice's id.
func fromInsightList(userID string, in insightList) (insight.ListQuery, error) {
	q := insight.ListQuery{UserID: userID, ByPriority: in.orderBy == model.InsightOrderPriority}
	var err error
	if q.First, err = fromFirst(in.first); err != nil {
		return q, err
	}
	if q.After, err = fromCursor("after", in.after, relay.DecodeInsightCursor); err != nil {
		return q, err
	}
	q.Filter, err = fromInsightFilter(in.filter)
	return q, err
}

func fromInsightFilter(in *model.InsightFilter) (insight.Filter, error) {
	if in == nil {
		return insight.Filter{}, nil
	}
	out := insight.Filter{Kinds: in.Kinds, Priorities: in.Priorities, Read: in.Read, Dismissed: in.Dismissed}
	if in.Period != nil {
		out.Period = &insight.Period{From: fromDay[insight.Day](in.Period.From), To: fromDay[insight.Day](in.Period.To)}
	}
	if in.InvoiceID == nil {
		return out, nil
	}
	var err error
	out.InvoiceID, err = fromInvoiceID(*in.InvoiceID)
	return out, err
}

// fromDay is the text of a day that came in as its midnight.
func fromDay[D ~string](day time.Time) D { return D(day.Format(time.DateOnly)) }

// toEvidence leaves out the lines that are no more.
func toEvidence(items []invoice.Item) []*invoice.Item {
	list := []*invoice.Item{}
	for i := range items {
		if items[i].ID != "" {
			list = append(list, &items[i])
		}
	}
	return list
}
