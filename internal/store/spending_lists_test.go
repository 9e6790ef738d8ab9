package store_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func pricesOfAProduct(t *testing.T, l *ledger) {
	milk, soap := l.product("Leite", "dairy"), l.product("Sabão", "cleaning")
	first := l.purchase("2026-11-01", "a", "Azul", 0, bought{milk, 999, 2_500_000, new(int64(3_996_000)), new(int64(7_992_000))}, one(soap, 1))
	l.purchase("2026-11-03", "b", "Branco", 0, bought{milk, 500, 0, nil, nil})
	l.purchase("2026-11-02", "b", "Branco", 0, bought{milk, 399, 1_000_000, new(int64(3_990_000)), new(int64(7_980_000))})
	l.save()
	points, err := l.service().History(t.Context(), l.user, milk, nil)
	require.NoError(t, err)
	require.Len(t, points, 3)
	assert.Equal(t, first, points[0].InvoiceID)
	assert.Equal(t, l.lines[0].ItemID, points[0].ItemID)
	assert.Equal(t, "a", points[0].MerchantKey)
	assert.Equal(t, "Azul", points[0].MerchantName)
	assert.Equal(t, "2.5", points[0].Quantity.String())
	assert.Equal(t, "3.996", points[0].Price.String())
	assert.Equal(t, "7.992", points[0].MeasurePrice.String())
	assert.Equal(t, []string{"2026-11-01", "2026-11-02", "2026-11-03"}, []string{points[0].On, points[1].On, points[2].On})
	assert.Nil(t, points[2].Price)
	assert.Nil(t, points[2].MeasurePrice)
	assert.Equal(t, []bool{false, true, false}, []bool{points[0].Cheapest, points[1].Cheapest, points[2].Cheapest})

	for period, want := range map[spending.Period]int{
		{From: "2026-11-01", To: "2026-11-03"}: 3, {From: "2026-11-02", To: "2026-11-02"}: 1, {From: "2026-11-04", To: "2026-12-03"}: 0,
	} {
		points, err := l.service().History(t.Context(), l.user, milk, &period)
		require.NoError(t, err)
		assert.Len(t, points, want)
	}
}

func longHistory(t *testing.T, l *ledger) {
	milk := l.product("Leite", "dairy")
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 501 {
		l.purchase(start.AddDate(0, 0, i).Format(time.DateOnly), "m", "Mercado", 0, one(milk, 100))
	}
	l.save()
	s, count := l.counted()
	points, err := s.History(t.Context(), l.user, milk, nil)
	require.NoError(t, err)
	require.Len(t, points, 500)
	assert.Equal(t, "2024-01-02", points[0].On, "the oldest is left out")
	assert.Equal(t, l.lines[500].BoughtOn, points[499].On)
	assert.Equal(t, 2, count())
}

func productOfAnother(t *testing.T, l *ledger) {
	other := newLedger(t, l.db)
	milk := other.product("Leite", "dairy")
	other.purchase("2026-11-01", "m", "Mercado", 0, one(milk, 1))
	other.save()
	for _, id := range []string{milk, storetest.NewID(t), "nonsense", ""} {
		_, err := l.service().History(t.Context(), l.user, id, nil)
		assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), id)
	}
}

func badSpendingIDs(t *testing.T, l *ledger) {
	for _, user := range []string{"", "nonsense", "' OR 1=1 --"} {
		for _, by := range groups {
			r, err := l.service().Report(t.Context(), user, spending.Period{From: "2026-11-01", To: "2026-11-30"}, by)
			require.NoError(t, err)
			assert.Zero(t, r.Total)
		}
		lines, err := l.service().Export(t.Context(), user, nil)
		require.NoError(t, err)
		assert.Empty(t, lines)
		_, err = l.service().Basket(t.Context(), user, []spending.BasketLine{{ProductID: storetest.NewID(t), Quantity: decimal.New(1, 0)}})
		assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
	}
}

func basketPrices(t *testing.T, l *ledger) {
	milk, soap, bread := l.product("Leite", "dairy"), l.product("Sabão", "cleaning"), l.product("Pão", "bread")
	l.purchase("2026-11-02", "a", "Azul", 0, one(milk, 500), one(soap, 300))
	l.purchase("2026-11-01", "a", "Azul antigo", 0, one(milk, 400)) // older
	l.purchase("2026-11-03", "a", "Azul", 0, bought{milk, 700, 0, nil, nil}, bought{milk, 0, 1_000_000, new(int64(0)), nil})
	l.purchase("2026-11-04", "b", "Branco", 0, bought{milk, 1, 1_000_000, new(int64(4_995_000)), nil})
	other := newLedger(t, l.db)
	others := other.product("Leite", "dairy")
	other.purchase("2026-11-05", "a", "Azul", 0, one(others, 1))
	other.save()
	l.save()
	lines := []spending.BasketLine{
		{ProductID: milk, Quantity: decimal.RequireFromString("1.5")},
		{ProductID: soap, Quantity: decimal.New(2, 0)},
		{ProductID: milk, Quantity: decimal.RequireFromString("1.5")},
	}
	offers, err := l.service().Basket(t.Context(), l.user, lines)
	require.NoError(t, err)
	require.Len(t, offers, 2)
	assert.Equal(t, "a", offers[0].MerchantKey)
	assert.Equal(t, "Azul", offers[0].MerchantName)
	assert.True(t, offers[0].Complete)
	assert.EqualValues(t, 2100, offers[0].Total)
	require.Len(t, offers[0].Found, 2)
	assert.Equal(t, "2026-11-02", offers[0].Found[0].On, "neither a line without a quantity nor a gift has a price")
	assert.Equal(t, "5", offers[0].Found[0].Price.String())
	assert.EqualValues(t, 1500, offers[0].Found[0].Total)
	assert.False(t, offers[1].Complete, "cheaper and yet second")
	assert.Equal(t, []string{soap}, offers[1].Missing)
	assert.EqualValues(t, 1499, offers[1].Total, "14,985 rounds up")

	offers, err = l.service().Basket(t.Context(), l.user, []spending.BasketLine{{ProductID: bread, Quantity: decimal.New(1, 0)}})
	require.NoError(t, err, "a product of the user's that was never bought")
	assert.Empty(t, offers)
}

