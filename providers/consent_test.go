package providers

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// consents is who allows what.
type consents map[string][]string

func (c consents) Allowed(_ context.Context, userID string) (func(string) bool, error) {
	names, ok := c[userID]
	if !ok {
		return nil, errors.New("database is down")
	}
	return func(provider string) bool { return slices.Contains(names, provider) }, nil
}

func TestConsentIsRespected(t *testing.T) {
	t.Parallel()
	users := consents{"all": {"a", "b"}, "b": {"b"}, "none": {}}
	build := func() (a, b, ocr *stub) {
		return &stub{name: "a", reply: receiptOf(t, "1.00", 1)}, &stub{name: "b", reply: receiptOf(t, "1.00", 1)},
			&stub{name: "ocr", local: true, reply: receiptOf(t, "1.00", 1)}
	}
	for user, want := range map[string]string{"all": "a ok", "b": "b ok", "none": "ocr ok"} {
		a, b, ocr := build()
		req := onePicture()
		req.UserID = user
		got, err := chainOf(t, ChainConfig{Consents: users}, a, b, ocr).Extract(t.Context(), req, ignore)
		require.NoError(t, err)
		assert.Equal(t, []string{want}, outcomes(got), "a local provider needs no consent")
	}
}

func TestWhatIsSaidWithoutConsent(t *testing.T) {
	t.Parallel()
	pdfOnly := &stub{name: "pdf", media: []string{"application/pdf"}}
	for name, tc := range map[string]struct {
		stubs     []*stub
		code      invoice.Code
		permanent bool
		message   string
	}{
		"nobody else":             {[]*stub{{name: "a"}}, invoice.CodeForbidden, true, sentenceConsent},
		"others cannot read it":   {[]*stub{{name: "a"}, {name: "ocr", local: true, reply: "{}"}}, invoice.CodeForbidden, true, sentenceConsent},
		"others take no such":     {[]*stub{{name: "a"}, pdfOnly}, invoice.CodeForbidden, true, sentenceConsent},
		"it could not read it":    {[]*stub{pdfOnly}, invoice.CodeUnsupportedMedia, true, sentenceUnsupported},
		"another may do so later": {[]*stub{{name: "a"}, {name: "ocr", local: true, err: &sdk.Error{Kind: sdk.KindUnavailable}}}, invoice.CodeUnavailable, false, sentenceLaterConsent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := chainOf(t, ChainConfig{Consents: consents{"": {}}}, tc.stubs...).Extract(t.Context(), onePicture(), ignore)
			e, ok := errors.AsType[*invoice.ExtractionError](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.code, e.Code)
			assert.Equal(t, tc.permanent, e.Permanent)
			assert.Equal(t, tc.message, e.Message)
			assert.Zero(t, tc.stubs[0].calls.Load())
		})
	}
}

func TestConsentThatIsNotKnownIsNone(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a"}
	_, err := chainOf(t, ChainConfig{Consents: consents{}}, a).Extract(t.Context(), onePicture(), ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, invoice.CodeUnavailable, e.Code)
	assert.False(t, e.Permanent)
	assert.Zero(t, a.calls.Load())
}
