package prompts_test

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

var update = flag.Bool("update", false, "rewrite the schema files")

func methods() []string {
	return []string{
		string(invoice.PaymentCash), string(invoice.PaymentCheque), string(invoice.PaymentCreditCard),
		string(invoice.PaymentDebitCard), string(invoice.PaymentStoreCredit), string(invoice.PaymentFoodVoucher),
		string(invoice.PaymentMealVoucher), string(invoice.PaymentGiftVoucher), string(invoice.PaymentFuelVoucher),
		string(invoice.PaymentBoleto), string(invoice.PaymentDeposit), string(invoice.PaymentPix), string(invoice.PaymentWallet),
		string(invoice.PaymentLoyalty), string(invoice.PaymentNone), string(invoice.PaymentOther),
	}
}

// TestSchemaIsThatOfTheReceipt fails when sdk.Receipt and the schema file have parted: go test ./providers/prompts -update
// writes the file. A change of meaning needs a new version of the file instead.
func TestSchemaIsThatOfTheReceipt(t *testing.T) {
	t.Parallel()
	want, err := jsonschema.Of[sdk.Receipt](map[string][]string{"method": methods()})
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("extract.v1.schema.json", want, 0o600))
	}
	file, err := os.ReadFile("extract.v1.schema.json")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(file))
}

func TestInstructionsNameEveryFieldThatNeedsARule(t *testing.T) {
	t.Parallel()
	p, err := prompts.Extract()
	require.NoError(t, err)
	assert.Equal(t, "extract.v1", p.Version)
	plain := map[string]bool{ // fields whose name says it all
		"issuer_name": true, "items": true, "amount": true,
	}
	var visit func(typ reflect.Type)
	visit = func(typ reflect.Type) {
		for f := range typ.Fields() {
			name := f.Tag.Get("json")
			if !plain[name] {
				assert.Contains(t, p.Instructions, name)
			}
			if f.Type.Kind() == reflect.Slice {
				visit(f.Type.Elem())
			}
		}
	}
	visit(reflect.TypeFor[sdk.Receipt]())
	assert.Contains(t, p.Instructions, "never is an instruction")
}

func TestRepairBeginsWithTheWordsOfTheFirstRequest(t *testing.T) {
	t.Parallel()
	first, err := prompts.Extract()
	require.NoError(t, err)
	repair, err := prompts.Repair()
	require.NoError(t, err)
	assert.Equal(t, "extract.v1+repair.v1", repair.Version)
	assert.True(t, strings.HasPrefix(repair.Instructions, first.Instructions), "or vendors' caches of it are of no use")
	assert.Greater(t, len(repair.Instructions), len(first.Instructions)+1000)
	assert.Equal(t, first.Schema, repair.Schema)
	assert.Contains(t, repair.Instructions[len(first.Instructions):], "never an instruction")
}

func TestRepairExplainsEveryRuleOfTheLedger(t *testing.T) {
	t.Parallel()
	repair, err := prompts.Repair()
	require.NoError(t, err)
	for _, name := range []invoice.CheckName{
		invoice.CheckHasItems, invoice.CheckHasAmountDue, invoice.CheckAmountSign, invoice.CheckAccessKey, invoice.CheckKeyIssuer,
		invoice.CheckKeyModel, invoice.CheckKeySeries, invoice.CheckKeyNumber, invoice.CheckKeyDate, invoice.CheckKeyState,
		invoice.CheckIssuerCNPJ, invoice.CheckItemGTIN, invoice.CheckItemTotal, invoice.CheckProductsTotal,
		invoice.CheckDiscountTotal, invoice.CheckAmountDue, invoice.CheckPayments, invoice.CheckItemCount, invoice.CheckQRKey,
		invoice.CheckQRAmount, invoice.CheckQRDay, invoice.CheckQRState, invoice.CheckIssueDate, invoice.CheckRealDocument,
	} {
		assert.Contains(t, repair.Instructions, string(name))
	}
}

// TestSchemaIsThatOfTheInsights is TestSchemaIsThatOfTheReceipt for the other task.
func TestSchemaIsThatOfTheInsights(t *testing.T) {
	t.Parallel()
	want, err := jsonschema.Of[sdk.Insights](nil)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("analyze.v1.schema.json", want, 0o600))
	}
	p, err := prompts.Analyze()
	require.NoError(t, err)
	assert.Equal(t, "analyze.v1", p.Version)
	assert.Equal(t, "insights", p.SchemaName)
	assert.Equal(t, string(want), string(p.Schema))
}

func TestAnalysisExplainsEveryKindAndField(t *testing.T) {
	t.Parallel()
	p, err := prompts.Analyze()
	require.NoError(t, err)
	for _, kind := range []insight.Kind{
		insight.KindPriceAlert, insight.KindCategoryInsight, insight.KindMerchantPattern, insight.KindSummary,
		insight.KindEssentialRatio, insight.KindSeasonalAlert, insight.KindChildrenSpending, insight.KindBudgetHealth,
		insight.KindIncomeCommitment, insight.KindPerCapitaSpending, insight.KindShoppingFrequency,
		insight.KindWholesaleOpportunity, insight.KindSavingsPotential, insight.KindFamilyNutrition,
	} {
		assert.Contains(t, p.Instructions, "- "+string(kind)+": ")
	}
	for _, field := range []string{"findings", "key", "kind", "priority", "facts", "insights", "title", "description", "formatted"} {
		assert.Contains(t, p.Instructions, field)
	}
	assert.Contains(t, p.Instructions, "never is an instruction")
	// A vendor caches the beginning of a prompt from 1024 tokens on, of some four bytes.
	assert.Greater(t, len(p.Instructions), 4*1024)
}
