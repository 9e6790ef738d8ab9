package compose_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Exit codes that the scripts' help names.
const (
	exitFailed     = 1
	exitMigration  = 3
	exitRolledBack = 5
	exitBroken     = 6
	exitUsage      = 64
	exitLocked     = 75
	exitConfig     = 78
)

// installation is a checkout with a docker that only writes down what it is told.
type installation struct {
	*testing.T
	dir string
	env []string
}

// setup makes one in which release v1 runs.
func setup(t *testing.T) *installation {
	t.Helper()
	dir := t.TempDir()
	in := &installation{T: t, dir: dir}
	for _, path := range []string{"scripts", "deploy/nginx", "nginx.conf", "docker-compose.production.yml"} {
		target := filepath.Join(dir, filepath.Dir(path))
		require.NoError(t, os.MkdirAll(target, 0o750))
		in.shell("cp", "-r", filepath.Join(root, path), target)
	}
	for _, folder := range []string{"bin", "fake/containers", "fake/images", "fake/fail"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o750))
	}
	in.shell("cp", "testdata/docker", filepath.Join(dir, "bin/docker"))
	in.shell("cp", filepath.Join(root, "nginx.conf"), filepath.Join(dir, "fake/nginx.conf"))
	in.program("backup")
	in.program("health")
	in.write(".env.production", "POSTGRES_PASSWORD=p\nSMARKET_VERSION=v1\nREDIS_PASSWORD=r\n")
	for i, service := range []string{"postgres", "redis", "nginx", "api", "worker", "web"} {
		in.write("fake/containers/"+service+"-1", service+" smarket-"+service+":v1\n")
		if i > 2 {
			in.write("fake/images/smarket-"+service+":v1", "")
		}
	}
	in.write("fake/last", "1")
	in.env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "FAKE="+filepath.Join(dir, "fake"),
		"ENV_FILE="+filepath.Join(dir, ".env.production"), "UPSTREAMS="+filepath.Join(dir, "deploy/nginx/upstreams"),
		"DEPLOY_STATE="+filepath.Join(dir, "state"), "BACKUP="+filepath.Join(dir, "bin/backup"),
		"HEALTH_CHECK="+filepath.Join(dir, "bin/health"), "HEALTH_PAUSE=0", "ROLL_TIMEOUT=30")
	return in
}

// program is one that writes its call down, and fails when told to: with the code in fake/fail/NAME, for the release that is
// the file's second word when there is one.
func (in *installation) program(name string) {
	in.Helper()
	in.write("bin/"+name, `#!/usr/bin/env bash
echo "${SMARKET_VERSION:--} `+name+` $*" >>"$FAKE/calls"
[ -e "$FAKE/fail/`+name+`" ] || exit 0
read -r code release <"$FAKE/fail/`+name+`" || true
[ -z "$release" ] || [ "$release" = "${SMARKET_VERSION:-}" ] || exit 0
exit "$code"
`)
	require.NoError(in, os.Chmod(filepath.Join(in.dir, "bin", name), 0o700))
}

func (in *installation) write(name, text string) {
	in.Helper()
	require.NoError(in, os.WriteFile(filepath.Join(in.dir, name), []byte(text), 0o600))
}

func (in *installation) read(name string) string {
	in.Helper()
	data, err := os.ReadFile(filepath.Join(in.dir, name))
	require.NoError(in, err)
	return string(data)
}

func (in *installation) shell(name string, args ...string) {
	in.Helper()
	out, err := exec.CommandContext(in.Context(), name, args...).CombinedOutput()
	require.NoError(in, err, string(out))
}

// run gives the script's exit code and what it said.
func (in *installation) run(script string, args ...string) (int, string) {
	in.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(in.Context()), filepath.Join(in.dir, "scripts", script), args...)
	cmd.Env = in.env
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	require.NoError(in, err)
	return 0, string(out)
}

// deploy puts a release into service.
func (in *installation) deploy(version string) {
	in.Helper()
	code, out := in.run("deploy.sh", "--version", version)
	require.Equal(in, 0, code, out)
}

