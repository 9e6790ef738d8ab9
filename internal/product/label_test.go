package product_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/product"
)

func labels(tb testing.TB) *product.Labels {
	tb.Helper()
	l, err := product.NewLabels()
	require.NoError(tb, err)
	return l
}

func TestLabelsAreRead(t *testing.T) {
	t.Parallel()
	l := labels(t)
	const kg, litre, un = product.MeasureKilogram, product.MeasureLitre, product.MeasureUnit
	for _, c := range []struct {
		label, unit, key, name, brand, size string
		measure                             product.Measure
	}{
		{"LTE INT ITALAC 1L", "UN", "leite integral italac 1 l", "Leite integral Italac 1 L", "Italac", "1", litre},
		{"lt. int. Italac 1lt", "UN", "leite integral italac 1 l", "Leite integral Italac 1 L", "Italac", "1", litre},
		{"Leite Integral ITALAC 1000ML", "CX", "leite integral italac 1 l", "Leite integral Italac 1 L", "Italac", "1", litre},
		{"LEITE 1.000 ML", "", "leite 1 l", "Leite 1 L", "", "1", litre},
		{"MILHO VERDE QUERO LT 170G", "UN", "milho verde quero lata 170 g", "Milho verde Quero lata 170 g", "Quero", "0.17", kg},
		{"REFRI COCA COLA 2 LT", "UN", "refrigerante coca cola 2 l", "Refrigerante Coca-Cola 2 L", "Coca-Cola", "2", litre},
		{"CERV SKOL 12 LT 350ML", "CX", "cerveja skol 12 x 350 ml", "Cerveja Skol 12 x 350 ml", "Skol", "4.2", litre},
		{"AGUA MIN S/GAS 1,5L", "UN", "agua mineral sem gas 1.5 l", "Água mineral sem gás 1,5 L", "", "1.5", litre},
		{"ACUCAR CRISTAL 2KG", "PCT", "acucar cristal 2 kg", "Açúcar cristal 2 kg", "", "2", kg},
		{"SABAO PO OMO 1,6KG", "CX", "sabao po omo 1.6 kg", "Sabão em pó Omo 1,6 kg", "Omo", "1.6", kg},
		{"IOG GREGO VIGOR NAT 90G", "UN", "iogurte grego vigor natural 90 g", "Iogurte grego Vigor natural 90 g", "Vigor", "0.09", kg},
		{"CERV BRAHMA 12X350ML", "CX", "cerveja brahma 12 x 350 ml", "Cerveja Brahma 12 x 350 ml", "Brahma", "4.2", litre},
		{"CERV BRAHMA 12X350", "CX", "cerveja brahma 12 x 350 ml", "Cerveja Brahma 12 x 350 ml", "Brahma", "4.2", litre},
		{"CERV BRAHMA 350ML C/12", "CX", "cerveja brahma 12 x 350 ml", "Cerveja Brahma 12 x 350 ml", "Brahma", "4.2", litre},
		{"OVOS VERM C/30 UN", "BDJ", "ovos vermelho 30 un", "Ovos vermelho 30 un", "", "30", un},
		{"OVOS BRANCOS", "C30", "ovos brancos 30 un", "Ovos brancos 30 un", "", "30", un},
		{"OVOS BRANCOS DZ", "UN", "ovos brancos 12 un", "Ovos brancos 12 un", "", "12", un},
		{"SACO LIXO 50L C/30", "PCT", "saco lixo 50 l 30 un", "Saco para lixo 50 L 30 un", "", "30", un},
		{"FRALDA PAMPERS 9 A 14KG C/28", "PCT", "fralda pampers 9 a 14 kg 28 un", "Fralda Pampers 9 a 14 kg 28 un", "Pampers", "28", un},
		{"PAPEL HIG NEVE LEVE 12 PAGUE 11", "FD", "papel higienico neve 12 un", "Papel higiênico Neve 12 un", "Neve", "12", un},
		{"PAPEL HIG NEVE L12P11", "FD", "papel higienico neve 12 un", "Papel higiênico Neve 12 un", "Neve", "12", un},
		{"PAPEL ALUMINIO 7,5M", "UN", "papel aluminio 7.5 m", "Papel alumínio 7,5 m", "", "0", un},
		{"QJO MUSS FAT KG", "KG", "queijo mussarela fatiado kg", "Queijo mussarela fatiado", "", "1", kg},
		{"QJO MUSS FAT", "KLG", "queijo mussarela fatiado kg", "Queijo mussarela fatiado", "", "1", kg},
		{"QJO MUSS FAT KG", "", "queijo mussarela fatiado kg", "Queijo mussarela fatiado", "", "1", kg},
		{"PÃO DE QUEIJO", "UN", "pao queijo", "Pão de queijo", "", "0", un},
		{"AZEITONA VERDE S/CAR 150G", "UN", "azeitona verde sem caroco 150 g", "Azeitona verde sem caroco 150 g", "", "0.15", kg},
		{"FARINHA TRIGO D.BENTA 1KG", "PCT", "farinha trigo d benta 1 kg", "Farinha de trigo Dona Benta 1 kg", "Dona Benta", "1", kg},
		{"CHOC M&M'S 45G", "UN", "chocolate m&ms 45 g", "Chocolate M&M's 45 g", "M&M's", "0.045", kg},
		{"AGUA MIN 500ML", "FD", "agua mineral 500 ml", "Água mineral 500 ml", "", "0.5", litre},
		{"AGUA MIN 500ML FARDO", "UN", "agua mineral fardo 500 ml", "Água mineral fardo 500 ml", "", "0", litre},
		{"CHOPP PILSEN", "L", "chopp pilsen 1 l", "Chopp pilsen 1 L", "", "1", litre},
		{"COND PANTENE 175ML", "UN", "condicionador pantene 175 ml", "Condicionador Pantene 175 ml", "Pantene", "0.175", litre},
		{"LEITE COND MOCA 395G", "UN", "leite condensado moca 395 g", "Leite condensado Moça 395 g", "Moça", "0.395", kg},
		{"SUCO 1L 200ML", "UN", "suco 1 l 200 ml", "Suco 1 L 200 ml", "", "0", litre}, // which of them is not said
		{"ESCOVA 1UN", "UN", "escova", "Escova", "", "0", un},
		{"  ***  ", "UN", "item sem descricao", "Item sem descricao", "", "0", un},
		{"", "", "item sem descricao", "Item sem descricao", "", "0", un},
		{"0G 5KG", "UN", "0 g 5 kg", "0 g 5 kg", "", "5", kg},
		{"COD 01234", "KG", "cod 01234 por kg", "Cod 01234", "", "1", kg},
	} {
		got := l.Parse(c.label, c.unit)
		assert.Equal(t, c.key, got.Key, c.label)
		assert.Equal(t, c.name, got.Name, c.label)
		assert.Equal(t, c.brand, got.Brand, c.label)
		assert.True(t, decimal.RequireFromString(c.size).Equal(got.Size), "%s: %s", c.label, got.Size)
		assert.Equal(t, c.measure, got.Measure, c.label)
		requireStable(t, l, got)
	}
}