func hourOfTheDay(t *testing.T, l *ledger) {
	milk := l.product("Leite", "dairy")
	l.purchase("2026-11-02", "a", "Nome da noite", 0, one(milk, 700))
	l.purchase("2026-11-02", "a", "Nome da manhã", 0, one(milk, 500))
	l.purchases[0].BoughtAt = l.purchases[0].BoughtAt.Add(8 * time.Hour)
	l.save()
	offers, err := l.service().Basket(t.Context(), l.user, []spending.BasketLine{{ProductID: milk, Quantity: decimal.New(1, 0)}})
	require.NoError(t, err)
	require.Len(t, offers, 1)
	assert.EqualValues(t, 700, offers[0].Total)
	assert.Equal(t, "Nome da noite", offers[0].MerchantName)
	points, err := l.service().History(t.Context(), l.user, milk, nil)
	require.NoError(t, err)
	require.Len(t, points, 2)
	assert.Equal(t, "5", points[0].Price.String())
	lines, err := l.service().Export(t.Context(), l.user, nil)
	require.NoError(t, err)
	require.Len(t, lines, 2)
	assert.Equal(t, "Nome da manhã", lines[0].MerchantName)
}

func basketOfAnother(t *testing.T, l *ledger) {
	other := newLedger(t, l.db)
	milk, mine := other.product("Leite", "dairy"), l.product("Leite", "dairy")
	other.purchase("2026-11-05", "a", "Azul", 0, one(milk, 1))
	other.save()
	l.save()
	for _, id := range []string{milk, storetest.NewID(t), "nonsense"} {
		one := decimal.New(1, 0)
		_, err := l.service().Basket(t.Context(), l.user, []spending.BasketLine{{ProductID: mine, Quantity: one}, {ProductID: id, Quantity: one}})
		var bad *invoice.Error
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, invoice.CodeBadUserInput, bad.Code)
		assert.Equal(t, "lines", bad.Field)
	}
}

func statementsOfBaskets(t *testing.T, l *ledger) {
	s, count := l.counted()
	var lines []spending.BasketLine
	for i := range 100 {
		id := l.product(fmt.Sprintf("P%d", i), "other")
		lines = append(lines, spending.BasketLine{ProductID: id, Quantity: decimal.New(1, 0)})
		l.purchase("2026-11-05", fmt.Sprintf("m%d", i%10), "Mercado", 0, one(id, 5))
	}
	l.save()
	for _, size := range []int{1, 100} {
		offers, err := s.Basket(t.Context(), l.user, lines[:size])
		require.NoError(t, err)
		assert.Len(t, offers, min(size, 10))
		assert.Equal(t, 1, count())
	}
}

func exportedLines(t *testing.T, l *ledger) {
	milk, soap := l.product("Leite", "dairy"), l.product("Sabão", "cleaning")
	l.purchase("2026-11-02", "a", "Azul", 0, bought{milk, 999, 456_000, nil, nil}, one(soap, 300))
	l.purchase("2026-11-01", "b", "Branco", 0, one(soap, 200))
	other := newLedger(t, l.db)
	other.purchase("2026-11-01", "b", "Branco", 0, one(other.product("Pão", "bread"), 1))
	other.save()
	l.save()
	lines, err := l.service().Export(t.Context(), l.user, nil)
	require.NoError(t, err)
	require.Len(t, lines, 3)
	assert.Equal(t, []string{"Sabão", "Leite", "Sabão"}, []string{lines[0].Product, lines[1].Product, lines[2].Product})
	got := lines[1]
	assert.Equal(t, "0.456", got.Quantity.String())
	assert.Equal(t, "1.2345678901", got.UnitPrice.String())
	got.Quantity, got.UnitPrice = decimal.Zero, decimal.Zero
	assert.Equal(t, spending.Purchase{
		InvoiceID: l.invoices[0].ID, BoughtAt: time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC), MerchantName: "Azul",
		MerchantCNPJ: "11222333000181", AccessKey: "35261111222333000181650010000123451876543214", Line: 1, Description: "ITEM 1",
		Product: "Leite", CategoryID: "dairy", Category: "Categoria dairy", GTIN: "7891000100103", Unit: "UN", Total: 1006, Discount: 7, Paid: 999,
	}, got)

	var csv bytes.Buffer
	require.NoError(t, spending.WriteCSV(&csv, lines))
	assert.Equal(t, 4, strings.Count(csv.String(), "\r\n"))
}

func exportedPeriod(t *testing.T, l *ledger) {
	milk := l.product("Leite", "dairy")
	for day := 1; day <= 30; day++ {
		l.purchase(fmt.Sprintf("2026-11-%02d", day), "a", "Azul", 0, one(milk, 1), one(milk, 2))
	}
	l.save()
	s, count := l.counted()
	lines, err := s.Export(t.Context(), l.user, &spending.Period{From: "2026-11-10", To: "2026-11-12"})
	require.NoError(t, err)
	require.Len(t, lines, 6)
	assert.Equal(t, 1, count())
	cut, err := store.NewSpending(l.db).Lines(t.Context(), l.user, nil, 3)
	require.NoError(t, err)
	assert.Len(t, cut, 3)
}
