package offline

import (
	"context"
	"fmt"
	"image"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// page is a page of the request, opened: text, or a picture with its lines of text made level.
type page struct {
	text    string
	picture *image.Gray
	tilt    float64 // degrees
}

// pass is one way of reading a picture.
type pass struct {
	psm string // Tesseract's page segmentation mode
	// width in pixels that a smaller picture is scaled up to, and one that is more than a fifth larger down to.
	width int
	even  bool // shadows are taken out first
}

// open takes the text of the pages that have it and decodes the others. A page that is neither is refused.
func (p *Provider) open(pages []sdk.Page) ([]page, error) {
	out := make([]page, 0, len(pages))
	for i, pg := range pages {
		switch {
		case pg.Text != "":
			out = append(out, page{text: pg.Text})
		case pg.MediaType == "text/plain":
			out = append(out, page{text: string(pg.Data)})
		case pg.MediaType == "image/jpeg" || pg.MediaType == "image/png":
			img, err := decodeGray(pg.Data)
			if err != nil {
				return nil, &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: fmt.Sprintf("page %d: %v", i+1, err)}
			}
			out = append(out, page{picture: img, tilt: tilt(img)})
		default:
			return nil, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: fmt.Sprintf("page %d: media type %q is not supported", i+1, pg.MediaType)}
		}
	}
	return out, nil
}

// texts reads the pages in one way, in order.
func (p *Provider) texts(ctx context.Context, pages []page, how pass) ([]string, error) {
	out := make([]string, 0, len(pages))
	for i, pg := range pages {
		if pg.picture == nil {
			out = append(out, pg.text)
			continue
		}
		text, err := p.tool.read(ctx, pgm(how.prepare(pg)), how.psm)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		out = append(out, text)
	}
	return out, nil
}

// prepare makes a picture level and of the width that is read best. A large one is averaged down further than that and scaled
// up again: the soft edges that this leaves read better than sharp ones, above all on faded paper.
func (how pass) prepare(pg page) *image.Gray {
	const soft = 640 // width to average down to
	img := pg.picture
	if w := img.Rect.Dx(); w*5 > how.width*6 {
		img = shrink(img, max(2, float64(w/soft)))
	}
	scale := max(float64(how.width)/float64(img.Rect.Dx()), 1)
	degrees := pg.tilt
	if degrees > -0.15 && degrees < 0.15 { // turning blurs more than such a tilt hurts
		degrees = 0
	}
	img = straighten(img, degrees, min(scale, 3))
	if how.even {
		return evenLight(img)
	}
	return img
}

// passes are the ways a document is read, until what was read adds up. On pictures of paper at 203 dpi, scaling to 900 pixels
// of width read more items right than 640, 1050, 1280 or 1600, and page segmentation mode 6 more than 4. Evening out the light
// loses lines where a desk is in the picture and wins many more where a shadow is, so that it is the second way.
func passes() []pass {
	return []pass{{psm: "6", width: 900}, {psm: "6", width: 760, even: true}}
}

// probing is how the word on a small picture is read.
func probing() pass { return pass{psm: "6", width: 600} }
