package sefaz

import (
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestTheTableHasTheTwentySevenStatesAndTheirHosts(t *testing.T) {
	t.Parallel()
	states, err := readStates(statesJSON)
	require.NoError(t, err)
	require.Len(t, states, 27)
	for name, s := range states {
		known := fiscal.StateHosts(name)
		require.NotEmpty(t, known, name)
		for _, host := range s.hosts {
			assert.True(t, slices.Contains(known, host), "%s: %s is not in internal/fiscal/states.json", name, host)
			assert.NotRegexp(t, `^[0-9.]+$`, host, "no address is allowed by its number")
		}
		for _, at := range s.addresses("x|y&z") {
			assert.True(t, s.allows(at))
			assert.Equal(t, "p=x%7Cy%26z", at.RawQuery)
		}
	}
}

func TestOnlyTheStatesHostsAreAllowed(t *testing.T) {
	t.Parallel()
	states, err := readStates(statesJSON)
	require.NoError(t, err)
	for address, want := range map[string]bool{
		"https://www.fazenda.pr.gov.br/other/path":       true,
		"http://www.fazenda.pr.gov.br/nfce":              true,
		"https://WWW.fazenda.pr.gov.br:443/":             true,
		"https://www.fazenda.pr.gov.br:8443/":            false,
		"https://user@www.fazenda.pr.gov.br/":            false,
		"https://fazenda.pr.gov.br/":                     false,
		"https://www.fazenda.pr.gov.br.evil.example/":    false,
		"https://www.nfce.fazenda.sp.gov.br/":            false,
		"ftp://www.fazenda.pr.gov.br/":                   false,
		"file:///etc/passwd":                             false,
		"https://127.0.0.1/":                             false,
		"javascript:alert(1)":                            false,
		"https://www.fazenda.pr.gov.br.:443/":            false,
		"http://169.254.169.254/latest/meta-data/iam":    false,
		"https://evil.example/?www.fazenda.pr.gov.br":    false,
		"https://evil.example\\@www.fazenda.pr.gov.br/x": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			assert.False(t, want, address)
			continue
		}
		assert.Equal(t, want, states["PR"].allows(u), address)
	}
	plain, err := url.Parse("http://www.nfce.fazenda.sp.gov.br/qrcode")
	require.NoError(t, err)
	assert.False(t, states["SP"].allows(plain))
}
