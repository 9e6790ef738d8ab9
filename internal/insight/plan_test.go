package insight_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestACompletedInvoiceIsPlannedWithItsJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.completed(t, 5000)
	assert.True(t, b.plan(t, id), "R$ 50,00 is enough")
	assert.Equal(t, &insight.Analysis{
		InvoiceID: id, UserID: b.user, Status: insight.AnalysisQueued, ItemsVersion: 1, JobID: 1, RequestedAt: b.now,
	}, b.analysis(t, id))
	assert.Equal(t, []string{id}, b.queue.jobs)
	assert.Empty(t, b.events(t, id), "the event is the planner's")
}

func TestEachConditionSaysThatItFailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		premium bool
		due     fiscal.Money
		want    insight.SkipReason
	}{
		"the free plan":                {false, 5000, insight.SkipNotPremium},
		"a cent too little":            {true, 4999, insight.SkipBelowMinimum},
		"the free plan is named first": {false, 4999, insight.SkipNotPremium},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.people.premium = c.premium
			id := b.completed(t, c.due)
			assert.False(t, b.plan(t, id))
			want := &insight.Analysis{
				InvoiceID: id, UserID: b.user, Status: insight.AnalysisSkipped, SkipReason: c.want, ItemsVersion: 1,
				RequestedAt: b.now, FinishedAt: &b.now,
			}
			assert.Equal(t, want, b.analysis(t, id))
			got, err := b.Request(t.Context(), b.user, id)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Empty(t, b.queue.jobs)
			assert.Empty(t, b.events(t, id))
		})
	}
}

// A total that could not be read is what the lines come to: 30,00 less 0,01, and 20,01, but not the line beside the total.
func TestWithoutATotalTheLinesCount(t *testing.T) {
	t.Parallel()
	for last, want := range map[fiscal.Money]bool{2001: true, 2000: false} {
		b := setup(t)
		inv := &invoice.Invoice{ID: newID(), UserID: b.user, Status: invoice.StatusCompleted, CreatedAt: b.now, UpdatedAt: b.now}
		inv.Items = []invoice.Item{{ID: newID(), Total: 3000, Discount: 1}, {ID: newID(), Total: last}, {ID: newID(), Total: 9000, NotInTotal: true}}
		b.insert(t, inv, "2026-11-20")
		assert.Equal(t, want, b.plan(t, inv.ID), last)
	}
}

func TestUnchangedItemsAreNotAnalysedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, finds(insight.KindSummary, ""))
	id := b.completed(t, 5000)
	require.True(t, b.plan(t, id))
	assert.False(t, b.plan(t, id), "it is on its way")
	require.NoError(t, b.Analyze(t.Context(), id, false))
	done := b.analysis(t, id)
	assert.Equal(t, insight.AnalysisCompleted, done.Status)
	assert.False(t, b.plan(t, id))
	got, err := b.Request(t.Context(), b.user, id)
	require.NoError(t, err)
	assert.Equal(t, insight.AnalysisSkipped, got.Status)
	assert.Equal(t, insight.SkipAlreadyCurrent, got.SkipReason)
	assert.Equal(t, done, b.analysis(t, id), "the record of what was done stays")
	b.people.premium = false
	got, err = b.Request(t.Context(), b.user, id)
	require.NoError(t, err)
	assert.Equal(t, insight.SkipNotPremium, got.SkipReason)
	assert.Equal(t, done, b.analysis(t, id), "and is not forgotten for another reason either")
	b.people.premium = true
	assert.False(t, b.plan(t, id))
	assert.Len(t, b.queue.jobs, 1)
}

func TestChangedItemsAreAnalysedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, finds(insight.KindSummary, ""))
	id := b.completed(t, 5000)
	first := b.analyzed(t, id)
	b.change(t, id, func(inv *invoice.Invoice) { inv.ItemsVersion++ })
	second := b.analyzed(t, id)
	require.Len(t, second, 1)
	assert.NotEqual(t, first[0].ID, second[0].ID)
	assert.Equal(t, 2, b.analysis(t, id).ItemsVersion)
	assert.Len(t, b.written, 2)
}

func TestAFailedAnalysisCanBeAskedForAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, finds(insight.KindSummary, ""))
	id := b.completed(t, 5000)
	require.True(t, b.plan(t, id))
	b.write = refuse(&invoice.ExtractionError{Code: invoice.CodeUnavailable, Permanent: true})
	require.NoError(t, b.Analyze(t.Context(), id, false))
	b.write = wordsFor
	got, err := b.Request(t.Context(), b.user, id)
	require.NoError(t, err)
	assert.Equal(t, insight.AnalysisQueued, got.Status)
	require.NoError(t, b.Analyze(t.Context(), id, false))
	assert.Len(t, b.found(t, id), 1)
	assert.Equal(t, []invoice.Stage{
		invoice.StageAnalyzing, invoice.StageAnalysisFailed, invoice.StageAnalyzing, invoice.StageAnalyzing, invoice.StageAnalyzed,
	}, b.stages(t, id))
}

func TestARequestIsAnEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.completed(t, 5000)
	got, err := b.Request(t.Context(), b.user, id)
	require.NoError(t, err)
	assert.Equal(t, got, b.analysis(t, id))
	assert.Equal(t, []invoice.Event{{
		InvoiceID: id, UserID: b.user, Seq: 1, Stage: invoice.StageAnalyzing, Status: invoice.StatusCompleted, Percent: 100,
		Message: "Na fila para análise.", At: b.now,
	}}, b.events(t, id))
}

func TestOnlyACompletedInvoiceOfOnesOwnIsAnalysed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.completed(t, 5000)
	for _, stranger := range []string{newUser(t, b.db), newID()} {
		_, err := b.Request(t.Context(), stranger, id)
		assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	}
	_, err := b.Request(t.Context(), b.user, newID())
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	for _, status := range []invoice.Status{
		invoice.StatusQueued, invoice.StatusProcessing, invoice.StatusNeedsReview, invoice.StatusFailed, invoice.StatusCancelled,
	} {
		b.change(t, id, func(inv *invoice.Invoice) { inv.Status = status })
		_, err := b.Request(t.Context(), b.user, id)
		assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err), status)
	}
	assert.Empty(t, b.queue.jobs)
	assert.Nil(t, b.analysis(t, id))
}

func TestAPlanThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.completed(t, 5000)
	b.queue.refuse = errAway
	_, err := b.Request(t.Context(), b.user, id)
	require.ErrorIs(t, err, errAway)
	b.people.err = context.DeadlineExceeded
	_, err = b.Request(t.Context(), b.user, id)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Nil(t, b.analysis(t, id))
	assert.Empty(t, b.events(t, id))
}

func TestInsightsAreTheirUsersAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, finds(insight.KindSummary, ""))
	id := b.completed(t, 5000)
	i := b.analyzed(t, id)[0]
	stranger := newUser(t, b.db)
	_, err := b.Insight(t.Context(), stranger, i.ID)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	_, err = b.Mark(t.Context(), stranger, i.ID, insight.MarkRead, true)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	page, err := b.List(t.Context(), insight.ListQuery{UserID: stranger, First: 1})
	require.NoError(t, err)
	assert.Zero(t, page)
	page, err = b.List(t.Context(), insight.ListQuery{UserID: b.user, First: 1})
	require.NoError(t, err)
	assert.Equal(t, insight.Page{Insights: []*insight.Insight{i}, Total: 1}, page)
}

func TestMarksAreSetAndTakenBack(t *testing.T) {
	t.Parallel()
	b := setup(t, finds(insight.KindSummary, ""))
	i := b.analyzed(t, b.completed(t, 5000))[0]
	got, err := b.Mark(t.Context(), b.user, i.ID, insight.MarkActedUpon, true)
	require.NoError(t, err)
	assert.Equal(t, &b.now, got.ActedUponAt)
	got, err = b.Mark(t.Context(), b.user, i.ID, insight.MarkActedUpon, false)
	require.NoError(t, err)
	assert.Equal(t, i, got)
	_, err = b.Mark(t.Context(), b.user, i.ID, "EATEN", true)
	assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
}
