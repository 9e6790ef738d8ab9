package sefaz

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// layout is one way in which states show a note. A layout is told by the page itself, not by its state: states change theirs, and
// share them.
type layout interface {
	// matches says whether the page is of this layout.
	matches(root *html.Node) bool
	// read gives what the page states. It fails rather than leave out a line that it does not understand.
	read(root *html.Node, zone *time.Location) (*sheet, error)
	// lines is the part of the page that has the names of products, which are not searched for words.
	lines() selector
}

func layoutOf(root *html.Node) layout {
	for _, l := range []layout{common{}, danfe{}, accordion{}} {
		if l.matches(root) {
			return l
		}
	}
	return nil
}

// read finds out what a page says of the note that was asked for.
func read(p page, key fiscal.AccessKey, zone *time.Location) (invoice.Record, error) {
	root, err := parsePage(p)
	if err != nil {
		return unknown(nil, "not a page")
	}
	l := layoutOf(root)
	if l == nil {
		if outcome := outcomeOf(root); outcome != "" {
			return invoice.Record{Outcome: outcome}, nil
		}
		return unknown(root, "no known layout")
	}
	if cancelled(fold(text(root, l.lines()))) {
		return invoice.Record{Outcome: invoice.RecordCancelled}, nil
	}
	s, err := l.read(root, zone)
	if err != nil {
		return unknown(root, err.Error())
	}
	draft, err := s.finish(key)
	if err != nil {
		return unknown(root, err.Error())
	}
	return invoice.Record{Outcome: invoice.RecordFound, Draft: draft}, nil
}

// shapeError says that a page is not understood, by what it is built of. None of its words are in it.
type shapeError struct {
	hash     string
	elements int
	reason   string // of our own words
}

func (e *shapeError) Error() string { return "layout " + e.hash + ": " + e.reason }

func unknown(root *html.Node, reason string) (invoice.Record, error) {
	hash, elements := shape(root)
	return invoice.Record{Outcome: invoice.RecordUnknownLayout}, &shapeError{hash: hash, elements: elements, reason: reason}
}

