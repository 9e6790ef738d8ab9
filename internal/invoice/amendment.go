package invoice

// Amendment is one correction of an invoice: what the invoice said before, and what it said after.
type Amendment struct {
	Revision

	after Draft
}

// Amendments pairs the invoice's revisions, which are oldest first, with what came after each.
func Amendments(inv *Invoice, revisions []Revision) []*Amendment {
	out := make([]*Amendment, len(revisions))
	for i, r := range revisions {
		out[i] = &Amendment{Revision: r, after: inv.Draft}
		if i > 0 {
			out[i-1].after = r.Draft
		}
	}
	return out
}

// Changes is what the correction changed, field by field.
func (a *Amendment) Changes() []FieldChange { return Changes(a.Draft, a.after) }
