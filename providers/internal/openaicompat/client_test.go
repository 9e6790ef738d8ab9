package openaicompat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "the key of/this+test="

// setup is a client whose vendor is handler, and the number of calls that came.
func setup(t *testing.T, handler http.HandlerFunc) (*Client, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := vendorhttp.NewClient(server.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	c, err := NewClient(Dialect{
		Name: "vendor", Version: "1.0.0", BaseURL: "https://vendor.example/v1", Model: "model-1",
		MediaTypes: []string{"image/jpeg", "application/pdf", "text/plain"}, CheckPath: "models/%s",
	}, Config{APIKey: testKey, BaseURL: server.URL, HTTPClient: client})
	require.NoError(t, err)
	return c, &calls
}

func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func request() sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: "Read what is printed on the page.", Input: "Repair line 2: 1 LEITE UHT INTEGRAL 1L",
		Pages: []sdk.Page{{Text: "MERCADO DO BAIRRO LTDA 5,99"}},
	}
}

func ask(t *testing.T, c *Client, req sdk.Request) (string, sdk.Result, *sdk.Error) {
	t.Helper()
	var text strings.Builder
	result, err := c.Generate(t.Context(), req, func(s string) error {
		text.WriteString(s)
		return nil
	})
	return text.String(), result, sdk.AsError(err)
}

// events is a stream of data.
func events(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		b.WriteString("data: " + d + "\n\n")
	}
	return b.String()
}

const (
	stream = "text/event-stream"
	plain  = "application/json"
	done   = "[DONE]"
	hello  = `{"model":"model-1-0","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}`
	stop   = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
)

