package providers

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// ErrBlind says that a provider answered a question about a picture without having seen it: such a model invents receipts.
var ErrBlind = errors.New("the provider did not read the word on the picture")

const (
	probeLetters  = 6
	probeWidth    = 480
	probeHeight   = 160
	probeSize     = 72 // pixels per em
	probeQuestion = "Which word of capital letters is on the picture? Reply with that word alone."
)

// Probe shows a provider a small picture of a word that nobody can guess and asks which it is. It fails with the provider's
// error, or with ErrBlind.
func Probe(ctx context.Context, p sdk.Provider) (sdk.Result, error) {
	word := probeWord()
	picture, err := probePicture(word)
	if err != nil {
		return sdk.Result{}, err
	}
	var reply strings.Builder
	result, err := p.Generate(ctx, sdk.Request{
		Task: sdk.TaskProbe, Instructions: probeQuestion, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}},
		MaxOutputTokens: 256, // a word, and what a model thinks before it
	}, func(text string) error {
		reply.WriteString(text)
		return nil
	})
	if err != nil {
		return result, err
	}
	if !strings.Contains(strings.ToUpper(reply.String()), word) {
		return result, ErrBlind
	}
	return result, nil
}

// probeWord has letters only that no font confuses.
func probeWord() string {
	const letters = "ACEFHKLMNPRTUXYZ"
	b := make([]byte, probeLetters)
	_, _ = rand.Read(b) // it never fails: crypto/rand ends the process instead
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}

func probePicture(word string) ([]byte, error) {
	parsed, err := opentype.Parse(gomonobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("probe picture: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: probeSize, DPI: 72})
	if err != nil {
		return nil, fmt.Errorf("probe picture: %w", err)
	}
	img := image.NewGray(image.Rect(0, 0, probeWidth, probeHeight))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Black), Face: face}
	d.Dot = fixed.Point26_6{X: (fixed.I(probeWidth) - d.MeasureString(word)) / 2, Y: fixed.I((probeHeight + probeSize/2) / 2)}
	d.DrawString(word)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		return nil, fmt.Errorf("probe picture: %w", err)
	}
	return out.Bytes(), nil
}
