package offline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/offline"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample is a small receipt: its text and its picture.
func sample(t *testing.T) (text string, picture []byte, truth receipts.Truth) {
	t.Helper()
	style, ok := receipts.StyleNamed("80-two-line")
	require.True(t, ok)
	r := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 3, Plain: true})
	img, err := r.Picture(style, 1)
	require.NoError(t, err)
	picture, err = receipts.JPEG(img, 90)
	require.NoError(t, err)
	return strings.Join(r.Paper(style), "\n"), picture, r.PaperTruth(style)
}

func withoutTool(t *testing.T) *offline.Provider {
	t.Helper()
	return offline.New(offline.Config{Command: filepath.Join(t.TempDir(), "tesseract")})
}

// fakeTool is a program in place of Tesseract, with the body of a shell script.
func fakeTool(t *testing.T, body string) *offline.Provider {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tesseract")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700))
	return offline.New(offline.Config{Command: path})
}

func TestKeepsThePromisesOfProvidersWithText(t *testing.T) {
	t.Parallel()
	needTesseract(t)
	text, _, _ := sample(t)
	sdktest.Exercise(t, offline.New(offline.Config{}), sdktest.Options{Page: sdk.Page{Text: text}})
}

func TestKeepsThePromisesOfProvidersWithPictures(t *testing.T) {
	t.Parallel()
	needTesseract(t)
	_, picture, _ := sample(t)
	sdktest.Exercise(t, offline.New(offline.Config{}), sdktest.Options{Page: sdk.Page{MediaType: "image/jpeg", Data: picture}, Concurrent: 2})
}

func TestWithoutTesseractTextIsReadAndPicturesAreNot(t *testing.T) {
	t.Parallel()
	p := withoutTool(t)
	text, picture, truth := sample(t)

	err := p.Check(t.Context())
	assertUnavailable(t, err)

	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "offline", d.Name)
	assert.Equal(t, "line rules", d.Model)
	assert.True(t, d.Local)

	assert.Equal(t, truth.AccessKey, extract(t, p, sdk.Page{Text: text}).AccessKey)
	assert.Equal(t, truth.AccessKey, extract(t, p, sdk.Page{MediaType: "text/plain", Data: []byte(text)}).AccessKey)

	_, err = p.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}}}, discard)
	assertUnavailable(t, err)
}

func TestWithoutPortugueseDataItIsUnavailable(t *testing.T) {
	t.Parallel()
	assertUnavailable(t, fakeTool(t, `echo "List of available languages (1):"; echo eng`).Check(t.Context()))
	_, picture, _ := sample(t)
	p := fakeTool(t, `cat >/dev/null; echo "Error opening data file por.traineddata" >&2; exit 1`)
	_, err := p.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}}}, discard)
	assertUnavailable(t, err)
}

func assertUnavailable(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*sdk.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, sdk.KindUnavailable, e.Kind)
	assert.Equal(t, sdk.BlamePlugin, e.Blame)
	assert.Equal(t, "Tesseract is not installed: apt-get install tesseract-ocr tesseract-ocr-por", e.Message)
}

func discard(string) error { return nil }

func TestDescribeNamesTheTool(t *testing.T) {
	t.Parallel()
	d, err := fakeTool(t, `case "$*" in *list-langs*) echo por;; *) echo "tesseract 5.9.1";; esac`).Describe(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "tesseract 5.9.1 por", d.Model)
	assert.Equal(t, []string{"image/jpeg", "image/png", "text/plain"}, d.MediaTypes)
	assert.Equal(t, []sdk.Task{sdk.TaskExtract, sdk.TaskAnalyze, sdk.TaskProbe}, d.Tasks)
}

func TestProbeReadsTheWordOnAPicture(t *testing.T) {
	t.Parallel()
	needTesseract(t)
	style, ok := receipts.StyleNamed("80-two-line")
	require.True(t, ok)
	img, err := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 1}).Picture(style, 2)
	require.NoError(t, err)
	head := image.NewGray(image.Rect(0, 0, img.Rect.Dx(), 140)) // the name of the shop
	for y := range head.Rect.Dy() {
		copy(head.Pix[y*head.Stride:(y+1)*head.Stride], img.Pix[y*img.Stride:])
	}
	var data bytes.Buffer
	require.NoError(t, png.Encode(&data, head))
	var got strings.Builder
	_, err = offline.New(offline.Config{}).Generate(t.Context(), sdk.Request{Task: sdk.TaskProbe, Pages: []sdk.Page{{MediaType: "image/png", Data: data.Bytes()}}},
		func(s string) error {
			got.WriteString(s)
			return nil
		})
	require.NoError(t, err)
	assert.Contains(t, got.String(), strings.Fields(receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 1}).Store.Name)[0])
}

