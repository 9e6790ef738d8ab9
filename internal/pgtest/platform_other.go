//go:build !linux

package pgtest

import "syscall"

// endWithParent has no way to tell the kernel: a killed test process leaves its server behind.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// memory is a folder in memory with room for a server, or "" for the ordinary temporary one.
func memory() string { return "" }
