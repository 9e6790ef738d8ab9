package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
)

// otlp is a collector on this machine.
type otlp struct {
	*httptest.Server

	mu    sync.Mutex
	spans []*trace.Span
	text  string
}

func startCollector(t *testing.T) *otlp {
	t.Helper()
	o := &otlp{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		var req collector.ExportTraceServiceRequest
		if !assert.NoError(t, err) || !assert.NoError(t, proto.Unmarshal(data, &req)) || !assert.Equal(t, "/v1/traces", r.URL.Path) {
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.text += fmt.Sprint(&req)
		for _, resource := range req.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				o.spans = append(o.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *otlp) named(name string) *trace.Span {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.IndexFunc(o.spans, func(s *trace.Span) bool { return s.GetName() == name }); i >= 0 {
		return o.spans[i]
	}
	return nil
}

// TestOneTraceLeadsFromTheRequestToTheProvider follows a photo through the queue and into the plugin's connection.
func TestOneTraceLeadsFromTheRequestToTheProvider(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub, spans := llmstub.Start(t), startCollector(t)
		at = withVendors(at, stub, "OTEL_EXPORTER_OTLP_ENDPOINT="+spans.URL)
		a := at.start(t, app.RoleAll)
		c := apitest.Client{URL: a.URL()}
		c.SignUp(t, "ana.secreta@example.com")
		consentAll(t, &c)
		_, photo, marks := personal(t, stub, 910)
		_, stage := submitted(t, &c, photo)
		require.Equal(t, "COMPLETED", stage)
		require.NoError(t, a.Stop(t.Context())) // which delivers what is left

		submit := spans.named("graphql.mutation submitInvoice")
		require.NotNil(t, submit)
		var request *trace.Span
		for _, s := range spans.spans {
			if slices.Equal(s.GetSpanId(), submit.GetParentSpanId()) {
				request = s
			}
		}
		require.NotNil(t, request)
		assert.Equal(t, "POST /graphql", request.GetName())
		assert.Empty(t, request.GetParentSpanId())
		parent := submit
		for _, name := range []string{"job.extract_invoice", "stage.extracting", "provider gemini", "provider.v1.ProviderService/Generate"} {
			s := spans.named(name)
			require.NotNil(t, s, name)
			assert.Equal(t, request.GetTraceId(), s.GetTraceId(), name)
			assert.Equal(t, parent.GetSpanId(), s.GetParentSpanId(), "%s is not below %s", name, parent.GetName())
			parent = s
		}
		for _, name := range []string{"stage.inspecting", "stage.reading"} {
			assert.Equal(t, request.GetTraceId(), spans.named(name).GetTraceId(), name)
		}
		for _, s := range spans.spans {
			assert.NotContains(t, s.GetName(), "Health")
		}
		for _, mark := range append(marks, "ana.secreta", "Ana", c.Token, geminiKey, "127.0.0.1", "photo.jpg") {
			assert.NotContains(t, spans.text, mark)
		}
	})
}

// TestWithoutACollectorJobsCarryNoTrace looks at what is in the queue.
func TestWithoutACollectorJobsCarryNoTrace(t *testing.T) {
	t.Parallel()
	at := installation{"embedded", environ(t)}
	a := at.start(t, app.RoleAPI)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	stub := llmstub.Start(t)
	_, photo, _ := personal(t, stub, 911)
	_, res := c.Submit(t, photo)
	require.Empty(t, res.Errors)
	metadata := texts(t, a, `SELECT metadata FROM river_job WHERE kind = 'extract_invoice'`)
	require.Len(t, metadata, 1)
	assert.Contains(t, metadata[0], "request_id")
	assert.NotContains(t, metadata[0], "traceparent")
}
