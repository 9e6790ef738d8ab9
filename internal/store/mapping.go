package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// aggregate is an invoice as rows, the lists in their order.
type aggregate struct {
	invoice  schema.Invoice
	items    []schema.InvoiceItem
	payments []schema.InvoicePayment
	checks   []schema.InvoiceCheck
	attempts []schema.InvoiceAttempt
	files    []schema.InvoiceFile
}

// toRows expects ids in their canonical form. It fails on what no column holds: see storableTime and storableDecimal.
func toRows(inv *invoice.Invoice) (*aggregate, error) {
	row := schema.Invoice{
		ID:       inv.ID,
		UserID:   inv.UserID,
		Status:   string(inv.Status),
		Version:  inv.Version,
		Run:      inv.Run,
		EventSeq: inv.EventSeq,
		JobID:    inv.JobID,

		ItemsVersion: inv.ItemsVersion,
		ConfirmedAt:  microsOf(inv.ConfirmedAt),

		Source:     clean(string(inv.Source)),
		Confidence: inv.Confidence,

		AccessKey:        clean(inv.AccessKey),
		Model:            inv.Model,
		Number:           inv.Number,
		Series:           inv.Series,
		TestDocument:     inv.TestDocument,
		Protocol:         clean(inv.Protocol),
		IssuerName:       clean(inv.Issuer.Name),
		IssuerCNPJ:       clean(inv.Issuer.CNPJ),
		IssuerState:      clean(inv.Issuer.State),
		ConsumerCPF:      clean(inv.ConsumerCPF),
		PrintedItemCount: inv.PrintedItemCount,

		ProductsCentavos:  (*int64)(inv.Totals.Products),
		DiscountCentavos:  int64(inv.Totals.Discount),
		FreightCentavos:   int64(inv.Totals.Freight),
		InsuranceCentavos: int64(inv.Totals.Insurance),
		OtherCentavos:     int64(inv.Totals.Other),
		TaxesCentavos:     int64(inv.Totals.Taxes),
		DueCentavos:       (*int64)(inv.Totals.Due),
		PaidCentavos:      (*int64)(inv.Totals.Paid),
		ChangeCentavos:    int64(inv.Totals.Change),

		AllowDuplicate: inv.AllowDuplicate,
		IdempotencyKey: clean(inv.IdempotencyKey),
		CreatedAt:      micros(inv.CreatedAt),
		UpdatedAt:      micros(inv.UpdatedAt),
	}
	if inv.IssuedAt != nil {
		if err := storableTime(*inv.IssuedAt); err != nil {
			return nil, fmt.Errorf("issue date: %w", err)
		}
		row.IssuedAt = microsOf(inv.IssuedAt)
	}
	if d := inv.Duplicate; d != nil {
		id, ok := canonical(d.InvoiceID)
		if !ok {
			return nil, fmt.Errorf("duplicate: %q is no id", d.InvoiceID)
		}
		row.DuplicateReason, row.DuplicateOf = clean(string(d.Reason)), id
	}
	if f := inv.Failure; f != nil {
		row.FailureCode, row.FailureMessage = clean(string(f.Code)), clean(f.Message)
	}
	a := &aggregate{invoice: row}
	search := []string{fold(inv.Issuer.Name)}
	for i, it := range inv.Items {
		r, err := toItemRow(inv.ID, i, it)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		a.items = append(a.items, r)
		search = append(search, fold(it.Description))
	}
	a.invoice.SearchText = strings.Join(search, "\n")
	for i, p := range inv.Payments {
		a.payments = append(a.payments, schema.InvoicePayment{
			InvoiceID: inv.ID, Position: i, Method: clean(string(p.Method)), AmountCentavos: int64(p.Amount),
		})
	}
	for i, c := range inv.Checks {
		a.checks = append(a.checks, schema.InvoiceCheck{
			InvoiceID: inv.ID, Position: i, Name: clean(string(c.Name)), Passed: c.Passed, Expected: clean(c.Expected), Found: clean(c.Found),
			DifferenceCentavos: (*int64)(c.Difference), Line: c.Line,
		})
	}
	for i, t := range inv.Attempts {
		a.attempts = append(a.attempts, schema.InvoiceAttempt{
			InvoiceID: inv.ID, Position: i, Number: t.Number, Run: t.Run, Provider: clean(t.Provider), Model: clean(t.Model),
			Outcome: clean(t.Outcome), Items: t.Items, StartedAt: micros(t.StartedAt), FinishedAt: micros(t.FinishedAt),
		})
	}
	for _, f := range inv.Files {
		a.files = append(a.files, schema.InvoiceFile{
			ID: f.ID, InvoiceID: inv.ID, UserID: inv.UserID, Position: f.Position, Kind: clean(string(f.Kind)), Size: f.Size,
			SHA256: clean(f.SHA256), BlobKey: clean(f.BlobKey), PictureHash: nonEmpty(f.PictureHash),
			RemovedAt: microsOf(f.RemovedAt),
		})
	}
	return a, nil
}

