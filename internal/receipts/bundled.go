package receipts

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"
)

//go:embed bundled
var bundled embed.FS

// Bundled gives the samples that are in the binary, for a first look at the product without a document of one's own. By
// name: two XML files, two PDFs with text, and three pictures of paper.
func Bundled() []Sample {
	entries, err := bundled.ReadDir("bundled")
	if err != nil {
		return nil // cannot be: the folder is part of the binary, and a test holds what is in it
	}
	var out []Sample
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".truth.json") {
			continue
		}
		s := Sample{Name: e.Name()}
		truth, truthErr := bundled.ReadFile(path.Join("bundled", s.TruthName()))
		data, dataErr := bundled.ReadFile(path.Join("bundled", s.Name))
		if dataErr != nil || truthErr != nil || json.Unmarshal(truth, &s.Truth) != nil {
			continue // likewise
		}
		s.Data = data
		out = append(out, s)
	}
	return out
}

// MakeBundled makes the bundled samples again. Whoever changes the generator runs the receipts command with -bundled and
// commits the folder.
func MakeBundled() ([]Sample, error) {
	moment := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 12, 0, zone())
	}
	recipes := []struct {
		name, style, distortion string
		seed                    uint64
		scale                   float64
		options                 Options
	}{
		{"compra-01.xml", "", "", 101, 1, Options{Items: 9, IssuedAt: moment(time.August, 29, 10, 14), Issue: IssueOnline, Consumer: ConsumerNone}},
		{"compra-02.xml", "", "", 102, 1, Options{Items: 24, IssuedAt: moment(time.September, 5, 18, 40), Issue: IssueOnline, Consumer: ConsumerNone}},
		{"compra-03.pdf", "80-two-line", "clean", 103, 1, Options{Items: 14, IssuedAt: moment(time.September, 12, 9, 3), Issue: IssueOnline, Consumer: ConsumerNone}},
		{"compra-04.pdf", "80-one-line-small", "clean", 104, 1, Options{Items: 21, IssuedAt: moment(time.September, 19, 20, 25), Issue: IssueOffline, Consumer: ConsumerNone}},
		{"compra-05.png", "80-market", "clean", 105, 1, Options{Items: 8, IssuedAt: moment(time.September, 26, 11, 50), Issue: IssueOnline, Consumer: ConsumerNone}},
		{"compra-06.jpg", "58-two-line", "clean", 106, 1.5, Options{Items: 6, IssuedAt: moment(time.October, 3, 8, 31), Issue: IssueOnline, Consumer: ConsumerCPF}},
		{"compra-07.jpg", "80-two-line", "photo", 107, 1.4, Options{Items: 12, IssuedAt: moment(time.October, 10, 17, 7), Issue: IssueOnline, Consumer: ConsumerNone}},
	}
	out := make([]Sample, 0, len(recipes))
	for _, recipe := range recipes {
		receipt := Generate(NewRand(recipe.seed), recipe.options)
		if recipe.style == "" {
			data, err := receipt.XML(XMLOptions{})
			if err != nil {
				return nil, err
			}
			out = append(out, Sample{recipe.name, data, receipt.Truth()})
			continue
		}
		style, ok := StyleNamed(recipe.style)
		if !ok {
			return nil, fmt.Errorf("no style %q", recipe.style)
		}
		distortion, err := DistortionNamed(recipe.distortion)
		if err != nil {
			return nil, err
		}
		s := sheet{receipt: receipt, style: style, scale: recipe.scale, seed: recipe.seed}
		data, err := s.file(strings.TrimPrefix(path.Ext(recipe.name), "."), distortion)
		if err != nil {
			return nil, err
		}
		out = append(out, Sample{recipe.name, data, receipt.PaperTruth(style)})
	}
	return out, nil
}
