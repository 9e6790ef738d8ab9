package security_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// photo is a receipt that the stub knows.
func (p *probe) photo(seed uint64, change ...func(*receipts.Receipt)) []byte {
	p.Helper()
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline, Consumer: receipts.ConsumerNone})
	for _, c := range change {
		c(&r)
	}
	style := receipts.Styles()[0]
	p.stub.KnowPaper(style, r)
	picture, err := r.Picture(style, 1)
	require.NoError(p, err)
	data, err := receipts.JPEG(picture, 85)
	require.NoError(p, err)
	return data
}

func uploadAttacks() []attack {
	return []attack{
		{name: "40 MB declared or chunked", expected: "413 TOO_LARGE", run: func(p *probe) string {
			return unique(p.uploadOf(p.ana, 40<<20, true), p.uploadOf(p.ana, 40<<20, false))
		}},
		{name: "16000×16000 PNG of 31 KB", expected: "200 TOO_LARGE", alone: true, run: func(p *probe) string {
			bomb := pngBomb(p.T, 16000)
			before := p.memory(p.T)
			got := p.costs(5, func() string { return p.upload(p.ana, bomb, "x.png", "image/png").verdict() })
			p.note += fmt.Sprintf(", %d KB sent, memory grew by %d MB", len(bomb)>>10, (p.memory(p.T)-before)>>20)
			return got
		}},
		{name: "declared JPEG that is HTML, SVG, ELF", expected: "200 UNSUPPORTED_MEDIA", run: func(p *probe) string {
			var answers []string
			for _, data := range []string{
				"<!doctype html><script>alert(1)</script>", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`,
				`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00", "MZ\x90\x00", "#!/bin/sh\n",
			} {
				answers = append(answers, p.upload(p.ana, []byte(data), "x.jpg", "image/jpeg").verdict())
			}
			return unique(answers...)
		}},
		{name: "JPEG+ZIP polyglot", expected: "COMPLETED, without its tail in storage, link and provider", run: polyglot},
		{name: "EXIF GPS", expected: "COMPLETED, absent from storage, link and provider", run: locations},
		{name: "HEIC", expected: "read as image/jpeg", run: heic},
		{name: "name ../../x, 10 KB, control characters", expected: "stored under a generated id", run: names},
		{name: "bad map", expected: "400 BAD_USER_INPUT", run: func(p *probe) string {
			var answers []string
			for _, placement := range []string{
				"{", "null", "[]", `{"0":[]}`, `{"0":["query"]}`, `{"0":["variables.nope.files.0"]}`, `{"0":["variables.input.files.0.x"]}`,
				`{"0":["variables.input"]}`, `{"0":["variables.input.files.9"]}`, `{"1":["variables.input.files.0"]}`,
			} {
				answers = append(answers, p.mapped(placement))
			}
			return unique(answers...)
		}},
		{name: "truncated JPEG", expected: "FAILED", run: func(p *probe) string {
			data := p.photo(101)
			return p.ends(p.ana, p.upload(p.ana, data[:len(data)/2], "x.jpg", "image/jpeg").submitted(p.T))
		}},
		{name: "animated GIF", expected: "200 UNSUPPORTED_MEDIA", run: func(p *probe) string {
			frame := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.White, color.Black})
			var b bytes.Buffer
			require.NoError(p, gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}))
			return p.upload(p.ana, b.Bytes(), "x.gif", "image/gif").verdict()
		}},
		{name: "encrypted PDF", expected: "200 BAD_USER_INPUT", run: func(p *probe) string {
			doc := fpdf.New("P", "mm", "A4", "")
			doc.SetProtection(fpdf.CnProtectPrint, "segredo", "dono")
			doc.AddPage()
			var b bytes.Buffer
			require.NoError(p, doc.Output(&b))
			return p.upload(p.ana, b.Bytes(), "x.pdf", "application/pdf").verdict()
		}},
		{name: "XML with entities", expected: "200 BAD_USER_INPUT", run: func(p *probe) string {
			good, err := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 2}).XML(receipts.XMLOptions{})
			require.NoError(p, err)
			_, note, _ := strings.Cut(string(good), "?>")
			var answers []string
			for _, kind := range []string{
				`<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>`,
				`<!DOCTYPE NFe [<!ENTITY c SYSTEM "file:///etc/passwd">]>`, `<!DOCTYPE NFe SYSTEM "http://127.0.0.1:1/x.dtd">`,
			} {
				answers = append(answers, p.upload(p.ana, []byte(`<?xml version="1.0"?>`+kind+strings.Replace(note, "<xNome>", "<xNome>&c;", 1)), "x.xml", "text/xml").verdict())
			}
			return unique(answers...)
		}},
	}
}

