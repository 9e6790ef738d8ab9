//go:build unix && !linux

package providers

import "syscall"

// processAttributes give a plugin a process group of its own. Nothing here kills it when the host is killed: it ends when it
// next writes to its closed pipes.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
