package resolvers

import (
	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

// toConnection gives a page the form of Relay. The cursors hold what the list is ordered by.
func toConnection(p invoice.Page, order invoice.OrderField) *model.InvoiceConnection {
	out := &model.InvoiceConnection{
		Edges:      make([]*model.InvoiceEdge, len(p.Invoices)),
		Nodes:      notNull(p.Invoices),
		PageInfo:   &model.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		TotalCount: p.Total,
	}
	for i, inv := range p.Invoices {
		out.Edges[i] = &model.InvoiceEdge{Cursor: relay.EncodeCursor(cursorOf(inv, order)), Node: inv}
	}
	if n := len(out.Edges); n > 0 {
		out.PageInfo.StartCursor, out.PageInfo.EndCursor = &out.Edges[0].Cursor, &out.Edges[n-1].Cursor
	}
	return out
}

func cursorOf(inv *invoice.Invoice, order invoice.OrderField) invoice.Cursor {
	if order == invoice.OrderByIssuedAt {
		return invoice.Cursor{At: inv.IssuedAt, ID: inv.ID}
	}
	return invoice.Cursor{At: &inv.CreatedAt, ID: inv.ID}
}

// toProductConnection is toConnection for products. started says that the page begins after a cursor.
func toProductConnection(p product.Page, started bool) *model.ProductConnection {
	out := &model.ProductConnection{
		Edges:      make([]*model.ProductEdge, len(p.Products)),
		Nodes:      notNull(p.Products),
		PageInfo:   &model.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: started},
		TotalCount: p.Total,
	}
	for i, one := range p.Products {
		out.Edges[i] = &model.ProductEdge{Cursor: relay.EncodeProductCursor(product.Cursor{Name: one.Name, ID: one.ID}), Node: one}
	}
	if n := len(out.Edges); n > 0 {
		out.PageInfo.StartCursor, out.PageInfo.EndCursor = &out.Edges[0].Cursor, &out.Edges[n-1].Cursor
	}
	return out
}

// toInsightConnection is toConnection for the insights that q asked for.
func toInsightConnection(p insight.Page, q insight.ListQuery) *model.InsightConnection {
	out := &model.InsightConnection{
		Edges:      make([]*model.InsightEdge, len(p.Insights)),
		Nodes:      notNull(p.Insights),
		PageInfo:   &model.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: q.After != nil},
		TotalCount: p.Total,
	}
	for i, one := range p.Insights {
		cursor := insight.Cursor{At: one.CreatedAt, ID: one.ID}
		if q.ByPriority {
			cursor.Rank = one.Priority.Rank()
		}
		out.Edges[i] = &model.InsightEdge{Cursor: relay.EncodeInsightCursor(cursor), Node: one}
	}
	if n := len(out.Edges); n > 0 {
		out.PageInfo.StartCursor, out.PageInfo.EndCursor = &out.Edges[0].Cursor, &out.Edges[n-1].Cursor
	}
	return out
}

// notNull is an empty list for nil, which would be null.
func notNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
