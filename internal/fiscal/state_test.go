package fiscal_test

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestEveryAddressOfEveryStateIsFound(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("states.json")
	require.NoError(t, err)
	var file map[string]map[string]string
	require.NoError(t, json.Unmarshal(raw, &file))
	require.Len(t, file, 27)
	owner := map[string]string{}
	for state, addresses := range file {
		hosts := fiscal.StateHosts(state)
		assert.NotEmpty(t, hosts, state)
		assert.True(t, slices.IsSorted(hosts))
		for name, address := range addresses {
			if name == "qr_prod_ver" {
				continue
			}
			if !strings.Contains(address, "://") {
				address = "//" + address
			}
			u, err := url.Parse(address)
			require.NoError(t, err)
			host := u.Hostname()
			assert.Equal(t, state, fiscal.StateOfHost(host), host)
			assert.Contains(t, hosts, host)
			if owner[host] == "" {
				owner[host] = state
			}
			assert.Equal(t, owner[host], state, "%s would be two states'", host)
		}
	}
}

func TestStateOfHostWantsTheWholeHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"www.nfce.fazenda.sp.gov.br":             "SP",
		"WWW.NFCE.Fazenda.SP.gov.br":             "SP",
		"www.nfce.fazenda.sp.gov.br.":            "SP",
		"www.nfce.fazenda.sp.gov.br:443":         "SP",
		"www.homologacao.nfce.fazenda.sp.gov.br": "SP",
		"www4.fazenda.rj.gov.br":                 "RJ",
		"200.174.88.103":                         "RR",
		"fazenda.sp.gov.br":                      "",
		"nfce.fazenda.sp.gov.br":                 "",
		"a.www.nfce.fazenda.sp.gov.br":           "",
		"www.nfce.fazenda.sp.gov.br.evil.com":    "",
		"www.nfce.fazenda.sp.gov.br@evil.com":    "",
		"www.nfce.fazenda.sp.gov.br/":            "",
		"":                                       "",
		".":                                      "",
	} {
		assert.Equal(t, want, fiscal.StateOfHost(host), host)
	}
}

func TestStateHostsIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	hosts := fiscal.StateHosts("SP")
	assert.Equal(t, []string{"www.homologacao.nfce.fazenda.sp.gov.br", "www.nfce.fazenda.sp.gov.br"}, hosts)
	hosts[0] = "changed.example.com"
	assert.NotEqual(t, hosts, fiscal.StateHosts("SP"))
	assert.Nil(t, fiscal.StateHosts("XX"))
}
