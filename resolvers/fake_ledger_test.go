package resolvers_test

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/resolvers"
)

var (
	_ resolvers.Products = fakeProducts{}
	_ resolvers.Spending = fakeSpending{}
	_ resolvers.Insights = fakeInsights{}
)

// What a seed holds of the ledger; each row says whose it is.
type (
	seedRevision struct {
		invoice.Revision

		UserID, InvoiceID string
	}
	seedGroup struct {
		spending.GroupTotal

		UserID string
		By     spending.Group
	}
	seedPrice struct {
		spending.PricePoint

		UserID, ProductID string
	}
	seedPurchase struct {
		spending.Purchase

		UserID string
	}
)

func (f *fake) count(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[call]++
}

// Correct knows the name of the shop, and keeps what it was given.
func (f fakeInvoices) Correct(ctx context.Context, userID string, c invoice.Correction) (*invoice.Invoice, error) {
	inv, err := f.Invoice(ctx, userID, c.InvoiceID)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.corrections = append(f.corrections, c)
	switch {
	case inv.Version != c.ExpectedVersion:
		return nil, &invoice.Error{Code: invoice.CodeConflict, Field: "expectedVersion", Message: "A nota mudou. Veja como ficou e tente de novo."}
	case c.IssuerName.Set && c.IssuerName.Value != nil && *c.IssuerName.Value == "":
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "issuerName", Message: "O nome da loja está vazio."}
	}
	f.seed.Revisions = append(f.seed.Revisions, seedRevision{
		UserID: userID, InvoiceID: inv.ID,
		Revision: invoice.Revision{Version: inv.Version, Source: inv.Source, Draft: inv.Draft, ChangedAt: f.now},
	})
	changed := *inv
	changed.Version++
	changed.Source = invoice.SourceManual
	if c.IssuerName.Value != nil {
		changed.Issuer.Name = *c.IssuerName.Value
	}
	f.seed.Invoices[slices.Index(f.seed.Invoices, inv)] = &changed
	return &changed, nil
}

