// Package jsonschema writes the JSON Schema of a Go type in the strict form that vendors ask for (every property required,
// nothing else allowed), and checks a document against such a schema. It knows objects, arrays, strings, numbers, booleans and
// enums, which is all that the sdk's replies are made of; other keywords are ignored.
package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Of writes the schema of T, its properties in the order of the fields. enums lists the values that a field may take, by the
// field's JSON name.
func Of[T any](enums map[string][]string) (json.RawMessage, error) {
	var b strings.Builder
	if err := write(&b, reflect.TypeFor[T](), nil, enums); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(b.String()), "", "  "); err != nil {
		return nil, fmt.Errorf("schema of %s: %w", reflect.TypeFor[T](), err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

func write(b *strings.Builder, t reflect.Type, enum []string, enums map[string][]string) error {
	switch t.Kind() {
	case reflect.String:
		b.WriteString(`{"type":"string"`)
		if enum != nil {
			values, err := json.Marshal(enum)
			if err != nil {
				return fmt.Errorf("enum: %w", err)
			}
			b.WriteString(`,"enum":` + string(values))
		}
		b.WriteString(`}`)
	case reflect.Bool:
		b.WriteString(`{"type":"boolean"}`)
	case reflect.Slice:
		b.WriteString(`{"type":"array","items":`)
		if err := write(b, t.Elem(), enum, enums); err != nil {
			return err
		}
		b.WriteString(`}`)
	case reflect.Struct:
		return writeObject(b, t, enums)
	default:
		return fmt.Errorf("schema: no form for %s", t)
	}
	return nil
}

func writeObject(b *strings.Builder, t reflect.Type, enums map[string][]string) error {
	var names []string
	b.WriteString(`{"type":"object","additionalProperties":false,"properties":{`)
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || !f.IsExported() {
			return fmt.Errorf("schema: %s.%s has no JSON name", t, f.Name)
		}
		if len(names) > 0 {
			b.WriteByte(',')
		}
		names = append(names, strconv.Quote(name))
		b.WriteString(names[len(names)-1] + ":")
		if err := write(b, f.Type, enums[name], enums); err != nil {
			return err
		}
	}
	b.WriteString(`},"required":[` + strings.Join(names, ",") + `]}`)
	return nil
}

// node is the part of JSON Schema that Check knows.
type node struct {
	Type                 string          `json:"type"`
	Properties           map[string]node `json:"properties"`
	Required             []string        `json:"required"`
	AdditionalProperties *bool           `json:"additionalProperties"`
	Items                *node           `json:"items"`
	Enum                 []string        `json:"enum"`
}

// Check says where a document does not fit a schema.
func Check(schema, document []byte) error {
	var n node
	if err := json.Unmarshal(schema, &n); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		return fmt.Errorf("document: %w", err)
	}
	return n.check("$", v)
}

func (n node) check(path string, v any) error {
	ok := true
	switch n.Type {
	case "string":
		var s string
		s, ok = v.(string)
		if ok && n.Enum != nil && !slices.Contains(n.Enum, s) {
			return fmt.Errorf("%s: %q is not one of %q", path, s, n.Enum)
		}
	case "boolean":
		_, ok = v.(bool)
	case "number":
		_, ok = v.(float64)
	case "integer":
		var f float64
		f, ok = v.(float64)
		ok = ok && f == float64(int64(f))
	case "array":
		return n.checkArray(path, v)
	case "object":
		return n.checkObject(path, v)
	}
	if !ok {
		return fmt.Errorf("%s: not a %s", path, n.Type)
	}
	return nil
}

func (n node) checkArray(path string, v any) error {
	values, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s: not an array", path)
	}
	for i, value := range values {
		if n.Items != nil {
			if err := n.Items.check(path+"["+strconv.Itoa(i)+"]", value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n node) checkObject(path string, v any) error {
	values, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: not an object", path)
	}
	for _, name := range n.Required {
		if _, ok := values[name]; !ok {
			return fmt.Errorf("%s.%s: missing", path, name)
		}
	}
	for name, value := range values {
		property, known := n.Properties[name]
		switch {
		case known:
			if err := property.check(path+"."+name, value); err != nil {
				return err
			}
		case n.AdditionalProperties != nil && !*n.AdditionalProperties:
			return fmt.Errorf("%s.%s: not in the schema", path, name)
		}
	}
	return nil
}
