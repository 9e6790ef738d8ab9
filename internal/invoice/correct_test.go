package invoice_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func set[T any](v T) invoice.Optional[T] { return invoice.Optional[T]{Set: true, Value: &v} }

func unset[T any]() invoice.Optional[T] { return invoice.Optional[T]{Set: true} }

// misread is a purchase with one wrong figure: the total of its first line is R$ 10,00 too much.
func misread() invoice.Draft {
	d := draft(1)
	d.Items[0].Total += 1000
	return d
}

// read gives an invoice whose extraction said d.
func (b *bundle) read(t *testing.T, photo string, d invoice.Draft) *invoice.Invoice {
	t.Helper()
	b.ask = answer(d)
	id := b.submit(t, photo).Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	return b.get(t, id)
}

func (b *bundle) correct(t *testing.T, c invoice.Correction) *invoice.Invoice {
	t.Helper()
	inv, err := b.Correct(t.Context(), b.user, c)
	require.NoError(t, err)
	storetest.EqualInvoices(t, b.get(t, inv.ID), inv)
	return inv
}

func (b *bundle) history(t *testing.T, id string) []invoice.Revision {
	t.Helper()
	all, err := b.Revisions(t.Context(), b.user, []string{id})
	require.NoError(t, err)
	return all[id]
}

func (b *bundle) lastEvent(t *testing.T, id string) invoice.Event {
	t.Helper()
	e, err := b.store.LastEvent(t.Context(), b.user, id)
	require.NoError(t, err)
	return e
}

// right is the correction that makes a misread invoice agree.
func right(inv *invoice.Invoice) invoice.Correction {
	return invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, Items: []invoice.ItemCorrection{
		{ItemID: inv.Items[0].ID, Total: set(inv.Items[0].Total - 1000)},
	}}
}

func failed(inv *invoice.Invoice) (names []invoice.CheckName) {
	for _, c := range inv.Checks {
		if !c.Passed {
			names = append(names, c.Name)
		}
	}
	return names
}

func requireFault(t *testing.T, err error, code invoice.Code, field string) {
	t.Helper()
	var e *invoice.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, code, e.Code)
	assert.Equal(t, field, e.Field)
	assert.NotEmpty(t, e.Message)
}

func TestAFigureMadeRightCompletesTheInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	require.Equal(t, invoice.StatusNeedsReview, inv.Status)
	assert.Contains(t, failed(inv), invoice.CheckProductsTotal)
	assert.Empty(t, b.plans.planned, "what needs review is not analysed")

	b.plans.follows = true
	got := b.correct(t, right(inv))
	assert.Equal(t, invoice.StatusCompleted, got.Status)
	assert.Empty(t, failed(got))
	assert.Equal(t, draft(1).Items[0].Total, got.Items[0].Total)
	assert.Equal(t, inv.Items[0].ID, got.Items[0].ID, "it is the same line")
	assert.Equal(t, invoice.SourceManual, got.Source)
	assert.Greater(t, *got.Confidence, *inv.Confidence)
	assert.Equal(t, inv.Version+1, got.Version)
	assert.Equal(t, inv.ItemsVersion+1, got.ItemsVersion)
	assert.Equal(t, []int{got.ItemsVersion}, b.plans.planned)
	assert.Equal(t, []invoice.Status{invoice.StatusNeedsReview, invoice.StatusCompleted}, b.shop.recorded)
	assert.Equal(t, product, got.Items[0].ProductID)

	e := b.lastEvent(t, inv.ID)
	assert.Equal(t, invoice.StageCompleted, e.Stage)
	assert.Equal(t, invoice.StatusCompleted, e.Status)
	assert.True(t, e.More, "an analysis follows")
	assert.Equal(t, 100, e.Percent)
	assert.Equal(t, len(got.Items), e.ItemsFound)
}

