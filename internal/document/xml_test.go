package document

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// requireDraft asserts equality of what two drafts say: decimals and times have more than one form.
func requireDraft(t *testing.T, want, got invoice.Draft) {
	t.Helper()
	require.Len(t, got.Items, len(want.Items))
	for i := range want.Items {
		require.Truef(t, want.Items[i].Quantity.Equal(got.Items[i].Quantity), "item %d quantity %s", i, got.Items[i].Quantity)
		require.Truef(t, want.Items[i].UnitPrice.Equal(got.Items[i].UnitPrice), "item %d price %s", i, got.Items[i].UnitPrice)
		got.Items[i].Quantity, got.Items[i].UnitPrice = want.Items[i].Quantity, want.Items[i].UnitPrice
	}
	require.NotNil(t, got.IssuedAt)
	require.True(t, want.IssuedAt.Equal(*got.IssuedAt))
	got.IssuedAt = want.IssuedAt
	require.Equal(t, want, got)
}

func TestEveryFieldOfANoteIsExact(t *testing.T) {
	t.Parallel()
	variants := []receipts.XMLOptions{{}, {Bare: true}, {Latin1: true}, {BOM: true}, {Prefix: "nfe"}, {Prefix: "n", Bare: true, BOM: true}}
	for seed := range uint64(120) {
		r, _ := receipt(seed, receipts.Options{Test: seed%10 == 0})
		r.TaxReform = r.TaxReform || seed%7 == 0
		o := variants[seed%uint64(len(variants))]
		data, err := r.XML(o)
		require.NoError(t, err)
		got, err := shared().Read(t.Context(), []invoice.Content{{Data: data}}, nil)
		require.NoError(t, err, "seed %d", seed)
		require.Equal(t, invoice.SourceXML, got.Source)
		require.Empty(t, got.Pages)
		want := r.Draft()
		if o.Bare {
			want.Protocol = ""
		}
		requireDraft(t, want, *got.Draft)
		require.NotNil(t, got.QR)
		require.Equal(t, r.Key, got.QR.Key)

		found, err := shared().Inspect(t.Context(), data)
		require.NoError(t, err)
		require.Equal(t, invoice.FileXML, found.Kind)
		require.Equal(t, string(r.Key), found.AccessKey)
	}
}

// note is a bare NF-e around the given parts. The key is that of DOMAIN's worked example.
func note(items, totals, rest string) string {
	return `<NFe><infNFe Id="NFe35261111222333000181650010000123451876543214">` +
		`<ide><mod>55</mod><serie>0</serie><nNF>12345</nNF><dhEmi>2026-11-23T16:00:00-03:00</dhEmi></ide>` +
		`<emit><CNPJ>11222333000181</CNPJ><xNome>MERCADO</xNome><enderEmit><UF>SP</UF></enderEmit></emit>` +
		items + `<total>` + totals + `</total>` + rest + `</infNFe></NFe>`
}

func item(extra string) string {
	return `<det nItem="1"><prod><cProd>1</cProd><cEAN>SEM GTIN</cEAN><xProd>PAO</xProd><uCom>UN</uCom><qCom>1.0000</qCom>` +
		`<vUnCom>100.0000000000</vUnCom><vProd>100.00</vProd><indTot>1</indTot></prod><imposto>` + extra + `</imposto></det>`
}

