package telemetry

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// clockTicks are in a second of /proc's times: the kernel shows user space 100, whatever its own clock.
const clockTicks = 100

// processGroup is what the processes of one group use together.
type processGroup struct {
	resident  float64 // bytes
	cpu       float64 // seconds
	processes int
}

// processGroups adds up the processes of this machine, or container, by their group. A plugin leads a group of its own, and what
// it starts (Tesseract) is in it; what has ended and was waited for counts with its parent.
func processGroups() map[int]processGroup {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	groups := map[int]processGroup{}
	page := float64(os.Getpagesize())
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // of /proc
		if err != nil {
			continue // it has ended meanwhile
		}
		pgrp, ticks, pages, ok := parseStat(data)
		if !ok {
			continue
		}
		g := groups[pgrp]
		g.resident += float64(pages) * page
		g.cpu += float64(ticks) / clockTicks
		g.processes++
		groups[pgrp] = g
	}
	return groups
}

// The places of what is needed in /proc/<pid>/stat, counted from the state, which follows the name; see proc_pid_stat(5).
const (
	statPgrp     = 2
	statUserTime = 11 // followed by system time and both of the children that were waited for
	statChildren = 14
	statResident = 21
)

// parseStat reads a line of /proc/<pid>/stat. The name in it is in parentheses and may hold any byte.
func parseStat(data []byte) (pgrp int, ticks, pages int64, ok bool) {
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return 0, 0, 0, false
	}
	fields := bytes.Fields(data[end+1:])
	if len(fields) <= statResident {
		return 0, 0, 0, false
	}
	number := func(i int) int64 {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		ok = ok && err == nil
		return n
	}
	ok = true
	pgrp = int(number(statPgrp))
	for i := statUserTime; i <= statChildren; i++ {
		ticks += number(i)
	}
	pages = number(statResident)
	return pgrp, ticks, pages, ok
}
