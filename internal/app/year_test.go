package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// yearIncome is what the family of the year earns a month, in centavos; it is of two adults and a child.
const yearIncome = 6500_00

// household says whom a user buys for.
func household(t *testing.T, c *apitest.Client, income string, adults, children int) {
	t.Helper()
	res := c.Query(t, `mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename } }`,
		map[string]any{"input": map[string]any{"income": income, "adults": adults, "children": children}}, nil)
	require.Empty(t, res.Errors)
}

// premium signs somebody up who pays.
func premium(t *testing.T, a *app.App, email string) *apitest.Client {
	t.Helper()
	c := &apitest.Client{URL: a.URL()}
	c.SignUp(t, email)
	_, err := a.Accounts.SetRoleAndPlan(t.Context(), email, account.RoleUser, account.PlanPremium)
	require.NoError(t, err)
	return c
}

// family is a premium user with the household of the year.
func family(t *testing.T, a *app.App, email string) *apitest.Client {
	t.Helper()
	c := premium(t, a, email)
	household(t, c, "6500.00", 2, 1)
	return c
}

// handIn submits a receipt's XML and follows it to the end: of its analysis too.
func handIn(t *testing.T, c *apitest.Client, r receipts.Receipt) (id, stage string) {
	t.Helper()
	data, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	return submitted(t, c, data)
}

// told is an insight as the API shows it.
type told struct {
	Kind, Priority       string
	Title, Description   string
	PeriodFrom, PeriodTo string
	Details              json.RawMessage
	Evidence             []struct{ ID string }
}

// toldOf is an analysed purchase as the API shows it.
type toldOf struct {
	AccessKey string
	Items     []struct {
		ID, Description string
		Product         struct{ Name string }
	}
	Insights []told
}

// everything reads all that a user was told, by access key.
func everything(t *testing.T, c *apitest.Client) map[string]toldOf {
	t.Helper()
	all := map[string]toldOf{}
	for after := ""; ; {
		variables := map[string]any{}
		if after != "" {
			variables["after"] = after
		}
		var out struct {
			Invoices struct {
				Nodes    []toldOf
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		c.Query(t, `query($after: String) { invoices(first: 20, after: $after) { nodes { accessKey items { id description product { name } }
			insights { kind priority title description periodFrom periodTo details evidence { id } } } pageInfo { hasNextPage endCursor } } }`,
			variables, &out)
		for _, inv := range out.Invoices.Nodes {
			all[inv.AccessKey] = inv
		}
		if after = out.Invoices.PageInfo.EndCursor; !out.Invoices.PageInfo.HasNextPage {
			return all
		}
	}
}

// subject is what tells two insights of a kind apart: the product's or the category's name.
func (i told) subject(t *testing.T) string {
	t.Helper()
	var details struct{ Product, Category string }
	require.NoError(t, json.Unmarshal(i.Details, &details))
	return details.Product + details.Category
}

// TestAFamilysYearIsToldExactlyAsTheRulesSay hands in a year, purchase by purchase, and compares what is told of each with what
// the oracle makes of the receipts: no more, no less. Somebody else's year, of the same things at other shops, lies beside it.
// Then it runs the examples of docs/insights.md over that year.
func TestAFamilysYearIsToldExactlyAsTheRulesSay(t *testing.T) {
	t.Parallel()
	at := installation{"embedded", append(environ(t), "PROVIDER_ORDER=offline", "RATE_LIMIT_ENABLED=false")}
	a := at.start(t, app.RoleAll)
	rui, ana := family(t, a, "rui@example.com"), family(t, a, "ana@example.com")
	others := receipts.Year(receipts.YearOptions{Seed: 1})
	o := newOracle(t, yearIncome, 2, 1)
	var expected []expectation
	for i, r := range receipts.Year(receipts.YearOptions{}) {
		if i%2 == 0 {
			_, stage := handIn(t, rui, others[i])
			require.Contains(t, []string{"COMPLETED", "ANALYZED"}, stage)
		}
		want := o.expect(r)
		expected = append(expected, want)
		_, stage := handIn(t, ana, r)
		require.Equal(t, map[bool]string{true: "ANALYZED", false: "COMPLETED"}[want.analyzed], stage, "%s %s", r.IssuedAt, r.Due())
	}
	got, kinds := everything(t, ana), map[string]int{}
	require.Len(t, got, len(expected))
	for _, want := range expected {
		inv, labels := got[string(want.receipt.Key)], map[string]string{}
		for _, it := range inv.Items {
			labels[it.Description] = it.Product.Name
		}
		keys := []string{}
		for _, i := range inv.Insights {
			keys = append(keys, i.Kind+" "+i.subject(t))
			kinds[i.Kind]++
			assert.Equal(t, want.receipt.IssuedAt.Format("2006-01-02"), i.PeriodTo, i.Kind)
			assert.NotEmpty(t, i.Evidence, i.Kind)
		}
		slices.Sort(keys)
		assert.Equal(t, want.keys(labels), keys, "%s at %s, %s", want.receipt.IssuedAt, want.receipt.Store.Name, want.receipt.Due())
	}
	t.Logf("%d purchases, told %v", len(expected), kinds)
	assert.Len(t, kinds, 14, "each kind spoke: %v", slices.Sorted(maps.Keys(kinds)))
	spotChecks(t, expected, got)
	documentHolds(t, ana) // last: its examples change things
}

// spotChecks compare figures of the scripted events with those that the receipts give.
func spotChecks(t *testing.T, expected []expectation, got map[string]toldOf) {
	t.Helper()
	checked := map[string]bool{}
	for _, want := range expected {
		for _, i := range got[string(want.receipt.Key)].Insights {
			figures, ok := want.figures[i.Kind]
			if !ok {
				continue
			}
			checked[i.Kind] = true
			var details map[string]any
			require.NoError(t, json.Unmarshal(i.Details, &details))
			for name, figure := range figures {
				assert.Equal(t, figure, shown(details[name]), "%s of %s: %s", i.Kind, want.receipt.IssuedAt, name)
			}
		}
	}
	assert.GreaterOrEqual(t, len(checked), 11, "kinds with figures: %v", checked)
}

// shown is a detail as the oracle writes it: amounts in centavos.
func shown(detail any) string {
	if amount, ok := detail.(map[string]any); ok && amount["centavos"] != nil {
		return fmt.Sprintf("%.0f", amount["centavos"])
	}
	return fmt.Sprint(detail)
}
