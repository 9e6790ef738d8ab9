package danfe

import (
	"strconv"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// marks say how well a receipt adds up.
type marks struct {
	complete  bool
	uncertain int
	points    int
}

func centsOf(s string) (int64, bool) {
	options := readings(s, amountKind)
	if s == "" || len(options) == 0 {
		return 0, false
	}
	return options[0].cents(), true
}

func score(r sdk.Receipt) marks {
	var m marks
	var lines, paid int64
	whole := len(r.Items) > 0
	for _, it := range r.Items {
		t, ok := centsOf(it.Total)
		lines, whole = lines+t, whole && ok
		if it.Uncertain {
			m.uncertain++
		}
	}
	for _, p := range r.Payments {
		c, ok := centsOf(p.Amount)
		paid, whole = paid+c, whole && ok
	}
	products, hasProducts := centsOf(r.Products)
	due, hasDue := centsOf(r.Due)
	discount, _ := centsOf(r.Discount)
	freight, _ := centsOf(r.Freight)
	insurance, _ := centsOf(r.Insurance)
	other, _ := centsOf(r.Other)
	change, _ := centsOf(r.Change)
	if !hasProducts && hasDue {
		products, hasProducts = due+discount-freight-insurance-other, true
	}
	sums := hasProducts && lines == products
	dues := hasProducts && hasDue && products-discount+freight+insurance+other == due
	pays := hasDue && len(r.Payments) > 0 && paid-change == due
	counts := r.ItemCount == strconv.Itoa(len(r.Items))
	for _, good := range [...]bool{sums, sums, dues, pays, counts, counts} {
		if good {
			m.points += 3
		}
	}
	for _, known := range [...]string{r.AccessKey, r.IssuerCNPJ, r.IssuedAt, r.Number} {
		if known != "" {
			m.points++
		}
	}
	m.complete = whole && m.uncertain == 0 && sums && dues && pays && counts
	return m
}

// Merge takes the better of two readings of the same document, and from the other what the better one lacks: lines that it is
// sure of, totals that make the sums hold, and fields that are empty.
func Merge(a, b sdk.Receipt) sdk.Receipt {
	first := a.Items
	if sa, sb := score(a), score(b); sb.points-sb.uncertain > sa.points-sa.uncertain {
		a, b = b, a
	}
	out := a
	out.Items = mergeItems(a.Items, b.Items, a.ItemCount)
	if len(first) == len(out.Items) && len(first) <= mostAligned {
		wordsOf(first, out.Items)
	}
	fill(&out.AccessKey, b.AccessKey)
	fill(&out.Number, b.Number)
	fill(&out.Series, b.Series)
	if len(b.IssuedAt) > len(out.IssuedAt) { // a date with its time
		out.IssuedAt = b.IssuedAt
	}
	fill(&out.Protocol, b.Protocol)
	fill(&out.IssuerName, b.IssuerName)
	fill(&out.IssuerCNPJ, b.IssuerCNPJ)
	fill(&out.ConsumerCPF, b.ConsumerCPF)
	out.Test = a.Test || b.Test
	for _, field := range [...]func(*sdk.Receipt) *string{
		func(r *sdk.Receipt) *string { return &r.ItemCount },
		func(r *sdk.Receipt) *string { return &r.Products },
		func(r *sdk.Receipt) *string { return &r.Discount },
		func(r *sdk.Receipt) *string { return &r.Due },
		func(r *sdk.Receipt) *string { return &r.Other },
		func(r *sdk.Receipt) *string { return &r.Freight },
		func(r *sdk.Receipt) *string { return &r.Change },
	} {
		other := *field(&b)
		if other == "" || other == *field(&out) {
			continue
		}
		before, was := score(out).points, *field(&out)
		*field(&out) = other
		// An empty one is taken unless it breaks a sum; another only where it makes one hold.
		if after := score(out).points; after < before || after == before && was != "" {
			*field(&out) = was
		}
	}
	if len(b.Payments) > 0 {
		before, was := score(out).points, out.Payments
		out.Payments = b.Payments
		if after := score(out).points; after <= before && len(was) > 0 {
			out.Payments = was
		}
	}
	return out
}

func fill(to *string, from string) {
	if *to == "" {
		*to = from
	}
}

// wordsOf takes the names and codes of the first reading, which is the better one at letters, where it has a code.
func wordsOf(first, items []sdk.ReceiptItem) {
	for _, p := range align(first, items) {
		if p[0] < len(first) && p[1] < len(items) && first[p[0]].Code != "" && first[p[0]].Total == items[p[1]].Total {
			from, to := first[p[0]], &items[p[1]]
			to.Description, to.Code, to.GTIN = from.Description, from.Code, from.GTIN
		}
	}
}

// mostAligned is how many lines are aligned at most: the time is quadratic.
const mostAligned = 150

// mergeItems aligns two readings of the same lines. A line that one is sure of replaces the other's doubt; a line that only b
// has, and is sure of, is inserted while fewer lines than printed are there.
func mergeItems(a, b []sdk.ReceiptItem, count string) []sdk.ReceiptItem {
	want, _ := strconv.Atoi(count)
	if len(a) > mostAligned || len(b) > mostAligned {
		return a
	}
	out := make([]sdk.ReceiptItem, 0, len(a))
	i, j := 0, 0
	missing := want - len(a)
	for _, p := range align(a, b) {
		for ; i < p[0]; i++ {
			out = append(out, a[i])
		}
		for ; j < p[1]; j++ {
			if missing > 0 && !b[j].Uncertain {
				out, missing = append(out, b[j]), missing-1
			}
		}
		if i < len(a) && j < len(b) {
			out = append(out, mergeItem(a[i], b[j]))
			i, j = i+1, j+1
		}
	}
	return out
}

func mergeItem(a, b sdk.ReceiptItem) sdk.ReceiptItem {
	if a.Uncertain && !b.Uncertain {
		a, b = b, a
	}
	if a.GTIN == "" && b.GTIN != "" {
		a.GTIN, a.Code = b.GTIN, b.Code
	}
	fill(&a.Code, b.Code)
	fill(&a.Description, b.Description)
	fill(&a.Unit, b.Unit)
	fill(&a.Discount, b.Discount)
	if a.Uncertain {
		fill(&a.Quantity, b.Quantity)
		fill(&a.UnitPrice, b.UnitPrice)
		fill(&a.Total, b.Total)
	}
	return a
}

// align gives the pairs of indices that are the same line, in order, and the two lengths at the end.
func align(a, b []sdk.ReceiptItem) [][2]int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	same := make([][]int, len(a))
	for i := len(a) - 1; i >= 0; i-- {
		same[i] = make([]int, len(b))
		for j := len(b) - 1; j >= 0; j-- {
			same[i][j] = similarity(a[i], b[j])
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if same[i][j] > 0 {
				best[i][j] = max(best[i][j], best[i+1][j+1]+same[i][j])
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case same[i][j] > 0 && best[i][j] == best[i+1][j+1]+same[i][j]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return append(out, [2]int{len(a), len(b)})
}

// similarity of two lines; 0 when they are different ones.
func similarity(a, b sdk.ReceiptItem) int {
	n := 0
	if a.Code != "" && a.Code == b.Code {
		n += 4
	}
	x, y := fold(a.Description), fold(b.Description)
	const longest = 60
	x, y = x[:min(len(x), longest)], y[:min(len(y), longest)]
	if x != "" && y != "" && distance(x, y)*3 <= max(len(x), len(y)) {
		n += 4
	}
	if n == 0 {
		return 0
	}
	for _, p := range [...][2]string{{a.Total, b.Total}, {a.Quantity, b.Quantity}, {a.UnitPrice, b.UnitPrice}} {
		if p[0] != "" && p[0] == p[1] {
			n++
		}
	}
	return n
}
