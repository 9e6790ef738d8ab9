// Package compose_test holds the production compose file, its images and its settings to what docs/DEPLOYMENT.md promises, with
// Docker Compose's own parser, and drives the scripts that replace releases against a docker that records what it is told.
package compose_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/config"
)

const (
	root    = "../.."
	file    = root + "/docker-compose.production.yml"
	example = root + "/.env.production.example"

	gigabyte = 1 << 30
	// What the server has, and what of it is the host's own.
	serverMemory, hostMemory = 16 * gigabyte, 3 * gigabyte / 2
	serverCPUs               = 8.0
)

// filled is the example as an operator fills it in.
func filled(t *testing.T) map[string]string {
	t.Helper()
	env, err := dotenv.Read(example)
	require.NoError(t, err)
	env["POSTGRES_PASSWORD"], env["REDIS_PASSWORD"], env["JWT_SECRET"] = "p0stgres", "r3dis", strings.Repeat("s", 48)
	return env
}

// project is the file as Compose understands it.
func project(t *testing.T) *types.Project {
	t.Helper()
	env := filled(t)
	env["ENV_FILE"] = filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(env["ENV_FILE"], []byte(strings.Join(assignments(env), "\n")), 0o600))
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(root), cli.WithEnv(assignments(env)))
	require.NoError(t, err)
	p, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return p
}

func assignments(env map[string]string) []string {
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}

func TestTheSixServicesAndTheMigrationAreThere(t *testing.T) {
	t.Parallel()
	assert.ElementsMatch(t, []string{"postgres", "redis", "migrate", "api", "worker", "web", "nginx"}, project(t).ServiceNames())
}

func TestEveryContainerIsConfined(t *testing.T) {
	t.Parallel()
	for name, s := range project(t).Services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.True(t, s.ReadOnly, "read_only")
			assert.Equal(t, []string{"ALL"}, s.CapDrop)
			assert.Empty(t, s.CapAdd)
			assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt)
			assert.False(t, s.Privileged)
			assert.Empty(t, s.NetworkMode+s.Pid+s.Ipc, "namespaces of the host")
			require.NotNil(t, s.Init)
			assert.True(t, *s.Init)
			assert.Regexp(t, `^[1-9][0-9]*:[1-9][0-9]*$`, s.User, "not root")
			assert.Equal(t, "json-file", s.Logging.Driver)
			assert.NotEmpty(t, s.Logging.Options["max-size"])
			assert.NotEmpty(t, s.Logging.Options["max-file"])
			for _, v := range s.Volumes {
				assert.NotContains(t, v.Source, "docker.sock")
				assert.True(t, v.Type == types.VolumeTypeVolume || v.ReadOnly, "%s is the host's", v.Source)
			}
			assert.Regexp(t, `:[0-9a-z][^:]*$`, s.Image)
			assert.NotContains(t, s.Image, ":latest")
		})
	}
}

func TestContainersComeBackAndSayHowTheyAre(t *testing.T) {
	t.Parallel()
	for name, s := range project(t).Services {
		if name == "migrate" {
			assert.Equal(t, "no", s.Restart)
			continue
		}
		assert.Equal(t, "unless-stopped", s.Restart, name)
		require.NotNil(t, s.HealthCheck, name)
		assert.False(t, s.HealthCheck.Disable, name)
		assert.NotEmpty(t, s.HealthCheck.Test, name)
		assert.NotNil(t, s.HealthCheck.Timeout, name)
		assert.NotNil(t, s.StopGracePeriod, name)
		assert.NotEmpty(t, s.StopSignal, "%s: without one, the engine does not restart what a signal killed", name)
	}
}

func TestLimitsFitTheServer(t *testing.T) {
	t.Parallel()
	var memory types.UnitBytes
	var cpus float64
	services := project(t).Services
	for name, s := range services {
		require.NotNil(t, s.Deploy, name)
		limits := s.Deploy.Resources.Limits
		require.NotNil(t, limits, name)
		assert.Positive(t, limits.MemoryBytes, name)
		assert.Positive(t, limits.NanoCPUs.Value(), name)
		assert.Positive(t, limits.Pids, name)
		memory += limits.MemoryBytes
		if name != "migrate" {
			cpus += float64(limits.NanoCPUs.Value())
		}
	}
	memory += services["api"].Deploy.Resources.Limits.MemoryBytes // two, while one is replaced
	assert.LessOrEqual(t, int64(memory), int64(serverMemory-hostMemory))
	assert.LessOrEqual(t, cpus, serverCPUs)
}

func TestOnlyTheEdgeIsReachedAndOnlyTheWorkerReachesOut(t *testing.T) {
	t.Parallel()
	p := project(t)
	assert.True(t, p.Networks["frontend"].Internal)
	assert.True(t, p.Networks["backend"].Internal)
	want := map[string][]string{
		"postgres": {"backend"}, "redis": {"backend"}, "migrate": {"backend"}, "api": {"backend", "frontend"},
		"worker": {"backend", "egress"}, "web": {"frontend"}, "nginx": {"frontend", "public"},
	}
	for name, s := range p.Services {
		assert.Equal(t, want[name], slices.Sorted(maps.Keys(s.Networks)), name)
		if name == "nginx" {
			assert.Len(t, s.Ports, 2)
		} else {
			assert.Empty(t, s.Ports, name)
		}
	}
}

