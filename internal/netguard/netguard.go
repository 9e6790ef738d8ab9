// Package netguard says which addresses of the network the service may call when a name from outside leads to them: those of the
// internet at large, never the machine's own, its neighbours' or a cloud's metadata.
package netguard

import "net/netip"

// reserved are the ranges that netip does not know as private and that no service we call lives in (RFC 6890), and two addresses at
// which clouds answer with credentials.
func reserved() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // carriers' NAT; 100.100.100.200 is a cloud's metadata
		netip.MustParsePrefix("168.63.129.16/32"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001::/23"), // Teredo and others
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"), // 6to4: an IPv4 address in disguise
	}
}

// Public says whether an address is one of the internet at large.
func Public(addr netip.Addr) bool {
	if netip.MustParsePrefix("64:ff9b::/96").Contains(addr) { // NAT64: the last four bytes are the IPv4 address that is meant
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	if addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr) { // all that was ever given out
		return false
	}
	for _, p := range reserved() {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}
