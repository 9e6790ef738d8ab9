package sefaz_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/internal/sefaz/portaltest"
)

// cutAfter is the word that follows mark.
func cutAfter(s, mark string) (before, word string, found bool) {
	before, rest, found := strings.Cut(s, mark)
	word, _, _ = strings.Cut(rest, " ")
	return before, word, found
}

func TestTheAddressIsTheTablesAndTheQueryTheFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := receipt(t, "SP", 1)
	b.portal.Know(portaltest.Common, r, false)
	qr := codeOf(t, r)
	moved := strings.Replace(r.QR, "www.nfce.fazenda.sp.gov.br/qrcode", "evil.example.com/old/path.jsp", 1)
	hostile, err := fiscal.ParseQR(moved + "&x=<script>")
	require.NoError(t, err)
	require.Equal(t, invoice.RecordFound, b.Lookup(t.Context(), hostile).Outcome, "where the code leads does not matter")
	require.Len(t, b.portal.Requests(), 1)
	asked := b.portal.Requests()[0]
	assert.Equal(t, "www.nfce.fazenda.sp.gov.br", asked.Host)
	assert.Equal(t, "/qrcode", asked.Path)
	assert.Equal(t, qr.Lookup(), asked.P)
	assert.True(t, asked.Secure)
}

func TestHttpsIsPreferredAndHttpTriedWhereTheTableHasIt(t *testing.T) {
	t.Parallel()
	for uf, want := range map[string]invoice.RecordOutcome{"PR": invoice.RecordFound, "SP": invoice.RecordUnavailable} {
		b := setup(t)
		r := receipt(t, uf, 1)
		b.portal.Know(portaltest.Common, r, false)
		require.Equal(t, invoice.RecordFound, b.lookup(t, r).Outcome)
		require.True(t, b.portal.Requests()[0].Secure, uf)
		b.portal.Fail(portaltest.NoTLS)
		assert.Equal(t, want, b.lookup(t, r).Outcome, uf)
	}
	b := setup(t)
	r := receipt(t, "SP", 1)
	b.portal.Know(portaltest.Common, r, false)
	b.portal.Fail(portaltest.Downgrade)
	assert.Equal(t, invoice.RecordRefused, b.lookup(t, r).Outcome, "a state with https does not lead to http")
}

func TestANameThatLeadsToAPrivateAddressIsNotDialled(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:127.0.0.1", "100.64.0.1", "0.0.0.0"} {
		b := setup(t)
		r := receipt(t, "PR", 1)
		b.portal.Know(portaltest.Common, r, false)
		b.portal.Hide("www.fazenda.pr.gov.br", addr)
		assert.Equal(t, invoice.RecordRefused, b.lookup(t, r).Outcome, addr)
		assert.Empty(t, b.portal.Requests(), addr)
	}
	b := setup(t) // behind a redirect, by a name of the state's own
	r := receipt(t, "BA", 1)
	b.portal.Know(portaltest.Common, r, false)
	b.portal.Fail(portaltest.Private)
	b.portal.Hide("www.sefaz.ba.gov.br", "169.254.169.254")
	assert.Equal(t, invoice.RecordRefused, b.lookup(t, r).Outcome)
	assert.Len(t, b.portal.Requests(), 1)
}

func TestASilentPortalIsLeftAtTheDeadline(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *sefaz.Config) { c.Timeout = 50 * time.Millisecond })
	b.portal.Fail(portaltest.Down)
	assert.Equal(t, invoice.RecordUnavailable, b.lookup(t, receipt(t, "SP", 1)).Outcome)
}

func TestABrokenPortalIsLeftAloneAndTheOthersAreNot(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *sefaz.Config) { c.Breaker = sefaz.Breaker{Failures: 2, Of: 2, Delay: time.Hour} })
	b.portal.Fail(portaltest.Error)
	r := receipt(t, "SP", 1)
	for range 4 {
		assert.Equal(t, invoice.RecordUnavailable, b.lookup(t, r).Outcome)
	}
	assert.Len(t, b.portal.Requests(), 2, "two that failed, and no more")
	b.portal.Fail(portaltest.None)
	other := receipt(t, "RJ", 1)
	b.portal.Know(portaltest.Common, other, false)
	assert.Equal(t, invoice.RecordFound, b.lookup(t, other).Outcome)
}

func TestPagesOfWordsDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *sefaz.Config) { c.Breaker = sefaz.Breaker{Failures: 2, Of: 2, Delay: time.Hour} })
	b.portal.Fail(portaltest.NotYet)
	for range 5 {
		assert.Equal(t, invoice.RecordNotYet, b.lookup(t, receipt(t, "SP", 1)).Outcome)
	}
	assert.Len(t, b.portal.Requests(), 5)
}

func TestAStateIsNotAskedFasterThanItsTurn(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *sefaz.Config) { c.Interval, c.Timeout = time.Hour, time.Hour })
	r := receipt(t, "SP", 1)
	b.portal.Know(portaltest.Common, r, false)
	assert.Equal(t, invoice.RecordFound, b.lookup(t, r).Outcome)
	assert.Equal(t, invoice.RecordUnavailable, b.lookup(t, r).Outcome, "a turn that is an hour away is not waited for")
	assert.Len(t, b.portal.Requests(), 1)
}

func TestWhoGivesUpIsNotHeldAgainstTheState(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *sefaz.Config) { c.Breaker = sefaz.Breaker{Failures: 1, Of: 1, Delay: time.Hour} })
	r := receipt(t, "SP", 1)
	b.portal.Know(portaltest.Common, r, false)
	b.portal.Fail(portaltest.Down)
	ctx, cancel := context.WithCancel(t.Context())
	done, qr := make(chan invoice.Record), codeOf(t, r)
	go func() { done <- b.Lookup(ctx, qr) }()
	<-b.portal.Asked()
	cancel()
	assert.Equal(t, invoice.RecordUnavailable, (<-done).Outcome)
	b.portal.Fail(portaltest.None)
	assert.Equal(t, invoice.RecordFound, b.lookup(t, r).Outcome)
}

func TestEveryLookupIsObserved(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	b := setup(t, func(c *sefaz.Config) {
		c.Observe = func(state string, outcome invoice.RecordOutcome, elapsed time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			assert.Positive(t, elapsed)
			seen[state+" "+string(outcome)]++
		}
	})
	r := receipt(t, "SP", 1)
	b.lookup(t, r)
	b.portal.Know(portaltest.Common, r, false)
	b.lookup(t, r)
	b.portal.Fail(portaltest.Captcha)
	b.lookup(t, receipt(t, "RJ", 1))
	assert.Equal(t, map[string]int{"SP NOT_YET": 1, "SP FOUND": 1, "RJ CAPTCHA": 1}, seen)
}

func TestWhatNoStateShowsIsRefusedBeforeItIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := func(uf string) fiscal.QR { return fiscal.QR{Key: receipt(t, uf, 1).Key} }
	require.NoError(t, b.Accepts(key("RJ")))
	require.NoError(t, b.Accepts(codeOf(t, receipt(t, "MG", 1))))
	require.NoError(t, b.Accepts(codeOf(t, receipt(t, "MG", 1, func(o *receipts.Options) { o.QRVersion = 3 }))))
	proofless := codeOf(t, receipt(t, "RJ", 1))
	proofless.Hash = ""
	for name, qr := range map[string]fiscal.QR{
		"nothing":                    {},
		"a key alone, hash needed":   key("MG"),
		"a test":                     codeOf(t, receipt(t, "RJ", 1, func(o *receipts.Options) { o.Test = true })),
		"a code without its hash":    proofless,
		"an NF-e":                    {Key: nfe(t)},
		"a key that was not checked": {Key: "3526"},
	} {
		err := b.Accepts(qr)
		require.Error(t, err, name)
		assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err), name)
		assert.Equal(t, invoice.RecordRefused, b.Lookup(t.Context(), qr).Outcome, name)
	}
	assert.Empty(t, b.portal.Requests())
}

// nfe is the key of a company's note.
func nfe(t *testing.T) fiscal.AccessKey {
	t.Helper()
	body := "35261111222333000181550010000123451" + "87654321"
	digit, err := fiscal.AccessKeyCheckDigit(body)
	require.NoError(t, err)
	key, err := fiscal.ParseAccessKey(body + string(digit))
	require.NoError(t, err)
	return key
}
