package invoice_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// everySource has the zero source too.
func everySource() []invoice.Source {
	return []invoice.Source{
		invoice.SourceXML, invoice.SourceSefaz, invoice.SourcePDF, invoice.SourceModel, invoice.SourceOCR, invoice.SourceManual, "",
	}
}

func arithmeticNames() []invoice.CheckName {
	return []invoice.CheckName{
		invoice.CheckItemTotal, invoice.CheckProductsTotal, invoice.CheckDiscountTotal, invoice.CheckAmountDue,
		invoice.CheckPayments, invoice.CheckQRAmount,
	}
}

// without is the checks but for those of the names.
func without(checks []invoice.Check, names ...invoice.CheckName) []invoice.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c invoice.Check) bool { return slices.Contains(names, c.Name) })
}

func TestConfidenceOfAWholeNoteIsItsSources(t *testing.T) {
	t.Parallel()
	checks := invoice.RunChecks(*note(t))
	for source, want := range map[invoice.Source]float64{
		invoice.SourceXML: 1, invoice.SourceSefaz: 1, invoice.SourcePDF: 0.99, invoice.SourceManual: 0.99,
		invoice.SourceModel: 0.97, invoice.SourceOCR: 0.95, "": 0.90,
	} {
		assert.InDelta(t, want, invoice.Confidence(checks, source), 1e-9, source)
	}
}

func TestConfidenceOfAnExactSourceNeedsNoProof(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.QR, in.Draft.Payments, in.Draft.Totals.Paid, in.Draft.PrintedItemCount = nil, nil, nil, nil // as an NF-e may be
	checks := invoice.RunChecks(*in)
	assert.InDelta(t, 1, invoice.Confidence(checks, invoice.SourceXML), 1e-9)
	checks[0].Passed = false
	assert.Less(t, invoice.Confidence(checks, invoice.SourceXML), 1.0)
}

func TestConfidenceWithoutArithmeticIsLow(t *testing.T) {
	t.Parallel()
	checks := without(invoice.RunChecks(*note(t)), arithmeticNames()...)
	require.True(t, invoice.AllPassed(checks))
	for _, source := range []invoice.Source{invoice.SourcePDF, invoice.SourceModel, invoice.SourceOCR, invoice.SourceManual, ""} {
		assert.LessOrEqual(t, invoice.Confidence(checks, source), 0.30, source)
	}
	assert.Zero(t, invoice.Confidence(nil, invoice.SourceModel))
	assert.Zero(t, invoice.Confidence(nil, invoice.SourceXML), "nothing was read")
}

func TestConfidenceOfAPlainPaperNoteIsHighWithoutACode(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.QR, in.Draft.PrintedItemCount, in.Draft.Items[2].Discount = nil, nil, 0
	assert.InDelta(t, 0.97, invoice.Confidence(invoice.RunChecks(*in), invoice.SourceModel), 1e-9)

	in.Draft.AccessKey = "" // the sums alone
	sums := invoice.Confidence(invoice.RunChecks(*in), invoice.SourceModel)
	assert.Greater(t, sums, 0.6)
	assert.Less(t, sums, 0.8)
}

func TestConfidenceNeverRisesWithOneMoreFailure(t *testing.T) {
	t.Parallel()
	whole := invoice.RunChecks(*note(t))
	states := map[string][]invoice.Check{
		"a whole note":        whole,
		"no key":              without(whole, invoice.CheckAccessKey, invoice.CheckKeyIssuer, invoice.CheckKeyDate),
		"no arithmetic":       without(whole, arithmeticNames()...),
		"one sum":             without(whole, arithmeticNames()[1:]...),
		"nothing":             nil,
		"one that no one had": {{Name: "UNHEARD_OF", Passed: true}},
	}
	for title, start := range states {
		for _, source := range everySource() {
			// In the place of each passed one, one after the other until all have failed.
			checks := slices.Clone(start)
			before := invoice.Confidence(checks, source)
			for i := range checks {
				alone := slices.Clone(start)
				alone[i].Passed = false
				assert.LessOrEqual(t, invoice.Confidence(alone, source), invoice.Confidence(start, source), "%s, %s", title, checks[i].Name)
				checks[i].Passed = false
				after := invoice.Confidence(checks, source)
				assert.LessOrEqual(t, after, before, "%s, %s", title, checks[i].Name)
				before = after
			}
			// In addition, line after line.
			for _, name := range append(allNames(), "UNHEARD_OF") {
				checks := slices.Clone(start)
				before := invoice.Confidence(checks, source)
				for line := 1; line <= 12; line++ {
					checks = append(checks, invoice.Check{Name: name, Line: line})
					after := invoice.Confidence(checks, source)
					assert.LessOrEqual(t, after, before, "%s, %s on %d lines", title, name, line)
					before = after
				}
			}
		}
	}
}

func TestConfidenceNeverFallsWithOneMoreProof(t *testing.T) {
	t.Parallel()
	whole := invoice.RunChecks(*note(t))
	for _, source := range everySource() {
		before := 0.0
		for n := range whole {
			after := invoice.Confidence(whole[:n+1], source)
			assert.GreaterOrEqual(t, after, before)
			before = after
		}
	}
}

func TestEveryFailureCostsConfidence(t *testing.T) {
	t.Parallel()
	whole := invoice.RunChecks(*note(t))
	for i, c := range whole {
		checks := slices.Clone(whole)
		checks[i].Passed = false
		for _, source := range everySource() {
			assert.Less(t, invoice.Confidence(checks, source), invoice.Confidence(whole, source), c.Name)
		}
	}
}

func TestArithmeticThatFailsCostsMoreThanAGTIN(t *testing.T) {
	t.Parallel()
	failing := func(name invoice.CheckName) float64 {
		checks := invoice.RunChecks(*note(t))
		for i := range checks {
			checks[i].Passed = checks[i].Name != name
		}
		return invoice.Confidence(checks, invoice.SourceModel)
	}
	gtin := failing(invoice.CheckItemGTIN)
	for _, name := range []invoice.CheckName{
		invoice.CheckItemTotal, invoice.CheckProductsTotal, invoice.CheckAmountDue, invoice.CheckPayments,
		invoice.CheckAccessKey, invoice.CheckQRKey, invoice.CheckQRAmount,
	} {
		assert.Less(t, failing(name), gtin, name)
	}
}

func TestConfidenceDoesNotDependOnTheOrderOfChecks(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Items[0].Total += 10
	checks := invoice.RunChecks(*in)
	backwards := slices.Clone(checks)
	slices.Reverse(backwards)
	for _, source := range everySource() {
		//nolint:testifylint // the very same number, not one near it
		assert.Equal(t, invoice.Confidence(checks, source), invoice.Confidence(backwards, source))
	}
}
