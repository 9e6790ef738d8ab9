package store_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

var _ insight.MonthFigures = (*store.Figures)(nil)

func paidInAll(purchases []schema.Purchase) insight.Paid {
	var sum insight.Paid
	for _, p := range purchases {
		sum.Purchases++
		sum.Total += fiscal.Money(p.TotalCentavos)
	}
	return sum
}

// evidence is the lines that a statement should name.
func (l *monthLedger) evidence(lines []schema.PurchaseLine) []insight.EvidenceLine {
	lines = slices.Clone(lines)
	slices.SortFunc(lines, func(a, b schema.PurchaseLine) int {
		return cmp.Or(cmp.Compare(b.PaidCentavos, a.PaidCentavos), cmp.Compare(a.ItemID, b.ItemID))
	})
	found := []insight.EvidenceLine{}
	for _, line := range lines[:min(len(lines), insight.EvidenceLimit)] {
		shop := slices.IndexFunc(l.Purchases, func(p schema.Purchase) bool { return p.InvoiceID == line.InvoiceID })
		found = append(found, insight.EvidenceLine{
			ItemID: line.ItemID, Category: l.product(line.ProductID).Category, Merchant: l.Purchases[shop].MerchantName,
		})
	}
	return found
}

// monthHistory is a ledger in a database, with the figures of its first user.
type monthHistory struct {
	monthLedger
	user    string
	figures *store.Figures
}

func newMonths(t *testing.T, open func(testing.TB) *store.DB) *monthHistory {
	t.Helper()
	db := open(t)
	accounts := store.NewAccounts(db)
	m := &monthHistory{user: storetest.NewUser(t, accounts), figures: store.NewFigures(db)}
	m.history(rand.New(rand.NewPCG(14, 11)), m.user, storetest.NewUser(t, accounts))
	m.write(t, db)
	return m
}

func TestMonthFigures(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMonths(t, open)
			t.Run("spending is that of each period", m.testSpending)
			t.Run("visits are those of the period", m.testVisits)
			t.Run("recurring products are those of three days", m.testRecurring)
			t.Run("insights count by the day of their purchase", m.testFound)
			t.Run("food is what has a group", m.testFood)
			t.Run("nothing is found of nobody", m.testNobody)
		})
	}
}

func (m *monthHistory) testSpending(t *testing.T) {
	t.Parallel()
	periods := []insight.Period{
		{From: "2026-11-01", To: "2026-11-23"},
		{From: "2026-10-01", To: "2026-10-31"},
		{From: "2026-09-01", To: "2026-09-30"},
		{From: "2026-08-01", To: "2026-08-31"},
		{From: "2025-01-01", To: "2025-01-31"},
		{From: "2026-10-20", To: "2026-11-05"}, // across the others
	}
	got, err := m.figures.Spending(t.Context(), m.user, periods...)
	require.NoError(t, err)
	want := insight.Spending{First: "9999-12-31"}
	for _, p := range periods {
		purchases, _ := m.in(m.user, p)
		want.Periods = append(want.Periods, paidInAll(purchases))
	}
	all, _ := m.in(m.user, insight.Period{From: "2000-01-01", To: "2100-01-01"})
	for _, p := range all {
		want.First = min(want.First, insight.Day(p.BoughtOn))
	}
	_, lines := m.in(m.user, periods[0])
	want.Evidence = m.evidence(lines)
	assert.Equal(t, want, got)
	assert.Positive(t, want.Periods[1].Purchases)
	assert.Zero(t, want.Periods[4].Purchases)
	assert.Greater(t, len(lines), insight.EvidenceLimit, "so that the limit is seen")
	assert.Len(t, got.Evidence, insight.EvidenceLimit)
}

