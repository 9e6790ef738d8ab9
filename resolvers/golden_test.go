package resolvers_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden answers")

// TestGolden sends every testdata/<operation>/<case>.graphql and compares the answer with <case>.golden.json. Lines at the head
// of a query say how it is sent: "# as: ana" signs in, "# file: text" adds an upload. Variables are in <case>.variables.json.
// The services hold testdata/seed.json, or the operation's own seed.json.
func TestGolden(t *testing.T) {
	t.Parallel()
	queries, err := filepath.Glob(filepath.Join("testdata", "*", "*.graphql"))
	require.NoError(t, err)
	require.NotEmpty(t, queries)
	for _, query := range queries {
		base := strings.TrimSuffix(query, ".graphql")
		t.Run(filepath.ToSlash(strings.TrimPrefix(base, "testdata"+string(filepath.Separator))), func(t *testing.T) {
			t.Parallel()
			got := ask(t, base)
			golden := base + ".golden.json"
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o600))
				return
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run go test ./resolvers -update and review the diff")
			assert.Equal(t, string(want), string(got))
		})
	}
}

// goldenCase is a request of TestGolden.
type goldenCase struct {
	query     string
	user      string
	files     []string
	variables map[string]any
}

func readCase(t *testing.T, base string) goldenCase {
	t.Helper()
	data, err := os.ReadFile(base + ".graphql")
	require.NoError(t, err)
	c := goldenCase{query: string(data)}
	for line := range strings.Lines(c.query) {
		line = strings.TrimSpace(line)
		if user, ok := strings.CutPrefix(line, "# as: "); ok {
			c.user = user
		}
		if file, ok := strings.CutPrefix(line, "# file: "); ok {
			c.files = append(c.files, file)
		}
	}
	if data, err := os.ReadFile(base + ".variables.json"); err == nil {
		require.NoError(t, json.Unmarshal(data, &c.variables))
	}
	return c
}

// ask sends a case and gives its answer, with the status, in a form that is easy to compare.
func ask(t *testing.T, base string) []byte {
	t.Helper()
	seedFile := filepath.Join(filepath.Dir(base), "seed.json")
	if _, err := os.Stat(seedFile); err != nil {
		seedFile = filepath.Join("testdata", "seed.json")
	}
	s, c := setupSeed(t, seedFile), readCase(t, base)
	operations, err := json.Marshal(map[string]any{"query": c.query, "variables": c.variables})
	require.NoError(t, err)
	headers := []string{"Content-Type", "application/json", "X-Request-Id", "golden-request"}
	if c.user != "" {
		headers = append(headers, "Authorization", "Bearer token-"+c.user)
	}
	var body io.Reader = bytes.NewReader(operations)
	if len(c.files) > 0 {
		var contentType string
		body, contentType = uploads(t, string(operations), c.files...)
		headers = append(headers, "Content-Type", contentType, "Apollo-Require-Preflight", "true")
	}
	events := strings.Contains(c.query, "\nsubscription")
	if events {
		headers = append(headers, "Accept", "text/event-stream")
	}
	status, _, answer := s.post(t, body, headers...)
	var payload any
	if events {
		payload = parseEvents(t, answer)
	} else {
		require.NoError(t, json.Unmarshal([]byte(answer), &payload), answer)
	}
	out, err := json.MarshalIndent(map[string]any{"status": status, "answer": payload}, "", "  ")
	require.NoError(t, err)
	return append(out, '\n')
}

// parseEvents is the stream's events in order, each "next" with its data decoded.
func parseEvents(t *testing.T, stream string) []any {
	t.Helper()
	var events []any
	for block := range strings.SplitSeq(strings.TrimSpace(stream), "\n\n") {
		name, data := "", ""
		for line := range strings.SplitSeq(block, "\n") {
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(line, "data: "); ok {
				data = v
			}
		}
		switch name {
		case "next":
			var v any
			require.NoError(t, json.Unmarshal([]byte(data), &v))
			events = append(events, v)
		case "complete":
			events = append(events, "complete")
		}
	}
	return events
}

// uploads is a multipart body with one file for each text, placed at variables.input.files.
func uploads(t *testing.T, operations string, files ...string) (io.Reader, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	require.NoError(t, w.WriteField("operations", operations))
	paths := map[string][]string{}
	for i := range files {
		paths[strconv.Itoa(i)] = []string{"variables.input.files." + strconv.Itoa(i)}
	}
	m, err := json.Marshal(paths)
	require.NoError(t, err)
	require.NoError(t, w.WriteField("map", string(m)))
	for i, text := range files {
		part, err := w.CreateFormFile(strconv.Itoa(i), "../../etc/passwd")
		require.NoError(t, err)
		_, err = io.WriteString(part, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &body, w.FormDataContentType()
}
