package pgtest

import "syscall"

// endWithParent makes the kernel end the server when this process is gone, however it went.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
}

// memory is a folder in memory with room for a server, or "" for the ordinary temporary one.
func memory() string {
	const (
		shm  = "/dev/shm"
		room = 2 << 30 // bytes
	)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room { //nolint:gosec // a block size
		return ""
	}
	return shm
}