// shape stands for how a page is built: which tags it has with which classes, and roughly how many of each, so that two notes of
// one layout are alike. Only the hash leaves.
func shape(root *html.Node) (hash string, elements int) {
	if root == nil {
		return "", 0
	}
	counts := map[string]int{}
	walk(root, func(n *html.Node) bool {
		if n.Type == html.ElementNode {
			elements++
			counts[n.Data+"."+strings.Join(strings.Fields(attribute(n, "class")), ".")]++
		}
		return true
	})
	var lines []string
	for name, n := range counts {
		size := "one"
		if n > 1 {
			size = "many"
		}
		lines = append(lines, name+" "+size)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	const enough = 6 // bytes
	return hex.EncodeToString(sum[:enough]), elements
}

// outcomeOf tells a page without a note by its words; "" when it says none of what is known.
func outcomeOf(root *html.Node) invoice.RecordOutcome {
	if hasCaptcha(root) {
		return invoice.RecordCaptcha
	}
	said := fold(text(root))
	for _, known := range []struct {
		outcome invoice.RecordOutcome
		words   []string
	}{
		{invoice.RecordCancelled, cancelWords()},
		{invoice.RecordCaptcha, []string{"captcha", "digite os caracteres", "nao sou um robo", "codigo da imagem"}},
		{invoice.RecordRefused, []string{
			"qr code invalido", "qrcode invalido", "qr-code invalido", "hash", "parametro invalido", "chave de acesso invalida",
			"codigo de seguranca invalido",
		}},
		{invoice.RecordNotYet, []string{
			"nao encontrad", "nao localizad", "nao consta", "inexistente", "nao existe", "ainda nao", "nao sincronizad", "nao foi autorizad",
			"nao disponivel para consulta", "aguarde a autorizacao",
		}},
		{invoice.RecordUnavailable, []string{
			"indisponivel", "em manutencao", "erro interno", "tente novamente", "tente mais tarde", "tempo esgotado", "sobrecarregad",
		}},
	} {
		if slices.ContainsFunc(known.words, func(w string) bool { return strings.Contains(said, w) }) {
			return known.outcome
		}
	}
	return ""
}

func cancelled(said string) bool {
	return slices.ContainsFunc(cancelWords(), func(w string) bool { return strings.Contains(said, w) })
}

func cancelWords() []string {
	return []string{
		"nfc-e cancelada", "nfce cancelada", "nf-e cancelada", "nota cancelada", "nota fiscal cancelada", "documento cancelado",
		"situacao: cancelada", "situacao atual: cancelada", "cancelamento homologado", "cancelamento de nf-e homologado",
	}
}

// hasCaptcha looks at what a page is built of: its words are pictures.
func hasCaptcha(root *html.Node) bool {
	named := func(n *html.Node) bool {
		for _, a := range []string{"id", "name", "class", "src"} {
			v := strings.ToLower(attribute(n, a))
			if strings.Contains(v, "captcha") || strings.Contains(v, "cf-turnstile") {
				return true
			}
		}
		return false
	}
	return first(root, tag(atom.Input, atom.Img, atom.Div, atom.Iframe).and(named)) != nil
}

// sheet is what a layout collects of a page.
type sheet struct {
	draft    invoice.Draft
	key      string        // as shown
	whole    *fiscal.Money // "Valor total", which is the products' or the amount due
	payments bool          // the heading of the payments was seen
}

// line takes a line at the foot of the note.
func (s *sheet) line(label, value string) error {
	kind := totalOf(label)
	if kind == lineCount {
		n, err := strconv.Atoi(fiscal.OnlyDigits(strings.TrimSuffix(strings.TrimSuffix(value, ".0000"), ",0000")))
		if err != nil {
			return errFigure
		}
		s.draft.PrintedItemCount = &n
		return nil
	}
	if strings.HasPrefix(fold(label), "forma") {
		s.payments = true
		return nil
	}
	if kind == lineTaxes || label == "" {
		return nil
	}
	if kind == lineOther && !s.payments {
		return nil // a line that no sum needs
	}
	m, err := amount(value)
	if err != nil {
		return fmt.Errorf("a total: %w", err)
	}
	t := &s.draft.Totals
	switch kind {
	case lineProducts:
		s.whole = &m
	case lineDiscount:
		t.Discount = m
	case lineSurcharge:
		t.Other = m
	case lineFreight:
		t.Freight = m
	case lineInsurance:
		t.Insurance = m
	case lineDue:
		t.Due = &m
	case linePaid:
		t.Paid = &m
	case lineChange:
		t.Change = m
	case lineOther:
		return s.payment(label, m)
	case lineCount, lineTaxes:
	}
	return nil
}

func (s *sheet) payment(label string, m fiscal.Money) error {
	if len(s.draft.Payments) >= maxPayments {
		return errors.New("too many payments")
	}
	s.draft.Payments = append(s.draft.Payments, invoice.Payment{Method: methodOf(label), Amount: m})
	return nil
}

func (s *sheet) item(it invoice.Item) error {
	if len(s.draft.Items) >= maxItems {
		return errors.New("too many items")
	}
	if it.Description = cut(it.Description, maxText); it.Description == "" {
		return errors.New("an item without a name")
	}
	it.Line, it.Unit, it.Code = len(s.draft.Items)+1, cut(it.Unit, maxUnit), cut(it.Code, maxText)
	const shortest = 12 // a shop's own number of eight digits is right as a bar code too often
	if len(it.Code) >= shortest && fiscal.ValidGTIN(it.Code) {
		it.GTIN = it.Code
	}
	s.draft.Items = append(s.draft.Items, it)
	return nil
}

// general takes what the page says of the note in sentences, consumer aside.
func (s *sheet) general(said string, zone *time.Location) {
	d := &s.draft
	if n, err := strconv.Atoi(match(patterns.number, said)); err == nil {
		d.Number = n
	}
	if n, err := strconv.Atoi(match(patterns.series, said)); err == nil {
		d.Series = &n
	}
	d.IssuedAt = moment(said, zone)
	d.Protocol = match(patterns.protocol, said)
	folded := fold(said)
	d.TestDocument = strings.Contains(folded, "ambiente de homologacao") || strings.Contains(folded, "sem valor fiscal")
}

// finish makes the draft of what was collected. It fails when it is not the note that was asked for, or no whole purchase.
func (s *sheet) finish(key fiscal.AccessKey) (*invoice.Draft, error) {
	d := &s.draft
	shown, err := fiscal.ParseAccessKey(s.key)
	if err != nil {
		return nil, errors.New("no access key")
	}
	if shown != key {
		return nil, errors.New("another note's access key")
	}
	d.AccessKey, d.Model, d.Issuer.State = string(key), key.Model(), key.State()
	s.settleTotals()
	if len(d.Items) == 0 || d.Totals.Due == nil {
		return nil, errors.New("no items or no amount due")
	}
	return d, nil
}

// settleTotals tells what "Valor total" is. Beside a "Valor a pagar" it is the products'; alone it is the amount due, unless what
// was paid says that the discount is still to come off.
func (s *sheet) settleTotals() {
	t := &s.draft.Totals
	if t.Due != nil || s.whole == nil {
		t.Products = s.whole
		return
	}
	paid := -t.Change
	for _, p := range s.draft.Payments {
		paid += p.Amount
	}
	extras := t.Other + t.Freight + t.Insurance
	if rest := *s.whole - t.Discount + extras; rest != *s.whole && paid == rest {
		t.Products, t.Due = s.whole, &rest
		return
	}
	t.Due = s.whole
}