func toItemRow(invoiceID string, position int, it invoice.Item) (schema.InvoiceItem, error) {
	for _, d := range []decimal.Decimal{it.Quantity, it.UnitPrice} {
		if err := storableDecimal(d); err != nil {
			return schema.InvoiceItem{}, err
		}
	}
	return schema.InvoiceItem{
		ID:               it.ID,
		InvoiceID:        invoiceID,
		Position:         position,
		Line:             it.Line,
		Description:      clean(it.Description),
		Code:             clean(it.Code),
		GTIN:             clean(it.GTIN),
		Unit:             clean(it.Unit),
		Quantity:         it.Quantity,
		UnitPrice:        it.UnitPrice,
		TotalCentavos:    int64(it.Total),
		DiscountCentavos: int64(it.Discount),
		NotInTotal:       it.NotInTotal,
		Uncertain:        it.Uncertain,
		Category:         clean(it.Category),
		ProductID:        it.ProductID,
	}, nil
}

func fromRows(a *aggregate) *invoice.Invoice {
	r := &a.invoice
	inv := &invoice.Invoice{
		ID:       r.ID,
		UserID:   r.UserID,
		Status:   invoice.Status(r.Status),
		Version:  r.Version,
		Run:      r.Run,
		EventSeq: r.EventSeq,
		JobID:    r.JobID,

		ItemsVersion: r.ItemsVersion,
		ConfirmedAt:  microsOf(r.ConfirmedAt),
		Draft: invoice.Draft{
			AccessKey:        r.AccessKey,
			Model:            r.Model,
			Number:           r.Number,
			Series:           r.Series,
			IssuedAt:         microsOf(r.IssuedAt),
			TestDocument:     r.TestDocument,
			Protocol:         r.Protocol,
			Issuer:           invoice.Issuer{Name: r.IssuerName, CNPJ: r.IssuerCNPJ, State: r.IssuerState},
			ConsumerCPF:      r.ConsumerCPF,
			PrintedItemCount: r.PrintedItemCount,
			Totals: invoice.Totals{
				Products:  (*fiscal.Money)(r.ProductsCentavos),
				Discount:  fiscal.Money(r.DiscountCentavos),
				Freight:   fiscal.Money(r.FreightCentavos),
				Insurance: fiscal.Money(r.InsuranceCentavos),
				Other:     fiscal.Money(r.OtherCentavos),
				Taxes:     fiscal.Money(r.TaxesCentavos),
				Due:       (*fiscal.Money)(r.DueCentavos),
				Paid:      (*fiscal.Money)(r.PaidCentavos),
				Change:    fiscal.Money(r.ChangeCentavos),
			},
		},
		Source:         invoice.Source(r.Source),
		Confidence:     r.Confidence,
		AllowDuplicate: r.AllowDuplicate,
		IdempotencyKey: r.IdempotencyKey,
		CreatedAt:      micros(r.CreatedAt),
		UpdatedAt:      micros(r.UpdatedAt),
	}
	if r.DuplicateOf != "" {
		inv.Duplicate = &invoice.Duplicate{Reason: invoice.DuplicateReason(r.DuplicateReason), InvoiceID: r.DuplicateOf}
	}
	if r.FailureCode != "" || r.FailureMessage != "" {
		inv.Failure = &invoice.Failure{Code: invoice.Code(r.FailureCode), Message: r.FailureMessage}
	}
	for _, it := range a.items {
		inv.Items = append(inv.Items, fromItemRow(it))
	}
	for _, p := range a.payments {
		inv.Payments = append(inv.Payments, invoice.Payment{Method: invoice.PaymentMethod(p.Method), Amount: fiscal.Money(p.AmountCentavos)})
	}
	for _, c := range a.checks {
		inv.Checks = append(inv.Checks, invoice.Check{
			Name: invoice.CheckName(c.Name), Passed: c.Passed, Expected: c.Expected, Found: c.Found,
			Difference: (*fiscal.Money)(c.DifferenceCentavos), Line: c.Line,
		})
	}
	for _, t := range a.attempts {
		inv.Attempts = append(inv.Attempts, invoice.Attempt{
			Number: t.Number, Run: t.Run, Provider: t.Provider, Model: t.Model, Outcome: t.Outcome, Items: t.Items,
			StartedAt: micros(t.StartedAt), FinishedAt: micros(t.FinishedAt),
		})
	}
	for _, f := range a.files {
		inv.Files = append(inv.Files, invoice.File{
			ID: f.ID, Position: f.Position, Kind: invoice.FileKind(f.Kind), Size: f.Size, SHA256: f.SHA256, BlobKey: f.BlobKey,
			PictureHash: nonEmpty(f.PictureHash), RemovedAt: microsOf(f.RemovedAt),
		})
	}
	return inv
}

