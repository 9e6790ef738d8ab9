package document

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// A note that is kept says the same of the purchase and less of who made it.
func TestAStoredXMLDoesNotTellWhoBought(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		r := receipts.Generate(receipts.NewRand(seed), receipts.Options{
			Items: 3, Consumer: receipts.ConsumerCPF, QRVersion: 2 + int(seed%2), Issue: receipts.Issue(1 + seed/2%2),
		})
		data, err := r.XML(receipts.XMLOptions{})
		require.NoError(t, err)
		require.Contains(t, string(data), r.ConsumerCPF)
		kept := scrubbed(invoice.FileXML, data)
		assert.NotContains(t, string(kept), r.ConsumerCPF)
		before, qr, err := readXML(data)
		require.NoError(t, err)
		after, keptQR, err := readXML(kept)
		require.NoError(t, err)
		assert.Equal(t, before, after)
		for _, code := range []*fiscal.QR{qr, keptQR} { // a run of digits in them may look like a CPF; no state is asked for an XML
			code.TokenID, code.Hash, code.Digest = "", "", ""
		}
		assert.Equal(t, qr, keptQR)
	}
}

func TestNamesAndFreeTextOfAStoredXMLAreMasked(t *testing.T) {
	t.Parallel()
	const note = `<n:NFe><n:dest><n:CPF>52998224725</n:CPF><n:xNome>MARIA DA SILVA</n:xNome><n:enderDest><n:fone>11987654321</n:fone></n:enderDest></n:dest>` +
		`<n:infAdic><n:infCpl>CLIENTE CPF 529.982.247-25 PEDIDO 7</n:infCpl></n:infAdic>` +
		`<qrCode><![CDATA[https://x/qr?p=3511|3|1|02|12.34|2|52998224725|abc]]></qrCode></n:NFe>`
	kept := string(scrubbedXML([]byte(note)))
	for _, secret := range []string{"52998224725", "529.982", "MARIA", "11987654321"} {
		assert.NotContains(t, kept, secret)
	}
	assert.Contains(t, kept, "<n:dest><n:CPF>***.***.247-**</n:CPF></n:dest>")
	assert.Contains(t, kept, "PEDIDO 7")
	const company = `<dest><CNPJ>11222333000181</CNPJ><xNome>LOJA LTDA</xNome></dest>`
	assert.Equal(t, `<dest><CNPJ>11222333000181</CNPJ></dest>`, string(scrubbedXML([]byte(company))))
}
