package document

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// shared is one Reader for all tests that need no settings of their own: compiling the PDF sandbox takes seconds.
var shared = sync.OnceValue(func() *Reader {
	return New(Config{PDFInstances: 2}, slog.New(slog.DiscardHandler))
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = shared().Close(context.Background())
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// receipt is a fictional purchase and the style it is printed in.
func receipt(seed uint64, opts receipts.Options) (receipts.Receipt, receipts.Style) {
	styles := receipts.Styles()
	return receipts.Generate(receipts.NewRand(seed), opts), styles[seed%uint64(len(styles))]
}

func picture(t *testing.T, seed uint64, distortion string, scale float64) (receipts.Receipt, image.Image) {
	t.Helper()
	r, style := receipt(seed, receipts.Options{Items: 10})
	paper, err := r.Picture(style, scale)
	require.NoError(t, err)
	d, err := receipts.DistortionNamed(distortion)
	require.NoError(t, err)
	return r, d.Apply(paper, scale, receipts.NewRand(seed))
}

func asJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}))
	return b.Bytes()
}

// read reads one file with the shared Reader.
func read(t *testing.T, data []byte) invoice.Reading {
	t.Helper()
	got, err := shared().Read(t.Context(), []invoice.Content{{Data: data}}, nil)
	require.NoError(t, err)
	return got
}

// requireRefusal asserts an error for the family: its code, and a sentence.
func requireRefusal(t *testing.T, err error, code invoice.Code) {
	t.Helper()
	var refusal *invoice.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code, err)
	require.True(t, strings.HasSuffix(refusal.Message, "."), refusal.Message)
}

// moduleFile is a file that ships with a module we depend on.
func moduleFile(t *testing.T, module, path string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil || len(bytes.TrimSpace(dir)) == 0 {
		t.Fatalf("source of %s is not here: go mod download", module)
	}
	data, err := os.ReadFile(filepath.Join(string(bytes.TrimSpace(dir)), path))
	require.NoError(t, err)
	return data
}
