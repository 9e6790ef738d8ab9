package providers

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"log/slog"
	"slices"

	"github.com/hashicorp/go-hclog"
)

// maxLogValue bounds one value of a plugin's log line, in runes.
const maxLogValue = 4000

// pluginLog takes what a plugin logs into the host's log, redacted. What go-plugin itself has to say is for debugging: the
// host reports starts, ends and faults in its own words.
type pluginLog struct {
	log    *slog.Logger
	redact *Redactor
	name   string // "" is go-plugin's own
	with   []any
}

var _ hclog.Logger = (*pluginLog)(nil)

func (l *pluginLog) Log(level hclog.Level, msg string, args ...any) {
	if l.name == "" || l.name == "stdio" {
		level = min(level, hclog.Debug)
	}
	attrs := []any{"text", clip(l.redact.Text(msg), maxLogValue)}
	args = append(slices.Clone(l.with), args...)
	for i := 0; i+1 < len(args); i += 2 {
		if key := fmt.Sprint(args[i]); key != "timestamp" {
			attrs = append(attrs, "plugin_"+l.redact.Text(key), clip(l.redact.Text(fmt.Sprint(args[i+1])), maxLogValue))
		}
	}
	switch level {
	case hclog.Error:
		l.log.Error("plugin log", attrs...)
	case hclog.Warn:
		l.log.Warn("plugin log", attrs...)
	case hclog.Info:
		l.log.Info("plugin log", attrs...)
	case hclog.Debug:
		l.log.Debug("plugin log", attrs...)
	case hclog.NoLevel, hclog.Trace, hclog.Off: // go-plugin traces every chunk of its streams
	}
}

func (l *pluginLog) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l *pluginLog) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l *pluginLog) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l *pluginLog) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l *pluginLog) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

func (l *pluginLog) IsTrace() bool { return false }
func (l *pluginLog) IsDebug() bool { return true }
func (l *pluginLog) IsInfo() bool  { return true }
func (l *pluginLog) IsWarn() bool  { return true }
func (l *pluginLog) IsError() bool { return true }

func (l *pluginLog) ImpliedArgs() []any { return l.with }
func (l *pluginLog) Name() string       { return l.name }

func (l *pluginLog) With(args ...any) hclog.Logger {
	sub := *l
	sub.with = append(slices.Clone(l.with), args...)
	return &sub
}

func (l *pluginLog) Named(name string) hclog.Logger { return l.ResetNamed(name) }

func (l *pluginLog) ResetNamed(name string) hclog.Logger {
	sub := *l
	sub.name = name
	return &sub
}

// output is the logger for what goes to one of the plugin's standard streams instead of its log.
func (l *pluginLog) output(stream string) *pluginLog {
	sub := *l
	sub.name = stream
	return &sub
}

func (l *pluginLog) SetLevel(hclog.Level) {} // the host's handler decides

func (l *pluginLog) GetLevel() hclog.Level { return hclog.Debug }

func (l *pluginLog) StandardLogger(opts *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(l.StandardWriter(opts), "", 0)
}

func (l *pluginLog) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return logWriter{l} }

// logWriter logs each write as one line.
type logWriter struct{ log *pluginLog }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug(string(p))
	return len(p), nil
}

// outputLog logs what a plugin's code, or a library of it, prints line by line. It is written by one goroutine.
type outputLog struct {
	log  *pluginLog
	line []byte // begun, without its end; at most maxLine of it
}

func (w *outputLog) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		w.line = append(w.line, line[:min(len(line), maxLine-len(w.line))]...)
		if ended {
			w.log.Info(string(w.line))
			w.line = w.line[:0]
		}
		rest = after
	}
	return len(p), nil
}
