package receipts

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readQR tries both binarizers: the local one fails on faded ink, the global one on blur. The multi reader is used because the
// single one takes the first three marks that look like corners, and gives up when one of them is data.
func readQR(img image.Image) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(img)
	var last error
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bitmap, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			return "", err
		}
		results, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, map[gozxing.DecodeHintType]any{
			gozxing.DecodeHintType_TRY_HARDER: true,
		})
		if err == nil && len(results) > 0 {
			return results[0].GetText(), nil
		}
		last = err
	}
	return "", last
}

func TestQRCodeIsReadFromTheCleanPicture(t *testing.T) {
	t.Parallel()
	for i, style := range Styles() {
		for version := 2; version <= 3; version++ {
			for _, issue := range []Issue{IssueOnline, IssueOffline} {
				r := Generate(NewRand(uint64(7*i)), Options{QRVersion: version, Issue: issue, Items: 4})
				img, err := r.Picture(style, 1)
				require.NoError(t, err)
				text, err := readQR(img)
				require.NoError(t, err, "%s v%d issue %d", style.Name, version, issue)
				assert.Equal(t, r.QR, text)
			}
		}
	}
}

func TestPictureHasTheRollsWidth(t *testing.T) {
	t.Parallel()
	r := Generate(NewRand(1), Options{Items: 3})
	for _, style := range Styles() {
		img, err := r.Picture(style, 1)
		require.NoError(t, err)
		assert.Equal(t, map[int]int{58: 463, 80: 639}[style.PaperMM], img.Rect.Dx())
		double, err := r.Picture(style, 2)
		require.NoError(t, err)
		assert.InDelta(t, 2*img.Rect.Dy(), double.Rect.Dy(), 2)
	}
	_, err := r.Picture(Styles()[0], 0)
	assert.Error(t, err)
}

func TestPicturesAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	set := Set{
		Count: 1, Seed: 5, Options: Options{Items: 3}, Styles: Styles()[3:4], Formats: []string{"png", "jpg", "pdf"},
		Distortions: Distortions(),
	}
	first, second := collect(t, set), collect(t, set)
	require.Len(t, first, 3*len(Distortions()))
	for i := range first {
		assert.True(t, bytes.Equal(first[i].Data, second[i].Data), first[i].Name)
	}
	// A sample does not depend on which others were asked for.
	set.Distortions, set.Formats = Distortions()[len(Distortions())-1:], []string{"jpg"}
	alone := collect(t, set)
	assert.Equal(t, first[2*len(Distortions())-1].Name, alone[0].Name)
	assert.True(t, bytes.Equal(first[2*len(Distortions())-1].Data, alone[0].Data))
}

func collect(t *testing.T, set Set) []Sample {
	t.Helper()
	var out []Sample
	for s, err := range set.Samples() {
		require.NoError(t, err)
		out = append(out, s)
	}
	return out
}

func TestDistortionsChangeThePictureAndKeepItReadable(t *testing.T) {
	t.Parallel()
	r := Generate(NewRand(11), Options{Items: 3, QRVersion: 2, Issue: IssueOnline})
	img, err := r.Picture(Styles()[2], 2)
	require.NoError(t, err)
	for i, d := range Distortions() {
		out := d.Apply(img, 2, NewRand(uint64(i)))
		if d.Margin > 0 {
			assert.Greater(t, out.Bounds().Dx(), img.Rect.Dx(), d.Name)
		}
		if gray, ok := out.(*image.Gray); ok && d.Name != "clean" {
			assert.False(t, bytes.Equal(gray.Pix, img.Pix), d.Name)
		}
		text, err := readQR(out)
		if assert.NoError(t, err, d.Name) {
			assert.Equal(t, r.QR, text, d.Name)
		}
	}
	_, err = DistortionNamed("earthquake")
	assert.Error(t, err)
}

func TestUnknownFormatIsAnError(t *testing.T) {
	t.Parallel()
	for _, err := range (Set{Count: 1, Formats: []string{"gif"}, Distortions: Distortions()[:1]}).Samples() {
		assert.ErrorContains(t, err, "gif")
	}
}

