package app_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const zacPassword = "senha do zacarias 1"

// zacMarks are texts that nobody else has.
func zacMarks() []string {
	return []string{
		"zacarias.marcador@example.com", "Zacarias Marcador", "Mercadinho do Zacarias", "mercadinho do zacarias", "Bolacha do Zacarias",
		"bolacha do zacarias", "chave-do-zacarias", "52998224725", "11144477735", "12345678909",
	}
}

// person is a signed-in user.
type person struct {
	apitest.Client

	id       string
	invoices []string // opaque
}

func newPerson(t *testing.T, a *app.App, email, name, password string) *person {
	t.Helper()
	p := &person{Client: apitest.Client{URL: a.URL()}}
	var out struct {
		SignUp struct{ Session struct{ AccessToken string } }
	}
	p.Query(t, `mutation($input: SignUpInput!) { signUp(input: $input) { session { accessToken } } }`,
		map[string]any{"input": map[string]any{"email": email, "password": password, "name": name}}, &out)
	p.Token = out.SignUp.Session.AccessToken
	user, err := a.Accounts.SetRoleAndPlan(t.Context(), email, account.RoleUser, account.PlanPremium)
	require.NoError(t, err)
	p.id = user.ID
	consentAll(t, &p.Client)
	return p
}

// live does what leaves traces: an XML with a CPF and a photo with a place, read and analysed; a correction that teaches a product.
func (p *person) live(t *testing.T, stub *llmstub.Stub, seed uint64, consumer receipts.Consumer, shop, product string) {
	t.Helper()
	res := p.Query(t, `mutation { updateProfile(input: {income: "5123.45", adults: 2, children: 1}) { __typename } }`, nil, nil)
	require.Empty(t, res.Errors)
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{
		Items: 8, Plain: true, Issue: receipts.IssueOnline, Consumer: consumer,
	})
	xml, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	for _, file := range [][]byte{xml, receipts.WithEXIF(paper(t, stub, seed+1), 1, true)} {
		id, stage := submitted(t, &p.Client, file)
		assert.Contains(t, []string{"COMPLETED", "ANALYZED"}, stage)
		p.invoices = append(p.invoices, id)
	}
	var out struct {
		Invoice struct {
			Version int
			Items   []struct{ ID string }
		}
	}
	p.Query(t, `query($id: ID!) { invoice(id: $id) { version items { id } } }`, map[string]any{"id": p.invoices[0]}, &out)
	res = p.Query(t, `mutation($input: CorrectInvoiceInput!) { correctInvoice(input: $input) { __typename } }`, map[string]any{
		"input": map[string]any{
			"invoiceId": p.invoices[0], "expectedVersion": out.Invoice.Version, "issuerName": shop,
			"items": []any{map[string]any{"itemId": out.Invoice.Items[0].ID, "description": shop, "productName": product}},
		},
	}, nil)
	require.Empty(t, res.Errors)
	p.Watch(t, p.invoices[0], 0) // the analysis after the correction
}

// ids are of everything that is the user's.
func (p *person) ids(t *testing.T, a *app.App) []string {
	t.Helper()
	list := []string{p.id}
	for _, table := range []string{"sessions", "invoices", "invoice_files", "products", "insights"} {
		own := texts(t, a, `SELECT CAST(id AS text) FROM `+table+` WHERE user_id = '`+p.id+`'`)
		assert.NotEmpty(t, own, table)
		list = append(list, own...)
	}
	return list
}

func (p *person) deleteAccount(t *testing.T, password string) apitest.Response {
	t.Helper()
	return p.Query(t, `mutation($input: DeleteMyAccountInput!) { deleteMyAccount(input: $input) { deleted } }`,
		map[string]any{"input": map[string]any{"password": password}}, nil)
}

// gate is a way to a stub that can be closed: requests then wait.
type gate struct {
	url     string
	arrived chan struct{}
	opened  chan struct{} // requests pass once it is closed
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	target, err := url.Parse(to)
	require.NoError(t, err)
	g := &gate{arrived: make(chan struct{}, 100), opened: make(chan struct{})}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
	}, FlushInterval: -1}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.opened: // whether or not the client is still there
		case <-t.Context().Done():
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	g.url = server.URL + target.Path
	return g
}

// privacyTest is a service with two users who have lived there.
type privacyTest struct {
	*app.App

	stub     *llmstub.Stub
	dir      string
	zac, rui *person
}

func setupPrivacy(t *testing.T, at installation) *privacyTest {
	t.Helper()
	stub := llmstub.Start(t)
	at = withVendors(at, stub, "MIN_INVOICE_VALUE_FOR_ANALYSIS=0", "BUDGET_DAILY_USD=0")
	p := &privacyTest{App: at.start(t, app.RoleAll), stub: stub, dir: at.config(t).Storage.DataDir}
	p.zac = newPerson(t, p.App, "zacarias.marcador@example.com", "Zacarias Marcador", zacPassword)
	p.rui = newPerson(t, p.App, "rui@example.com", "Rui", "outra senha 123")
	p.zac.live(t, stub, 100, receipts.ConsumerCPF, "Mercadinho do Zacarias", "Bolacha do Zacarias")
	p.rui.live(t, stub, 200, receipts.ConsumerNone, "Mercadinho do Rui", "Bolacha do Rui")
	require.NoError(t, stub.AwaitDone(t.Context()))
	return p
}

