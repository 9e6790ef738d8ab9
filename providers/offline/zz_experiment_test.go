package offline

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/offline/danfe"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/shopspring/decimal"
)

var (
	xn    = flag.Int("x.n", 6, "")
	xs    = flag.Float64("x.scale", 1, "")
	xd    = flag.String("x.d", "clean,tilt,noise,scan,photo", "")
	xp    = flag.String("x.p", "6:1;6:900;6:1280;6:1600", "")
	xv    = flag.Bool("x.v", false, "")
	xseed = flag.Uint64("x.seed", 1000, "")
)

func eq(a, b string) bool {
	if a == "" {
		a = "0"
	}
	x, e := decimal.NewFromString(a)
	y, f := decimal.NewFromString(b)
	return e == nil && f == nil && x.Equal(y)
}

func exact(w receipts.TruthItem, g sdk.ReceiptItem) bool {
	return eq(g.Quantity, w.Quantity) && eq(g.UnitPrice, w.UnitPrice) && eq(g.Total, w.Total.Decimal().String()) && eq(g.Discount, w.Discount.Decimal().String())
}

func countExact(w receipts.Truth, g sdk.Receipt) (n, sure int) {
	used := map[int]bool{}
	from := 0
	for _, wi := range w.Items {
		for j := from; j < len(g.Items) && j < from+4; j++ {
			if !used[j] && exact(wi, g.Items[j]) {
				used[j] = true
				n++
				from = j + 1
				break
			}
		}
	}
	for j, g := range g.Items {
		if !used[j] && !g.Uncertain {
			sure++
		}
	}
	return
}

func TestX(t *testing.T) {
	p := New(Config{})
	var ps []pass
	for _, s := range strings.Split(*xp, ";") {
		var a pass
		psm, w, _ := strings.Cut(s, ":")
		a.psm = psm
		if strings.HasSuffix(w, "s") {
			a.soft = 2
			w = strings.TrimSuffix(w, "s")
		}
		a.even = strings.HasSuffix(w, "e")
		fmt.Sscan(strings.TrimSuffix(w, "e"), &a.width)
		ps = append(ps, a)
	}
	for _, dn := range strings.Split(*xd, ",") {
		d, err := receipts.DistortionNamed(dn)
		if err != nil {
			t.Fatal(err)
		}
		set := receipts.Set{Count: *xn, Seed: *xseed, Scale: *xs, Formats: []string{"jpg"}, Distortions: []receipts.Distortion{d}}
		type res struct {
			items, exact, wrongsure, complete, key int
			dur                                    time.Duration
		}
		rs := make([]res, len(ps)+2)
		total := 0
		for s, err := range set.Samples() {
			if err != nil {
				t.Fatal(err)
			}
			pg, err := p.open([]sdk.Page{{MediaType: "image/jpeg", Data: s.Data}})
			if err != nil {
				t.Fatal(err)
			}
			total += len(s.Truth.Items)
			var recs []sdk.Receipt
			add := func(i int, r sdk.Receipt, dur time.Duration) {
				n, ws := countExact(s.Truth, r)
				rs[i].exact += n
				rs[i].wrongsure += ws
				rs[i].dur += dur
				if danfe.Complete(r) {
					rs[i].complete++
				}
				if r.AccessKey == s.Truth.AccessKey {
					rs[i].key++
				}
			}
			for i, a := range ps {
				st := time.Now()
				texts, err := p.texts(context.Background(), pg, a)
				if err != nil {
					t.Fatal(err)
				}
				r := danfe.Parse(texts)
				add(i, r, time.Since(st))
				recs = append(recs, r)
				if !danfe.Complete(r) && i == 0 {
					q := r
					q.Items = nil
					fmt.Printf("!!!!! %s %v items %d\n   got %+v\n  want %+v %+v\n", s.Name, a, len(r.Items), q, s.Truth.Totals, s.Truth.Payments)
				}
				if n, _ := countExact(s.Truth, r); *xv && n < len(s.Truth.Items) {
					fmt.Println("=====", s.Name, a, "tilt", pg[0].tilt, n, "of", len(s.Truth.Items))
					fmt.Println(texts[0])
					for _, it := range r.Items {
						if it.Uncertain {
							fmt.Printf("   ? %+v\n", it)
						}
					}
				}
			}
			for i := 1; i < len(recs) && i < 3; i++ {
				m := recs[0]
				if !danfe.Complete(m) {
					m = danfe.Merge(recs[0], recs[i])
				}
				add(len(ps)+i-1, m, 0)
			}
		}
		for i, a := range rs {
			n := "merge"
			if i < len(ps) {
				n = fmt.Sprint(ps[i])
			}
			fmt.Printf("%-12s %-10s items %d exact %.1f%% wrong-but-sure %d complete %d/%d key %d  %.2fs each\n", dn, n, total, 100*float64(a.exact)/float64(total), a.wrongsure, a.complete, *xn, a.key, a.dur.Seconds()/float64(*xn))
		}
	}
}
