package receipts

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const seeds = 200

// everySeed runs check on the receipt of each seed.
func everySeed(t *testing.T, check func(t *testing.T, seed uint64, r Receipt)) {
	t.Helper()
	for seed := range uint64(seeds) {
		check(t, seed, Generate(NewRand(seed), Options{}))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestEveryNumberPassesItsCheckDigit(t *testing.T) {
	t.Parallel()
	letters, offline, identified := 0, 0, 0
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		key, err := fiscal.ParseAccessKey(string(r.Key))
		require.NoError(t, err)
		assert.Equal(t, r.Store.State.UF, key.State())
		assert.Equal(t, r.Store.CNPJ, key.CNPJ())
		assert.Equal(t, 65, key.Model())
		assert.Equal(t, r.Series, key.Series())
		assert.Equal(t, r.Number, key.Number())
		assert.Equal(t, r.IssuedAt.Year(), key.Year())
		assert.Equal(t, int(r.IssuedAt.Month()), key.Month())
		assert.Equal(t, r.Offline, key.Offline())
		assert.True(t, fiscal.ValidCNPJ(r.Store.CNPJ), r.Store.CNPJ)
		if strings.ContainsAny(r.Store.CNPJ, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			letters++
			assert.False(t, r.IssuedAt.Before(lettersFrom()), "letters before July 2026")
		}
		for _, it := range r.Items {
			if it.GTIN != "" {
				assert.True(t, fiscal.ValidGTIN(it.GTIN), it.GTIN)
			}
		}
		if r.Offline {
			offline++
		}
		if r.ConsumerCPF != "" {
			identified++
			assert.True(t, fiscal.ValidCPF(r.ConsumerCPF))
		}
	})
	assert.Greater(t, letters, seeds/20, "alphanumeric CNPJs are among them")
	assert.Greater(t, offline, seeds/20)
	assert.Greater(t, identified, seeds/10)
}

func TestArithmeticClosesToTheCentavo(t *testing.T) {
	t.Parallel()
	lineDiscounts, discounts, surcharges, freights, changes, several := 0, 0, 0, 0, 0, 0
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		require.NotEmpty(t, r.Items)
		require.LessOrEqual(t, len(r.Items), 60)
		var products, discount, other, freight fiscal.Money
		for i, it := range r.Items {
			assert.Equal(t, i+1, it.Line)
			total, err := fiscal.MoneyFromDecimal(it.Quantity.Mul(it.UnitPrice))
			require.NoError(t, err)
			assert.Equal(t, total, it.Total)
			assert.LessOrEqual(t, it.Discount+it.DiscountShare, it.Total)
			assert.GreaterOrEqual(t, it.DiscountShare, fiscal.Money(0))
			products += it.Total
			discount += it.Discount + it.DiscountShare
			other += it.OtherShare
			freight += it.FreightShare
			if it.Discount > 0 {
				lineDiscounts++
			}
		}
		assert.Equal(t, products, r.Products())
		assert.Equal(t, discount, r.TotalDiscount(), "the lines of the XML add up to its total")
		assert.Equal(t, other, r.Other)
		assert.Equal(t, freight, r.Freight)
		assert.Equal(t, products-discount+freight+other, r.Due())
		assert.Equal(t, r.Due(), r.Paid()-r.Change)
		for _, p := range r.Payments {
			assert.Positive(t, int64(p.Amount))
			assert.NotEqual(t, invoice.PaymentOther, p.Method())
		}
		for n, found := range map[*int]bool{
			&discounts: r.Discount > 0, &surcharges: r.Other > 0, &freights: r.Freight > 0, &changes: r.Change > 0,
			&several: len(r.Payments) > 1,
		} {
			if found {
				*n++
			}
		}
	})
	for what, n := range map[string]int{
		"line discounts": lineDiscounts, "discounts": discounts, "acréscimos": surcharges, "freights": freights, "change": changes,
		"several payments": several,
	} {
		assert.Greater(t, n, 2, "%s are among them", what)
	}
}

func TestQRTextNamesTheKeyAtTheStatesOwnHost(t *testing.T) {
	t.Parallel()
	forms := map[string]int{}
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		rest, ok := strings.CutPrefix(r.QR, r.Store.State.QRBase+"?p="+string(r.Key)+"|")
		require.True(t, ok, r.QR)
		fields := strings.Split(rest, "|")
		form := fields[0]
		assert.Equal(t, "1", fields[1])
		if r.Offline {
			form += " offline"
			assert.Equal(t, r.IssuedAt.Format("02"), fields[2])
			assert.Equal(t, r.Due().Decimal().StringFixed(2), fields[3])
		}
		forms[form]++
		want := map[string]int{"2": 4, "2 offline": 7, "3": 2, "3 offline": 7}
		assert.Len(t, fields, want[form], form)
		if form == "2 offline" {
			digest, err := hex.DecodeString(fields[4])
			require.NoError(t, err)
			assert.Equal(t, r.Digest, string(digest))
		}
	})
	assert.Len(t, forms, 4)
}

func TestTheSameSeedGivesTheSameReceipt(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		first, second := Generate(NewRand(seed), Options{}), Generate(NewRand(seed), Options{})
		assert.Equal(t, first, second)
	}
	assert.NotEqual(t, Generate(NewRand(1), Options{}).Key, Generate(NewRand(2), Options{}).Key)
}

