package app_test

import (
	"bytes"
	"context"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// TestEachPluginShowsItsPicturesToTheModel has the stub really look: character recognition stands in for the models' eyes.
func TestEachPluginShowsItsPicturesToTheModel(t *testing.T) {
	t.Parallel()
	look := func(req llmstub.Request) (string, bool) {
		if req.Task != sdk.TaskProbe || len(req.Media) != 1 {
			return "", false
		}
		cmd := exec.CommandContext(t.Context(), "tesseract", "stdin", "stdout", "--psm", "6")
		cmd.Stdin = bytes.NewReader(req.Media[0].Data)
		word, err := cmd.Output()
		return string(word), err == nil
	}
	stub := llmstub.Start(t, llmstub.Options{Reply: look})
	at := withVendors(installation{"embedded", environ(t)}, stub)
	host, err := app.NewHost(at.config(t), quiet())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, host.Start(t.Context()))
	for _, name := range []string{"gemini", "openrouter", "openai", "anthropic"} {
		_, err := providers.Probe(t.Context(), host.Provider(name))
		require.NoError(t, err, name)
	}
	require.NoError(t, stub.AwaitDone(t.Context()))
	assert.Len(t, stub.Calls(), 4)
}
