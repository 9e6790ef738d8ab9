package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/schema"
)

// InsightStores are the stores of one empty database that insights need.
type InsightStores struct {
	Stores

	Insights insight.Store
	// Insert writes a row, a pointer to one of schema's: the ledger has another owner.
	Insert func(tb testing.TB, row any)
}

// ExerciseInsights holds an insight.Store to its promises.
func ExerciseInsights(t *testing.T, open func(tb testing.TB) InsightStores) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, InsightStores){
		"an analysis comes back as it was":             analysisRoundTrip,
		"an analysis is written anew":                  analysisOverwritten,
		"an analysis goes with its transaction":        analysisRolledBack,
		"analyses are found by their user alone":       analysesOfUser,
		"an insight comes back as it was":              insightRoundTrip,
		"insights replace those of the invoice":        insightsReplaced,
		"marks are kept where the same is said":        marksKept,
		"marks are set once and taken back":            marksSet,
		"another user's insights are not found":        insightsOfOthers,
		"insights of an invoice, most important first": insightsOfInvoices,
		"a list is paged by time":                      insightsByTime,
		"a list is paged by priority":                  insightsByPriority,
		"a list is narrowed":                           insightsFiltered,
		"a bad cursor is refused":                      badInsightCursor,
		"each kind's last word is known":               lastOfKinds,
		"two analyses see each other's words":          lastOfKindsLocked,
		"a purchase is read with its products":         purchaseLines,
		"a purchase of another user is not found":      purchaseOfOthers,
		"a deleted invoice takes its insights along":   insightsOfDeleted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// FilledInsight is an insight without a zero field. It is not stored.
func FilledInsight(tb testing.TB, userID, invoiceID string) insight.Insight {
	tb.Helper()
	return insight.Insight{
		ID: NewID(tb), UserID: userID, InvoiceID: invoiceID, Kind: insight.KindPriceAlert, Subject: "p'1", Priority: insight.PriorityHigh,
		Title: "Título ?0 {x}", Text: "Descrição \\ 100%", Details: json.RawMessage(`{"a":{"centavos":1,"formatted":"R$ 0,01"},"b":"1.50"}`),
		Period: insight.Period{From: "2026-11-01", To: "2026-11-30"}, Categories: []string{"dairy"}, Merchants: []string{"Mercado d'Ávila"},
		ItemIDs: []string{NewID(tb)}, Provider: "gemini", Model: "flash", ReadAt: new(At(1)), ActedUponAt: new(At(2)), DismissedAt: new(At(3)),
		CreatedAt: At(4),
	}
}

// FilledAnalysis is an analysis without a zero field. It is not stored.
func FilledAnalysis(tb testing.TB, userID, invoiceID string) insight.Analysis {
	tb.Helper()
	return insight.Analysis{
		InvoiceID: invoiceID, UserID: userID, Status: insight.AnalysisFailed, SkipReason: insight.SkipNotPremium, FailureCode: "UNAVAILABLE",
		ItemsVersion: 3, JobID: 1 << 40, Provider: "gemini", Model: "flash",
		Gaps: []insight.Gap{{Kind: insight.KindBudgetHealth, Missing: "income"}}, RequestedAt: At(1), FinishedAt: new(At(2)),
	}
}

func (s InsightStores) newInvoice(tb testing.TB) (userID, invoiceID string) {
	tb.Helper()
	user := NewUser(tb, s.Accounts)
	return user, s.invoiceOf(tb, user)
}

func (s InsightStores) invoiceOf(tb testing.TB, userID string) string {
	tb.Helper()
	inv := NewInvoice(tb, userID)
	require.NoError(tb, s.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	return inv.ID
}

func (s InsightStores) save(tb testing.TB, a insight.Analysis) {
	tb.Helper()
	require.NoError(tb, s.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) error {
		return s.Insights.SaveAnalysis(ctx, tx.SQL(), a)
	}))
}

