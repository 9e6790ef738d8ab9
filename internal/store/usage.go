package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/schema"
)

// installation is the scope of the budget that everybody shares.
const installation = "installation"

// settleTries bounds how often a record is settled by somebody else between the look at it and the change.
const settleTries = 3

// Usage implements usage.Store. Transactions take their locks in one order, the user, the user's budget, the installation's,
// the record, so that none waits for another in a circle.
type Usage struct{ db *DB }

var _ usage.Store = (*Usage)(nil)

// NewUsage keeps records of calls in db.
func NewUsage(db *DB) *Usage { return &Usage{db: db} }

// Reserve implements usage.Store. An invoice that was deleted meanwhile is left out of the record.
func (s *Usage) Reserve(ctx context.Context, r *usage.Record, limits usage.Limits) error {
	row, err := toCallRow(r)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	// A second time when the invoice was deleted between the look at it and the insertion.
	for range 2 {
		err = s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			if err := s.lockUser(ctx, tx, row.UserID); err != nil {
				return err
			}
			if err := reserve(ctx, tx, &row, limits); err != nil {
				return err
			}
			return insertCall(ctx, tx, &row)
		})
		if !isForeignKey(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	r.ID = row.ID
	return nil
}

// lockUser keeps the account from being deleted until the transaction ends, and fails with usage.ErrNoUser when it was. Others
// may do the same at the same time, and change the account.
func (s *Usage) lockUser(ctx context.Context, tx bun.Tx, id string) error {
	if id == "" {
		return nil
	}
	q := tx.NewSelect().Model((*schema.User)(nil)).Column("id").Where("id = ?", id)
	if s.db.dialect == schema.Postgres {
		q.For("KEY SHARE")
	}
	var found string
	if err := q.Scan(ctx, &found); errors.Is(err, sql.ErrNoRows) {
		return usage.ErrNoUser
	} else if err != nil {
		return fmt.Errorf("lock user: %w", err)
	}
	return nil
}

// reserve books the row's charge in its budgets.
func reserve(ctx context.Context, tx bun.Tx, row *schema.ProviderCall, limits usage.Limits) error {
	if row.ChargedMicroUSD == 0 {
		return nil
	}
	if row.UserID != "" {
		if err := book(ctx, tx, schema.BudgetDay{Scope: row.UserID, UserID: row.UserID, Day: row.Day}, row.ChargedMicroUSD, limits.User); err != nil {
			return err
		}
	}
	return book(ctx, tx, schema.BudgetDay{Scope: installation, Day: row.Day}, row.ChargedMicroUSD, limits.Installation)
}

// book is one statement: the row is locked while its sum is compared, so two that book at once see each other's.
func book(ctx context.Context, tx bun.Tx, b schema.BudgetDay, amount int64, limit usage.MicroUSD) error {
	b.ReservedMicroUSD = amount
	fits := limit == 0 || amount <= int64(limit) // of a budget that nothing was taken from
	if fits {
		q := tx.NewInsert().Model(&b).On("CONFLICT (scope, day) DO UPDATE").
			Set("reserved_micro_usd = b.reserved_micro_usd + EXCLUDED.reserved_micro_usd")
		if limit > 0 {
			q.Where("b.spent_micro_usd + b.reserved_micro_usd + EXCLUDED.reserved_micro_usd <= ?", int64(limit))
		}
		res, err := q.Exec(ctx)
		if err != nil {
			return fmt.Errorf("book: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return fmt.Errorf("book: %w", err)
		} else if n > 0 {
			return nil
		}
	}
	spent := &usage.SpentError{Installation: b.Scope == installation}
	var now schema.BudgetDay
	switch err := tx.NewSelect().Model(&now).Where("scope = ?", b.Scope).Where("day = ?", b.Day).Scan(ctx); {
	case err == nil:
		spent.Busy = now.SpentMicroUSD+amount <= int64(limit)
	case !errors.Is(err, sql.ErrNoRows): // none: the amount alone is too much
		return fmt.Errorf("read budget: %w", err)
	}
	return spent
}

// insertCall leaves out an invoice or a user that does not exist.
func insertCall(ctx context.Context, tx bun.IDB, row *schema.ProviderCall) error {
	q := tx.NewInsert().Model(row)
	if row.InvoiceID != "" {
		q.Value("invoice_id", "(SELECT id FROM invoices WHERE id = ?)", row.InvoiceID)
	}
	if row.UserID != "" {
		q.Value("user_id", "(SELECT id FROM users WHERE id = ?)", row.UserID)
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("insert call: %w", err)
	}
	return nil
}

// Insert implements usage.Store. An invoice or an account that was deleted meanwhile is left out.
func (s *Usage) Insert(ctx context.Context, r *usage.Record) error {
	row, err := toCallRow(r)
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	if err = insertCall(ctx, s.db.write, &row); isForeignKey(err) {
		err = insertCall(ctx, s.db.write, &row)
	}
	if err != nil {
		return err
	}
	r.ID = row.ID
	return nil
}

// errSettledMeanwhile rolls a settlement back.
var errSettledMeanwhile = errors.New("settled by somebody else meanwhile")

// Settle implements usage.Store.
func (s *Usage) Settle(ctx context.Context, id string, end usage.Settlement) error {
	id, ok := canonical(id)
	if !ok {
		return nil
	}
	for range settleTries {
		err := s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error { return s.settle(ctx, tx, id, end) })
		if !errors.Is(err, errSettledMeanwhile) {
			return err
		}
	}
	return fmt.Errorf("settle: %w %d times", errSettledMeanwhile, settleTries)
}

