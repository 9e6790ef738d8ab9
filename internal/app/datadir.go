package app

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// openDataDir makes the folder of the embedded default, for its owner alone: photos of receipts are personal.
func openDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make DATA_DIR: %w", err)
	}
	return nil
}

// lockDataDir keeps a second server from the same SQLite file: each would take the other's jobs for those of a dead process.
// The lock ends with the process, however that ends.
func lockDataDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "server.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: our own data folder
	if err != nil {
		return nil, fmt.Errorf("lock DATA_DIR: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another server uses DATA_DIR %s: stop it, or set DATA_DIR or DATABASE_URL", dir)
		}
		return nil, fmt.Errorf("lock DATA_DIR: %w", err)
	}
	return f, nil
}

// tokenSecret is the configured one, or one that is made at the first start and kept in the data folder.
func tokenSecret(configured, dir string) ([]byte, error) {
	if configured != "" {
		return []byte(configured), nil
	}
	path := filepath.Join(dir, "jwt-secret")
	known, err := os.ReadFile(path) //nolint:gosec // G304: our own data folder
	if err == nil {
		return bytes.TrimSpace(known), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the token secret: %w", err)
	}
	secret := []byte(rand.Text() + rand.Text())
	if err := os.WriteFile(path, append(secret, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("keep the token secret: %w", err)
	}
	return secret, nil
}
