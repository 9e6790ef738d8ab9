package sefaz

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"

	"github.com/mercadoesperto/smarket/internal/netguard"
)

const (
	// maxPage is the most of a page that is read, in bytes, after decompression. A note of 100 items is about 100 KB.
	maxPage = 1 << 20
	// maxRedirects in a row: portals lead from an old address to a new one, and from there to a session.
	maxRedirects = 5
	// agent tells the states who asks.
	agent = "MercadoEsperto (leitura de NFC-e a pedido do consumidor)"
)

// errRefused says that an answer led to where it must not, or is too large to be a note: asking again changes nothing.
var errRefused = errors.New("refused")

// page is what a state answered.
type page struct {
	body        []byte
	contentType string
	at          *url.URL
}

// fetch gets the note's page, by https where the state answers there. One frame of the page is followed: some states put the note
// into it.
func (c *Client) fetch(ctx context.Context, s *state, query string) (page, error) {
	client, err := c.browser(s)
	if err != nil {
		return page{}, err
	}
	addresses := s.addresses(query)
	var got page
	for i, at := range addresses {
		got, err = c.try(ctx, client, at, i+1 < len(addresses))
		if err == nil || errors.Is(err, errRefused) || errors.Is(err, errAnswered) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return page{}, err
	}
	if frame := frameOf(got); frame != nil {
		if !s.allows(frame) {
			return page{}, fmt.Errorf("%w: a frame of somewhere else", errRefused)
		}
		return get(ctx, client, frame)
	}
	return got, nil
}

// try gets one address. Where another follows it may take half of the time alone: a firewall that drops packets is not waited for
// to the end.
func (c *Client) try(ctx context.Context, client *http.Client, at *url.URL, another bool) (page, error) {
	if another {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Timeout/2)
		defer cancel()
	}
	return get(ctx, client, at)
}

// errAnswered says that the state is there and does not serve the page now.
var errAnswered = errors.New("the state answered with an error")

func get(ctx context.Context, client *http.Client, at *url.URL) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return page{}, errors.New("make the request") // its error has the address
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	req.Header.Set("Accept-Language", "pt-BR,pt;q=0.9")
	res, err := client.Do(req)
	if err != nil {
		return page{}, bare(err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	const notFound = http.StatusNotFound    // some states say so of a note, with a page of words
	if res.StatusCode != http.StatusOK && res.StatusCode != notFound {
		return page{}, fmt.Errorf("%w: status %d", errAnswered, res.StatusCode)
	}
	contentType := res.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(contentType); err == nil && !strings.Contains(kind, "html") && !strings.HasPrefix(kind, "text/") {
		return page{}, fmt.Errorf("%w: not a page", errRefused)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPage+1))
	if err != nil {
		return page{}, bare(err)
	}
	if len(body) > maxPage {
		return page{}, fmt.Errorf("%w: the page is larger than %d bytes", errRefused, maxPage)
	}
	return page{body: body, contentType: contentType, at: res.Request.URL}, nil
}

// bare takes the address, which has the key, off an error.
func bare(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("fetch: %w", err)
}

// browser is a client for one look-up: its cookies are gone with it, and its connections are closed after each answer.
func (c *Client) browser(s *state) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make a cookie jar: %w", err)
	}
	return &http.Client{
		Jar: jar,
		Transport: &http.Transport{
			DialContext: c.dial, DisableKeepAlives: true, TLSHandshakeTimeout: c.cfg.Timeout, ResponseHeaderTimeout: c.cfg.Timeout,
			MaxResponseHeaderBytes: 64 << 10, TLSClientConfig: &tls.Config{RootCAs: c.cfg.Network.Roots, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case len(via) > maxRedirects:
				return fmt.Errorf("%w: too many redirects", errRefused)
			case !s.allows(req.URL):
				return fmt.Errorf("%w: a redirect to somewhere else", errRefused)
			}
			req.Header.Del("Referer") // it has the key
			return nil
		},
	}, nil
}

// dial connects to what the host's name leads to now, and to public addresses alone: the address that was checked is the one that
// is dialled.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errors.New("dial: no port")
	}
	found, err := c.cfg.Network.Resolve(ctx, host)
	if err != nil {
		return nil, errors.New("the name of the state's page cannot be resolved")
	}
	var last error
	for _, addr := range found {
		addr = addr.WithZone("").Unmap()
		if !netguard.Public(addr) {
			return nil, fmt.Errorf("%w: the name leads to an address that is not public", errRefused)
		}
		conn, err := c.cfg.Network.Dial(ctx, network, netip.AddrPortFrom(addr, portOf(port)).String())
		if err == nil {
			return conn, nil
		}
		last = err
	}
	if last == nil {
		return nil, errors.New("the name of the state's page leads nowhere")
	}
	return nil, fmt.Errorf("connect: %w", last)
}

func portOf(port string) uint16 {
	if port == "80" {
		return 80
	}
	return 443 // allows has seen to it that there is no other
}
