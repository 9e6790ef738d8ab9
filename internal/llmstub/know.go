package llmstub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Know makes the stub read these receipts as the first of receipts.Styles prints them.
func (s *Stub) Know(rs ...receipts.Receipt) { s.KnowPaper(receipts.Styles()[0], rs...) }

// KnowPaper makes the stub read these receipts as a style prints them. A receipt that is known already is known anew.
func (s *Stub) KnowPaper(style receipts.Style, rs ...receipts.Receipt) {
	for _, r := range rs {
		read := fromTruth(r.PaperTruth(style))
		draft := r.PaperDraft(style)
		read.Protocol, read.ConsumerCPF, read.Test = draft.Protocol, draft.ConsumerCPF, draft.TestDocument
		s.learn(read)
	}
}

// KnowTruth makes the stub reply with these truths, for instance those of files.
func (s *Stub) KnowTruth(truths ...receipts.Truth) {
	for _, t := range truths {
		s.learn(fromTruth(t))
	}
}

// KnowPicture tells which receipt is on a picture that has no readable QR code. Copies of it that were scaled and encoded anew
// are recognised too. The receipt itself must be known.
func (s *Stub) KnowPicture(ctx context.Context, picture []byte, key fiscal.AccessKey) error {
	look, err := s.fingerprint(ctx, picture)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pictures = append(s.pictures, pictured{look, string(key)})
	return nil
}

// KnowWord tells which word is on a picture, for TaskProbe.
func (s *Stub) KnowWord(ctx context.Context, word string, picture []byte) error {
	look, err := s.fingerprint(ctx, picture)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words[hash(picture)] = word
	s.wordPictures = append(s.wordPictures, pictured{look, word})
	return nil
}

// KnowFolder reads each NAME.truth.json of a folder, as the receipts command writes them, and returns their number. Where a
// receipt has several truths, that of its paper wins over that of its XML: a model sees paper.
func (s *Stub) KnowFolder(dir string) (int, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.truth.json"))
	if err != nil {
		return 0, fmt.Errorf("list truths: %w", err)
	}
	if len(names) == 0 {
		return 0, errors.New("no *.truth.json in the folder of receipts")
	}
	isXML := func(name string) bool { return strings.HasSuffix(name, ".xml.truth.json") }
	sort.SliceStable(names, func(i, j int) bool { return isXML(names[i]) && !isXML(names[j]) })
	for _, name := range names {
		data, err := os.ReadFile(name) //nolint:gosec // G304: the operator's own folder
		if err != nil {
			return 0, fmt.Errorf("read truth: %w", err)
		}
		var t receipts.Truth
		if err := json.Unmarshal(data, &t); err != nil {
			return 0, fmt.Errorf("read truth %s: %w", filepath.Base(name), err)
		}
		s.KnowTruth(t)
	}
	return len(names), nil
}

// Reading is the text of a reply that shows a known receipt whole, for an Options.Reply that has ways of its own to recognise it.
func (s *Stub) Reading(key fiscal.AccessKey) (text string, known bool) {
	r, known := s.receipt(string(key))
	return encode(r), known
}

func (s *Stub) learn(r sdk.Receipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts[r.AccessKey] = r
}

func fromTruth(t receipts.Truth) sdk.Receipt {
	r := sdk.Receipt{
		AccessKey: t.AccessKey, Number: strconv.Itoa(t.Number), Series: strconv.Itoa(t.Series),
		IssuerName: t.Issuer.Name, IssuerCNPJ: t.Issuer.CNPJ, ItemCount: strconv.Itoa(t.ItemCount),
		Items: []sdk.ReceiptItem{}, Payments: []sdk.ReceiptPayment{},
		Products: t.Totals.Products.Decimal().StringFixed(2), Due: t.Totals.Due.Decimal().StringFixed(2),
		Discount: printed(t.Totals.Discount), Freight: printed(t.Totals.Freight), Other: printed(t.Totals.Other),
		Change: printed(t.Totals.Change),
	}
	if at, err := time.Parse(time.RFC3339, t.IssuedAt); err == nil {
		r.IssuedAt = at.Format("2006-01-02T15:04:05")
	}
	for _, it := range t.Items {
		r.Items = append(r.Items, sdk.ReceiptItem{
			Description: it.Description, Code: it.Code, GTIN: it.GTIN, Quantity: it.Quantity, Unit: it.Unit,
			UnitPrice: it.UnitPrice, Total: it.Total.Decimal().StringFixed(2), Discount: printed(it.Discount),
		})
	}
	for _, p := range t.Payments {
		r.Payments = append(r.Payments, sdk.ReceiptPayment{Method: string(p.Method), Amount: p.Amount.Decimal().StringFixed(2)})
	}
	return r
}

// printed is an amount that paper leaves out when there is none.
func printed(m fiscal.Money) string {
	if m == 0 {
		return ""
	}
	return m.Decimal().StringFixed(2)
}
