package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// What an XML may be made of. A note has at most 990 items and 10 levels; its longest field that is read is the QR code.
const (
	maxXMLDepth = 32
	maxXMLItems = 2000
	maxXMLField = 1000 // bytes
)

// errXML says that a file is XML, but nothing that a purchase can be read from.
func errXML(cause error) error {
	return badInput("Este XML não é de uma NF-e ou NFC-e válida: envie o XML da nota como a loja o entregou.", cause)
}

// readXML reads an NF-e or NFC-e, bare or in its nfeProc, whatever the namespace prefix. The purchase it gives is whole. qr is
// what infNFeSupl says, nil when it says nothing that can be read.
func readXML(data []byte) (draft *invoice.Draft, qr *fiscal.QR, err error) {
	if len(data) > maxXMLBytes {
		return nil, nil, tooLarge("O XML é grande demais: o limite é de 8 MB.")
	}
	if data, err = xmlText(data); err != nil {
		return nil, nil, errXML(err)
	}
	r := xmlReader{amounts: make(map[string]fiscal.Money)}
	if err = r.read(data); err != nil {
		if _, refused := errors.AsType[*invoice.Error](err); refused {
			return nil, nil, err
		}
		return nil, nil, errXML(err)
	}
	if !r.found || len(r.draft.Items) == 0 {
		return nil, nil, errXML(errors.New("no infNFe with items"))
	}
	if err = r.finish(); err != nil {
		return nil, nil, errXML(err)
	}
	return &r.draft, r.qr(), nil
}

// xmlText is data as UTF-8 without a byte order mark. The declared encoding is not believed: files that declare UTF-8 and
// hold ISO-8859-1, or the reverse, are common, and text that is valid UTF-8 is never anything else. Windows-1252 holds
// all of ISO-8859-1's letters.
func xmlText(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return data, nil
	}
	data, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return nil, fmt.Errorf("decode windows-1252: %w", err)
	}
	return data, nil
}

// xmlReader walks the tokens once and keeps what a purchase needs.
type xmlReader struct {
	draft   invoice.Draft
	found   bool                    // an infNFe was seen
	amounts map[string]fiscal.Money // of total, by path
	added   fiscal.Money            // taxes that single items add to the price
	qrText  string                  // may hold the consumer's CPF: never kept

	path []string // local names of the open elements, below infNFe when in it
	in   bool     // inside infNFe
	text strings.Builder
	leaf bool // no child was seen since the last start

	item    invoice.Item
	exempt  itemExemption
	payment struct{ method, amount string }
	issued  string // dhEmi, or dEmi of old layouts
	trade   string // xFant

	exemptFlagged bool // some item says whether its exemption is deducted
}

// itemExemption collects taxes whose effect on the price is told by a flag that comes before or after them.
type itemExemption struct {
	icms       fiscal.Money // vICMSDeson
	deducted   bool         // indDeduzDeson = 1
	pisST      fiscal.Money
	pisAdds    bool // indSomaPISST = 1
	cofinsST   fiscal.Money
	cofinsAdds bool // indSomaCOFINSST = 1
}

func (r *xmlReader) read(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = declaredCharset
	roots := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read xml: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive: // a document type: entities come with it, and no note has one
			return errors.New("read xml: a document type is declared")
		case xml.StartElement:
			if len(r.path) == 0 {
				if roots++; roots > 1 {
					return errors.New("read xml: more than one root")
				}
			}
			if err := r.start(t); err != nil {
				return err
			}
		case xml.CharData:
			if r.leaf && len(r.path) > 0 {
				r.text.Write(t)
			}
		case xml.EndElement:
			if err := r.end(); err != nil {
				return err
			}
		}
	}
}

// declaredCharset lets the decoder go on: xmlText has made UTF-8 of the bytes already. Encodings that xmlText cannot tell are
// refused.
func declaredCharset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf8", "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252", "us-ascii", "ascii", "iso-8859-15":
		return input, nil
	}
	return nil, errors.New("encoding is not one that notes use")
}

func (r *xmlReader) start(t xml.StartElement) error {
	if len(r.path) >= maxXMLDepth {
		return errors.New("read xml: too deep")
	}
	name := t.Name.Local
	if name == "infNFe" && !r.in {
		if r.found {
			return badInput("O arquivo tem mais de uma nota: envie uma por vez.", nil)
		}
		r.found, r.in = true, true
		for _, a := range t.Attr {
			if key, err := fiscal.ParseAccessKey(a.Value); a.Name.Local == "Id" && err == nil {
				r.draft.AccessKey = string(key)
			}
		}
	}
	r.path = append(r.path, name)
	r.text.Reset()
	r.leaf = true
	if r.in && name == "det" {
		if len(r.draft.Items) >= maxXMLItems {
			return tooLarge("A nota tem itens demais: o limite é de 2.000.")
		}
		r.item = invoice.Item{Line: len(r.draft.Items) + 1}
		r.exempt = itemExemption{}
	}
	return nil
}

