package resolvers_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/resolvers"
)

var (
	_ resolvers.Accounts  = (*fake)(nil)
	_ resolvers.Invoices  = (*fakeInvoices)(nil)
	_ resolvers.Usage     = (*fake)(nil)
	_ graph.Authenticator = (*fake)(nil)
)

// seed is what a seed.json holds, in the domain's own field names.
type seed struct {
	Users    []*account.User
	Invoices []*invoice.Invoice
	Events   []invoice.Event
	Usage    []seedUsage
	SignIns  []seedSignIn
	Audit    []account.AuditEntry

	Revisions []seedRevision
	Products  []*product.Product
	Groups    []seedGroup
	Prices    []seedPrice
	Purchases []seedPurchase
	Insights  []*insight.Insight
	Analyses  []*insight.Analysis
}

// fake is the services in memory, just enough of them. Tokens are "token-" and the user's name in lower case.
type fake struct {
	now       time.Time
	expiresAt time.Time // of every token

	mu       sync.Mutex
	seed     seed
	revoked  map[string]bool // by token
	watchers map[chan invoice.Event]watch
	watching chan string // tells the id of each watch that began
	ended    chan string // and of each that ended

	calls       map[string]int // of what finds many at once
	corrections []invoice.Correction
	queries     []insight.ListQuery
	audit       []account.AuditEntry
	deleted     []string // users
}

type watch struct{ userID, invoiceID string }

func newFake(tb testing.TB, seedFile string) *fake {
	tb.Helper()
	f := &fake{
		now: time.Date(2026, 11, 23, 17, 5, 0, 0, time.UTC), expiresAt: time.Now().Add(time.Hour),
		revoked: map[string]bool{}, watchers: map[chan invoice.Event]watch{},
		watching: make(chan string, 1000), ended: make(chan string, 1000), calls: map[string]int{},
	}
	data, err := os.ReadFile(seedFile)
	require.NoError(tb, err)
	require.NoError(tb, json.Unmarshal(data, &f.seed))
	return f
}

func tokenOf(u *account.User) string { return "token-" + strings.ToLower(u.Name) }

func (f *fake) tokens(u *account.User) account.Tokens {
	return account.Tokens{AccessToken: tokenOf(u), RefreshToken: "refresh-" + strings.ToLower(u.Name), ExpiresAt: f.now.Add(15 * time.Minute)}
}

func (f *fake) Authenticate(_ context.Context, token string) (account.Viewer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if token == "token-broken" {
		return account.Viewer{}, errors.New("dial tcp 10.0.0.7:5432: connection refused")
	}
	for _, u := range f.seed.Users {
		if tokenOf(u) == token && !f.revoked[token] {
			return account.Viewer{UserID: u.ID, SessionID: "session-" + u.ID, Role: u.Role, Plan: u.Plan, ExpiresAt: f.expiresAt}, nil
		}
	}
	return account.Viewer{}, &account.Error{Code: account.CodeUnauthenticated, Message: "Sessão inválida."}
}

func (f *fake) revoke(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked[token] = true
}

// removeUser is what a deletion does.
func (f *fake) removeUser(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seed.Users = slices.DeleteFunc(slices.Clone(f.seed.Users), func(u *account.User) bool { return u.ID == id })
}

func (f *fake) SignUp(_ context.Context, in account.SignUpInput) (*account.User, account.Tokens, error) {
	if in.Password == "short" {
		return nil, account.Tokens{}, &account.Error{Code: account.CodeBadUserInput, Field: "password", Message: "A senha é curta."}
	}
	u := &account.User{
		ID: "0193b000-0000-7000-8000-0000000000ff", Email: in.Email, Name: in.Name, Role: account.RoleUser, Plan: account.PlanFree,
		CreatedAt: f.now,
	}
	return u, f.tokens(u), nil
}

func (f *fake) SignIn(_ context.Context, email, password, _ string) (*account.User, account.Tokens, error) {
	if password == "too often" {
		return nil, account.Tokens{}, &invoice.Error{Code: invoice.CodeRateLimited, Message: "Espere um pouco.", RetryAfter: 1500 * time.Millisecond}
	}
	for _, u := range f.seed.Users {
		if u.Email == email && password == "correct horse" {
			return u, f.tokens(u), nil
		}
	}
	return nil, account.Tokens{}, &account.Error{Code: account.CodeUnauthenticated, Message: "E-mail ou senha incorretos."}
}

