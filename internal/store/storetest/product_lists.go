package storetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

func listedProducts(t *testing.T, p *products) {
	t.Helper()
	p.bought(t, shopOne, "ZIMBRO", "AGUA MIN S/GAS 1,5L", "LTE INT ITALAC 1L", "ABACAXI PEROLA", "OLEO SOJA LIZA 900ML", "CHOC 100% CACAU_X 50G")
	want := []string{
		"Abacaxi perola", "Água mineral sem gás 1,5 L", "Chocolate 100 cacau x 50 g", "Leite integral Italac 1 L", "Óleo de soja Liza 900 ml", "Zimbro",
	}
	for _, first := range []int{1, 2, 4, 6, 10} {
		var names []string
		q := product.ListQuery{UserID: p.user, First: first}
		for {
			page, err := p.catalogue.List(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, len(want), page.Total)
			for _, r := range page.Products {
				names = append(names, r.Name)
			}
			if !page.HasNext {
				break
			}
			last := page.Products[len(page.Products)-1]
			q.After = &product.Cursor{Name: last.Name, ID: last.ID}
		}
		assert.Equal(t, want, names, "pages of %d", first)
	}
	for search, n := range map[string]int{
		"agua": 1, "ÁGUA": 1, "italac leite": 1, "soja": 1, "%": 0, "_": 0, "!": 0, "": 6, "  ": 6, "nada": 0, "a": 5,
	} {
		page, err := p.catalogue.List(t.Context(), product.ListQuery{UserID: p.user, Search: search, First: 10})
		require.NoError(t, err)
		assert.Equal(t, n, page.Total, search)
		assert.Len(t, page.Products, n, search)
	}
	page, err := p.catalogue.List(t.Context(), product.ListQuery{UserID: p.user, First: 10, After: &product.Cursor{Name: "Chá", ID: NewID(t)}})
	require.NoError(t, err)
	require.NotEmpty(t, page.Products, "a place whose product is gone")
	assert.Equal(t, want[2], page.Products[0].Name)
	_, err = p.catalogue.List(t.Context(), product.ListQuery{UserID: p.user, First: 10, After: &product.Cursor{Name: "Chá", ID: "x"}})
	assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
	page, err = p.catalogue.List(t.Context(), product.ListQuery{UserID: NewUser(t, p.Accounts), First: 10})
	require.NoError(t, err)
	assert.Empty(t, page.Products)
}

func productsByID(t *testing.T, p *products) {
	t.Helper()
	inv := p.bought(t, shopOne, "LTE INT ITALAC 1L", "SAL CISNE 1KG")
	ids := []string{inv.Items[0].ProductID, inv.Items[1].ProductID, NewID(t), "no id"}
	found, err := p.catalogue.Products(t.Context(), p.user, ids)
	require.NoError(t, err)
	assert.Len(t, found, 2)
	got := found[ids[0]]
	assert.Equal(t, product.Product{
		ID: ids[0], UserID: p.user, Key: "label:leite integral italac 1 l", Name: "Leite integral Italac 1 L", Brand: "Italac", Size: got.Size,
		Measure: product.MeasureLitre, Class: product.Class{Category: "dairy", Group: product.GroupDairy, Essential: true},
		CreatedAt: At(1).UTC(), UpdatedAt: At(1).UTC(),
	}, *got)
	found, err = p.catalogue.Products(t.Context(), NewUser(t, p.Accounts), ids)
	require.NoError(t, err)
	assert.Empty(t, found)
	found, err = p.catalogue.Products(t.Context(), p.user, nil)
	require.NoError(t, err)
	assert.Empty(t, found)
}