func (s InsightStores) replace(tb testing.TB, invoiceID string, insights ...insight.Insight) {
	tb.Helper()
	require.NoError(tb, s.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) error {
		return s.Insights.ReplaceInsights(ctx, tx.SQL(), invoiceID, insights)
	}))
}

func (s InsightStores) locked(tb testing.TB, invoiceID string) (a *insight.Analysis) {
	tb.Helper()
	require.NoError(tb, s.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) (err error) {
		a, err = s.Insights.LockedAnalysis(ctx, tx.SQL(), invoiceID)
		return err
	}))
	return a
}

// utc is the insight as it comes back from a database.
func utc(i insight.Insight) insight.Insight {
	for _, at := range []**time.Time{&i.ReadAt, &i.ActedUponAt, &i.DismissedAt} {
		if *at != nil {
			*at = new((*at).UTC())
		}
	}
	i.CreatedAt = i.CreatedAt.UTC()
	return i
}

func requireNotFound(tb testing.TB, err error) {
	tb.Helper()
	require.Error(tb, err)
	require.Equal(tb, invoice.CodeNotFound, invoice.CodeOf(err), "%v", err)
}

func analysisRoundTrip(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	assert.Nil(t, s.locked(t, id), "none yet")
	want := FilledAnalysis(t, user, id)
	s.save(t, want)
	want.RequestedAt, want.FinishedAt = want.RequestedAt.UTC(), new(want.FinishedAt.UTC())
	assert.Equal(t, &want, s.locked(t, id))
	got, err := s.Insights.Analyses(t.Context(), user, []string{id, NewID(t), "x"})
	require.NoError(t, err)
	assert.Equal(t, map[string]*insight.Analysis{id: &want}, got)
}

func analysisOverwritten(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	s.save(t, FilledAnalysis(t, user, id))
	want := insight.Analysis{InvoiceID: id, UserID: user, Status: insight.AnalysisQueued, ItemsVersion: 4, JobID: 7, RequestedAt: At(5).UTC()}
	s.save(t, want)
	assert.Equal(t, &want, s.locked(t, id))
}

func analysisRolledBack(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	require.ErrorIs(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		require.NoError(t, s.Insights.SaveAnalysis(ctx, tx.SQL(), FilledAnalysis(t, user, id)))
		require.NoError(t, s.Insights.ReplaceInsights(ctx, tx.SQL(), id, []insight.Insight{FilledInsight(t, user, id)}))
		return invoice.ErrSuperseded
	}), invoice.ErrSuperseded)
	assert.Nil(t, s.locked(t, id))
	page, err := s.Insights.Insights(t.Context(), insight.ListQuery{UserID: user, First: 1})
	require.NoError(t, err)
	assert.Empty(t, page)
}

func analysesOfUser(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	s.save(t, FilledAnalysis(t, user, id))
	for _, stranger := range []string{NewUser(t, s.Accounts), NewID(t), "", "x"} {
		got, err := s.Insights.Analyses(t.Context(), stranger, []string{id})
		require.NoError(t, err)
		assert.Empty(t, got)
	}
	got, err := s.Insights.Analyses(t.Context(), user, nil)
	require.NoError(t, err)
	assert.Empty(t, got)
}

func insightRoundTrip(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	filled, bare := FilledInsight(t, user, id), insight.Insight{
		ID: NewID(t), UserID: user, InvoiceID: id, Kind: insight.KindSummary, Priority: insight.PriorityLow, Title: "t", Text: "d",
		Details: json.RawMessage(`{}`), CreatedAt: At(1),
	}
	s.replace(t, id, filled, bare)
	got, err := s.Insights.Insight(t.Context(), user, bare.ID)
	require.NoError(t, err)
	assert.Equal(t, utc(bare), *got)
	got, err = s.Insights.Insight(t.Context(), user, filled.ID)
	require.NoError(t, err)
	assert.JSONEq(t, string(filled.Details), string(got.Details))
	// Marks belong to what was said before, and a new insight has none; those it is given are kept all the same.
	got.Details = filled.Details
	assert.Equal(t, utc(filled), *got)
}