// The ledger and the QR parser were written by others from the same rules: every receipt, on XML and on paper, must please them.
func TestEveryReceiptPassesTheLedger(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		qr, err := fiscal.ParseQR(r.QR)
		require.NoError(t, err)
		assert.Equal(t, r.Key, qr.Key)
		assert.Equal(t, r.QRVersion, qr.Version)
		assert.Equal(t, r.Store.State.UF, qr.State)
		drafts := map[string]invoice.Draft{"xml": r.Draft()}
		for _, s := range Styles() {
			drafts[s.Name] = r.PaperDraft(s)
		}
		for name, draft := range drafts {
			checks := invoice.RunChecks(invoice.CheckInput{Draft: &draft, QR: &qr, Now: now})
			assert.Greater(t, len(checks), 8)
			for _, c := range checks {
				assert.True(t, c.Passed, "%s: %s: expected %s, found %s", name, c.Name, c.Expected, c.Found)
				// Tills print a discount of the whole purchase on no line, and some print lines' discounts as well.
				if c.Difference != nil && (c.Name != invoice.CheckDiscountTotal || name == "xml") {
					assert.Zero(t, *c.Difference, "%s: %s", name, c.Name)
				}
			}
		}
	})
}

func TestOptionsFixWhatTheyName(t *testing.T) {
	t.Parallel()
	store := drawStore(NewRand(9), false)
	basket := Catalogue()[:3]
	at := time.Date(2026, time.March, 4, 15, 16, 17, 0, time.UTC)
	r := Generate(NewRand(1), Options{
		Store: &store, IssuedAt: at, Basket: basket, Plain: true, QRVersion: 3, Issue: IssueOffline, Consumer: ConsumerCPF, Test: true,
		PriceOf: func(p Product) fiscal.Money { return 2 * p.Price },
	})
	assert.Equal(t, store, r.Store)
	assert.Equal(t, "2026-03-04T12:16:17-03:00", r.IssuedAt.Format(time.RFC3339))
	require.Len(t, r.Items, 3)
	for i, it := range r.Items {
		assert.Equal(t, basket[i], it.Product)
		assert.Equal(t, (2 * basket[i].Price).Decimal().String(), it.UnitPrice.String())
	}
	assert.Zero(t, r.Discount+r.Other+r.Freight)
	assert.Equal(t, 3, r.QRVersion)
	assert.True(t, r.Offline)
	assert.True(t, r.Test)
	assert.NotEmpty(t, r.ConsumerCPF)
	assert.Len(t, Generate(NewRand(1), Options{Items: 37}).Items, 37)
}

func TestCatalogueIsLargeAndItsNumbersAreUnique(t *testing.T) {
	t.Parallel()
	all := Catalogue()
	assert.GreaterOrEqual(t, len(all), 150)
	descriptions, codes, gtins := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, p := range all {
		assert.False(t, descriptions[p.Description], p.Description)
		assert.False(t, codes[p.StoreCode()], p.StoreCode())
		descriptions[p.Description], codes[p.StoreCode()] = true, true
		assert.LessOrEqual(t, utf8.RuneCountInString(p.Description), 38)
		assert.Positive(t, int64(p.Price))
		assert.Len(t, p.Department.NCM(), 8)
		if p.Weighed() {
			assert.Regexp(t, "^2[0-9]{4}$", p.StoreCode())
			assert.True(t, strings.HasSuffix(p.Description, " KG"))
		}
		if g := p.GTIN(); g != "" {
			assert.Regexp(t, "^(789|790)[0-9]{10}$", g)
			assert.False(t, gtins[g], g)
			gtins[g] = true
		}
	}
}

func TestStatesAgreeWithTheirCodes(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		assert.Equal(t, s.UF, fiscal.StateOfCode(s.Code))
		assert.True(t, strings.HasPrefix(s.IBGE, s.Code))
		assert.True(t, strings.HasPrefix(s.QRBase, "http"))
	}
}

func TestTruthSpeaksOfTheSamePurchaseAsTheDraft(t *testing.T) {
	t.Parallel()
	everySeed(t, func(t *testing.T, seed uint64, r Receipt) {
		t.Helper()
		truth, draft := r.Truth(), r.Draft()
		assert.Equal(t, draft.AccessKey, truth.AccessKey)
		assert.Regexp(t, `^2026-\d\d-\d\dT\d\d:\d\d:\d\d-03:00$`, truth.IssuedAt)
		assert.Len(t, truth.Items, len(draft.Items))
		var discount fiscal.Money
		for _, it := range truth.Items {
			discount += it.Discount
		}
		assert.Equal(t, truth.Totals.Discount, discount)
		assert.NotContains(t, draft.ConsumerCPF, "52998224725")

		style := Styles()[seed%uint64(len(Styles()))]
		paper := r.PaperTruth(style)
		assert.Equal(t, truth.Totals, paper.Totals)
		assert.Equal(t, truth.Payments, paper.Payments)
		for i, it := range paper.Items {
			assert.NotEmpty(t, it.Description)
			assert.True(t, strings.HasPrefix(style.text(truth.Items[i].Description), it.Description))
			assert.Equal(t, truth.Items[i].Total, it.Total)
		}
	})
}