func (s *Usage) settle(ctx context.Context, tx bun.Tx, id string, end usage.Settlement) error {
	var row schema.ProviderCall
	if err := tx.NewSelect().Model(&row).Where("id = ?", id).Scan(ctx); errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read call: %w", err)
	}
	reserved, spent := -row.ChargedMicroUSD, int64(end.Charged)
	switch row.Outcome {
	case usage.OutcomeReserved:
	case usage.OutcomeLost:
		reserved, spent = 0, spent-row.ChargedMicroUSD
	default:
		return nil // it is settled
	}
	if err := s.lockUser(ctx, tx, row.UserID); errors.Is(err, usage.ErrNoUser) {
		return errSettledMeanwhile // the account was deleted since: look again
	} else if err != nil {
		return err
	}
	for _, scope := range []string{row.UserID, installation} {
		if scope == "" || reserved == 0 && spent == 0 {
			continue
		}
		_, err := tx.NewUpdate().Model((*schema.BudgetDay)(nil)).
			Set("reserved_micro_usd = reserved_micro_usd + ?", reserved).Set("spent_micro_usd = spent_micro_usd + ?", spent).
			Where("scope = ?", scope).Where("day = ?", row.Day).Exec(ctx)
		if err != nil {
			return fmt.Errorf("settle budget: %w", err)
		}
	}
	before := row.Outcome
	settleRow(&row, end)
	res, err := tx.NewUpdate().Model(&row).ExcludeColumn("user_id", "invoice_id").WherePK().Where("outcome = ?", before).Exec(ctx)
	if err != nil {
		return fmt.Errorf("settle call: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("settle call: %w", err)
	} else if n == 0 {
		return errSettledMeanwhile
	}
	return nil
}

// Stale implements usage.Store.
func (s *Usage) Stale(ctx context.Context, before time.Time, limit int) ([]usage.Record, error) {
	var rows []schema.ProviderCall
	err := s.db.read.NewSelect().Model(&rows).Where("outcome = 'reserved'").Where("started_at < ?", micros(before)).
		OrderExpr("started_at, id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list calls under way: %w", err)
	}
	var records []usage.Record
	for i := range rows {
		records = append(records, fromCallRow(&rows[i]))
	}
	return records, nil
}

// sumRow is a group of calls.
type sumRow struct {
	Day       string `bun:"day"`
	Provider  string `bun:"provider"`
	Model     string `bun:"model"`
	Calls     int64  `bun:"calls"`
	Failed    int64  `bun:"failed"`
	Cached    int64  `bun:"cached"`
	Uncosted  int64  `bun:"uncosted"`
	Input     int64  `bun:"input"`
	Hit       int64  `bun:"hit"`
	Output    int64  `bun:"output"`
	Thinking  int64  `bun:"thinking"`
	Cost      int64  `bun:"cost"`
	Estimated int64  `bun:"estimated"`
	Saved     int64  `bun:"saved"`
}

