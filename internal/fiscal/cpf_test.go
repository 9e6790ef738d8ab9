package fiscal_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const maskedCPF = "***.***.247-**"

func TestMaskCPFKeepsThreeDigits(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"52998224725", "529.982.247-25", " 529 982 247 25 ", "529.982.247/25", "52998224700", // check digits do not matter
		maskedCPF, "XXX.XXX.247-XX", "###.###.247-##", "***.982.247-**",
	} {
		assert.Equal(t, maskedCPF, fiscal.MaskCPF(s), s)
	}
	assert.Equal(t, "***.***.***-**", fiscal.MaskCPF("***.***.***-**"))
}

func TestMaskCPFGivesNothingForWhatIsNoCPF(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "5299822472", "529982247250", "11222333000181", "CPF 52998224725", "MARIA", "٥٢٩٩٨٢٢٤٧٢٥"} {
		assert.Empty(t, fiscal.MaskCPF(s), s)
	}
}

func TestMaskCPFsFindsEveryCPF(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CONSUMIDOR - CPF 529.982.247-25 MARIA":         "CONSUMIDOR - CPF ***.***.247-** MARIA",
		"CPF:52998224725":                               "CPF:***.***.247-**",
		"CPF52998224725,":                               "CPF***.***.247-**,",
		"cpf 529 982 247 25":                            "cpf ***.***.247-**",
		"cpf 529. 982 .247 - 25.":                       "cpf ***.***.247-**.",
		"529\u00a0982\u00a0247\u201325":                 "***.***.247-**",
		"529982247-25":                                  "***.***.247-**",
		"52998224725 e 111.444.777-35":                  "***.***.247-** e ***.***.777-**",
		"52998224725/11222333000181":                    "***.***.247-**/11222333000181",
		"001 529.982.247-25":                            "001 ***.***.247-**",
		"|31|12.00|2|52998224725|c2ln":                  "|31|12.00|2|***.***.247-**|c2ln",
		"CPF 52998224725 25/11/2026 21:07":              "CPF ***.***.247-** 25/11/2026 21:07",
		"CPF 52998224725 " + numericKey:                 "CPF ***.***.247-** " + numericKey,
		numericKey + "\n529.982.247-25":                 numericKey + "\n***.***.247-**",
		`{"consumer_cpf":"52998224725","total":"1,00"}`: `{"consumer_cpf":"***.***.247-**","total":"1,00"}`,
	} {
		assert.Equal(t, want, fiscal.MaskCPFs(text))
	}
}

func TestMaskCPFsLeavesOtherNumbersAlone(t *testing.T) {
	t.Parallel()
	personal := keyOf(t, "352611000"+cpf+"55920000012345187654321") // a natural person's key
	for _, text := range []string{
		"", "nada", "0", "529.982.247-24", "52998224724", "111.111.111-11", "5299822472", "529982247250", "152998224725",
		numericKey, letterKey, personal.Grouped(), string(personal),
		"3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214",
		"35-2611-11.222.333/0001-81-65-001-000.012.345-187.654.321-4",
		"NFe" + numericKey,
		// A key whose last eleven digits are a CPF, on a line of their own.
		string(personal[:9]) + " " + cpf + "\n" + string(personal[20:]),
		"CNPJ 11.222.333/0001-81", "CNPJ 11222333000181", "12.ABC.345/01DE-35",
		"7891000100103", "78910003", "042100005264", "17891000100100",
		"Protocolo de Autorização: 135260001234567 25/11/2026 21:07:33", "141 200 000 160 021",
		"001 7891000100103 LEITE 2 UN X 5,99    11,98", "R$ 1.234.567,89", "110.042.490.114", maskedCPF,
	} {
		assert.Equal(t, text, fiscal.MaskCPFs(text))
	}
}

func FuzzMaskCPFs(f *testing.F) {
	for _, s := range []string{
		"CPF 529.982.247-25", "52998224725", "52998224725 e 111.444.777-35", numericKey, "NFe" + letterKey, "529 982 247 25 25",
		"\xff529.982.247-25\xff", "001 002 003 12", maskedCPF, "529\u00a0982\u00a0247\u201325",
	} {
		f.Add(s)
	}
	printed := regexp.MustCompile(`\b\d{3}\.\d{3}\.\d{3}-\d{2}\b`)
	f.Fuzz(func(t *testing.T, text string) {
		masked := fiscal.MaskCPFs(text)
		require.Equal(t, masked, fiscal.MaskCPFs(masked), "masking twice is masking once")
		for _, left := range printed.FindAllString(masked, -1) {
			require.False(t, fiscal.ValidCPF(fiscal.OnlyDigits(left)), left)
		}
		if masked == text {
			return
		}
		require.Contains(t, masked, "**.***.")
		// Nothing but digits, blanks and signs is lost, and no run of digits becomes longer.
		require.Equal(t, letters(text), letters(masked))
		require.Less(t, len(fiscal.OnlyDigits(masked)), len(fiscal.OnlyDigits(text)))
	})
}

// letters is what of a text masking may not touch.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
}
