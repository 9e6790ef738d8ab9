package receipts

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

// note is what a test reads back, with encoding/xml's own struct tags and nothing of ours.
type note struct {
	Info struct {
		ID    string `xml:"Id,attr"`
		Model string `xml:"ide>mod"`
		Name  string `xml:"emit>xNome"`
		CPF   string `xml:"dest>CPF"`
		Items []struct {
			Description string `xml:"prod>xProd"`
			Total       string `xml:"prod>vProd"`
			GTIN        string `xml:"prod>cEAN"`
		} `xml:"det"`
		Due      string   `xml:"total>ICMSTot>vNF"`
		Discount string   `xml:"total>ICMSTot>vDesc"`
		Paid     []string `xml:"pag>detPag>vPag"`
		Change   string   `xml:"pag>vTroco"`
	} `xml:"infNFe"`
	QR     string `xml:"infNFeSupl>qrCode"`
	KeyURL string `xml:"infNFeSupl>urlChave"`
}

func readNote(t *testing.T, data []byte, wrapped bool) note {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		require.Equal(t, "ISO-8859-1", charset)
		return charmap.ISO8859_1.NewDecoder().Reader(in), nil
	}
	if !wrapped {
		var n note
		require.NoError(t, d.Decode(&n))
		return n
	}
	var proc struct {
		Note     note   `xml:"NFe"`
		Key      string `xml:"protNFe>infProt>chNFe"`
		Protocol string `xml:"protNFe>infProt>nProt"`
	}
	require.NoError(t, d.Decode(&proc))
	assert.Equal(t, proc.Note.Info.ID, "NFe"+proc.Key)
	assert.Len(t, proc.Protocol, 15)
	return proc.Note
}

func assertNote(t *testing.T, r Receipt, n note) {
	t.Helper()
	assert.Equal(t, "NFe"+string(r.Key), n.Info.ID)
	assert.Equal(t, "65", n.Info.Model)
	assert.Equal(t, r.Store.Name, n.Info.Name)
	assert.Equal(t, r.ConsumerCPF, n.Info.CPF)
	assert.Equal(t, r.Due().Decimal().StringFixed(2), n.Info.Due)
	assert.Equal(t, r.TotalDiscount().Decimal().StringFixed(2), n.Info.Discount)
	assert.Equal(t, r.Change.Decimal().StringFixed(2), n.Info.Change)
	assert.Len(t, n.Info.Paid, len(r.Payments))
	assert.Equal(t, r.QR, n.QR)
	assert.Equal(t, r.Store.State.KeyURL, n.KeyURL)
	require.Len(t, n.Info.Items, len(r.Items))
	for i, it := range r.Items {
		assert.Equal(t, it.Product.Description, n.Info.Items[i].Description)
		assert.Equal(t, it.Total.Decimal().StringFixed(2), n.Info.Items[i].Total)
		if it.GTIN == "" {
			assert.Equal(t, "SEM GTIN", n.Info.Items[i].GTIN)
		}
	}
}

func TestXMLIsWellFormedAndSaysThePurchase(t *testing.T) {
	t.Parallel()
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		data, err := r.XML(XMLOptions{})
		require.NoError(t, err)
		assertNote(t, r, readNote(t, data, true))
	})
}

func TestXMLVariantsSayTheSame(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]XMLOptions{
		"bare": {Bare: true}, "latin1": {Latin1: true}, "byte order mark": {BOM: true}, "prefix": {Prefix: "nfe"},
		"all but the mark": {Bare: true, Latin1: true, Prefix: "n0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				r := Generate(NewRand(seed), Options{})
				data, err := r.XML(o)
				require.NoError(t, err)
				assertNote(t, r, readNote(t, data, !o.Bare))
				assert.Equal(t, o.BOM, bytes.HasPrefix(data, []byte("\ufeff")))
				assert.Equal(t, o.Prefix != "", bytes.Contains(data, []byte("<"+o.Prefix+":infNFe ")))
				assert.Equal(t, o.Latin1, bytes.Contains(data, []byte(`encoding="ISO-8859-1"`)))
			}
		})
	}
}
