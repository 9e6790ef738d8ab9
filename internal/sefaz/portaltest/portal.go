// Package portaltest is a stand-in for the states' portals: pages of fictional receipts in each known model, on loopback, behind
// the states' own names, with the faults that portals have. It shares no code with the reader, so that a mistake of one does not
// hide in the other. No real portal was asked for it; docs/official-data.md says after what the models were made.
package portaltest

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/sefaz"
)

// Fault is what a portal does in the place of showing the note.
type Fault string

// The faults.
const (
	None            Fault = ""
	Down            Fault = "down"  // hangs until the asker gives up
	Error           Fault = "error" // 503
	NotYet          Fault = "not yet"
	Captcha         Fault = "captcha"
	Invalid         Fault = "invalid code"
	Cancelled       Fault = "cancelled" // the note, with a word about it
	Unknown         Fault = "unknown layout"
	Huge            Fault = "huge"      // 5 MB
	Bomb            Fault = "gzip bomb" // 64 MB in 64 KB
	Broken          Fault = "broken"    // the note's page, cut in the middle of an item
	Script          Fault = "script"    // the note is there for a browser alone
	Elsewhere       Fault = "redirect elsewhere"
	Private         Fault = "redirect to a private address" // by a name of the state's
	Loop            Fault = "redirect loop"
	Downgrade       Fault = "redirect to http"
	OtherNote       Fault = "another note"
	Frame           Fault = "frame" // the note is in a frame
	FrameElsewhere  Fault = "frame elsewhere"
	Binary          Fault = "binary"
	Moved           Fault = "moved" // to another host of the state
	NoTLS           Fault = "no tls"
	MisdeclaredUTF8 Fault = "misdeclared" // says UTF-8 and is ISO-8859-1
)

// Portal answers for all states.
type Portal struct {
	secure, plain *httptest.Server
	roots         *x509.CertPool

	mu       sync.Mutex
	notes    map[string]note
	fault    Fault
	private  map[string]string // names that lead to private addresses
	requests []Request
	asked    chan struct{} // one token for each question
}

type note struct {
	model   Model
	receipt receipts.Receipt
	latin1  bool
}

// Request is one request as it came in.
type Request struct {
	Secure           bool
	Host, Path, P    string
	Agent, Forwarded string
}

// Start runs a portal until the test ends.
func Start(tb testing.TB) *Portal {
	tb.Helper()
	p := &Portal{notes: map[string]note{}, private: map[string]string{}, asked: make(chan struct{}, 1000)}
	cert := certificate(tb)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	require.NoError(tb, err)
	p.roots = x509.NewCertPool()
	p.roots.AddCert(leaf)
	p.plain = httptest.NewServer(http.HandlerFunc(p.serve))
	p.secure = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.secure.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	p.secure.StartTLS()
	tb.Cleanup(func() {
		p.secure.CloseClientConnections()
		p.plain.CloseClientConnections()
		p.secure.Close()
		p.plain.Close()
	})
	return p
}

