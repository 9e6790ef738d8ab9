package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// Insights implements insight.Store.
type Insights struct{ db *DB }

var _ insight.Store = (*Insights)(nil)

// NewInsights keeps analyses and insights in db.
func NewInsights(db *DB) *Insights { return &Insights{db: db} }

func noInsight() error { return invoice.NotFound("Análise") }

// SaveAnalysis implements insight.Store.
func (s *Insights) SaveAnalysis(ctx context.Context, tx *sql.Tx, a insight.Analysis) error {
	row, err := toAnalysisRow(a)
	if err != nil {
		return fmt.Errorf("save analysis: %w", err)
	}
	q := s.db.write.NewInsert().Conn(tx).Model(&row).On("CONFLICT (invoice_id) DO UPDATE")
	for _, column := range []bun.Ident{
		"user_id", "status", "skip_reason", "failure_code", "items_version", "job_id", "provider", "model", "gaps", "requested_at", "finished_at",
	} {
		q.Set("? = EXCLUDED.?", column, column)
	}
	if _, err := q.Exec(ctx); isForeignKey(err) {
		return notFound()
	} else if err != nil {
		return fmt.Errorf("save analysis: %w", err)
	}
	return nil
}

// LockedAnalysis implements insight.Store. Whoever writes an analysis holds its invoice, so the row needs no lock of its own.
func (s *Insights) LockedAnalysis(ctx context.Context, tx *sql.Tx, invoiceID string) (*insight.Analysis, error) {
	id, ok := canonical(invoiceID)
	if !ok {
		return nil, nil //nolint:nilnil // the port's answer for none
	}
	var row schema.Analysis
	err := s.db.write.NewSelect().Conn(tx).Model(&row).Where("invoice_id = ?", id).Scan(ctx)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil //nolint:nilnil // the port's answer for none
	case err != nil:
		return nil, fmt.Errorf("read analysis: %w", err)
	}
	return fromAnalysisRow(&row)
}

// Analyses implements insight.Store.
func (s *Insights) Analyses(ctx context.Context, userID string, invoiceIDs []string) (map[string]*insight.Analysis, error) {
	user, ids, ok := owned(userID, invoiceIDs)
	if !ok {
		return nil, nil
	}
	var rows []schema.Analysis
	err := s.db.read.NewSelect().Model(&rows).Where("user_id = ?", user).Where("invoice_id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read analyses: %w", err)
	}
	analyses := make(map[string]*insight.Analysis, len(rows))
	for i := range rows {
		if analyses[rows[i].InvoiceID], err = fromAnalysisRow(&rows[i]); err != nil {
			return nil, err
		}
	}
	return analyses, nil
}

// owned are the ids in their canonical form, without what is none. False says that nothing can be found by them.
func owned(userID string, ids []string) (user string, found []string, ok bool) {
	if user, ok = canonical(userID); !ok {
		return "", nil, false
	}
	for _, id := range ids {
		if c, ok := canonical(id); ok {
			found = append(found, c)
		}
	}
	return user, found, len(found) > 0
}

