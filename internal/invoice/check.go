package invoice

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Check is one verdict of the ledger. Expected and Found are written for people, in pt-BR formats: what the rule demands and
// what the document says. Neither ever holds a CPF.
type Check struct {
	Name     CheckName
	Passed   bool
	Expected string
	Found    string
	// Difference is Found minus Expected where both are amounts. A check of all lines that passed has the largest one.
	Difference *fiscal.Money
	// Line is the item the check is about; 0 when it is about the whole note.
	Line int
}

// CheckName names a rule of the ledger.
type CheckName string

// The rules. "Rejeição" is the code with which the tax authority refuses a note that breaks the same rule: an authorised note
// keeps them all, so one that does not was misread, or is no note. Where a figure is not stated its rule is left out.
const (
	// CheckHasItems and CheckHasAmountDue always run: without them there is no purchase to speak of.
	CheckHasItems     CheckName = "HAS_ITEMS"
	CheckHasAmountDue CheckName = "HAS_AMOUNT_DUE"
	// CheckAmountSign: no amount or quantity is negative, which the official layout has no way to write. Per line.
	CheckAmountSign CheckName = "AMOUNT_SIGN"

	// CheckAccessKey: form and check digit (rejeição 236), and fields with legal values: state (614), year (615), month
	// (616), model (618), number (619).
	CheckAccessKey CheckName = "ACCESS_KEY"
	// The key's fields are the note's (rejeição 502). They are those of the printed key or, where it could not be read, of
	// the QR code's.
	CheckKeyIssuer CheckName = "KEY_ISSUER" // left out for a natural person, whose key has a CPF there
	CheckKeyModel  CheckName = "KEY_MODEL"
	CheckKeySeries CheckName = "KEY_SERIES"
	CheckKeyNumber CheckName = "KEY_NUMBER"
	CheckKeyDate   CheckName = "KEY_DATE" // year and month, in the date's own zone (rejeição 561)
	CheckKeyState  CheckName = "KEY_STATE"

	// CheckIssuerCNPJ: check digits (rejeição 207). The consumer's CPF has none left to check: it was masked when it was read.
	CheckIssuerCNPJ CheckName = "ISSUER_CNPJ"
	// CheckItemGTIN: check digit (rejeição 611). Per line.
	CheckItemGTIN CheckName = "ITEM_GTIN"

	// CheckItemTotal: quantity times unit price is the line's total (rejeição 629). Per line.
	CheckItemTotal CheckName = "ITEM_TOTAL"
	// CheckProductsTotal: the lines add up to the total of products (rejeição 564). Where that is not printed, it is what the
	// amount due leaves for it; CheckAmountDue, the same sum, is then left out.
	CheckProductsTotal CheckName = "PRODUCTS_TOTAL"
	// CheckDiscountTotal: the lines' discounts are not more than the note's. XML's add up to it (rejeição 537); paper has also
	// discounts of the whole purchase, which stand on no line. A line's discount that was missed shows in CheckAmountDue
	// when the note's was missed too.
	CheckDiscountTotal CheckName = "DISCOUNT_TOTAL"
	// CheckAmountDue: products - discount + freight + insurance + other + taxes is the amount due (rejeição 610).
	CheckAmountDue CheckName = "AMOUNT_DUE"
	// CheckPayments: payments - change is the amount due (rejeições 865, 866 and 869).
	CheckPayments CheckName = "PAYMENTS"
	// CheckItemCount: as many lines as the note says it has ("Qtde total de itens").
	CheckItemCount CheckName = "ITEM_COUNT"

	// What the QR code says is what is printed (rejeição 397), and it leads to the key's state (rejeição 395).
	CheckQRKey    CheckName = "QR_KEY"
	CheckQRAmount CheckName = "QR_AMOUNT"
	CheckQRDay    CheckName = "QR_DAY"
	CheckQRState  CheckName = "QR_STATE"

	// CheckIssueDate: not in the future (rejeição 703), nor before there were such notes.
	CheckIssueDate CheckName = "ISSUE_DATE"
	// CheckRealDocument: tpAmb is not 2, the authority's test environment.
	CheckRealDocument CheckName = "REAL_DOCUMENT"
	// CheckOfficialRecord: the state does not say that the shop cancelled the note. Left out where it says nothing.
	CheckOfficialRecord CheckName = "OFFICIAL_RECORD"
)

