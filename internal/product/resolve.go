package product

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// maxCandidates bounds how many products of the right size a label is compared with.
const maxCandidates = 500

// resolved is an item's label and product.
type resolved struct {
	label   Label
	product *Product
}

// shelf is what is known of a user's products while the items of one invoice are looked up.
type shelf struct {
	merchant   string
	byID       map[string]*Product
	byKey      map[string]*Product
	byGTIN     map[string]*Product
	links      map[string][]LabelLink // by label
	candidates []candidate
	made       []*Product
	changed    map[string]*Product // that took a GTIN
}

// candidate is a product that a label may be alike to.
type candidate struct {
	product *Product
	label   Label
}

// resolve finds the product of every item, and makes those that are new. It writes products; links are the caller's.
func (c *Catalogue) resolve(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice, items []invoice.Item) ([]resolved, *shelf, error) {
	found := make([]resolved, len(items))
	for i, it := range items {
		found[i].label = c.taxonomy.labels.Parse(it.Description, it.Unit)
	}
	s, err := c.shelf(ctx, tx, inv, items, found)
	if err != nil {
		return nil, nil, err
	}
	var open []int
	for i := range items {
		if found[i].product = s.find(found[i].label, globalGTIN(items[i].GTIN)); found[i].product == nil {
			open = append(open, i)
		}
	}
	if err := c.addCandidates(ctx, tx, inv.UserID, s, found, open); err != nil {
		return nil, nil, err
	}
	for _, i := range open {
		found[i].product = c.place(s, inv.UserID, found[i].label, globalGTIN(items[i].GTIN))
	}
	if err := c.write(ctx, tx, inv.UserID, s); err != nil {
		return nil, nil, err
	}
	for i := range found { // a product that somebody else made meanwhile is theirs
		found[i].product = s.byKey[found[i].product.Key]
	}
	return found, s, nil
}

// shelf reads what the labels, keys and GTINs of the items lead to: two statements.
func (c *Catalogue) shelf(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice, items []invoice.Item, found []resolved) (*shelf, error) {
	s := &shelf{
		merchant: MerchantKey(inv.Issuer), byID: map[string]*Product{}, byKey: map[string]*Product{}, byGTIN: map[string]*Product{},
		links: map[string][]LabelLink{}, changed: map[string]*Product{},
	}
	var q KnownQuery
	var labels []string
	for i := range items {
		labels = append(labels, found[i].label.Key)
		q.Keys = append(q.Keys, labelKey(found[i].label.Key))
		if gtin := globalGTIN(items[i].GTIN); gtin != "" {
			q.GTINs = append(q.GTINs, gtin)
			q.Keys = append(q.Keys, gtinKey(gtin))
		}
	}
	links, err := c.store.LabelLinks(ctx, tx, inv.UserID, labels)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		s.links[l.Label] = append(s.links[l.Label], l)
		q.IDs = append(q.IDs, l.ProductID)
	}
	products, err := c.store.Known(ctx, tx, inv.UserID, q)
	if err != nil {
		return nil, err
	}
	s.add(products...)
	return s, nil
}

func labelKey(label string) string { return "label:" + label }

func gtinKey(gtin string) string { return "gtin:" + gtin }

func (s *shelf) add(products ...*Product) {
	for _, p := range products {
		s.byID[p.ID], s.byKey[p.Key] = p, p
		if p.GTIN != "" && s.byGTIN[p.GTIN] == nil {
			s.byGTIN[p.GTIN] = p
		}
	}
}

// find goes through what makes a label certain, in order: taught at this merchant, the bar code, learned at this merchant, the
// same label at any other. But for the first, a product with another bar code is another product.
func (s *shelf) find(l Label, gtin string) *Product {
	var here, taught, anywhere *Product
	for _, link := range s.links[l.Key] {
		p := s.byID[link.ProductID]
		switch {
		case p == nil:
		case link.Merchant == s.merchant && link.Taught:
			return p
		case link.Merchant == s.merchant:
			here = p
		case link.Taught && taught == nil:
			taught = p
		case !link.Taught && anywhere == nil:
			anywhere = p
		}
	}
	if p := s.byGTIN[gtin]; gtin != "" && p != nil {
		return p
	}
	for _, p := range []*Product{here, taught, s.byKey[labelKey(l.Key)], anywhere} {
		if s.takes(p, gtin) {
			return p
		}
	}
	return nil
}

