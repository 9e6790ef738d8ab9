package invoice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// code is what the QR code of an offline note says that agrees with d.
func code(t *testing.T, d invoice.Draft) *fiscal.QR {
	t.Helper()
	key, err := fiscal.ParseAccessKey(d.AccessKey)
	require.NoError(t, err)
	return &fiscal.QR{Key: key, Amount: d.Totals.Due, Day: d.IssuedAt.Day(), Host: "sefaz.example", State: key.State()}
}

func verdict(checks []invoice.Check, name invoice.CheckName) *invoice.Check {
	for i := range checks {
		if checks[i].Name == name {
			return &checks[i]
		}
	}
	return nil
}

func TestARunWithoutTheCodeSaysWhatTheRunWithItSaid(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, change := range map[string]func(*invoice.Draft, *fiscal.QR){
		"all agrees":        func(*invoice.Draft, *fiscal.QR) {},
		"the key is not":    func(_ *invoice.Draft, qr *fiscal.QR) { qr.Key = fiscal.AccessKey(draft(2).AccessKey) },
		"the amount is not": func(_ *invoice.Draft, qr *fiscal.QR) { qr.Amount = new(fiscal.Money(1)) },
		"within tolerance":  func(d *invoice.Draft, qr *fiscal.QR) { qr.Amount = new(*d.Totals.Due + 2) },
		"the day is not":    func(_ *invoice.Draft, qr *fiscal.QR) { qr.Day++ },
		"the state is not":  func(_ *invoice.Draft, qr *fiscal.QR) { qr.State = "RR" },
		"no state's host":   func(_ *invoice.Draft, qr *fiscal.QR) { qr.State = "" },
		"a test":            func(_ *invoice.Draft, qr *fiscal.QR) { qr.Test = true },
		"the code's key alone": func(d *invoice.Draft, _ *fiscal.QR) {
			d.AccessKey = ""
		},
		"the code's key alone, another": func(d *invoice.Draft, qr *fiscal.QR) {
			d.AccessKey, qr.Key = "", fiscal.AccessKey(draft(2).AccessKey)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := draft(1)
			qr := code(t, d)
			change(&d, qr)
			first := invoice.RunChecks(invoice.CheckInput{Draft: &d, QR: qr, Now: now})
			require.NotNil(t, verdict(first, invoice.CheckQRAmount))
			assert.Equal(t, first, invoice.RunChecks(invoice.CheckInput{Draft: &d, Former: first, Now: now}))
			assert.Equal(t, first, invoice.RunChecks(invoice.CheckInput{Draft: &d, QR: qr, Former: nil, Now: now}), "a code at hand is asked itself")
		})
	}
}

func TestACorrectionIsHeldAgainstWhatTheCodeSaid(t *testing.T) {
	t.Parallel()
	right, wrong := draft(1), draft(1)
	qr := code(t, right)
	wrong.AccessKey = draft(2).AccessKey
	wrong.Totals.Due = new(*right.Totals.Due + 100)
	wrong.IssuedAt = new(right.IssuedAt.AddDate(0, 0, 1))
	run := func(d invoice.Draft, former []invoice.Check) []invoice.Check {
		return invoice.RunChecks(invoice.CheckInput{Draft: &d, Former: former})
	}
	names := []invoice.CheckName{invoice.CheckQRKey, invoice.CheckQRAmount, invoice.CheckQRDay}
	withCode := invoice.RunChecks(invoice.CheckInput{Draft: &right, QR: qr})
	withCodeWrong := invoice.RunChecks(invoice.CheckInput{Draft: &wrong, QR: qr})
	corrected, spoilt := run(right, withCodeWrong), run(wrong, withCode)
	for _, name := range names {
		require.NotNil(t, verdict(corrected, name), name)
		assert.True(t, verdict(corrected, name).Passed, name)
		assert.False(t, verdict(spoilt, name).Passed, name)
		assert.Equal(t, verdict(withCodeWrong, name), verdict(spoilt, name), name)
	}
	assert.Equal(t, withCode, run(right, spoilt), "and back again")
	cleared := run(invoice.Draft{Items: right.Items}, withCode)
	for _, name := range append(names, invoice.CheckQRState, invoice.CheckKeyIssuer) {
		assert.Nil(t, verdict(cleared, name), name)
	}
}

func TestFieldsAreHeldAgainstAKeyThatOnlyTheCodeHas(t *testing.T) {
	t.Parallel()
	right := withoutKey(draft(1))
	qr := code(t, draft(1))
	former := invoice.RunChecks(invoice.CheckInput{Draft: &right, QR: qr})
	wrong := right
	wrong.Number++
	wrong.Series = new(*right.Series + 1)
	wrong.Issuer.CNPJ = "11222333000181"
	wrong.IssuedAt = new(right.IssuedAt.AddDate(0, 2, 0))
	spoilt := invoice.RunChecks(invoice.CheckInput{Draft: &wrong, Former: former})
	assert.Equal(t, invoice.RunChecks(invoice.CheckInput{Draft: &wrong, QR: qr}), spoilt)
	for _, name := range []invoice.CheckName{invoice.CheckKeyNumber, invoice.CheckKeySeries, invoice.CheckKeyIssuer, invoice.CheckKeyDate} {
		assert.False(t, verdict(spoilt, name).Passed, name)
	}
	assert.Equal(t, former, invoice.RunChecks(invoice.CheckInput{Draft: &right, Former: spoilt}))
}

func TestACodesVerdictsOutliveACorrection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := misread()
	qr := code(t, d)
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{Pages: []invoice.DocumentPage{{Data: []byte("x")}}, QR: qr}, nil
	}
	inv := b.read(t, "photo", d)
	got := b.correct(t, right(inv))
	assert.Equal(t, invoice.StatusCompleted, got.Status)
	assert.Equal(t, verdict(inv.Checks, invoice.CheckQRKey), verdict(got.Checks, invoice.CheckQRKey))
	got = b.correct(t, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: got.Version, IssuedAt: set(inv.IssuedAt.AddDate(0, 0, -1))})
	assert.Contains(t, failed(got), invoice.CheckQRDay, "the code has another day")
	assert.Equal(t, invoice.StatusNeedsReview, got.Status)
}