// Tolerance is how far real notes stray: a difference up to this is reported in Difference and passes.
const Tolerance fiscal.Money = 2

const (
	// dateSkew is how far ahead a note's date may be: tills' clocks are wrong, and paper states no zone.
	dateSkew = 24 * time.Hour
	// firstYear is the year of the first electronic note.
	firstYear = 2006
)

// CheckInput is what the ledger looks at.
type CheckInput struct {
	Draft *Draft     // nil is an empty one
	QR    *fiscal.QR // nil when there is no code, or it could not be read
	Now   time.Time  // the zero time leaves CheckIssueDate out
	// Former is the verdict of an earlier run over the same note. Where QR is no longer at hand, because the code's text is not
	// kept, what it said is taken from there: see recheck.go.
	Former []Check
	// Cancelled is the state's word that the shop took the note back.
	Cancelled bool
}

// RunChecks holds a draft against itself and its QR code. It changes nothing, needs nothing else, bears any draft, and always
// answers in the same order. A rule whose figures are not stated is not in the answer. A rule per line gives one failed Check
// for every line that breaks it, or one passed Check when none does.
func RunChecks(in CheckInput) []Check {
	l := ledger{draft: in.Draft, qr: in.QR, now: in.Now, cancelled: in.Cancelled}
	if l.draft == nil {
		l.draft = &Draft{}
	}
	if l.qr == nil {
		l.qr, l.former = &fiscal.QR{}, in.Former
	}
	l.checkPresence()
	l.checkSigns()
	l.checkAccessKey()
	l.checkKeyFields()
	l.checkIssuerCNPJ()
	l.checkGTINs()
	l.checkItemTotals()
	l.checkTotals()
	l.checkPayments()
	l.checkItemCount()
	l.checkQR()
	l.checkIssueDate()
	l.checkRealDocument()
	l.checkOfficialRecord()
	return l.checks
}

// AllPassed says whether no check failed. An empty list has passed nothing.
func AllPassed(checks []Check) bool {
	for _, c := range checks {
		if !c.Passed {
			return false
		}
	}
	return len(checks) > 0
}

// ledger is one run of the checks.
type ledger struct {
	draft     *Draft
	qr        *fiscal.QR // never nil; the zero QR says nothing
	now       time.Time
	cancelled bool
	former    []Check // of a run that had the code; nil when this one has it
	checks    []Check
}

func (l *ledger) add(name CheckName, passed bool, expected, found string) {
	l.checks = append(l.checks, Check{Name: name, Passed: passed, Expected: expected, Found: found})
}

// amount adds a check of two amounts that are to be equal but for the tolerance.
func (l *ledger) amount(name CheckName, expected, found fiscal.Money) {
	l.checks = append(l.checks, compare(name, expected, found))
}

func compare(name CheckName, expected, found fiscal.Money) Check {
	difference := found.Sub(expected)
	return Check{
		Name: name, Passed: difference.Abs() <= Tolerance,
		Expected: expected.String(), Found: found.String(), Difference: &difference,
	}
}

// lines adds what a rule says of each line it applies to: the failures or, when there are none, one success for all.
func (l *ledger) lines(name CheckName, verdicts []Check) {
	if len(verdicts) == 0 {
		return
	}
	all := Check{Name: name, Passed: true, Expected: itemCount(len(verdicts)), Found: itemCount(len(verdicts))}
	for _, c := range verdicts {
		if !c.Passed {
			l.checks = append(l.checks, c)
			all.Passed = false
		} else if c.Difference != nil && (all.Difference == nil || c.Difference.Abs() > all.Difference.Abs()) {
			all.Difference = c.Difference
		}
	}
	if all.Passed {
		l.checks = append(l.checks, all)
	}
}

func (l *ledger) checkPresence() {
	l.add(CheckHasItems, len(l.draft.Items) > 0, "ao menos 1 item", itemCount(len(l.draft.Items)))
	due := "não encontrado"
	if l.draft.Totals.Due != nil {
		due = l.draft.Totals.Due.String()
	}
	l.add(CheckHasAmountDue, l.draft.Totals.Due != nil, "valor a pagar", due)
}

