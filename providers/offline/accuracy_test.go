package offline_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"unicode"

	"github.com/agnivade/levenshtein"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/offline"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

var (
	accuracyN     = flag.Int("accuracy.n", 2, "receipts under each distortion")
	accuracySeed  = flag.Uint64("accuracy.seed", 20261, "seed of the first receipt")
	accuracyScale = flag.Float64("accuracy.scale", 1, "scale of the pictures: 1 is 203 dpi")
	accuracyLog   = flag.Bool("accuracy.v", false, "log every item that is not exact")
)

// tally counts what was read right.
type tally struct {
	receipts, items int

	exact, strict, falselySure, invented                      int
	totals, payments, moment, cnpj, name, key, number, noFlaw int
}

// TestAccuracy reads pictures of fictional receipts and prints how much of them came out right. The thresholds are what the
// provider promises; docs/accuracy.md has the figures of a larger run:
//
//	go test ./providers/offline -run TestAccuracy -v -accuracy.seed 900000 -accuracy.n 12 -timeout 60m
func TestAccuracy(t *testing.T) {
	t.Parallel()
	needTesseract(t)
	p := offline.New(offline.Config{})
	all := map[string]*tally{}
	var names []string
	for i, d := range receipts.Distortions() {
		sum := &tally{}
		all[d.Name], names = sum, append(names, d.Name)
		styles := receipts.Styles()
		set := receipts.Set{
			Count: *accuracyN, Seed: *accuracySeed + uint64(1000*i), Scale: *accuracyScale, Formats: []string{"jpg"},
			Styles: append(styles[2*i%len(styles):], styles[:2*i%len(styles)]...), Distortions: []receipts.Distortion{d},
		}
		for sample, err := range set.Samples() {
			require.NoError(t, err)
			got := extract(t, p, sdk.Page{MediaType: "image/jpeg", Data: sample.Data})
			sum.add(t, sample.Name, sample.Truth, got)
		}
	}
	printTable(t, names, all)
	if *accuracyScale != 1 {
		return // the thresholds are of pictures as scanners make them
	}
	for name, least := range map[string]int{
		"clean": 95, "tilt": 90, "noise": 80, "scan": 80, "photo": 80, "perspective": 80, "blur": 80, "shade": 80, "fade": 80,
	} {
		s := all[name]
		assert.GreaterOrEqual(t, s.exact*100, least*s.items, "%s: percent of items exact", name)
	}
	var sum tally
	for _, s := range all {
		sum.receipts, sum.items = sum.receipts+s.receipts, sum.items+s.items
		sum.totals, sum.payments, sum.moment, sum.cnpj = sum.totals+s.totals, sum.payments+s.payments, sum.moment+s.moment, sum.cnpj+s.cnpj
		sum.falselySure, sum.invented = sum.falselySure+s.falselySure, sum.invented+s.invented
	}
	for what, n := range map[string]int{"totals": sum.totals, "payments": sum.payments, "moment": sum.moment, "CNPJ": sum.cnpj} {
		assert.GreaterOrEqual(t, n*100, 85*sum.receipts, "percent of receipts with the right %s", what)
	}
	assert.LessOrEqual(t, sum.falselySure*100, 2*sum.items, "percent of items that are wrong and not marked as uncertain")
	assert.LessOrEqual(t, sum.invented*100, sum.items, "percent of items that are not on the paper")
}

// TestTextAccuracy reads the text of PDFs: every item must be exact.
func TestTextAccuracy(t *testing.T) {
	t.Parallel()
	pdftotext, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Fatal("pdftotext is not installed: apt-get install poppler-utils")
	}
	clean, err := receipts.DistortionNamed("clean")
	require.NoError(t, err)
	set := receipts.Set{Count: 12, Seed: 77, Formats: []string{"pdf"}, Distortions: []receipts.Distortion{clean}}
	p, sum := offline.New(offline.Config{Command: "no-such-program"}), &tally{}
	for sample, err := range set.Samples() {
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), pdftotext, "-layout", "-", "-")
		cmd.Stdin = strings.NewReader(string(sample.Data))
		text, err := cmd.Output()
		require.NoError(t, err)
		sum.add(t, sample.Name, sample.Truth, extract(t, p, sdk.Page{Text: string(text)}))
	}
	printTable(t, []string{"pdf text"}, map[string]*tally{"pdf text": sum})
	assert.Equal(t, sum.items, sum.strict, "items exact, descriptions and codes too")
	assert.Equal(t, sum.receipts, sum.noFlaw, "receipts without a flaw")
}

func needTesseract(t *testing.T) {
	t.Helper()
	if err := offline.New(offline.Config{}).Check(t.Context()); err != nil {
		t.Fatalf("character recognition is not installed: %v", err)
	}
}