func insightsReplaced(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	other := s.invoiceOf(t, user)
	s.replace(t, other, FilledInsight(t, user, other))
	s.replace(t, id, FilledInsight(t, user, id), FilledInsight(t, user, id))
	one := FilledInsight(t, user, id)
	s.replace(t, id, one)
	got, err := s.Insights.InsightsOf(t.Context(), user, []string{id, other})
	require.NoError(t, err)
	require.Len(t, got[id], 1)
	assert.Equal(t, one.ID, got[id][0].ID)
	assert.Len(t, got[other], 1)
	s.replace(t, id)
	got, err = s.Insights.InsightsOf(t.Context(), user, []string{id})
	require.NoError(t, err)
	assert.Empty(t, got)
}

func marksKept(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	old := FilledInsight(t, user, id)
	s.replace(t, id, old)
	fresh := func(change func(*insight.Insight)) insight.Insight {
		i := FilledInsight(t, user, id)
		i.ReadAt, i.ActedUponAt, i.DismissedAt = nil, nil, nil
		change(&i)
		return i
	}
	same := fresh(func(i *insight.Insight) {
		i.Title, i.Details = "Outras palavras", json.RawMessage(`{ "b": "1.50", "a": {"formatted": "R$ 0,01", "centavos": 1} }`)
	})
	others := []insight.Insight{
		fresh(func(i *insight.Insight) { i.Kind = insight.KindSummary }),
		fresh(func(i *insight.Insight) { i.Subject = "p2" }),
		fresh(func(i *insight.Insight) {
			i.Details = json.RawMessage(`{"a":{"centavos":2,"formatted":"R$ 0,02"},"b":"1.50"}`)
		}),
	}
	s.replace(t, id, append(others, same)...)
	got, err := s.Insights.Insight(t.Context(), user, same.ID)
	require.NoError(t, err)
	assert.Equal(t, []*time.Time{new(At(1).UTC()), new(At(2).UTC()), new(At(3).UTC())}, []*time.Time{got.ReadAt, got.ActedUponAt, got.DismissedAt})
	for _, o := range others {
		got, err := s.Insights.Insight(t.Context(), user, o.ID)
		require.NoError(t, err)
		assert.Equal(t, []*time.Time{nil, nil, nil}, []*time.Time{got.ReadAt, got.ActedUponAt, got.DismissedAt})
	}
}

func marksSet(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	i := FilledInsight(t, user, id)
	i.ReadAt, i.ActedUponAt, i.DismissedAt = nil, nil, nil
	s.replace(t, id, i)
	for m, at := range map[insight.Mark]func(*insight.Insight) *time.Time{
		insight.MarkRead:      func(i *insight.Insight) *time.Time { return i.ReadAt },
		insight.MarkActedUpon: func(i *insight.Insight) *time.Time { return i.ActedUponAt },
		insight.MarkDismissed: func(i *insight.Insight) *time.Time { return i.DismissedAt },
	} {
		for _, step := range []struct{ set, want *time.Time }{
			{new(At(1)), new(At(1).UTC())},
			{new(At(2)), new(At(1).UTC())}, // the first time counts
			{nil, nil},
			{nil, nil},
			{new(At(3)), new(At(3).UTC())},
		} {
			got, err := s.Insights.Mark(t.Context(), user, i.ID, m, step.set)
			require.NoError(t, err)
			assert.Equal(t, step.want, at(got), m)
			stored, err := s.Insights.Insight(t.Context(), user, i.ID)
			require.NoError(t, err)
			assert.Equal(t, got, stored)
		}
	}
	_, err := s.Insights.Mark(t.Context(), user, i.ID, "EATEN", nil)
	require.Error(t, err)
}

