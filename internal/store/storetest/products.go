package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

// Two bar codes that are right, and two shops.
const (
	gtinOne = "7891000100103"
	gtinTwo = "7891000053508"
	shopOne = "11222333000181"
	shopTwo = "12ABC34501DE35"
)

// ExerciseProducts holds a product.Store, below a product.Catalogue, to its promises.
func ExerciseProducts(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *products){
		"a purchase is recorded line by line":                 recordedLines,
		"recording again changes nothing":                     recordedAgain,
		"what does not count is taken out":                    notCounting,
		"a bar code is more than a label":                     gtinBeatsLabel,
		"a product takes the first bar code that comes":       gtinAdopted,
		"a label of this shop is more than one that is alike": exactBeforeAlike,
		"labels that are alike share a product":               alikeLabels,
		"other sizes, kinds and brands are other products":    notAlike,
		"what was taught wins and takes its past along":       taughtMovesHistory,
		"a taught kind reaches earlier purchases":             taughtCategory,
		"a taught name joins the product that has it":         taughtJoins,
		"a name that is taught twice is two products":         taughtApart,
		"a lesson that cannot be is refused":                  badLessons,
		"another user's products are left alone":              otherUsersProducts,
		"products are listed by name":                         listedProducts,
		"products are found by id, their user's only":         productsByID,
		"twenty invoices at once share their products":        recordedAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			test(t, newProducts(t, s))
		})
	}
}

// products is a catalogue over the stores of a test, and a user.
type products struct {
	Stores

	catalogue *product.Catalogue
	user      string
}

func newProducts(tb testing.TB, s Stores) *products {
	tb.Helper()
	return &products{Stores: s, catalogue: NewCatalogue(tb, s.Products), user: NewUser(tb, s.Accounts)}
}

// NewCatalogue is a catalogue over a store.
func NewCatalogue(tb testing.TB, s product.Store) *product.Catalogue {
	tb.Helper()
	taxonomy, err := product.LoadTaxonomy()
	require.NoError(tb, err)
	c, err := product.NewCatalogue(product.Config{
		Store: s, Taxonomy: taxonomy, NewID: func() string { return NewID(tb) }, Now: func() time.Time { return At(1) },
	})
	require.NoError(tb, err)
	return c
}

// Bought is a completed invoice of a shop with an item of each label: one unit at ten reais.
func Bought(tb testing.TB, userID, cnpj string, labels ...string) *invoice.Invoice {
	tb.Helper()
	inv := NewInvoice(tb, userID)
	inv.Status = invoice.StatusCompleted
	inv.Issuer = invoice.Issuer{Name: "Supermercado Exemplo Ltda", CNPJ: cnpj}
	inv.IssuedAt = new(At(5))
	for i, label := range labels {
		inv.Items = append(inv.Items, invoice.Item{
			ID: NewID(tb), Line: i + 1, Description: label, Unit: "UN", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(10),
			Total: 1000,
		})
	}
	return inv
}

// save records an invoice and stores it, as the invoice service does.
func (p *products) save(tb testing.TB, inv *invoice.Invoice, lessons ...invoice.Lesson) {
	tb.Helper()
	require.NoError(tb, p.try(tb.Context(), inv, lessons...))
}

func (p *products) try(ctx context.Context, inv *invoice.Invoice, lessons ...invoice.Lesson) error {
	return p.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		save := tx.Save
		if _, err := tx.Lock(ctx, inv.UserID, inv.ID); invoice.CodeOf(err) == invoice.CodeNotFound {
			if err := tx.Insert(ctx, inv); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		if err := p.catalogue.Teach(ctx, tx.SQL(), inv, lessons); err != nil {
			return err
		}
		if err := p.catalogue.Record(ctx, tx.SQL(), inv); err != nil {
			return err
		}
		return save(ctx, inv)
	})
}

// bought saves a new invoice and returns it.
func (p *products) bought(tb testing.TB, cnpj string, labels ...string) *invoice.Invoice {
	tb.Helper()
	inv := Bought(tb, p.user, cnpj, labels...)
	p.save(tb, inv)
	return inv
}

// withGTIN saves an invoice with one item that has a bar code.
func (p *products) withGTIN(tb testing.TB, cnpj, label, gtin string) *invoice.Invoice {
	tb.Helper()
	inv := Bought(tb, p.user, cnpj, label)
	inv.Items[0].GTIN = gtin
	p.save(tb, inv)
	return inv
}

func (p *products) one(tb testing.TB, id string) *product.Product {
	tb.Helper()
	found, err := p.catalogue.Products(tb.Context(), p.user, []string{id})
	require.NoError(tb, err)
	require.Contains(tb, found, id)
	return found[id]
}

