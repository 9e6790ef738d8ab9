package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	gql "github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func schema(t *testing.T) *gql.Schema {
	t.Helper()
	files, err := filepath.Glob("*.graphqls")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var sources []*gql.Source
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		sources = append(sources, &gql.Source{Name: name, Input: string(data)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return s
}

func TestEverythingIsDescribed(t *testing.T) {
	t.Parallel()
	s := schema(t)
	checkArguments := func(where string, args gql.ArgumentDefinitionList) {
		for _, a := range args {
			assert.NotEmpty(t, a.Description, "%s(%s)", where, a.Name)
		}
	}
	for name, d := range s.Types {
		if d.BuiltIn {
			continue
		}
		assert.NotEmpty(t, d.Description, name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			assert.NotEmpty(t, f.Description, "%s.%s", name, f.Name)
			checkArguments(name+"."+f.Name, f.Arguments)
		}
		for _, v := range d.EnumValues {
			assert.NotEmpty(t, v.Description, "%s.%s", name, v.Name)
		}
	}
	for name, d := range s.Directives {
		if d.Position.Src != nil && !d.Position.Src.BuiltIn {
			assert.NotEmpty(t, d.Description, "@%s", name)
			checkArguments("@"+name, d.Arguments)
		}
	}
}

// TestEnumsAreTheDomains keeps a value that the domain gains, and that clients would be sent, from missing in the schema.
func TestEnumsAreTheDomains(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, c := range []struct{ enum, pkg, typ string }{
		{"Status", "invoice", "Status"},
		{"Source", "invoice", "Source"},
		{"Stage", "invoice", "Stage"},
		{"PaymentMethod", "invoice", "PaymentMethod"},
		{"CheckName", "invoice", "CheckName"},
		{"FileKind", "invoice", "FileKind"},
		{"DuplicateReason", "invoice", "DuplicateReason"},
		{"OrderField", "invoice", "OrderField"},
		{"ErrorCode", "invoice", "Code"},
		{"Role", "account", "Role"},
		{"Plan", "account", "Plan"},
		{"Measure", "product", "Measure"},
		{"FoodGroup", "product", "FoodGroup"},
		{"SpendingGroup", "spending", "Group"},
		{"InsightKind", "insight", "Kind"},
		{"Priority", "insight", "Priority"},
		{"InsightMark", "insight", "Mark"},
		{"AnalysisStatus", "insight", "AnalysisStatus"},
		{"SkipReason", "insight", "SkipReason"},
	} {
		var got []string
		for _, v := range s.Types[c.enum].EnumValues {
			got = append(got, v.Name)
		}
		want := slices.DeleteFunc(constants(t, filepath.Join("..", "internal", c.pkg), c.typ), func(v string) bool {
			return c.enum == "FileKind" && v == string(invoice.FileQR) // kept as a file is, and never sent as one
		})
		assert.ElementsMatch(t, want, got, c.enum)
	}
}

// constants are the values of the string constants of a type, as its package's source states them.
func constants(t *testing.T, dir, typ string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	var values []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != len(spec.Names) {
				return true
			}
			if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typ {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					s, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					values = append(values, s)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, values, typ)
	slices.Sort(values)
	return values
}