func extract(t *testing.T, p *offline.Provider, pages ...sdk.Page) sdk.Receipt {
	t.Helper()
	var text strings.Builder
	result, err := p.Generate(context.WithoutCancel(t.Context()), sdk.Request{Task: sdk.TaskExtract, Pages: pages}, func(piece string) error {
		text.WriteString(piece)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, sdk.FinishStop, result.FinishReason)
	var receipt sdk.Receipt
	require.NoError(t, json.Unmarshal([]byte(text.String()), &receipt), text.String())
	return receipt
}

func (s *tally) add(t *testing.T, name string, want receipts.Truth, got sdk.Receipt) {
	t.Helper()
	s.receipts++
	s.items += len(want.Items)
	flaws := s.addItems(t, name, want, got)
	count := func(to *int, what string, ok bool) {
		if ok {
			*to++
			return
		}
		flaws++
		if *accuracyLog {
			t.Logf("%s: %s: got %+v, want %+v", name, what, withoutItems(got), want.Totals)
		}
	}
	tot := want.Totals
	count(&s.totals, "totals", same(got.Products, tot.Products.Decimal()) && same(got.Due, tot.Due.Decimal()) &&
		same(got.Discount, tot.Discount.Decimal()) && same(got.Other, tot.Other.Decimal()) && same(got.Freight, tot.Freight.Decimal()) &&
		same(got.Change, tot.Change.Decimal()))
	paid := len(got.Payments) == len(want.Payments)
	for i := 0; paid && i < len(want.Payments); i++ {
		paid = got.Payments[i].Method == string(want.Payments[i].Method) && same(got.Payments[i].Amount, want.Payments[i].Amount.Decimal())
	}
	count(&s.payments, "payments", paid)
	count(&s.moment, "moment", got.IssuedAt == want.IssuedAt[:19])
	count(&s.cnpj, "CNPJ", got.IssuerCNPJ == want.Issuer.CNPJ)
	count(&s.name, "name", similarity(got.IssuerName, want.Issuer.Name) >= alike)
	count(&s.key, "key", got.AccessKey == want.AccessKey)
	count(&s.number, "number", got.Number == strconv.Itoa(want.Number) && got.Series == strconv.Itoa(want.Series))
	if flaws == 0 {
		s.noFlaw++
	}
}

func withoutItems(r sdk.Receipt) sdk.Receipt {
	r.Items, r.ConsumerCPF = nil, ""
	return r
}

// alike is how similar a description must be to the printed one. Its figures must be the same.
const alike = 0.85

// addItems aligns the lines in their order and counts the exact ones. It returns how many lines are not.
func (s *tally) addItems(t *testing.T, name string, want receipts.Truth, got sdk.Receipt) int {
	t.Helper()
	next, exact, matched := 0, 0, map[int]bool{}
	for _, w := range want.Items {
		found := -1
		for j := next; j < len(got.Items) && j < next+4 && found < 0; j++ {
			if isExact(w, got.Items[j]) {
				found = j
			}
		}
		if found < 0 {
			for j := next; j < len(got.Items) && j < next+2 && found < 0; j++ { // the line, with something wrong
				if similarity(w.Description, got.Items[j].Description) >= 0.5 || w.Code == got.Items[j].Code {
					found = j
				}
			}
			if *accuracyLog {
				t.Logf("%s: want %+v", name, w)
			}
			if found >= 0 {
				matched[found], next = true, found+1
				if !got.Items[found].Uncertain {
					s.falselySure++
				}
				if *accuracyLog {
					t.Logf("%s:  got %+v", name, got.Items[found])
				}
			}
			continue
		}
		g := got.Items[found]
		matched[found], next = true, found+1
		exact++
		if g.Description == w.Description && g.Code == w.Code && g.GTIN == w.GTIN && g.Unit == w.Unit {
			s.strict++
		}
	}
	s.exact += exact
	if extra := len(got.Items) - len(want.Items); extra > 0 {
		s.invented += extra
	}
	return len(want.Items) - exact + len(got.Items) - len(matched)
}

func isExact(w receipts.TruthItem, g sdk.ReceiptItem) bool {
	quantity, errQ := decimal.NewFromString(w.Quantity)
	price, errP := decimal.NewFromString(w.UnitPrice)
	return errQ == nil && errP == nil && same(g.Quantity, quantity) && same(g.UnitPrice, price) && same(g.Total, w.Total.Decimal()) &&
		same(g.Discount, w.Discount.Decimal()) && similarity(w.Description, g.Description) >= alike
}

// same says whether a figure of a reply is want; "" is zero.
func same(got string, want decimal.Decimal) bool {
	if got == "" {
		return want.IsZero()
	}
	d, err := decimal.NewFromString(got)
	return err == nil && d.Equal(want)
}

func similarity(a, b string) float64 {
	a, b = folded(a), folded(b)
	longest := max(len([]rune(a)), len([]rune(b)), 1)
	return 1 - float64(levenshtein.ComputeDistance(a, b))/float64(longest)
}

func folded(s string) string {
	s, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), s)
	if err != nil {
		return ""
	}
	return strings.ToUpper(strings.Join(strings.Fields(s), ""))
}

func printTable(t *testing.T, names []string, all map[string]*tally) {
	t.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 1, ' ', tabwriter.Debug)
	row := func(cells ...any) {
		for _, c := range cells {
			_, err := fmt.Fprintf(w, "\t %v", c)
			require.NoError(t, err)
		}
		_, err := fmt.Fprintln(w, "\t")
		require.NoError(t, err)
	}
	row("", "receipts", "items", "exact %", "strict %", "wrong, not marked", "invented", "totals", "payments", "moment", "CNPJ", "name", "key", "number", "no flaw")
	percent := func(n, of int) string { return fmt.Sprintf("%.1f", 100*float64(n)/float64(max(of, 1))) }
	for _, name := range names {
		s := all[name]
		row(name, s.receipts, s.items, percent(s.exact, s.items), percent(s.strict, s.items), s.falselySure, s.invented, s.totals, s.payments,
			s.moment, s.cnpj, s.name, s.key, s.number, s.noFlaw)
	}
	require.NoError(t, w.Flush())
	t.Logf("what was read right:\n%s", out.String())
}