func TestAFigureMadeWrongNeedsReview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", draft(1))
	require.Equal(t, invoice.StatusCompleted, inv.Status)
	b.plans.follows = true
	got := b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: inv.Version, Totals: invoice.TotalsCorrection{Due: set(*inv.Totals.Due + 1)},
	})
	assert.Equal(t, invoice.StatusCompleted, got.Status, "within the tolerance")
	assert.Len(t, b.plans.planned, 1, "no line changed: the analysis stands")
	assert.False(t, b.lastEvent(t, inv.ID).More)
	assert.Equal(t, inv.ItemsVersion, got.ItemsVersion)
	got = b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: got.Version, Totals: invoice.TotalsCorrection{Due: set(*inv.Totals.Due + 3)},
	})
	assert.Equal(t, invoice.StatusNeedsReview, got.Status)
	e := b.lastEvent(t, inv.ID)
	assert.Equal(t, invoice.StageNeedsReview, e.Stage)
	assert.False(t, e.More)
	assert.Equal(t, invoice.StatusNeedsReview, b.shop.recorded[len(b.shop.recorded)-1])
}

func TestOfTwoCorrectionsAtOnceOneWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.Correct(t.Context(), b.user, right(inv)) })
	}
	wg.Wait()
	lost := errors.Join(errs...)
	requireFault(t, lost, invoice.CodeConflict, "expectedVersion")
	assert.True(t, errs[0] == nil || errs[1] == nil)
	assert.Len(t, b.history(t, inv.ID), 1)
	assert.Equal(t, inv.Version+1, b.get(t, inv.ID).Version)
}

func TestHistorySaysWhatWasBeforeEachCorrection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.read(t, "photo", misread())
	assert.Empty(t, b.history(t, first.ID))
	second := b.correct(t, right(first))
	third := b.correct(t, invoice.Correction{
		InvoiceID: first.ID, ExpectedVersion: second.Version, RemoveIDs: []string{second.Items[1].ID},
		AddItems: []invoice.NewItem{{Description: "PAO FRANCES", Quantity: decimal.NewFromInt(2), UnitPrice: decimal.RequireFromString("0.75")}},
	})
	revisions := b.history(t, first.ID)
	require.Len(t, revisions, 2)
	assert.Equal(t, []int{first.Version, second.Version}, []int{revisions[0].Version, revisions[1].Version})
	assert.Equal(t, []invoice.Source{invoice.SourceModel, invoice.SourceManual}, []invoice.Source{revisions[0].Source, revisions[1].Source})
	for i, inv := range []*invoice.Invoice{first, second} {
		storetest.EqualInvoices(t, &invoice.Invoice{Draft: inv.Draft}, &invoice.Invoice{Draft: revisions[i].Draft})
	}
	assert.Equal(t, []invoice.FieldChange{{
		Field: "items.total", Line: 1, Before: first.Items[0].Total.String(), After: second.Items[0].Total.String(),
	}}, invoice.Changes(revisions[0].Draft, revisions[1].Draft))
	assert.Equal(t, []invoice.FieldChange{
		{Field: "items", Line: 2, Before: second.Items[1].Description + " " + second.Items[1].Total.String()},
		{Field: "items", Line: 4, After: "PAO FRANCES R$ 1,50"},
	}, invoice.Changes(revisions[1].Draft, third.Draft))
	other, err := b.Revisions(t.Context(), newUser(t, b.db), []string{first.ID})
	require.NoError(t, err)
	assert.Empty(t, other, "another user's")
}

func TestAConfirmedInvoiceIsCompleteThoughChecksFail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plans.follows = true
	inv := b.read(t, "photo", misread())
	_, err := b.Confirm(t.Context(), b.user, inv.ID, inv.Version-1)
	requireFault(t, err, invoice.CodeConflict, "expectedVersion")
	_, err = b.Confirm(t.Context(), newUser(t, b.db), inv.ID, inv.Version)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))

	got, err := b.Confirm(t.Context(), b.user, inv.ID, inv.Version)
	require.NoError(t, err)
	storetest.EqualInvoices(t, b.get(t, inv.ID), got)
	assert.Equal(t, invoice.StatusCompleted, got.Status)
	require.NotNil(t, got.ConfirmedAt)
	assert.Equal(t, inv.Checks, got.Checks)
	assert.Equal(t, invoice.SourceModel, got.Source)
	assert.Equal(t, inv.Version+1, got.Version)
	assert.Empty(t, b.history(t, inv.ID), "it says what it said")
	assert.Equal(t, []invoice.Status{invoice.StatusNeedsReview, invoice.StatusCompleted}, b.shop.recorded)
	assert.Len(t, b.plans.planned, 1)
	assert.True(t, b.lastEvent(t, inv.ID).More)

	_, err = b.Confirm(t.Context(), b.user, inv.ID, got.Version)
	requireFault(t, err, invoice.CodeConflict, "")
	_, err = b.Retry(t.Context(), b.user, inv.ID, false)
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
}

func TestAConfirmationStandsUntilAFigureChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	inv, err := b.Confirm(t.Context(), b.user, inv.ID, inv.Version)
	require.NoError(t, err)
	words := b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: inv.Version, IssuerName: set("Mercado da Esquina"),
		Items: []invoice.ItemCorrection{{ItemID: inv.Items[0].ID, Description: set("LEITE"), Unit: set("L"), ProductName: "Leite"}},
	})
	assert.Equal(t, invoice.StatusCompleted, words.Status)
	assert.NotNil(t, words.ConfirmedAt)
	assert.Equal(t, "Mercado da Esquina", words.Issuer.Name)
	figures := b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: words.Version, Items: []invoice.ItemCorrection{{ItemID: inv.Items[0].ID, Discount: set(fiscal.Money(1))}},
	})
	assert.Equal(t, invoice.StatusNeedsReview, figures.Status)
	assert.Nil(t, figures.ConfirmedAt)
}

func TestLessonsAreTaughtAndLeaveTheFiguresAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", draft(1))
	got := b.correct(t, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, Items: []invoice.ItemCorrection{
		{ItemID: inv.Items[2].ID, ProductName: "  Leite  da\u200b Ana 529.982.247-25", Category: " dairy "},
		{ItemID: inv.Items[0].ID, Category: "bread"},
	}})
	assert.Equal(t, []invoice.Lesson{
		{ItemID: inv.Items[2].ID, Name: "Leite da Ana ***.***.247-**", Category: "dairy"}, {ItemID: inv.Items[0].ID, Category: "bread"},
	}, b.shop.lessons)
	assert.Equal(t, invoice.SourceModel, got.Source)
	assert.Equal(t, inv.Checks, got.Checks)
	assert.Equal(t, inv.Confidence, got.Confidence)
	assert.Equal(t, invoice.StatusCompleted, got.Status)
	assert.Equal(t, inv.ItemsVersion+1, got.ItemsVersion, "an analysis sees other products")
	assert.Len(t, b.plans.planned, 2)
	assert.Len(t, b.history(t, inv.ID), 1)

	b.correct(t, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: got.Version, Items: []invoice.ItemCorrection{
		{ItemID: inv.Items[1].ID, Description: set("SABAO EM PO"), Category: "cleaning"},
	}})
	assert.Equal(t, "SABAO EM PO", b.shop.taught[2], "the lesson is for the corrected label")
}

func TestACategoryThatDoesNotExistIsTheUsersMistake(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", draft(1))
	b.shop.refuse = map[string]error{"Teach": &invoice.Error{Code: invoice.CodeBadUserInput, Message: "Esta categoria não existe."}}
	_, err := b.Correct(t.Context(), b.user, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, Items: []invoice.ItemCorrection{
		{ItemID: inv.Items[0].ID, Category: "nothing"},
	}})
	assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
	storetest.EqualInvoices(t, inv, b.get(t, inv.ID))
}

func TestACorrectionThatCannotBeRecordedLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	stages := b.stages(t, inv.ID)
	b.shop.refuse = map[string]error{"Record": errors.New("the ledger is locked")}
	c := right(inv)
	c.AccessKey = set(draft(2).AccessKey)
	c.Items[0].ProductName = "Leite"
	_, err := b.Correct(t.Context(), b.user, c)
	require.ErrorContains(t, err, "the ledger is locked")
	assert.Equal(t, invoice.CodeInternal, invoice.CodeOf(err))
	storetest.EqualInvoices(t, inv, b.get(t, inv.ID))
	assert.Empty(t, b.history(t, inv.ID))
	assert.Equal(t, stages, b.stages(t, inv.ID))
	user, err := store.NewAccounts(b.db).User(t.Context(), b.user)
	require.NoError(t, err)
	assert.Equal(t, "Ana", user.Name, "what Teach wrote is gone")

	b.shop.refuse = nil
	other := b.read(t, "another photo", draft(2))
	assert.Nil(t, other.Duplicate, "the key was not taken")
	_, err = b.Confirm(t.Context(), b.user, inv.ID, inv.Version)
	require.NoError(t, err, "the version is the one before")
}

func TestAnExtractionThatCannotBeRecordedIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.shop.refuse = map[string]error{"Record": errors.New("the ledger is locked")}
	id := b.submit(t, "photo").Invoice.ID
	var retry *invoice.RetryError
	require.ErrorAs(t, b.Extract(t.Context(), id, false), &retry)
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusQueued, inv.Status)
	assert.Empty(t, inv.Items)
	b.shop.refuse = nil
	require.NoError(t, b.Extract(t.Context(), id, false))
	assert.Equal(t, invoice.StatusCompleted, b.get(t, id).Status)
}

func TestACorrectedKeyMeetsDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.read(t, "photo 1", draft(1))
	second := b.read(t, "photo 2", draft(2))
	_, err := b.Correct(t.Context(), b.user, invoice.Correction{
		InvoiceID: second.ID, ExpectedVersion: second.Version, AccessKey: set(first.AccessKey),
	})
	requireFault(t, err, invoice.CodeConflict, "accessKey")
	storetest.EqualInvoices(t, second, b.get(t, second.ID))

	_, err = b.Correct(t.Context(), b.user, invoice.Correction{
		InvoiceID: second.ID, ExpectedVersion: second.Version, IssuerCNPJ: set(first.Issuer.CNPJ), IssuedAt: set(*first.IssuedAt),
		Totals: invoice.TotalsCorrection{Due: set(*first.Totals.Due)},
	})
	requireFault(t, err, invoice.CodeConflict, "")

	freed := b.correct(t, invoice.Correction{InvoiceID: first.ID, ExpectedVersion: first.Version, AccessKey: unset[string]()})
	assert.Empty(t, freed.AccessKey)
	taken := b.correct(t, invoice.Correction{InvoiceID: second.ID, ExpectedVersion: second.Version, AccessKey: set(first.AccessKey)})
	assert.Equal(t, first.AccessKey, taken.AccessKey)
	third := b.read(t, "photo 3", withoutMoment(draft(2)))
	assert.Nil(t, third.Duplicate, "the key that was corrected is free")
	assert.NotNil(t, b.submit(t, "photo 2").Duplicate, "the bytes are still its own")
}

func withoutMoment(d invoice.Draft) invoice.Draft {
	d.IssuedAt = nil
	return d
}

func TestAnInvoiceThatMayBeADuplicateMayBecomeOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.read(t, "photo 1", draft(1))
	in := b.input("photo 2")
	in.AllowDuplicate = true
	sub, err := b.Submit(t.Context(), in)
	require.NoError(t, err)
	b.ask = answer(draft(2))
	require.NoError(t, b.Extract(t.Context(), sub.Invoice.ID, false))
	second := b.get(t, sub.Invoice.ID)
	b.correct(t, invoice.Correction{InvoiceID: second.ID, ExpectedVersion: second.Version, AccessKey: set(first.AccessKey)})
	third := b.read(t, "photo 3", draft(1))
	assert.Equal(t, first.ID, third.Duplicate.InvoiceID, "it took nothing from the first")
}

func TestTheKeyOfAQRCodeStaysClaimed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key, err := fiscal.ParseAccessKey(draft(1).AccessKey)
	require.NoError(t, err)
	plain := b.reader.read
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{Pages: []invoice.DocumentPage{{Data: []byte("x")}}, QR: &fiscal.QR{Key: key}}, nil
	}
	inv := b.read(t, "photo 1", withoutKey(draft(1)))
	b.correct(t, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, IssuedAt: set(inv.IssuedAt.Add(time.Hour))})
	b.reader.read = plain
	assert.Equal(t, invoice.DuplicateSameAccessKey, b.read(t, "photo 2", draft(1)).Duplicate.Reason)
}

