package providers

import "syscall"

// processAttributes give a plugin a process group of its own, and have the kernel kill it when the host dies, whatever kills
// the host.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
