package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// start runs the command until the test ends, and gives the lines it prints first.
func start(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), w)
		_ = w.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
	urls := make(map[string]string)
	lines := bufio.NewScanner(r)
	for range llmstub.Vendors() {
		require.True(t, lines.Scan(), "%v", lines.Err())
		name, url, _ := strings.Cut(lines.Text(), "=")
		urls[name] = url
	}
	return urls
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer k")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

func TestServesWhatItWasTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var picture []byte
	var truth receipts.Truth
	samples := receipts.Set{Count: 1, Seed: 5, Formats: []string{"xml", "jpg"}, Distortions: receipts.Distortions()[:1]}
	for s, err := range samples.Samples() {
		require.NoError(t, err)
		data, err := s.TruthJSON()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, s.TruthName()), data, 0o600))
		picture, truth = s.Data, s.Truth
	}
	for _, known := range [][]string{{"-receipts", dir}, {"-generate", "2", "-seed", "5"}} {
		urls := start(t, append(known, "-fault", "openrouter=429", "-fault", "gemini=503:0", "-latency", "all=1us,2us,1us")...)
		body := `{"model":"gpt-6-luna","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,` +
			base64.StdEncoding.EncodeToString(picture) + `"}}]}],"response_format":{"type":"json_schema","json_schema":{"name":"r","schema":{"type":"object","properties":{"access_key":{},"items":{}}}}}`
		status, reply := post(t, urls["OPENAI_BASE_URL"]+"/chat/completions", body+"}")
		require.Equal(t, http.StatusOK, status, reply)
		var got struct {
			Choices []struct {
				Message struct {
					Content string `json:"content"`
				} `json:"message"`
			} `json:"choices"`
		}
		require.NoError(t, json.Unmarshal([]byte(reply), &got))
		assert.Contains(t, got.Choices[0].Message.Content, truth.AccessKey)
		assert.Contains(t, got.Choices[0].Message.Content, truth.Items[0].Description, "as the paper has it")
		status, _ = post(t, urls["OPENROUTER_BASE_URL"]+"/chat/completions", body+`,"provider":{"require_parameters":true,"data_collection":"deny"}}`)
		assert.Equal(t, http.StatusTooManyRequests, status)
	}
}

func TestRefusesFlagsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-fault", "gemini=earthquake"},
		{"-fault", "gemini=503:2"},
		{"-fault", "acme=503"},
		{"-latency", "gemini=soon"},
		{"-latency", "all=1s,1s,1s,1s"},
		{"-word", "no-word"},
		{"-receipts", t.TempDir()},
		{"-listen", "nowhere:x"},
	} {
		assert.Error(t, run(t.Context(), args, io.Discard), args)
	}
}
