package telemetry

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the table of metrics anew")

const (
	folder  = "../../deploy/monitoring"
	guide   = "../../docs/MONITORING.md"
	begins  = "<!-- metrics: go test ./internal/telemetry -run Documented -update -->\n"
	ends    = "<!-- end of metrics -->"
	runbook = "https://github.com/mercadoesperto/smarket/blob/main/docs/MONITORING.md#"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

// all are the metrics of a service that watches itself.
func all() *Metrics {
	m := NewMetrics(Build{Version: "dev", Role: "all"})
	m.Watch(Sources{})
	return m
}

// TestEveryMetricIsDocumented holds the guide's table against the code.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("\n| metric | type | labels | what |\n|---|---|---|---|\n")
	for _, m := range all().Catalogue() {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), m.Help)
	}
	table.WriteString("\n")
	text := read(t, guide)
	before, rest, found := strings.Cut(text, begins)
	require.True(t, found)
	was, after, found := strings.Cut(rest, ends)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile(guide, []byte(before+begins+table.String()+ends+after), 0o644))
		return
	}
	assert.Equal(t, table.String(), was)
}

func TestMetricsFollowTheConventions(t *testing.T) {
	t.Parallel()
	for _, m := range all().Catalogue() {
		assert.Regexp(t, `^smarket_[a-z_]+$`, m.Name)
		assert.Equal(t, m.Type == "counter", strings.HasSuffix(m.Name, "_total"), m.Name)
		assert.NotEmpty(t, m.Help)
		if m.Type == "histogram" {
			assert.Regexp(t, `_seconds$`, m.Name)
		}
	}
}

// known are the names that a query may have.
func known(t *testing.T) map[string][]string {
	t.Helper()
	m, names := all(), map[string][]string{"up": {"job", "instance"}}
	for _, one := range m.Catalogue() {
		if one.Type == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				names[one.Name+suffix] = append([]string{"le"}, one.Labels...)
			}
			continue
		}
		names[one.Name] = one.Labels
	}
	served, err := m.Gatherer().Gather()
	require.NoError(t, err)
	for _, family := range served {
		if !strings.HasPrefix(family.GetName(), "smarket_") {
			names[family.GetName()] = nil
		}
	}
	return names
}

// In a query, a metric with its selector; what is summed by; and the words that are no metrics.
var (
	selector = regexp.MustCompile(`\b((?:smarket|go|process|node|pg|redis)_[a-z0-9_]+|up)\b(\{[^}]*\})?`)
	matched  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

func checkQuery(t *testing.T, names map[string][]string, place, query string) {
	t.Helper()
	found := selector.FindAllStringSubmatch(query, -1)
	assert.NotEmpty(t, found, "%s: no metric in %q", place, query)
	for _, one := range found {
		labels, ok := names[one[1]]
		if !assert.True(t, ok, "%s: there is no metric %s", place, one[1]) || labels == nil {
			continue
		}
		for _, label := range matched.FindAllStringSubmatch(one[2], -1) {
			assert.Contains(t, append([]string{"job", "instance"}, labels...), label[1], "%s: %s", place, one[1])
		}
	}
}

func TestDashboardsShowMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	names, queries, ids := known(t), 0, map[string]bool{}
	var shown strings.Builder
	require.NoError(t, filepath.WalkDir(folder+"/grafana/dashboards", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		var board struct {
			UID    string
			Title  string
			Panels []struct {
				Title      string
				Datasource struct{ UID string }
				Targets    []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(read(t, path)), &board))
		assert.NotEmpty(t, board.Title)
		assert.False(t, ids[board.UID], "two dashboards are called %s", board.UID)
		ids[board.UID] = true
		for _, panel := range board.Panels {
			assert.Equal(t, "prometheus", panel.Datasource.UID, panel.Title)
			for _, target := range panel.Targets {
				checkQuery(t, names, path+", "+panel.Title, target.Expr)
				shown.WriteString(target.Expr)
				queries++
			}
		}
		return nil
	}))
	assert.Positive(t, queries)
	for _, m := range all().Catalogue() {
		if m.Name != "smarket_retention_seconds" && m.Name != "smarket_queue_up" && !strings.HasPrefix(m.Name, "smarket_redis_pool_") {
			assert.Contains(t, shown.String(), m.Name, "no panel shows it")
		}
	}
	assert.Contains(t, read(t, folder+"/grafana/provisioning/datasources/prometheus.yml"), "uid: prometheus")
}

func TestEveryAlertHasItsMetricsItsRunbookAndItsTest(t *testing.T) {
	t.Parallel()
	names, text, tests := known(t), read(t, guide), read(t, folder+"/alerts_test.yml")
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, folder+"/alerts.yml")), &rules))
	alerts := map[string]bool{}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			alerts[rule.Alert] = true
			checkQuery(t, names, rule.Alert, rule.Expr)
			assert.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.Equal(t, runbook+strings.ToLower(rule.Alert), rule.Annotations["runbook_url"])
			assert.Contains(t, text, "\n### "+rule.Alert+"\n", "no runbook")
			assert.Contains(t, tests, "alertname: "+rule.Alert+"\n", "no test")
		}
	}
	assert.NotEmpty(t, alerts)
	for _, heading := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(text, -1) {
		assert.True(t, alerts[heading[1]], "%s is a runbook of no alert", heading[1])
	}
	for _, s := range regexp.MustCompile(`series: "([^"]+)"`).FindAllStringSubmatch(tests, -1) {
		checkQuery(t, names, "alerts_test.yml", s[1])
	}
}

// TestPrometheusTakesConfigurationAndRules runs promtool, of Debian's package prometheus.
func TestPrometheusTakesConfigurationAndRules(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err, "promtool %s: %s", strings.Join(args, " "), out)
	}
}

// TestTheComposeFileFitsBesideTheServices looks at what it adds.
func TestTheComposeFileFitsBesideTheServices(t *testing.T) {
	t.Parallel()
	var file struct {
		Services map[string]struct {
			Profiles []string
			ReadOnly bool `yaml:"read_only"`
			User     string
			Ports    []string
			Volumes  []string
			Networks []string
			Deploy   struct {
				Resources struct {
					Limits struct{ Memory, CPUs string }
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, folder+"/compose.yml")), &file))
	require.Len(t, file.Services, 2)
	for name, s := range file.Services {
		assert.Equal(t, []string{"monitoring"}, s.Profiles, name)
		assert.True(t, s.ReadOnly, name)
		assert.NotEmpty(t, s.User, name)
		assert.NotEmpty(t, s.Deploy.Resources.Limits.Memory, name)
		assert.NotEmpty(t, s.Deploy.Resources.Limits.CPUs, name)
		for _, port := range s.Ports {
			assert.True(t, strings.HasPrefix(port, "127.0.0.1:"), "%s is open to strangers at %s", name, port)
		}
		for _, volume := range s.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(source, "./") {
				assert.FileExists(t, firstFile(t, "../../"+source), volume)
			}
		}
	}
	assert.Contains(t, file.Services["prometheus"].Networks, "backend")
	assert.Empty(t, file.Services["prometheus"].Ports)
}

// firstFile is path itself, or a file below it.
func firstFile(t *testing.T, path string) (first string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			first = p
		}
		return err
	}))
	return first
}
