package providers

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestKeysAndCPFsAreTakenOutOfText(t *testing.T) {
	t.Parallel()
	r := NewRedactor("hunter2-hunter2", "hunter2-hunter2-longer", "tiny", "")
	for in, want := range map[string]string{
		"key hunter2-hunter2-longer.":                     "key [redacted].",
		"key hunter2-hunter2 and tiny":                    "key [redacted] and tiny",
		"sk-proj-abcdefghijklmnop1234 refused":            "[redacted] refused",
		"sk-ant-api03-abcdefghijklmnop":                   "[redacted]",
		"GET /v1?key=AIzaSyA-1234567890abcdefghijklmnopq": "GET /v1[redacted]",
		"Authorization: Bearer abc.def-123456":            "Authorization: [redacted]",
		`{"x-api-key": "0123456789abcdef"}`:               `{"[redacted]"}`,
		"x-GOOG-API-KEY=0123456789":                       "[redacted]",
		"API_KEY: 0123456789, apikey=0123456789":          "[redacted], [redacted]",
		"access-Token 0123456789":                         "access-Token 0123456789",
		"ACCE\u017fSTOKEN=0123456789":                     "[redacted]",
		"acce\u017fs_to\u212aen=0123456789":               "[redacted]",
		"ya29.0123456789abcdefghij":                       "[redacted]",
		"&key=0123456789":                                 "[redacted]",
		"CPF 529.982.247-25, 52998224725":                 "CPF ***.***.247-**, ***.***.247-**",
		"7891000100103 LEITE 2 UN 5,99":                   "7891000100103 LEITE 2 UN 5,99",
	} {
		assert.Equal(t, want, r.Text(in))
	}
}

func TestReplyStaysJSONWhenItIsRedacted(t *testing.T) {
	t.Parallel()
	r := NewRedactor("hunter2-hunter2")
	got := r.Reply(`{"consumer_cpf":52998224725,"items":[{"code":"52998224725","gtin":52998224725,"description":"<CPF> 529.982.247-25",
		"total":12.50}],"issuer_name":"hunter2-hunter2","access_key":"35261111222333000181650010000123451876543214"}`)
	require.True(t, json.Valid([]byte(got)), got)
	assert.JSONEq(t, `{"consumer_cpf":"***.***.247-**","items":[{"code":"52998224725","gtin":52998224725,
		"description":"<CPF> ***.***.247-**","total":12.50}],"issuer_name":"[redacted]",
		"access_key":"35261111222333000181650010000123451876543214"}`, got)
	assert.Contains(t, got, "12.50", "figures keep their form")
	assert.Equal(t, "no JSON ***.***.247-**", r.Reply("no JSON 529.982.247-25"))
}

func TestReplyIsLookedAtBehindItsEscapes(t *testing.T) {
	t.Parallel()
	r := NewRedactor("hunter2-hunter2")
	assert.JSONEq(t, `{"a":"[redacted]","b":"***.***.247-**"}`, r.Reply(`{"a":"hunter2\u002dhunter2","b":"\u0035\u00329.982.247-25"}`))
	plain := `{"b": "GTIN 7891000100103",  "a": 1}`
	assert.Equal(t, plain, r.Reply(plain), "what is clean stays as it is")
}

func TestRedactedErrorLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	e := &sdk.Error{Kind: sdk.KindAuth, Message: "hunter2-hunter2 " + strings.Repeat("x", 5000)}
	got := NewRedactor("hunter2-hunter2").Error(e)
	assert.Equal(t, sdk.KindAuth, got.Kind)
	assert.LessOrEqual(t, len(got.Message), maxErrorMessage)
	assert.Contains(t, e.Message, "hunter2")
	assert.NotContains(t, got.Message, "hunter2")
}

func TestManifestLines(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("ab", 32)
	got, err := parseSums([]byte("# comment\n\n" + sum + "  one\n" + strings.ToUpper(sum) + " *two\r\n"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"one": sum, "two": sum}, got)
	for _, bad := range []string{"abcd  one", sum, sum + "  ../one", sum + "  a\n" + strings.Repeat("cd", 32) + "  a", "zz" + sum[2:] + "  one"} {
		_, err := parseSums([]byte(bad))
		require.Error(t, err, bad)
	}
}
