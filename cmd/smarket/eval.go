package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/evaluate"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// byItself is the reader of what needed no provider.
const byItself = "document"

// truthSuffix follows a document's whole file name.
const truthSuffix = ".truth.json"

func evalCommand(load func() (config.Config, error)) *cobra.Command {
	var names []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval DIR",
		Short: "Measure accuracy, cost and latency of each provider over documents with truth files",
		Long: `Reads every document of the folder that has a truth file beside it (receipt.jpg and receipt.jpg.truth.json), with each
provider on its own, and compares. What a document says itself, XML and the text of PDFs, is read without a provider and
counted apart. go run ./internal/receipts/cmd/receipts makes such a folder.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			if len(names) == 0 {
				names = cfg.ActiveProviders()
			}
			return eval(cmd, cfg, args[0], names, asJSON)
		},
	}
	cmd.Flags().StringSliceVar(&names, "providers", nil, "the providers to measure (default: all that have a key)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// evaluation is what is known of one reader after all documents.
type evaluation struct {
	Reader string `json:"reader"` // a provider, or byItself
	evaluate.Score
	Failed    int    `json:"failed"`
	Calls     int    `json:"calls"`
	Unpriced  int    `json:"callsWithoutPrice"`
	CostUSD   string `json:"costUsd"`
	LatencyMS struct {
		P50 int64 `json:"p50"`
		P95 int64 `json:"p95"`
	} `json:"latencyMs"`

	latencies []time.Duration
}

func eval(cmd *cobra.Command, cfg config.Config, dir string, names []string, asJSON bool) error {
	documents, err := withTruth(dir)
	if err != nil {
		return err
	}
	document := &evaluation{Reader: byItself, CostUSD: "0"}
	all := []*evaluation{document}
	for i, name := range names {
		if !slices.Contains(cfg.ActiveProviders(), name) {
			return fmt.Errorf("provider %q is not in PROVIDER_ORDER, or has no key", name)
		}
		only := cfg
		only.Providers.Order = []string{name}
		e := &evaluation{Reader: name}
		all = append(all, e)
		apart := document
		if i > 0 {
			apart = &evaluation{} // the documents' own word was counted with the first provider
		}
		if err := evalProvider(cmd, only, documents, e, apart); err != nil {
			return err
		}
	}
	for _, e := range all {
		e.LatencyMS.P50, e.LatencyMS.P95 = percentile(e.latencies, 50), percentile(e.latencies, 95)
	}
	if asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	return printEvaluations(cmd.OutOrStdout(), all)
}

func evalProvider(cmd *cobra.Command, cfg config.Config, documents []string, e, document *evaluation) (err error) {
	ctx := cmd.Context()
	reader, err := app.NewPreviewer(ctx, cfg, app.NewLogger(cfg, io.Discard))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close(ctx)) }()
	for _, path := range documents {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := evalDocument(ctx, reader, path, e, document); err != nil {
			return err
		}
	}
	spent := reader.Meter.Spent()
	e.Calls, e.Unpriced, e.CostUSD = spent.Calls, spent.Unpriced, spent.Cost.USD()
	return nil
}

func evalDocument(ctx context.Context, reader *app.Previewer, path string, e, document *evaluation) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	text, err := readFile(path + truthSuffix)
	if err != nil {
		return err
	}
	var truth receipts.Truth
	if err := json.Unmarshal(text, &truth); err != nil {
		return fmt.Errorf("%s%s: %w", path, truthSuffix, err)
	}
	started := time.Now()
	inv, err := reader.Preview(ctx, [][]byte{data}, func(invoice.Event) {})
	if err != nil {
		e.Failed++
		e.Add(evaluate.Score{Documents: 1, Items: len(truth.Items)})
		return ctx.Err() // one that cannot be read is a result; the end of the command is not
	}
	if inv.Attempts[0].Provider == byItself {
		e = document
	}
	e.Add(evaluate.Compare(inv, truth))
	e.latencies = append(e.latencies, time.Since(started))
	return nil
}

// withTruth lists the documents of a folder that have a truth file, by name.
func withTruth(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var documents []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), truthSuffix); ok {
			documents = append(documents, filepath.Join(dir, name))
		}
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("no file in %s has a truth file (NAME%s) beside it", dir, truthSuffix)
	}
	return documents, nil
}

func percentile(d []time.Duration, p int) int64 {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[(len(d)-1)*p/100].Milliseconds()
}

func printEvaluations(w io.Writer, all []*evaluation) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "reader\tdocuments\titems\texact\tinvented\tfields\tkeys\tdue\tcompleted\tfailed\tcalls\tUS$\tp50 ms\tp95 ms\t")
	for _, e := range all {
		if e.Documents == 0 {
			continue
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%s\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%d\t%d\t\n", e.Reader, e.Documents, e.Items,
			percent(e.Exact, e.Items), e.Invented, percent(e.FieldsExact, e.Fields), percent(e.Keys, e.Documents),
			percent(e.Due, e.Documents), e.Completed, e.Failed, e.Calls, e.CostUSD, e.LatencyMS.P50, e.LatencyMS.P95)
	}
	return tw.Flush()
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
