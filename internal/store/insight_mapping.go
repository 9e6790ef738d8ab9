package store

import (
	"encoding/json"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/schema"
)

func toAnalysisRow(a insight.Analysis) (schema.Analysis, error) {
	user, ids, ok := owned(a.UserID, []string{a.InvoiceID})
	if !ok {
		return schema.Analysis{}, fmt.Errorf("%q or %q is no id", a.UserID, a.InvoiceID)
	}
	gaps := a.Gaps
	if gaps == nil {
		gaps = []insight.Gap{} // the column is never null
	}
	encoded, err := json.Marshal(gaps)
	if err != nil {
		return schema.Analysis{}, fmt.Errorf("encode gaps: %w", err)
	}
	return schema.Analysis{
		InvoiceID:    ids[0],
		UserID:       user,
		Status:       string(a.Status),
		SkipReason:   clean(string(a.SkipReason)),
		FailureCode:  clean(a.FailureCode),
		ItemsVersion: a.ItemsVersion,
		JobID:        a.JobID,
		Provider:     clean(a.Provider),
		Model:        clean(a.Model),
		Gaps:         encoded,
		RequestedAt:  micros(a.RequestedAt),
		FinishedAt:   microsOf(a.FinishedAt),
	}, nil
}

func fromAnalysisRow(r *schema.Analysis) (*insight.Analysis, error) {
	var gaps []insight.Gap
	if err := json.Unmarshal(r.Gaps, &gaps); err != nil {
		return nil, fmt.Errorf("decode gaps of %s: %w", r.InvoiceID, err)
	}
	if len(gaps) == 0 {
		gaps = nil
	}
	return &insight.Analysis{
		InvoiceID:    r.InvoiceID,
		UserID:       r.UserID,
		Status:       insight.AnalysisStatus(r.Status),
		SkipReason:   insight.SkipReason(r.SkipReason),
		FailureCode:  r.FailureCode,
		ItemsVersion: r.ItemsVersion,
		JobID:        r.JobID,
		Provider:     r.Provider,
		Model:        r.Model,
		Gaps:         gaps,
		RequestedAt:  micros(r.RequestedAt),
		FinishedAt:   microsOf(r.FinishedAt),
	}, nil
}

// toInsightRow makes an id that is missing. It fails on ids that are none.
func toInsightRow(i *insight.Insight) (schema.Insight, error) {
	user, ids, ok := owned(i.UserID, []string{i.InvoiceID})
	if !ok {
		return schema.Insight{}, fmt.Errorf("%q or %q is no id", i.UserID, i.InvoiceID)
	}
	row := schema.Insight{
		ID:           i.ID,
		UserID:       user,
		InvoiceID:    ids[0],
		Kind:         clean(string(i.Kind)),
		Subject:      clean(i.Subject),
		Priority:     string(i.Priority),
		PriorityRank: i.Priority.Rank(),
		Title:        clean(i.Title),
		Description:  clean(i.Text),
		Details:      i.Details,
		PeriodFrom:   clean(string(i.Period.From)),
		PeriodTo:     clean(string(i.Period.To)),
		Categories:   cleanAll(i.Categories),
		Merchants:    cleanAll(i.Merchants),
		ItemIDs:      cleanAll(i.ItemIDs),
		Provider:     clean(i.Provider),
		Model:        clean(i.Model),
		ReadAt:       microsOf(i.ReadAt),
		ActedUponAt:  microsOf(i.ActedUponAt),
		DismissedAt:  microsOf(i.DismissedAt),
		CreatedAt:    micros(i.CreatedAt),
	}
	return row, ownID(&row.ID)
}

// fromInsightRow gives empty lists as nil.
func fromInsightRow(r *schema.Insight) *insight.Insight {
	return &insight.Insight{
		ID:          r.ID,
		UserID:      r.UserID,
		InvoiceID:   r.InvoiceID,
		Kind:        insight.Kind(r.Kind),
		Subject:     r.Subject,
		Priority:    insight.Priority(r.Priority),
		Title:       r.Title,
		Text:        r.Description,
		Details:     r.Details,
		Period:      insight.Period{From: insight.Day(r.PeriodFrom), To: insight.Day(r.PeriodTo)},
		Categories:  someOf(r.Categories),
		Merchants:   someOf(r.Merchants),
		ItemIDs:     someOf(r.ItemIDs),
		Provider:    r.Provider,
		Model:       r.Model,
		ReadAt:      microsOf(r.ReadAt),
		ActedUponAt: microsOf(r.ActedUponAt),
		DismissedAt: microsOf(r.DismissedAt),
		CreatedAt:   micros(r.CreatedAt),
	}
}

// cleanAll is never nil: the columns are not null.
func cleanAll(texts []string) []string {
	cleaned := make([]string, 0, len(texts))
	for _, t := range texts {
		cleaned = append(cleaned, clean(t))
	}
	return cleaned
}

func someOf(texts []string) []string {
	if len(texts) == 0 {
		return nil
	}
	return texts
}