// tool fails the test when a program is not installed, and otherwise runs it and gives its output.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Fatalf("%s is not installed: scripts/components.sh installs it", args[0])
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), "OMP_THREAD_LIMIT=1") // two threads on two cores are slower than one
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}

// squeeze makes lines comparable: outer blanks go, inner runs become one, and empty lines are dropped.
func squeeze(lines []string) []string {
	var out []string
	for _, l := range lines {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func TestTextOfThePDFIsThePaper(t *testing.T) {
	t.Parallel()
	for i, style := range Styles() {
		r := Generate(NewRand(uint64(40+i)), Options{})
		data, err := r.PDF(style)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "receipt.pdf")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		text := tool(t, "pdftotext", "-layout", file, "-")
		assert.Equal(t, squeeze(r.Paper(style)), squeeze(strings.Split(text, "\n")), style.Name)
	}
}

func TestScannedPDFHasNoText(t *testing.T) {
	t.Parallel()
	r := Generate(NewRand(2), Options{Items: 3})
	img, err := r.Picture(Styles()[0], 1)
	require.NoError(t, err)
	data, err := ScannedPDF(img, 58, r.IssuedAt)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "scan.pdf")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	assert.Empty(t, strings.TrimSpace(tool(t, "pdftotext", file, "-")))
	assert.Contains(t, tool(t, "pdfimages", "-list", file), " 463 ")
}

// The pictures must be like real ones where it matters: Tesseract reads a clean one nearly whole.
func TestTesseractReadsTheCleanPicture(t *testing.T) {
	t.Parallel()
	style, _ := StyleNamed("80-two-line")
	r := Generate(NewRand(21), Options{Items: 15})
	img, err := r.Picture(style, 1)
	require.NoError(t, err)
	data, err := PNG(img)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "receipt.png")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	read := map[string]bool{}
	for _, l := range squeeze(strings.Split(tool(t, "tesseract", file, "-", "--psm", "6", "-l", "por"), "\n")) {
		read[strings.ReplaceAll(l, " ", "")] = true
	}
	found, total := 0, 0
	for _, l := range squeeze(r.Paper(style)) {
		if strings.Trim(l, "-=") == "" {
			continue
		}
		total++
		if read[strings.ReplaceAll(l, " ", "")] {
			found++
		}
	}
	t.Logf("%d of %d lines read exactly", found, total)
	assert.GreaterOrEqual(t, found*100, total*80)
}

func TestEXIFGoesInAndThePictureStays(t *testing.T) {
	t.Parallel()
	plain, err := JPEG(image.NewGray(image.Rect(0, 0, 40, 20)), 90)
	require.NoError(t, err)
	tagged := WithEXIF(plain, 6, true)
	assert.True(t, bytes.Contains(tagged, []byte("Exif\x00\x00MM\x00\x2a")))
	assert.Len(t, WithEXIF(plain, 1, false), len(plain)+4+6+8+2+12+4)
	img, err := jpeg.Decode(bytes.NewReader(tagged))
	require.NoError(t, err)
	assert.Equal(t, image.Pt(40, 20), img.Bounds().Size())
	assert.Equal(t, []byte("nothing"), WithEXIF([]byte("nothing"), 1, true))

	file := filepath.Join(t.TempDir(), "tagged.jpg")
	require.NoError(t, os.WriteFile(file, tagged, 0o600))
	assert.Equal(t, "6 25/1, 0/1, 0/1", tool(t, "identify", "-format", "%[EXIF:Orientation] %[EXIF:GPSLongitude]", file))
}

func TestPNGIsLossless(t *testing.T) {
	t.Parallel()
	img, err := Generate(NewRand(1), Options{Items: 1}).Picture(Styles()[0], 1)
	require.NoError(t, err)
	data, err := PNG(img)
	require.NoError(t, err)
	back, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	assert.Equal(t, img.Pix, back.(*image.Gray).Pix)
}
