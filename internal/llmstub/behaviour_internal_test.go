package llmstub

import (
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDelaysHaveTheirPercentiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	d := Delay{P50: time.Second, P95: 3 * time.Second}
	drawn := make([]time.Duration, 20_000)
	for i := range drawn {
		drawn[i] = d.draw(rng)
	}
	slices.Sort(drawn)
	assert.InEpsilon(t, time.Second, drawn[len(drawn)/2], 0.05)
	assert.InEpsilon(t, 3*time.Second, drawn[len(drawn)*95/100], 0.05)
	assert.Equal(t, time.Minute, Delay{Fixed: time.Minute}.draw(rng))
	assert.Zero(t, Delay{}.draw(rng))
}

func TestPiecesKeepCharactersWhole(t *testing.T) {
	t.Parallel()
	const text = "AÇÚCAR CRISTAL É MAÇÃ"
	for n := 1; n < 30; n++ {
		got := pieces(text, n)
		assert.Equal(t, text, strings.Join(got, ""))
		for _, p := range got {
			assert.Equal(t, strings.ToValidUTF8(p, ""), p)
		}
	}
	assert.Empty(t, pieces("", 3))
}

func TestPicturesAreTakenOutOfABodyAndPutBack(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("QUJD", longRun), strings.Repeat("REVG", longRun/4)
	for _, text := range []string{"", "short", a, `{"x":"` + a + `"}`, `["` + a + `","` + b + `"]`, a + `\/` + b, a[:longRun-1]} {
		p := pack([]byte(text))
		assert.Equal(t, text, p.text(string(p.json)))
		assert.Equal(t, len(text), p.size)
		assert.Less(t, len(p.json), longRun)
	}
}

func FuzzRequestsNeverBreakTheStub(f *testing.F) {
	f.Add([]byte(`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/jpeg","data":"/9j/"}}]}]}`))
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema"}}`))
	f.Add([]byte(`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}],"output_config":{"format":[]}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/", nil)
		r.SetPathValue("call", "m:generateContent")
		for _, d := range []dialect{gemini{}, openAI{vendor: OpenAI}, openAI{vendor: OpenRouter}, anthropic{}} {
			req, _ := d.parse(r, pack(body))
			if req == nil {
				continue
			}
			req.infer()
			for _, m := range req.Media {
				seen(m)
				insidePDF(m.Data)
				mediaTokens(Gemini, "", m)
			}
		}
	})
}