// requireStable reads a key again: the same label must come out.
func requireStable(t *testing.T, l *product.Labels, read product.Label) {
	t.Helper()
	again := l.Parse(read.Key, "")
	require.Equal(t, read.Key, again.Key)
	require.True(t, read.Size.Equal(again.Size), "%q: %s, then %s", read.Key, read.Size, again.Size)
	require.Equal(t, read.Measure, again.Measure, read.Key)
	require.Equal(t, read.Weighed, again.Weighed, read.Key)
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	l := labels(t)
	for _, long := range []string{strings.Repeat("a", 5000), strings.Repeat("lt 1kg ", 900), strings.Repeat("ção ", 900), strings.Repeat("1x", 900)} {
		got := l.Parse(long, "UN")
		assert.Less(t, len(got.Key), 2000) // what an index of PostgreSQL takes
		requireStable(t, l, got)
	}
}

func FuzzParseLabel(f *testing.F) {
	for _, seed := range []string{
		"LTE INT ITALAC 1L", "12 5KG UN", "T1 KG", "0G 5KG", "x 12 kg", "2 LT LT 3X", "c/ 12 c/ 30 un", "1.500ML 1,500KG", "l12p11", "\xff\x00é́",
		"leve 3 pague 2 duzia", "9X9X9", "un un kg por kg", "FD 12X350", "de 5 kg da", "3 duzias", "1 un kg", "ｋｇ １２",
	} {
		f.Add(seed, "UN")
		f.Add(seed, "KG")
		f.Add(seed, "C30")
	}
	l, err := product.NewLabels()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, label, unit string) {
		read := l.Parse(label, unit)
		require.NotEmpty(t, read.Key)
		require.NotEmpty(t, read.Name)
		require.False(t, read.Size.IsNegative())
		requireStable(t, l, read)
	})
}
