package graph

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzDecodeParams(f *testing.F) {
	for _, s := range []string{
		`{"query":"{ a }","variables":{"n":1},"operationName":"x","extensions":null}`, `[]`, `null`, `{`, `{"query":1}`, `{"query":""} {}`,
		"\xef\xbb\xbf{}", `{"query":"\ud800"}`, `{"QUERY":"a"}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		params, err := decodeParams(data)
		if err != nil {
			var refused *requestError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, 400, refused.status)
			return
		}
		require.NotNil(t, params)
		assert.True(t, json.Valid(data), "nothing but JSON is taken")
	})
}

func FuzzUploadMap(f *testing.F) {
	f.Add([]byte(`{"0":["variables.input.files.0"]}`), []byte(`{"input":{"files":[null]}}`))
	f.Add([]byte(`{"0":["variables.a.0.b.1"]}`), []byte(`{"a":[{"b":[null,null]}]}`))
	f.Add([]byte(`{"0":["variables."]}`), []byte(`{"":null}`))
	f.Fuzz(func(t *testing.T, rawMap, rawVariables []byte) {
		paths, err := decodeMap(rawMap)
		if err != nil {
			var refused *requestError
			require.ErrorAs(t, err, &refused)
			return
		}
		var variables map[string]any
		if json.Unmarshal(rawVariables, &variables) != nil {
			return
		}
		placed := 0
		for _, path := range paths {
			if place(variables, path, graphql.Upload{Size: 1}) {
				placed++
			}
		}
		assert.Equal(t, placed, countUploads(variables), "a file is in one place, and replaces no other")
	})
}

func countUploads(v any) int {
	n := 0
	switch v := v.(type) {
	case graphql.Upload:
		n++
	case map[string]any:
		for _, e := range v {
			n += countUploads(e)
		}
	case []any:
		for _, e := range v {
			n += countUploads(e)
		}
	}
	return n
}

func TestMessagesOfValidation(t *testing.T) {
	t.Parallel()
	assert.Equal(t, `Unknown argument "idd".`, withoutSuggestion(`Unknown argument "idd". Did you mean "id"?`))
	assert.LessOrEqual(t, len(withoutSuggestion(strings.Repeat("é", 300))), 200)
	assert.Equal(t, strings.Repeat("é", 99), withoutSuggestion("x" + strings.Repeat("é", 300))[1:], "no half character")
}

func TestFaultsOfTheDiskAreNotTheClients(t *testing.T) {
	t.Parallel()
	fault := errors.New("broken pipe")
	r := &faultReader{r: errReader{fault}}
	_, err := r.Read(make([]byte, 1))
	require.ErrorIs(t, err, fault)
	require.ErrorIs(t, r.err, fault)
	r = &faultReader{r: strings.NewReader("")}
	_, err = r.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, r.err, "an end is no fault")
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