func TestServicesStartInTheirOrder(t *testing.T) {
	t.Parallel()
	services := project(t).Services
	want := map[string]map[string]string{
		"migrate": {"postgres": types.ServiceConditionHealthy},
		"nginx":   {"api": types.ServiceConditionHealthy, "web": types.ServiceConditionHealthy},
	}
	for _, name := range []string{"api", "worker"} {
		want[name] = map[string]string{
			"postgres": types.ServiceConditionHealthy, "redis": types.ServiceConditionHealthy,
			"migrate": types.ServiceConditionCompletedSuccessfully,
		}
	}
	for name, conditions := range want {
		got := map[string]string{}
		for on, d := range services[name].DependsOn {
			got[on] = d.Condition
		}
		assert.Equal(t, conditions, got, name)
	}
}

func TestTheServiceEndsBeforeTheEngineKillsIt(t *testing.T) {
	t.Parallel()
	services := project(t).Services
	for _, name := range []string{"api", "worker"} {
		timeout, err := time.ParseDuration(*services[name].Environment["SHUTDOWN_TIMEOUT"])
		require.NoError(t, err)
		assert.Greater(t, time.Duration(*services[name].StopGracePeriod), timeout, name)
	}
}

func TestAPIAndWorkerShareTheFiles(t *testing.T) {
	t.Parallel()
	services := project(t).Services
	for _, name := range []string{"api", "worker"} {
		s := services[name]
		require.Len(t, s.Volumes, 1, name)
		assert.Equal(t, "files", s.Volumes[0].Source)
		assert.Equal(t, *s.Environment["DATA_DIR"], s.Volumes[0].Target)
	}
}

func TestOnlyWhoNeedsASecretHasIt(t *testing.T) {
	t.Parallel()
	services := project(t).Services
	for _, name := range []string{"web", "nginx"} {
		assert.Empty(t, services[name].Environment, name)
	}
	assert.NotContains(t, services["postgres"].Environment, "JWT_SECRET")
	assert.NotContains(t, services["redis"].Environment, "JWT_SECRET")
	for name, s := range services {
		assert.NotContains(t, strings.Join(s.Command, " "), "r3dis", "%s: lists of processes show it", name)
	}
}

// TestTheDatabaseTakesAllConnections counts two api, a worker and a migration, and leaves some for people and dumps.
func TestTheDatabaseTakesAllConnections(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load(assignments(environment(t, project(t), "api")))
	require.NoError(t, err)
	command := strings.Join(project(t).Services["postgres"].Command, " ")
	limit := regexp.MustCompile(`max_connections=(\d+)`).FindStringSubmatch(command)
	require.NotNil(t, limit)
	most, err := strconv.Atoi(limit[1])
	require.NoError(t, err)
	const processes, spare = 4, 10
	assert.LessOrEqual(t, processes*(cfg.Storage.DBMaxIdle+cfg.Storage.DBMaxOverflow)+spare, most)
}

// environment is what a container of the service has.
func environment(t *testing.T, p *types.Project, service string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for name, value := range p.Services[service].Environment {
		if value != nil {
			env[name] = *value
		}
	}
	return env
}

func TestTheServiceAcceptsItsEnvironment(t *testing.T) {
	t.Parallel()
	p := project(t)
	for _, name := range []string{"api", "worker", "migrate"} {
		cfg, err := config.Load(assignments(environment(t, p, name)))
		require.NoError(t, err, name)
		assert.True(t, cfg.IsProduction(), name)
		assert.Equal(t, "postgres://smarket:p0stgres@postgres:5432/smarket?sslmode=disable", cfg.Storage.DatabaseURL.Reveal())
		assert.Equal(t, []string{p.Networks["frontend"].Ipam.Config[0].Subnet}, cfg.HTTP.TrustedProxies)
	}
}

// documented are the names in the example, and whether their lines have a value.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(example)
	require.NoError(t, err)
	names := map[string]bool{}
	described := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if m := regexp.MustCompile(`^(# )?([A-Z][A-Z0-9_]*)=(.*)$`).FindStringSubmatch(line); m != nil {
			assert.True(t, described, "%s has no description", m[2])
			names[m[2]] = m[1] == ""
			continue
		}
		described = strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "# ---")
	}
	return names
}

func TestEveryVariableOfTheFileIsInTheExample(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	model, err := loader.LoadModelWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: root, ConfigFiles: []types.ConfigFile{{Filename: file, Content: data}}, Environment: types.Mapping{},
	}, func(o *loader.Options) {
		o.SkipInterpolation, o.SkipValidation, o.SkipResolveEnvironment, o.SkipNormalization = true, true, true, true
		o.SetProjectName("smarket", true)
	})
	require.NoError(t, err)
	used, known := template.ExtractVariables(model, template.DefaultPattern), documented(t)
	assert.Greater(t, len(used), 10)
	for name := range used {
		assert.Contains(t, known, name)
	}
	assert.GreaterOrEqual(t, len(known), 25)
}

func TestEverySettingIsInTheExampleWithWhatHoldsWithoutIt(t *testing.T) {
	t.Parallel()
	known := documented(t)
	needed := map[string]string{
		"SMARKET_ENV": "production", "DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://r", "JWT_SECRET": strings.Repeat("s", 48),
		// Off where nobody chose it: the embedded default calls no portal. The example chooses.
		"SEFAZ_LOOKUP": "on",
	}
	bare, err := config.Load(assignments(needed))
	require.NoError(t, err)
	env := filled(t)
	assert.Equal(t, "on", env["SEFAZ_LOOKUP"])
	maps.Copy(env, needed)
	full, err := config.Load(assignments(env))
	require.NoError(t, err)
	assert.Equal(t, bare.Settings(), full.Settings(), "the example changes nothing by being copied")
	for _, s := range full.Settings() {
		assert.Contains(t, known, s.Name)
	}
}