// ReplaceInsights implements insight.Store.
func (s *Insights) ReplaceInsights(ctx context.Context, tx *sql.Tx, invoiceID string, insights []insight.Insight) error {
	id, ok := canonical(invoiceID)
	if !ok {
		return notFound()
	}
	var old []schema.Insight
	if err := s.db.write.NewSelect().Conn(tx).Model(&old).Where("invoice_id = ?", id).Scan(ctx); err != nil {
		return fmt.Errorf("read insights: %w", err)
	}
	rows := make([]schema.Insight, 0, len(insights))
	for i := range insights {
		row, err := toInsightRow(&insights[i])
		if err != nil {
			return fmt.Errorf("replace insights: %w", err)
		}
		keepMarks(&row, old)
		rows = append(rows, row)
	}
	if len(old) > 0 {
		if _, err := s.db.write.NewDelete().Conn(tx).Model((*schema.Insight)(nil)).Where("invoice_id = ?", id).Exec(ctx); err != nil {
			return fmt.Errorf("replace insights: %w", err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := s.db.write.NewInsert().Conn(tx).Model(&rows).Exec(ctx); isForeignKey(err) {
		return notFound()
	} else if err != nil {
		return fmt.Errorf("replace insights: %w", err)
	}
	return nil
}

// keepMarks gives an insight the marks of the old one that says the same.
func keepMarks(row *schema.Insight, old []schema.Insight) {
	for _, o := range old {
		if o.Kind == row.Kind && o.Subject == row.Subject && sameJSON(o.Details, row.Details) {
			row.ReadAt, row.ActedUponAt, row.DismissedAt = microsOf(o.ReadAt), microsOf(o.ActedUponAt), microsOf(o.DismissedAt)
			return
		}
	}
}

// sameJSON compares values: PostgreSQL keeps neither the order of fields nor blanks.
func sameJSON(a, b json.RawMessage) bool {
	x, errX := canonicalJSON(a)
	y, errY := canonicalJSON(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func canonicalJSON(raw json.RawMessage) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree) // with the fields in order
}

// InsightsOf implements insight.Store.
func (s *Insights) InsightsOf(ctx context.Context, userID string, invoiceIDs []string) (map[string][]*insight.Insight, error) {
	user, ids, ok := owned(userID, invoiceIDs)
	if !ok {
		return nil, nil
	}
	var rows []schema.Insight
	err := s.db.read.NewSelect().Model(&rows).Where("user_id = ?", user).Where("invoice_id IN (?)", bun.List(ids)).
		OrderExpr("invoice_id, priority_rank DESC, created_at DESC, id DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read insights: %w", err)
	}
	insights := map[string][]*insight.Insight{}
	for i := range rows {
		id := rows[i].InvoiceID
		insights[id] = append(insights[id], fromInsightRow(&rows[i]))
	}
	return insights, nil
}

// Insight implements insight.Store.
func (s *Insights) Insight(ctx context.Context, userID, id string) (*insight.Insight, error) {
	user, ids, ok := owned(userID, []string{id})
	if !ok {
		return nil, noInsight()
	}
	var row schema.Insight
	err := s.db.read.NewSelect().Model(&row).Where("id = ?", ids[0]).Where("user_id = ?", user).Scan(ctx)
	return oneInsight(&row, err)
}

// Mark implements insight.Store.
func (s *Insights) Mark(ctx context.Context, userID, id string, m insight.Mark, at *time.Time) (*insight.Insight, error) {
	user, ids, ok := owned(userID, []string{id})
	if !ok {
		return nil, noInsight()
	}
	var column bun.Ident
	switch m {
	case insight.MarkRead:
		column = "read_at"
	case insight.MarkActedUpon:
		column = "acted_upon_at"
	case insight.MarkDismissed:
		column = "dismissed_at"
	default:
		return nil, fmt.Errorf("there is no mark %q", m)
	}
	var row schema.Insight
	q := s.db.write.NewUpdate().Model(&row).Where("id = ?", ids[0]).Where("user_id = ?", user).Returning("*")
	if at == nil {
		q.Set("? = NULL", column)
	} else {
		q.Set("? = COALESCE(?, ?)", column, column, micros(*at))
	}
	return oneInsight(&row, q.Scan(ctx))
}

func oneInsight(row *schema.Insight, err error) (*insight.Insight, error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, noInsight()
	case err != nil:
		return nil, fmt.Errorf("read insight: %w", err)
	}
	return fromInsightRow(row), nil
}

// LastOfKinds implements insight.Store.
func (s *Insights) LastOfKinds(ctx context.Context, userID, exceptID string, p insight.Period) (map[insight.Kind]insight.Day, error) {
	return s.lastOfKinds(ctx, s.db.read.DB, userID, exceptID, p)
}

// LockedLastOfKinds implements insight.Store. It holds the row of the user, yet not against those that only refer to it.
func (s *Insights) LockedLastOfKinds(
	ctx context.Context, tx *sql.Tx, userID, exceptID string, p insight.Period,
) (map[insight.Kind]insight.Day, error) {
	user, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	if s.db.dialect == schema.Postgres {
		var id string
		err := s.db.write.NewSelect().Conn(tx).Model((*schema.User)(nil)).Column("id").Where("id = ?", user).For("NO KEY UPDATE").Scan(ctx, &id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("lock user: %w", err)
		}
	}
	return s.lastOfKinds(ctx, tx, user, exceptID, p)
}

func (s *Insights) lastOfKinds(
	ctx context.Context, conn bun.IConn, userID, exceptID string, p insight.Period,
) (map[insight.Kind]insight.Day, error) {
	user, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []struct {
		Kind string `bun:"kind"`
		Last string `bun:"last"`
	}
	q := s.db.read.NewSelect().Conn(conn).Model((*schema.Insight)(nil)).ColumnExpr("kind, MAX(period_to) AS last").
		Where("user_id = ?", user).Where("period_to BETWEEN ? AND ?", p.From, p.To).Group("kind")
	if except, ok := canonical(exceptID); ok {
		q.Where("invoice_id <> ?", except)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read when kinds spoke: %w", err)
	}
	last := make(map[insight.Kind]insight.Day, len(rows))
	for _, r := range rows {
		last[insight.Kind(r.Kind)] = insight.Day(r.Last)
	}
	return last, nil
}
