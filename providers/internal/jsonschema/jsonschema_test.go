package jsonschema_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
)

type note struct {
	Kind  string `json:"kind"`
	Done  bool   `json:"done"`
	Lines []line `json:"lines"`
}

type line struct {
	Text string `json:"text"`
}

func TestSchemaOfAType(t *testing.T) {
	t.Parallel()
	got, err := jsonschema.Of[note](map[string][]string{"kind": {"A", "B"}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"object","additionalProperties":false,"required":["kind","done","lines"],"properties":{
		"kind":{"type":"string","enum":["A","B"]},"done":{"type":"boolean"},
		"lines":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["text"],
			"properties":{"text":{"type":"string"}}}}}}`, string(got))
	_, err = jsonschema.Of[struct{ Untagged string }](nil)
	require.Error(t, err)
	_, err = jsonschema.Of[struct {
		F float64 `json:"f"`
	}](nil)
	require.Error(t, err, "no figure of ours is a float")
}

func TestDocumentsAgainstASchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.Of[note](map[string][]string{"kind": {"A", "B"}})
	require.NoError(t, err)
	require.NoError(t, jsonschema.Check(schema, []byte(`{"kind":"A","done":true,"lines":[{"text":"x"}]}`)))
	for doc, want := range map[string]string{
		`{"kind":"C","done":true,"lines":[]}`:             "$.kind",
		`{"kind":"A","done":"yes","lines":[]}`:            "$.done",
		`{"kind":"A","done":true}`:                        "$.lines: missing",
		`{"kind":"A","done":true,"lines":[{"text":1}]}`:   "$.lines[0].text",
		`{"kind":"A","done":true,"lines":{}}`:             "not an array",
		`{"kind":"A","done":true,"lines":[],"more":null}`: "$.more: not in the schema",
		`[]`:  "not an object",
		`{"k`: "document",
	} {
		require.ErrorContains(t, jsonschema.Check(schema, []byte(doc)), want)
	}
}
