// Package content checks a request and lays out what a model is to be shown, in the order that vendors' prompt caches bill least
// for: the pages, then the input, so that a repair of a document begins as its first reading did. Turning the parts into a
// vendor's form is the plugin's.
package content

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// DefaultMaxTokens bounds a reply whose request does not: some 300 items. Without a bound a model that repeats itself is paid
// until its own.
const DefaultMaxTokens = 32_768

// PDF is the media type that some vendors want in a form of its own.
const PDF = "application/pdf"

const plainText = "text/plain"

// Part is one thing that the model is shown: Text, or Data of a MediaType.
type Part struct {
	Text      string
	MediaType string
	Data      []byte
}

// Of lays out a request for a vendor that takes pages of these media types; plain text is always taken. A page of another type
// is shown by its text layer. It fails with KindUnsupported when there is none, or for an unknown task, and with
// KindInvalidRequest when there is nothing to show: a model that is shown nothing invents a receipt.
func Of(req sdk.Request, mediaTypes []string) ([]Part, error) {
	switch req.Task {
	case sdk.TaskExtract, sdk.TaskProbe:
		if len(req.Pages) == 0 {
			return nil, invalid("the task needs a page")
		}
	case sdk.TaskAnalyze:
	default:
		return nil, unsupported(fmt.Sprintf("task %q", Short(string(req.Task))))
	}
	if len(req.Schema) > 0 && !json.Valid(req.Schema) {
		return nil, invalid("the schema is not JSON")
	}
	var parts []Part
	for i, page := range req.Pages {
		shown, err := ofPage(page, mediaTypes)
		if err != nil {
			err.Message = fmt.Sprintf("page %d: %s", i+1, err.Message)
			return nil, err
		}
		parts = append(parts, shown...)
	}
	if req.Input != "" {
		parts = append(parts, text(req.Input))
	}
	if len(parts) == 0 {
		return nil, invalid("neither pages nor input")
	}
	return parts, nil
}

func ofPage(page sdk.Page, mediaTypes []string) ([]Part, *sdk.Error) {
	media := bare(page.MediaType)
	var parts []Part
	if page.Text != "" {
		parts = append(parts, text(page.Text))
	}
	switch {
	case len(page.Data) == 0:
	case media == plainText:
		parts = append(parts, text(string(page.Data)))
	case slices.Contains(mediaTypes, media):
		parts = append(parts, Part{MediaType: media, Data: page.Data})
	case len(parts) == 0:
		return nil, unsupported(fmt.Sprintf("media type %q", Short(media)))
	}
	if len(parts) == 0 {
		return nil, invalid("empty")
	}
	return parts, nil
}

func text(s string) Part { return Part{Text: strings.ToValidUTF8(s, "\uFFFD")} }

// MaxTokens is the bound of a request's reply.
func MaxTokens(req sdk.Request) int {
	if req.MaxOutputTokens > 0 {
		return req.MaxOutputTokens
	}
	return DefaultMaxTokens
}

// Private is the text of a request: what no message of an error may quote.
func Private(req sdk.Request) []string {
	private := []string{req.Instructions, req.Input}
	for _, page := range req.Pages {
		private = append(private, page.Text)
		if bare(page.MediaType) == plainText {
			private = append(private, string(page.Data))
		}
	}
	return private
}

// HasPDF says whether a request sends a PDF.
func HasPDF(req sdk.Request) bool {
	return slices.ContainsFunc(req.Pages, func(p sdk.Page) bool { return len(p.Data) > 0 && bare(p.MediaType) == PDF })
}

// bare is a media type without parameters, lower case.
func bare(s string) string {
	media, _, err := mime.ParseMediaType(s)
	if err != nil {
		return s
	}
	return media
}

// Short keeps a name that somebody else chose out of the log but for its beginning.
func Short(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}

func invalid(message string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: message}
}

func unsupported(what string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: what + " is not supported"}
}
