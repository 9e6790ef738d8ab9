package danfe

import "slices"

// solve takes the readings of an item's three figures that agree, if the shape of the figures alone leaves one way: a comma for a
// point, a letter for a digit. What is printed wins whenever it agrees, to the centavo that tills round by.
func (it *item) solve() {
	q, p, t := readings(it.quantity.raw, quantityKind), readings(it.price.raw, priceKind), readings(it.total.raw, amountKind)
	it.proved = false
	if len(q) == 0 || len(p) == 0 || len(t) == 0 {
		return
	}
	if closes(q[0], p[0], t[0], 1) && t[0].n > 0 {
		it.take(triple{q[0], p[0], t[0]})
		return
	}
	if best, ok := onlyTriple(q, p, t, nil); ok {
		it.take(best)
	}
}

type triple struct{ quantity, price, total value }

func (c triple) cost() int { return c.quantity.cost + c.price.cost + c.total.cost }

func (c triple) same(o triple) bool {
	return c.quantity.text() == o.quantity.text() && c.price.text() == o.price.text() && c.total.text() == o.total.text()
}

func (it *item) take(c triple) {
	it.quantity.value, it.price.value, it.total.value = c.quantity, c.price, c.total
	it.quantity.ok, it.price.ok, it.total.ok = true, true, true
	it.proved = true
}

// onlyTriple is the cheapest combination that agrees to the centavo and passes accept; false when there is none, or more than
// one of that cost.
func onlyTriple(q, p, t []value, accept func(triple) bool) (triple, bool) {
	var best triple
	found, unique := false, false
	for _, a := range q {
		for _, b := range p {
			for _, c := range t {
				next := triple{a, b, c}
				if a.n == 0 || b.n == 0 || c.n == 0 || !closes(a, b, c, 0) || accept != nil && !accept(next) {
					continue
				}
				switch {
				case !found || next.cost() < best.cost():
					best, found, unique = next, true, true
				case next.cost() == best.cost() && !next.same(best):
					unique = false
				}
			}
		}
	}
	return best, found && unique
}

// How much a change costs when several would do: the smaller one is taken.
const (
	lost    = 3 // a figure that cannot be read at all
	unlikes = 4 // a figure that was misread by more than a character
)

// guesses are the ways to make an item agree by changing one of its figures, when one character or the whole figure was
// misread. The other two stand as they are. None of them is taken before a sum proves it.
func (it *item) guesses() []triple {
	q, p, t := readings(it.quantity.raw, quantityKind), readings(it.price.raw, priceKind), readings(it.total.raw, amountKind)
	var out []triple
	add := func(c triple) {
		if c.quantity.n > 0 && c.price.n > 0 && c.total.n > 0 && closes(c.quantity, c.price, c.total, 0) && !contains(out, c) {
			out = append(out, c)
		}
	}
	for _, a := range q {
		for _, b := range p {
			total := centavos(rescale(a.n*b.n, a.places+b.places))
			total.cost = changed(it.total.raw, t, total)
			add(triple{a, b, total})
		}
		for _, c := range t {
			if a.places == 0 && a.n > 0 && c.n%a.n == 0 {
				price := centavos(c.n / a.n)
				if price.cost = changed(it.price.raw, p, price); price.cost < unlikes {
					add(triple{a, price, c})
				}
			}
		}
		for _, b := range confusions(it.price.raw, priceKind) {
			for _, c := range t {
				add(triple{a, b, c})
			}
		}
	}
	for _, b := range p {
		for _, c := range t {
			// A whole number of pieces, and few of them: a price that divides a total by chance is rare.
			const most = 24
			if n := c.n / max(b.n, 1); b.places == 2 && n >= 1 && n <= most && n*b.n == c.n && it.unit != "KG" {
				pieces := value{n: n}
				if pieces.cost = changed(it.quantity.raw, q, pieces); pieces.cost < unlikes {
					add(triple{pieces, b, c})
				}
			}
			for _, a := range confusions(it.quantity.raw, quantityKind) {
				add(triple{a, b, c})
			}
		}
	}
	return out
}

// changed is the cost of taking v for what was read as one of options.
func changed(raw string, options []value, v value) int {
	if raw == "" || len(options) == 0 {
		return lost
	}
	for _, o := range options {
		if distance(o.text(), v.text()) <= 1 {
			return confused
		}
	}
	return unlikes
}

func contains(all []triple, c triple) bool {
	return slices.ContainsFunc(all, c.same)
}

// maxDoubtful bounds the work of repairing: a document with more doubtful lines is left as it is.
const maxDoubtful = 40

// repair settles doubtful figures by the sums they take part in.
func (d *document) repair() {
	d.repairTotals()
	d.repairItems()
	d.repairDiscounts()
	d.repairTotals() // the lines may prove more now
	for _, it := range d.items {
		if it.description == "" || letterCount(it.description) < 2 {
			it.doubt = true
		}
	}
}

// itemSum is the sum of the lines' totals, and whether every line has one.
func (d *document) itemSum() (sum int64, whole bool) {
	whole = len(d.items) > 0
	for _, it := range d.items {
		if !it.total.ok {
			whole = false
			continue
		}
		sum += it.total.value.cents()
	}
	return sum, whole
}

// linesAre says whether the lines must add up to a known sum, and to which: "Valor total", or what is due where nothing else
// is printed. Two of the paper's own totals must agree on it.
func (d *document) linesAre() (sum int64, ok bool) {
	t := &d.totals
	switch {
	case t.products.ok:
		return t.products.value.cents(), true
	case t.due.ok:
		return t.due.cents() + t.discount.cents() - t.other.cents() - t.freight.cents() - t.insurance.cents(), true
	}
	return 0, false
}

