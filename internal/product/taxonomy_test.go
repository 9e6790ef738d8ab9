package product_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func taxonomy(tb testing.TB) *product.Taxonomy {
	tb.Helper()
	tax, err := product.LoadTaxonomy()
	require.NoError(tb, err)
	return tax
}

// expected reads "category<TAB>label" lines.
func expected(t *testing.T, file string) [][2]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	var rows [][2]string
	for line := range strings.Lines(string(data)) {
		category, label, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		require.True(t, ok, line)
		rows = append(rows, [2]string{category, label})
	}
	return rows
}

func TestEveryProductOfTheCatalogueHasItsCategory(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	want := map[string]string{}
	for _, r := range expected(t, "catalogue.tsv") {
		want[r[1]] = r[0]
	}
	for _, p := range receipts.Catalogue() {
		require.Contains(t, want, p.Description)
		assert.Equal(t, want[p.Description], tax.Classify(tax.Labels().Parse(p.Description, p.Unit)).Category, p.Description)
	}
}

func TestLabelsOfRealTillsHaveTheirCategory(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	for _, r := range expected(t, "labels.tsv") {
		assert.Equal(t, r[0], tax.Classify(tax.Labels().Parse(r[1], "UN")).Category, r[1])
	}
}

func TestClassSaysGroupAndWhoItIsFor(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	for label, want := range map[string]product.Class{
		"LTE INT ITALAC 1L":         {Category: "dairy", Group: product.GroupDairy, Essential: true},
		"LEITE COND MOCA LT 395G":   {Category: "dairy", Group: product.GroupDairy},
		"QJO MUSS FAT KG":           {Category: "deli", Group: product.GroupDairy},
		"PRESUNTO COZ FAT KG":       {Category: "deli", Group: product.GroupProteins},
		"FRALDA PAMPERS G C/30":     {Category: "baby", Essential: true, Child: true},
		"BATATA LAVADA KG":          {Category: "vegetables", Group: product.GroupGrains, Essential: true, Produce: "batata"},
		"MORANGO":                   {Category: "fruits", Group: product.GroupFruits, Essential: true, Produce: "morango"},
		"SUCO MORANGO 1L":           {Category: "juices", Group: product.GroupDrinks},
		"AMENDOIM JAP DORI 145G":    {Category: "snacks", Group: product.GroupLegumes},
		"CERV SKOL LT 350ML":        {Category: "alcohol", Group: product.GroupDrinks},
		"SKOL 350ML":                {Category: "alcohol", Group: product.GroupDrinks}, // by its brand
		"SORVETE LEITE COND 1,5L":   {Category: "sweets", Group: product.GroupSweets},
		"LENCO UMED HUGGIES C/48":   {Category: "baby", Essential: true, Child: true},
		"BISC CAO BOM AMIGO 500G":   {Category: "pet"},
		"alguma coisa desconhecida": {Category: "other"},
	} {
		assert.Equal(t, want, tax.Classify(tax.Labels().Parse(label, "")), label)
	}
}

func TestCategoriesComeByName(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	all := tax.Categories()
	require.Greater(t, len(all), 25)
	for i, c := range all {
		got, ok := tax.Category(c.ID)
		assert.True(t, ok)
		assert.Equal(t, c, got)
		if i > 0 {
			assert.NotEqual(t, all[i-1].Name, c.Name)
		}
	}
	assert.Equal(t, "Açúcar e doces", all[0].Name)
	_, ok := tax.Category("")
	assert.False(t, ok)
	_, ok = tax.Category("DAIRY")
	assert.False(t, ok)
}

func TestProduceHasItsSeason(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	assert.True(t, tax.InSeason("morango", time.August))
	assert.False(t, tax.InSeason("morango", time.May))
	assert.True(t, tax.InSeason("morango", time.June))
	assert.True(t, tax.InSeason("morango", time.October))
	assert.False(t, tax.InSeason("morango", time.November))
	assert.True(t, tax.InSeason("caqui", time.April))
	assert.False(t, tax.InSeason("caqui", time.December))
	assert.True(t, tax.InSeason("", time.May), "what is no produce is always in season")
	assert.True(t, tax.InSeason("no such fruit", time.May))
}

func TestShopsHaveTheirKind(t *testing.T) {
	t.Parallel()
	tax := taxonomy(t)
	for name, want := range map[string]string{
		"SUPERMERCADO EXEMPLO LTDA": "supermarket", "MERCADO MODELO DO BAIRRO LTDA": "supermarket", "ATACADO FICTÍCIO S/A": "wholesale",
		"HORTIFRUTI DE MENTIRA LTDA": "greengrocer", "COMERCIAL AMOSTRA ALIMENTOS LTDA": "supermarket", "ATACADÃO S.A.": "wholesale",
		"PADARIA E MERCADO INVENTADO LTDA": "bakery", "SACOLÃO FANTASIA LTDA": "greengrocer", "CASA DE CARNES ROTEIRO LTDA": "butcher",
		"ATACAREJO TESTE GERAL LTDA": "wholesale", "Quitanda da Esquina": "greengrocer", "DROGARIA SAO PEDRO": "pharmacy",
		"FARMÁCIA POPULAR": "pharmacy", "AÇOUGUE BOI GORDO": "butcher", "PET SHOP AMIGO": "pet", "LOJA DE CONVENIÊNCIA 24H": "convenience",
		"AUTO POSTO ESTRELA": "convenience", "RESTAURANTE SABOR": "other", "SUPERMERCADO E PADARIA UNIDOS": "supermarket", "": "supermarket",
		"PETRÓPOLIS COMERCIAL": "supermarket",
	} {
		got := tax.MerchantCategory(name)
		assert.Equal(t, want, got, name)
		assert.NotEmpty(t, tax.MerchantCategoryName(got))
	}
	assert.Equal(t, "Supermercado", tax.MerchantCategoryName("supermarket"))
	assert.Empty(t, tax.MerchantCategoryName("circus"))
}