func TestAnswersAreToldByWhatTheyAre(t *testing.T) {
	t.Parallel()
	const usage = `{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":20,` +
		`"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":30},"completion_tokens_details":{"reasoning_tokens":5}}}`
	counted := sdk.Usage{InputTokens: 100, CachedInputTokens: 60, CacheWriteTokens: 30, OutputTokens: 20, ThinkingTokens: 5}
	for name, test := range map[string]struct {
		contentType, body string
		text              string
		kind              sdk.Kind
		finish            sdk.FinishReason
		usage             sdk.Usage
	}{
		"stream": {stream, events(hello, stop, usage, done), "hello", "", sdk.FinishStop, counted},
		"stream with Windows' line ends": {
			stream, strings.ReplaceAll(events(hello, stop, done), "\n", "\r\n"), "hello", "", sdk.FinishStop, sdk.Usage{},
		},
		"comments and empty events": {
			stream, ": OPENROUTER PROCESSING\n\n" + "event: ping\n\n" + "data:\n\n" + events(hello) + ": x\n\n" + events(stop, done),
			"hello", "", sdk.FinishStop,
			sdk.Usage{},
		},
		"stream without a media type": {"", events(hello, stop, done), "hello", "", sdk.FinishStop, sdk.Usage{}},
		"null is no error": {
			stream, events(`{"error":null,"choices":[{"index":0,"delta":{"content":"hello"}}]}`, stop, done),
			"hello", "", sdk.FinishStop,
			sdk.Usage{},
		},
		"thinking is not the reply": {
			stream, events(`{"choices":[{"index":0,"delta":{"content":"","reasoning":"let me see"}}]}`,
				`{"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":"hm","text":"no"},{"type":"text","text":"hello"}]}}]}`,
				stop, done), "hello", "", sdk.FinishStop, sdk.Usage{},
		},
		"other choices": {
			stream, events(`{"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"length"}]}`, hello, stop, done),
			"hello", "", sdk.FinishStop,
			sdk.Usage{},
		},
		"end without its mark":         {stream, events(hello, stop), "hello", "", sdk.FinishStop, sdk.Usage{}},
		"end without its reason":       {stream, events(hello, done), "hello", sdk.KindOverloaded, "", sdk.Usage{}},
		"cut stream":                   {stream, events(hello), "hello", sdk.KindOverloaded, "", sdk.Usage{}},
		"cut event":                    {stream, events(hello) + `data: {"choices":[{"in`, "hello", sdk.KindOverloaded, "", sdk.Usage{}},
		"event that is not JSON":       {stream, events(hello, `{"choices":[{"in`, stop, done), "hello", sdk.KindOverloaded, "", sdk.Usage{}},
		"nothing":                      {stream, "", "", sdk.KindOverloaded, "", sdk.Usage{}},
		"a page of a wireless network": {"text/html", "<html>Welcome</html>", "", sdk.KindOverloaded, "", sdk.Usage{}},
		"empty reply":                  {stream, events(stop, usage, done), "", sdk.KindEmpty, sdk.FinishStop, counted},
		"truncated": {
			stream, events(hello, `{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}`, usage, done),
			"hello", sdk.KindTruncated, sdk.FinishLength, counted,
		},
		"filtered": {
			stream, events(hello, `{"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}`, usage, done),
			"hello", sdk.KindBlocked, sdk.FinishBlocked, counted,
		},
		"refused": {
			stream, events(`{"choices":[{"index":0,"delta":{"refusal":"I cannot"}}]}`, stop, usage, done),
			"", sdk.KindBlocked, sdk.FinishBlocked, counted,
		},
		"a tool that nobody offered": {
			stream, events(`{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`, done), "", sdk.KindOverloaded, "", sdk.Usage{},
		},
		"error within the stream, and what it cost": {
			stream, events(hello, `{"error":{"code":429,"message":"x"},"model":"model-1-0","choices":[{"index":0,"delta":{},"finish_reason":"error"}],`+
				`"usage":{"prompt_tokens":100,"completion_tokens":20}}`, done),
			"hello", sdk.KindRateLimited, "",
			sdk.Usage{InputTokens: 100, OutputTokens: 20},
		},
		"error within the stream by its name": {
			stream, events(hello, `{"error":{"type":"invalid_request_error","code":null,"message":"x"}}`), "hello", sdk.KindInvalidRequest, "", sdk.Usage{},
		},
		"error of which nothing is known": {stream, events(`{"error":{}}`), "", sdk.KindOverloaded, "", sdk.Usage{}},
		"error that is a sentence":        {plain, `{"error":"overloaded"}`, "", sdk.KindOverloaded, "", sdk.Usage{}},
		"error behind 200":                {plain, "\n" + `{"error":{"code":402,"message":"x"}}`, "", sdk.KindNoCredit, "", sdk.Usage{}},
		"no credit by its name":           {plain, `{"error":{"code":"insufficient_quota"}}`, "", sdk.KindNoCredit, "", sdk.Usage{}},
		"filtered by its name":            {stream, events(`{"error":{"code":"content_filter"}}`), "", sdk.KindBlocked, "", sdk.Usage{}},
		"no stream": {
			plain, `{"model":"model-1-0","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],` +
				`"usage":{"prompt_tokens":100,"completion_tokens":20}}`,
			"hello", "", sdk.FinishStop,
			sdk.Usage{InputTokens: 100, OutputTokens: 20},
		},
		"no stream and no choices":        {plain, `{"choices":[],"usage":{"prompt_tokens":7}}`, "", sdk.KindEmpty, sdk.FinishStop, sdk.Usage{InputTokens: 7}},
		"no stream and null":              {plain, `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, "", sdk.KindEmpty, sdk.FinishStop, sdk.Usage{}},
		"no stream and half of an answer": {plain, `{"choices":[{"message":`, "", sdk.KindOverloaded, "", sdk.Usage{}},
		"thinking counted beside the reply": {
			stream, events(hello, stop, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":99},`+
				`"completion_tokens_details":{"reasoning_tokens":40}}}`, done),
			"hello", "", sdk.FinishStop,
			sdk.Usage{InputTokens: 10, CachedInputTokens: 10, OutputTokens: 43, ThinkingTokens: 40},
		},
		"too much": {
			stream, strings.Repeat(": nothing to say\n", vendorhttp.MaxResponse/17+1) + events(hello, stop), "", sdk.KindTruncated, "", sdk.Usage{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, calls := setup(t, says(http.StatusOK, test.contentType, test.body))
			text, result, err := ask(t, c, request())
			assert.Equal(t, test.text, text)
			assert.Equal(t, test.finish, result.FinishReason)
			assert.Equal(t, test.usage, result.Usage)
			assert.EqualValues(t, 1, calls.Load())
			if test.kind == "" {
				require.Nil(t, err)
				return
			}
			require.NotNil(t, err)
			assert.Equal(t, test.kind, err.Kind, err.Message)
		})
	}
}

func TestStatusCountsWhateverTheBodyIs(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", `{"error":"x"}`, `{"error":7}`, `{"error":{"code":[1],"message":{"a":1}}}`, `{"detail":"x"}`, `[`, "null"} {
		c, calls := setup(t, says(http.StatusServiceUnavailable, plain, body))
		_, _, err := ask(t, c, request())
		require.NotNil(t, err)
		assert.Equal(t, sdk.KindOverloaded, err.Kind, body)
		assert.Equal(t, 503, err.HTTPStatus)
		assert.EqualValues(t, 1, calls.Load(), "no retry of the SDK's own")
	}
	for status, want := range map[int]sdk.Kind{
		204: sdk.KindOverloaded, 304: sdk.KindInvalidRequest, 307: sdk.KindInvalidRequest, 418: sdk.KindInvalidRequest,
	} {
		c, _ := setup(t, says(status, plain, ""))
		_, _, err := ask(t, c, request())
		require.NotNil(t, err, status)
		assert.Equal(t, want, err.Kind, status)
	}
}

func TestErrorsRepeatNeitherTheKeyNorTheRequest(t *testing.T) {
	t.Parallel()
	const input = "Repair line 2: 1 LEITE UHT INTEGRAL 1L"
	for _, echo := range []string{
		"Incorrect API key provided: " + testKey, testKey, "You said: " + input, "Page was: MERCADO DO BAIRRO LTDA 5,99",
		"Read what is printed on the page.", "CPF 529.982.247-25", strings.Repeat("A", 5000), strings.Repeat("word ", 5000), "a\nb\x1b[2J",
	} {
		body, err := json.Marshal(map[string]any{"error": map[string]any{"message": echo, "code": echo, "type": echo}})
		require.NoError(t, err)
		for status, contentType := range map[int]string{401: plain, 200: plain, 500: stream} {
			c, _ := setup(t, says(status, contentType, string(body)))
			_, _, e := ask(t, c, request())
			require.NotNil(t, e)
			assert.NotContains(t, e.Message, testKey)
			assert.NotContains(t, e.Message, "LEITE")
			assert.NotContains(t, e.Message, "BAIRRO")
			assert.NotContains(t, e.Message, "what is printed")
			assert.NotContains(t, e.Message, "529")
			assert.NotContains(t, e.Message, "\n")
			assert.Less(t, len(e.Message), 700)
		}
	}
}

func TestHintInMillisecondsWins(t *testing.T) {
	t.Parallel()
	c, _ := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.Header().Set("Retry-After-Ms", "1250")
		w.Header().Set("X-Should-Retry", "true")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, _, err := ask(t, c, request())
	require.NotNil(t, err)
	assert.Equal(t, sdk.KindRateLimited, err.Kind)
	assert.Equal(t, 1250*time.Millisecond, err.RetryAfter)
}

func TestRefusedPieceIsTheErrorOfTheCall(t *testing.T) {
	t.Parallel()
	refused := errors.New("enough")
	c, _ := setup(t, says(http.StatusOK, stream, events(hello, hello, stop, done)))
	pieces := 0
	_, err := c.Generate(t.Context(), request(), func(string) error { pieces++; return refused })
	require.ErrorIs(t, err, refused)
	assert.Equal(t, 1, pieces)
}

func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	remotes := make(chan string, 400)
	c, _ := setup(t, func(w http.ResponseWriter, r *http.Request) {
		remotes <- r.RemoteAddr
		if len(remotes)%2 == 0 {
			says(http.StatusTooManyRequests, plain, `{"error":{}}`)(w, r)
			return
		}
		says(http.StatusOK, stream, events(hello, stop, done))(w, r)
	})
	for range 40 {
		_, _, _ = ask(t, c, request())
	}
	close(remotes)
	seen := map[string]bool{}
	for r := range remotes {
		seen[r] = true
	}
	assert.Len(t, seen, 1)
}