// repairItems settles items whose figures do not agree.
func (d *document) repairItems() {
	var doubtful []*item
	for _, it := range d.items {
		if !it.proved {
			doubtful = append(doubtful, it)
		}
	}
	want, ok := d.linesAre()
	if len(doubtful) == 0 || len(doubtful) > maxDoubtful || !ok {
		return
	}
	var sure int64 // the sum of the other lines
	for _, it := range d.items {
		if it.proved {
			sure += it.total.value.cents()
		}
	}
	options := make([][]triple, len(doubtful))
	for i, it := range doubtful {
		options[i] = it.guesses()
	}
	chosen, ok := onlyChoice(options, want-sure)
	if ok {
		for i, it := range doubtful {
			it.take(chosen[i])
		}
	}
}

// onlyChoice takes one option for each item so that their totals are sum. It fails where there is no way or more than one; it
// gives up where there are too many to try.
func onlyChoice(options [][]triple, sum int64) ([]triple, bool) {
	const most = 20_000 // combinations
	combinations := 1
	for _, o := range options {
		if len(o) == 0 {
			return nil, false
		}
		if combinations *= len(o); combinations > most {
			return nil, false
		}
	}
	var best []triple
	bestCost, unique := 0, false
	pick := make([]int, len(options))
	for range combinations {
		total, cost := int64(0), 0
		for i, o := range options {
			total += o[pick[i]].total.cents()
			cost += o[pick[i]].cost()
		}
		if total == sum {
			switch {
			case best == nil || cost < bestCost:
				best, bestCost, unique = nil, cost, true
				for i, o := range options {
					best = append(best, o[pick[i]])
				}
			case cost == bestCost:
				unique = false
			}
		}
		for i := range pick {
			if pick[i]++; pick[i] < len(options[i]) {
				break
			}
			pick[i] = 0
		}
	}
	return best, best != nil && unique
}

// repairDiscounts settles the one discount of an item that cannot be read where the printed total of discounts proves it.
func (d *document) repairDiscounts() {
	total := d.totals.discount
	if !total.ok {
		return
	}
	var doubtful *item
	var sure int64
	for _, it := range d.items {
		switch f := it.discount; {
		case f.raw == "":
		case f.ok && f.value.cost == literal && (!it.total.ok || f.value.cents() <= it.total.value.cents()):
			sure += f.value.cents()
		case doubtful != nil:
			return
		default:
			doubtful = it
		}
	}
	if doubtful == nil {
		return
	}
	// What is left of the total is this line's, if it differs from what was read in one character at most.
	rest := centavos(total.value.cents() - sure)
	for _, v := range readings(doubtful.discount.raw, amountKind) {
		if rest.n > 0 && len(v.text()) == len(rest.text()) && distance(v.text(), rest.text()) <= 1 {
			doubtful.discount.value, doubtful.discount.ok = rest, true
			return
		}
	}
	if doubtful.discount.ok {
		doubtful.doubt = true
	}
}

// equations are the sums that the totals take part in. A false second result means that too little is known to tell.
func (d *document) equations() (holds [3]bool, known [3]bool) {
	t := &d.totals
	if sum, whole := d.itemSum(); whole && t.products.ok {
		known[0], holds[0] = true, sum == t.products.value.cents()
	}
	if t.products.ok && t.due.ok && t.discount.readable() && t.other.readable() && t.freight.readable() && t.insurance.readable() {
		want := t.products.cents() - t.discount.cents() + t.other.cents() + t.freight.cents() + t.insurance.cents()
		known[1], holds[1] = true, want == t.due.cents()
	}
	if paid, ok := t.paid(); ok && t.due.ok && t.change.readable() {
		known[2], holds[2] = true, paid-t.change.cents() == t.due.cents()
	}
	return holds, known
}

// repairTotals settles one damaged total where every sum that it takes part in then holds.
func (d *document) repairTotals() {
	for _, c := range d.totalsInDoubt() {
		was := *c.figure
		options := append(readings(was.raw, amountKind), confusions(was.raw, amountKind)...)
		var found *value
		unique := true
		for i := range options {
			c.figure.value, c.figure.ok = options[i], true
			holds, known := d.equations()
			good := 0
			for _, e := range c.equations {
				if known[e] && !holds[e] {
					good = -len(holds)
				}
				if holds[e] {
					good++
				}
			}
			if good < c.needed || good < 1 {
				continue
			}
			switch {
			case found == nil || options[i].cost < found.cost:
				found, unique = &options[i], true
			case options[i].cost == found.cost && options[i].cents() != found.cents():
				unique = false
			}
		}
		*c.figure = was
		if found != nil && unique {
			c.figure.value, c.figure.ok = *found, true
		}
	}
}

// doubt is a total that may have been misread: the equations it takes part in, and how many must hold before it is changed.
type doubt struct {
	figure    *figure
	equations []int
	needed    int
}

// totalsInDoubt lists the totals of equations that fail, or whose text was not read as printed.
func (d *document) totalsInDoubt() []doubt {
	t := &d.totals
	holds, known := d.equations()
	var out []doubt
	add := func(f *figure, needed int, equations ...int) {
		if f.raw == "" {
			return
		}
		suspect := !f.ok || f.value.cost > literal
		for _, e := range equations {
			suspect = suspect || known[e] && !holds[e]
		}
		if suspect {
			out = append(out, doubt{f, equations, needed})
		}
	}
	add(&t.products, 2, 0, 1)
	add(&t.due, 2, 1, 2)
	add(&t.discount, 1, 1)
	add(&t.change, 1, 2)
	for i := range t.payments[:min(len(t.payments), 4)] {
		add(&t.payments[i].amount, 1, 2)
	}
	return out
}
