package spending_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/spending"
)

// exported are a plain line and one that means harm.
func exported() []spending.Purchase {
	return []spending.Purchase{
		{
			InvoiceID: "019a", BoughtAt: time.Date(2026, 11, 24, 2, 4, 5, 678, time.UTC), MerchantName: "Padaria d'Ávila; Irmãos",
			MerchantCNPJ: "11222333000181", AccessKey: "35261111222333000181650010000123451876543214", Line: 1,
			Description: "LEITE \"UHT\" 1L", Product: "Leite integral 1 L", CategoryID: "dairy", Category: "Laticínios", GTIN: "7891000100103",
			Quantity: decimal.RequireFromString("0.4560"), Unit: "KG", UnitPrice: decimal.RequireFromString("1234.0123456789"),
			Total: 123456789, Discount: 5, Paid: 123456784,
		},
		{
			InvoiceID: "019b", BoughtAt: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), MerchantName: "=HYPERLINK(\"http://x\")", Line: 2,
			Description: "@SUM(A1)", Product: "+55", Category: "-1", GTIN: "\t=1", Unit: "\r\n=1", Quantity: decimal.New(2, 0),
			UnitPrice: decimal.New(-5, -1), Total: -100, Paid: -100,
		},
	}
}

func TestCSVIsWhatBrazilianSpreadsheetsRead(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/export.csv")
	require.NoError(t, err)
	var got bytes.Buffer
	require.NoError(t, spending.WriteCSV(&got, exported()))
	assert.Equal(t, string(want), got.String())
	assert.True(t, strings.HasPrefix(got.String(), "\xEF\xBB\xBFData;Hora;"))

	got.Reset()
	require.NoError(t, spending.WriteCSV(&got, nil))
	assert.Equal(t, 1, strings.Count(got.String(), "\r\n"), "the names of the columns alone")
}

func TestJSONIsExact(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/export.json")
	require.NoError(t, err)
	var got bytes.Buffer
	require.NoError(t, spending.WriteJSON(&got, exported()))
	assert.Equal(t, string(want), got.String())
	var lines []map[string]any
	require.NoError(t, json.Unmarshal(got.Bytes(), &lines))
	require.Len(t, lines, 2)
	assert.Equal(t, "0.456", lines[0]["quantity"])
	assert.InDelta(t, 123456789, lines[0]["total_centavos"], 0)
	for key, value := range lines[0] {
		assert.NotEmpty(t, value, key)
	}

	got.Reset()
	require.NoError(t, spending.WriteJSON(&got, nil))
	assert.JSONEq(t, "[]", got.String())
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFileThatCannotBeWrittenFails(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, spending.WriteCSV(full{}, exported()), errFull)
	require.ErrorIs(t, spending.WriteJSON(full{}, exported()), errFull)
}

func TestAnExportIsBoundedAndNamesCategories(t *testing.T) {
	t.Parallel()
	f := &fake{lines: make([]spending.Purchase, 50_000)}
	f.lines[0].CategoryID, f.lines[1].CategoryID = "dairy", "unnamed"
	lines, err := service(t, f).Export(t.Context(), "u", nil)
	require.NoError(t, err)
	assert.Len(t, lines, 50_000)
	assert.Equal(t, "DAIRY", lines[0].Category)
	assert.Equal(t, "unnamed", lines[1].Category)
	assert.Equal(t, 50_001, f.limit)
	f.lines = append(f.lines, spending.Purchase{})
	_, err = service(t, f).Export(t.Context(), "u", nil)
	requireBad(t, err, "period")
}

// FuzzCSV holds every text of a file to what makes it harmless, and reads it back.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"", "LEITE", "=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "\r\n=1", "'=1", ";=1", "\"=1", " =1", "a\r=1", "a;\"b\"\n=c", "\uFEFF=1", "çã",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var file bytes.Buffer
		require.NoError(t, spending.WriteCSV(&file, []spending.Purchase{
			{MerchantName: s, MerchantCNPJ: s, AccessKey: s, Description: s, Product: s, Category: s, GTIN: s, Unit: s},
		}))
		body, ok := bytes.CutPrefix(file.Bytes(), []byte("\uFEFF"))
		require.True(t, ok)
		r := csv.NewReader(bytes.NewReader(body))
		r.Comma = ';'
		records, err := r.ReadAll()
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.Len(t, records[1], 16)
		for _, column := range []int{2, 3, 4, 6, 7, 8, 9, 11} {
			cell := records[1][column]
			if cell != "" {
				assert.NotContains(t, "=+-@\t\r\n", cell[:1])
			}
		}
		want := strings.ReplaceAll(s, "\r", "") // the format has line breaks of one kind
		if s != "" && strings.Contains("=+-@\t\r\n", s[:1]) {
			want = "'" + want
		}
		assert.Equal(t, want, records[1][6])
	})
}
