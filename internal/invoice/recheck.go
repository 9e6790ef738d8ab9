package invoice

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// The text of a QR code may hold a CPF and is gone once the note was read. What the code said is still in the verdicts of that
// run, in Expected; so a correction is held against the code too, and a rule that failed does not go away by itself. What is
// cleared cannot be judged: its rule is left out, and what the code said of it is forgotten.

// was is the former verdict of a rule about the whole note, nil when there was none.
func (l *ledger) was(name CheckName) *Check {
	for i := range l.former {
		if l.former[i].Name == name {
			return &l.former[i]
		}
	}
	return nil
}

// rejudge holds what is stated now against what the code said, both in the words of the check. What has not changed keeps its
// verdict.
func (l *ledger) rejudge(name CheckName, found string) {
	l.rejudgeBy(name, found, func(expected string) bool { return expected == found })
}

func (l *ledger) rejudgeBy(name CheckName, found string, holds func(expected string) bool) {
	c := l.was(name)
	switch {
	case c == nil:
	case c.Found == found:
		l.checks = append(l.checks, *c)
	default:
		l.add(name, holds(c.Expected), c.Expected, found)
	}
}

// recheckKeyFields is checkKeyFields for a note whose key could be read from its code alone. A key that was printed, and was
// taken away by a correction, is not asked any more.
func (l *ledger) recheckKeyFields() {
	if l.was(CheckAccessKey) != nil {
		return
	}
	d := l.draft
	if cnpj := fiscal.NormalizeCNPJ(d.Issuer.CNPJ); cnpj != "" {
		l.rejudge(CheckKeyIssuer, showCNPJ(cnpj))
	}
	if d.Model != 0 {
		l.rejudge(CheckKeyModel, strconv.Itoa(d.Model))
	}
	if d.Series != nil {
		l.rejudge(CheckKeySeries, strconv.Itoa(*d.Series))
	}
	if d.Number != 0 {
		l.rejudge(CheckKeyNumber, strconv.Itoa(d.Number))
	}
	if d.IssuedAt != nil {
		const month = "01/2006"
		l.rejudgeBy(CheckKeyDate, face(*d.IssuedAt).Format(month), func(expected string) bool {
			return onSomeFace(*d.IssuedAt, func(t time.Time) bool { return t.Format(month) == expected })
		})
	}
	if state := strings.ToUpper(strings.TrimSpace(d.Issuer.State)); state != "" {
		l.rejudge(CheckKeyState, showState(state))
	}
}

// recheckQR is checkQR from the former verdicts.
func (l *ledger) recheckQR() {
	d, key := l.draft, l.key()
	if key != "" {
		l.rejudge(CheckQRKey, showKey(key))
	}
	if c := l.was(CheckQRAmount); c != nil && d.Totals.Due != nil {
		if amount, err := fiscal.ParseMoney(c.Expected); err == nil {
			l.amount(CheckQRAmount, amount, *d.Totals.Due)
		}
	}
	if d.IssuedAt != nil {
		l.rejudgeBy(CheckQRDay, face(*d.IssuedAt).Format("02/01/2006"), func(expected string) bool {
			return onSomeFace(*d.IssuedAt, func(t time.Time) bool { return fmt.Sprintf("dia %d", t.Day()) == expected })
		})
	}
	switch c := l.was(CheckQRState); {
	case c == nil:
	case key.State() != "": // here Found is the code's
		l.add(CheckQRState, c.Found == key.State(), key.State(), c.Found)
	case key == "" && l.was(CheckAccessKey) == nil:
		l.checks = append(l.checks, *c)
	}
}
