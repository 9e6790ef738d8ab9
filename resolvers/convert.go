package resolvers

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// fromInvoiceID takes the uuid out of an invoice's opaque id. What is not one is NOT_FOUND, like an id that nobody has.
func fromInvoiceID(opaque string) (string, error) {
	typ, id, err := relay.DecodeID(opaque)
	if err != nil || typ != relay.TypeInvoice {
		return "", invoice.NotFound("Nota")
	}
	return id, nil
}

// fromProductID is fromInvoiceID for a product.
func fromProductID(opaque string) (string, error) {
	typ, id, err := relay.DecodeID(opaque)
	if err != nil || typ != relay.TypeProduct {
		return "", errNoProduct(err)
	}
	return id, nil
}

func errNoProduct(cause error) error {
	return &invoice.Error{Code: invoice.CodeNotFound, Message: "Produto não encontrado.", Cause: cause}
}

// fromInsightID is fromInvoiceID for an insight.
func fromInsightID(opaque string) (string, error) {
	typ, id, err := relay.DecodeID(opaque)
	if err != nil || typ != relay.TypeInsight {
		return "", invoice.NotFound("Análise")
	}
	return id, nil
}

// fromSignInID is fromInvoiceID for a sign-in.
func fromSignInID(opaque string) (string, error) {
	typ, id, err := relay.DecodeID(opaque)
	if err != nil || typ != relay.TypeSignIn {
		return "", &account.Error{Code: account.CodeNotFound, Message: "Esta sessão não existe ou já terminou.", Cause: err}
	}
	return id, nil
}

func fromSignUp(ctx context.Context, in model.SignUpInput) account.SignUpInput {
	return account.SignUpInput{Device: account.DeviceFrom(ctx), Email: in.Email, Password: in.Password, Name: in.Name}
}

func toSession(user *account.User, t account.Tokens) *model.SessionPayload {
	return &model.SessionPayload{
		Session: &model.Session{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, ExpiresAt: t.ExpiresAt},
		Viewer:  user,
	}
}

// fromProfile fails with a BAD_USER_INPUT *account.Error on an income that is no amount.
func fromProfile(in model.UpdateProfileInput) (account.HouseholdInput, error) {
	out := account.HouseholdInput{Adults: in.Adults, Children: in.Children, Consents: map[string]bool{}}
	for _, c := range in.Consents {
		out.Consents[c.Provider] = c.Granted
	}
	income, given := in.Income.ValueOK()
	if !given {
		return out, nil
	}
	if income == nil {
		out.ForgetIncome = true
		return out, nil
	}
	amount, err := fiscal.MoneyFromDecimal(*income)
	if err != nil {
		return out, &account.Error{Code: account.CodeBadUserInput, Field: "income", Message: "A renda não é um valor válido.", Cause: err}
	}
	out.Income = &amount
	return out, nil
}

// toConsents is in the order of the providers' names.
func toConsents(given map[string]time.Time) []*model.Consent {
	list := []*model.Consent{}
	for _, provider := range slices.Sorted(maps.Keys(given)) {
		list = append(list, &model.Consent{Provider: provider, GrantedAt: given[provider]})
	}
	return list
}

func toFiles(inv *invoice.Invoice) []*model.File {
	list := make([]*model.File, 0, len(inv.Files))
	for _, f := range inv.Files {
		if f.Kind != invoice.FileQR { // nobody sent it as a file
			list = append(list, &model.File{File: f, InvoiceID: inv.ID})
		}
	}
	return list
}

// toPointers is a list in the form in which the executor wants it.
func toPointers[T any](list []T) []*T {
	pointers := make([]*T, len(list))
	for i := range list {
		pointers[i] = &list[i]
	}
	return pointers
}

// usageScope is whose calls a viewer sees: their own, and an admin everybody's.
func usageScope(v account.Viewer) string {
	if v.Role == account.RoleAdmin {
		return ""
	}
	return v.UserID
}

func fromPeriod(in model.DateRangeInput) usage.Period {
	return usage.Period{From: usage.Day(in.From.Format(time.DateOnly)), To: usage.Day(in.To.Format(time.DateOnly))}
}