func TestAmountDueAddsUpInEveryKindOfNote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items, totals, rest string
		taxes, due          fiscal.Money
	}{
		"plain":            {item(""), `<ICMSTot><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot>`, "", 0, 10000},
		"all added taxes":  {item(""), `<ICMSTot><vST>1.00</vST><vFCPST>2.00</vFCPST><vProd>100.00</vProd><vFrete>3.00</vFrete><vSeg>4.00</vSeg><vDesc>5.00</vDesc><vII>6.00</vII><vIPI>7.00</vIPI><vIPIDevol>8.00</vIPIDevol><vOutro>9.00</vOutro><vNF>135.00</vNF><vTotTrib>50.00</vTotTrib></ICMSTot>`, "", 2400, 13500},
		"with a service":   {item(""), `<ICMSTot><vProd>100.00</vProd><vNF>130.00</vNF></ICMSTot><ISSQNtot><vServ>30.00</vServ></ISSQNtot>`, "", 3000, 13000},
		"exempt, deducted": {item(`<ICMS><ICMS40><vICMSDeson>7.00</vICMSDeson><indDeduzDeson>1</indDeduzDeson></ICMS40></ICMS>`), `<ICMSTot><vICMSDeson>7.00</vICMSDeson><vProd>100.00</vProd><vNF>93.00</vNF></ICMSTot>`, "", -700, 9300},
		"exempt, not":      {item(`<ICMS><ICMS40><vICMSDeson>7.00</vICMSDeson><indDeduzDeson>0</indDeduzDeson></ICMS40></ICMS>`), `<ICMSTot><vICMSDeson>7.00</vICMSDeson><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot>`, "", 0, 10000},
		"exempt, old":      {item(`<ICMS><ICMS40><vICMSDeson>7.00</vICMSDeson></ICMS40></ICMS>`), `<ICMSTot><vICMSDeson>7.00</vICMSDeson><vProd>100.00</vProd><vNF>93.00</vNF></ICMSTot>`, "", -700, 9300},
		"exempt, old, not": {item(`<ICMS><ICMS40><vICMSDeson>7.00</vICMSDeson></ICMS40></ICMS>`), `<ICMSTot><vICMSDeson>7.00</vICMSDeson><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot>`, "", 0, 10000},
		"PIS and COFINS":   {item(`<PISST><indSomaPISST>1</indSomaPISST><vPIS>1.50</vPIS></PISST><COFINSST><vCOFINS>2.50</vCOFINS><indSomaCOFINSST>1</indSomaCOFINSST></COFINSST>`), `<ICMSTot><vProd>100.00</vProd><vNF>104.00</vNF></ICMSTot>`, "", 400, 10400},
		"reform, told":     {item(""), `<ICMSTot><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot><vNFTot>128.00</vNFTot>`, `<pag><detPag><tPag>17</tPag><vPag>100.00</vPag></detPag></pag>`, 0, 10000},
		"reform, paid":     {item(""), `<ICMSTot><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot><vNFTot>128.00</vNFTot>`, `<pag><detPag><tPag>01</tPag><vPag>130.00</vPag></detPag><vTroco>2.00</vTroco></pag>`, 2800, 12800},
		"does not add up":  {item(""), `<ICMSTot><vProd>100.00</vProd><vNF>77.00</vNF></ICMSTot>`, "", 0, 7700},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _, err := readXML([]byte(note(c.items, c.totals, c.rest)))
			require.NoError(t, err)
			assert.Equal(t, c.taxes, d.Totals.Taxes)
			assert.Equal(t, c.due, *d.Totals.Due)
		})
	}
}

const totals = `<ICMSTot><vProd>100.00</vProd><vNF>100.00</vNF></ICMSTot>`

