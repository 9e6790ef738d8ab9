package fiscal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestAStateIsAskedWithWhatTheCodeHasAndNeverWithTheConsumer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fields, want string }{
		"v2 online":              {numericKey + "|2|1|000001|" + strings.ToLower(hash), numericKey + "|2|1|000001|" + hash},
		"v2 offline":             {offlineKey + "|2|1|5|1.234,50|" + digest + "|1|" + hash, offlineKey + "|2|1|05|1234.50|" + digest + "|1|" + hash},
		"v3 online":              {numericKey + "|3|1", numericKey + "|3|1"},
		"v3 offline":             {offlineKey + "|3|1|31|7.00|2|" + cpf + "|" + signature, offlineKey + "|3|1"},
		"a hash that is none":    {numericKey + "|2|1|1|" + strings.Repeat("g", 40), ""},
		"a short hash":           {numericKey + "|2|1|1|ABCDEF", ""},
		"a token that is a text": {numericKey + "|2|1|a%26b|" + hash, ""},
		"a digest that is none":  {offlineKey + "|2|1|05|7.00|?x=" + digest + "|1|" + hash, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			qr, err := fiscal.ParseQR("https://" + spHost + "/qrcode?p=" + c.fields)
			require.NoError(t, err)
			assert.Equal(t, c.want, qr.Lookup())
			assert.NotContains(t, qr.Record(), cpf)
			if c.want == "" {
				return
			}
			again, err := fiscal.ParseRecord(qr.Record())
			require.NoError(t, err)
			assert.Equal(t, c.want, again.Lookup(), "what is kept asks for the same")
		})
	}
	old, err := fiscal.ParseQR(v1(numericKey, "2016-11-25T21:07:33-03:00"))
	require.NoError(t, err)
	assert.Empty(t, old.Lookup())

	alone := fiscal.QR{Key: numericKey}
	assert.Equal(t, numericKey+"|3|1", alone.Lookup())
	again, err := fiscal.ParseRecord(alone.Record())
	require.NoError(t, err)
	assert.Equal(t, alone, again)
	assert.Empty(t, fiscal.QR{}.Lookup())
	for _, text := range []string{"", "|", "x|2|1|1|" + hash, numericKey[:43]} {
		_, err := fiscal.ParseRecord(text)
		require.Error(t, err, text)
	}
}