func insightsOfOthers(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	i := FilledInsight(t, user, id)
	s.replace(t, id, i)
	for _, stranger := range []string{NewUser(t, s.Accounts), NewID(t), "", "x"} {
		_, err := s.Insights.Insight(t.Context(), stranger, i.ID)
		requireNotFound(t, err)
		_, err = s.Insights.Mark(t.Context(), stranger, i.ID, insight.MarkRead, nil)
		requireNotFound(t, err)
		of, err := s.Insights.InsightsOf(t.Context(), stranger, []string{id})
		require.NoError(t, err)
		assert.Empty(t, of)
		page, err := s.Insights.Insights(t.Context(), insight.ListQuery{UserID: stranger, First: 1})
		require.NoError(t, err)
		assert.Empty(t, page)
		last, err := s.Insights.LastOfKinds(t.Context(), stranger, "", insight.Period{From: "2000-01-01", To: "2999-12-31"})
		require.NoError(t, err)
		assert.Empty(t, last)
	}
	for _, none := range []string{NewID(t), "", "x"} {
		_, err := s.Insights.Insight(t.Context(), user, none)
		requireNotFound(t, err)
		_, err = s.Insights.Mark(t.Context(), user, none, insight.MarkRead, nil)
		requireNotFound(t, err)
	}
	got, err := s.Insights.Insight(t.Context(), user, i.ID)
	require.NoError(t, err)
	assert.NotNil(t, got.ReadAt, "a stranger's mark changed nothing")
}

func insightsOfInvoices(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	var insights []insight.Insight
	for _, p := range []insight.Priority{insight.PriorityLow, insight.PriorityCritical, insight.PriorityMedium, insight.PriorityHigh} {
		i := FilledInsight(t, user, id)
		i.Priority = p
		insights = append(insights, i)
	}
	s.replace(t, id, insights...)
	got, err := s.Insights.InsightsOf(t.Context(), user, []string{id})
	require.NoError(t, err)
	var order []insight.Priority
	for _, i := range got[id] {
		order = append(order, i.Priority)
	}
	assert.Equal(t, []insight.Priority{insight.PriorityCritical, insight.PriorityHigh, insight.PriorityMedium, insight.PriorityLow}, order)
}

// series stores insights with the priorities, one an hour.
func (s InsightStores) series(tb testing.TB, priorities ...insight.Priority) (userID string, ids []string) {
	tb.Helper()
	user, id := s.newInvoice(tb)
	var insights []insight.Insight
	for n, p := range priorities {
		i := FilledInsight(tb, user, id)
		i.Priority, i.CreatedAt = p, At(n/2) // two at a time: the id decides
		insights = append(insights, i)
		ids = append(ids, i.ID)
	}
	s.replace(tb, id, insights...)
	return user, ids
}

// walk reads a list page by page.
func (s InsightStores) walk(t *testing.T, q insight.ListQuery) (ids []string) {
	t.Helper()
	for {
		page, err := s.Insights.Insights(t.Context(), q)
		require.NoError(t, err)
		for _, i := range page.Insights {
			ids = append(ids, i.ID)
		}
		if !page.HasNext {
			require.Len(t, ids, page.Total)
			return ids
		}
		require.Len(t, page.Insights, q.First)
		last := page.Insights[len(page.Insights)-1]
		q.After = &insight.Cursor{Rank: last.Priority.Rank(), At: last.CreatedAt, ID: last.ID}
	}
}

func insightsByTime(t *testing.T, s InsightStores) {
	t.Helper()
	low := insight.PriorityLow
	user, ids := s.series(t, low, low, low, low, low)
	slices.Reverse(ids)
	for first := 1; first <= 6; first++ {
		assert.Equal(t, ids, s.walk(t, insight.ListQuery{UserID: user, First: first}))
	}
	page, err := s.Insights.Insights(t.Context(), insight.ListQuery{UserID: user})
	require.NoError(t, err)
	assert.Equal(t, insight.Page{Total: 5}, page, "the count alone")
}

