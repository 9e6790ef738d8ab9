package sefaz

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const fuzzKey fiscal.AccessKey = "35261111222333000181650010000123451876543214"

// FuzzReadPage holds the parser to its word for any page: it ends, an outcome is one of those there are, a found note is whole and
// the one that was asked for, and no CPF comes out of it.
func FuzzReadPage(f *testing.F) {
	pages, err := filepath.Glob("testdata/pages/*.html")
	require.NoError(f, err)
	require.NotEmpty(f, pages)
	for _, path := range pages {
		data, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(data, "text/html; charset=utf-8")
		f.Add(data[:len(data)/2], "text/html; charset=iso-8859-1")
	}
	f.Add([]byte("<iframe src='//x'>"), "")
	f.Add([]byte(strings.Repeat("<table><tr><td>", 300)), "text/html")
	at, err := url.Parse("https://www.nfce.fazenda.sp.gov.br/qrcode")
	require.NoError(f, err)
	zone := time.FixedZone("-03", -3*60*60)
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		if len(body) > maxPage {
			t.Skip()
		}
		p := page{body: body, contentType: contentType, at: at}
		frameOf(p)
		got, err := read(p, fuzzKey, zone)
		switch got.Outcome {
		case invoice.RecordFound:
			require.NoError(t, err)
			d := got.Draft
			require.NotNil(t, d)
			assert.Equal(t, string(fuzzKey), d.AccessKey)
			assert.NotEmpty(t, d.Items)
			require.NotNil(t, d.Totals.Due)
			for _, it := range d.Items {
				assert.NotEmpty(t, it.Description)
				assert.GreaterOrEqual(t, it.Total, fiscal.Money(0))
				assert.Equal(t, fiscal.MaskCPFs(it.Description), it.Description)
			}
			assert.Equal(t, fiscal.MaskCPF(d.ConsumerCPF), d.ConsumerCPF)
			invoice.RunChecks(invoice.CheckInput{Draft: d, Now: time.Now()})
		case invoice.RecordUnknownLayout:
			require.Error(t, err)
			assert.Nil(t, got.Draft)
		case invoice.RecordNotYet, invoice.RecordCaptcha, invoice.RecordUnavailable, invoice.RecordRefused, invoice.RecordCancelled:
			require.NoError(t, err)
			assert.Nil(t, got.Draft)
		default:
			assert.Fail(t, "an outcome that is none", got.Outcome)
		}
	})
}
