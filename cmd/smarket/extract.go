package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// exitNeedsReview is the exit code of `extract` when the purchase was read but a check failed.
const exitNeedsReview = 2

func extractCommand(load func() (config.Config, error)) *cobra.Command {
	var asJSON bool
	var code code
	cmd := &cobra.Command{
		Use:   "extract FILE...",
		Short: "Read one purchase (photos, PDF, XML, QR code or access key) and print it",
		Long: `Reads the files of one purchase, in order, with the pipeline of the server but without a server: nothing is stored.
With --qr or --key the state is asked for its record instead, which SEFAZ_LOOKUP=on allows.

Exit code: 0 all checks passed, 2 read but needs review, 1 failed.`,
		Args: cobra.MaximumNArgs(invoice.MaxFiles),
		RunE: func(cmd *cobra.Command, args []string) error {
			if code.given() == (len(args) > 0) {
				return errors.New("name the files of one purchase, or --qr TEXT, or --key KEY")
			}
			return extract(cmd, load, args, code, asJSON)
		},
	}
	cmd.Flags().StringVar(&code.qr, "qr", "", "the text of the note's QR code")
	cmd.Flags().StringVar(&code.key, "key", "", "the note's access key")
	cmd.MarkFlagsMutuallyExclusive("qr", "key")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the Invoice as JSON, in the shape of the API")
	return cmd
}

// code is what is read in the place of files.
type code struct{ qr, key string }

func (c code) given() bool { return c.qr != "" || c.key != "" }

func extract(cmd *cobra.Command, load func() (config.Config, error), paths []string, code code, asJSON bool) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	files := make([][]byte, 0, len(paths))
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return err
		}
		files = append(files, data)
	}
	reader, err := app.NewPreviewer(cmd.Context(), cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	defer reader.Close(cmd.Context()) //nolint:errcheck // it only stops what the command started
	show := progressLine(cmd.ErrOrStderr())
	var inv *invoice.Invoice
	if code.given() {
		inv, err = reader.PreviewCode(cmd.Context(), code.qr, code.key, show.event)
	} else {
		inv, err = reader.Preview(cmd.Context(), files, show.event)
	}
	show.clear()
	if err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(toJSON(inv)) //nolint:gosec // G117: an access key is printed on the paper, and no secret
	} else {
		err = printInvoice(cmd.OutOrStdout(), inv)
	}
	if err == nil && inv.Status == invoice.StatusNeedsReview {
		return &exitError{exitNeedsReview}
	}
	return err
}

// readFile reads no more than an upload may have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // G304: the user's own file, named on the command line
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, invoice.MaxFileBytes+1))
	_ = f.Close() // it was only read
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(data) > invoice.MaxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d MB", path, invoice.MaxFileBytes>>20)
	}
	return data, nil
}

// line is a line of progress that is written over and over, on a terminal; elsewhere it is silent.
type line struct {
	w      io.Writer
	active bool
}

func progressLine(w io.Writer) *line {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &line{}
	}
	return &line{w: w}
}

func (l *line) event(e invoice.Event) {
	if l.w == nil {
		return
	}
	const width = 24
	done := width * e.Percent / 100
	bar := make([]rune, width)
	for i := range bar {
		bar[i] = '·'
		if i < done {
			bar[i] = '█'
		}
	}
	provider := ""
	if e.Provider != "" {
		provider = " (" + e.Provider + ")"
	}
	fmt.Fprintf(l.w, "\r\x1b[K%s %3d%% %s%s", string(bar), e.Percent, e.Message, provider)
	l.active = true
}

func (l *line) clear() {
	if l.active {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
}
