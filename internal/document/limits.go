package document

import "github.com/mercadoesperto/smarket/internal/invoice"

// What is refused before it costs anything.
const (
	maxFileBytes = 20 << 20 // of one submitted file
	maxXMLBytes  = 8 << 20  // an XML of 990 items, the most that is legal, has about 3 MB
	maxPixels    = 50_000_000
	maxSide      = 20_000 // pixels
	maxPDFPages  = 10
	maxPages     = 20 // of all files of one invoice together: a provider takes no more
)

// tooLarge, unsupported and badInput are the three ways a file is refused. cause is for the log and may be nil.
func tooLarge(message string) error {
	return &invoice.Error{Code: invoice.CodeTooLarge, Message: message}
}

func unsupported(message string) error {
	return &invoice.Error{Code: invoice.CodeUnsupportedMedia, Message: message}
}

func badInput(message string, cause error) error {
	return &invoice.Error{Code: invoice.CodeBadUserInput, Message: message, Cause: cause}
}

// checkPixels refuses a picture that would take too much memory to decode.
func checkPixels(width, height int) error {
	switch {
	case width <= 0 || height <= 0:
		return badInput("A imagem está danificada: envie a foto de novo.", nil)
	case width > maxSide || height > maxSide || width*height > maxPixels:
		return tooLarge("A imagem é grande demais: o limite é de 50 megapixels, com até 20.000 pixels de lado.")
	}
	return nil
}