func (m *monthHistory) testVisits(t *testing.T) {
	t.Parallel()
	p := insight.Period{From: "2026-11-01", To: "2026-11-20"}
	purchases, lines := m.in(m.user, p)
	small := fiscal.Money(purchases[0].TotalCentavos) // equal is not below
	want := insight.Visits{Paid: paidInAll(purchases), Evidence: m.evidence(lines)}
	shops := map[string]bool{}
	for _, row := range purchases {
		shops[row.Merchant] = true
		if row.TotalCentavos < small.Centavos() {
			want.Small++
		}
	}
	want.Merchants = int64(len(shops))
	got, err := m.figures.Visits(t.Context(), m.user, p, small)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Less(t, want.Merchants, want.Purchases)
}

func (m *monthHistory) testRecurring(t *testing.T) {
	t.Parallel()
	p := insight.Period{From: "2026-09-25", To: "2026-11-23"}
	_, lines := m.in(m.user, p)
	got, err := m.figures.Recurring(t.Context(), m.user, p)
	require.NoError(t, err)
	want := m.recurring(lines)
	assert.Equal(t, want, got)
	assert.NotEmpty(t, want)
	assert.Less(t, len(want), 30, "so that some products do not recur")
}

func (m *monthHistory) recurring(lines []schema.PurchaseLine) []insight.Recurring {
	byProduct := map[string][]schema.PurchaseLine{}
	for _, line := range lines {
		byProduct[line.ProductID] = append(byProduct[line.ProductID], line)
	}
	var found []insight.Recurring
	for id, lines := range byProduct {
		slices.SortFunc(lines, func(a, b schema.PurchaseLine) int {
			return cmp.Or(cmp.Compare(b.BoughtOn, a.BoughtOn), cmp.Compare(b.ItemID, a.ItemID))
		})
		p := m.product(id)
		r := insight.Recurring{
			ProductID: id, Name: p.Name, Category: p.Category, First: insight.Day(lines[len(lines)-1].BoughtOn), Last: insight.Day(lines[0].BoughtOn),
		}
		days := map[string]bool{}
		for i, line := range lines {
			days[line.BoughtOn] = true
			if i < insight.RecurringEvidence {
				r.ItemIDs = append(r.ItemIDs, line.ItemID)
			}
			if line.PriceMicro != nil && *line.PriceMicro > 0 {
				r.Priced, r.PriceSumMicro = r.Priced+1, r.PriceSumMicro+*line.PriceMicro
			}
		}
		slices.Sort(r.ItemIDs)
		if r.Days = int64(len(days)); r.Days >= insight.RecurringDays && r.Priced > 0 {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b insight.Recurring) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return found
}

func TestRecurringProductsHaveThreeDaysAndAPrice(t *testing.T) {
	t.Parallel()
	const none = 0
	million := int64(1_000_000) * 1_000_000
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			user := storetest.NewUser(t, store.NewAccounts(db))
			var l monthLedger
			r := rand.New(rand.NewPCG(1, 2))
			products := l.addProducts(r, user, 6)
			buy := func(product int, price int64, days ...int) {
				for _, day := range days {
					l.addPurchase(r, user, time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC), products[product:product+1], 1)
					line := &l.Lines[len(l.Lines)-1]
					if line.PriceMicro = new(price); price == none {
						line.PriceMicro = nil
					}
				}
			}
			buy(0, 2, 1, 2, 2, 2) // four times on two days
			buy(1, 3, 1, 2, 30)   // on the first and the last of them
			buy(2, none, 1, 2, 3)
			buy(3, none, 1, 2)
			buy(3, 5, 3) // one price is enough
			buy(4, million, 4)
			buy(4, million+1, 5, 6, 7) // misread
			buy(5, million+1, 8, 9, 10)
			l.write(t, db)
			got, err := store.NewFigures(db).Recurring(t.Context(), user, insight.Period{From: "2026-11-01", To: "2026-11-30"})
			require.NoError(t, err)
			type figures struct{ days, sum, priced int64 }
			found := map[string]figures{}
			for _, p := range got {
				found[p.ProductID] = figures{p.Days, p.PriceSumMicro, p.Priced}
			}
			assert.Equal(t, map[string]figures{
				products[1].ID: {3, 9, 3}, products[3].ID: {3, 5, 1}, products[4].ID: {4, million, 1},
			}, found)
		})
	}
}