// pngBomb is a valid PNG of side by side black pixels.
func pngBomb(t *testing.T, side int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+side/8)
	for range side {
		_, err := z.Write(row)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	chunk := func(name string, body []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		b = append(append(b, name...), body...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(side)), uint32(side))
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 1, 0, 0, 0, 0)), chunk("IDAT", packed.Bytes()), chunk("IEND", nil),
	}, nil)
}

// kept are the bytes of an invoice's first file in storage, and as its link gives them.
func (p *probe) kept(c *apitest.Client, id string) (stored, linked []byte) {
	p.Helper()
	_, uuid, err := relay.DecodeID(id)
	require.NoError(p, err)
	user := p.claims(c.Token)["sub"].(string)
	for path, data := range p.stored(p.T) {
		if strings.HasPrefix(path, user+"/"+uuid+"/") {
			stored = data
		}
	}
	// The link's ticket, as the service signs it.
	ticket, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "smarket", "aud": "smarket-file", "sub": user, "jti": uuid + "/0",
		"nbf": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}).SignedString([]byte(tokenSecret))
	require.NoError(p, err)
	a := request(p.Context(), http.MethodGet, p.url+"/file?ticket="+url.QueryEscape(ticket), nil)
	require.Equal(p, http.StatusOK, a.status, a.text)
	return stored, []byte(a.text)
}

// sentOn says whether what the provider was sent, in all calls of this run, bears EXIF or a place.
func (p *probe) sentOn() bool {
	for _, call := range p.stub.Calls() {
		for _, m := range call.Media {
			if m.EXIF || m.GPS {
				return true
			}
		}
	}
	return false
}

func polyglot(p *probe) string {
	const tail = "PK\x03\x04 an archive with a script"
	data := append(p.photo(102), tail+"PK\x05\x06"...)
	id := p.upload(p.ana, data, "x.jpg", "image/jpeg").submitted(p.T)
	stage := p.ends(p.ana, id)
	stored, linked := p.kept(p.ana, id)
	if bytes.Contains(stored, []byte("PK\x03\x04")) {
		stage += ", stored with its tail"
	}
	if bytes.Contains(linked, []byte("PK\x03\x04")) {
		stage += ", linked with its tail"
	}
	if len(stored) == 0 || len(linked) == 0 || p.sentOn() {
		stage += ", not kept"
	}
	if strings.Contains(stage, ",") {
		return stage
	}
	return stage + ", without its tail in storage, link and provider"
}

func locations(p *probe) string {
	gps := []byte("\x88\x25\x00\x04") // the directory's entry for a place
	data := receipts.WithEXIF(p.photo(103), 6, true)
	require.Contains(p, string(data), string(gps))
	id := p.upload(p.ana, data, "x.jpg", "image/jpeg").submitted(p.T)
	stage := p.ends(p.ana, id)
	stored, linked := p.kept(p.ana, id)
	if len(stored) == 0 || bytes.Contains(stored, gps) {
		stage += ", stored with its place"
	}
	if len(linked) == 0 || bytes.Contains(linked, gps) {
		stage += ", linked with its place"
	}
	if p.sentOn() {
		stage += ", sent on"
	}
	if strings.Contains(stage, ",") {
		return stage
	}
	return stage + ", absent from storage, link and provider"
}

func heic(p *probe) string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gen2brain/heic").Output()
	require.NoError(p, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "test.heic"))
	require.NoError(p, err)
	known := len(p.stub.Calls())
	id := p.upload(p.ana, data, "x.heic", "image/heic").submitted(p.T)
	p.note = p.ends(p.ana, id)
	_, linked := p.kept(p.ana, id)
	types := []string{http.DetectContentType(linked)}
	for _, call := range p.stub.CallsTo(llmstub.Gemini)[min(known, p.stub.Count(llmstub.Gemini)):] {
		for _, m := range call.Media {
			types = append(types, m.Type)
		}
	}
	return "read as " + unique(types...)
}

func names(p *probe) string {
	generated := regexp.MustCompile(`^[0-9a-f-]{36}/[0-9a-f-]{36}/[0-9a-f-]{36}$`)
	for i, name := range []string{"../../x", strings.Repeat("n", 10<<10), "a\x00\x01\x1b[31mb", `..\\..\\x`, "/etc/passwd"} {
		a := p.upload(p.ana, p.photo(110+uint64(i)), name, "image/jpeg")
		if a.verdict() == "400 BAD_USER_INPUT" {
			continue // a header that is none is refused whole
		}
		p.ends(p.ana, a.submitted(p.T))
	}
	files := p.stored(p.T)
	for path := range files {
		if !generated.MatchString(path) {
			return "stored as " + path
		}
	}
	if len(files) == 0 {
		return "nothing stored"
	}
	above, err := filepath.Glob(filepath.Join(p.dir, "x"))
	if err != nil || len(above) > 0 {
		return fmt.Sprint(above, err)
	}
	return "stored under a generated id"
}
