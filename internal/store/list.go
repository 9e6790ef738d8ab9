package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// Invoices implements invoice.Store, with at most eight statements whatever the page. A page starts behind a place, not at a
// number, so it costs the same far down the list, and rows that come and go before it do not shift it.
func (s *Invoices) Invoices(ctx context.Context, q invoice.ListQuery) (page invoice.Page, err error) {
	user, ok := canonical(q.UserID)
	if !ok {
		return invoice.Page{}, nil
	}
	l := list{order: q.OrderBy, filter: func(sel *bun.SelectQuery) { applyFilter(sel.Where("user_id = ?", user), q.Filter) }}
	if l.after, err = cursorOf(q.After); err != nil {
		return invoice.Page{}, err
	}
	if l.before, err = cursorOf(q.Before); err != nil {
		return invoice.Page{}, err
	}
	err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		page, err = l.page(ctx, tx, q.First, q.Last)
		return err
	})
	if err != nil {
		return invoice.Page{}, fmt.Errorf("list invoices: %w", err)
	}
	return page, nil
}

// cursorOf checks a cursor, which comes from outside.
func cursorOf(c *invoice.Cursor) (*invoice.Cursor, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // no cursor
	}
	id, ok := canonical(c.ID)
	if !ok || c.At != nil && storableTime(*c.At) != nil {
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Message: "O cursor da lista é inválido."}
	}
	return &invoice.Cursor{At: microsOf(c.At), ID: id}, nil
}

func applyFilter(q *bun.SelectQuery, f invoice.Filter) {
	if len(f.Statuses) > 0 {
		q.Where("status IN (?)", bun.List(f.Statuses))
	}
	if f.IssuedFrom != nil {
		q.Where("issued_at >= ?", clampTime(*f.IssuedFrom))
	}
	if f.IssuedUntil != nil {
		q.Where("issued_at < ?", clampTime(*f.IssuedUntil))
	}
	if f.IssuerCNPJ != "" {
		q.Where("issuer_cnpj = ?", clean(f.IssuerCNPJ))
	}
	if fold(f.Search) != "" {
		q.Where("search_text LIKE ? ESCAPE '!'", pattern(f.Search))
	}
}

// clampTime keeps a bound within what is stored: beyond it there is nothing to find.
func clampTime(t time.Time) time.Time {
	switch y := t.UTC().Year(); {
	case y < 1:
		return time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	case y > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	// Rows are cut to microseconds: a bound between two of them is above the lower one.
	return t.UTC().Add(time.Microsecond - time.Nanosecond).Truncate(time.Microsecond)
}

// list is a filtered list in its order, between two cursors.
type list struct {
	order         invoice.Order
	filter        func(*bun.SelectQuery)
	after, before *invoice.Cursor
}

func (l *list) page(ctx context.Context, tx bun.IDB, first, last int) (invoice.Page, error) {
	var page invoice.Page
	total := tx.NewSelect().Model((*schema.Invoice)(nil))
	l.filter(total)
	n, err := total.Count(ctx)
	if err != nil {
		return page, fmt.Errorf("count: %w", err)
	}
	page.Total = int(n)
	backward := last > 0
	limit := first
	if backward {
		limit = last
	}
	if limit <= 0 {
		return page, nil
	}
	var rows []schema.Invoice
	q := l.sorted(l.bounded(tx.NewSelect().Model(&rows)), backward)
	if err := q.Limit(int64(limit) + 1).Scan(ctx); err != nil { // one more says whether there are more
		return page, fmt.Errorf("read rows: %w", err)
	}
	more := len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	if backward {
		slices.Reverse(rows)
	}
	// What lies on the side the page was not cut: nothing, unless a cursor was given on that side.
	if backward {
		page.HasPrevious = more
		page.HasNext, err = l.beyond(ctx, tx, rows, l.before, page.Total, false)
	} else {
		page.HasNext = more
		page.HasPrevious, err = l.beyond(ctx, tx, rows, l.after, page.Total, true)
	}
	if err != nil {
		return page, err
	}
	aggregates, err := load(ctx, tx, rows)
	if err != nil {
		return page, err
	}
	for _, a := range aggregates {
		page.Invoices = append(page.Invoices, fromRows(a))
	}
	return page, nil
}

// beyond says whether the list has something before the rows (or after them) that cursor has cut off.
func (l *list) beyond(ctx context.Context, tx bun.IDB, rows []schema.Invoice, cursor *invoice.Cursor, total int, before bool) (bool, error) {
	switch {
	case cursor == nil:
		return false, nil
	case len(rows) == 0:
		return total > 0, nil // everything is on the other side of the cursor
	}
	edge := rows[len(rows)-1]
	if before {
		edge = rows[0]
	}
	q := tx.NewSelect().Model((*schema.Invoice)(nil))
	l.filter(q)
	if before {
		l.wherePrecedes(q, l.placeOf(edge))
	} else {
		l.whereFollows(q, l.placeOf(edge))
	}
	found, err := q.Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look beyond the page: %w", err)
	}
	return found, nil
}

func (l *list) bounded(q *bun.SelectQuery) *bun.SelectQuery {
	l.filter(q)
	if l.after != nil {
		l.whereFollows(q, *l.after)
	}
	if l.before != nil {
		l.wherePrecedes(q, *l.before)
	}
	return q
}

func (l *list) placeOf(r schema.Invoice) invoice.Cursor {
	if l.byIssue() {
		return invoice.Cursor{At: microsOf(r.IssuedAt), ID: r.ID}
	}
	return invoice.Cursor{At: new(micros(r.CreatedAt)), ID: r.ID}
}

func (l *list) byIssue() bool { return l.order.By == invoice.OrderByIssuedAt }

func (l *list) column() bun.Ident {
	if l.byIssue() {
		return "issued_at"
	}
	return "created_at"
}

// sorted orders the list, from its end when backward. Without a date come last, so from the end first.
func (l *list) sorted(q *bun.SelectQuery, backward bool) *bun.SelectQuery {
	direction, nulls := "DESC", ""
	if l.order.Ascending != backward {
		direction = "ASC"
	}
	if l.byIssue() {
		nulls = " NULLS LAST"
		if backward {
			nulls = " NULLS FIRST"
		}
	}
	return q.OrderExpr("? "+direction+nulls+", id "+direction, l.column())
}

// whereFollows keeps what comes after the place in the list's order.
func (l *list) whereFollows(q *bun.SelectQuery, c invoice.Cursor) {
	op := "<"
	if l.order.Ascending {
		op = ">"
	}
	switch {
	case c.At == nil:
		q.Where("? IS NULL AND id "+op+" ?", l.column(), c.ID)
	case l.byIssue():
		q.Where("((?, id) "+op+" (?, ?) OR ? IS NULL)", l.column(), *c.At, c.ID, l.column())
	default:
		q.Where("(?, id) "+op+" (?, ?)", l.column(), *c.At, c.ID)
	}
}

// wherePrecedes keeps what comes before the place in the list's order.
func (l *list) wherePrecedes(q *bun.SelectQuery, c invoice.Cursor) {
	op := ">"
	if l.order.Ascending {
		op = "<"
	}
	if c.At == nil {
		q.Where("(? IS NOT NULL OR id "+op+" ?)", l.column(), c.ID)
		return
	}
	q.Where("(?, id) "+op+" (?, ?)", l.column(), *c.At, c.ID)
}
