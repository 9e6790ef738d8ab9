package document

import (
	"context"
	"image"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Display makes of a submitted picture one that a browser shows: upright, scaled, as JPEG, without any metadata. What was sent may
// carry the place where it was taken, and may be of a kind that browsers do not know.
func (r *Reader) Display(ctx context.Context, kind invoice.FileKind, data []byte) (jpeg []byte, err error) {
	err = r.withPicture(ctx, kind, data, func(_ image.Image, page *image.RGBA) error {
		jpeg, err = r.encodePage(page)
		return err
	})
	return jpeg, err
}
