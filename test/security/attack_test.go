package security_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// attack is one line of the list.
type attack struct {
	name     string
	expected string
	// alone keeps the others away: its time or its memory is measured, or it tells the model how to answer.
	alone bool
	run   func(p *probe) string
}

// section is one of the lists.
type section struct {
	name    string
	attacks []attack
}

// probe is an attack under way, on a server that all share.
type probe struct {
	*testing.T
	*server
	stub *llmstub.Stub
	ana  *apitest.Client // has an invoice, and products and insights of it
	bia  *apitest.Client // has nothing
	// invoice is Ana's.
	invoice string

	note string // a figure for the table
}

// row is one of the table.
type row struct{ section, name, expected, got, note string }

func TestAttacks(t *testing.T) { //nolint:tparallel // some are measured, and want to be alone
	t.Parallel()
	known.add(geminiKey, tokenSecret)
	stub := llmstub.Start(t)
	s := start(t, withGemini(stub, "ALLOWED_ORIGINS=https://app.example.com")...)
	ana, bia := member(t, s.url), member(t, s.url)
	invoice := purchase(t, ana)
	sections := []section{
		{"gqlgen", gqlgenAttacks()},
		{"Query", queryAttacks()},
		{"HTTP", httpAttacks()},
		{"Streams", streamAttacks()},
		{"Upload", uploadAttacks()},
		{"Auth", authAttacks()},
		{"LLM and plugins", pluginAttacks()},
		{"Privacy and limits", privacyAttacks()},
	}
	var mu sync.Mutex
	rows := map[string]row{}
	try := func(t *testing.T, section string, a attack) {
		t.Helper()
		p := &probe{T: t, server: s, stub: stub, ana: ana, bia: bia, invoice: invoice}
		got := a.run(p)
		assert.Equal(t, a.expected, got)
		mu.Lock()
		defer mu.Unlock()
		rows[section+a.name] = row{section, a.name, a.expected, got, p.note}
	}
	for _, sec := range sections {
		for _, a := range sec.attacks {
			if a.alone {
				t.Run(sec.name+"/"+a.name, func(t *testing.T) { try(t, sec.name, a) }) //nolint:paralleltest // measured
			}
		}
	}
	t.Run("together", func(t *testing.T) { //nolint:paralleltest // after those that are measured
		for _, sec := range sections {
			for _, a := range sec.attacks {
				if !a.alone {
					t.Run(sec.name+"/"+a.name, func(t *testing.T) {
						t.Parallel()
						try(t, sec.name, a)
					})
				}
			}
		}
	})
	assert.Empty(t, wire.seen(), "no answer blames the service")
	if *table {
		printTable(sections, rows, s.memory(t))
	}
}

// purchase is an invoice that was read from a note.
func purchase(t *testing.T, c *apitest.Client) string {
	t.Helper()
	data, err := receipts.Generate(receipts.NewRand(1), receipts.Options{Items: 3, Plain: true, Consumer: receipts.ConsumerNone}).XML(receipts.XMLOptions{})
	require.NoError(t, err)
	sub, res := c.Submit(t, data)
	require.Empty(t, res.Errors)
	c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
	return sub.SubmitInvoice.Invoice.ID
}

func printTable(sections []section, rows map[string]row, memory int64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LIST\tATTACK\tEXPECTED\tGOT\tMEASURED")
	for _, sec := range sections {
		for _, a := range sec.attacks {
			if r, ok := rows[sec.name+a.name]; ok {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.section, r.name, r.expected, r.got, r.note)
			}
		}
	}
	_ = w.Flush() // to a terminal
	fmt.Fprintf(os.Stdout, "\n%d attacks. The most memory held: %d MB. Answers of 5xx: %d.\n", len(rows), memory>>20, len(wire.seen()))
}

// unique is what came, each answer once, in its order: one when all are alike.
func unique(answers ...string) string {
	var list []string
	seen := map[string]bool{}
	for _, a := range answers {
		if !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	return strings.Join(list, " | ")
}

// costs says "cheap" when a request that is repeated takes no more than ten times the 50 ms of CPU that the list grants, which
// allows for a machine that is slow and busy.
func (p *probe) costs(repeat int, request func() string) string {
	p.Helper()
	const granted, leeway = 50 * time.Millisecond, 10
	before := p.cpu(p.T)
	var answers []string
	for range repeat {
		answers = append(answers, request())
	}
	each := (p.cpu(p.T) - before) / time.Duration(repeat)
	p.note = strings.TrimSpace(p.note + fmt.Sprintf(" %.1f ms of CPU", float64(each)/float64(time.Millisecond)))
	if each > leeway*granted {
		return unique(answers...) + ", dear"
	}
	return unique(answers...)
}
