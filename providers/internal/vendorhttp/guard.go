package vendorhttp

import (
	"net/netip"
	"syscall"

	"github.com/mercadoesperto/smarket/internal/netguard"
)

// guard refuses connections by the address that is about to be dialled: the name has been resolved, and cannot change any more.
func guard(local bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return &RefusedError{Reason: "an address that cannot be read"}
		}
		addr := at.Addr().WithZone("").Unmap()
		switch {
		case local && !addr.IsLoopback():
			return &RefusedError{Reason: "the base URL is loopback and the address is not"}
		case !local && !netguard.Public(addr):
			return &RefusedError{Reason: "the base URL leads to an address that is not public"}
		}
		return nil
	}
}
