package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestSchemaIsMergedAndItsServersDirectivesAreLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.graphqls": `"Of the server." directive @own on FIELD_DEFINITION
"What can be read." type Query { "One." b: Int @own "Two." a: Int @deprecated(reason: "See b.") }`,
		"b.graphqls": `extend type Query { "Three." c("How many." n: Int! = 5): String }`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	out := filepath.Join(dir, "schema.graphql")
	require.NoError(t, run(dir, out))
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "Int @own")
	assert.Contains(t, string(text), `"See b."`)
	s, err := gqlparser.LoadSchema(&ast.Source{Input: string(text)})
	require.NoError(t, err)
	assert.NotNil(t, s.Directives["own"])
	assert.Equal(t, "5", s.Query.Fields.ForName("c").Arguments.ForName("n").DefaultValue.String())
	assert.Equal(t, "How many.", s.Query.Fields.ForName("c").Arguments.ForName("n").Description)
}

func TestSchemaThatIsNotOneIsNotWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "schema.graphql")
	require.Error(t, run(dir, out), "nothing is there")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.graphqls"), []byte(`type Query { a: Nothing }`), 0o600))
	require.Error(t, run(dir, out))
	assert.NoFileExists(t, out)
}

// TestSchemaIsUpToDate finds at once what make drift would find.
func TestSchemaIsUpToDate(t *testing.T) {
	t.Parallel()
	want, err := render(filepath.Join("..", ".."))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "schema.graphql"))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run make generate")
}
