package spending

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// byteOrderMark tells a spreadsheet that the file is UTF-8.
const byteOrderMark = "\uFEFF"

// brasilia has kept its clocks at UTC-3 since 2019; the ledger's days are made with it too.
func brasilia() *time.Location { return time.FixedZone("-03", -3*60*60) }

// WriteCSV writes lines for Brazilian spreadsheets: UTF-8 with a byte order mark, semicolons, decimal commas, quoted and ended
// as RFC 4180 says. A text that would be taken for a formula begins with an apostrophe. Access keys and CNPJs are grouped as
// paper prints them: spreadsheets would round 44 digits.
func WriteCSV(w io.Writer, lines []Purchase) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	// csv.Writer keeps its first error, which Error gives.
	_ = out.Write([]string{
		"Data", "Hora", "Loja", "CNPJ", "Chave de acesso", "Linha", "Descrição", "Produto", "Categoria", "Código de barras",
		"Quantidade", "Unidade", "Preço unitário", "Total", "Desconto", "Valor pago",
	})
	for i := range lines {
		l := &lines[i]
		at := l.BoughtAt.In(brasilia())
		_ = out.Write([]string{
			at.Format("02/01/2006"), at.Format("15:04:05"),
			text(l.MerchantName), text(fiscal.FormatCNPJ(l.MerchantCNPJ)), text(fiscal.AccessKey(l.AccessKey).Grouped()),
			strconv.Itoa(l.Line), text(l.Description), text(l.Product), text(l.Category), text(l.GTIN),
			number(l.Quantity), text(l.Unit), number(l.UnitPrice), amount(l.Total), amount(l.Discount), amount(l.Paid),
		})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// text guards a text that a spreadsheet would calculate: what comes first decides, a line break too, since quotes hide it.
func text(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

// number has the decimals it has, behind a comma.
func number(d decimal.Decimal) string { return strings.Replace(d.String(), ".", ",", 1) }

// amount is in reais, with two decimals behind a comma.
func amount(m fiscal.Money) string { return strings.Replace(m.Decimal().StringFixed(2), ".", ",", 1) }

// jsonLine is a Purchase as programs read it: exact figures, and the time with its zone.
type jsonLine struct {
	InvoiceID        string `json:"invoice_id"`
	BoughtAt         string `json:"bought_at"` // RFC 3339, in Brasília
	MerchantName     string `json:"merchant_name"`
	MerchantCNPJ     string `json:"merchant_cnpj"` // "" when the note has none, as in the texts below
	AccessKey        string `json:"access_key"`
	Line             int    `json:"line"`
	Description      string `json:"description"`
	Product          string `json:"product"`
	CategoryID       string `json:"category_id"`
	Category         string `json:"category"`
	GTIN             string `json:"gtin"`
	Quantity         string `json:"quantity"`
	Unit             string `json:"unit"`
	UnitPrice        string `json:"unit_price"` // in reais
	TotalCentavos    int64  `json:"total_centavos"`
	DiscountCentavos int64  `json:"discount_centavos"`
	PaidCentavos     int64  `json:"paid_centavos"`
}

// WriteJSON writes lines as an array of objects, one a line.
func WriteJSON(w io.Writer, lines []Purchase) error {
	out := bufio.NewWriter(w) // it keeps its first error, which Flush gives
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	_, _ = out.WriteString("[\n")
	for i := range lines {
		if i > 0 {
			_, _ = out.WriteString(",")
		}
		if err := enc.Encode(toJSON(&lines[i])); err != nil { //nolint:gosec // an access key is printed on its note, and opens nothing
			return fmt.Errorf("write json: %w", err)
		}
	}
	_, _ = out.WriteString("]\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return nil
}

func toJSON(l *Purchase) jsonLine {
	return jsonLine{
		InvoiceID:        l.InvoiceID,
		BoughtAt:         l.BoughtAt.In(brasilia()).Format(time.RFC3339),
		MerchantName:     l.MerchantName,
		MerchantCNPJ:     l.MerchantCNPJ,
		AccessKey:        l.AccessKey,
		Line:             l.Line,
		Description:      l.Description,
		Product:          l.Product,
		CategoryID:       l.CategoryID,
		Category:         l.Category,
		GTIN:             l.GTIN,
		Quantity:         l.Quantity.String(),
		Unit:             l.Unit,
		UnitPrice:        l.UnitPrice.String(),
		TotalCentavos:    l.Total.Centavos(),
		DiscountCentavos: l.Discount.Centavos(),
		PaidCentavos:     l.Paid.Centavos(),
	}
}
