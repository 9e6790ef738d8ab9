package providers_test

import (
	"bytes"
	"context"
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// guesser answers without looking.
type guesser struct {
	reply string
	seen  sdk.Request
}

func (g *guesser) Describe(context.Context) (sdk.Description, error) { return sdk.Description{}, nil }
func (g *guesser) Check(context.Context) error                       { return nil }
func (g *guesser) Generate(_ context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
	g.seen = req
	return sdk.Result{FinishReason: sdk.FinishStop}, emit(g.reply)
}

func TestAProviderThatGuessesIsFoundOut(t *testing.T) {
	t.Parallel()
	g := &guesser{reply: "RECEIPT"}
	_, err := providers.Probe(t.Context(), g)
	require.ErrorIs(t, err, providers.ErrBlind)
	require.Len(t, g.seen.Pages, 1)
	_, format, err := image.DecodeConfig(bytes.NewReader(g.seen.Pages[0].Data))
	require.NoError(t, err)
	assert.Equal(t, "jpeg", format)
	assert.Empty(t, g.seen.Input, "the word is on the picture alone")
}
