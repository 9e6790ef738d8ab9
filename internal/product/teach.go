package product

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// maxName bounds a product's name, in characters.
const maxName = 120

// Teach implements invoice.Catalogue. Where a product is taught twice by other labels and shops, the name of the one does not
// become the other's: see renamed.
func (c *Catalogue) Teach(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice, lessons []invoice.Lesson) error {
	items, lessons, err := c.checked(inv, lessons)
	if err != nil || len(lessons) == 0 {
		return err
	}
	if err := c.store.Lock(ctx, tx, inv.UserID); err != nil {
		return fmt.Errorf("teach products: %w", err)
	}
	found, s, err := c.resolve(ctx, tx, inv, items)
	if err != nil {
		return fmt.Errorf("teach products: %w", err)
	}
	l := &lesson{catalogue: c, shelf: s, userID: inv.UserID, changed: map[string]*Product{}, before: map[string]bool{}}
	if err := l.readNames(ctx, tx, items, lessons); err != nil {
		return fmt.Errorf("teach products: %w", err)
	}
	for i := range lessons {
		found[i] = l.learn(found[i], items[i].Unit, lessons[i])
	}
	if err := l.write(ctx, tx, inv, found); err != nil {
		return fmt.Errorf("teach products: %w", err)
	}
	return nil
}

// checked gives the lessons that say something, tidied, and the items they are about.
func (c *Catalogue) checked(inv *invoice.Invoice, lessons []invoice.Lesson) (items []invoice.Item, said []invoice.Lesson, err error) {
	for _, l := range lessons {
		l.Name = tidy(l.Name)
		if l.Name == "" && l.Category == "" {
			continue
		}
		if len([]rune(l.Name)) > maxName {
			return nil, nil, badInput("productName", fmt.Sprintf("O nome do produto pode ter até %d caracteres.", maxName))
		}
		if _, ok := c.taxonomy.Category(l.Category); l.Category != "" && !ok {
			return nil, nil, badInput("category", "Esta categoria de produto não existe.")
		}
		i := slices.IndexFunc(inv.Items, func(it invoice.Item) bool { return it.ID == l.ItemID })
		if i < 0 {
			return nil, nil, badInput("itemId", "Este item não é desta nota fiscal.")
		}
		items, said = append(items, inv.Items[i]), append(said, l)
	}
	return items, said, nil
}

func badInput(field, message string) error {
	return &invoice.Error{Code: invoice.CodeBadUserInput, Message: message, Field: field}
}

// tidy drops control characters, and blanks where one is enough.
func tidy(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, " "))
	return strings.Join(strings.Fields(name), " ")
}

// lesson is what one call of Teach does to a user's products.
type lesson struct {
	catalogue *Catalogue
	shelf     *shelf
	userID    string
	taken     map[string]bool // keys that products had before the lesson
	named     []*Product      // that may have one of the names
	renamed   map[string]bool // ids of products that have a name from this lesson
	made      []*Product
	changed   map[string]*Product
	before    map[string]bool // ids of products that a label was taken away from
}

// readNames reads the products that have one of the taught names already: one statement.
func (l *lesson) readNames(ctx context.Context, tx *sql.Tx, items []invoice.Item, lessons []invoice.Lesson) error {
	l.taken, l.renamed = map[string]bool{}, map[string]bool{}
	var q KnownQuery
	for i, said := range lessons {
		if said.Name != "" {
			label := l.catalogue.taxonomy.labels.Parse(said.Name, items[i].Unit)
			q.Names = append(q.Names, said.Name, label.Name)
			q.Keys = append(q.Keys, labelKey(label.Key))
		}
	}
	if len(q.Names) > 0 {
		products, err := l.catalogue.store.Known(ctx, tx, l.userID, q)
		if err != nil {
			return err
		}
		for _, p := range products {
			if known := l.shelf.byID[p.ID]; known != nil {
				p = known
			} else {
				l.shelf.add(p)
			}
			l.named = append(l.named, p)
		}
	}
	for _, p := range l.shelf.byID {
		l.taken[p.Key] = true
	}
	return nil
}

// learn changes or exchanges the product of an item.
func (l *lesson) learn(r resolved, unit string, said invoice.Lesson) resolved {
	old := r.product
	if said.Name != "" {
		label := l.catalogue.taxonomy.labels.Parse(said.Name, unit)
		r.product = l.productNamed(r, said.Name, label, unit)
	}
	p := r.product
	if said.Category != "" {
		p.Class = l.catalogue.classIn(said.Category, p)
	}
	p.Taught = true
	p.UpdatedAt = l.catalogue.now()
	if !slices.Contains(l.made, p) {
		l.changed[p.ID] = p
	}
	if old != p {
		l.before[old.ID] = true
	}
	return r
}

