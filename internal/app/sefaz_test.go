package app_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/internal/sefaz/portaltest"
)

// startAsking runs the service with SEFAZ_LOOKUP=on and the portal in the place of the states'.
func (at installation) startAsking(t *testing.T, portals sefaz.Config) *app.App {
	t.Helper()
	at.env = append(slices.Clip(at.env), "SEFAZ_LOOKUP=on")
	a, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: quiet(), Sefaz: portals})
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, a) })
	require.NoError(t, a.Start(t.Context()))
	return a
}

// noted is a receipt in a state that is read by a page in the common model, and a photo of it that the stub of the vendors knows.
func noted(t *testing.T, stub *llmstub.Stub, seed uint64) (receipts.Receipt, []byte) {
	t.Helper()
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline, QRVersion: 2})
	style := receipts.Styles()[0]
	stub.KnowPaper(style, r)
	picture, err := r.Picture(style, 1)
	require.NoError(t, err)
	photo, err := receipts.JPEG(picture, 85)
	require.NoError(t, err)
	return r, photo
}

// stored is what the API says of an invoice.
type stored struct {
	Status, Source, AccessKey string
	Number, Series, ItemCount int
	IssuedAt                  time.Time
	Confidence                float64
	Issuer                    struct{ Name, CNPJ, State string }
	Items                     []struct {
		Description, Code, Unit, Quantity, UnitPrice string
		Total, Discount                              struct{ Centavos int64 }
	}
	Totals   struct{ Products, Discount, Due, Change struct{ Centavos int64 } }
	Payments []struct {
		Method string
		Amount struct{ Centavos int64 }
	}
	Attempts []struct{ Provider, Model, Outcome string }
	Files    []struct{ ID string }
	Failure  *struct{ Code, Message string }
}

func fetch(t *testing.T, c *apitest.Client, id string) stored {
	t.Helper()
	var out struct{ Invoice stored }
	c.Query(t, `query($id: ID!) { invoice(id: $id) { status source accessKey number series itemCount issuedAt confidence
		issuer { name cnpj state } items { description code unit quantity unitPrice total { centavos } discount { centavos } }
		totals { products { centavos } discount { centavos } due { centavos } change { centavos } }
		payments { method amount { centavos } } attempts { provider model outcome } files { id } failure { code message } } }`,
		map[string]any{"id": id}, &out)
	return out.Invoice
}

// isExactly compares an invoice with all that its page states.
func isExactly(t *testing.T, want invoice.Draft, got stored) {
	t.Helper()
	assert.Equal(t, "SEFAZ", got.Source)
	assert.Equal(t, "COMPLETED", got.Status)
	assert.InDelta(t, 1, got.Confidence, 0)
	assert.Equal(t, want.AccessKey, got.AccessKey)
	assert.Equal(t, []int{want.Number, *want.Series, *want.PrintedItemCount}, []int{got.Number, got.Series, got.ItemCount})
	assert.True(t, want.IssuedAt.Equal(got.IssuedAt))
	assert.Equal(t, want.Issuer, invoice.Issuer{Name: got.Issuer.Name, CNPJ: got.Issuer.CNPJ, State: got.Issuer.State})
	assert.Equal(t, int64(*want.Totals.Products), got.Totals.Products.Centavos)
	assert.Equal(t, int64(want.Totals.Discount), got.Totals.Discount.Centavos)
	assert.Equal(t, int64(*want.Totals.Due), got.Totals.Due.Centavos)
	assert.Equal(t, int64(want.Totals.Change), got.Totals.Change.Centavos)
	require.Len(t, got.Items, len(want.Items))
	for i, it := range want.Items {
		is := got.Items[i]
		assert.Equal(t, []string{it.Description, it.Code, it.Unit}, []string{is.Description, is.Code, is.Unit})
		assert.True(t, it.Quantity.Equal(decimal.RequireFromString(is.Quantity)))
		assert.True(t, it.UnitPrice.Equal(decimal.RequireFromString(is.UnitPrice)))
		assert.Equal(t, []int64{int64(it.Total), int64(it.Discount)}, []int64{is.Total.Centavos, is.Discount.Centavos})
	}
	require.Len(t, got.Payments, len(want.Payments))
	for i, p := range want.Payments {
		assert.Equal(t, string(p.Method), got.Payments[i].Method)
		assert.Equal(t, int64(p.Amount), got.Payments[i].Amount.Centavos)
	}
}

func TestAPhotoWhoseCodeTheStateKnowsCostsNoCallAndIsExact(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub, portal := llmstub.Start(t), portaltest.Start(t)
		r, photo := noted(t, stub, 31)
		portal.Know(portaltest.Common, r, true)
		c := apitest.Client{URL: withVendors(at, stub).startAsking(t, sefaz.Config{Network: portal.Network()}).URL()}
		c.SignUp(t, "ana@example.com")
		consentAll(t, &c)
		id, stage := submitted(t, &c, photo)
		assert.Equal(t, "COMPLETED", stage)
		isExactly(t, portaltest.Draft(portaltest.Common, r), fetch(t, &c, id))
		assert.Empty(t, stub.Calls())
		assert.Len(t, portal.Requests(), 1)
	})
}