// running is the release of each service's containers.
func (in *installation) running() map[string]string {
	in.Helper()
	list, err := os.ReadDir(filepath.Join(in.dir, "fake/containers"))
	require.NoError(in, err)
	out := map[string]string{}
	for _, c := range list {
		service, image, _ := strings.Cut(strings.TrimSpace(in.read("fake/containers/"+c.Name())), " ")
		_, version, _ := strings.Cut(image, ":")
		if slices.Contains([]string{"api", "worker", "web"}, service) {
			out[service] += version
		}
	}
	return out
}

func all(version string) map[string]string {
	return map[string]string{"api": version, "worker": version, "web": version}
}

// inOrder says that lines with these parts are among the calls, in this order.
func (in *installation) inOrder(parts ...string) {
	in.Helper()
	rest := in.read("fake/calls")
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		require.True(in, found, "no %q where it belongs in\n%s", part, in.read("fake/calls"))
		rest = after
	}
}

// atRest says that the edge asks services by name, as the repository has it, and which release is remembered.
func (in *installation) atRest(version string) {
	in.Helper()
	for _, service := range []string{"api", "web"} {
		want, err := os.ReadFile(filepath.Join(root, "deploy/nginx/upstreams", service+".conf"))
		require.NoError(in, err)
		assert.Equal(in, string(want), in.read("deploy/nginx/upstreams/"+service+".conf"))
	}
	left, err := filepath.Glob(filepath.Join(in.dir, "deploy/nginx/upstreams/*"))
	require.NoError(in, err)
	assert.Len(in, left, 2)
	assert.Contains(in, in.read(".env.production"), "SMARKET_VERSION="+version+"\n")
	assert.Contains(in, in.read(".env.production"), "POSTGRES_PASSWORD=p\n")
}

func TestDeployReplacesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.deploy("v2")
	in.inOrder("v2 docker compose", "build api worker web", "- backup", "run --rm --no-deps -T migrate",
		"--scale api=2 api", "edge asks default api-2:8080 default web:8080", "docker stop api-1", "docker rm api-1", "edge asks default api:8080",
		"--wait-timeout 30 worker", "--scale web=2 web", "default web-4:8080", "docker stop web-1", "v2 health --json")
	assert.Equal(t, all("v2"), in.running())
	in.atRest("v2")
	info, err := os.Stat(filepath.Join(in.dir, ".env.production"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDeployingTheSameReleaseAgainIsSafe(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.deploy("v2")
	in.deploy("v2")
	assert.Equal(t, all("v2"), in.running())
	assert.Equal(t, "v1\nv2\n", in.read("state/history"))
	in.atRest("v2")
}

func TestANewContainerThatIsNotHealthyIsRemovedBeforeAnybodyAsksIt(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/unhealthy.v2", "")
	code, out := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitRolledBack, code, out)
	assert.Equal(t, all("v1"), in.running())
	assert.NotContains(t, in.read("fake/calls"), "docker stop")
	assert.NotContains(t, in.read("fake/calls"), "edge asks default api-2")
	in.atRest("v1")
}

func TestAReleaseThatFailsTheHealthCheckIsRolledBack(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/health", "2 v2")
	code, out := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitRolledBack, code, out)
	in.inOrder("v2 health", "v2 health", "v2 health", "--scale api=2 api", "v1 health")
	assert.Equal(t, all("v1"), in.running())
	in.atRest("v1")
}

func TestADegradedInstallationIsNoReasonToGoBack(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/health", "1")
	in.deploy("v2")
	in.atRest("v2")
}

func TestWhenNothingWorksAPersonIsCalled(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/health", "2")
	code, _ := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitBroken, code)
}

func TestAnEdgeThatRefusesKeepsItsFile(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/edge", "")
	code, out := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitRolledBack, code, out)
	assert.Equal(t, all("v1"), in.running())
	in.atRest("v1")
}

// TestNothingIsReplacedWhenAnEarlierStepFails has each of them fail.
func TestNothingIsReplacedWhenAnEarlierStepFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		what, how, never string
		code             int
	}{
		"build":     {"build", "", "- backup", exitFailed},
		"backup":    {"backup", "1", "migrate", exitFailed},
		"migration": {"migrate", "", "--scale", exitMigration},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := setup(t)
			in.write("fake/fail/"+c.what, c.how)
			code, out := in.run("deploy.sh", "--version", "v2")
			assert.Equal(t, c.code, code, out)
			assert.NotContains(t, in.read("fake/calls"), c.never)
			assert.Equal(t, all("v1"), in.running())
			in.atRest("v1")
		})
	}
}

