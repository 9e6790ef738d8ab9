package vendorhttp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	// MaxResponse is the most bytes of one answer that are read; a receipt's reply is a thousandth of it.
	MaxResponse = 10 << 20
	// maxHeader is the most bytes of an answer's header.
	maxHeader = 128 << 10
	// maxRedirects bounds how often a vendor may point elsewhere on its own host.
	maxRedirects = 3

	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	// idleConns are kept open to a vendor that speaks HTTP/1.1: as many as calls that run at once, or each burst shakes hands
	// anew. A vendor that speaks HTTP/2 is one connection for all calls.
	idleConns   = 128
	idleTimeout = 90 * time.Second
	// pingAfter and pingWait find out that an HTTP/2 connection is dead before the next call does.
	pingAfter = 30 * time.Second
	pingWait  = 10 * time.Second
)

// ErrTooLarge is read from the body of an answer longer than MaxResponse.
var ErrTooLarge = fmt.Errorf("answer exceeds %d bytes", MaxResponse)

// RefusedError is a connection or a redirect that the client did not follow: a fault of the configuration, or an attack.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

// NewClient makes the client for one vendor. It has no timeout of its own: give each call a context with a deadline.
//
//   - It dials public addresses only, decided on the address after the name is resolved: no link-local, metadata, private or
//     loopback one. Only when baseURL itself is a loopback address or "localhost" does it dial loopback, and then nothing else.
//   - Only loopback may be plain http, and no proxy of the environment is used.
//   - A redirect to another scheme, host or port is refused: vendors' keys are in headers that would go along.
//   - An answer's body ends with ErrTooLarge after MaxResponse bytes. Answers are not compressed, so a small one stays small.
//
// It fails when baseURL is not an absolute http(s) URL without user, query and fragment. Refusals are *RefusedError in the chain.
func NewClient(baseURL string) (*http.Client, error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	local := loopbackName(base.Hostname())
	if base.Scheme != "https" && !local {
		return nil, errors.New("base URL: plain http to a host that is not this one would show the key to the network")
	}
	dialer := &net.Dialer{
		Timeout: dialTimeout,
		Control: guard(local),
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              &protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWait},
	}
	return &http.Client{
		Transport: capped{transport},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return &RefusedError{Reason: fmt.Sprintf("more than %d redirects", maxRedirects)}
			}
			if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
				return &RefusedError{Reason: "redirect to another host"}
			}
			return nil
		},
	}, nil
}

// parseBase never quotes the URL in an error: somebody may have put a password in it.
func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("base URL: not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, errors.New("base URL: not an absolute http or https URL")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, errors.New("base URL: user, query and fragment are not allowed")
	}
	return u, nil
}

func loopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// capped bounds the bodies of a transport's answers.
type capped struct{ *http.Transport }

// RoundTrip is the transport's own, with the body bounded.
func (c capped) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if res.Body != nil {
		res.Body = &cappedBody{ReadCloser: res.Body, left: MaxResponse}
	}
	return res, nil
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	// One byte more than is left tells a body that ends here from one that goes on.
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		n, err = int(b.left), ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}