func TestEnvironmentIsNotRead(t *testing.T) {
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
	t.Setenv("OPENAI_API_KEY", "another")
	t.Setenv("OPENAI_ORG_ID", "org-x")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Leak: y")
	headers := make(chan http.Header, 1)
	c, _ := setup(t, func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		says(http.StatusOK, stream, events(hello, stop, done))(w, r)
	})
	_, _, err := ask(t, c, request())
	require.Nil(t, err)
	h := <-headers
	assert.Equal(t, "Bearer "+testKey, h.Get("Authorization"))
	assert.Empty(t, h.Get("Openai-Organization")+h.Get("X-Leak"))
}

func TestBaseURLGetsTheVendorsPath(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{
		"": "https://v.example/api/v1", "https://other.example": "https://other.example/api/v1",
		"https://other.example/": "https://other.example/api/v1", "https://other.example/x": "https://other.example/x",
	} {
		got, err := baseURL(configured, "https://v.example/api/v1")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestFilesAreWrittenWhereTheirMarksAre(t *testing.T) {
	t.Parallel()
	bodies := make(chan []byte, 1)
	c, _ := setup(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			bodies <- body
		}
		says(http.StatusOK, stream, events(hello, stop, done))(w, r)
	})
	req := request()
	req.Pages = nil
	var want []string
	for i := range 12 {
		data := bytes.Repeat([]byte{byte(i), 0xff, '"'}, i+1)
		media := []string{"image/jpeg", "application/pdf"}[i%2]
		req.Pages = append(req.Pages, sdk.Page{MediaType: strings.ToUpper(media), Data: data})
		encoded, err := json.Marshal(data)
		require.NoError(t, err)
		want = append(want, fmt.Sprintf("data:%s;base64,%s", media, strings.Trim(string(encoded), `"`)))
	}
	_, _, err := ask(t, c, req)
	require.Nil(t, err)
	var body struct {
		Messages []struct {
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
	}
	require.NoError(t, json.Unmarshal(<-bodies, &body))
	var parts []struct {
		ImageURL struct {
			URL string `json:"url"`
		} `json:"image_url"`
		File struct {
			FileData string `json:"file_data"`
		} `json:"file"`
	}
	require.NoError(t, json.Unmarshal(body.Messages[1].Content, &parts))
	var got []string
	for _, p := range parts[:len(parts)-1] {
		got = append(got, p.ImageURL.URL+p.File.FileData)
	}
	assert.Equal(t, want, got)
}

// FuzzAnswer: whatever a vendor says is a reply that says how it ended, or an error.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(events(hello, stop, done)))
	f.Add([]byte(events(`{"error":{"code":"402","metadata":{"raw":1}}}`)))
	f.Add([]byte(`{"choices":[{"message":{"content":[{"type":"text","text":"x"}]},"finish_reason":"stop"}]}`))
	f.Add([]byte(`{"error":{"code":1e9}}`))
	f.Add([]byte(events(`{"choices":[{"index":0,"delta":{"content":[{}]},"error":{"code":500}}],"usage":{"prompt_tokens":-1e99}}`)))
	f.Add([]byte("data: {\"usage\":{\"completion_tokens_details\":null,\"prompt_tokens\":\"9\"}}\r\n\r\ndata: [DONE]"))
	c, err := NewClient(Dialect{Name: "vendor", BaseURL: "https://vendor.example/v1", Model: "m"}, Config{
		APIKey: testKey, HTTPClient: &http.Client{},
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		res := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}
		pieces := 0
		result, err := c.read(t.Context(), res, request(), func(s string) error {
			if s == "" {
				t.Error("an empty piece")
			}
			pieces++
			return nil
		})
		switch {
		case err == nil && (result.FinishReason != sdk.FinishStop || pieces == 0):
			t.Errorf("no error for %+v with %d pieces", result, pieces)
		case err != nil:
			if e, ok := errors.AsType[*sdk.Error](err); !ok || e.Kind == "" || e.Blame == "" {
				t.Errorf("%T: %v", err, err)
			}
		}
		u := result.Usage
		if u.InputTokens < 0 || u.CachedInputTokens+u.CacheWriteTokens > u.InputTokens || u.ThinkingTokens > u.OutputTokens {
			t.Errorf("usage %+v", u)
		}
	})
}