func (r *xmlReader) end() error {
	name := r.path[len(r.path)-1]
	if r.leaf {
		if err := r.field(name, strings.TrimSpace(r.text.String())); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	r.leaf = false
	r.path = r.path[:len(r.path)-1]
	if !r.in {
		return nil
	}
	switch name {
	case "infNFe":
		r.in = false
	case "det":
		r.endItem()
	case "detPag", "pag": // layouts before 4.00 have the fields in pag itself
		return r.endPayment()
	}
	return nil
}

func (r *xmlReader) endItem() {
	r.draft.Items = append(r.draft.Items, r.item)
	if r.exempt.deducted {
		r.added -= r.exempt.icms
	}
	if r.exempt.pisAdds {
		r.added += r.exempt.pisST
	}
	if r.exempt.cofinsAdds {
		r.added += r.exempt.cofinsST
	}
}

func (r *xmlReader) endPayment() error {
	p := r.payment
	r.payment.method, r.payment.amount = "", ""
	if p.method == "" && p.amount == "" {
		return nil
	}
	amount, err := money(p.amount)
	if err != nil {
		return fmt.Errorf("read vPag: %w", err)
	}
	r.draft.Payments = append(r.draft.Payments, invoice.Payment{
		Method: invoice.PaymentMethodOfCode(p.method), Amount: amount,
	})
	return nil
}

// parents are the names of the open elements above the one that ends, from below infNFe on, joined by slashes.
func (r *xmlReader) parents() string {
	above := r.path[:len(r.path)-1]
	for i, name := range above {
		if name == "infNFe" {
			return strings.Join(above[i+1:], "/")
		}
	}
	return ""
}

// field takes the text of an element without children.
func (r *xmlReader) field(name, text string) error {
	if !r.in {
		return r.outerField(name, text)
	}
	parents := r.parents()
	if err := bounded(text, parents); err != nil {
		return err
	}
	switch {
	case parents == "ide":
		return r.headField(name, text)
	case parents == "emit" || parents == "emit/enderEmit":
		r.issuerField(name, text)
	case parents == "dest" && name == "CPF":
		r.draft.ConsumerCPF = fiscal.MaskCPF(text)
	case parents == "det/prod":
		return r.productField(name, text)
	case strings.HasPrefix(parents, "det/imposto/"):
		return r.taxField(name, text)
	case strings.HasPrefix(parents, "total"):
		return r.totalField(strings.TrimPrefix(parents+"/"+name, "total/"), name, text)
	case parents == "pag/detPag" || parents == "pag":
		return r.paymentField(name, text)
	}
	return nil
}

// bounded refuses a field that no note has, where it would be kept. What is free text is not kept and may be long.
func bounded(text, parents string) error {
	if len(text) > maxXMLField && (parents != "infAdic" && parents != "det") {
		return errors.New("field is too long")
	}
	return nil
}

func (r *xmlReader) outerField(name, text string) error {
	if len(r.path) < 2 {
		return nil
	}
	switch parent := r.path[len(r.path)-2]; {
	case parent == "infNFeSupl" && name == "qrCode" && len(text) <= maxXMLField:
		r.qrText = text
	case parent == "infProt" && name == "nProt" && len(text) <= 20 && r.draft.Protocol == "":
		r.draft.Protocol = text
	}
	return nil
}

func (r *xmlReader) headField(name, text string) error {
	var err error
	switch name {
	case "mod":
		r.draft.Model, err = number(text)
	case "serie":
		var n int
		if n, err = number(text); err == nil {
			r.draft.Series = &n
		}
	case "nNF":
		r.draft.Number, err = number(text)
	case "tpAmb":
		r.draft.TestDocument = text == "2"
	case "dhEmi", "dEmi":
		r.issued = text
	}
	return err
}

func (r *xmlReader) issuerField(name, text string) {
	switch name {
	case "CNPJ":
		if cnpj := fiscal.NormalizeCNPJ(text); len(cnpj) == 14 {
			r.draft.Issuer.CNPJ = cnpj
		}
	case "xNome":
		r.draft.Issuer.Name = fiscal.MaskCPFs(oneLine(text)) // a sole trader's legal name may end in a CPF
	case "xFant":
		r.trade = fiscal.MaskCPFs(oneLine(text))
	case "UF":
		if len(text) == 2 {
			r.draft.Issuer.State = strings.ToUpper(text)
		}
	}
}

func (r *xmlReader) productField(name, text string) error {
	var err error
	switch name {
	case "cProd":
		r.item.Code = oneLine(text)
	case "cEAN":
		if digits := fiscal.OnlyDigits(text); digits == text {
			r.item.GTIN = digits
		}
	case "xProd":
		r.item.Description = fiscal.MaskCPFs(oneLine(text))
	case "uCom":
		r.item.Unit = oneLine(text)
	case "qCom":
		r.item.Quantity, err = positive(text)
	case "vUnCom":
		r.item.UnitPrice, err = positive(text)
	case "vProd":
		r.item.Total, err = money(text)
	case "vDesc":
		r.item.Discount, err = money(text)
	case "indTot":
		r.item.NotInTotal = text == "0"
	}
	return err
}

func (r *xmlReader) taxField(name, text string) error {
	var err error
	group := r.path[2+r.depthOfNote()]
	switch {
	case group == "ICMS" && name == "vICMSDeson":
		r.exempt.icms, err = money(text)
	case group == "ICMS" && name == "indDeduzDeson":
		r.exempt.deducted, r.exemptFlagged = text == "1", true
	case group == "PISST" && name == "vPIS":
		r.exempt.pisST, err = money(text)
	case group == "PISST" && name == "indSomaPISST":
		r.exempt.pisAdds = text == "1"
	case group == "COFINSST" && name == "vCOFINS":
		r.exempt.cofinsST, err = money(text)
	case group == "COFINSST" && name == "indSomaCOFINSST":
		r.exempt.cofinsAdds = text == "1"
	}
	return err
}

// depthOfNote is how many open elements there are down to infNFe, itself included.
func (r *xmlReader) depthOfNote() int {
	for i, name := range r.path {
		if name == "infNFe" {
			return i + 1
		}
	}
	return 0
}

// totalField keeps the amounts of total, whatever their group. Other fields, such as dates, are left alone.
func (r *xmlReader) totalField(path, name, text string) error {
	if !strings.HasPrefix(name, "v") {
		return nil
	}
	amount, err := money(text)
	if err != nil {
		return err
	}
	if _, twice := r.amounts[path]; twice {
		return errors.New("stated twice")
	}
	r.amounts[path] = amount
	return nil
}

func (r *xmlReader) paymentField(name, text string) error {
	switch name {
	case "tPag":
		r.payment.method = text
	case "vPag":
		r.payment.amount = text
	case "vTroco":
		change, err := money(text)
		if err != nil {
			return err
		}
		r.draft.Totals.Change = change
	}
	return nil
}

// finish sets what depends on more than one field.
func (r *xmlReader) finish() error {
	d := &r.draft
	if d.Issuer.Name == "" {
		d.Issuer.Name = r.trade
	}
	d.IssuedAt = xmlTime(r.issued)

	due, ok := r.amounts["ICMSTot/vNF"]
	if !ok {
		return errors.New("no vNF")
	}
	products := r.amounts["ICMSTot/vProd"]
	t := &d.Totals
	t.Products = &products
	t.Discount = r.amounts["ICMSTot/vDesc"]
	t.Freight = r.amounts["ICMSTot/vFrete"]
	t.Insurance = r.amounts["ICMSTot/vSeg"]
	t.Other = r.amounts["ICMSTot/vOutro"]
	t.Taxes = r.taxes(products-t.Discount+t.Freight+t.Insurance+t.Other, due)

	// The reform's own total adds IBS, CBS and IS. It is the amount due only where it is what was paid: through the
	// transition it is informative.
	if whole, ok := r.amounts["vNFTot"]; ok && whole != due && r.paid() == whole {
		t.Taxes += whole - due
		due = whole
	}
	t.Due = &due
	return nil
}

// taxes are what rejeição 610 adds to net, the price before them, to give the amount due.
func (r *xmlReader) taxes(net, due fiscal.Money) fiscal.Money {
	sum := r.added
	for _, name := range []string{"vST", "vFCPST", "vII", "vIPI", "vIPIDevol"} {
		sum += r.amounts["ICMSTot/"+name]
	}
	sum += r.amounts["ISSQNtot/vServ"]

	// Two amounts count in some notes and not in others, by the date and the state: they do where they close the sum.
	var exempt fiscal.Money
	if !r.exemptFlagged {
		exempt = r.amounts["ICMSTot/vICMSDeson"]
	}
	singlePhase := r.amounts["ICMSTot/vICMSMonoReten"]
	for _, extra := range []fiscal.Money{0, -exempt, singlePhase, singlePhase - exempt} {
		if net+sum+extra == due {
			return sum + extra
		}
	}
	return sum
}

func (r *xmlReader) paid() fiscal.Money {
	sum := -r.draft.Totals.Change
	for _, p := range r.draft.Payments {
		sum += p.Amount
	}
	return sum
}

func (r *xmlReader) qr() *fiscal.QR {
	if r.qrText == "" {
		return nil
	}
	return parseQR(r.qrText)
}

// xmlTime reads dhEmi, or dEmi of layouts before 3.10, which has no hour: midnight in Brasília then.
func xmlTime(s string) *time.Time {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return &t
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.FixedZone("-03", -3*60*60)); err == nil {
		return &t
	}
	return nil
}

func number(s string) (int, error) {
	if len(s) > 9 || s == "" || fiscal.OnlyDigits(s) != s {
		return 0, errors.New("not a whole number")
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, errors.New("not a whole number")
	}
	return n, nil
}

// oneLine drops line breaks and doubled blanks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
