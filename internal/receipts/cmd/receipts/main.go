// Command receipts writes a folder of fictional receipts, each file with its truth beside it in NAME.truth.json:
//
//	go run ./internal/receipts/cmd/receipts -out DIR -n 15 -seed 1 -formats xml,png,jpg,pdf -distort clean,tilt,noise,blur,shade,scan
//
// With -bundled it writes the samples that are embedded in the product instead, and the other flags but -out are ignored.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "receipts:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("receipts", flag.ContinueOnError)
	dir := flags.String("out", "", "folder to write to; made if need be")
	n := flags.Int("n", 15, "number of receipts")
	seed := flags.Uint64("seed", 1, "seed of the first receipt; each next one has the next")
	formats := flags.String("formats", "xml,png,jpg,pdf", "formats, with commas")
	distort := flags.String("distort", "clean", "distortions, with commas: "+strings.Join(distortionNames(), " "))
	styles := flags.String("styles", "", "styles of paper, with commas, taken in turn; all when empty: "+strings.Join(styleNames(), " "))
	items := flags.Int("items", 0, "lines of each receipt; 0 draws")
	scale := flags.Float64("scale", 1, "pixels of pictures relative to 203 dpi")
	asBundled := flags.Bool("bundled", false, "write the samples that are embedded in the product")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("-out is missing")
	}
	if *n < 0 {
		return errors.New("-n is negative")
	}
	if err := os.MkdirAll(*dir, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if *asBundled {
		samples, err := receipts.MakeBundled()
		if err != nil {
			return err
		}
		for _, s := range samples {
			if err := write(*dir, s, out); err != nil {
				return err
			}
		}
		return nil
	}
	set := receipts.Set{
		Count: *n, Seed: *seed, Options: receipts.Options{Items: *items}, Scale: *scale, Formats: list(*formats),
	}
	for _, name := range list(*distort) {
		d, err := receipts.DistortionNamed(name)
		if err != nil {
			return err
		}
		set.Distortions = append(set.Distortions, d)
	}
	for _, name := range list(*styles) {
		s, ok := receipts.StyleNamed(name)
		if !ok {
			return fmt.Errorf("unknown style %q", name)
		}
		set.Styles = append(set.Styles, s)
	}
	for s, err := range set.Samples() {
		if err != nil {
			return err
		}
		if err := write(*dir, s, out); err != nil {
			return err
		}
	}
	return nil
}

func write(dir string, s receipts.Sample, out io.Writer) error {
	truth, err := s.TruthJSON()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{s.Name: s.Data, s.TruthName(): truth} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("write sample: %w", err)
		}
	}
	if _, err := fmt.Fprintf(out, "%s %d\n", s.Name, len(s.Data)); err != nil {
		return fmt.Errorf("report sample: %w", err)
	}
	return nil
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func distortionNames() []string {
	var names []string
	for _, d := range receipts.Distortions() {
		names = append(names, d.Name)
	}
	return names
}

func styleNames() []string {
	var names []string
	for _, s := range receipts.Styles() {
		names = append(names, s.Name)
	}
	return names
}
