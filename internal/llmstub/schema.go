package llmstub

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// schemaNode is the part of a JSON Schema that matters here.
type schemaNode struct {
	Type                 any                        `json:"type"`
	Properties           map[string]json.RawMessage `json:"properties"`
	Required             []string                   `json:"required"`
	AdditionalProperties json.RawMessage            `json:"additionalProperties"`
	Items                json.RawMessage            `json:"items"`
	Enum                 []any                      `json:"enum"`
}

func (n schemaNode) kind() string {
	switch t := n.Type.(type) {
	case string:
		return t
	case []any:
		if len(t) > 0 {
			kind, _ := t[0].(string)
			return kind
		}
	}
	return ""
}

// checkClosed says why a schema is not in the closed form that vendors enforce; "" when it is. allRequired asks for OpenAI's
// strict form, in which each property is required too.
func checkClosed(schema json.RawMessage, path []string, allRequired bool) string {
	context := "(" + strings.Join(path, ", ") + ")"
	var n schemaNode
	if json.Unmarshal(schema, &n) != nil {
		return fmt.Sprintf("In context=%s, schema is not an object.", context)
	}
	if len(path) == 0 && n.kind() != "object" {
		return fmt.Sprintf("schema must be a JSON Schema of 'type: \"object\"', got 'type: %q'.", n.kind())
	}
	switch n.kind() {
	case "object":
		if string(n.AdditionalProperties) != "false" {
			return fmt.Sprintf("In context=%s, 'additionalProperties' is required to be supplied and to be false.", context)
		}
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			if allRequired && !slices.Contains(n.Required, name) {
				return fmt.Sprintf("In context=%s, 'required' is required to be supplied and to be an array including every key in properties. Missing '%s'.", context, name)
			}
			if why := checkClosed(n.Properties[name], append(slices.Clone(path), "'properties'", "'"+name+"'"), allRequired); why != "" {
				return why
			}
		}
	case "array":
		if len(n.Items) == 0 {
			return fmt.Sprintf("In context=%s, array schema missing items.", context)
		}
		return checkClosed(n.Items, append(slices.Clone(path), "'items'"), allRequired)
	}
	return ""
}

// emptyInstance is the smallest value that fits a schema: no items, empty texts, zeros.
func emptyInstance(schema json.RawMessage) any {
	var n schemaNode
	if json.Unmarshal(schema, &n) != nil {
		return map[string]any{}
	}
	if len(n.Enum) > 0 {
		return n.Enum[0]
	}
	switch n.kind() {
	case "array":
		return []any{}
	case "string":
		return ""
	case "boolean":
		return false
	case "number", "integer":
		return 0
	case "null":
		return nil
	}
	object := make(map[string]any, len(n.Required))
	for _, name := range n.Required {
		object[name] = emptyInstance(n.Properties[name])
	}
	return object
}
