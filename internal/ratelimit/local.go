package ratelimit

import (
	"sync"
	"time"
)

// maxLocal bounds how many buckets a process counts alone; beyond it the oldest windows are forgotten.
const maxLocal = 100_000

// local counts as the script does, in the process.
type local struct {
	now func() time.Time

	mu      sync.Mutex
	windows map[string]window
}

// window is a bucket's counters.
type window struct {
	number          int64
	current, before int
	expires         time.Time
}

func newLocal(now func() time.Time) *local {
	return &local{now: now, windows: map[string]window{}}
}

func (l *local) take(units int, buckets []Bucket) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	states, tightest, least := make([]state, len(buckets)), 0, 0
	for i, b := range buckets {
		states[i] = l.state(b, now)
		if room := b.Units - states[i].used - units; i == 0 || room < least {
			least, tightest = room, i
		}
	}
	v := states[tightest].verdict(least >= 0, units, buckets[tightest])
	if !v.Allowed {
		return v
	}
	l.makeRoom(now)
	for i, b := range buckets {
		l.windows[b.Key] = window{
			number: now.UnixMilli() / b.Window.Milliseconds(), current: states[i].current + units, before: states[i].before,
			expires: now.Add(2 * b.Window),
		}
	}
	return v
}

func (l *local) state(b Bucket, now time.Time) state {
	length := b.Window.Milliseconds()
	number, age := now.UnixMilli()/length, now.UnixMilli()%length
	var s state
	switch w := l.windows[b.Key]; w.number {
	case number:
		s.current, s.before = w.current, w.before
	case number - 1:
		s.before = w.current
	}
	s.age = time.Duration(age) * time.Millisecond
	remaining := int64(s.before) * (length - age)
	s.used = int((remaining+length-1)/length) + s.current
	return s
}

// makeRoom forgets what has expired once there are too many, and everything when that does not help: a process that is alone
// with so many clients has other troubles.
func (l *local) makeRoom(now time.Time) {
	if len(l.windows) < maxLocal {
		return
	}
	for key, w := range l.windows {
		if now.After(w.expires) {
			delete(l.windows, key)
		}
	}
	if len(l.windows) >= maxLocal {
		clear(l.windows)
	}
}
