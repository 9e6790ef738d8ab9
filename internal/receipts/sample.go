package receipts

import (
	"encoding/json"
	"fmt"
	"image"
	"iter"
	"math/rand/v2"
)

// Sample is one file and what a reader should find in it.
type Sample struct {
	Name  string // of the file
	Data  []byte
	Truth Truth
}

// TruthName is the name of the file that holds a sample's truth, beside it.
func (s Sample) TruthName() string { return s.Name + ".truth.json" }

// TruthJSON is the truth as its file holds it: indented, with a line feed at the end.
func (s Sample) TruthJSON() ([]byte, error) {
	b, err := json.MarshalIndent(s.Truth, "", "  ") //nolint:gosec // an access key is no secret
	if err != nil {
		return nil, fmt.Errorf("encode truth of %s: %w", s.Name, err)
	}
	return append(b, '\n'), nil
}

// Set asks for samples: Count receipts, each in every format, and pictures under every distortion.
type Set struct {
	Count   int
	Seed    uint64
	Options Options
	// Styles are taken in turn, receipt by receipt; none means all.
	Styles []Style
	Scale  float64 // of pictures; 0 means 1
	// Formats are xml, png, jpg and pdf. A pdf of the distortion "clean" has text; of any other it is a scanned page.
	Formats     []string
	Distortions []Distortion
}

// Samples makes them one by one, and stops at the first error.
func (s Set) Samples() iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		styles := s.Styles
		if len(styles) == 0 {
			styles = Styles()
		}
		for i := range s.Count {
			seed := s.Seed + uint64(i)
			r := Generate(NewRand(seed), s.Options)
			sheet := sheet{receipt: r, style: styles[i%len(styles)], scale: s.Scale, name: fmt.Sprintf("%03d", i+1), seed: seed}
			if sheet.scale == 0 {
				sheet.scale = 1
			}
			for _, format := range s.Formats {
				if !sheet.samples(format, s.Distortions, yield) {
					return
				}
			}
		}
	}
}

// sheet is one receipt on its way to files.
type sheet struct {
	receipt Receipt
	style   Style
	scale   float64
	name    string
	seed    uint64
	paper   *image.Gray // drawn once
}

func (s *sheet) samples(format string, distortions []Distortion, yield func(Sample, error) bool) bool {
	if format == "xml" {
		data, err := s.receipt.XML(XMLOptions{})
		return yield(Sample{s.name + ".xml", data, s.receipt.Truth()}, err) && err == nil
	}
	for _, d := range distortions {
		data, err := s.file(format, d)
		name := fmt.Sprintf("%s-%s-%s.%s", s.name, s.style.Name, d.Name, format)
		if !yield(Sample{name, data, s.receipt.PaperTruth(s.style)}, err) || err != nil {
			return false
		}
	}
	return true
}

func (s *sheet) file(format string, d Distortion) ([]byte, error) {
	if format == "pdf" && d.Name == "clean" {
		return s.receipt.PDF(s.style)
	}
	if s.paper == nil {
		paper, err := s.receipt.Picture(s.style, s.scale)
		if err != nil {
			return nil, err
		}
		s.paper = paper
	}
	var img image.Image = s.paper
	if d.Name != "clean" { // which is the drawing itself, and not a picture of it
		img = d.Apply(s.paper, s.scale, s.rand(d))
	}
	switch format {
	case "png":
		return PNG(img)
	case "jpg":
		return JPEG(img, d.Quality())
	case "pdf":
		return ScannedPDF(img, float64(s.style.PaperMM), s.receipt.IssuedAt)
	}
	return nil, fmt.Errorf("unknown format %q: want xml, png, jpg or pdf", format)
}

// rand is of the receipt and the distortion, so that a sample does not depend on which others are asked for.
func (s *sheet) rand(d Distortion) *rand.Rand {
	seed := s.seed
	for _, c := range d.Name {
		seed = seed*31 + uint64(c) //nolint:gosec // a rune of a name is not negative
	}
	return NewRand(seed)
}
