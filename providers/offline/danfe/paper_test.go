package danfe_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/offline/danfe"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// TestPaperIsReadWhole reads the text that tills of every style print, undamaged: everything must come out exactly.
func TestPaperIsReadWhole(t *testing.T) {
	t.Parallel()
	for _, style := range receipts.Styles() {
		t.Run(style.Name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(150) {
				r := receipts.Generate(receipts.NewRand(seed+1), receipts.Options{Test: seed%10 == 0})
				lines := r.Paper(style)
				got := danfe.Parse([]string{strings.Join(lines, "\n")})
				if !assertReceipt(t, r.PaperTruth(style), got) {
					t.Logf("seed %d:\n%s", seed+1, strings.Join(lines, "\n"))
					return
				}
				assert.Equal(t, r.Test, got.Test, "test document, seed %d", seed+1)
				if !r.Offline {
					assert.Equal(t, r.Protocol, got.Protocol, "protocol, seed %d", seed+1)
				}
			}
		})
	}
}

func assertReceipt(t *testing.T, want receipts.Truth, got sdk.Receipt) bool {
	t.Helper()
	ok := assert.Equal(t, want.AccessKey, got.AccessKey, "access key")
	ok = assert.Equal(t, want.Issuer.CNPJ, got.IssuerCNPJ, "CNPJ") && ok
	ok = assert.Equal(t, fold(want.Issuer.Name), fold(got.IssuerName), "name") && ok
	ok = assert.Equal(t, decimalOf(int64(want.Number), 0), got.Number, "number") && ok
	ok = assert.Equal(t, decimalOf(int64(want.Series), 0), got.Series, "series") && ok
	ok = assert.Equal(t, want.IssuedAt[:19], got.IssuedAt, "issued at") && ok
	ok = assert.Equal(t, decimalOf(int64(want.ItemCount), 0), got.ItemCount, "count") && ok
	tot := want.Totals
	ok = assert.Equal(t, []int64{int64(tot.Products), int64(tot.Discount), int64(tot.Freight), int64(tot.Other), int64(tot.Due), int64(tot.Change)},
		[]int64{cents(t, got.Products), cents(t, got.Discount), cents(t, got.Freight), cents(t, got.Other), cents(t, got.Due), cents(t, got.Change)},
		"products, discount, freight, other, due, change") && ok
	var wantPaid, gotPaid []sdk.ReceiptPayment
	for _, p := range want.Payments {
		wantPaid = append(wantPaid, sdk.ReceiptPayment{Method: string(p.Method), Amount: decimalOf(int64(p.Amount), 2)})
	}
	gotPaid = append(gotPaid, got.Payments...)
	ok = assert.Equal(t, wantPaid, gotPaid, "payments") && ok
	if !assert.Len(t, got.Items, len(want.Items), "items") {
		return false
	}
	for i, w := range want.Items {
		g := got.Items[i]
		ok = assert.Equal(t, []string{w.Description, w.Code, w.GTIN, w.Unit}, []string{g.Description, g.Code, g.GTIN, g.Unit}, "item %d", i+1) && ok
		ok = assert.True(t, sameNumber(t, w.Quantity, g.Quantity), "quantity of item %d: %s, want %s", i+1, g.Quantity, w.Quantity) && ok
		ok = assert.True(t, sameNumber(t, w.UnitPrice, g.UnitPrice), "price of item %d: %s, want %s", i+1, g.UnitPrice, w.UnitPrice) && ok
		ok = assert.Equal(t, int64(w.Total), cents(t, g.Total), "total of item %d", i+1) && ok
		ok = assert.Equal(t, int64(w.Discount), cents(t, g.Discount), "discount of item %d", i+1) && ok
		ok = assert.False(t, g.Uncertain, "item %d is sure", i+1) && ok
	}
	return assert.True(t, danfe.Complete(got), "complete") && ok
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestReadsNothingFromNothing(t *testing.T) {
	t.Parallel()
	for _, pages := range [][]string{nil, {}, {""}, {"\n\n", " \t"}, {"===="}} {
		got := danfe.Parse(pages)
		require.NotNil(t, got.Items, "an empty list, not null")
		require.NotNil(t, got.Payments, "an empty list, not null")
		assert.Empty(t, got.Items)
		assert.Equal(t, sdk.Receipt{Items: got.Items, Payments: got.Payments}, got)
	}
}