func insightsByPriority(t *testing.T, s InsightStores) {
	t.Helper()
	user, ids := s.series(t, insight.PriorityHigh, insight.PriorityLow, insight.PriorityCritical, insight.PriorityHigh, insight.PriorityMedium, insight.PriorityHigh)
	want := []string{ids[2], ids[5], ids[3], ids[0], ids[4], ids[1]}
	for first := 1; first <= 7; first++ {
		assert.Equal(t, want, s.walk(t, insight.ListQuery{UserID: user, First: first, ByPriority: true}))
	}
}

func insightsFiltered(t *testing.T, s InsightStores) {
	t.Helper()
	user, a := s.newInvoice(t)
	b := s.invoiceOf(t, user)
	x, y := FilledInsight(t, user, a), FilledInsight(t, user, b)
	y.Kind, y.Priority, y.ReadAt, y.DismissedAt = insight.KindSummary, insight.PriorityLow, nil, nil
	y.Period, y.CreatedAt = insight.Period{From: "2026-10-31", To: "2026-10-31"}, At(9)
	s.replace(t, a, x)
	s.replace(t, b, y)
	for name, c := range map[string]struct {
		filter insight.Filter
		want   []string
	}{
		"nothing":                    {insight.Filter{}, []string{y.ID, x.ID}},
		"a kind":                     {insight.Filter{Kinds: []insight.Kind{insight.KindSummary, insight.KindBudgetHealth}}, []string{y.ID}},
		"a priority":                 {insight.Filter{Priorities: []insight.Priority{insight.PriorityHigh}}, []string{x.ID}},
		"read":                       {insight.Filter{Read: new(true)}, []string{x.ID}},
		"unread":                     {insight.Filter{Read: new(false)}, []string{y.ID}},
		"dismissed":                  {insight.Filter{Dismissed: new(true)}, []string{x.ID}},
		"not dismissed":              {insight.Filter{Dismissed: new(false)}, []string{y.ID}},
		"an invoice":                 {insight.Filter{InvoiceID: a}, []string{x.ID}},
		"what is no invoice":         {insight.Filter{InvoiceID: "x"}, nil},
		"a period before all":        {insight.Filter{Period: &insight.Period{From: "2026-01-01", To: "2026-10-30"}}, nil},
		"a period's last day":        {insight.Filter{Period: &insight.Period{From: "2026-01-01", To: "2026-10-31"}}, []string{y.ID}},
		"a period's first day":       {insight.Filter{Period: &insight.Period{From: "2026-11-30", To: "2026-12-31"}}, []string{x.ID}},
		"a period after all":         {insight.Filter{Period: &insight.Period{From: "2026-12-01", To: "2026-12-31"}}, nil},
		"a period within":            {insight.Filter{Period: &insight.Period{From: "2026-11-10", To: "2026-11-10"}}, []string{x.ID}},
		"all at once":                {insight.Filter{Kinds: []insight.Kind{x.Kind}, Read: new(true), Dismissed: new(true), InvoiceID: a}, []string{x.ID}},
		"what contradicts the other": {insight.Filter{Kinds: []insight.Kind{x.Kind}, InvoiceID: b}, nil},
	} {
		assert.Equal(t, c.want, s.walk(t, insight.ListQuery{UserID: user, First: 5, Filter: c.filter}), name)
	}
}

