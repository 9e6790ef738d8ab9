package app

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/resolvers"
)

// How long the links are good that browsers fetch without an Authorization header.
const (
	exportTTL = 10 * time.Minute
	fileTTL   = 15 * time.Minute
)

// The paths of what is fetched by a ticket.
const (
	exportPath = "/export"
	filePath   = "/file"
)

func link(path, ticket string) string { return path + "?" + url.Values{"ticket": {ticket}}.Encode() }

// links makes the addresses of downloads. It implements resolvers.Links.
type links struct{ accounts *account.Service }

var _ resolvers.Links = links{}

// Export is where the user's data can be fetched from, and until when.
func (l links) Export(userID string) (string, time.Time, error) {
	ticket, expires, err := l.accounts.Ticket(account.PurposeExport, userID, userID, exportTTL)
	return link(exportPath, ticket), expires, err
}

// File is where a submitted file of the user's invoice can be fetched from.
func (l links) File(userID, invoiceID string, position int) (string, error) {
	ticket, _, err := l.accounts.Ticket(account.PurposeFile, userID, invoiceID+"/"+strconv.Itoa(position), fileTTL)
	return link(filePath, ticket), err
}

// downloadHeaders keep what people have sent from ever being taken for a page of ours.
func downloadHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer") // the address holds a ticket
	h.Set("Cross-Origin-Resource-Policy", "same-site")
}

// serveExport streams the ZIP of everything that is kept of a user.
func (a *App) serveExport(w http.ResponseWriter, r *http.Request) {
	downloadHeaders(w.Header())
	userID, _, err := a.Accounts.Redeem(account.PurposeExport, r.URL.Query().Get("ticket"))
	if err == nil {
		_, err = a.Accounts.User(r.Context(), userID) // deleted meanwhile
	}
	if err != nil {
		a.refuseDownload(w, r, err)
		return
	}
	now := time.Now()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="mercado-esperto-%s.zip"`, now.Format(time.DateOnly)))
	if err := a.privacy.Export(r.Context(), userID, w, now); err != nil {
		a.log.ErrorContext(r.Context(), "export failed", "error", err)
		panic(http.ErrAbortHandler) // the client must not take what it has for a whole archive
	}
}

// serveFile gives a submitted file: a picture as JPEG without metadata, a PDF or XML to be saved.
func (a *App) serveFile(w http.ResponseWriter, r *http.Request) {
	downloadHeaders(w.Header())
	data, file, err := a.submittedFile(r)
	if err == nil && file.Kind != invoice.FilePDF && file.Kind != invoice.FileXML {
		data, err = a.reader.Display(r.Context(), file.Kind, data)
	}
	if err != nil {
		a.refuseDownload(w, r, err)
		return
	}
	switch file.Kind {
	case invoice.FilePDF:
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Disposition", `attachment; filename="nota.pdf"`)
	case invoice.FileXML:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="nota.xml"`)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
	}
	_, _ = w.Write(data) //nolint:gosec // G705: of a type that is no page, and sandboxed; a client that is gone needs no answer
}

func (a *App) submittedFile(r *http.Request) ([]byte, invoice.File, error) {
	userID, subject, err := a.Accounts.Redeem(account.PurposeFile, r.URL.Query().Get("ticket"))
	if err != nil {
		return nil, invoice.File{}, err
	}
	file, err := a.fileOf(r, userID, subject)
	if err != nil {
		return nil, file, err
	}
	body, err := a.files.Open(r.Context(), file.BlobKey)
	if err != nil {
		return nil, file, fmt.Errorf("open file %s: %w", file.ID, err)
	}
	data, err := io.ReadAll(io.LimitReader(body, invoice.MaxFileBytes))
	_ = body.Close() // only read
	return data, file, err
}

// fileOf finds a file by "invoice/position". NOT_FOUND when the user has none there.
func (a *App) fileOf(r *http.Request, userID, subject string) (invoice.File, error) {
	invoiceID, position, _ := strings.Cut(subject, "/")
	inv, err := a.Invoices.Invoice(r.Context(), userID, invoiceID)
	if err != nil {
		return invoice.File{}, err
	}
	for _, f := range inv.Files {
		if strconv.Itoa(f.Position) == position && f.RemovedAt == nil {
			return f, nil
		}
	}
	return invoice.File{}, invoice.NotFound("Arquivo")
}

// refuseDownload answers with a status and a sentence, for people: a link is opened in a browser.
func (a *App) refuseDownload(w http.ResponseWriter, r *http.Request, err error) {
	status, sentence := http.StatusInternalServerError, "Algo deu errado do nosso lado. Tente de novo daqui a pouco."
	if e, ok := errors.AsType[*account.Error](err); ok && e.Code != account.CodeUnavailable {
		status, sentence = http.StatusForbidden, "Este endereço expirou. Peça um novo no aplicativo."
	} else if e, ok := errors.AsType[*invoice.Error](err); ok {
		status, sentence = http.StatusNotFound, e.Message
	} else {
		a.log.ErrorContext(r.Context(), "download failed", "error", err)
	}
	http.Error(w, sentence, status)
}