func TestOldAndOddNotesAreRead(t *testing.T) {
	t.Parallel()
	t.Run("layout before 4.00", func(t *testing.T) {
		t.Parallel()
		old := strings.Replace(note(item(""), totals, `<pag><tPag>01</tPag><vPag>60.00</vPag></pag><pag><tPag>17</tPag><vPag>40.00</vPag></pag>`),
			"<dhEmi>2026-11-23T16:00:00-03:00</dhEmi>", "<dEmi>2012-01-31</dEmi>", 1)
		d, _, err := readXML([]byte(old))
		require.NoError(t, err)
		assert.Equal(t, []invoice.Payment{{Method: invoice.PaymentCash, Amount: 6000}, {Method: invoice.PaymentPix, Amount: 4000}}, d.Payments)
		assert.Equal(t, "2012-01-31T00:00:00-03:00", d.IssuedAt.Format("2006-01-02T15:04:05-07:00"))
		assert.Equal(t, 0, *d.Series)
	})
	t.Run("issuer and consumer are persons", func(t *testing.T) {
		t.Parallel()
		person := strings.Replace(note(item(""), totals, ""), "<CNPJ>11222333000181</CNPJ><xNome>MERCADO</xNome>",
			"<CPF>52998224725</CPF><xNome>JOSE DA SILVA 52998224725</xNome>", 1)
		person = strings.Replace(person, "<det ", "<dest><CPF>52998224725</CPF><xNome>MARIA</xNome></dest><det ", 1)
		d, _, err := readXML([]byte(person))
		require.NoError(t, err)
		assert.Empty(t, d.Issuer.CNPJ)
		assert.Equal(t, "***.***.247-**", d.ConsumerCPF)
		assert.NotContains(t, fmt.Sprintf("%+v", d), "52998224725")
		assert.NotContains(t, fmt.Sprintf("%+v", d), "MARIA")
	})
	t.Run("key with a wrong check digit", func(t *testing.T) {
		t.Parallel()
		d, _, err := readXML([]byte(strings.Replace(note(item(""), totals, ""), "43214", "43215", 1)))
		require.NoError(t, err)
		assert.Empty(t, d.AccessKey)
		assert.Equal(t, 12345, d.Number)
	})
	t.Run("trade name where there is no other", func(t *testing.T) {
		t.Parallel()
		d, _, err := readXML([]byte(strings.Replace(note(item(""), totals, ""), "xNome", "xFant", 2)))
		require.NoError(t, err)
		assert.Equal(t, "MERCADO", d.Issuer.Name)
	})
	t.Run("declares UTF-8 and is ISO-8859-1", func(t *testing.T) {
		t.Parallel()
		d, _, err := readXML([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + strings.Replace(note(item(""), totals, ""), "PAO", "P\xc3O", 1)))
		require.NoError(t, err)
		assert.Equal(t, "PÃO", d.Items[0].Description)
	})
	t.Run("declares ISO-8859-1 and is UTF-8", func(t *testing.T) {
		t.Parallel()
		d, _, err := readXML([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?>` + strings.Replace(note(item(""), totals, ""), "PAO", "PÃO", 1)))
		require.NoError(t, err)
		assert.Equal(t, "PÃO", d.Items[0].Description)
	})
	t.Run("the most items that are legal", func(t *testing.T) {
		t.Parallel()
		d, _, err := readXML([]byte(note(strings.Repeat(item(""), 990), totals, "")))
		require.NoError(t, err)
		assert.Len(t, d.Items, 990)
		assert.Equal(t, 990, d.Items[989].Line)
	})
}

func TestHostileXMLIsRefused(t *testing.T) {
	t.Parallel()
	laughs := `<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	good := note(item(""), totals, "")
	for name, c := range map[string]struct {
		data string
		want invoice.Code
	}{
		"billion laughs":   {`<?xml version="1.0"?>` + laughs + strings.Replace(good, "PAO", "&b;", 1), invoice.CodeBadUserInput},
		"external entity":  {`<!DOCTYPE NFe [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(good, "PAO", "&x;", 1), invoice.CodeBadUserInput},
		"external type":    {`<!DOCTYPE NFe SYSTEM "http://127.0.0.1/x.dtd">` + good, invoice.CodeBadUserInput},
		"unknown entity":   {strings.Replace(good, "PAO", "&nbsp;", 1), invoice.CodeBadUserInput},
		"200k levels":      {strings.Repeat("<a>", 200_000), invoice.CodeBadUserInput},
		"deep in a note":   {strings.Replace(good, "<imposto>", strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)+"<imposto>", 1), invoice.CodeBadUserInput},
		"10k items":        {note(strings.Repeat(item(""), 10_000), totals, ""), invoice.CodeTooLarge},
		"9 MB":             {"<NFe>" + strings.Repeat(" ", 9<<20) + "</NFe>", invoice.CodeTooLarge},
		"cut":              {good[:len(good)-30], invoice.CodeBadUserInput},
		"no items":         {note("", totals, ""), invoice.CodeBadUserInput},
		"no amount due":    {note(item(""), "", ""), invoice.CodeBadUserInput},
		"two notes":        {"<enviNFe>" + good + good + "</enviNFe>", invoice.CodeBadUserInput},
		"two roots":        {good + good, invoice.CodeBadUserInput},
		"another document": {`<CFe><infCFe Id="x"/></CFe>`, invoice.CodeBadUserInput},
		"negative price":   {strings.Replace(good, "<vProd>100.00</vProd><indTot>", "<vProd>-100.00</vProd><indTot>", 1), invoice.CodeBadUserInput},
		"NaN":              {strings.Replace(good, "1.0000", "NaN", 1), invoice.CodeBadUserInput},
		"exponent":         {strings.Replace(good, "1.0000", "1e999999999", 1), invoice.CodeBadUserInput},
		"huge amount":      {strings.Replace(good, "<vNF>100.00", "<vNF>99999999999999999999.00", 1), invoice.CodeBadUserInput},
		"huge field":       {strings.Replace(good, "PAO", strings.Repeat("PAO", 1000), 1), invoice.CodeBadUserInput},
		"total twice":      {strings.Replace(good, "<vNF>", "<vNF>1.00</vNF><vNF>", 1), invoice.CodeBadUserInput},
		"other encoding":   {`<?xml version="1.0" encoding="UTF-7"?>` + good, invoice.CodeBadUserInput},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := shared().Inspect(t.Context(), []byte(c.data))
			requireRefusal(t, err, c.want)
		})
	}
}

func TestFilesOfDifferentNotesAreRefused(t *testing.T) {
	t.Parallel()
	one, _ := receipt(1, receipts.Options{Items: 2})
	two, _ := receipt(2, receipts.Options{Items: 2})
	a, err := one.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	b, err := two.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	_, err = shared().Read(t.Context(), []invoice.Content{{Data: a}, {Data: b}}, nil)
	requireRefusal(t, err, invoice.CodeBadUserInput)
	got, err := shared().Read(t.Context(), []invoice.Content{{Data: a}, {Data: bytes.Clone(a)}}, nil)
	require.NoError(t, err)
	assert.Equal(t, string(one.Key), got.Draft.AccessKey)
}

func FuzzXML(f *testing.F) {
	for seed := range uint64(4) {
		r, _ := receipt(seed, receipts.Options{Items: 2})
		data, err := r.XML(receipts.XMLOptions{Latin1: seed%2 == 0, Bare: seed > 1})
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(note(item("<ICMS/>"), totals, "<pag><tPag>01</tPag></pag>")))
	f.Add([]byte("<a><infNFe><infNFe/></infNFe></a>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, _, err := readXML(data)
		if err != nil {
			var refusal *invoice.Error
			require.ErrorAs(t, err, &refusal)
			return
		}
		require.NotEmpty(t, d.Items)
		require.NotNil(t, d.Totals.Due)
		require.NotNil(t, d.Totals.Products)
		for _, it := range d.Items {
			require.False(t, it.Quantity.IsNegative() || it.UnitPrice.IsNegative() || it.Total < 0 || it.Discount < 0)
		}
	})
}