func TestOnlyWhatWasReadCanBeCorrected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	name := func(inv *invoice.Invoice) error {
		_, err := b.Correct(t.Context(), b.user, invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, IssuerName: set("x")})
		return err
	}
	queued := b.submit(t, "photo").Invoice
	requireFault(t, name(queued), invoice.CodeConflict, "")
	_, err := b.Confirm(t.Context(), b.user, queued.ID, queued.Version)
	requireFault(t, err, invoice.CodeConflict, "")
	b.ask = func(ctx context.Context, req invoice.ExtractionRequest, o func(invoice.Progress)) (invoice.Extraction, error) {
		_, err := b.Correct(ctx, b.user, invoice.Correction{InvoiceID: queued.ID, ExpectedVersion: queued.Version + 1, IssuerName: set("x")})
		requireFault(t, err, invoice.CodeConflict, "")
		return answer(draft(1))(ctx, req, o)
	}
	require.NoError(t, b.Extract(t.Context(), queued.ID, false))
	require.NoError(t, name(b.get(t, queued.ID)))

	cancelled, err := b.Cancel(t.Context(), b.user, b.submit(t, "photo 2").Invoice.ID)
	require.NoError(t, err)
	requireFault(t, name(cancelled), invoice.CodeConflict, "")
	unread := b.submit(t, "photo 3").Invoice.ID
	b.ask = refuse(errors.New("unreadable"))
	require.NoError(t, b.Extract(t.Context(), unread, true))
	requireFault(t, name(b.get(t, unread)), invoice.CodeConflict, "")

	_, err = b.Correct(t.Context(), newUser(t, b.db), invoice.Correction{InvoiceID: queued.ID, ExpectedVersion: 1, IssuerName: set("x")})
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
}

func TestACorrectedInvoiceThatIsReadOnceMoreKeepsItsCorrection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	key := inv.AccessKey
	inv = b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: inv.Version, AccessKey: set(draft(2).AccessKey), IssuerName: set("Mercado"),
	})
	queued, err := b.Retry(t.Context(), b.user, inv.ID, false)
	require.NoError(t, err)
	assert.Equal(t, invoice.StatusQueued, b.shop.recorded[len(b.shop.recorded)-1], "out of the ledger")
	require.NoError(t, b.Extract(t.Context(), inv.ID, false))
	again := b.get(t, inv.ID)
	assert.Equal(t, key, again.AccessKey)
	assert.Equal(t, inv.ItemsVersion+1, again.ItemsVersion)
	for i := range again.Items {
		assert.NotEqual(t, inv.Items[i].ID, again.Items[i].ID, "they are other lines")
	}
	revisions := b.history(t, inv.ID)
	require.Len(t, revisions, 2)
	assert.Equal(t, invoice.SourceManual, revisions[1].Source)
	assert.Equal(t, "Mercado", revisions[1].Draft.Issuer.Name)
	assert.Greater(t, revisions[1].Version, queued.Version)
	assert.Nil(t, b.read(t, "photo 2", draft(2)).Duplicate, "the key that the user had typed is free")

	_, err = b.Retry(t.Context(), b.user, inv.ID, false)
	require.NoError(t, err)
	cancelled, err := b.Cancel(t.Context(), b.user, inv.ID)
	require.NoError(t, err)
	assert.Equal(t, invoice.StatusCancelled, cancelled.Status)
	assert.Nil(t, b.read(t, "photo 4", draft(1)).Duplicate)
}

func TestACorrectionWhileAnExtractionBeginsIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	_, err := b.Retry(t.Context(), b.user, inv.ID, false)
	require.NoError(t, err)
	_, err = b.Correct(t.Context(), b.user, right(inv))
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
}

func TestInvoicesAndItemsByID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", draft(1))
	invoices, err := b.InvoicesByID(t.Context(), b.user, []string{inv.ID})
	require.NoError(t, err)
	storetest.EqualInvoices(t, inv, invoices[inv.ID])
	items, err := b.ItemsByID(t.Context(), b.user, []string{inv.Items[3].ID})
	require.NoError(t, err)
	assert.Equal(t, inv.Items[3].Description, items[inv.Items[3].ID].Description)
}
