package resolvers

import (
	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// toConnection gives a page the form of Relay. The cursors hold what the list is ordered by.
func toConnection(p invoice.Page, order invoice.OrderField) *model.InvoiceConnection {
	out := &model.InvoiceConnection{
		Edges:      make([]*model.InvoiceEdge, len(p.Invoices)),
		Nodes:      p.Invoices,
		PageInfo:   &model.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.HasPrevious},
		TotalCount: p.Total,
	}
	if out.Nodes == nil {
		out.Nodes = []*invoice.Invoice{} // an empty list, not null
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
