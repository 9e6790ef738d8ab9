package fiscal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	numericKey = "35261111222333000181650010000123451876543214" // sum 623, remainder 7
	letterKey  = "35261112ABC34501DE35650010000123451876543215" // sum 963, remainder 5
)

// keyOf completes 43 characters with their check digit.
func keyOf(t *testing.T, body string) fiscal.AccessKey {
	t.Helper()
	digit, err := fiscal.AccessKeyCheckDigit(body)
	require.NoError(t, err)
	k, err := fiscal.ParseAccessKey(body + string(digit))
	require.NoError(t, err)
	return k
}

func TestParseAccessKeyReadsTheOfficialForms(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"bare":               numericKey,
		"from XML":           "NFe" + numericKey,
		"in groups of four":  "3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214",
		"with hard blanks":   "3526\u00a01111\u00a02223 3300 0181 6500 1000 0123 4518 7654 3214",
		"on two lines":       "3526 1111 2223 3300 0181 6500\r\n\t1000 0123 4518 7654 3214",
		"as old DANFE print": " 35-2611-11.222.333/0001-81-65-001-000.012.345-187.654.321-4 ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := fiscal.ParseAccessKey(text)
			require.NoError(t, err)
			assert.Equal(t, fiscal.AccessKey(numericKey), k)
		})
	}
}

func TestAccessKeyTellsItsFields(t *testing.T) {
	t.Parallel()
	for _, key := range []string{numericKey, letterKey} {
		k, err := fiscal.ParseAccessKey(key)
		require.NoError(t, err)
		assert.NoError(t, k.Validate())
		assert.Equal(t, "35", k.StateCode())
		assert.Equal(t, "SP", k.State())
		assert.Equal(t, 2026, k.Year())
		assert.Equal(t, 11, k.Month())
		assert.Equal(t, key[6:20], k.CNPJ())
		assert.True(t, fiscal.ValidCNPJ(k.CNPJ()))
		assert.Equal(t, 65, k.Model())
		assert.Equal(t, 1, k.Series())
		assert.Equal(t, 12345, k.Number())
		assert.False(t, k.Offline())
		assert.False(t, k.NaturalPerson())
		assert.Len(t, strings.Fields(k.Grouped()), 11)
		assert.Equal(t, key, strings.ReplaceAll(k.Grouped(), " ", ""))
	}
	assert.True(t, keyOf(t, numericKey[:34]+"9"+numericKey[35:43]).Offline())
}

func TestParseAccessKeyRefusesEveryWrongCheckDigit(t *testing.T) {
	t.Parallel()
	for _, key := range []string{numericKey, letterKey} {
		for digit := '0'; digit <= '9'; digit++ {
			_, err := fiscal.ParseAccessKey(key[:43] + string(digit))
			if string(digit) == key[43:] {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, fiscal.ErrAccessKeyCheckDigit)
			}
		}
	}
}

func TestParseAccessKeyRefusesOtherForms(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                     "",
		"one too few":                 numericKey[:43],
		"one too many":                numericKey + "0",
		"letters in lower case":       strings.ToLower(letterKey),
		"a letter in the state":       "A" + numericKey[1:],
		"a letter in the check digit": numericKey[:43] + "A",
		"a letter in CNPJ's digits":   numericKey[:18] + "A" + numericKey[19:],
		"digits of another script":    strings.Replace(numericKey, "3", "٣", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fiscal.ParseAccessKey(text)
			require.ErrorIs(t, err, fiscal.ErrAccessKeyForm)
		})
	}
}

func TestAccessKeyThatWasNotParsedDoesNotPanic(t *testing.T) {
	t.Parallel()
	for _, k := range []fiscal.AccessKey{"", "3", "35261", fiscal.AccessKey(numericKey[:30]), "não é uma chave"} {
		require.Error(t, k.Validate())
		assert.NotPanics(t, func() {
			_, _, _, _, _ = k.State(), k.Year(), k.Month(), k.CNPJ(), k.Model()
			_, _, _, _, _ = k.Series(), k.Number(), k.Offline(), k.NaturalPerson(), k.Grouped()
		})
	}
	assert.Error(t, fiscal.AccessKey("NFe"+numericKey).Validate(), "a key in its type has no prefix")
}

func TestAccessKeyOfANaturalPerson(t *testing.T) {
	t.Parallel()
	withIssuer := func(id, series string) fiscal.AccessKey {
		return keyOf(t, "352611"+id+"55"+series+"000012345187654321")
	}
	assert.True(t, withIssuer("00052998224725", "920").NaturalPerson())
	assert.True(t, withIssuer("00052998224725", "001").NaturalPerson(), "right as a CPF only")
	assert.False(t, withIssuer("11222333000181", "920").NaturalPerson())
	assert.False(t, withIssuer("00052998224724", "920").NaturalPerson(), "wrong check digits")
	// A number of a bank that is right as a CNPJ and, without its zeros, as a CPF.
	require.True(t, fiscal.ValidCNPJ("00000000000191"))
	require.True(t, fiscal.ValidCPF("00000000191"))
	assert.False(t, withIssuer("00000000000191", "001").NaturalPerson())
	assert.True(t, withIssuer("00000000000191", "920").NaturalPerson())
}

func TestAccessKeyCheckDigitWantsFortyThreeCharacters(t *testing.T) {
	t.Parallel()
	digit, err := fiscal.AccessKeyCheckDigit(letterKey[:43])
	require.NoError(t, err)
	assert.Equal(t, letterKey[43], digit)
	for _, s := range []string{"", letterKey, letterKey[:42], strings.Repeat("é", 21) + "0"} {
		_, err := fiscal.AccessKeyCheckDigit(s)
		require.ErrorIs(t, err, fiscal.ErrAccessKeyForm)
	}
	// A remainder of 0 or 1 gives 0.
	assert.Equal(t, byte('0'), keyOf(t, strings.Repeat("0", 43))[43])
}

func TestStateOfCodeKnowsTheTwentySevenStates(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for tens := '0'; tens <= '9'; tens++ {
		for ones := '0'; ones <= '9'; ones++ {
			if s := fiscal.StateOfCode(string(tens) + string(ones)); s != "" {
				found[s] = true
			}
		}
	}
	assert.Len(t, found, 27)
	assert.Equal(t, "RJ", fiscal.StateOfCode("33"))
	assert.Empty(t, fiscal.StateOfCode("99"))
	assert.Empty(t, fiscal.StateOfCode(""))
}

func FuzzParseAccessKey(f *testing.F) {
	for _, s := range []string{numericKey, letterKey, "NFe" + numericKey, "", "NFe", "3526 1111", strings.Repeat("Z", 44), "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := fiscal.ParseAccessKey(s)
		if err != nil {
			require.Empty(t, k)
			return
		}
		require.Len(t, string(k), 44)
		require.NoError(t, k.Validate())
		again, err := fiscal.ParseAccessKey(k.Grouped())
		require.NoError(t, err)
		require.Equal(t, k, again)
	})
}