func TestADeletedAccountLeavesNoTrace(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		p := setupPrivacy(t, at)
		marks := append(zacMarks()[:6:6], p.zac.ids(t, p.App)...)
		ruis := p.rui.ids(t, p.App)
		before := traces(t, p.App, p.dir)
		for _, table := range []string{
			"users", "sessions", "invoices", "invoice_items", "invoice_files", "invoice_attempts", "invoice_revisions", "products",
			"product_labels", "purchases", "purchase_lines", "analyses", "insights", "provider_calls", "budget_days", "river_job", "redis", "folders",
		} {
			assert.NotEmpty(t, containing(before, marks)[table], "the test proves nothing of %s", table)
		}

		res := p.zac.deleteAccount(t, "wrong password")
		assert.Equal(t, "BAD_USER_INPUT", res.Code())
		after := traces(t, p.App, p.dir)
		for _, table := range []string{"users", "sessions", "invoices", "insights", "folders"} {
			assert.ElementsMatch(t, containing(before, marks)[table], containing(after, marks)[table], table)
		}

		res = p.zac.deleteAccount(t, zacPassword)
		require.Empty(t, res.Errors)
		after = traces(t, p.App, p.dir)
		leftOf(t, after, append(zacMarks(), marks...))
		assert.NotEmpty(t, texts(t, p.App, `SELECT id FROM provider_calls WHERE user_id IS NULL AND invoice_id IS NULL`), "what was spent was spent")
		untouched(t, before, after, ruis)
		replies := p.Redis().Keys(t.Context(), "reply:*").Val()
		assert.Len(t, p.Redis().SMembers(t.Context(), "replies-of:"+p.rui.id).Val(), len(replies), "only the other's replies are kept")

		assert.Equal(t, "UNAUTHENTICATED", p.zac.deleteAccount(t, zacPassword).Code())
		_, _, err := p.Accounts.SignIn(t.Context(), "zacarias.marcador@example.com", zacPassword, "")
		assert.Error(t, err)
	})
}

// untouched compares what another user has. The queue and the counters of requests move on by themselves.
func untouched(t *testing.T, before, after map[string][]string, ids []string) {
	t.Helper()
	had, has := containing(before, ids), containing(after, ids)
	for place, list := range had {
		if !strings.HasPrefix(place, "river_") && place != "redis" && !strings.Contains(place, "smarket.db") {
			assert.ElementsMatch(t, list, has[place], "of another user, in %s", place)
		}
	}
}

// TestDeletingWhileAnExtractionRunsLeavesNothingEither has two calls to a vendor under way, a third invoice waiting, and the
// replies come after the deletion.
func TestDeletingWhileAnExtractionRunsLeavesNothingEither(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		g := newGate(t, stub.BaseURL(llmstub.Gemini))
		at = withVendors(at, stub, "GEMINI_BASE_URL="+g.url, "WORKER_JOBS=2", "BUDGET_DAILY_USD=0")
		a := at.start(t, app.RoleAll)
		zac := newPerson(t, a, "zacarias.marcador@example.com", "Zacarias Marcador", zacPassword)
		for seed := range uint64(3) {
			_, res := zac.Submit(t, paper(t, stub, 300+seed))
			require.Empty(t, res.Errors)
			if seed < 2 {
				<-g.arrived
			}
		}
		marks := zacMarks()[:2]
		for _, table := range []string{"users", "sessions", "invoices", "invoice_files"} {
			column := map[bool]string{true: "id", false: "user_id"}[table == "users"]
			marks = append(marks, texts(t, a, `SELECT CAST(id AS text) FROM `+table+` WHERE `+column+` = '`+zac.id+`'`)...)
		}
		require.Empty(t, zac.deleteAccount(t, zacPassword).Errors)
		close(g.opened)
		require.NoError(t, a.StopWorker(t.Context()))
		leftOf(t, traces(t, a, at.config(t).Storage.DataDir), marks)
		assert.Empty(t, a.Redis().Keys(t.Context(), "reply:*").Val(), "nothing is kept for who is gone")
	})
}

// get fetches a link.
func (p *privacyTest) get(t *testing.T, link string) (status int, header http.Header, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+link, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err = io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return res.StatusCode, res.Header, body
}

// storedFiles are the files of a user on the disk.
func storedFiles(all map[string][]string, userID string) (list []string) {
	for place := range all {
		if strings.HasPrefix(place, "file ") && strings.Contains(place, string(filepath.Separator)+userID+string(filepath.Separator)) {
			list = append(list, place)
		}
	}
	slices.Sort(list)
	return list
}
