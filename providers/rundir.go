package providers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	instancePrefix = "host-"
	lockFile       = "lock"
	// maxRunDir keeps a socket's path below the 104 bytes that the strictest system allows:
	// <dir>/host-1234567890/p12/plugin-dir1234567890/plugin1234567890.
	maxRunDir = 42
)

// runDir is the folder of one host with its plugins' sockets and temporary files. A lock that dies with the process tells a
// living host's folder from one that a crash left behind.
type runDir struct {
	path string
	lock *os.File
}

// openRunDir removes what dead hosts left in base and makes a folder of its own there.
func openRunDir(base string) (*runDir, error) {
	if base == "" {
		name := fmt.Sprintf("smarket-%d", os.Getuid())
		if base = filepath.Join(os.TempDir(), name); len(base) > maxRunDir {
			base = filepath.Join("/tmp", name) // TMPDIR may be long, as for every user of macOS
		}
	}
	if len(base) > maxRunDir {
		return nil, fmt.Errorf("plugin run directory %q is longer than %d bytes: sockets would not fit", base, maxRunDir)
	}
	if err := os.MkdirAll(base, 0o700); err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	info, err := os.Lstat(base)
	if err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm()&0o022 != 0 || (ok && int(stat.Uid) != os.Getuid()) {
		return nil, fmt.Errorf("plugin run directory %q is not ours alone: others could put sockets there", base)
	}
	// Hosts that start at the same time take turns, so that none sweeps away what another is just making.
	turn, err := os.OpenFile(filepath.Join(base, lockFile), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // our own folder
	if err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	defer func() { _ = turn.Close() }() // gives up the lock
	if err := flock(turn, syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock plugin run directory: %w", err)
	}
	if err := sweep(base); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(base, instancePrefix)
	if err != nil {
		return nil, fmt.Errorf("plugin run directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockFile), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // our own folder
	if err != nil {
		return nil, errors.Join(fmt.Errorf("plugin run directory: %w", err), os.RemoveAll(path))
	}
	if err := flock(lock, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock plugin run directory: %w", err), lock.Close(), os.RemoveAll(path))
	}
	return &runDir{path: path, lock: lock}, nil
}

// sweep removes the folders that no living host holds locked.
func sweep(base string) error {
	left, err := filepath.Glob(filepath.Join(base, instancePrefix+"*"))
	if err != nil {
		return fmt.Errorf("sweep plugin run directory: %w", err)
	}
	for _, dir := range left {
		if err := sweepOne(dir); err != nil {
			return fmt.Errorf("sweep plugin run directory: %w", err)
		}
	}
	return nil
}

func sweepOne(dir string) error {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0) //nolint:gosec // our own folder
	if errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(dir) // its host died before it had a lock
	}
	if err != nil {
		return err
	}
	if flock(lock, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return lock.Close() // its host lives
	}
	return errors.Join(os.RemoveAll(dir), lock.Close())
}

func flock(f *os.File, how int) error {
	return syscall.Flock(int(f.Fd()), how)
}

// remove removes the folder and gives up the lock.
func (d *runDir) remove() error { return errors.Join(os.RemoveAll(d.path), d.lock.Close()) }