// Sums implements usage.Store, with one statement.
func (s *Usage) Sums(ctx context.Context, userID string, from, to usage.Day) ([]usage.Sum, error) {
	q := s.db.read.NewSelect().Model((*schema.ProviderCall)(nil)).Column("day", "provider", "model").
		Where("outcome <> ?", usage.OutcomeReserved).Where("day >= ?", clean(string(from))).Where("day <= ?", clean(string(to))).
		Group("day", "provider", "model").OrderExpr("day, provider, model")
	if userID != "" {
		id, ok := canonical(userID)
		if !ok {
			return nil, nil
		}
		q.Where("user_id = ?", id)
	}
	for _, sum := range []struct{ name, of, where string }{
		{"calls", "1", "outcome <> 'cached'"},
		{"failed", "1", "outcome NOT IN ('ok', 'cached')"},
		{"cached", "1", "outcome = 'cached'"},
		{"uncosted", "1", "cost_micro_usd IS NULL"},
		{"input", "input_tokens", "outcome <> 'cached'"},
		{"hit", "cached_tokens", "outcome <> 'cached'"},
		{"output", "output_tokens", "outcome <> 'cached'"},
		{"thinking", "thinking_tokens", "outcome <> 'cached'"},
		{"cost", "cost_micro_usd", "cost_micro_usd IS NOT NULL"},
		{"estimated", "charged_micro_usd", "cost_micro_usd IS NULL"},
		{"saved", "saved_micro_usd", "outcome = 'cached'"},
	} {
		// PostgreSQL's sums of bigint are numeric.
		q.ColumnExpr("CAST(SUM(CASE WHEN " + sum.where + " THEN " + sum.of + " ELSE 0 END) AS bigint) AS " + sum.name)
	}
	var rows []sumRow
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("add up calls: %w", err)
	}
	sums := make([]usage.Sum, 0, len(rows))
	for _, r := range rows {
		sums = append(sums, usage.Sum{Day: usage.Day(r.Day), Provider: r.Provider, Model: r.Model, Totals: usage.Totals{
			Calls: r.Calls, Failed: r.Failed, Cached: r.Cached, Uncosted: r.Uncosted,
			InputTokens: r.Input, CachedInputTokens: r.Hit, OutputTokens: r.Output, ThinkingTokens: r.Thinking,
			Cost: usage.MicroUSD(r.Cost), Estimated: usage.MicroUSD(r.Estimated), SavedByCache: usage.MicroUSD(r.Saved),
		}})
	}
	return sums, nil
}

// toCallRow makes an id that is missing. It fails on ids that are none.
func toCallRow(r *usage.Record) (schema.ProviderCall, error) {
	row := schema.ProviderCall{
		ID:               r.ID,
		Day:              clean(string(r.Day)),
		Task:             clean(r.Task),
		Provider:         clean(r.Provider),
		Model:            clean(r.Model),
		Attempt:          r.Attempt,
		Outcome:          clean(r.Outcome),
		InputTokens:      r.Tokens.Input,
		CachedTokens:     r.Tokens.CachedInput,
		CacheWriteTokens: r.Tokens.CacheWrite,
		OutputTokens:     r.Tokens.Output,
		ThinkingTokens:   r.Tokens.Thinking,
		LatencyMS:        r.Latency.Milliseconds(),
		CostMicroUSD:     (*int64)(r.Cost),
		ChargedMicroUSD:  int64(r.Charged),
		SavedMicroUSD:    int64(r.Saved),
		StartedAt:        micros(r.StartedAt),
		EndedAt:          microsOf(r.EndedAt),
	}
	if err := ownID(&row.ID); err != nil {
		return row, err
	}
	for _, ref := range []struct {
		id  string
		row *string
	}{{r.UserID, &row.UserID}, {r.InvoiceID, &row.InvoiceID}} {
		if ref.id == "" {
			continue
		}
		id, ok := canonical(ref.id)
		if !ok {
			return row, fmt.Errorf("%q is no id", ref.id)
		}
		*ref.row = id
	}
	return row, nil
}

func settleRow(row *schema.ProviderCall, end usage.Settlement) {
	row.Model = clean(end.Model)
	row.Outcome = clean(end.Outcome)
	row.InputTokens = end.Tokens.Input
	row.CachedTokens = end.Tokens.CachedInput
	row.CacheWriteTokens = end.Tokens.CacheWrite
	row.OutputTokens = end.Tokens.Output
	row.ThinkingTokens = end.Tokens.Thinking
	row.LatencyMS = end.Latency.Milliseconds()
	row.CostMicroUSD = (*int64)(end.Cost)
	row.ChargedMicroUSD = int64(end.Charged)
	row.EndedAt = new(micros(end.EndedAt))
}

func fromCallRow(r *schema.ProviderCall) usage.Record {
	return usage.Record{
		ID:        r.ID,
		UserID:    r.UserID,
		InvoiceID: r.InvoiceID,
		Day:       usage.Day(r.Day),
		Task:      r.Task,
		Provider:  r.Provider,
		Model:     r.Model,
		Attempt:   r.Attempt,
		Outcome:   r.Outcome,
		Tokens: usage.Tokens{
			Input: r.InputTokens, CachedInput: r.CachedTokens, CacheWrite: r.CacheWriteTokens, Output: r.OutputTokens,
			Thinking: r.ThinkingTokens,
		},
		Latency:   time.Duration(r.LatencyMS) * time.Millisecond,
		Cost:      (*usage.MicroUSD)(r.CostMicroUSD),
		Charged:   usage.MicroUSD(r.ChargedMicroUSD),
		Saved:     usage.MicroUSD(r.SavedMicroUSD),
		StartedAt: micros(r.StartedAt),
		EndedAt:   microsOf(r.EndedAt),
	}
}