func (m *monthHistory) testFound(t *testing.T) {
	t.Parallel()
	f := insight.FoundFilter{
		Purchases: insight.Period{From: "2026-09-25", To: "2026-11-23"}, ExceptKind: insight.KindSavingsPotential,
		Month: insight.Period{From: "2026-11-01", To: "2026-11-23"},
	}
	for _, i := range m.Insights { // an invoice that has one
		if i.UserID == m.user && i.Kind != string(f.ExceptKind) {
			f.ExceptInvoiceID = i.InvoiceID
			if purchases, _ := m.in(m.user, f.Purchases); slices.ContainsFunc(purchases, func(p schema.Purchase) bool { return p.InvoiceID == i.InvoiceID }) {
				break
			}
		}
	}
	count := func(except string) map[insight.Kind]int64 {
		kinds := map[insight.Kind]int64{}
		purchases, _ := m.in(m.user, f.Purchases)
		for _, p := range purchases {
			for _, i := range m.Insights {
				if i.InvoiceID == p.InvoiceID && i.InvoiceID != except && i.Kind != string(f.ExceptKind) {
					kinds[insight.Kind(i.Kind)]++
				}
			}
		}
		return kinds
	}
	month, lines := m.in(m.user, f.Month)
	want := insight.Found{Kinds: count(f.ExceptInvoiceID), Month: paidInAll(month), Evidence: m.evidence(lines)}
	got, err := m.figures.Found(t.Context(), m.user, f)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.NotEqual(t, want.Kinds, count(""), "so that the invoice left out is seen")
	assert.Len(t, want.Kinds, 3)

	f.ExceptInvoiceID = ""
	got, err = m.figures.Found(t.Context(), m.user, f)
	require.NoError(t, err)
	assert.Equal(t, count(""), got.Kinds)
}

func (m *monthHistory) testFood(t *testing.T) {
	t.Parallel()
	p := insight.Period{From: "2026-10-25", To: "2026-11-23"}
	_, lines := m.in(m.user, p)
	want := insight.Food{Groups: map[product.FoodGroup]fiscal.Money{}}
	var food []schema.PurchaseLine
	for _, line := range lines {
		of := m.product(line.ProductID)
		if of.FoodGroup == "" {
			continue
		}
		food = append(food, line)
		want.Groups[product.FoodGroup(of.FoodGroup)] += fiscal.Money(line.PaidCentavos)
		want.Categories = append(want.Categories, of.Category)
	}
	slices.Sort(want.Categories)
	want.Categories = slices.Compact(want.Categories)
	want.Evidence = m.evidence(food)
	got, err := m.figures.Food(t.Context(), m.user, p)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Less(t, len(food), len(lines))
	assert.Len(t, want.Groups, 9)
}

func (m *monthHistory) testNobody(t *testing.T) {
	t.Parallel()
	ctx, p := t.Context(), insight.Period{From: "2000-01-01", To: "2100-01-01"}
	for _, user := range []string{storetest.NewID(t), "", "' OR 1=1"} {
		spending, err := m.figures.Spending(ctx, user, p, p)
		require.NoError(t, err)
		assert.Equal(t, []insight.Paid{{}, {}}, spending.Periods)
		assert.Empty(t, spending.First)
		assert.Empty(t, spending.Evidence)
		visits, err := m.figures.Visits(ctx, user, p, 1000)
		require.NoError(t, err)
		assert.Empty(t, visits.Evidence)
		visits.Evidence = nil
		assert.Zero(t, visits)
		recurring, err := m.figures.Recurring(ctx, user, p)
		require.NoError(t, err)
		assert.Empty(t, recurring)
		found, err := m.figures.Found(ctx, user, insight.FoundFilter{Purchases: p, Month: p})
		require.NoError(t, err)
		assert.Empty(t, found.Kinds)
		assert.Zero(t, found.Month)
		food, err := m.figures.Food(ctx, user, p)
		require.NoError(t, err)
		assert.Empty(t, food.Groups)
		assert.Empty(t, food.Categories)
		assert.Empty(t, food.Evidence)
	}
}
