package providers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

const textReceipt = `MERCADO EXEMPLO
LEITE INTEGRAL 1L 2 x 5,99 11,98
BANANA PRATA 1,500 x 8,00 12,00
TOTAL R$ 23,98
`

// runExample runs one plugin under a host.
func runExample(t *testing.T, name, target string) *bundle {
	t.Helper()
	b := setup(t, HostConfig{SharedEnv: map[string]string{"PATH": "/usr/bin:/bin"}})
	require.NoError(t, os.Symlink(target, filepath.Join(b.dir, BinaryPrefix+name)))
	require.NoError(t, b.Start(t.Context()))
	p := b.plugin(t, name)
	require.Equal(t, StateRunning, p.State, "%s\n%s", p.LastError, b.log)
	return b
}

// TestPythonExampleKeepsEveryPromiseAndReadsAReceipt shows that the protocol is enough to write a plugin in another language.
func TestPythonExampleKeepsEveryPromiseAndReadsAReceipt(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../examples/python-provider/provider.py")
	require.NoError(t, err)
	b := runExample(t, "python", script)
	p := b.Provider("python")
	sdktest.Exercise(t, p, sdktest.Options{Page: sdk.Page{Text: textReceipt}})

	chain, err := NewChain(ChainConfig{Order: []Named{{Name: "python", Provider: p}}})
	require.NoError(t, err)
	got, err := chain.Extract(t.Context(), invoice.ExtractionRequest{Pages: []invoice.DocumentPage{{Text: textReceipt}}}, ignore)
	require.NoError(t, err)
	assert.Equal(t, []string{"python ok"}, outcomes(got))
	assert.Equal(t, invoice.SourceOCR, got.Source)
	assert.Equal(t, "MERCADO EXEMPLO", got.Draft.Issuer.Name)
	require.Len(t, got.Draft.Items, 2)
	assert.Equal(t, "BANANA PRATA", got.Draft.Items[1].Description)
	assert.EqualValues(t, 2398, *got.Draft.Totals.Due)

	pid, began := b.plugin(t, "python").PID, time.Now()
	require.NoError(t, b.Stop(t.Context()))
	assert.False(t, alive(pid))
	assert.Less(t, time.Since(began), 30*time.Second)
}

func TestGoExampleKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "example")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../examples/go-provider").CombinedOutput()
	require.NoError(t, err, "%s", out)
	sdktest.Exercise(t, runExample(t, "example", binary).Provider("example"), sdktest.Options{
		Page: sdk.Page{MediaType: "image/jpeg", Data: []byte("picture")},
	})
}
