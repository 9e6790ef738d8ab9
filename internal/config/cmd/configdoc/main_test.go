package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const packageDir = "../.."

func TestCommittedPageIsTheGeneratedOne(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	require.NoError(t, run(packageDir, "", &got))
	want, err := os.ReadFile(filepath.Join(packageDir, "../../docs/configuration.md"))
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "run: go generate ./internal/config")
}

func TestUndocumentedSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for name, field := range map[string]string{
		"no default in the comment":      "// A is a thing.\n\tA int `env:\"THING\" envDefault:\"1\"`",
		"another default in the comment": "// A is a thing. Defaults to 2.\n\tA int `env:\"THING\" envDefault:\"1\"`",
		"no comment":                     "A int `env:\"THING\"`",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			source := "package config\n\ntype Config struct {\n\t" + field + "\n}\n\ntype Provider struct{}\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, sourceFile), []byte(source), 0o600))
			_, err := render(dir)
			require.ErrorContains(t, err, "THING")
		})
	}
}