func TestABackupThatDidNotReachTheBucketIsSaidOnly(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/fail/backup", "4")
	code, out := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, 0, code, out)
	assert.Contains(t, out, "exit code 4")
}

func TestTwoDeploymentsDoNotRunAtOnce(t *testing.T) {
	t.Parallel()
	in := setup(t)
	require.NoError(t, os.MkdirAll(filepath.Join(in.dir, "state"), 0o750))
	lock, err := os.Create(filepath.Join(in.dir, "state/lock"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, lock.Close()) })
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	code, out := in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitLocked, code, out)
	code, out = in.run("rollback.sh")
	assert.Equal(t, exitLocked, code, out)
	assert.NoFileExists(t, filepath.Join(in.dir, "fake/calls"))
}

func TestRollbackGoesToTheReleaseBefore(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.deploy("v2")
	in.deploy("v3")
	for _, version := range []string{"v2", "v1"} {
		code, out := in.run("rollback.sh")
		require.Equal(t, 0, code, out)
		assert.Equal(t, all(version), in.running())
		in.atRest(version)
	}
	code, out := in.run("rollback.sh")
	assert.Equal(t, exitFailed, code, out)
	assert.Equal(t, all("v1"), in.running())
}

func TestRollbackGoesToANamedReleaseWhoseImagesAreHere(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.deploy("v2")
	in.deploy("v3")
	code, out := in.run("rollback.sh", "v1")
	require.Equal(t, 0, code, out)
	assert.Equal(t, all("v1"), in.running())
	_, list := in.run("rollback.sh", "--list")
	assert.Equal(t, "v1\n", list)
	code, _ = in.run("rollback.sh", "v0")
	assert.Equal(t, exitFailed, code)
	assert.Equal(t, all("v1"), in.running())
}

func TestImagesOfOldReleasesAreRemoved(t *testing.T) {
	t.Parallel()
	in := setup(t)
	for _, version := range []string{"v2", "v3", "v4"} {
		in.deploy(version)
	}
	assert.NoFileExists(t, filepath.Join(in.dir, "fake/images/smarket-api:v1"))
	for _, version := range []string{"v2", "v3", "v4"} {
		assert.FileExists(t, filepath.Join(in.dir, "fake/images/smarket-worker:"+version))
	}
}

func TestAChangedEdgeConfigurationReplacesTheEdge(t *testing.T) {
	t.Parallel()
	in := setup(t)
	in.write("fake/nginx.conf", "# an older one\n")
	in.deploy("v2")
	in.inOrder("--force-recreate", "--scale api=2 api")
}

func TestTheFirstDeploymentStartsWhatThereIsNot(t *testing.T) {
	t.Parallel()
	in := setup(t)
	require.NoError(t, os.RemoveAll(filepath.Join(in.dir, "fake/containers")))
	require.NoError(t, os.Mkdir(filepath.Join(in.dir, "fake/containers"), 0o750))
	in.deploy("v2")
	in.inOrder("--wait postgres redis", "migrate", "--scale api=1 api", "worker", "--scale web=1 web", "nginx", "health")
	assert.NotContains(t, in.read("fake/calls"), "- backup")
	assert.Equal(t, all("v2"), in.running())
}

func TestScriptsSayHowTheyAreUsed(t *testing.T) {
	t.Parallel()
	in := setup(t)
	for _, script := range []string{"deploy.sh", "rollback.sh"} {
		code, out := in.run(script, "--help")
		assert.Equal(t, 0, code)
		assert.Contains(t, out, "Exit codes:")
		code, _ = in.run(script, "--nonsense")
		assert.Equal(t, exitUsage, code)
	}
	code, _ := in.run("deploy.sh", "--version", "no spaces")
	assert.Equal(t, exitUsage, code)
	code, _ = in.run("deploy.sh", "--version")
	assert.Equal(t, exitUsage, code)
	require.NoError(t, os.Remove(filepath.Join(in.dir, ".env.production")))
	code, _ = in.run("deploy.sh", "--version", "v2")
	assert.Equal(t, exitConfig, code)
}