func fromSubmit(userID string, in model.SubmitInvoiceInput) invoice.SubmitInput {
	out := invoice.SubmitInput{UserID: userID, AllowDuplicate: in.AllowDuplicate, Uploads: fromUploads(in.Files)}
	out.IdempotencyKey, out.QRCode, out.AccessKey = orEmpty(in.IdempotencyKey), orEmpty(in.QRCode), orEmpty(in.AccessKey)
	return out
}

// fromUploads keeps the bytes alone: what the client says of a file's name and type is not believed.
func fromUploads(files []*graphql.Upload) []invoice.Upload {
	out := make([]invoice.Upload, len(files))
	for i, f := range files {
		out[i] = invoice.Upload{Content: f.File}
	}
	return out
}

// list is the arguments of a list of invoices.
type list struct {
	first, last   *int
	after, before *string
	filter        *model.InvoiceFilter
	orderBy       *model.InvoiceOrder
}

// fromList fails with a BAD_USER_INPUT *invoice.Error.
func fromList(userID string, in list) (invoice.ListQuery, error) {
	q := invoice.ListQuery{UserID: userID, Filter: fromFilter(in.filter), OrderBy: fromOrder(in.orderBy)}
	var err error
	if q.First, q.Last, err = relay.PageSize(in.first, in.last); err != nil {
		return q, &invoice.Error{
			Code: invoice.CodeBadUserInput, Field: pageField(in), Message: "Peça de 1 a 100 notas, com first ou com last.", Cause: err,
		}
	}
	if q.After, err = fromCursor("after", in.after, relay.DecodeCursor); err != nil {
		return q, err
	}
	q.Before, err = fromCursor("before", in.before, relay.DecodeCursor)
	return q, err
}

// pageField is the argument to blame for a page size.
func pageField(in list) string {
	if in.first == nil {
		return "last"
	}
	return "first"
}

// fromCursor fails with a BAD_USER_INPUT *invoice.Error that blames field.
func fromCursor[C any](field string, opaque *string, decode func(string) (C, error)) (*C, error) {
	if opaque == nil {
		return nil, nil //nolint:nilnil // no cursor was given
	}
	c, err := decode(*opaque)
	if err != nil {
		return nil, &invoice.Error{
			Code: invoice.CodeBadUserInput, Field: field, Message: "O cursor não é válido.", Cause: err,
		}
	}
	return &c, nil
}

// fromFirst is the size of a page that has no last; a BAD_USER_INPUT *invoice.Error when it is out of range.
func fromFirst(first *int) (int, error) {
	n, _, err := relay.PageSize(first, nil)
	if err != nil {
		return 0, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "first", Message: "Peça de 1 a 100 por página.", Cause: err}
	}
	return n, nil
}

func fromFilter(in *model.InvoiceFilter) invoice.Filter {
	if in == nil {
		return invoice.Filter{}
	}
	out := invoice.Filter{Statuses: in.Statuses}
	if in.IssuedFrom != nil {
		from := midnight(*in.IssuedFrom)
		out.IssuedFrom = &from
	}
	if in.IssuedTo != nil { // the last day itself belongs to it
		until := midnight(in.IssuedTo.AddDate(0, 0, 1))
		out.IssuedUntil = &until
	}
	if in.IssuerCnpj != nil {
		out.IssuerCNPJ = strings.ToUpper(strings.NewReplacer(".", "", "/", "", "-", "", " ", "").Replace(*in.IssuerCnpj))
	}
	if in.Search != nil {
		out.Search = strings.TrimSpace(*in.Search)
	}
	return out
}

// midnight begins a day in Brasília, which has kept its clocks at UTC-3 since 2019.
func midnight(day time.Time) time.Time {
	const offset = -3 * 60 * 60
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.FixedZone("BRT", offset))
}

func fromOrder(in *model.InvoiceOrder) invoice.Order {
	if in == nil {
		return invoice.Order{By: invoice.OrderByCreatedAt}
	}
	return invoice.Order{By: in.Field, Ascending: in.Direction == model.OrderDirectionAsc}
}
