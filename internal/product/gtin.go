package product

import (
	"strings"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// globalGTIN is a GTIN as products have it: "" for what is none, or is a shop's own. Shops number what they weigh and pack
// themselves with 13 digits from 2 or 02 (a price or weight among them), or with 8 from 0 or 2. Twelve digits are the thirteen
// without their zero, and a scanner may put one before either.
func globalGTIN(s string) string {
	if !fiscal.ValidGTIN(s) {
		return ""
	}
	if len(s) == 14 && s[0] == '0' {
		s = s[1:]
	}
	if len(s) == 12 {
		s = "0" + s
	}
	switch {
	case len(s) == 13 && (s[0] == '2' || strings.HasPrefix(s, "02") || strings.HasPrefix(s, "04")):
		return ""
	case len(s) == 8 && (s[0] == '0' || s[0] == '2'):
		return ""
	case len(s) == 13 && strings.HasPrefix(s, "00000"): // eight digits with zeros before them
		return globalGTIN(s[5:])
	}
	return s
}
