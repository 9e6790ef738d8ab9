package proxy_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/nginxtest"
)

// startDNS answers every question with the address that is in where, as Docker's DNS does for a container.
func startDNS(t *testing.T, where *atomic.Pointer[netip.Addr]) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", nginxtest.Address(t)+":0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return // the test has ended
			}
			reply := append([]byte(nil), question[:n]...)
			binary.BigEndian.PutUint16(reply[2:], 0x8180) // a reply, without an error
			binary.BigEndian.PutUint16(reply[6:], 1)      // with one answer:
			reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			reply = append(reply, where.Load().AsSlice()...) // name of the question, A, IN, good for 0 s, 4 bytes
			_, _ = conn.WriteTo(reply, from)                 // nginx asks again
		}
	}()
	return conn.LocalAddr().String()
}

// startAt serves a word at port 8080 of an address of its own.
func startAt(t *testing.T, word string) (address netip.Addr) {
	t.Helper()
	address = netip.MustParseAddr(nginxtest.Address(t))
	listener, err := net.Listen("tcp", netip.AddrPortFrom(address, 8080).String())
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, word) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return address
}

func TestAContainerThatComesBackUnderAnotherAddressIsFound(t *testing.T) {
	t.Parallel()
	var where atomic.Pointer[netip.Addr]
	before, after := startAt(t, "before"), startAt(t, "after")
	where.Store(&before)
	e := startEdge(t, settings{api: "api:8080", replace: []string{"resolver 127.0.0.11", "resolver " + startDNS(t, &where)}})
	client := e.browser(t, stranger(t))
	const url = "https://" + site + "/readyz"
	assert.Equal(t, "before", request(t, client, http.MethodGet, url, nil).text)
	where.Store(&after)
	require.Eventually(t, func() bool {
		a, err := try(t.Context(), client, http.MethodGet, url, nil)
		return err == nil && a.text == "after"
	}, eventually, 20*tick)
}
