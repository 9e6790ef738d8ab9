package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// exportLink asks for a link to all of one's data.
func (p *person) exportLink(t *testing.T) string {
	t.Helper()
	var out struct {
		ExportMyData struct {
			URL       string
			ExpiresAt time.Time
		}
	}
	p.Query(t, `mutation { exportMyData { url expiresAt } }`, nil, &out)
	assert.True(t, strings.HasPrefix(out.ExportMyData.URL, "/export?ticket="))
	assert.WithinDuration(t, time.Now().Add(10*time.Minute), out.ExportMyData.ExpiresAt, time.Minute)
	return out.ExportMyData.URL
}

// fileLinks are the links to the files of an invoice.
func (p *person) fileLinks(t *testing.T, id string) (links []string) {
	t.Helper()
	var out struct {
		Invoice struct{ Files []struct{ URL string } }
	}
	p.Query(t, `query($id: ID!) { invoice(id: $id) { files { url } } }`, map[string]any{"id": id}, &out)
	for _, f := range out.Invoice.Files {
		links = append(links, f.URL)
	}
	return links
}

func unzip(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		files[f.Name], err = io.ReadAll(r)
		require.NoError(t, err)
	}
	return files
}

func TestAnExportHoldsAllOfOnesOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		p := setupPrivacy(t, at)
		status, header, archive := p.get(t, p.zac.exportLink(t))
		require.Equal(t, http.StatusOK, status)
		assert.Equal(t, "application/zip", header.Get("Content-Type"))
		assert.Regexp(t, `^attachment; filename="mercado-esperto-\d{4}-\d\d-\d\d\.zip"$`, header.Get("Content-Disposition"))
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		assert.Equal(t, "private, no-store", header.Get("Cache-Control"))
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		assert.Empty(t, header.Get("Content-Length"), "it is sent as it is made")

		files := unzip(t, archive)
		var data struct {
			Sobre   string
			Tabelas map[string][]map[string]any
		}
		require.NoError(t, json.Unmarshal(files["dados.json"], &data))
		assert.NotEmpty(t, data.Sobre)
		for table, n := range map[string]int{"users": 1, "invoices": 2, "invoice_files": 2, "analyses": 2, "invoice_revisions": 1} {
			assert.Len(t, data.Tabelas[table], n, table)
		}
		for _, table := range []string{"sessions", "invoice_items", "extraction_events", "provider_calls", "products", "purchases", "insights"} {
			assert.NotEmpty(t, data.Tabelas[table], table)
		}
		text := string(files["dados.json"])
		for _, mine := range append([]string{"zacarias.marcador@example.com", "Zacarias Marcador", "Mercadinho do Zacarias", "Bolacha do Zacarias"}, p.zac.ids(t, p.App)...) {
			assert.Contains(t, text, mine)
		}
		for _, not := range append([]string{"password_hash", "refresh_hash", "argon2id", "rui@example.com", "Mercadinho do Rui"}, p.rui.ids(t, p.App)...) {
			assert.NotContains(t, text, not)
		}
		assert.Contains(t, string(files["compras.csv"]), "Mercadinho do Zacarias")
		assert.NotContains(t, string(files["compras.csv"]), "do Rui")
		stored := storedFiles(traces(t, p.App, p.dir), p.zac.id)
		assert.Len(t, files, 2+2, "two texts and two submitted files")
		assert.NotEmpty(t, stored)
		for name, content := range files {
			if strings.HasPrefix(name, "arquivos/") {
				assert.NotEmpty(t, content, name)
			}
		}
	})
}

func TestAFileIsShownWithoutItsPlaceOrSaved(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		p := setupPrivacy(t, at)
		xml, photo := p.zac.fileLinks(t, p.zac.invoices[0]), p.zac.fileLinks(t, p.zac.invoices[1])
		require.Len(t, xml, 1)
		require.Len(t, photo, 1)

		status, header, body := p.get(t, photo[0])
		require.Equal(t, http.StatusOK, status)
		assert.Equal(t, "image/jpeg", header.Get("Content-Type"))
		assert.Equal(t, "default-src 'none'; sandbox", header.Get("Content-Security-Policy"))
		assert.True(t, bytes.HasPrefix(body, []byte{0xff, 0xd8, 0xff}))
		assert.NotContains(t, string(body), "Exif")
		assert.Contains(t, string(receipts.WithEXIF(body, 1, true)), "Exif", "the sample would have been found")

		status, header, body = p.get(t, xml[0])
		require.Equal(t, http.StatusOK, status)
		assert.Equal(t, `attachment; filename="nota.xml"`, header.Get("Content-Disposition"))
		assert.Equal(t, "application/octet-stream", header.Get("Content-Type"))
		assert.Contains(t, string(body), "<")
	})
}

func TestALinkIsGoodForWhatItWasGivenFor(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		p := setupPrivacy(t, at)
		ticket := func(purpose account.Purpose, userID, subject string, ttl time.Duration) string {
			text, _, err := p.Accounts.Ticket(purpose, userID, subject, ttl)
			require.NoError(t, err)
			return text
		}
		file := p.zac.fileLinks(t, p.zac.invoices[0])[0]
		_, ofFile, _ := strings.Cut(file, "?ticket=")
		_, subject, err := p.Accounts.Redeem(account.PurposeFile, ofFile)
		require.NoError(t, err)
		export := p.zac.exportLink(t)
		for name, test := range map[string]struct {
			link   string
			status int
		}{
			"none":                        {"/export", http.StatusForbidden},
			"not a ticket":                {"/export?ticket=x", http.StatusForbidden},
			"an access token":             {"/export?ticket=" + p.zac.Token, http.StatusForbidden},
			"a file's":                    {"/export?ticket=" + ofFile, http.StatusForbidden},
			"an export's":                 {strings.Replace(export, "/export", "/file", 1), http.StatusForbidden},
			"expired":                     {"/export?ticket=" + ticket(account.PurposeExport, p.zac.id, p.zac.id, -time.Second), http.StatusForbidden},
			"an expired file":             {"/file?ticket=" + ticket(account.PurposeFile, p.zac.id, subject, -time.Second), http.StatusForbidden},
			"another user's file":         {"/file?ticket=" + ticket(account.PurposeFile, p.rui.id, subject, time.Minute), http.StatusNotFound},
			"a place where there is none": {"/file?ticket=" + ticket(account.PurposeFile, p.zac.id, subject+"9", time.Minute), http.StatusNotFound},
		} {
			status, header, body := p.get(t, test.link)
			assert.Equal(t, test.status, status, name)
			assert.Equal(t, "private, no-store", header.Get("Cache-Control"), name)
			assert.NotContains(t, string(body), "Zacarias", name)
		}
		require.Empty(t, p.zac.deleteAccount(t, zacPassword).Errors)
		for _, link := range []string{export, file} {
			status, _, _ := p.get(t, link)
			assert.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, status, "the account is gone")
		}
	})
}
