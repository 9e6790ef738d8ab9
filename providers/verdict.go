package providers

import (
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// verdict is what the schema and the ledger have against a draft.
type verdict struct {
	passed, failed int
	faults         []invoice.Check // the failed ones
	form           string          // where the reply does not fit the schema; one of the failed
}

// sound says that nothing speaks against the draft.
func (v verdict) sound() bool { return v.failed == 0 }

// better prefers fewer failed checks, then more passed ones; of equals neither.
func (v verdict) better(than verdict) bool {
	if v.failed != than.failed {
		return v.failed < than.failed
	}
	return v.passed > than.passed
}

// judge holds a draft against the ledger.
func (c *Chain) judge(draft invoice.Draft, qr *fiscal.QR) verdict {
	var v verdict
	for _, check := range c.config.Checks(draft, qr) {
		if check.Passed {
			v.passed++
		} else {
			v.failed++
			v.faults = append(v.faults, check)
		}
	}
	return v
}