// productNamed is another product that has the name already, or the item's own under its new name, or a new one.
func (l *lesson) productNamed(r resolved, name string, label Label, unit string) *Product {
	labels := l.catalogue.taxonomy.labels
	for _, p := range slices.Concat(l.named, l.made) {
		if p != r.product && (p.Key == labelKey(label.Key) || labels.Parse(p.Name, weighedUnit(p, unit)).Key == label.Key) {
			return p
		}
	}
	p := r.product
	if l.belongsToAnother(r) {
		now := l.catalogue.now()
		p = &Product{
			ID: l.catalogue.newID(), UserID: l.userID, Key: labelKey(label.Key), Size: p.Size, Measure: p.Measure, Class: p.Class,
			CreatedAt: now, UpdatedAt: now,
		}
		l.made = append(l.made, p)
	}
	l.catalogue.rename(p, name, label)
	if key := labelKey(label.Key); strings.HasPrefix(p.Key, "label:") && !l.taken[key] {
		p.Key = key
		l.taken[key] = true
	}
	l.renamed[p.ID] = true
	if !slices.Contains(l.made, p) {
		l.named = append(l.named, p)
	}
	return p
}

// belongsToAnother says that the product was named by another label, and no bar code says that both are one: a label that only
// looked like it then gets a product of its own.
func (l *lesson) belongsToAnother(r resolved) bool {
	p := r.product
	if l.renamed[p.ID] {
		return true
	}
	mine := slices.ContainsFunc(l.shelf.links[r.label.Key], func(k LabelLink) bool { return k.ProductID == p.ID && k.Taught })
	return p.Taught && p.GTIN == "" && !mine && p.Key != labelKey(r.label.Key)
}

// weighedUnit is the unit to read a product's name by: a name alone does not say that it is weighed.
func weighedUnit(p *Product, unit string) string {
	if strings.HasPrefix(p.Key, "label:") && strings.HasSuffix(p.Key, " kg") && p.Size.Equal(onePiece()) && p.Measure == MeasureKilogram {
		return "KG"
	}
	if isKilogram(fold(unit)) {
		return ""
	}
	return unit
}

// rename gives a product a name, and what the name says of its brand, size and kind. A kind that the user chose stays.
func (c *Catalogue) rename(p *Product, name string, label Label) {
	p.Name, p.Brand = name, label.Brand
	if label.Size.IsPositive() {
		p.Size, p.Measure = label.Size, label.Measure
	}
	if class := c.taxonomy.Classify(label); class.Category != c.taxonomy.fallback && (!p.Taught || p.Category == c.taxonomy.fallback) {
		p.Class = class
	}
	pieces(p)
}

// classIn is the class of a product that the user put into a category: what its words say, where they say that category.
func (c *Catalogue) classIn(category string, p *Product) Class {
	if class := c.taxonomy.Classify(c.taxonomy.labels.Parse(p.Name, "")); class.Category == category {
		return class
	}
	class := classOf(c.taxonomy.categories[category])
	class.Child = p.Child || c.taxonomy.forChildren(category)
	return class
}

// write stores what the lesson changed, and takes the purchases of before along.
func (l *lesson) write(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice, found []resolved) error {
	c, merchant := l.catalogue, MerchantKey(inv.Issuer)
	byKey := func(a, b *Product) int { return strings.Compare(a.Key, b.Key) }
	slices.SortFunc(l.made, byKey)
	changed := make([]*Product, 0, len(l.changed))
	for _, p := range l.changed {
		changed = append(changed, p)
	}
	slices.SortFunc(changed, byKey)
	if err := c.store.Update(ctx, tx, changed); err != nil {
		return err
	}
	if err := c.store.Insert(ctx, tx, l.made); err != nil {
		return err
	}
	slices.Reverse(found) // of two lessons for one label the last counts
	links := c.links(merchant, found, true)
	if err := c.store.Link(ctx, tx, l.userID, links); err != nil {
		return err
	}
	if err := l.rewrite(ctx, tx, merchant, links, changed); err != nil {
		return err
	}
	var before []string
	for id := range l.before {
		before = append(before, id)
	}
	slices.Sort(before)
	return c.store.Prune(ctx, tx, l.userID, inv.ID, before)
}

// rewrite gives the lines of the ledger with the taught labels their products, and those of all changed products prices that
// fit their sizes.
func (l *lesson) rewrite(ctx context.Context, tx *sql.Tx, merchant string, links []LabelLink, changed []*Product) error {
	c := l.catalogue
	products, byLabel := map[string]*Product{}, map[string]string{}
	var labels, ids []string
	for _, p := range slices.Concat(changed, l.made) {
		products[p.ID] = p
		ids = append(ids, p.ID)
	}
	for _, k := range links {
		labels = append(labels, k.Label)
		byLabel[k.Label] = k.ProductID
	}
	lines, err := c.store.History(ctx, tx, l.userID, merchant, labels, ids)
	if err != nil {
		return err
	}
	for i := range lines {
		line := &lines[i]
		if id := byLabel[line.Label]; id != "" && line.Merchant == merchant {
			line.ProductID = id
		}
		line.MeasurePriceMicro = measurePrice(line.PriceMicro, c.taxonomy.labels.Parse(line.Label, ""), products[line.ProductID])
	}
	return c.store.Repoint(ctx, tx, lines)
}