func (f *fake) Refresh(_ context.Context, token string) (*account.User, account.Tokens, error) {
	for _, u := range f.seed.Users {
		if "refresh-"+strings.ToLower(u.Name) == token {
			return u, f.tokens(u), nil
		}
	}
	return nil, account.Tokens{}, &account.Error{Code: account.CodeUnauthenticated, Message: "Sessão inválida."}
}

func (f *fake) SignOut(context.Context, string) error { return nil }

func (f *fake) User(_ context.Context, id string) (*account.User, error) {
	for _, u := range f.seed.Users {
		if u.ID == id {
			return u, nil
		}
	}
	return nil, &account.Error{Code: account.CodeNotFound, Message: "Usuário não encontrado."}
}

// UpdateHousehold changes a copy.
func (f *fake) UpdateHousehold(ctx context.Context, id string, in account.HouseholdInput) (*account.User, error) {
	user, err := f.User(ctx, id)
	if err != nil {
		return nil, err
	}
	if in.Adults != nil && *in.Adults < 1 {
		return nil, &account.Error{Code: account.CodeBadUserInput, Field: "adults", Message: "O número de adultos deve ficar entre 1 e 20."}
	}
	changed := *user
	if in.Income != nil {
		changed.Household.Income = in.Income
	}
	if in.ForgetIncome {
		changed.Household.Income = nil
	}
	if in.Adults != nil {
		changed.Household.Adults = *in.Adults
	}
	if in.Children != nil {
		changed.Household.Children = *in.Children
	}
	changed.Consents = map[string]time.Time{}
	maps.Copy(changed.Consents, user.Consents)
	for provider, given := range in.Consents {
		delete(changed.Consents, provider)
		if given {
			changed.Consents[provider] = f.now
		}
	}
	return &changed, nil
}

// Report is a report of the seed's sums, of which each has its user.
func (f *fake) Report(_ context.Context, userID string, period usage.Period) (*usage.Report, error) {
	if period.To < period.From {
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "period", Message: "O período deve começar antes de terminar."}
	}
	report := &usage.Report{}
	for _, u := range f.seed.Usage {
		if (userID != "" && u.UserID != userID) || u.Day < period.From || u.Day > period.To {
			continue
		}
		report.Add(u.Totals)
		report.ByModel = append(report.ByModel, usage.ModelTotals{Provider: u.Provider, Model: u.Model, Totals: u.Totals})
		report.ByDay = append(report.ByDay, usage.DayTotals{Day: u.Day.Start(), Totals: u.Totals})
	}
	return report, nil
}

// seedUsage is what a user's calls to a model were in a day.
type seedUsage struct {
	usage.Sum

	UserID string
}

// fakeInvoices is apart from fake because both services have a method of their own name for one thing.
type fakeInvoices struct{ *fake }

// Submit lets the first file's text decide what happens.
func (f fakeInvoices) Submit(_ context.Context, in invoice.SubmitInput) (invoice.Submission, error) {
	inv := &invoice.Invoice{
		ID: "0193b000-0000-7000-8000-0000000000aa", UserID: in.UserID, Status: invoice.StatusQueued, Version: 1,
		CreatedAt: f.now, UpdatedAt: f.now,
	}
	if in.QRCode != "" && in.AccessKey != "" {
		return invoice.Submission{}, &invoice.Error{Code: invoice.CodeBadUserInput, Message: "Envie só um: os arquivos, o QR code ou a chave da nota."}
	}
	if in.QRCode != "" {
		inv.Files = append(inv.Files, invoice.File{ID: "0193b000-0000-7000-8000-0000000000f0", Kind: invoice.FileQR, Size: int64(len(in.QRCode))})
	}
	for i, up := range in.Uploads {
		data, err := io.ReadAll(up.Content)
		if err != nil {
			return invoice.Submission{}, err
		}
		switch string(data) {
		case "a fault":
			return invoice.Submission{}, errors.New("pq: password authentication failed for user secret")
		case "a panic":
			panic("index out of range")
		case "a program":
			return invoice.Submission{}, &invoice.Error{
				Code: invoice.CodeUnsupportedMedia, Field: "files", Message: "Este tipo de arquivo não é lido.", Cause: errors.New("elf"),
			}
		case "a duplicate":
			if !in.AllowDuplicate {
				first := f.seed.Invoices[0]
				return invoice.Submission{Invoice: first, Duplicate: &invoice.Duplicate{Reason: invoice.DuplicateSameBytes, InvoiceID: first.ID}}, nil
			}
		}
		inv.Files = append(inv.Files, invoice.File{
			ID: "0193b000-0000-7000-8000-0000000000f" + string(rune('0'+i)), Position: i, Kind: invoice.FileXML, Size: int64(len(data)),
		})
	}
	return invoice.Submission{Invoice: inv}, nil
}