// certificate is for every name below gov.br of up to five labels.
func certificate(tb testing.TB) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	var names []string
	for _, s := range receipts.States() {
		for _, address := range []string{s.QRBase, s.KeyURL} {
			address = strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
			host, _, _ := strings.Cut(address, "/")
			names = append(names, host)
		}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "portaltest"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Network leads every public name to the portal, as if it were on the internet.
func (p *Portal) Network() sefaz.Network {
	return sefaz.Network{
		Roots: p.roots,
		Resolve: func(_ context.Context, host string) ([]netip.Addr, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if addr, ok := p.private[host]; ok {
				return []netip.Addr{netip.MustParseAddr(addr)}, nil
			}
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil // public, and never dialled
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			at := p.secure.Listener.Addr().String()
			if strings.HasSuffix(address, ":80") {
				at = p.plain.Listener.Addr().String()
			}
			p.mu.Lock()
			refused := p.fault == NoTLS && !strings.HasSuffix(address, ":80")
			p.mu.Unlock()
			if refused {
				return nil, &net.OpError{Op: "dial", Net: network, Err: net.ErrClosed}
			}
			return (&net.Dialer{}).DialContext(ctx, network, at)
		},
	}
}

// Know lets the portal show a receipt, in UTF-8 or in ISO-8859-1.
func (p *Portal) Know(m Model, r receipts.Receipt, latin1 bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes[string(r.Key)] = note{m, r, latin1}
}

// Fail has the portal fail from now on; None mends it.
func (p *Portal) Fail(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Hide lets a name lead to a private address.
func (p *Portal) Hide(host, addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.private[host] = addr
}

// Requests are those that came in so far.
func (p *Portal) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Asked delivers one token for each request.
func (p *Portal) Asked() <-chan struct{} { return p.asked }

func (p *Portal) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query().Get("p")
	p.mu.Lock()
	p.requests = append(p.requests, Request{
		Secure: r.TLS != nil, Host: r.Host, Path: r.URL.Path, P: query, Agent: r.UserAgent(), Forwarded: r.Header.Get("X-Forwarded-For"),
	})
	fault := p.fault
	key, _, _ := strings.Cut(query, "|")
	n, known := p.notes[key]
	p.mu.Unlock()
	p.asked <- struct{}{}
	if r.URL.Path == "/elsewhere" || r.URL.Path == "/frame" { // where the portal led to itself
		fault = None
	}
	if !known && (fault == None || fault == Cancelled || fault == Broken) {
		fault = NotYet
	}
	p.answer(w, r, fault, n)
}

func (p *Portal) answer(w http.ResponseWriter, r *http.Request, fault Fault, n note) {
	to := func(address string) { http.Redirect(w, r, address, http.StatusFound) } //nolint:gosec // G710: the askers of tests alone follow it
	switch fault {
	case Down:
		<-r.Context().Done()
	case Error:
		http.Error(w, "fora do ar", http.StatusServiceUnavailable)
	case Huge:
		write(w, "<html><body>"+strings.Repeat("<p>nota fiscal</p>", 5<<20/18)+"</body></html>")
	case Bomb:
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/html")
		z := gzip.NewWriter(w)
		block := make([]byte, 1<<20)
		for range 64 {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
		_ = z.Close() // the asker is gone by now
	case Elsewhere:
		to("https://example.com/?" + r.URL.RawQuery)
	case Private:
		to("https://www.sefaz.ba.gov.br/nfce")
	case Loop:
		to(r.URL.String())
	case Downgrade:
		to("http://" + r.Host + r.URL.RequestURI())
	case Moved:
		to("https://" + r.Host + "/elsewhere?" + r.URL.RawQuery)
	case Frame:
		write(w, `<html><body><h1>NFC-e</h1><iframe src="/frame?`+r.URL.RawQuery+`"></iframe></body></html>`)
	case FrameElsewhere:
		write(w, `<html><body><iframe src="https://example.com/note"></iframe></body></html>`)
	case Binary:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte{0, 1, 2, 3})
	default:
		p.page(w, fault, n)
	}
}

// page answers with a page of words, or with the note's.
func (p *Portal) page(w http.ResponseWriter, fault Fault, n note) {
	words := map[Fault]string{
		NotYet:  `<html><body><div class="avisoErro">NFC-e não encontrada na base de dados. Tente mais tarde.</div></body></html>`,
		Captcha: `<html><body><form><img src="/captcha.jpg"><input name="codigo"><div class="g-recaptcha"></div></form></body></html>`,
		Invalid: `<html><body><p>QR Code inválido: o hash não confere.</p></body></html>`,
		Unknown: `<html><body class="novo"><section><article class="produto">Arroz 5,99</article></section></body></html>`,
		Script:  `<html><body><div id="app"></div><script>var items = ["<tr><td class='Rqtd'>1</td></tr>"]; render(items)</script></body></html>`,
	}
	if said, ok := words[fault]; ok {
		write(w, said)
		return
	}
	body := Page(n.model, n.receipt)
	switch fault {
	case Cancelled:
		body = strings.Replace(body, "<body>", `<body><div class="avisoErro">NFC-e CANCELADA</div>`, 1)
	case Broken:
		body = body[:strings.LastIndex(body, n.receipt.Items[len(n.receipt.Items)-1].Code)]
	case OtherNote:
		other := receipts.Generate(receipts.NewRand(999), receipts.Options{Items: 2, Plain: true})
		body = Page(n.model, other)
	default:
	}
	if !n.latin1 {
		write(w, body)
		return
	}
	declared := "ISO-8859-1"
	if fault == MisdeclaredUTF8 {
		declared = "utf-8"
	}
	encoded, err := charmap.ISO8859_1.NewEncoder().String(strings.Replace(body, `<meta charset="utf-8">`, "", 1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset="+declared)
	_, _ = w.Write([]byte(encoded)) // a client that is gone needs no answer
}

func write(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(body)) //nolint:gosec // G705: of fictional receipts, to tests
}