func TestTheToolGetsOneThreadAndNothingOfTheEnvironment(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://secret")
	_, picture, _ := sample(t)
	p := fakeTool(t, `case "$*" in *--psm*) cat >/dev/null;; esac; echo "CODIGO DESCRICAO"; echo "001 12345 $OMP_THREAD_LIMIT LEITE [$DATABASE_URL]"; echo "2 UN X 5,99 11,98"`)
	got := extract(t, p, sdk.Page{MediaType: "image/jpeg", Data: picture})
	require.Len(t, got.Items, 1)
	assert.Equal(t, "1 LEITE []", got.Items[0].Description)
}

func TestTheEndOfTheCallKillsTheTool(t *testing.T) {
	t.Parallel()
	_, picture, _ := sample(t)
	started := filepath.Join(t.TempDir(), "started")
	p := fakeTool(t, `case "$*" in *--psm*) mkfifo "`+started+`.fifo"; echo $$ > "`+started+`"; exec cat "`+started+`.fifo";; esac; echo por`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for { // the tool runs when its file is there
			if b, err := os.ReadFile(started); err == nil && len(b) > 0 {
				cancel()
				return
			}
		}
	}()
	_, err := p.Generate(ctx, sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}}}, discard)
	e, ok := errors.AsType[*sdk.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, sdk.KindCancelled, e.Kind)
	b, err := os.ReadFile(started)
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join("/proc", strings.TrimSpace(string(b))))
	require.ErrorIs(t, err, os.ErrNotExist, "the tool is gone")
}

func TestOutputOfTheToolIsBounded(t *testing.T) {
	t.Parallel()
	_, picture, _ := sample(t)
	p := fakeTool(t, `case "$*" in *--psm*) yes LEITE;; esac; echo por`)
	_, err := p.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}}}, discard)
	require.Error(t, err)
}

func TestRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		req  sdk.Request
		kind sdk.Kind
	}{
		"no pages":     {sdk.Request{Task: sdk.TaskExtract}, sdk.KindInvalidRequest},
		"no findings":  {sdk.Request{Task: sdk.TaskAnalyze, Input: "{}"}, sdk.KindInvalidRequest},
		"no JSON":      {sdk.Request{Task: sdk.TaskAnalyze, Input: "Oi"}, sdk.KindInvalidRequest},
		"unheard of":   {sdk.Request{Task: "juggle", Input: "{}"}, sdk.KindUnsupported},
		"PDF":          {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "application/pdf", Data: []byte("%PDF")}}}, sdk.KindUnsupported},
		"broken JPEG":  {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: []byte("\xff\xd8\xff")}}}, sdk.KindInvalidRequest},
		"huge picture": {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/png", Data: hugePNG(t)}}}, sdk.KindInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := withoutTool(t).Generate(t.Context(), tc.req, discard)
			e, ok := errors.AsType[*sdk.Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tc.kind, e.Kind)
			assert.Equal(t, sdk.BlameHost, e.Blame)
		})
	}
}

// hugePNG is a picture whose header says 16000 by 16000 pixels.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 16000, 1))))
	data := b.Bytes()
	copy(data[20:24], []byte{0, 0, 0x3e, 0x80}) // the height; the checksum is looked at later
	return fixChecksum(data)
}

func TestItemsComeOneByOne(t *testing.T) {
	t.Parallel()
	text, _, truth := sample(t)
	var pieces []string
	_, err := withoutTool(t).Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{Text: text}}}, func(s string) error {
		pieces = append(pieces, s)
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, pieces, len(truth.Items)+2, "the beginning, the items, the rest")
	assert.True(t, json.Valid([]byte(strings.Join(pieces, ""))))
}