// query reads one row as text, NULL as "null".
func (p *products) query(tb testing.TB, columns int, query string) []string {
	tb.Helper()
	out := make([]string, columns)
	require.NoError(tb, p.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) error {
		cells := make([]*string, columns)
		dest := make([]any, columns)
		for i := range cells {
			dest[i] = &cells[i]
		}
		err := tx.SQL().QueryRowContext(ctx, query).Scan(dest...)
		for i, c := range cells {
			if out[i] = "null"; c != nil {
				out[i] = *c
			}
		}
		return err
	}))
	return out
}

func (p *products) count(tb testing.TB, query string) string {
	tb.Helper()
	return p.query(tb, 1, "SELECT CAST(count(*) AS text) FROM "+query)[0]
}

func (p *products) line(tb testing.TB, itemID string) []string {
	tb.Helper()
	return p.query(tb, 9, "SELECT CAST(product_id AS text), bought_on, merchant, label, CAST(quantity_micro AS text), CAST(paid_centavos AS text), "+
		"CAST(price_micro AS text), CAST(measure_price_micro AS text), CAST(invoice_id AS text) FROM purchase_lines WHERE item_id = '"+itemID+"'")
}

func recordedLines(t *testing.T, p *products) {
	t.Helper()
	inv := Bought(t, p.user, "", "CERV SKOL 6X350ML", "BANANA PRATA", "FRALDA PAMPERS G C/30", "BRINDE", "SACOLA", "ROSCA COCO")
	inv.Issuer.Name = "Atacadão d'Ávila Ltda"
	inv.IssuedAt = new(time.Date(2026, 12, 1, 2, 59, 59, 0, time.UTC)) // November yet in Brasília
	items := inv.Items
	items[0].Quantity, items[0].Total, items[0].Discount = decimal.RequireFromString("2"), 4200, 42
	items[1].Unit, items[1].Quantity, items[1].Total = "KG", decimal.RequireFromString("0.456"), 296
	items[2].Quantity, items[2].Total = decimal.RequireFromString("1"), 4990
	items[3].Quantity, items[3].Total = decimal.Zero, 0
	items[4].NotInTotal = true
	items[5].Quantity, items[5].Total = decimal.RequireFromString("99999999999999999999"), 100
	p.save(t, inv)

	on, merchant := "2026-11-30", "name:atacadao davila"
	assert.Equal(t, []string{
		on, merchant, "Atacadão d'Ávila Ltda", "wholesale", "9544", "5", p.user,
	}, p.query(t, 7, "SELECT bought_on, merchant, merchant_name, merchant_category, CAST(total_centavos AS text), CAST(item_count AS text), "+
		"CAST(user_id AS text) FROM purchases WHERE invoice_id = '"+inv.ID+"'"))
	assert.Equal(t, []string{
		items[0].ProductID, on, merchant, "cerveja skol 6 x 350 ml", "2000000", "4158", "20790000", "9900000", inv.ID,
	}, p.line(t, items[0].ID))
	assert.Equal(t, []string{
		items[1].ProductID, on, merchant, "banana prata kg", "456000", "296", "6491228", "6491228", inv.ID,
	}, p.line(t, items[1].ID))
	assert.Equal(t, []string{
		items[2].ProductID, on, merchant, "fralda pampers g 30 un", "1000000", "4990", "49900000", "1663333", inv.ID,
	}, p.line(t, items[2].ID))
	assert.Equal(t, []string{items[3].ProductID, on, merchant, "brinde", "0", "0", "null", "null", inv.ID}, p.line(t, items[3].ID))
	assert.Equal(t, []string{items[5].ProductID, on, merchant, "rosca coco", "0", "100", "null", "null", inv.ID}, p.line(t, items[5].ID))
	assert.Equal(t, "0", p.count(t, "purchase_lines WHERE item_id = '"+items[4].ID+"'"))
	assert.NotEmpty(t, items[4].ProductID)
	assert.Equal(t, "alcohol", items[0].Category)
	assert.Equal(t, "baby", items[2].Category)

	inv.Totals.Due = new(fiscal.Money(9000)) // a discount on the whole
	p.save(t, inv)
	assert.Equal(t, []string{"9000"}, p.query(t, 1, "SELECT CAST(total_centavos AS text) FROM purchases WHERE invoice_id = '"+inv.ID+"'"))

	inv.IssuedAt = nil
	p.save(t, inv)
	assert.Equal(t, []string{"2026-11-23"}, p.query(t, 1, "SELECT bought_on FROM purchases WHERE invoice_id = '"+inv.ID+"'"))

	beer := p.one(t, items[0].ProductID)
	assert.Equal(t, "Cerveja Skol 6 x 350 ml", beer.Name)
	assert.Equal(t, "label:cerveja skol 6 x 350 ml", beer.Key)
	assert.Equal(t, "2.1", beer.Size.String())
	assert.Equal(t, "banana_prata", p.one(t, items[1].ProductID).Produce)
	assert.True(t, p.one(t, items[2].ProductID).Child)
}