func badInsightCursor(t *testing.T, s InsightStores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	for _, c := range []insight.Cursor{{ID: "x"}, {ID: NewID(t), At: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		_, err := s.Insights.Insights(t.Context(), insight.ListQuery{UserID: user, First: 1, After: &c})
		assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
	}
}

func lastOfKinds(t *testing.T, s InsightStores) {
	t.Helper()
	user, a := s.newInvoice(t)
	b := s.invoiceOf(t, user)
	early, late, other := FilledInsight(t, user, a), FilledInsight(t, user, b), FilledInsight(t, user, a)
	early.CreatedAt, late.CreatedAt = At(9), At(1) // when it was said does not matter
	early.Period.To, late.Period.To, other.Kind, other.Period.To = "2026-11-10", "2026-11-20", insight.KindSummary, "2026-11-30"
	s.replace(t, a, early, other)
	s.replace(t, b, late)
	for _, c := range []struct {
		except   string
		from, to insight.Day
		want     map[insight.Kind]insight.Day
	}{
		{"", "2026-11-10", "2026-11-30", map[insight.Kind]insight.Day{insight.KindPriceAlert: "2026-11-20", insight.KindSummary: "2026-11-30"}},
		{"", "2026-11-10", "2026-11-29", map[insight.Kind]insight.Day{insight.KindPriceAlert: "2026-11-20"}},
		{"", "2026-11-10", "2026-11-19", map[insight.Kind]insight.Day{insight.KindPriceAlert: "2026-11-10"}},
		{"", "2026-11-11", "2026-11-19", map[insight.Kind]insight.Day{}},
		{a, "2026-11-01", "2026-12-31", map[insight.Kind]insight.Day{insight.KindPriceAlert: "2026-11-20"}},
		{b, "2026-11-01", "2026-12-31", map[insight.Kind]insight.Day{insight.KindPriceAlert: "2026-11-10", insight.KindSummary: "2026-11-30"}},
	} {
		period := insight.Period{From: c.from, To: c.to}
		got, err := s.Insights.LastOfKinds(t.Context(), user, c.except, period)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
		require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) (err error) {
			got, err = s.Insights.LockedLastOfKinds(ctx, tx.SQL(), user, c.except, period)
			return err
		}))
		assert.Equal(t, c.want, got)
	}
}

// Of many that look and then speak at the same time, one finds that nobody spoke.
func lastOfKindsLocked(t *testing.T, s InsightStores) {
	t.Helper()
	const many = 6
	user := NewUser(t, s.Accounts)
	var invoices, silent [many]string
	for n := range many {
		invoices[n] = s.invoiceOf(t, user)
	}
	for _, err := range parallel(many, func(n int) error {
		return s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			last, err := s.Insights.LockedLastOfKinds(ctx, tx.SQL(), user, invoices[n], insight.Period{From: "2026-11-01", To: "2026-11-30"})
			if err != nil || len(last) > 0 {
				return err
			}
			silent[n] = "nobody had spoken"
			return s.Insights.ReplaceInsights(ctx, tx.SQL(), invoices[n], []insight.Insight{FilledInsight(t, user, invoices[n])})
		})
	}) {
		require.NoError(t, err)
	}
	assert.Len(t, slices.DeleteFunc(silent[:], func(s string) bool { return s == "" }), 1)
}

