// Package clientaddr finds out which address a request came from. A proxy tells in X-Forwarded-For whom it speaks for, and
// anybody can send that header: only what proxies that are trusted have appended to it is believed.
package clientaddr

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Trusted are the networks of the proxies that are believed.
type Trusted []netip.Prefix

// Parse reads addresses and networks: "127.0.0.1", "172.16.0.0/12".
func Parse(list []string) (Trusted, error) {
	var trusted Trusted
	for _, s := range list {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if addr, err := netip.ParseAddr(s); err == nil {
			trusted = append(trusted, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network", s)
		}
		trusted = append(trusted, prefix.Masked())
	}
	return trusted, nil
}

// maxHops bounds how much of the header is looked at.
const maxHops = 16

// Of is the address of the request's client: that of the connection, or the last one in X-Forwarded-For that no trusted proxy
// has. It is not valid when the connection has none, as over a unix socket of an untrusted kind.
func (t Trusted) Of(r *http.Request) netip.Addr {
	addr := parseHost(r.RemoteAddr)
	if !t.contains(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && i >= len(hops)-maxHops; i-- {
		hop := parseHost(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			return addr // the rest is of whoever wrote this
		}
		addr = hop
		if !t.contains(addr) {
			return addr
		}
	}
	return addr
}

func (t Trusted) contains(addr netip.Addr) bool {
	for _, p := range t {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// parseHost reads an address with or without a port.
func parseHost(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