func recordedAgain(t *testing.T, p *products) {
	t.Helper()
	inv := p.bought(t, shopOne, "LTE INT ITALAC 1L", "LEITE INTEGRAL ITALAC 1L", "QJO MUSS FAT KG", "LTE INT ITALAC 1L")
	before := append([]invoice.Item(nil), inv.Items...)
	assert.Equal(t, before[0].ProductID, before[1].ProductID, "one label in two ways")
	assert.Equal(t, before[0].ProductID, before[3].ProductID)
	for range 2 {
		p.save(t, inv)
	}
	assert.Equal(t, before, inv.Items)
	assert.Equal(t, "2", p.count(t, "products"))
	assert.Equal(t, "2", p.count(t, "product_labels"))
	assert.Equal(t, "1", p.count(t, "purchases"))
	assert.Equal(t, "4", p.count(t, "purchase_lines"))
	inv.Items = inv.Items[:1]
	p.save(t, inv)
	assert.Equal(t, "1", p.count(t, "purchase_lines"))
}

func notCounting(t *testing.T, p *products) {
	t.Helper()
	for name, change := range map[string]func(*invoice.Invoice){
		"test document": func(inv *invoice.Invoice) { inv.TestDocument = true },
		"no items":      func(inv *invoice.Invoice) { inv.Items = nil },
		"failed":        func(inv *invoice.Invoice) { inv.Status = invoice.StatusFailed },
		"queued":        func(inv *invoice.Invoice) { inv.Status = invoice.StatusQueued },
	} {
		inv := p.bought(t, shopOne, "LTE INT ITALAC 1L")
		change(inv)
		p.save(t, inv)
		assert.Equal(t, "0", p.count(t, "purchases"), name)
		assert.Equal(t, "0", p.count(t, "purchase_lines"), name)
		for _, it := range inv.Items {
			assert.Empty(t, it.ProductID, name)
			assert.Equal(t, "dairy", it.Category, name)
		}
		p.DeleteInvoice(t, inv.ID)
	}
	inv := Bought(t, p.user, shopOne, "LTE INT ITALAC 1L")
	inv.Status = invoice.StatusNeedsReview
	p.save(t, inv)
	assert.Equal(t, "1", p.count(t, "purchases"), "one that waits for a review counts")
}

func gtinBeatsLabel(t *testing.T, p *products) {
	t.Helper()
	one := p.withGTIN(t, shopOne, "BISC RECH 140G", gtinOne).Items[0].ProductID
	assert.Equal(t, "gtin:"+gtinOne, p.one(t, one).Key)
	two := p.withGTIN(t, shopOne, "BISC RECH 140G", gtinTwo).Items[0].ProductID
	assert.NotEqual(t, one, two, "one label, two bar codes")
	assert.Equal(t, one, p.withGTIN(t, shopTwo, "BOLACHA RECHEADA XYZ", gtinOne).Items[0].ProductID, "two labels, one bar code")
	assert.Equal(t, one, p.withGTIN(t, shopTwo, "BOLACHA RECHEADA XYZ", "0"+gtinOne).Items[0].ProductID, "with a zero before it")
	for _, none := range []string{"7891000100104", "2000012345678", "0000000000000", "SEM GTIN"} {
		inv := p.withGTIN(t, shopTwo, "SABAO PO "+none, none)
		assert.Empty(t, p.one(t, inv.Items[0].ProductID).GTIN, none)
	}
}

func gtinAdopted(t *testing.T, p *products) {
	t.Helper()
	id := p.bought(t, shopOne, "LTE INT ITALAC 1L").Items[0].ProductID
	assert.Equal(t, id, p.withGTIN(t, shopTwo, "LEITE INT ITALAC 1L", gtinOne).Items[0].ProductID)
	assert.Equal(t, gtinOne, p.one(t, id).GTIN)
	assert.NotEqual(t, id, p.withGTIN(t, shopOne, "LTE INT ITALAC 1L", gtinTwo).Items[0].ProductID)
	assert.Equal(t, id, p.withGTIN(t, shopOne, "QUALQUER COISA", gtinOne).Items[0].ProductID)
}

