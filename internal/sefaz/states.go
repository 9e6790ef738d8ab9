package sefaz

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// statesJSON is where each state shows its notes, in production. The addresses are those that the national portal of the NFC-e
// lists, as in internal/fiscal/states.json; hosts are others of the state to which its page may lead. A test holds the two files
// together. docs/official-data.md says what of it was tried.
//
//go:embed states.json
var statesJSON []byte

// state is one state's public page.
type state struct {
	address *url.URL // without a query
	hosts   []string // of the state: the address' own is the first
	plain   bool     // http is tried where https does not answer
	// needsHash says that the key alone is known not to be enough: the page wants the hash of a QR code.
	needsHash bool
	zone      *time.Location // of the clocks in its shops
}

// readStates reads statesJSON, which is ours: it fails on what cannot be used.
func readStates(data []byte) (map[string]*state, error) {
	var table map[string]struct {
		Address   string   `json:"address"`
		Hosts     []string `json:"hosts"`
		NeedsHash bool     `json:"needs_hash"`
		UTCOffset int      `json:"utc_offset"` // hours; most states are at -3
	}
	if err := json.Unmarshal(data, &table); err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	states := make(map[string]*state, len(table))
	for name, row := range table {
		address, err := url.Parse(row.Address)
		if err != nil || address.Hostname() == "" || address.Port() != "" || address.Scheme != "http" && address.Scheme != "https" {
			return nil, fmt.Errorf("read states: %s has no usable address", name)
		}
		const brasilia, hour = -3, 60 * 60
		offset := row.UTCOffset
		if offset == 0 {
			offset = brasilia
		}
		states[name] = &state{
			address: address, hosts: append([]string{strings.ToLower(address.Hostname())}, row.Hosts...),
			plain: address.Scheme == "http", needsHash: row.NeedsHash,
			zone: time.FixedZone(fmt.Sprintf("%+03d", offset), offset*hour),
		}
	}
	return states, nil
}

// addresses are where a note is asked for, the better one first.
func (s *state) addresses(query string) []*url.URL {
	at := *s.address
	at.Scheme, at.RawQuery = "https", url.Values{"p": {query}}.Encode()
	if !s.plain {
		return []*url.URL{&at}
	}
	second := at
	second.Scheme = "http"
	return []*url.URL{&at, &second}
}

// allows says whether the page may lead to u.
func (s *state) allows(u *url.URL) bool {
	if u.User != nil || u.Port() != "" && u.Port() != defaultPort(u.Scheme) {
		return false
	}
	return (u.Scheme == "https" || u.Scheme == "http" && s.plain) && slices.Contains(s.hosts, strings.ToLower(u.Hostname()))
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