func (l *ledger) checkSigns() {
	var verdicts []Check
	for i, item := range l.draft.Items {
		c := Check{Name: CheckAmountSign, Passed: true, Expected: "nenhum valor negativo", Line: l.draft.lineOf(i)}
		switch {
		case item.Total < 0:
			c.Passed, c.Found = false, "total "+item.Total.String()
		case item.Discount < 0:
			c.Passed, c.Found = false, "desconto "+item.Discount.String()
		case item.Quantity.IsNegative():
			c.Passed, c.Found = false, "quantidade negativa"
		case item.UnitPrice.IsNegative():
			c.Passed, c.Found = false, "preço unitário negativo"
		}
		verdicts = append(verdicts, c)
	}
	t := l.draft.Totals
	for _, m := range []struct {
		what   string
		amount *fiscal.Money
	}{
		{"total dos produtos", t.Products},
		{"desconto", &t.Discount},
		{"frete", &t.Freight},
		{"seguro", &t.Insurance},
		{"acréscimo", &t.Other},
		{"tributos", &t.Taxes},
		{"valor a pagar", t.Due},
		{"valor pago", t.Paid},
		{"troco", &t.Change},
	} {
		if m.amount != nil && *m.amount < 0 {
			verdicts = append(verdicts, Check{
				Name: CheckAmountSign, Expected: "nenhum valor negativo", Found: m.what + " " + m.amount.String(),
			})
		}
	}
	for _, p := range l.draft.Payments {
		if p.Amount < 0 {
			verdicts = append(verdicts, Check{
				Name: CheckAmountSign, Expected: "nenhum valor negativo", Found: "pagamento " + p.Amount.String(),
			})
		}
	}
	l.lines(CheckAmountSign, verdicts)
}

func (l *ledger) checkAccessKey() {
	if l.draft.AccessKey == "" {
		return
	}
	const right = "chave de 44 caracteres com dígito verificador correto"
	key, err := fiscal.ParseAccessKey(l.draft.AccessKey)
	if err != nil {
		l.add(CheckAccessKey, false, right, "chave com erro de leitura")
		return
	}
	fault := ""
	switch {
	case key.State() == "":
		fault = "código de UF " + key.StateCode()
	case key.Year() < firstYear:
		fault = "ano " + strconv.Itoa(key.Year())
	case key.Month() < 1 || key.Month() > 12:
		fault = "mês " + strconv.Itoa(key.Month())
	case key.Model() != 55 && key.Model() != 65:
		fault = "modelo " + strconv.Itoa(key.Model())
	case key.Number() == 0:
		fault = "número 0"
	}
	if fault != "" {
		l.add(CheckAccessKey, false, right, "chave com "+fault)
		return
	}
	l.add(CheckAccessKey, true, right, showKey(key))
}

// key is the printed access key or, where it could not be read, the QR code's; "" when there is neither.
func (l *ledger) key() fiscal.AccessKey {
	if key, err := fiscal.ParseAccessKey(l.draft.AccessKey); err == nil {
		return key
	}
	if l.qr.Key.Validate() == nil {
		return l.qr.Key
	}
	return ""
}

func (l *ledger) checkKeyFields() {
	key := l.key()
	if key == "" {
		l.recheckKeyFields()
		return
	}
	d := l.draft
	if cnpj := fiscal.NormalizeCNPJ(d.Issuer.CNPJ); cnpj != "" && !key.NaturalPerson() {
		l.add(CheckKeyIssuer, cnpj == key.CNPJ(), showCNPJ(key.CNPJ()), showCNPJ(cnpj))
	}
	if d.Model != 0 {
		l.add(CheckKeyModel, d.Model == key.Model(), strconv.Itoa(key.Model()), strconv.Itoa(d.Model))
	}
	if d.Series != nil {
		l.add(CheckKeySeries, *d.Series == key.Series(), strconv.Itoa(key.Series()), strconv.Itoa(*d.Series))
	}
	if d.Number != 0 {
		l.add(CheckKeyNumber, d.Number == key.Number(), strconv.Itoa(key.Number()), strconv.Itoa(d.Number))
	}
	if d.IssuedAt != nil {
		agrees := onSomeFace(*d.IssuedAt, func(t time.Time) bool { return t.Year() == key.Year() && int(t.Month()) == key.Month() })
		l.add(CheckKeyDate, agrees, fmt.Sprintf("%02d/%d", key.Month(), key.Year()), face(*d.IssuedAt).Format("01/2006"))
	}
	if state := strings.ToUpper(strings.TrimSpace(d.Issuer.State)); state != "" && key.State() != "" {
		l.add(CheckKeyState, state == key.State(), key.State(), showState(state))
	}
}

