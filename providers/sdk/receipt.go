package sdk

// Receipt is the reply to TaskExtract: the purchase as printed, computed and corrected by nobody. Amounts and quantities are
// strings with a decimal point and no thousands separator ("1234.56"); "" is what the paper does not say or what cannot be
// read. The JSON Schema that the host sends is generated from this type.
type Receipt struct {
	AccessKey string `json:"access_key"` // 44 characters
	Number    string `json:"number"`
	Series    string `json:"series"`
	IssuedAt  string `json:"issued_at"` // local time as printed: "2026-11-23T16:00:00"
	Protocol  string `json:"protocol"`

	IssuerName  string `json:"issuer_name"`
	IssuerCNPJ  string `json:"issuer_cnpj"`
	ConsumerCPF string `json:"consumer_cpf"` // as printed, masked where the paper masks it; the host masks the rest

	Items     []ReceiptItem    `json:"items"`
	ItemCount string           `json:"item_count"` // "Qtde total de itens"
	Products  string           `json:"products"`   // "Valor total R$": gross sum of the lines
	Discount  string           `json:"discount"`   // positive
	Freight   string           `json:"freight"`
	Insurance string           `json:"insurance"`
	Other     string           `json:"other"` // "Acréscimo"
	Due       string           `json:"due"`   // "Valor a pagar R$"
	Payments  []ReceiptPayment `json:"payments"`
	Change    string           `json:"change"` // "Troco"
	// Test says that the paper declares itself without fiscal value.
	Test bool `json:"test"`
}

// ReceiptItem is one line.
type ReceiptItem struct {
	Description string `json:"description"`
	Code        string `json:"code"`
	GTIN        string `json:"gtin"`
	Quantity    string `json:"quantity"`
	Unit        string `json:"unit"`
	UnitPrice   string `json:"unit_price"`
	Total       string `json:"total"`     // gross, before Discount
	Discount    string `json:"discount"`  // positive
	Uncertain   bool   `json:"uncertain"` // hard to read
}

// ReceiptPayment is one way the purchase was paid.
type ReceiptPayment struct {
	// Method is one of the names of invoice payment methods: CASH, CREDIT_CARD, DEBIT_CARD, PIX, FOOD_VOUCHER ... OTHER.
	Method string `json:"method"`
	Amount string `json:"amount"`
}