func (f fakeInvoices) Confirm(ctx context.Context, userID, id string, expectedVersion int) (*invoice.Invoice, error) {
	inv, err := f.Invoice(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	if inv.Version != expectedVersion || inv.Status != invoice.StatusNeedsReview {
		return nil, &invoice.Error{Code: invoice.CodeConflict, Message: "Esta nota não pode ser confirmada agora."}
	}
	changed := *inv
	changed.Status, changed.Version, changed.ConfirmedAt = invoice.StatusCompleted, inv.Version+1, &f.now
	return &changed, nil
}

func (f fakeInvoices) Revisions(_ context.Context, userID string, ids []string) (map[string][]invoice.Revision, error) {
	f.count("Revisions")
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[string][]invoice.Revision{}
	for _, r := range f.seed.Revisions {
		if r.UserID == userID && slices.Contains(ids, r.InvoiceID) {
			found[r.InvoiceID] = append(found[r.InvoiceID], r.Revision)
		}
	}
	return found, nil
}

func (f fakeInvoices) InvoicesByID(_ context.Context, userID string, ids []string) (map[string]*invoice.Invoice, error) {
	f.count("InvoicesByID")
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[string]*invoice.Invoice{}
	for _, inv := range f.seed.Invoices {
		if inv.UserID == userID && slices.Contains(ids, inv.ID) {
			found[inv.ID] = inv
		}
	}
	return found, nil
}

func (f fakeInvoices) ItemsByID(_ context.Context, userID string, ids []string) (map[string]invoice.Item, error) {
	f.count("ItemsByID")
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[string]invoice.Item{}
	for _, inv := range f.seed.Invoices {
		for _, item := range inv.Items {
			if inv.UserID == userID && slices.Contains(ids, item.ID) {
				found[item.ID] = item
			}
		}
	}
	return found, nil
}

type fakeProducts struct{ *fake }

// List knows Search, in the name alone, After and First, in the order of the seed.
func (f fakeProducts) List(_ context.Context, q product.ListQuery) (product.Page, error) {
	var all []*product.Product
	for _, p := range f.seed.Products {
		if p.UserID == q.UserID && strings.Contains(strings.ToLower(p.Name), strings.ToLower(q.Search)) {
			all = append(all, p)
		}
	}
	start := 0
	if q.After != nil {
		start = 1 + slices.IndexFunc(all, func(p *product.Product) bool { return p.ID == q.After.ID && p.Name == q.After.Name })
	}
	rest := all[start:]
	n := min(q.First, len(rest))
	return product.Page{Products: rest[:n], HasNext: n < len(rest), Total: len(all)}, nil
}

func (f fakeProducts) Products(_ context.Context, userID string, ids []string) (map[string]*product.Product, error) {
	f.count("Products")
	if slices.Contains(ids, brokenProduct) {
		return nil, errors.New("dial tcp 10.0.0.7:5432: connection refused")
	}
	found := map[string]*product.Product{}
	for _, p := range f.seed.Products {
		if p.UserID == userID && slices.Contains(ids, p.ID) {
			found[p.ID] = p
		}
	}
	return found, nil
}

func (fakeProducts) Categories() []product.Category {
	return []product.Category{
		{ID: "produce", Name: "Hortifruti", Group: product.GroupFruits, Essential: true},
		{ID: "dairy", Name: "Laticínios", Group: product.GroupDairy, Essential: true},
		{ID: "cleaning", Name: "Limpeza"},
	}
}

func (f fakeProducts) Category(id string) product.Category {
	for _, c := range f.Categories() {
		if c.ID == id {
			return c
		}
	}
	return product.Category{ID: "other", Name: "Outros"}
}

type fakeSpending struct{ *fake }

func badPeriod(p *spending.Period) error {
	if p != nil && p.To < p.From {
		return &invoice.Error{Code: invoice.CodeBadUserInput, Field: "period", Message: "O período deve começar antes de terminar."}
	}
	return nil
}

// Report has the seed's groups, whatever the period.
func (f fakeSpending) Report(_ context.Context, userID string, period spending.Period, by spending.Group) (*spending.Report, error) {
	if err := badPeriod(&period); err != nil {
		return nil, err
	}
	report := &spending.Report{
		Period: period, Previous: spending.Period{From: "2026-10-01", To: "2026-10-31"}, Total: 2084, PreviousTotal: 1500, Purchases: 1,
		Unassigned: -100,
	}
	for _, g := range f.seed.Groups {
		if g.UserID == userID && g.By == by {
			report.Groups = append(report.Groups, g.GroupTotal)
		}
	}
	return report, nil
}

func (f fakeSpending) History(
	ctx context.Context, userID, productID string, period *spending.Period,
) ([]spending.PricePoint, error) {
	if err := f.has(ctx, userID, productID); err != nil {
		return nil, err
	}
	var points []spending.PricePoint
	for _, p := range f.seed.Prices {
		if p.UserID == userID && p.ProductID == productID && (period == nil || p.On >= period.From && p.On <= period.To) {
			points = append(points, p.PricePoint)
		}
	}
	return points, badPeriod(period)
}

func (f fakeSpending) has(_ context.Context, userID, productID string) error {
	for _, p := range f.seed.Products {
		if p.UserID == userID && p.ID == productID {
			return nil
		}
	}
	return &invoice.Error{Code: invoice.CodeNotFound, Message: "Produto não encontrado."}
}

// Basket has an offer of each shop of the seed's prices.
func (f fakeSpending) Basket(ctx context.Context, userID string, lines []spending.BasketLine) ([]spending.BasketOffer, error) {
	if len(lines) == 0 {
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "lines", Message: "A lista deve ter de 1 a 100 produtos."}
	}
	offers := map[string]*spending.BasketOffer{}
	for _, line := range lines {
		if f.has(ctx, userID, line.ProductID) != nil {
			return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "lines", Message: "Um dos produtos da lista não foi encontrado."}
		}
		for _, p := range f.seed.Prices {
			if p.UserID == userID && offers[p.MerchantKey] == nil {
				offers[p.MerchantKey] = &spending.BasketOffer{MerchantKey: p.MerchantKey, MerchantName: p.MerchantName}
			}
		}
		for key, offer := range offers {
			f.offer(key, offer, line)
		}
	}
	var list []spending.BasketOffer
	for _, offer := range offers {
		list = append(list, *offer)
	}
	slices.SortFunc(list, func(a, b spending.BasketOffer) int { return strings.Compare(a.MerchantKey, b.MerchantKey) })
	return list, nil
}

func (f fakeSpending) offer(merchant string, offer *spending.BasketOffer, line spending.BasketLine) {
	for _, p := range f.seed.Prices {
		if p.MerchantKey == merchant && p.ProductID == line.ProductID && p.Price != nil {
			total, _ := fiscal.LineTotal(line.Quantity, *p.Price)
			offer.Found = append(offer.Found, spending.BasketPrice{ProductID: line.ProductID, Price: *p.Price, Total: total, On: p.On})
			offer.Total = offer.Total.Add(total)
			offer.Complete = len(offer.Missing) == 0
			return
		}
	}
	offer.Missing, offer.Complete = append(offer.Missing, line.ProductID), false
}

