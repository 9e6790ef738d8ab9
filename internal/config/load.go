package config

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// FromEnvironment loads the settings of this process.
func FromEnvironment() (Config, error) { return Load(os.Environ()) }

// Load reads settings from NAME=value pairs and validates them. An empty value counts as none. The error joins one sentence
// per fault, of reading and of Validate, none of which repeats a value.
func Load(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	c := computedDefaults(vars)
	unread := parse(&c, vars, "")
	c.Providers.Order = trimmed(c.Providers.Order)
	c.HTTP.AllowedOrigins = trimmed(c.HTTP.AllowedOrigins)
	c.HTTP.TrustedProxies = trimmed(c.HTTP.TrustedProxies)
	c.Providers.Named = map[string]Provider{}
	for _, name := range c.Providers.Order {
		p := Provider{Concurrency: c.Providers.ProviderConcurrency}
		if name == offlineProvider {
			p.Concurrency = runtime.GOMAXPROCS(0)
		}
		unread = append(unread, parse(&p, vars, providerPrefix(name))...)
		c.Providers.Named[name] = p
	}
	// What could not be read is left at its zero value, which Validate would blame a second time.
	faults := unread
	for _, f := range c.faults() {
		if !slices.ContainsFunc(unread, func(u fault) bool { return u.variable == f.variable }) {
			faults = append(faults, f)
		}
	}
	return c, joined(faults)
}

// computedDefaults is what depends on the machine or on SMARKET_ENV; everything else has its default in its tag.
func computedDefaults(vars map[string]string) Config {
	production := Mode(vars["SMARKET_ENV"]) == Production
	c := Config{
		HTTP:       HTTP{Introspection: !production, Playground: !production},
		Worker:     Worker{Pages: runtime.GOMAXPROCS(0)},
		Log:        Log{Format: FormatText},
		searchPath: vars["PATH"],
	}
	if production {
		c.Log.Format = FormatJSON
	}
	if host, err := os.Hostname(); err == nil { // without one, Validate asks for WORKER_NAME
		c.Worker.Name = host
	}
	return c
}

// parse fills target from the variables that begin with prefix. Its faults say what is expected, not what was found: the
// value may be a secret in the wrong place.
func parse(target any, vars map[string]string, prefix string) []fault {
	err := env.ParseWithOptions(target, env.Options{
		Environment: vars,
		Prefix:      prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[fiscal.Money]():   func(s string) (any, error) { return fiscal.ParseMoney(s) },
			reflect.TypeFor[usage.MicroUSD](): func(s string) (any, error) { return usage.ParseUSD(s) },
		},
	})
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []fault{{prefix, "cannot be read"}}
	}
	names := variables(reflect.TypeOf(target).Elem(), prefix)
	var faults []fault
	for _, e := range all.Errors {
		one, ok := errors.AsType[env.ParseError](e)
		if !ok {
			faults = append(faults, fault{prefix, "cannot be read"})
			continue
		}
		faults = append(faults, fault{names[one.Name], expected(one.Type)})
	}
	return faults
}

// variables maps each field of a struct, nested ones too, to its name in the environment. Field names are unique, so that
// the library's errors, which name the field alone, can be told apart.
func variables(t reflect.Type, prefix string) map[string]string {
	names := map[string]string{}
	for f := range t.Fields() {
		if name := f.Tag.Get("env"); name != "" && name != "-" {
			names[f.Name] = prefix + name
		} else if f.Type.Kind() == reflect.Struct {
			maps.Copy(names, variables(f.Type, prefix))
		}
	}
	return names
}

// expected says how a value of a type is written.
func expected(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[fiscal.Money]():
		return "must be an amount in reais, such as 50 or 49.90"
	case t == reflect.TypeFor[usage.MicroUSD]():
		return "must be an amount in US dollars, such as 20 or 0.50"
	case t.PkgPath() == "time":
		return "must be a duration, such as 90s, 4m or 720h"
	case t.PkgPath() == "log/slog":
		return "must be debug, info, warn or error"
	case t.Kind() == reflect.Bool:
		return "must be true or false"
	case t.Kind() == reflect.Float64:
		return "must be a number"
	default:
		return "must be a whole number"
	}
}

// trimmed is the list in lower case, without blanks, empty entries and repetitions.
func trimmed(list []string) []string {
	var kept []string
	for _, s := range list {
		if s = strings.ToLower(strings.TrimSpace(s)); s != "" && !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