// takes says whether a product may have the bar code. One without any takes the first that comes.
func (s *shelf) takes(p *Product, gtin string) bool {
	switch {
	case p == nil || p.GTIN != "" && gtin != "" && p.GTIN != gtin:
		return false
	case p.GTIN == "" && gtin != "":
		p.GTIN = gtin
		s.byGTIN[gtin] = p
		s.changed[p.ID] = p
	}
	return true
}

// addCandidates reads the products that the open labels may be alike to: one statement.
func (c *Catalogue) addCandidates(ctx context.Context, tx *sql.Tx, userID string, s *shelf, found []resolved, open []int) error {
	var sizes []Size
	for _, i := range open {
		size := Size{Size: sizeText(found[i].label), Measure: found[i].label.Measure}
		if !slices.Contains(sizes, size) {
			sizes = append(sizes, size)
		}
	}
	if len(sizes) == 0 {
		return nil
	}
	products, err := c.store.Sized(ctx, tx, userID, sizes, maxCandidates)
	if err != nil {
		return err
	}
	for _, p := range products {
		if known := s.byID[p.ID]; known != nil {
			p = known // which may have taken a bar code
		} else {
			s.add(p)
		}
		s.candidates = append(s.candidates, c.candidate(p))
	}
	return nil
}

func sizeText(l Label) string {
	if l.Size.IsZero() {
		return ""
	}
	return l.Size.String()
}

func (c *Catalogue) candidate(p *Product) candidate {
	text, ok := strings.CutPrefix(p.Key, "label:")
	if !ok {
		text = p.Name
	}
	return candidate{product: p, label: c.taxonomy.labels.Parse(text, "")}
}

// place finds the product of an open label among those made meanwhile and those that are alike, or makes it.
func (c *Catalogue) place(s *shelf, userID string, l Label, gtin string) *Product {
	if p := s.find(l, gtin); p != nil {
		return p
	}
	class := c.taxonomy.Classify(l)
	if p := c.alike(s, l, gtin, class); p != nil && s.takes(p, gtin) {
		return p
	}
	now := c.now()
	p := &Product{
		ID: c.newID(), UserID: userID, Key: labelKey(l.Key), GTIN: gtin, Name: l.Name, Brand: l.Brand, Size: l.Size, Measure: l.Measure,
		Class: class, CreatedAt: now, UpdatedAt: now,
	}
	if gtin != "" {
		p.Key = gtinKey(gtin)
	}
	pieces(p)
	s.add(p)
	s.made = append(s.made, p)
	s.candidates = append(s.candidates, candidate{product: p, label: l})
	return p
}

// pieces makes one of a fruit or vegetable that is not weighed a piece, or a bunch.
func pieces(p *Product) {
	if p.Produce != "" && p.Measure == MeasureUnit && p.Size.IsZero() {
		p.Size = onePiece()
	}
}

// alike is the candidate that is most like the label; nil when none is, or two products are equally so.
func (c *Catalogue) alike(s *shelf, l Label, gtin string, class Class) *Product {
	best, tied := 0, false
	var found *Product
	for _, k := range s.candidates {
		p := k.product
		if p.Measure != l.Measure || !k.label.Size.Equal(l.Size) || p.GTIN != "" && gtin != "" && p.GTIN != gtin {
			continue
		}
		if p.Category != class.Category && !p.Taught {
			continue
		}
		switch n := c.likeness(l, k.label); {
		case n > best:
			best, tied, found = n, false, p
		case n == best && n > 0 && found != p:
			tied = true
		}
	}
	if tied {
		return nil
	}
	return found
}

// write inserts what is new and updates what took a bar code. Another transaction cannot have inserted the same meanwhile,
// unless it wrote without the lock: what it made is read then, and used.
func (c *Catalogue) write(ctx context.Context, tx *sql.Tx, userID string, s *shelf) error {
	if len(s.made) > 0 {
		slices.SortFunc(s.made, func(a, b *Product) int { return strings.Compare(a.Key, b.Key) })
		if err := c.store.Insert(ctx, tx, s.made); err != nil {
			return err
		}
		var keys []string
		for _, p := range s.made {
			keys = append(keys, p.Key)
			delete(s.changed, p.ID)
		}
		stored, err := c.store.Known(ctx, tx, userID, KnownQuery{Keys: keys})
		if err != nil {
			return err
		}
		s.add(stored...)
	}
	if len(s.changed) == 0 {
		return nil
	}
	var changed []*Product
	for _, p := range s.changed {
		p.UpdatedAt = c.now()
		changed = append(changed, p)
	}
	slices.SortFunc(changed, func(a, b *Product) int { return strings.Compare(a.ID, b.ID) })
	return c.store.Update(ctx, tx, changed)
}
