package storetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

func taughtMovesHistory(t *testing.T, p *products) {
	t.Helper()
	first := p.bought(t, shopOne, "LTE XPTO", "SAL CISNE 1KG")
	second := p.bought(t, shopOne, "LTE XPTO")
	elsewhere := p.bought(t, shopTwo, "LTE XPTO LIGHT 500ML")
	p.save(t, second, invoice.Lesson{ItemID: second.Items[0].ID, Name: " Leite  integral Italac 500 ml\n"})

	id := second.Items[0].ProductID
	milk := p.one(t, id)
	assert.Equal(t, "Leite integral Italac 500 ml", milk.Name)
	assert.Equal(t, "Italac", milk.Brand)
	assert.Equal(t, "0.5", milk.Size.String())
	assert.True(t, milk.Taught)
	for _, inv := range []*invoice.Invoice{first, second} {
		line := p.line(t, inv.Items[0].ID)
		assert.Equal(t, id, line[0])
		assert.Equal(t, "20000000", line[7], "a litre costs twice what half of it does")
		stored, err := p.Invoices.Invoice(t.Context(), p.user, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, id, stored.Items[0].ProductID)
		assert.Equal(t, "dairy", stored.Items[0].Category)
	}
	assert.NotEqual(t, id, p.line(t, first.Items[1].ID)[0])
	assert.NotEqual(t, id, p.line(t, elsewhere.Items[0].ID)[0])
	withCode := p.withGTIN(t, shopOne, "LTE XPTO", gtinOne)
	assert.Equal(t, id, withCode.Items[0].ProductID, "what was taught is more than a bar code")
}

func taughtCategory(t *testing.T, p *products) {
	t.Helper()
	first := p.bought(t, shopOne, "XPTO 123")
	assert.Equal(t, "other", first.Items[0].Category)
	second := p.bought(t, shopOne, "XPTO 123")
	p.save(t, second, invoice.Lesson{ItemID: second.Items[0].ID, Category: "baby"})
	stored, err := p.Invoices.Invoice(t.Context(), p.user, first.ID)
	require.NoError(t, err)
	assert.Equal(t, "baby", stored.Items[0].Category)
	got := p.one(t, second.Items[0].ProductID)
	assert.Equal(t, product.Class{Category: "baby", Essential: true, Child: true}, got.Class)
	assert.Equal(t, "Xpto 123", got.Name)
	assert.Equal(t, "baby", p.bought(t, shopTwo, "XPTO 123").Items[0].Category, "another shop's same label")
	p.save(t, second, invoice.Lesson{ItemID: second.Items[0].ID, Name: "Arroz"})
	assert.Equal(t, "baby", second.Items[0].Category, "a kind that was chosen stays")
}

func taughtJoins(t *testing.T, p *products) {
	t.Helper()
	known := p.withGTIN(t, shopOne, "LEITE INTEGRAL ITALAC 1L", gtinOne).Items[0].ProductID
	before := p.bought(t, shopTwo, "L.INT.ITC")
	old := before.Items[0].ProductID
	inv := p.bought(t, shopTwo, "L.INT.ITC")
	p.save(t, inv, invoice.Lesson{ItemID: inv.Items[0].ID, Name: "leite integral ITALAC 1L"})
	assert.Equal(t, known, inv.Items[0].ProductID)
	assert.Equal(t, known, p.line(t, before.Items[0].ID)[0])
	assert.Equal(t, "10000000", p.line(t, before.Items[0].ID)[7])
	assert.Equal(t, "0", p.count(t, "products WHERE id = '"+old+"'"), "nothing names it any more")
	assert.Equal(t, "Leite integral Italac 1 L", p.one(t, known).Name)
	assert.Equal(t, known, p.bought(t, shopTwo, "L.INT.ITC").Items[0].ProductID)
}

func taughtApart(t *testing.T, p *products) {
	t.Helper()
	inv := p.bought(t, shopOne, "LEITE INTEGRAL ITALAC 1L", "LEITE INT UHT ITALAC 1L")
	require.Equal(t, inv.Items[0].ProductID, inv.Items[1].ProductID)
	p.save(t, inv, invoice.Lesson{ItemID: inv.Items[0].ID, Name: "Leite de caixinha"},
		invoice.Lesson{ItemID: inv.Items[1].ID, Name: "Leite de saquinho", Category: "dairy"})
	assert.Equal(t, "Leite de caixinha", p.one(t, inv.Items[0].ProductID).Name)
	assert.Equal(t, "Leite de saquinho", p.one(t, inv.Items[1].ProductID).Name)
	again := p.bought(t, shopOne, "LEITE INTEGRAL ITALAC 1L", "LEITE INT UHT ITALAC 1L")
	assert.Equal(t, inv.Items[0].ProductID, again.Items[0].ProductID)
	assert.Equal(t, inv.Items[1].ProductID, again.Items[1].ProductID)
	p.save(t, again, invoice.Lesson{ItemID: again.Items[0].ID, Name: "Leite da caixa azul"})
	assert.Equal(t, inv.Items[0].ProductID, again.Items[0].ProductID, "a second name for the same label")
	assert.Equal(t, "Leite da caixa azul", p.one(t, again.Items[0].ProductID).Name)
}

func badLessons(t *testing.T, p *products) {
	t.Helper()
	inv := p.bought(t, shopOne, "XPTO 123")
	long := make([]rune, 121)
	for i := range long {
		long[i] = 'ã'
	}
	for _, l := range []invoice.Lesson{
		{ItemID: inv.Items[0].ID, Category: "DAIRY"}, {ItemID: inv.Items[0].ID, Name: string(long)}, {ItemID: NewID(t), Name: "Arroz"},
	} {
		err := p.try(t.Context(), inv, l)
		assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err), "%v", err)
	}
	p.save(t, inv, invoice.Lesson{ItemID: inv.Items[0].ID, Name: string(long[:120])}, invoice.Lesson{ItemID: inv.Items[0].ID})
}
