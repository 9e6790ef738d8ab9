package sefaz_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/sefaz/portaltest"
)

// TestAPageGivesExactlyWhatItStates goes through many receipts: discounts, freight, odd prices, change, contingency, letters in the
// CNPJ, consumers.
func TestAPageGivesExactlyWhatItStates(t *testing.T) {
	t.Parallel()
	for _, model := range portaltest.Models() {
		for _, latin1 := range []bool{false, true} {
			name := string(model) + " in UTF-8"
			if latin1 {
				name = string(model) + " in ISO-8859-1"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				for seed := range uint64(40) {
					r := receipt(t, "SP", seed)
					b.portal.Know(model, r, latin1)
					got := b.lookup(t, r)
					require.Equal(t, invoice.RecordFound, got.Outcome, "seed %d: %s", seed, b.logs)
					want := portaltest.Draft(model, r)
					assertSame(t, want, *got.Draft)
					if model != portaltest.Accordion {
						assert.Equal(t, invoice.AllPassed(checks(want)), invoice.AllPassed(checks(*got.Draft)))
					}
				}
			})
		}
	}
}

func checks(d invoice.Draft) []invoice.Check { return invoice.RunChecks(invoice.CheckInput{Draft: &d}) }

// assertSame compares drafts; moments and decimals by their values.
func assertSame(t *testing.T, want, got invoice.Draft) {
	t.Helper()
	require.NotNil(t, got.IssuedAt)
	assert.True(t, want.IssuedAt.Equal(*got.IssuedAt), "%s %s", want.IssuedAt, got.IssuedAt)
	want.IssuedAt = got.IssuedAt
	require.Len(t, got.Items, len(want.Items))
	for i := range want.Items {
		assert.True(t, want.Items[i].Quantity.Equal(got.Items[i].Quantity), want.Items[i].Description)
		assert.True(t, want.Items[i].UnitPrice.Equal(got.Items[i].UnitPrice), want.Items[i].Description)
		want.Items[i].Quantity, want.Items[i].UnitPrice = got.Items[i].Quantity, got.Items[i].UnitPrice
	}
	assert.Equal(t, want, got)
}

func TestTheConsumerIsNotTold(t *testing.T) {
	t.Parallel()
	for _, model := range portaltest.Models() {
		t.Run(string(model), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := receipt(t, "PR", 3, func(o *receipts.Options) {
				o.Consumer, o.Issue, o.QRVersion = receipts.ConsumerCPF, receipts.IssueOffline, 3
			})
			b.portal.Know(model, r, false)
			got := b.lookup(t, r)
			require.Equal(t, invoice.RecordFound, got.Outcome)
			assert.Equal(t, "***.***."+r.ConsumerCPF[6:9]+"-**", got.Draft.ConsumerCPF)
			for _, asked := range b.portal.Requests() {
				assert.NotContains(t, asked.P, r.ConsumerCPF, "the code names the consumer, and the question does not")
			}
			for _, secret := range []string{r.ConsumerCPF, string(r.Key), "FULANA"} {
				assert.NotContains(t, b.logs.String(), secret)
			}
		})
	}
}

func TestEveryPageThatIsNoNoteHasItsOutcome(t *testing.T) {
	t.Parallel()
	for fault, want := range map[portaltest.Fault]invoice.RecordOutcome{
		portaltest.Error:          invoice.RecordUnavailable,
		portaltest.NotYet:         invoice.RecordNotYet,
		portaltest.Captcha:        invoice.RecordCaptcha,
		portaltest.Invalid:        invoice.RecordRefused,
		portaltest.Cancelled:      invoice.RecordCancelled,
		portaltest.Unknown:        invoice.RecordUnknownLayout,
		portaltest.Broken:         invoice.RecordUnknownLayout,
		portaltest.Script:         invoice.RecordUnknownLayout,
		portaltest.OtherNote:      invoice.RecordUnknownLayout,
		portaltest.Huge:           invoice.RecordRefused,
		portaltest.Bomb:           invoice.RecordRefused,
		portaltest.Elsewhere:      invoice.RecordRefused,
		portaltest.Loop:           invoice.RecordRefused,
		portaltest.FrameElsewhere: invoice.RecordRefused,
		portaltest.Binary:         invoice.RecordRefused,
		portaltest.Moved:          invoice.RecordFound,
		portaltest.Frame:          invoice.RecordFound,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for _, model := range portaltest.Models() {
				b := setup(t)
				r := receipt(t, "SP", 11)
				b.portal.Know(model, r, false)
				b.portal.Fail(fault)
				got := b.lookup(t, r)
				assert.Equal(t, want, got.Outcome, "%s: %s", model, b.logs)
				assert.Equal(t, want == invoice.RecordFound, got.Draft != nil)
				assert.Equal(t, "SP", got.State)
				for _, secret := range []string{string(r.Key), r.Items[0].Product.Description, "Arroz", codeOf(t, r).Hash} {
					assert.NotContains(t, b.logs.String(), secret, "only the shape of a page is logged")
				}
			}
		})
	}
}

func TestTextThatIsDeclaredWronglyIsReadRightly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := receipt(t, "SP", 5)
	b.portal.Know(portaltest.Common, r, true)
	b.portal.Fail(portaltest.MisdeclaredUTF8)
	got := b.lookup(t, r)
	require.Equal(t, invoice.RecordFound, got.Outcome)
	assertSame(t, portaltest.Draft(portaltest.Common, r), *got.Draft)
}

func TestAnUnknownLayoutIsTheSameForEveryNoteOfIt(t *testing.T) {
	t.Parallel()
	var shapes []string
	for seed := range uint64(2) {
		b := setup(t)
		r := receipt(t, "SP", 20+seed)
		b.portal.Know(portaltest.Common, r, false)
		b.portal.Fail(portaltest.Unknown)
		b.lookup(t, r)
		_, shape, found := cutAfter(b.logs.String(), "shape=")
		require.True(t, found)
		shapes = append(shapes, shape)
	}
	assert.Equal(t, shapes[0], shapes[1])
	assert.Len(t, shapes[0], 12)
}
