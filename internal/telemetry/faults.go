package telemetry

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getsentry/sentry-go"
)

// How many faults are told: a database that is away makes thousands that say the same.
const (
	faultsPerWindow = 30
	faultWindow     = time.Minute
	maxFrames       = 60
)

// reporter tells Sentry of faults: what was logged as an error, and what failed with the code INTERNAL. An event holds the
// record's own words, which are constants, the attributes listed in faultTags, and where in the code it was. Nothing of a
// request is in it: no body, header, user or address.
type reporter struct {
	client *sentry.Client

	mu    sync.Mutex // guards what follows
	since time.Time  // of the window
	told  int        // in it
}

func newReporter(dsn, environment string, build Build) (*reporter, error) {
	client, err := sentry.NewClient(sentry.ClientOptions{
		Dsn: dsn, Environment: environment, Release: "smarket@" + build.Version, ServerName: build.Role,
		Integrations:   func([]sentry.Integration) []sentry.Integration { return nil }, // they add files, modules and devices
		BeforeSend:     func(e *sentry.Event, _ *sentry.EventHint) *sentry.Event { return scrubEvent(e) },
		MaxBreadcrumbs: -1, DisableClientReports: true,
	})
	if err != nil {
		return nil, fmt.Errorf("SENTRY_DSN: %w", err)
	}
	return &reporter{client: client}, nil
}

// faultTags are the attributes of records that go along: ids of ours, and names that the code gives.
func faultTags() []string {
	return []string{
		"request_id", "trace_id", "job_id", "job_kind", "invoice_id", "provider", "plugin", "outcome", "code", "kind", "state", "panic_type",
	}
}

// look tells of a record if it is a fault.
func (r *reporter) look(rec slog.Record, attrs []slog.Attr) {
	values := map[string]string{}
	for _, a := range attrs {
		values[a.Key] = a.Value.Resolve().String()
	}
	if (rec.Level < slog.LevelError && values["code"] != "INTERNAL") || !r.admit(time.Now()) {
		return
	}
	e := sentry.NewEvent()
	e.Level, e.Timestamp, e.Message = sentry.LevelError, rec.Time, rec.Message
	for _, key := range faultTags() {
		if v := values[key]; v != "" {
			e.Tags[key] = scrubID(v)
		}
	}
	frames := parseStack(values["stack"])
	if len(frames) == 0 {
		frames = frameOf(rec.PC)
	}
	e.Exception = []sentry.Exception{{Type: rec.Message, Value: faultText(values["error"]), Stacktrace: &sentry.Stacktrace{Frames: frames}}}
	r.client.CaptureEvent(e, nil, nil)
}

// admit says whether there is room for one more fault.
func (r *reporter) admit(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.since) >= faultWindow {
		r.since, r.told = now, 0
	}
	r.told++
	return r.told <= faultsPerWindow
}

// faultText is an error's text. What somebody panicked with may be anything, so that only the runtime's own words pass.
func faultText(text string) string {
	if rest, ok := strings.CutPrefix(text, "panic: "); ok && !strings.HasPrefix(rest, "runtime error: ") {
		return "panic"
	}
	return Scrub(text)
}

// scrubEvent is the last look at what leaves: what nobody put there on purpose is taken out.
func scrubEvent(e *sentry.Event) *sentry.Event {
	e.User, e.Request, e.Breadcrumbs, e.Attachments, e.Modules = sentry.User{}, nil, nil, nil, nil
	e.Contexts = nil
	e.Message = Scrub(e.Message)
	for i := range e.Exception {
		e.Exception[i].Type, e.Exception[i].Value = Scrub(e.Exception[i].Type), Scrub(e.Exception[i].Value)
	}
	for key, value := range e.Tags {
		e.Tags[key] = scrubID(value)
	}
	return e
}

// ours is what functions of this service are called.
const ours = "github.com/mercadoesperto/smarket/"

// stackPlace is a line of a stack that says where: "\t/path/file.go:123 +0x1d".
var stackPlace = regexp.MustCompile(`^\t(.+\.go):(\d+)`)

// parseStack reads what debug.Stack writes, the outermost call first as Sentry wants it. Arguments are left out.
func parseStack(stack string) (frames []sentry.Frame) {
	function := ""
	for line := range strings.Lines(stack) {
		line = strings.TrimRight(line, "\n")
		if place := stackPlace.FindStringSubmatch(line); place != nil {
			number, _ := strconv.Atoi(place[2])
			frames = append([]sentry.Frame{newFrame(function, place[1], number)}, frames...)
			continue
		}
		function = strings.TrimPrefix(line, "created by ")
		if i := strings.LastIndexByte(function, '('); i > 0 && strings.HasSuffix(function, ")") {
			function = function[:i]
		}
		function, _, _ = strings.Cut(function, " in goroutine ")
	}
	return frames[max(len(frames)-maxFrames, 0):]
}

// frameOf is the place that logged a record.
func frameOf(pc uintptr) []sentry.Frame {
	if pc == 0 {
		return nil
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return []sentry.Frame{newFrame(f.Function, f.File, f.Line)}
}

func newFrame(function, file string, line int) sentry.Frame {
	module, name := "", function
	slash := strings.LastIndexByte(function, '/')
	if dot := strings.IndexByte(function[slash+1:], '.'); dot >= 0 {
		module, name = function[:slash+1+dot], function[slash+dot+2:]
	}
	return sentry.Frame{
		Function: name, Module: module, Filename: filepath.Base(file), Lineno: line, InApp: strings.HasPrefix(function, ours),
	}
}
