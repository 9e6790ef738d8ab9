package fiscal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// otherwise gives s with each digit of its last n replaced by each other digit: all must be refused.
func otherwise(s string, n int) []string {
	var out []string
	for i := len(s) - n; i < len(s); i++ {
		for d := '0'; d <= '9'; d++ {
			if byte(d) != s[i] {
				out = append(out, s[:i]+string(d)+s[i+1:])
			}
		}
	}
	return out
}

func TestValidCNPJ(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"11222333000181", "12ABC34501DE35"} {
		assert.True(t, fiscal.ValidCNPJ(s), s)
		for _, wrong := range otherwise(s, 2) {
			assert.False(t, fiscal.ValidCNPJ(wrong), wrong)
		}
	}
	for _, s := range []string{
		"", "1122233300018", "112223330001811", "11.222.333/0001-81", "12abc34501de35", "12ABC34501DE3A",
		"00000000000000", "11111111111111", "1122233300018é",
	} {
		assert.False(t, fiscal.ValidCNPJ(s), s)
	}
}

func TestNormalizeAndFormatCNPJ(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "11222333000181", fiscal.NormalizeCNPJ(" 11.222.333/0001-81\u00a0"))
	assert.Equal(t, "12ABC34501DE35", fiscal.NormalizeCNPJ("12.abc.345/01de-35"))
	assert.Equal(t, "11.222.333/0001-81", fiscal.FormatCNPJ("11222333000181"))
	assert.Equal(t, "12.ABC.345/01DE-35", fiscal.FormatCNPJ("12ABC34501DE35"))
	assert.Equal(t, "1122", fiscal.FormatCNPJ("1122"))
}

func TestValidCPF(t *testing.T) {
	t.Parallel()
	assert.True(t, fiscal.ValidCPF("52998224725"))
	for _, wrong := range otherwise("52998224725", 2) {
		assert.False(t, fiscal.ValidCPF(wrong), wrong)
	}
	for d := '0'; d <= '9'; d++ {
		assert.False(t, fiscal.ValidCPF(strings.Repeat(string(d), 11)))
	}
	for _, s := range []string{"", "5299822472", "529982247250", "529.982.247-25", "5299822472A"} {
		assert.False(t, fiscal.ValidCPF(s), s)
	}
}

func TestValidGTIN(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"7891000100103", "78910003", "042100005264", "17891000100100"} {
		assert.True(t, fiscal.ValidGTIN(s), s)
		for _, wrong := range otherwise(s, 1) {
			assert.False(t, fiscal.ValidGTIN(wrong), wrong)
		}
	}
	for _, s := range []string{
		"", "SEM GTIN", "789100010010", "78910001001031", "789100010010A", "7891000-00103",
		"00000000", "0000000000000", // the sum is right, but there is no such product
	} {
		assert.False(t, fiscal.ValidGTIN(s), s)
	}
}

func TestOnlyDigits(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "52998224725", fiscal.OnlyDigits("CPF: 529.982.247-25"))
	assert.Empty(t, fiscal.OnlyDigits("SEM GTIN ٣"))
}
