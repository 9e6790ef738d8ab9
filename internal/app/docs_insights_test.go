package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
)

var update = flag.Bool("update", false, "rewrite the answers in docs/insights.md")

// documentPath is the document whose examples are run.
const documentPath = "../../docs/insights.md"

// documentHolds runs every query of the document, in its order, and compares the answers with those in it. c is of a user who
// handed in the year. The document's names of ids and versions stand for real ones.
func documentHolds(t *testing.T, c *apitest.Client) {
	t.Helper()
	text, err := os.ReadFile(documentPath)
	require.NoError(t, err)
	example := regexp.MustCompile("(?s)```graphql\n(.*?)```\n(?:\n```json\n(.*?)```\n)?")
	names := namesOfDocument(t, c)
	ran := 0
	rewritten := example.ReplaceAllStringFunc(string(text), func(block string) string {
		ran++
		parts := example.FindStringSubmatch(block)
		query := strings.NewReplacer(append(names, "VERSION_SEEN", "1", "VERSION", versionOf(t, c, names[1]))...).Replace(parts[1])
		res := c.Query(t, query, nil, nil)
		require.Contains(t, []string{"", "CONFLICT"}, res.Code(), query)
		got := answer(t, res)
		if !*update {
			assert.Equal(t, parts[2], got, query)
		}
		return "```graphql\n" + parts[1] + "```\n\n```json\n" + got + "```\n"
	})
	assert.GreaterOrEqual(t, ran, 14+10)
	if *update {
		require.NoError(t, os.WriteFile(documentPath, []byte(rewritten), 0o600))
	}
}

// namesOfDocument are pairs of a name and what it stands for.
func namesOfDocument(t *testing.T, c *apitest.Client) []string {
	t.Helper()
	var out struct {
		Invoices struct {
			Nodes []struct {
				ID       string
				Items    []struct{ ID string }
				Insights []struct{ ID string }
			}
		}
		Coffee, Milk, Rice struct{ Nodes []struct{ ID string } }
	}
	c.Query(t, `{ invoices(first: 1) { nodes { id items { id } insights { id } } }
		coffee: products(search: "cafe", first: 1) { nodes { id } } milk: products(search: "leite integral", first: 1) { nodes { id } }
		rice: products(search: "arroz", first: 1) { nodes { id } } }`, nil, &out)
	inv := out.Invoices.Nodes[0]
	return []string{
		"INVOICE_ID", inv.ID, "ITEM_ID", inv.Items[0].ID, "INSIGHT_ID", inv.Insights[0].ID, "PRODUCT_ID", out.Coffee.Nodes[0].ID,
		"MILK_ID", out.Milk.Nodes[0].ID, "RICE_ID", out.Rice.Nodes[0].ID,
	}
}

func versionOf(t *testing.T, c *apitest.Client, invoiceID string) string {
	t.Helper()
	var out struct{ Invoice struct{ Version int } }
	c.Query(t, `query($id: ID!) { invoice(id: $id) { version } }`, map[string]any{"id": invoiceID}, &out)
	return strconv.Itoa(out.Invoice.Version)
}

// answer is a response as the document shows it: without what differs from one run to the next, short objects on one line.
func answer(t *testing.T, res apitest.Response) string {
	t.Helper()
	data := res.Data
	if len(res.Errors) > 0 {
		var err error
		data, err = json.Marshal(map[string]any{"errors": []any{map[string]any{
			"message": res.Errors[0].Message, "extensions": map[string]any{"code": res.Code()},
		}}})
		require.NoError(t, err)
	}
	data = regexp.MustCompile(`"(id|cursor|requestId)":"[\w-]{16,}={0,2}"`).ReplaceAll(data, []byte(`"$1":"…"`))
	data = regexp.MustCompile(`"(\w+At)":"2[\d-]+T[^"]+"`).ReplaceAll(data, []byte(`"$1":"…"`))
	data = regexp.MustCompile(`até \d\d/\d\d/\d{4}`).ReplaceAll(data, []byte("até …")) // a check that knows today
	data = bytes.ReplaceAll(data, []byte("\ufeff"), []byte(`\ufeff`))
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, data, "", "  "))
	text := indented.String()
	short := regexp.MustCompile(`[{\[]\n[^{}\[\]]*\n\s*[}\]]`) // those that hold no others
	for range 3 {
		text = short.ReplaceAllStringFunc(text, func(object string) string {
			line := strings.Join(strings.Fields(object), " ")
			if len(line) > 110 {
				return object
			}
			return strings.NewReplacer("[ ", "[", " ]", "]").Replace(line)
		})
	}
	return text + "\n"
}
