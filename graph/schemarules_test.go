package graph_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	gql "github.com/vektah/gqlparser/v2/ast"
)

var (
	camelCase  = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)
	pascalCase = regexp.MustCompile(`^[A-Z][a-zA-Z0-9]*$`)
	upperCase  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
)

// own calls f with each type of the schema that is not GraphQL's.
func own(s *gql.Schema, f func(d *gql.Definition)) {
	for _, d := range s.Types {
		if !d.BuiltIn {
			f(d)
		}
	}
}

func TestNamesFollowTheirConvention(t *testing.T) {
	t.Parallel()
	own(schema(t), func(d *gql.Definition) {
		assert.Regexp(t, pascalCase, d.Name)
		assert.Equal(t, d.Kind == gql.InputObject, strings.HasSuffix(d.Name, "Input") || isSelector(d), "%s: inputs, and no others, are named so", d.Name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			assert.Regexp(t, camelCase, f.Name, d.Name)
			for _, a := range f.Arguments {
				assert.Regexp(t, camelCase, a.Name, "%s.%s", d.Name, f.Name)
			}
		}
		for _, v := range d.EnumValues {
			assert.Regexp(t, upperCase, v.Name, d.Name)
		}
	})
}

// isSelector says whether an input says which objects a list has, and in what order.
func isSelector(d *gql.Definition) bool {
	return d.Kind == gql.InputObject && (strings.HasSuffix(d.Name, "Filter") || strings.HasSuffix(d.Name, "Order"))
}

func TestConnectionsAreRelays(t *testing.T) {
	t.Parallel()
	s := schema(t)
	connections := 0
	own(s, func(d *gql.Definition) {
		node, isConnection := strings.CutSuffix(d.Name, "Connection")
		if isConnection {
			connections++
			assert.Equal(t, "["+node+"Edge!]!", typeOf(d, "edges"), d.Name)
			assert.Equal(t, "["+node+"!]!", typeOf(d, "nodes"), d.Name)
			assert.Equal(t, "PageInfo!", typeOf(d, "pageInfo"), d.Name)
			assert.Equal(t, "Int!", typeOf(d, "totalCount"), d.Name)
		}
		if node, isEdge := strings.CutSuffix(d.Name, "Edge"); isEdge {
			assert.Equal(t, "String!", typeOf(d, "cursor"), d.Name)
			assert.Equal(t, node+"!", typeOf(d, "node"), d.Name)
		}
		for _, f := range d.Fields {
			if strings.HasSuffix(f.Type.Name(), "Connection") {
				assert.NotNil(t, f.Arguments.ForName("first"), "%s.%s", d.Name, f.Name)
				assert.NotNil(t, f.Arguments.ForName("after"), "%s.%s", d.Name, f.Name)
			}
		}
	})
	assert.Positive(t, connections)
}

func typeOf(d *gql.Definition, field string) string {
	f := d.Fields.ForName(field)
	if f == nil {
		return "missing"
	}
	return f.Type.String()
}

// TestIdsAreGlobal keeps an id of the database from leaving the service.
func TestIdsAreGlobal(t *testing.T) {
	t.Parallel()
	nodes := 0
	own(schema(t), func(d *gql.Definition) {
		if slices.Contains(d.Interfaces, "Node") {
			nodes++
			assert.Equal(t, "ID!", typeOf(d, "id"), d.Name)
		}
		if d.Kind != gql.Object {
			return
		}
		for _, f := range d.Fields {
			if f.Type.Name() != "ID" {
				continue
			}
			if global := f.Directives.ForName("globalId"); global != nil && f.Name == "id" {
				assert.Equal(t, d.Name, global.Arguments.ForName("type").Value.Raw, "%s.id", d.Name)
			} else if slices.Contains(d.Interfaces, "Node") && f.Name == "id" {
				assert.Fail(t, "no @globalId", "%s.id", d.Name)
			}
		}
	})
	assert.Positive(t, nodes)
}

func TestMutationsTakeOneInputAndReturnAPayload(t *testing.T) {
	t.Parallel()
	for _, f := range schema(t).Mutation.Fields {
		assert.Regexp(t, `^[A-Z]\w*Payload!$`, f.Type.String(), f.Name)
		if len(f.Arguments) == 0 {
			continue
		}
		assert.Len(t, f.Arguments, 1, f.Name)
		assert.Equal(t, "input", f.Arguments[0].Name, f.Name)
		assert.Equal(t, strings.ToUpper(f.Name[:1])+f.Name[1:]+"Input!", f.Arguments[0].Type.String(), f.Name)
	}
}

func TestDeprecationsHaveReasons(t *testing.T) {
	t.Parallel()
	check := func(where string, directives gql.DirectiveList) {
		if d := directives.ForName("deprecated"); d != nil {
			reason := d.Arguments.ForName("reason")
			assert.True(t, reason != nil && reason.Value.Raw != "", "%s: say what to use in its place", where)
		}
	}
	own(schema(t), func(d *gql.Definition) {
		for _, f := range d.Fields {
			check(d.Name+"."+f.Name, f.Directives)
			for _, a := range f.Arguments {
				check(d.Name+"."+f.Name+"("+a.Name+")", a.Directives)
			}
		}
		for _, v := range d.EnumValues {
			check(d.Name+"."+v.Name, v.Directives)
		}
	})
}
