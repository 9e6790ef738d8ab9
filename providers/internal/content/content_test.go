package content_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestPagesComeFirstAndInOrder(t *testing.T) {
	t.Parallel()
	parts, err := content.Of(sdk.Request{
		Task: sdk.TaskExtract, Input: "line 2 \xff fails",
		Pages: []sdk.Page{
			{MediaType: "IMAGE/JPEG; q=1", Data: []byte("a")},
			{MediaType: "application/pdf", Data: []byte("b"), Text: "TOTAL 1,00"},
			{MediaType: "text/plain; charset=utf-8", Data: []byte("DINHEIRO")},
			{MediaType: "image/tiff", Data: []byte("c"), Text: "TROCO"},
		},
	}, []string{"image/jpeg", content.PDF})
	require.NoError(t, err)
	assert.Equal(t, []content.Part{
		{MediaType: "image/jpeg", Data: []byte("a")},
		{Text: "TOTAL 1,00"},
		{MediaType: content.PDF, Data: []byte("b")},
		{Text: "DINHEIRO"},
		{Text: "TROCO"},
		{Text: "line 2 \uFFFD fails"},
	}, parts)
}

func TestWhatCannotBeShownIsRefused(t *testing.T) {
	t.Parallel()
	page := []sdk.Page{{MediaType: "image/jpeg", Data: []byte("a")}}
	for name, test := range map[string]struct {
		req  sdk.Request
		kind sdk.Kind
	}{
		"unknown task":        {sdk.Request{Task: "juggle", Pages: page}, sdk.KindUnsupported},
		"unknown media type":  {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/tiff", Data: []byte("a")}}}, sdk.KindUnsupported},
		"no media type":       {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{Data: []byte("a")}}}, sdk.KindUnsupported},
		"no page to read":     {sdk.Request{Task: sdk.TaskExtract, Input: "x"}, sdk.KindInvalidRequest},
		"no page to probe":    {sdk.Request{Task: sdk.TaskProbe, Input: "x"}, sdk.KindInvalidRequest},
		"empty page":          {sdk.Request{Task: sdk.TaskExtract, Pages: []sdk.Page{{MediaType: "image/jpeg"}}}, sdk.KindInvalidRequest},
		"nothing to analyze":  {sdk.Request{Task: sdk.TaskAnalyze}, sdk.KindInvalidRequest},
		"schema without JSON": {sdk.Request{Task: sdk.TaskExtract, Pages: page, Schema: []byte("{")}, sdk.KindInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := content.Of(test.req, []string{"image/jpeg"})
			require.Error(t, err)
			assert.Equal(t, test.kind, sdk.AsError(err).Kind)
			assert.Equal(t, sdk.BlameHost, sdk.AsError(err).Blame)
		})
	}
}

func TestTextsOfARequestArePrivate(t *testing.T) {
	t.Parallel()
	private := content.Private(sdk.Request{
		Instructions: "read", Input: "line",
		Pages: []sdk.Page{{MediaType: "text/plain", Data: []byte("data")}, {MediaType: "image/jpeg", Data: []byte("\xff\xd8"), Text: "layer"}},
	})
	assert.Subset(t, private, []string{"read", "line", "data", "layer"})
	assert.NotContains(t, private, "\xff\xd8")
}
