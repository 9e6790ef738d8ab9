package fiscal

import (
	_ "embed"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// statesJSON lists each state's addresses for the consumer: where its QR codes lead, in production and in its test
// environment, and where a key is looked up. It is data of the project: a state that moves is edited there.
//
//go:embed states.json
var statesJSON []byte

// stateTable is the hosts of statesJSON both ways.
type stateTable struct {
	stateOf map[string]string
	hostsOf map[string][]string // sorted
}

//nolint:gochecknoglobals // never changes: the embedded file, parsed once rather than for every QR code
var states = sync.OnceValue(readStates)

// readStates leaves out what it cannot read rather than failing: a test holds the file to its 27 states.
func readStates() stateTable {
	table := stateTable{stateOf: map[string]string{}, hostsOf: map[string][]string{}}
	var byState map[string]struct {
		Prod    string `json:"qr_prod"`
		Test    string `json:"qr_hom"`
		Consult string `json:"consulta_chave_prod"`
	}
	if err := json.Unmarshal(statesJSON, &byState); err != nil {
		return table
	}
	for state, at := range byState {
		for _, address := range []string{at.Prod, at.Test, at.Consult} {
			if !strings.Contains(address, "://") {
				address = "http://" + address
			}
			u, err := url.Parse(address)
			if err != nil || u.Hostname() == "" {
				continue
			}
			host := strings.ToLower(u.Hostname())
			table.stateOf[host] = state
			if !slices.Contains(table.hostsOf[state], host) {
				table.hostsOf[state] = append(table.hostsOf[state], host)
			}
		}
		slices.Sort(table.hostsOf[state])
	}
	return table
}

// StateOfHost gives the state that answers at exactly this host ("www.nfce.fazenda.sp.gov.br" is "SP"), or "": a host below or
// above a state's is not the state's. Case, a port and the root's dot do not matter.
func StateOfHost(host string) string {
	name, ok := hostName(host)
	if !ok {
		return ""
	}
	return states().stateOf[name]
}

// StateHosts lists the hosts of a state ("SP"), sorted; nil when it is none of the 27. Some are the state's test environment,
// one of them (RR) a bare IP address: see states.json.
func StateHosts(state string) []string {
	return slices.Clone(states().hostsOf[state])
}

// hostName puts the host[:port] of a URL in lower case and drops the port and the root's dot. It accepts names and IPv4
// addresses alone: with anything else ("user@", "[::1]", a blank) what one reader takes for the host another does not.
func hostName(host string) (string, bool) {
	name, port, hasPort := strings.Cut(host, ":")
	if hasPort && (len(port) > 5 || !allDigits(port)) {
		return "", false
	}
	const longest = 253 // of a domain name
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) > longest || !strings.Contains(name, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", false
		}
	}
	return name, true
}
