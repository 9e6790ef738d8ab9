package relay_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

const id = "0193b000-0000-7000-8000-000000000101"

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{relay.TypeInvoice, relay.TypeItem, relay.TypeFile, relay.TypeUser, relay.TypeProduct, relay.TypeInsight} {
		gotType, gotID, err := relay.DecodeID(relay.EncodeID(typ, id))
		require.NoError(t, err)
		assert.Equal(t, typ, gotType)
		assert.Equal(t, id, gotID)
	}
	for _, bad := range []string{
		"", id, "Invoice:" + id, relay.EncodeID("Nope", id), relay.EncodeID("Invoice", "1"), relay.EncodeID("Invoice", "{"+id+"}"),
		relay.EncodeID("Invoice", "0193B000-0000-7000-8000-00000000010A"), relay.EncodeID("Invoice", "urn:uuid:"+id),
		relay.EncodeID("Invoice", id) + "=", relay.EncodeID("Invoice", id) + "\n",
	} {
		_, _, err := relay.DecodeID(bad)
		require.ErrorIs(t, err, relay.ErrID, bad)
	}
}

func TestPageSizes(t *testing.T) {
	t.Parallel()
	n := func(i int) *int { return &i }
	first, last, err := relay.PageSize(nil, nil)
	require.NoError(t, err)
	assert.Equal(t, []int{20, 0}, []int{first, last})
	first, last, err = relay.PageSize(n(1), nil)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 0}, []int{first, last})
	first, last, err = relay.PageSize(nil, n(100))
	require.NoError(t, err)
	assert.Equal(t, []int{0, 100}, []int{first, last})
	for _, bad := range [][2]*int{{n(0), nil}, {n(101), nil}, {n(-1), nil}, {nil, n(0)}, {nil, n(101)}, {n(1), n(1)}} {
		_, _, err = relay.PageSize(bad[0], bad[1])
		require.ErrorIs(t, err, relay.ErrPage)
	}
}

func TestCursorsOfProducts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Leite integral Italac 1 L", "", "Pão | de queijo", "-", strings.Repeat("ã", 500)} {
		c := product.Cursor{Name: name, ID: id}
		got, err := relay.DecodeProductCursor(relay.EncodeProductCursor(c))
		require.NoError(t, err, name)
		assert.Equal(t, c, got)
	}
	at := time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC)
	for _, bad := range []string{
		"", "%%%", relay.EncodeCursor(invoice.Cursor{At: &at, ID: id}), relay.EncodeInsightCursor(insight.Cursor{At: at, ID: id}),
		relay.EncodeProductCursor(product.Cursor{Name: "x", ID: "1"}), relay.EncodeProductCursor(product.Cursor{Name: "\x00", ID: id}),
		relay.EncodeProductCursor(product.Cursor{Name: "\xff", ID: id}),
		relay.EncodeProductCursor(product.Cursor{Name: strings.Repeat("x", 2000), ID: id}),
	} {
		_, err := relay.DecodeProductCursor(bad)
		require.ErrorIs(t, err, relay.ErrCursor, bad)
	}
}

func TestCursorsOfInsights(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 14, 5, 0, 123_456_000, time.UTC)
	for _, rank := range []int{0, 1, 4} {
		c := insight.Cursor{Rank: rank, At: at, ID: id}
		got, err := relay.DecodeInsightCursor(relay.EncodeInsightCursor(c))
		require.NoError(t, err)
		assert.Equal(t, c, got)
	}
	for _, bad := range []string{
		"", "%%%", relay.EncodeCursor(invoice.Cursor{At: &at, ID: id}), relay.EncodeCursor(invoice.Cursor{ID: id}),
		relay.EncodeProductCursor(product.Cursor{Name: "Leite", ID: id}), relay.EncodeInsightCursor(insight.Cursor{Rank: 1000, At: at, ID: id}),
		relay.EncodeInsightCursor(insight.Cursor{At: at, ID: "1"}),
	} {
		_, err := relay.DecodeInsightCursor(bad)
		require.ErrorIs(t, err, relay.ErrCursor, bad)
	}
	_, err := relay.DecodeCursor(relay.EncodeInsightCursor(insight.Cursor{At: at, ID: id}))
	require.ErrorIs(t, err, relay.ErrCursor)
}

func FuzzDecodeID(f *testing.F) {
	f.Add(relay.EncodeID(relay.TypeInvoice, id))
	f.Add(relay.EncodeID(relay.TypeUser, ""))
	f.Add("%%%")
	f.Fuzz(func(t *testing.T, s string) {
		typ, uuid, err := relay.DecodeID(s)
		if err != nil {
			require.ErrorIs(t, err, relay.ErrID)
			return
		}
		assert.Equal(t, s, relay.EncodeID(typ, uuid), "one text alone names an object")
		assert.Len(t, uuid, 36)
	})
}

func FuzzDecodeCursor(f *testing.F) {
	at := time.Date(2026, 11, 23, 14, 5, 0, 123_456_000, time.UTC)
	f.Add(relay.EncodeCursor(invoice.Cursor{At: &at, ID: id}))
	f.Add(relay.EncodeCursor(invoice.Cursor{ID: id}))
	f.Add("LXw")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := relay.DecodeCursor(s)
		if err != nil {
			require.ErrorIs(t, err, relay.ErrCursor)
			return
		}
		assert.Equal(t, s, relay.EncodeCursor(c))
		assert.Len(t, c.ID, 36)
	})
}

func FuzzDecodeProductCursor(f *testing.F) {
	f.Add(relay.EncodeProductCursor(product.Cursor{Name: "Pão | de queijo", ID: id}))
	f.Add("LXw")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := relay.DecodeProductCursor(s)
		if err != nil {
			require.ErrorIs(t, err, relay.ErrCursor)
			return
		}
		assert.Equal(t, s, relay.EncodeProductCursor(c))
		assert.Len(t, c.ID, 36)
		assert.NotContains(t, c.Name, "\x00")
	})
}

func FuzzDecodeInsightCursor(f *testing.F) {
	f.Add(relay.EncodeInsightCursor(insight.Cursor{Rank: 4, At: time.Date(2026, 11, 23, 14, 5, 0, 123_456_000, time.UTC), ID: id}))
	f.Add("LXw")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := relay.DecodeInsightCursor(s)
		if err != nil {
			require.ErrorIs(t, err, relay.ErrCursor)
			return
		}
		assert.Equal(t, s, relay.EncodeInsightCursor(c))
		assert.Len(t, c.ID, 36)
	})
}
