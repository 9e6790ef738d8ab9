package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Setting is one setting as it may be shown.
type Setting struct {
	Name  string // in the environment
	Value string // secrets redacted
}

// Settings lists every setting in the order of the documentation, each provider's own last.
func (c Config) Settings() []Setting {
	list := settingsOf(reflect.ValueOf(c), "")
	for _, name := range c.Providers.Order {
		list = append(list, settingsOf(reflect.ValueOf(c.Providers.Named[name]), providerPrefix(name))...)
	}
	return list
}

func settingsOf(v reflect.Value, prefix string) []Setting {
	var list []Setting
	for f, value := range v.Fields() {
		switch name := f.Tag.Get("env"); {
		case !f.IsExported(), name == "-":
		case name == "":
			list = append(list, settingsOf(value, prefix)...)
		default:
			shown := fmt.Sprint(value.Interface())
			if texts, ok := reflect.TypeAssert[[]string](value); ok {
				shown = strings.Join(texts, ",")
			}
			list = append(list, Setting{prefix + name, shown})
		}
	}
	return list
}
