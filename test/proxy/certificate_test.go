package proxy_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// renew runs Certbot's hook, as Certbot does.
func (e *edge) renew(t *testing.T, lineage string) (string, error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, "deploy/nginx/reload.sh"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy/nginx/renewed.sh"))
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin", "NGINX_PID="+filepath.Join(e.dir, "cache/nginx.pid"),
		"RENEWED_LINEAGE="+lineage, "SMARKET_CERTS="+filepath.Join(e.dir, "certs"), "SMARKET_CERTS_GROUP="+strconv.Itoa(os.Getgid()),
		"SMARKET_RELOAD=sh "+script+" -e stderr -c "+filepath.Join(e.dir, "nginx.conf"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shown is the certificate that the edge shows now.
func (e *edge) shown(t *testing.T) *x509.Certificate {
	t.Helper()
	return e.tlsConn(t).ConnectionState().PeerCertificates[0]
}

func TestARenewedCertificateIsShown(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	before := e.shown(t).SerialNumber
	lineage := t.TempDir()
	e.pool = certify(t, lineage, site)
	out, err := e.renew(t, lineage)
	require.NoError(t, err, out)
	assert.NotEqual(t, before, e.shown(t).SerialNumber)
	info, err := os.Stat(filepath.Join(e.dir, "certs/privkey.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
}

func TestACertificateOfAnotherKeyIsNotTaken(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	before := e.shown(t).SerialNumber
	lineage, other := t.TempDir(), t.TempDir()
	certify(t, lineage, site)
	certify(t, other, site)
	require.NoError(t, os.Rename(filepath.Join(other, "privkey.pem"), filepath.Join(lineage, "privkey.pem")))
	out, err := e.renew(t, lineage)
	require.Error(t, err)
	assert.Contains(t, out, "do not belong together")
	assert.Equal(t, before, e.shown(t).SerialNumber)
}