func exactBeforeAlike(t *testing.T, p *products) {
	t.Helper()
	exact := p.bought(t, shopOne, "LEITE INTEGRAL UHT ITALAC 1L")
	p.save(t, exact, invoice.Lesson{ItemID: exact.Items[0].ID, Name: "Leite da vovó"})
	own := exact.Items[0].ProductID
	alike := p.bought(t, shopTwo, "LEITE INTEGRAL ITALAC 1L").Items[0].ProductID
	require.NotEqual(t, own, alike)
	assert.Equal(t, own, p.bought(t, shopOne, "LEITE INTEGRAL UHT ITALAC 1L").Items[0].ProductID)
	assert.Equal(t, own, p.bought(t, shopTwo, "LEITE INTEGRAL UHT ITALAC 1L").Items[0].ProductID, "the same label at another shop")
	assert.Equal(t, alike, p.bought(t, shopOne, "LEITE INTEGRAL ITALAC 1L").Items[0].ProductID)
}

func alikeLabels(t *testing.T, p *products) {
	t.Helper()
	id := p.bought(t, shopOne, "LEITE INTEGRAL ITALAC 1L").Items[0].ProductID
	for _, label := range []string{"LEITE INT UHT ITALAC 1L", "ITALAC LEITE INTEGRAL 1L", "LEITE INTEGRAL ITALAC CX 1000ML", "LEITE INTEGRAL ITLAC 1L"} {
		assert.Equal(t, id, p.bought(t, shopTwo, label).Items[0].ProductID, label)
	}
	assert.Equal(t, "1", p.count(t, "products"))
}

func notAlike(t *testing.T, p *products) {
	t.Helper()
	seen := map[string]string{}
	for _, label := range []string{
		"REFRI COCA COLA LT 350ML", "REFRI COCA COLA ZERO LT 350ML", "REFRI COCA COLA 2L", "REFRI PEPSI COLA LT 350ML", "LEITE INTEGRAL ITALAC 1L",
		"LEITE DESNATADO ITALAC 1L", "LEITE INTEGRAL PARMALAT 1L", "LEITE SEMI ITALAC 1L", "IOG NESTLE MOR 170G", "IOG NESTLE COCO 170G",
		"OVOS BRANCOS 12UN", "OVOS BRANCOS 20UN", "MELANCIA BABY", "MELANCIA BABY KG", "FEIJAO BRANCO 1KG", "FEIJAO PRETO 1KG",
	} {
		id := p.bought(t, shopOne, label).Items[0].ProductID
		assert.Empty(t, seen[id], label)
		seen[id] = label
	}
}

func otherUsersProducts(t *testing.T, p *products) {
	t.Helper()
	other := &products{Stores: p.Stores, catalogue: p.catalogue, user: NewUser(t, p.Accounts)}
	theirs := other.withGTIN(t, shopOne, "LTE INT ITALAC 1L", gtinOne)
	before := *other.one(t, theirs.Items[0].ProductID)
	mine := p.withGTIN(t, shopOne, "LTE INT ITALAC 1L", gtinOne)
	assert.NotEqual(t, theirs.Items[0].ProductID, mine.Items[0].ProductID)
	p.save(t, mine, invoice.Lesson{ItemID: mine.Items[0].ID, Name: "Meu leite", Category: "other"})
	assert.Equal(t, before, *other.one(t, theirs.Items[0].ProductID))
	stored, err := p.Invoices.Invoice(t.Context(), other.user, theirs.ID)
	require.NoError(t, err)
	assert.Equal(t, "dairy", stored.Items[0].Category)
	assert.Equal(t, theirs.Items[0].ProductID, other.line(t, theirs.Items[0].ID)[0])
	assert.Equal(t, theirs.Items[0].ProductID, other.bought(t, shopOne, "LTE INT ITALAC 1L").Items[0].ProductID)
	p.DeleteUser(t, p.user)
	assert.Equal(t, "1", p.count(t, "products"))
	assert.Equal(t, "2", p.count(t, "purchase_lines"))
}

func recordedAtOnce(t *testing.T, p *products) {
	t.Helper()
	const invoices, shared = 20, 8
	all := make([]*invoice.Invoice, invoices)
	for n := range all {
		var labels []string
		for i := range shared { // each in an order of its own
			labels = append(labels, fmt.Sprintf("PRODUTO NUMERO %c 500G", 'A'+(i*3+n)%shared))
		}
		all[n] = Bought(t, p.user, []string{shopOne, shopTwo}[n%2], labels...)
	}
	errs := make([]error, invoices)
	var wg sync.WaitGroup
	for n, inv := range all {
		wg.Go(func() { errs[n] = p.try(t.Context(), inv) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	assert.Equal(t, strconv.Itoa(shared), p.count(t, "products"))
	assert.Equal(t, strconv.Itoa(2*shared), p.count(t, "product_labels"))
	assert.Equal(t, strconv.Itoa(invoices), p.count(t, "purchases"))
	assert.Equal(t, strconv.Itoa(invoices*shared), p.count(t, "purchase_lines"))
}