func (f fakeInvoices) Invoice(_ context.Context, userID, id string) (*invoice.Invoice, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, inv := range f.seed.Invoices {
		if inv.ID == id && inv.UserID == userID {
			return inv, nil
		}
	}
	return nil, invoice.NotFound("Nota")
}

// List knows After, First and Statuses, in the order of the seed.
func (f fakeInvoices) List(_ context.Context, q invoice.ListQuery) (invoice.Page, error) {
	var all []*invoice.Invoice
	for _, inv := range f.seed.Invoices {
		if inv.UserID == q.UserID && (len(q.Filter.Statuses) == 0 || slices.Contains(q.Filter.Statuses, inv.Status)) {
			all = append(all, inv)
		}
	}
	start := 0
	if q.After != nil {
		start = 1 + slices.IndexFunc(all, func(inv *invoice.Invoice) bool { return inv.ID == q.After.ID })
	}
	rest := all[start:]
	n := min(max(q.First, q.Last), len(rest))
	return invoice.Page{Invoices: rest[:n], HasPrevious: start > 0, HasNext: n < len(rest), Total: len(all)}, nil
}

func (f fakeInvoices) Retry(ctx context.Context, userID, id string, allowDuplicate bool) (*invoice.Invoice, error) {
	inv, err := f.Invoice(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	if inv.Status == invoice.StatusCompleted {
		return nil, &invoice.Error{Code: invoice.CodeConflict, Message: "Esta nota não pode ser lida de novo agora."}
	}
	changed := *inv
	changed.Status, changed.Failure, changed.AllowDuplicate = invoice.StatusQueued, nil, allowDuplicate
	return &changed, nil
}

func (f fakeInvoices) Cancel(ctx context.Context, userID, id string) (*invoice.Invoice, error) {
	inv, err := f.Invoice(ctx, userID, id)
	if err != nil {
		return nil, err
	}
	changed := *inv
	changed.Status = invoice.StatusCancelled
	return &changed, nil
}

func (f fakeInvoices) Delete(ctx context.Context, userID, id string) error {
	_, err := f.Invoice(ctx, userID, id)
	return err
}

func (f fakeInvoices) Watch(ctx context.Context, userID, id string, afterSeq *int) (<-chan invoice.Event, error) {
	if _, err := f.Invoice(ctx, userID, id); err != nil {
		return nil, err
	}
	var stored []invoice.Event
	for _, e := range f.seed.Events {
		if e.InvoiceID == id && (afterSeq == nil || e.Seq > *afterSeq) {
			stored = append(stored, e)
		}
	}
	if afterSeq == nil && len(stored) > 1 {
		stored = stored[len(stored)-1:]
	}
	return f.watch(ctx, watch{userID, id}, stored), nil
}

func (f fakeInvoices) WatchAll(ctx context.Context, userID string) (<-chan invoice.Event, error) {
	return f.watch(ctx, watch{userID: userID}, nil), nil
}

func (f *fake) watch(ctx context.Context, w watch, stored []invoice.Event) <-chan invoice.Event {
	live, out := make(chan invoice.Event, 10), make(chan invoice.Event)
	f.mu.Lock()
	f.watchers[live] = w
	f.mu.Unlock()
	f.watching <- w.invoiceID
	go func() {
		defer func() {
			f.mu.Lock()
			delete(f.watchers, live)
			f.mu.Unlock()
			close(out)
			f.ended <- w.invoiceID
		}()
		for {
			var e invoice.Event
			if len(stored) > 0 {
				e, stored = stored[0], stored[1:]
			} else {
				select {
				case e = <-live:
				case <-ctx.Done():
					return
				}
			}
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
			if w.invoiceID != "" && e.Final() {
				return
			}
		}
	}()
	return out
}

// publish hands an event to whoever watches; false when one of them is full.
func (f *fake) publish(e invoice.Event) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for live, w := range f.watchers {
		if w.userID != e.UserID || (w.invoiceID != "" && w.invoiceID != e.InvoiceID) {
			continue
		}
		select {
		case live <- e:
		default:
			return false
		}
	}
	return true
}
