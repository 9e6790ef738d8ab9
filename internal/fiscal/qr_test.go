package fiscal_test

import (
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	spHost     = "www.nfce.fazenda.sp.gov.br"
	offlineKey = "35261111222333000181650010000123459876543210"
	cpf        = "52998224725"
	hash       = "9D6AB4765658166993902F7F7C26FCD0965E328F"
	digest     = "6b3752354c6d4e734d3965756b634c526d7a6f3d"
	signature  = "aB+c/dEf+0123456789==" // base64 has a plus, a slash and equals signs
)

// v1 is a code of the first version for key, issued at dhEmi.
func v1(key, dhEmi string) string {
	return "http://" + spHost + "/NFCeConsultaPublica/Paginas/ConsultaQRCode.aspx?chNFe=" + key + "&nVersao=100&tpAmb=1&cDest=" + cpf +
		"&dhEmi=" + hex.EncodeToString([]byte(dhEmi)) + "&vNF=42.50&vICMS=3.10&digVal=" + digest + "&cIdToken=000001&cHashQRCode=" + hash
}

func TestParseQRReadsTheFiveForms(t *testing.T) {
	t.Parallel()
	key, offline := fiscal.AccessKey(numericKey), fiscal.AccessKey(offlineKey)
	issued := time.Date(2026, time.November, 25, 21, 7, 33, 0, time.FixedZone("", -3*60*60))
	for name, c := range map[string]struct {
		raw  string
		want fiscal.QR
	}{
		"v1": {
			v1(numericKey, "2026-11-25T21:07:33-03:00"),
			fiscal.QR{Key: key, Version: 1, Day: 25, Issued: &issued, Amount: new(fiscal.Money(4250))},
		},
		"v1 of contingency": {
			v1(offlineKey, "2026-11-25T21:07:33-03:00"),
			fiscal.QR{Key: offline, Version: 1, Offline: true, Day: 25, Issued: &issued, Amount: new(fiscal.Money(4250))},
		},
		"v2 online": {
			"https://" + spHost + "/qrcode?p=" + numericKey + "|2|1|1|" + hash,
			fiscal.QR{Key: key, Version: 2, TokenID: "1", Hash: hash},
		},
		"v2 online of a test": {
			"https://" + spHost + "/qrcode?p=" + numericKey + "|2|2|000001|" + hash,
			fiscal.QR{Key: key, Version: 2, Test: true, TokenID: "000001", Hash: hash},
		},
		"v2 offline": {
			"https://" + spHost + "/qrcode?p=" + offlineKey + "|2|1|05|1234.50|" + digest + "|1|" + hash,
			fiscal.QR{
				Key: offline, Version: 2, Offline: true, Day: 5, Amount: new(fiscal.Money(123_450)), TokenID: "1", Hash: hash, Digest: digest,
			},
		},
		"v3 online": {
			"https://" + spHost + "/qrcode?p=" + numericKey + "|3|1",
			fiscal.QR{Key: key, Version: 3},
		},
		"v3 online, key with letters": {
			"https://" + spHost + "/qrcode?p=" + letterKey + "|3|1",
			fiscal.QR{Key: letterKey, Version: 3},
		},
		"v3 offline": {
			"https://" + spHost + "/qrcode?p=" + offlineKey + "|3|1|31|0.00|2|" + cpf + "|" + signature,
			fiscal.QR{Key: offline, Version: 3, Offline: true, Day: 31, Amount: new(fiscal.Money(0))},
		},
		"v3 offline to nobody": {
			"https://" + spHost + "/qrcode?p=" + offlineKey + "|3|1|31|7.00|||" + signature,
			fiscal.QR{Key: offline, Version: 3, Offline: true, Day: 31, Amount: new(fiscal.Money(700))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := fiscal.ParseQR(c.raw)
			require.NoError(t, err)
			c.want.Host, c.want.State = spHost, "SP"
			if c.want.Issued != nil {
				require.NotNil(t, got.Issued)
				assert.True(t, c.want.Issued.Equal(*got.Issued))
				c.want.Issued = got.Issued
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestParseQRBearsHowCodesAreWritten(t *testing.T) {
	t.Parallel()
	fields := offlineKey + "|2|1|05|1234.50|" + digest + "|1|" + hash
	want, err := fiscal.ParseQR("https://" + spHost + "/qrcode?p=" + fields)
	require.NoError(t, err)
	for name, raw := range map[string]string{
		"http":                   "http://" + spHost + "/qrcode?p=" + fields,
		"no scheme":              spHost + "/qrcode?p=" + fields,
		"capitals":               "HTTPS://" + strings.ToUpper(spHost) + "/QRCODE?P=" + fields,
		"a port":                 "https://" + spHost + ":443/qrcode?p=" + fields,
		"the root's dot":         "https://" + spHost + "./qrcode?p=" + fields,
		"no path":                "https://" + spHost + "?p=" + fields,
		"pipes escaped":          "https://" + spHost + "/qrcode?p=" + strings.ReplaceAll(fields, "|", "%7C"),
		"pipes escaped, small":   "https://" + spHost + "/qrcode?p=" + strings.ReplaceAll(fields, "|", "%7c"),
		"all escaped":            "https://" + spHost + "/qrcode?p=" + url.QueryEscape(fields),
		"a bad escape elsewhere": "https://" + spHost + "/qrcode?p=" + strings.ReplaceAll(strings.Replace(fields, digest, "100%", 1), "|", "%7C"),
		"blanks about it":        " \r\n\ufeffhttps://" + spHost + "/qrcode?p=" + fields + "\t\n",
		"a wrapped line":         "https://" + spHost + "/qrcode?p=\n  " + fields[:30] + "\n" + fields[30:],
		"another parameter":      "https://" + spHost + "/qrcode?v=1&amp;p=" + fields + "&x=y#top",
		"a page's own fragment":  "https://" + spHost + "/#/qrcode?p=" + fields,
		"a decimal comma":        "https://" + spHost + "/qrcode?p=" + strings.Replace(fields, "1234.50", "1234,50", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := fiscal.ParseQR(raw)
			require.NoError(t, err)
			if name == "a bad escape elsewhere" { // in what the state asks for: the rest is read
				assert.Empty(t, got.Lookup())
				got.TokenID, got.Hash, got.Digest = want.TokenID, want.Hash, want.Digest
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestParseQRKeepsAHostThatIsNoStates(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"nfce.example.com", "fazenda.sp.gov.br", "x." + spHost, spHost + ".example.com", "10.0.0.1"} {
		got, err := fiscal.ParseQR("https://" + host + "/qrcode?p=" + numericKey + "|3|1")
		require.NoError(t, err)
		assert.Equal(t, host, got.Host)
		assert.Empty(t, got.State)
	}
}

func TestParseQRTakesAMomentWithoutZoneForBrasilias(t *testing.T) {
	t.Parallel()
	got, err := fiscal.ParseQR(v1(numericKey, "2026-11-25T21:07:33"))
	require.NoError(t, err)
	require.NotNil(t, got.Issued)
	assert.Equal(t, 25, got.Day)
	assert.Equal(t, time.Date(2026, time.November, 26, 0, 7, 33, 0, time.UTC), got.Issued.UTC())
}

func TestParseQRRefuses(t *testing.T) {
	t.Parallel()
	at := "https://" + spHost + "/qrcode?p="
	wrongKey := numericKey[:43] + "0"
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":               {"", fiscal.ErrQR},
		"blanks":                {" \n", fiscal.ErrQR},
		"a key alone":           {numericKey, fiscal.ErrQR},
		"fields without a host": {numericKey + "|3|1", fiscal.ErrQR},
		"no parameter":          {"https://" + spHost + "/qrcode", fiscal.ErrQR},
		"an empty parameter":    {at, fiscal.ErrQR},
		"another scheme":        {"ftp://" + spHost + "/qrcode?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"a script":              {"javascript:alert(1)//" + spHost + "/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"a user before it":      {"https://" + spHost + "@example.com/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"a backslash":           {`https://example.com\@` + spHost + "/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"an IPv6 host":          {"http://[::1]/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"a bare word":           {"http://localhost/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"a port that is none":   {"http://" + spHost + ":x/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"an endless host":       {strings.Repeat("a.", 200) + "br/?p=" + numericKey + "|3|1", fiscal.ErrQR},
		"an endless text":       {at + numericKey + "|2|1|1|" + strings.Repeat("A", 5000), fiscal.ErrQR},
		"version 4":             {at + numericKey + "|4|1", fiscal.ErrQR},
		"version 1 in pipes":    {at + numericKey + "|100|1", fiscal.ErrQR},
		"v2 cut short":          {at + numericKey + "|2|1|1", fiscal.ErrQR},
		"v2 offline cut short":  {at + offlineKey + "|2|1|05|12.00|" + digest + "|1", fiscal.ErrQR},
		"v3 with v2's fields":   {at + numericKey + "|3|1|1|" + hash, fiscal.ErrQR},
		"too many fields":       {at + offlineKey + "|3|1|05|12.00|||x|y", fiscal.ErrQR},
		"environment 3":         {at + numericKey + "|3|3", fiscal.ErrQR},
		"day 0":                 {at + offlineKey + "|3|1|00|12.00|||x", fiscal.ErrQR},
		"day 32":                {at + offlineKey + "|3|1|32|12.00|||x", fiscal.ErrQR},
		"day -1":                {at + offlineKey + "|3|1|-1|12.00|||x", fiscal.ErrQR},
		"no amount":             {at + offlineKey + "|3|1|05||||x", fiscal.ErrQR},
		"a negative amount":     {at + offlineKey + "|3|1|05|-12.00|||x", fiscal.ErrQR},
		"an amount of CPF":      {at + offlineKey + "|3|1|05|529.982.247-25|||x", fiscal.ErrQR},
		"key with a slip":       {at + wrongKey + "|3|1", fiscal.ErrAccessKeyCheckDigit},
		"key cut short":         {at + numericKey[:40] + "|3|1", fiscal.ErrAccessKeyForm},
		"v1, another version":   {strings.Replace(v1(numericKey, "2026-11-25T21:07:33-03:00"), "=100", "=200", 1), fiscal.ErrQR},
		"v1, key with a slip":   {v1(wrongKey, "2026-11-25T21:07:33-03:00"), fiscal.ErrAccessKeyCheckDigit},
		"v1, no key":            {v1("", "2026-11-25T21:07:33-03:00"), fiscal.ErrAccessKeyForm},
		"v1, no environment":    {strings.Replace(v1(numericKey, "2026-11-25T21:07:33-03:00"), "tpAmb", "x", 1), fiscal.ErrQR},
		"v1, not a moment":      {v1(numericKey, cpf), fiscal.ErrQR},
		"v1, not hexadecimal":   {strings.Replace(v1(numericKey, "2026-11-25T21:07:33-03:00"), "dhEmi=", "dhEmi=z", 1), fiscal.ErrQR},
		"v1, not an amount":     {strings.Replace(v1(numericKey, "2026-11-25T21:07:33-03:00"), "42.50", cpf+"x", 1), fiscal.ErrQR},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := fiscal.ParseQR(c.raw)
			require.ErrorIs(t, err, c.want)
			assert.Equal(t, fiscal.QR{}, got)
			assert.NotContains(t, err.Error(), "529", "no CPF in an error")
		})
	}
}

func TestParseQRDoesWithoutV1sMomentAndAmount(t *testing.T) {
	t.Parallel()
	got, err := fiscal.ParseQR(spHost + "/?chNFe=" + numericKey + "&nVersao=100&tpAmb=1")
	require.NoError(t, err)
	assert.Equal(t, fiscal.QR{Key: numericKey, Version: 1, Host: spHost, State: "SP"}, got)
}

func FuzzParseQR(f *testing.F) {
	at := "https://" + spHost + "/qrcode?p="
	for _, s := range []string{
		v1(numericKey, "2026-11-25T21:07:33-03:00"), at + numericKey + "|2|1|1|" + hash,
		at + offlineKey + "|2|1|05|1234.50|" + digest + "|1|" + hash, at + letterKey + "|3|1",
		at + offlineKey + "|3|1|31|0.00|2|" + cpf + "|" + signature, strings.ReplaceAll(at+numericKey+"|3|1", "|", "%7C"),
		"", "?", "p=|||", "http://[::1", "https://a.b:99999/?p=%", "%%%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		qr, err := fiscal.ParseQR(raw)
		if err != nil {
			// One of three fixed sentences: nothing of the text can be in it.
			require.Contains(t, []error{fiscal.ErrQR, fiscal.ErrAccessKeyForm, fiscal.ErrAccessKeyCheckDigit}, err)
			return
		}
		require.NoError(t, qr.Key.Validate())
		require.Contains(t, []int{1, 2, 3}, qr.Version)
		require.NotEmpty(t, qr.Host)
		require.Equal(t, strings.ToLower(qr.Host), qr.Host)
		require.Equal(t, fiscal.StateOfHost(qr.Host), qr.State)
		require.True(t, qr.Day >= 0 && qr.Day <= 31)
		require.True(t, qr.Amount == nil || *qr.Amount >= 0)
		if qr.Offline && qr.Version > 1 {
			require.NotZero(t, qr.Day)
			require.NotNil(t, qr.Amount)
		}
	})
}
