package clientaddr_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/clientaddr"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted   []string
		remote    string
		forwarded []string
		want      string
	}{
		"the connection's, when no proxy is trusted":     {nil, "203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		"what the trusted proxy appended":                {[]string{"127.0.0.1"}, "127.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"not what the client wrote before it":            {[]string{"127.0.0.1"}, "127.0.0.1:1", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		"through two trusted proxies":                    {[]string{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:1", []string{"1.2.3.4, 198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		"headers on several lines":                       {[]string{"127.0.0.1"}, "127.0.0.1:1", []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		"the proxy's own, when it says nothing":          {[]string{"127.0.0.1"}, "127.0.0.1:1", nil, "127.0.0.1"},
		"the last believable one before rubbish":         {[]string{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:1", []string{"rubbish, 10.1.2.3"}, "10.1.2.3"},
		"version 6":                                      {[]string{"::1"}, "[::1]:1", []string{"2001:db8::5"}, "2001:db8::5"},
		"version 4 in version 6":                         {[]string{"127.0.0.1"}, "[::ffff:127.0.0.1]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"an address with a port":                         {[]string{"127.0.0.1"}, "127.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"the furthest trusted one, when all are trusted": {[]string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"nothing, for a connection that has no address":  {nil, "@", nil, "invalid IP"},
		"only so much of a long header":                  {[]string{"127.0.0.1", "10.0.0.0/8"}, "127.0.0.1:1", []string{"198.51.100.1" + many(40)}, "10.9.9.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trusted, err := clientaddr.Parse(c.trusted)
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			for _, f := range c.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			assert.Equal(t, c.want, trusted.Of(r).String())
		})
	}
}

func many(n int) string { return strings.Repeat(", 10.9.9.9", n) }

func TestParseRefusesWhatIsNeitherAddressNorNetwork(t *testing.T) {
	t.Parallel()
	_, err := clientaddr.Parse([]string{"127.0.0.1", "example.com"})
	assert.Error(t, err)
}
