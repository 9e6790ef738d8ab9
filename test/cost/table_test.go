package cost_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// table is what a whole benchmark says.
type table struct {
	Invoices int    `json:"invoices"`
	Seed     uint64 `json:"seed"`
	Mix      mix    `json:"mix"`
	Steps    []row  `json:"steps"`
	Beyond   row    `json:"beyond_the_plan"`
	// SavedPercent is of the baseline, by all steps.
	SavedPercent float64 `json:"saved_percent"`
}

// mix is what was handed in.
type mix struct {
	People       int `json:"people"`
	Premium      int `json:"premium"`
	Photos       int `json:"photos"`
	PDFs         int `json:"pdfs"`
	XMLs         int `json:"xmls"`
	Again        int `json:"of_these_again"` // documents whose purchase came before
	Readable     int `json:"photos_in_readable_states"`
	WithoutCode  int `json:"photos_without_a_readable_code"`
	BelowMinimum int `json:"below_50_reais"`
	Duplicates   int `json:"duplicates_recognised"`
	Reviews      int `json:"need_review"`
}

// row is a step beside the one before.
type row struct {
	step

	SavedMicroUSD int64   `json:"saved_micro_usd"` // by this step
	OfBaseline    float64 `json:"saved_percent_of_baseline"`
}

func newTable(w *world, steps []step, beyond step) table {
	last := steps[len(steps)-1]
	t := table{Invoices: *invoices, Seed: *seed, Mix: w.mix(), SavedPercent: saved(steps[0], last)}
	t.Mix.Duplicates, t.Mix.Reviews = last.ended[invoice.StageDuplicate], last.ended[invoice.StageNeedsReview]
	for i, s := range steps {
		t.Steps = append(t.Steps, beside(steps[0], steps[max(0, i-1)], s))
	}
	t.Beyond = beside(steps[0], last, beyond)
	return t
}

func beside(first, before, s step) row {
	gain := before.CostMicroUSD - s.CostMicroUSD
	return row{step: s, SavedMicroUSD: gain, OfBaseline: 100 * float64(gain) / float64(first.CostMicroUSD)}
}

func (w *world) mix() mix {
	var m mix
	for _, f := range w.families {
		m.People += f.people()
		if f.premium {
			m.Premium += f.people()
		}
		seen := map[int]bool{}
		for _, s := range f.submissions {
			switch s.form {
			case formPhoto:
				m.Photos++
				m.WithoutCode += btoi(!w.camera.shows(s))
				m.Readable += btoi(f.readable)
			case formPDF:
				m.PDFs++
			case formXML:
				m.XMLs++
			}
			m.Again += btoi(seen[s.serial])
			m.BelowMinimum += btoi(s.receipt.Due() < measures{Conditional: true}.least())
			seen[s.serial] = true
		}
	}
	return m
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// markdown is the table as docs/costs.md has it.
func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d invoices, seed %d: %d photos (%d without a readable QR code), %d PDFs, %d XMLs; %d of them again; %d below R$ 50; %d people, %d premium\n\n",
		t.Invoices, t.Seed, t.Mix.Photos, t.Mix.WithoutCode, t.Mix.PDFs, t.Mix.XMLs, t.Mix.Again, t.Mix.BelowMinimum, t.Mix.People, t.Mix.Premium)
	b.WriteString("| with each measure added | reading calls | analysis calls | input tokens | of them cached | output tokens | US$ | it saves | of the baseline |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range append(t.Steps, t.Beyond) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %.2f | %.2f | %.1f %% |\n",
			r.Name, r.Readings, r.Words, r.Input, r.CachedInput, r.Output, usd(r.CostMicroUSD), usd(r.SavedMicroUSD), r.OfBaseline)
	}
	fmt.Fprintf(&b, "\nSaved: %.1f %% of the baseline.\n", t.SavedPercent)
	return b.String()
}

func usd(micro int64) float64 { return float64(micro) / 1e6 }

// write keeps the table as path.json and path.md; "" shows it in the test's log.
func write(t *testing.T, path string, all table) {
	t.Helper()
	if path == "" {
		t.Log("\n" + all.markdown())
		return
	}
	data, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path+".json", append(data, '\n'), 0o600))
	require.NoError(t, os.WriteFile(path+".md", []byte(all.markdown()), 0o600))
}