func (l *ledger) checkIssuerCNPJ() {
	if l.draft.Issuer.CNPJ == "" {
		return
	}
	cnpj := fiscal.NormalizeCNPJ(l.draft.Issuer.CNPJ)
	l.add(CheckIssuerCNPJ, fiscal.ValidCNPJ(cnpj), "CNPJ com dígitos verificadores corretos", showCNPJ(cnpj))
}

func (l *ledger) checkGTINs() {
	var verdicts []Check
	for i, item := range l.draft.Items {
		if strings.Trim(item.GTIN, "0") == "" { // zeros are some shops' "SEM GTIN"
			continue
		}
		verdicts = append(verdicts, Check{
			Name: CheckItemGTIN, Passed: fiscal.ValidGTIN(item.GTIN), Line: l.draft.lineOf(i),
			Expected: "código de barras com dígito verificador correto", Found: showGTIN(item.GTIN),
		})
	}
	l.lines(CheckItemGTIN, verdicts)
}

func (l *ledger) checkItemTotals() {
	var verdicts []Check
	for i, item := range l.draft.Items {
		if item.Quantity.IsZero() || item.UnitPrice.IsZero() {
			continue
		}
		var c Check
		if expected, err := fiscal.LineTotal(item.Quantity, item.UnitPrice); err != nil {
			c = Check{Name: CheckItemTotal, Expected: "quantidade × preço unitário fora da faixa", Found: item.Total.String()}
		} else {
			c = compare(CheckItemTotal, expected, item.Total)
		}
		c.Line = l.draft.lineOf(i)
		verdicts = append(verdicts, c)
	}
	l.lines(CheckItemTotal, verdicts)
}

func (l *ledger) checkTotals() {
	var products, discounts fiscal.Money
	for _, item := range l.draft.Items {
		if !item.NotInTotal {
			products, discounts = products.Add(item.Total), discounts.Add(item.Discount)
		}
	}
	t := l.draft.Totals
	discount := t.Discount
	if discount == 0 {
		discount = discounts // the note may state its discounts line by line alone
	}
	extras := t.Freight.Add(t.Insurance).Add(t.Other).Add(t.Taxes)

	if len(l.draft.Items) > 0 {
		switch {
		case t.Products != nil:
			l.amount(CheckProductsTotal, products, *t.Products)
		case t.Due != nil:
			l.amount(CheckProductsTotal, products, t.Due.Add(discount).Sub(extras))
		}
	}
	if t.Discount != 0 && discounts != 0 {
		c := compare(CheckDiscountTotal, discounts, t.Discount)
		c.Passed = *c.Difference >= -Tolerance
		l.checks = append(l.checks, c)
	}
	if t.Products != nil && t.Due != nil {
		l.amount(CheckAmountDue, t.Products.Sub(discount).Add(extras), *t.Due)
	}
}

func (l *ledger) checkPayments() {
	t := l.draft.Totals
	var paid fiscal.Money
	for _, p := range l.draft.Payments {
		if p.Method != PaymentNone { // 90: nothing changes hands
			paid = paid.Add(p.Amount)
		}
	}
	if paid == 0 && t.Paid != nil { // no payment is listed, or none with its amount
		paid = *t.Paid
	} else if paid == 0 {
		return
	}
	if t.Due != nil {
		l.amount(CheckPayments, *t.Due, paid.Sub(t.Change))
	}
}

func (l *ledger) checkItemCount() {
	if printed := l.draft.PrintedItemCount; printed != nil {
		l.add(CheckItemCount, *printed == len(l.draft.Items), itemCount(*printed), itemCount(len(l.draft.Items)))
	}
}

func (l *ledger) checkQR() {
	d, qr := l.draft, l.qr
	if d.AccessKey != "" && qr.Key.Validate() == nil {
		found := "chave com erro de leitura"
		printed, err := fiscal.ParseAccessKey(d.AccessKey)
		if err == nil {
			found = showKey(printed)
		}
		l.add(CheckQRKey, printed == qr.Key, showKey(qr.Key), found)
	}
	if qr.Amount != nil && d.Totals.Due != nil {
		l.amount(CheckQRAmount, *qr.Amount, *d.Totals.Due)
	}
	if qr.Day != 0 && d.IssuedAt != nil {
		agrees := onSomeFace(*d.IssuedAt, func(t time.Time) bool { return t.Day() == qr.Day })
		l.add(CheckQRDay, agrees, fmt.Sprintf("dia %d", qr.Day), face(*d.IssuedAt).Format("02/01/2006"))
	}
	if state := l.key().State(); qr.Host != "" && state != "" {
		found := "endereço que não é de nenhum estado"
		if qr.State != "" {
			found = showState(qr.State)
		}
		l.add(CheckQRState, qr.State == state, state, found)
	}
	l.recheckQR()
}

