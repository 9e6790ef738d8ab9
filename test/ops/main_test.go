// Package ops_test runs the operator's scripts on a real PostgreSQL, a real Redis and a running server: what is backed up comes
// back, what is damaged is refused, and the health check tells the states apart. How they work on a real Docker engine is
// tested by make compose-test; here Docker's command is a stand-in that runs everything on this machine.
package ops_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

var (
	pg  pgtest.Server
	bin string // the folder of the built binary and of plugins/
)

// TestMain builds the binaries as make build does.
func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-ops-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	for out, pkg := range map[string]string{
		"smarket": "../../cmd/smarket", "plugins/smarket-provider-offline": "../../cmd/smarket-provider-offline",
	} {
		cmd := exec.Command("go", "build", "-tags", "nodynamic", "-o", filepath.Join(dir, out), pkg)
		if text, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, text)
			return 1
		}
	}
	return pg.Run(m)
}

// installation is one with its database, its files and its backups.
type installation struct {
	database  string // its URL
	redis     *redistest.Server
	data      string // DATA_DIR
	backups   string
	identity  string // the file of the private key
	recipient string
	settings  string // ENV_FILE
	compose   bool   // the scripts reach it through Docker Compose
	path      string // before PATH, for programs that stand in
}

// install makes an empty installation with its schema.
func install(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	in := &installation{
		redis: redistest.Start(t), data: filepath.Join(dir, "data"), backups: filepath.Join(dir, "backups"),
		settings: filepath.Join(dir, "env"), path: filepath.Join(dir, "bin"),
	}
	require.NoError(t, os.Mkdir(in.path, 0o700))
	require.NoError(t, os.WriteFile(in.settings, []byte("JWT_SECRET="+strings.Repeat("s", 40)+"\nBACKUP_MIN_FREE_MB=1\n"), 0o600))
	in.identity, in.recipient = newKey(t)
	in.database = pg.Clone(t, "migrated", func(address string) error {
		cmd := exec.Command(filepath.Join(bin, "smarket"), "migrate", "up")
		cmd.Env = append(os.Environ(), "DATABASE_URL="+address, "DATA_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("migrate: %w\n%s", err, out)
		}
		return nil
	})
	// pgtest's server trusts everybody; the password is there to be looked for in what the scripts say.
	in.database = strings.Replace(in.database, "postgres@", "postgres:"+password+"@", 1)
	return in
}

// password has what must be escaped in an address.
const password = "se%2Fcret%40word"

func newKey(t *testing.T) (identity, recipient string) {
	t.Helper()
	identity = filepath.Join(t.TempDir(), "key.txt")
	out, err := exec.CommandContext(t.Context(), "age-keygen", "-o", identity).CombinedOutput()
	require.NoError(t, err, "age is needed by this test: apt-get install -y age\n%s", out)
	public, err := exec.CommandContext(t.Context(), "age-keygen", "-y", identity).Output()
	require.NoError(t, err)
	return identity, strings.TrimSpace(string(public))
}

func (in *installation) name(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(in.database)
	require.NoError(t, err)
	return strings.TrimPrefix(u.Path, "/")
}

// service is the settings of the server.
func (in *installation) service() []string {
	return []string{
		"DATABASE_URL=" + in.database, "REDIS_URL=" + in.redis.URL(), "JWT_SECRET=" + strings.Repeat("s", 40), "DATA_DIR=" + in.data,
		"HTTP_ADDR=127.0.0.1:0", "LOG_FORMAT=text", "PROVIDER_ORDER=offline",
	}
}

// environment is what the scripts are given.
func (in *installation) environment(t *testing.T) []string {
	t.Helper()
	env := append(os.Environ(), "BACKUP_DIR="+in.backups, "BACKUP_AGE_RECIPIENTS="+in.recipient, "ENV_FILE="+in.settings)
	if !in.compose {
		return append(env, append(in.service(), "SMARKET_BIN="+filepath.Join(bin, "smarket"), "PATH="+in.path+":"+os.Getenv("PATH"))...)
	}
	stand, err := filepath.Abs("testdata")
	require.NoError(t, err)
	u, err := url.Parse(in.database)
	require.NoError(t, err)
	env = append(env, "PATH="+stand+":"+in.path+":"+os.Getenv("PATH"), "COMPOSE_FILE=compose.yml", "STAND_IN_BIN="+bin,
		"STAND_IN_PGPORT="+u.Port(), "STAND_IN_PGDATABASE="+in.name(t))
	for _, setting := range in.service() {
		env = append(env, "STAND_IN_WORKER_"+setting)
	}
	return env
}

// run runs a script and returns what it said and its exit code.
func (in *installation) run(t *testing.T, script string, args []string, extra ...string) (said string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "../../scripts/"+script, args...)
	cmd.Env = append(in.environment(t), extra...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	said = stdout.String() + stderr.String()
	require.NotContains(t, said, "word", "the password is said: %s", script)
	return said, code
}

// backup makes one and returns its folder.
func (in *installation) backup(t *testing.T, extra ...string) string {
	t.Helper()
	said, code := in.run(t, "backup.sh", nil, extra...)
	require.Zero(t, code, said)
	m := regexp.MustCompile(`made (\S+):`).FindStringSubmatch(said)
	require.NotNil(t, m, said)
	return m[1]
}

// exec runs a statement in a database of the server: "" is the installation's own.
func (in *installation) exec(t *testing.T, database, statement string, args ...any) {
	t.Helper()
	conn := in.connect(t, database)
	_, err := conn.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func (in *installation) connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	address := in.database
	if database != "" {
		address = strings.Replace(address, "/"+in.name(t)+"?", "/"+database+"?", 1)
	}
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	return conn
}

func (in *installation) count(t *testing.T, database, query string, args ...any) (n int) {
	t.Helper()
	conn := in.connect(t, database)
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&n))
	require.NoError(t, conn.Close(t.Context()))
	return n
}

var readyLine = regexp.MustCompile(`msg=ready address=(\S+)`)

// start starts the server; stop kills it as a power cut does.
func (in *installation) start(t *testing.T) (address string, stop func()) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, "smarket"), "serve")
	cmd.Env = append(os.Environ(), in.service()...)
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	drained := make(chan struct{})
	stop = func() {
		_ = cmd.Process.Kill() // it may be gone
		<-drained
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(log)
	var seen []string
	for address == "" && lines.Scan() {
		seen = append(seen, lines.Text())
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			address = m[1]
		}
	}
	go func() {
		defer close(drained)
		for lines.Scan() { // a full pipe would stop the server
		}
	}()
	t.Cleanup(stop)
	require.NotEmpty(t, address, "the server ended before it was ready:\n%s", strings.Join(seen, "\n"))
	return address, stop
}
