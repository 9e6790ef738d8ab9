package llmstub_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// BenchmarkCall is the stub's own part of a measured call: a known picture, no latency, one client.
func BenchmarkCall(b *testing.B) {
	stub := llmstub.Start(b)
	r := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 20})
	stub.Know(r)
	img, err := r.Picture(receipts.Styles()[0], 2)
	require.NoError(b, err)
	picture, err := receipts.JPEG(img, 70)
	require.NoError(b, err)
	body := []byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,` +
		base64.StdEncoding.EncodeToString(picture) + `"}}]}]}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, stub.BaseURL(llmstub.OpenAI)+"/chat/completions", bytes.NewReader(body))
		require.NoError(b, err)
		req.Header.Set("Authorization", "Bearer k")
		resp, err := http.DefaultClient.Do(req)
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(b, err)
		require.NoError(b, resp.Body.Close())
	}
	http.DefaultClient.CloseIdleConnections()
}
