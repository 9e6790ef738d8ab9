package document

import (
	"errors"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// positive reads a number of the XML, exactly. The official layout has no negative ones. Errors do not repeat the text.
func positive(s string) (decimal.Decimal, error) {
	d, err := fiscal.ParseDecimal(s)
	if err != nil || d.IsNegative() {
		return decimal.Zero, errors.New("not a positive number")
	}
	return d, nil
}

// money reads an amount in reais of the XML.
func money(s string) (fiscal.Money, error) {
	d, err := positive(s)
	if err != nil {
		return 0, err
	}
	m, err := fiscal.MoneyFromDecimal(d)
	if err != nil {
		return 0, errors.New("amount out of range")
	}
	return m, nil
}