func fromItemRow(r schema.InvoiceItem) invoice.Item {
	return invoice.Item{
		ID:          r.ID,
		Line:        r.Line,
		Description: r.Description,
		Code:        r.Code,
		GTIN:        r.GTIN,
		Unit:        r.Unit,
		Quantity:    r.Quantity,
		UnitPrice:   r.UnitPrice,
		Total:       fiscal.Money(r.TotalCentavos),
		Discount:    fiscal.Money(r.DiscountCentavos),
		NotInTotal:  r.NotInTotal,
		Uncertain:   r.Uncertain,
		Category:    r.Category,
		ProductID:   r.ProductID,
	}
}

func toEventRow(e invoice.Event) schema.ExtractionEvent {
	return schema.ExtractionEvent{
		InvoiceID:  e.InvoiceID,
		Seq:        e.Seq,
		UserID:     e.UserID,
		Stage:      clean(string(e.Stage)),
		Status:     clean(string(e.Status)),
		Percent:    e.Percent,
		Provider:   clean(e.Provider),
		Attempt:    e.Attempt,
		ItemsFound: e.ItemsFound,
		Message:    clean(e.Message),
		Code:       clean(string(e.Code)),
		At:         micros(e.At),
		More:       e.More,
	}
}

func fromEventRow(r schema.ExtractionEvent) invoice.Event {
	return invoice.Event{
		InvoiceID:  r.InvoiceID,
		UserID:     r.UserID,
		Seq:        r.Seq,
		Stage:      invoice.Stage(r.Stage),
		Status:     invoice.Status(r.Status),
		Percent:    r.Percent,
		Provider:   r.Provider,
		Attempt:    r.Attempt,
		ItemsFound: r.ItemsFound,
		Message:    r.Message,
		Code:       invoice.Code(r.Code),
		At:         micros(r.At),
		More:       r.More,
	}
}

func toUserRow(u *account.User) schema.User {
	consents := make(map[string]time.Time, len(u.Consents))
	for provider, at := range u.Consents {
		consents[clean(provider)] = micros(at)
	}
	return schema.User{
		ID:             u.ID,
		Email:          clean(u.Email),
		Name:           clean(u.Name),
		PasswordHash:   clean(u.PasswordHash),
		Role:           string(u.Role),
		Plan:           string(u.Plan),
		IncomeCentavos: (*int64)(u.Household.Income),
		Adults:         u.Household.Adults,
		Children:       u.Household.Children,
		Consents:       consents,
		CreatedAt:      micros(u.CreatedAt),
		UpdatedAt:      micros(u.UpdatedAt),
	}
}

// fromUserRow gives a user whose Consents can be written to.
func fromUserRow(r *schema.User) *account.User {
	consents := make(map[string]time.Time, len(r.Consents))
	for provider, at := range r.Consents {
		consents[provider] = micros(at)
	}
	return &account.User{
		ID:           r.ID,
		Email:        r.Email,
		Name:         r.Name,
		PasswordHash: r.PasswordHash,
		Role:         account.Role(r.Role),
		Plan:         account.Plan(r.Plan),
		Household:    account.Household{Income: (*fiscal.Money)(r.IncomeCentavos), Adults: r.Adults, Children: r.Children},
		Consents:     consents,
		CreatedAt:    micros(r.CreatedAt),
		UpdatedAt:    micros(r.UpdatedAt),
	}
}

func toSessionRow(s *account.Session) schema.Session {
	return schema.Session{
		ID:          s.ID,
		FamilyID:    s.FamilyID,
		UserID:      s.UserID,
		RefreshHash: clean(s.RefreshHash),
		CreatedAt:   micros(s.CreatedAt),
		ExpiresAt:   micros(s.ExpiresAt),
		ReplacedAt:  microsOf(s.ReplacedAt),
		RevokedAt:   microsOf(s.RevokedAt),
		Device:      clean(s.Device),
	}
}

func fromSessionRow(r *schema.Session) *account.Session {
	return &account.Session{
		ID:          r.ID,
		FamilyID:    r.FamilyID,
		UserID:      r.UserID,
		RefreshHash: r.RefreshHash,
		CreatedAt:   micros(r.CreatedAt),
		ExpiresAt:   micros(r.ExpiresAt),
		ReplacedAt:  microsOf(r.ReplacedAt),
		RevokedAt:   microsOf(r.RevokedAt),
		Device:      r.Device,
	}
}

// micros is the time as both databases keep it: UTC, cut to microseconds, which PostgreSQL would round.
func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func microsOf(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(micros(*t))
}

func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// storableTime refuses years that do not have four digits: as text they neither sort nor parse.
func storableTime(t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return fmt.Errorf("the year %d cannot be stored", y)
	}
	return nil
}

// storableDecimal refuses exponents no purchase has: 1e999999999 is eleven bytes here and a gigabyte as text.
func storableDecimal(d decimal.Decimal) error {
	const most = 40
	if d.Exponent() < -most || d.Exponent() > most || d.NumDigits() > 2*most {
		return fmt.Errorf("a number with exponent %d cannot be stored", d.Exponent())
	}
	return nil
}
