package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestWritesEverySampleWithItsTruth(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	var out bytes.Buffer
	require.NoError(t, run([]string{"-out", dir, "-n", "2", "-seed", "9", "-items", "3", "-formats", "xml,jpg,pdf", "-distort", "clean,scan"}, &out))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 2*2*(1+2+2))
	assert.Equal(t, len(files)/2, strings.Count(out.String(), "\n"))
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".truth.json") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		var truth receipts.Truth
		require.NoError(t, json.Unmarshal(data, &truth))
		assert.Len(t, truth.Items, 3)
		assert.FileExists(t, filepath.Join(dir, strings.TrimSuffix(f.Name(), ".truth.json")))
	}
}

func TestRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"no folder":          {},
		"a negative number":  {"-n", "-1"},
		"unknown distortion": {"-distort", "earthquake"},
		"unknown style":      {"-styles", "A4"},
		"unknown format":     {"-formats", "gif"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "no folder" {
				args = append(args, "-out", t.TempDir())
			}
			assert.Error(t, run(args, &bytes.Buffer{}))
		})
	}
}