// TestWithThePortalDownAPhotoGoesToTheProviders follows the order of things: the portal is asked, its deadline passes, and only
// then, without another wait, the first provider.
func TestWithThePortalDownAPhotoGoesToTheProviders(t *testing.T) {
	t.Parallel()
	const deadline = 200 * time.Millisecond
	stub, portal := llmstub.Start(t), portaltest.Start(t)
	_, photo := noted(t, stub, 32)
	portal.Fail(portaltest.Down)
	ended := make(chan time.Time, 1)
	c := apitest.Client{URL: withVendors(installation{"embedded", environ(t)}, stub).startAsking(t, sefaz.Config{
		Network: portal.Network(), Timeout: deadline,
		Observe: func(_ string, outcome invoice.RecordOutcome, elapsed time.Duration) {
			assert.Equal(t, invoice.RecordUnavailable, outcome)
			assert.GreaterOrEqual(t, elapsed, deadline)
			assert.Empty(t, stub.Calls(), "no provider before the deadline")
			ended <- time.Now()
		},
	}).URL()}
	c.SignUp(t, "ana@example.com")
	consentAll(t, &c)
	id, stage := submitted(t, &c, photo)
	assert.Equal(t, "COMPLETED", stage)
	require.Len(t, ended, 1)
	require.NoError(t, stub.AwaitDone(t.Context()))
	assert.Len(t, stub.Calls(), 1)
	inv := fetch(t, &c, id)
	assert.Equal(t, "MODEL", inv.Source)
	require.Len(t, inv.Attempts, 2)
	assert.Equal(t, []string{"sefaz", "unavailable"}, []string{inv.Attempts[0].Provider, inv.Attempts[0].Outcome})
	assert.Equal(t, "gemini", inv.Attempts[1].Provider)
}

func TestACodeOrAKeyIsSubmittedWithoutAFile(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub, portal := llmstub.Start(t), portaltest.Start(t)
		at = withVendors(at, stub)
		c := apitest.Client{URL: at.startAsking(t, sefaz.Config{Network: portal.Network(), Interval: time.Nanosecond}).URL()}
		c.SignUp(t, "ana@example.com")
		for seed, uf := range map[uint64]string{41: "RJ", 42: "SP"} {
			shop := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 1}).Store
			shop.State = receipts.States()[slices.IndexFunc(receipts.States(), func(s receipts.State) bool { return s.UF == uf })]
			r := receipts.Generate(receipts.NewRand(seed), receipts.Options{
				Store: &shop, Items: 3, Plain: true, Issue: receipts.IssueOffline, QRVersion: 3, Consumer: receipts.ConsumerCPF,
			})
			portal.Know(portaltest.Danfe, r, false)
			input := map[string]any{"qrCode": r.QR}
			if uf == "RJ" {
				input = map[string]any{"accessKey": r.Key.Grouped()}
			}
			var out apitest.Submission
			res := c.Query(t, `mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id status } duplicate { reason } } }`,
				map[string]any{"input": input}, &out)
			require.Empty(t, res.Errors)
			id := out.SubmitInvoice.Invoice.ID
			events := c.Watch(t, id, 0)
			assert.Equal(t, "QUEUED", events[0].Stage)
			inv := fetch(t, &c, id)
			isExactly(t, portaltest.Draft(portaltest.Danfe, r), inv)
			assert.Empty(t, inv.Files, "nobody sent a file")

			archive := exported(t, &c)
			assert.Contains(t, archive, string(r.Key), "what is kept of the code is in the export")
			assert.NotContains(t, archive, r.ConsumerCPF)
		}
		assert.Empty(t, stub.Calls())
		res := c.Query(t, `mutation { submitInvoice(input: {qrCode: "https://example.com"}) { invoice { id } } }`, nil, nil)
		assert.Equal(t, "BAD_USER_INPUT", res.Code())
		res = c.Query(t, `mutation { submitInvoice(input: {}) { invoice { id } } }`, nil, nil)
		assert.Equal(t, "BAD_USER_INPUT", res.Code())
	})
}

// exported is the text of the submitted files in the viewer's export.
func exported(t *testing.T, c *apitest.Client) string {
	t.Helper()
	var out struct{ ExportMyData struct{ URL string } }
	require.Empty(t, c.Query(t, `mutation { exportMyData { url } }`, nil, &out).Errors)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+out.ExportMyData.URL, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var text strings.Builder
	for _, f := range archive.File {
		if strings.HasPrefix(f.Name, "arquivos/") && strings.HasSuffix(f.Name, ".qr") {
			r, err := f.Open()
			require.NoError(t, err)
			_, err = io.Copy(&text, r)
			require.NoError(t, errors.Join(err, r.Close()))
		}
	}
	return text.String()
}

func TestWithoutTheSettingNoStateIsAsked(t *testing.T) {
	t.Parallel()
	stub := llmstub.Start(t)
	r, photo := noted(t, stub, 33)
	c := apitest.Client{URL: withVendors(installation{"embedded", environ(t)}, stub).start(t, app.RoleAll).URL()}
	c.SignUp(t, "ana@example.com")
	consentAll(t, &c)
	res := c.Query(t, `mutation($qr: String) { submitInvoice(input: {qrCode: $qr}) { invoice { id } } }`, map[string]any{"qr": r.QR}, nil)
	assert.Equal(t, "UNAVAILABLE", res.Code())
	id, stage := submitted(t, &c, photo)
	assert.Equal(t, "COMPLETED", stage)
	inv := fetch(t, &c, id)
	require.Len(t, inv.Attempts, 1)
	assert.Equal(t, "gemini", inv.Attempts[0].Provider)
}