func (f fakeSpending) Export(_ context.Context, userID string, period *spending.Period) ([]spending.Purchase, error) {
	var list []spending.Purchase
	for _, p := range f.seed.Purchases {
		if p.UserID == userID {
			list = append(list, p.Purchase)
		}
	}
	return list, badPeriod(period)
}

type fakeInsights struct{ *fake }

// List knows Kinds, InvoiceID, Read, Period, After and First, in the order of the seed.
func (f fakeInsights) List(_ context.Context, q insight.ListQuery) (insight.Page, error) {
	f.mu.Lock()
	f.queries = append(f.queries, q)
	f.mu.Unlock()
	var all []*insight.Insight
	for _, i := range f.seed.Insights {
		if i.UserID == q.UserID && matches(i, q.Filter) {
			all = append(all, i)
		}
	}
	if q.ByPriority {
		slices.SortStableFunc(all, func(a, b *insight.Insight) int { return b.Priority.Rank() - a.Priority.Rank() })
	}
	start := 0
	if q.After != nil {
		start = 1 + slices.IndexFunc(all, func(i *insight.Insight) bool { return i.ID == q.After.ID })
	}
	rest := all[start:]
	n := min(q.First, len(rest))
	return insight.Page{Insights: rest[:n], HasNext: n < len(rest), Total: len(all)}, nil
}

func matches(i *insight.Insight, f insight.Filter) bool {
	switch {
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, i.Kind), f.InvoiceID != "" && i.InvoiceID != f.InvoiceID,
		f.Read != nil && *f.Read != (i.ReadAt != nil), f.Period != nil && (i.Period.To < f.Period.From || i.Period.From > f.Period.To):
		return false
	}
	return true
}

func (f fakeInsights) Insight(_ context.Context, userID, id string) (*insight.Insight, error) {
	for _, i := range f.seed.Insights {
		if i.UserID == userID && i.ID == id {
			return i, nil
		}
	}
	return nil, invoice.NotFound("Análise")
}

func (f fakeInsights) Mark(ctx context.Context, userID, id string, mark insight.Mark, set bool) (*insight.Insight, error) {
	found, err := f.Insight(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	changed, at := *found, &f.now
	if !set {
		at = nil
	}
	switch mark {
	case insight.MarkRead:
		changed.ReadAt = at
	case insight.MarkActedUpon:
		changed.ActedUponAt = at
	case insight.MarkDismissed:
		changed.DismissedAt = at
	}
	return &changed, nil
}

// Request says that what has a completed analysis is current.
func (f fakeInsights) Request(ctx context.Context, userID, invoiceID string) (*insight.Analysis, error) {
	inv, err := fakeInvoices(f).Invoice(ctx, userID, invoiceID)
	if err != nil {
		return nil, err
	}
	if inv.Status != invoice.StatusCompleted {
		return nil, &invoice.Error{Code: invoice.CodeConflict, Message: "Só dá para analisar uma nota já lida e conferida."}
	}
	a := &insight.Analysis{InvoiceID: invoiceID, UserID: userID, Status: insight.AnalysisQueued, RequestedAt: f.now}
	for _, stored := range f.seed.Analyses {
		if stored.InvoiceID == invoiceID && stored.Status == insight.AnalysisCompleted {
			a.Status, a.SkipReason = insight.AnalysisSkipped, insight.SkipAlreadyCurrent
		}
	}
	return a, nil
}

func (f fakeInsights) InsightsOf(_ context.Context, userID string, invoiceIDs []string) (map[string][]*insight.Insight, error) {
	f.count("InsightsOf")
	found := map[string][]*insight.Insight{}
	for _, i := range f.seed.Insights {
		if i.UserID == userID && slices.Contains(invoiceIDs, i.InvoiceID) {
			found[i.InvoiceID] = append(found[i.InvoiceID], i)
		}
	}
	return found, nil
}

func (f fakeInsights) Analyses(_ context.Context, userID string, invoiceIDs []string) (map[string]*insight.Analysis, error) {
	f.count("Analyses")
	found := map[string]*insight.Analysis{}
	for _, a := range f.seed.Analyses {
		if a.UserID == userID && slices.Contains(invoiceIDs, a.InvoiceID) {
			found[a.InvoiceID] = a
		}
	}
	return found, nil
}
