package receipts

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Receipt is one fictional purchase, with everything that its XML and its paper say.
type Receipt struct {
	Store    Store
	Series   int
	Number   int       // nNF
	IssuedAt time.Time // to the second, at -03:00
	// Authorized is dhRecbto: when the state took note. Hours after IssuedAt for an offline receipt.
	Authorized time.Time
	Items      []Item
	Discount   fiscal.Money // of the whole purchase, on top of the items' own
	Other      fiscal.Money // acréscimo
	Freight    fiscal.Money // delivery
	Payments   []Payment
	Change     fiscal.Money // troco
	// ConsumerCPF is one of the well-known numbers of software tests, or "". Only the XML has it in clear.
	ConsumerCPF string
	Key         fiscal.AccessKey
	Protocol    string // nProt
	Offline     bool   // tpEmis = 9: printed before it was authorized
	Test        bool   // tpAmb = 2
	QRVersion   int    // 2 or 3
	QR          string // the text of the code: a URL at the state's own host
	Digest      string // digVal, base64
	Signature   string // SignatureValue, base64: random, nobody signed it
	// TaxReform adds the fields that the tax reform brings: det/vItem and total/vNFTot.
	TaxReform bool
}

// Item is one line of a Receipt.
type Item struct {
	Line      int // 1-based
	Product   Product
	Code      string // cProd
	GTIN      string // cEAN, or "" for SEM GTIN
	Quantity  decimal.Decimal
	UnitPrice decimal.Decimal
	Total     fiscal.Money // round(quantity × unit price, 2)
	Discount  fiscal.Money // of this line alone
	Taxes     fiscal.Money // vTotTrib
	// What the XML adds to the line of the receipt's own discount, acréscimo and freight: the state refuses totals that the
	// lines do not add up to.
	DiscountShare fiscal.Money
	OtherShare    fiscal.Money
	FreightShare  fiscal.Money
}

// Payment is one way the purchase was paid.
type Payment struct {
	Code   string // tPag
	Amount fiscal.Money
}

// Method is the payment's name in the domain.
func (p Payment) Method() invoice.PaymentMethod { return invoice.PaymentMethodOfCode(p.Code) }

// Products is the gross sum of the lines (vProd).
func (r Receipt) Products() fiscal.Money {
	var sum fiscal.Money
	for _, it := range r.Items {
		sum += it.Total
	}
	return sum
}

// TotalDiscount is vDesc: the items' discounts and the receipt's own.
func (r Receipt) TotalDiscount() fiscal.Money {
	sum := r.Discount
	for _, it := range r.Items {
		sum += it.Discount
	}
	return sum
}

// Due is vNF, "Valor a Pagar".
func (r Receipt) Due() fiscal.Money { return r.Products() - r.TotalDiscount() + r.Freight + r.Other }

// Paid is the sum of what was handed over: Due and Change.
func (r Receipt) Paid() fiscal.Money {
	var sum fiscal.Money
	for _, p := range r.Payments {
		sum += p.Amount
	}
	return sum
}

// Taxes is the sum of vTotTrib.
func (r Receipt) Taxes() fiscal.Money {
	var sum fiscal.Money
	for _, it := range r.Items {
		sum += it.Taxes
	}
	return sum
}
