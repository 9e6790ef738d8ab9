package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// Insights implements insight.Store, with two statements. Like Invoices, a page starts behind a place, not at a number.
func (s *Insights) Insights(ctx context.Context, q insight.ListQuery) (page insight.Page, err error) {
	user, ok := canonical(q.UserID)
	if !ok {
		return insight.Page{}, nil
	}
	if q.After != nil {
		// It comes from outside.
		id, ok := canonical(q.After.ID)
		if !ok || storableTime(q.After.At) != nil {
			return insight.Page{}, &invoice.Error{Code: invoice.CodeBadUserInput, Message: "O cursor da lista é inválido."}
		}
		q.After = &insight.Cursor{Rank: q.After.Rank, At: micros(q.After.At), ID: id}
	}
	err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		n, err := filterInsights(tx.NewSelect().Model((*schema.Insight)(nil)), user, q.Filter).Count(ctx)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		page.Total = int(n)
		if q.First <= 0 {
			return nil
		}
		var rows []schema.Insight
		sel := filterInsights(tx.NewSelect().Model(&rows), user, q.Filter)
		placeInsights(sel, q)
		if err := sel.Limit(int64(q.First) + 1).Scan(ctx); err != nil { // one more says whether there are more
			return fmt.Errorf("read rows: %w", err)
		}
		page.HasNext = len(rows) > q.First
		rows = rows[:min(len(rows), q.First)]
		for i := range rows {
			page.Insights = append(page.Insights, fromInsightRow(&rows[i]))
		}
		return nil
	})
	if err != nil {
		return insight.Page{}, fmt.Errorf("list insights: %w", err)
	}
	return page, nil
}

// placeInsights orders the list and starts it behind the cursor.
func placeInsights(sel *bun.SelectQuery, q insight.ListQuery) {
	if q.ByPriority {
		sel.OrderExpr("priority_rank DESC, created_at DESC, id DESC")
		if q.After != nil {
			sel.Where("(priority_rank, created_at, id) < (?, ?, ?)", q.After.Rank, q.After.At, q.After.ID)
		}
		return
	}
	sel.OrderExpr("created_at DESC, id DESC")
	if q.After != nil {
		sel.Where("(created_at, id) < (?, ?)", q.After.At, q.After.ID)
	}
}

func filterInsights(sel *bun.SelectQuery, userID string, f insight.Filter) *bun.SelectQuery {
	sel.Where("user_id = ?", userID)
	if len(f.Kinds) > 0 {
		sel.Where("kind IN (?)", bun.List(f.Kinds))
	}
	if len(f.Priorities) > 0 {
		sel.Where("priority IN (?)", bun.List(f.Priorities))
	}
	for _, mark := range []struct {
		column bun.Ident
		set    *bool
	}{{"read_at", f.Read}, {"dismissed_at", f.Dismissed}} {
		switch {
		case mark.set == nil:
		case *mark.set:
			sel.Where("? IS NOT NULL", mark.column)
		default:
			sel.Where("? IS NULL", mark.column)
		}
	}
	if f.InvoiceID != "" {
		if id, ok := canonical(f.InvoiceID); ok {
			sel.Where("invoice_id = ?", id)
		} else {
			sel.Where("1 = 0") // nothing has what is no id
		}
	}
	if p := f.Period; p != nil {
		sel.Where("period_from <= ?", clean(string(p.To))).Where("period_to >= ?", clean(string(p.From)))
	}
	return sel
}
