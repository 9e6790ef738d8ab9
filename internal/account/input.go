package account

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Limits of what users type. Lengths of texts are in characters (runes), but for the e-mail's, which are bytes.
const (
	minPassword  = 8
	maxPassword  = 128
	maxEmail     = 254 // RFC 5321's path without its brackets
	maxName      = 100
	maxAdults    = 20
	maxChildren  = 20
	maxIncome    = fiscal.Money(10_000_000_00)
	maxProvider  = 32
	maxConsents  = 32
	emailMessage = "Informe um e-mail válido."

	passwordMessage = "A senha deve ter de 8 a 128 caracteres." //nolint:gosec // G101: it is about passwords
)

// normalEmail is the one spelling under which an address is kept. Only ASCII is taken: two spellings of an internationalised
// address would be two accounts.
func normalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, r := range s {
		if r <= ' ' || r >= utf8.RuneSelf {
			return "", badInput("email", emailMessage)
		}
	}
	if len(s) > maxEmail {
		return "", badInput("email", emailMessage)
	}
	// ParseAddress also takes display names, comments and quoted forms: what it read must be all there was.
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Name != "" || addr.Address != s || strings.HasSuffix(s, "]") {
		return "", badInput("email", emailMessage)
	}
	return s, nil
}

// normalPassword is the NFKC form, so that one password typed on two keyboards is one password. Nothing is trimmed, and any
// character counts. ok is false when its length is not allowed.
func normalPassword(s string) (normal string, ok bool) {
	// Counted before normalising too, which may take eighteen times the room.
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxPassword {
		return "", false
	}
	normal = norm.NFKC.String(s)
	n := utf8.RuneCountInString(normal)
	return normal, n >= minPassword && n <= maxPassword
}

func normalName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n == 0 || n > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", badInput("name", "Informe um nome de até 100 caracteres.")
	}
	return s, nil
}

// HouseholdInput changes what is known of a family. A nil field leaves things as they are.
type HouseholdInput struct {
	Income       *fiscal.Money // monthly
	ForgetIncome bool          // Income becomes unknown again; wins over Income
	Adults       *int
	Children     *int
	// Consents gives (true) or withdraws (false) a provider's leave to see the user's pictures, by the provider's name.
	Consents map[string]bool
}

func (in HouseholdInput) validate() error {
	switch {
	case in.Income != nil && (*in.Income < 0 || *in.Income > maxIncome):
		return badInput("income", "A renda mensal deve ficar entre R$ 0,00 e "+maxIncome.String()+".")
	case in.Adults != nil && (*in.Adults < 1 || *in.Adults > maxAdults):
		return badInput("adults", "O número de adultos deve ficar entre 1 e 20.")
	case in.Children != nil && (*in.Children < 0 || *in.Children > maxChildren):
		return badInput("children", "O número de crianças deve ficar entre 0 e 20.")
	case len(in.Consents) > maxConsents:
		return badInput("consents", "Há provedores demais na lista.")
	}
	for name := range in.Consents {
		if name == "" || len(name) > maxProvider || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return badInput("consents", "O nome do provedor não é válido.")
		}
	}
	return nil
}