func (l *ledger) checkIssueDate() {
	at := l.draft.IssuedAt
	if at == nil || l.now.IsZero() {
		return
	}
	const day = "02/01/2006"
	shown := face(*at)
	if shown.Year() < firstYear {
		l.add(CheckIssueDate, false, "a partir de "+strconv.Itoa(firstYear), shown.Format(day))
		return
	}
	l.add(CheckIssueDate, !at.After(l.now.Add(dateSkew)), "até "+l.now.In(shown.Location()).Format(day), shown.Format(day))
}

// checkRealDocument takes a note with a key or a QR code for one that states its environment: paper of the test environment
// has to say "SEM VALOR FISCAL", and the code has tpAmb.
func (l *ledger) checkRealDocument() {
	was := l.was(CheckRealDocument)
	test := l.draft.TestDocument || l.qr.Test || was != nil && !was.Passed
	if !test && was == nil && l.key() == "" {
		return
	}
	found := "documento fiscal"
	if test {
		found = "documento de teste, sem valor fiscal"
	}
	l.add(CheckRealDocument, !test, "documento fiscal", found)
}

// checkOfficialRecord keeps what the state said through corrections: they do not change it.
func (l *ledger) checkOfficialRecord() {
	if l.cancelled {
		l.add(CheckOfficialRecord, false, "nota válida na SEFAZ", "nota cancelada pela loja")
	} else if was := l.was(CheckOfficialRecord); was != nil {
		l.checks = append(l.checks, *was)
	}
}

// onSomeFace says whether what is asked holds of a moment as its own zone shows it. A moment in UTC, where no Brazilian shop
// is, has lost its zone on the way (in a database, say) or never had one: it holds if it does on any clock of the country.
func onSomeFace(at time.Time, holds func(time.Time) bool) bool {
	if holds(at) {
		return true
	}
	if _, offset := at.Zone(); offset != 0 {
		return false
	}
	const hour = 60 * 60
	for offset := -5 * hour; offset <= -2*hour; offset += hour {
		if holds(at.In(time.FixedZone("", offset))) {
			return true
		}
	}
	return false
}

// face is a moment as a paper shows it: in its own zone, and in Brasília's where that was lost, as onSomeFace says.
func face(at time.Time) time.Time {
	if _, offset := at.Zone(); offset != 0 {
		return at
	}
	return at.In(brasilia())
}

func brasilia() *time.Location { return time.FixedZone("-03", -3*60*60) }

func itemCount(n int) string {
	if n == 1 || n == -1 {
		return strconv.Itoa(n) + " item"
	}
	return strconv.Itoa(n) + " itens"
}

// The show functions put into words what came from outside: only text of the form it should have is repeated, so that no CPF
// that stands in the wrong place comes through.

func showKey(key fiscal.AccessKey) string {
	if key.NaturalPerson() {
		return string(key[:6]) + " (CPF do emitente) " + string(key[20:])
	}
	return key.Grouped()
}

// showCNPJ is for text that NormalizeCNPJ went over: "CPF52998224725" is fourteen characters too.
func showCNPJ(cnpj string) string {
	if len(cnpj) != 14 || !fiscal.ValidCNPJ(cnpj) && (strings.HasPrefix(cnpj, "000") || fiscal.ValidCPF(cnpj[3:])) {
		return "CNPJ com erro de leitura"
	}
	return fiscal.FormatCNPJ(cnpj)
}

func showState(state string) string {
	if len(state) != 2 || strings.Trim(state, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "UF com erro de leitura"
	}
	return state
}

// showGTIN leaves out what may be a CPF, a misread one and one filled up with zeros too.
func showGTIN(gtin string) string {
	const longest, lengthOfCPF = 14, 11
	significant := strings.TrimLeft(gtin, "0")
	if len(gtin) > longest || fiscal.OnlyDigits(gtin) != gtin || len(gtin) == lengthOfCPF ||
		len(gtin) > lengthOfCPF && len(significant) <= lengthOfCPF {
		return "código com erro de leitura"
	}
	return gtin
}