func purchaseLines(t *testing.T, s InsightStores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	inv := FilledInvoice(t, user, 3)
	require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	milk := schema.Product{
		ID: NewID(t), UserID: user, Key: "gtin:7891000100103", GTIN: "7891000100103", Name: "Leite 1 L", Brand: "Italac", Size: "1.5", Measure: "L",
		Category: "dairy", FoodGroup: "DAIRY", Essential: true, Child: true, Produce: "none", Taught: true, SearchText: "leite",
		CreatedAt: At(1), UpdatedAt: At(2),
	}
	bag := schema.Product{ID: NewID(t), UserID: user, Key: "label:sacola", Name: "Sacola", Measure: "UN", Category: "other", CreatedAt: At(1), UpdatedAt: At(1)}
	s.Insert(t, &milk)
	s.Insert(t, &bag)
	s.Insert(t, &schema.Purchase{
		InvoiceID: inv.ID, UserID: user, BoughtOn: "2026-11-23", BoughtAt: At(1), Merchant: "11222333000181", MerchantName: "Ávila",
		MerchantCategory: "supermarket", TotalCentavos: 5000, ItemCount: 3,
	})
	for n, p := range []schema.Product{milk, bag, milk} {
		line := schema.PurchaseLine{
			ItemID: inv.Items[2-n].ID, InvoiceID: inv.ID, UserID: user, ProductID: p.ID, BoughtOn: "2026-11-23", Merchant: "11222333000181",
			QuantityMicro: int64(n+1) * 1_000_000, PaidCentavos: int64(n + 1), PriceMicro: new(int64(5_990_000)),
			MeasurePriceMicro: new(int64(3_993_333)),
		}
		if n == 1 {
			line.PriceMicro, line.MeasurePriceMicro = nil, nil
		}
		s.Insert(t, &line)
	}
	got, err := s.Insights.Lines(t.Context(), user, inv.ID)
	require.NoError(t, err)
	wantMilk := product.Product{
		ID: milk.ID, UserID: user, Key: milk.Key, GTIN: milk.GTIN, Name: milk.Name, Brand: milk.Brand, Size: decimal.RequireFromString("1.5"),
		Measure: product.MeasureLitre,
		Class:   product.Class{Category: "dairy", Group: product.GroupDairy, Essential: true, Child: true, Produce: "none"},
		Taught:  true, CreatedAt: At(1).UTC(), UpdatedAt: At(2).UTC(),
	}
	wantBag := product.Product{
		ID: bag.ID, UserID: user, Key: bag.Key, Name: bag.Name, Measure: product.MeasureUnit, Class: product.Class{Category: "other"},
		CreatedAt: At(1).UTC(), UpdatedAt: At(1).UTC(),
	}
	assert.Equal(t, insight.Subject{
		UserID: user, InvoiceID: inv.ID, Today: "2026-11-23", Total: 5000,
		Merchant: insight.Merchant{Key: "11222333000181", Name: "Ávila", Category: "supermarket"},
		Lines: []insight.Line{
			{
				ItemID: inv.Items[0].ID, Product: wantMilk, QuantityMicro: 3_000_000, PriceMicro: new(int64(5_990_000)),
				MeasurePriceMicro: new(int64(3_993_333)), Paid: fiscal.Money(3),
			},
			{ItemID: inv.Items[1].ID, Product: wantBag, QuantityMicro: 2_000_000, Paid: fiscal.Money(2)},
			{
				ItemID: inv.Items[2].ID, Product: wantMilk, QuantityMicro: 1_000_000, PriceMicro: new(int64(5_990_000)),
				MeasurePriceMicro: new(int64(3_993_333)), Paid: fiscal.Money(1),
			},
		},
	}, got)
}

func purchaseOfOthers(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	_, err := s.Insights.Lines(t.Context(), user, id)
	requireNotFound(t, err) // the ledger does not have it
	s.Insert(t, &schema.Purchase{InvoiceID: id, UserID: user, BoughtOn: "2026-11-23", BoughtAt: At(1)})
	got, err := s.Insights.Lines(t.Context(), user, id)
	require.NoError(t, err)
	assert.Empty(t, got.Lines)
	for _, stranger := range []string{NewUser(t, s.Accounts), NewID(t), "", "x"} {
		_, err := s.Insights.Lines(t.Context(), stranger, id)
		requireNotFound(t, err)
	}
}

func insightsOfDeleted(t *testing.T, s InsightStores) {
	t.Helper()
	user, id := s.newInvoice(t)
	s.save(t, FilledAnalysis(t, user, id))
	i := FilledInsight(t, user, id)
	s.replace(t, id, i)
	require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Delete(ctx, id) }))
	assert.Nil(t, s.locked(t, id))
	_, err := s.Insights.Insight(t.Context(), user, i.ID)
	requireNotFound(t, err)
	// Whoever was still at it learns that the invoice is gone.
	requireNotFound(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		return s.Insights.SaveAnalysis(ctx, tx.SQL(), FilledAnalysis(t, user, id))
	}))
	requireNotFound(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		return s.Insights.ReplaceInsights(ctx, tx.SQL(), id, []insight.Insight{i})
	}))
}
