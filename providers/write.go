package providers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/internal/jsonschema"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// wordsVersion is part of every key of words: raise it when words, or what becomes of a reply on its way into it, changes.
const wordsVersion = "words.v1"

// The bound of a reply in tokens. A title and three sentences with their JSON take some 150 in Portuguese; what a model thinks
// before it writes is counted too.
const (
	tokensPerFinding = 200
	tokensBesides    = 1024
)

// words is a reply to TaskAnalyze in the form in which it is kept and shared. CPFs were masked when it was read.
type words struct {
	Entries  []json.RawMessage
	Provider string
	Model    string
	Local    bool
	Usage    sdk.Usage // of the calls that it took
}

// Write puts findings into words: from the cache, by waiting for an equal request that is under way, or by asking the providers
// in their order, once for all findings. See insight.Writer. Without findings nobody is asked.
func (c *Chain) Write(ctx context.Context, req insight.WriteRequest) (insight.Words, error) {
	if len(req.Findings) == 0 {
		return insight.Words{}, nil
	}
	started := c.config.Now()
	total, cancel := context.WithTimeout(ctx, c.config.TotalTimeout)
	defer cancel()
	say := writingWords()
	asked, err := c.writeRequest(req.Findings)
	if err != nil {
		return insight.Words{}, say.forCaller(ctx, err)
	}
	may, err := c.permissions(total, req.UserID)
	if err != nil {
		return insight.Words{}, say.forCaller(ctx, err)
	}
	run := &fallback{
		chain: c, say: say, userID: req.UserID, invoiceID: req.InvoiceID, request: asked, may: may,
		log: c.config.Log.With("invoice_id", req.InvoiceID, "findings", len(req.Findings)),
	}
	sound := func(entries []json.RawMessage) bool {
		return eachOnce(entries, req.Findings) && (req.Sound == nil || req.Sound(entries))
	}
	run.errand = &writing{fallback: run, fit: sound}
	accept := func(value []byte) bool {
		var w words
		return json.Unmarshal(value, &w) == nil && sound(w.Entries)
	}
	res := c.answer(total, wordsKey(asked.Input, c.wordsQuestion), run, accept, func(invoice.Progress) {})
	if res.err != nil {
		return insight.Words{}, say.forCaller(ctx, res.err)
	}
	var w words
	if err := json.Unmarshal(res.value, &w); err != nil {
		return insight.Words{}, say.forCaller(ctx, notOurs(fmt.Errorf("read words: %w", err)))
	}
	if res.from != fromProvider {
		c.saved(ctx, run.row(w.Provider, w.Model, w.Local, 1, asked, started), w.Usage)
	}
	return insight.Words{Entries: w.Entries, Provider: w.Provider, Model: w.Model}, nil
}

// writeRequest is what every provider is asked. The facts are the input: all that goes before is the same for all requests,
// so that vendors' prompt caches hit.
func (c *Chain) writeRequest(findings []insight.WriteFinding) (sdk.Request, error) {
	var input sdk.Findings
	for _, f := range findings {
		input.Findings = append(input.Findings, sdk.Finding{
			Key: f.Key, Kind: string(f.Kind), Priority: string(f.Priority), Facts: f.Facts,
		})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a model reads "&" better than its code
	if err := enc.Encode(input); err != nil {
		return sdk.Request{}, notOurs(fmt.Errorf("facts: %w", err))
	}
	return sdk.Request{
		Task: sdk.TaskAnalyze, Instructions: c.analyze.Instructions, Input: strings.TrimSuffix(b.String(), "\n"),
		Schema: c.analyze.Schema, SchemaName: c.analyze.SchemaName,
		MaxOutputTokens: tokensBesides + tokensPerFinding*len(findings),
	}, nil
}

// notOurs is the error of a request that no provider is to blame for, and that fails again.
func notOurs(cause error) error {
	return &invoice.ExtractionError{Code: invoice.CodeInternal, Permanent: true, Cause: cause}
}

// wordsKey is sha256(facts in order):question. Any byte that a provider would see makes another key.
func wordsKey(input, question string) string {
	sum := sha256.Sum256([]byte(input))
	return hex.EncodeToString(sum[:]) + ":" + question
}

// writing is the errand of putting findings into words. The first reply that can be used is taken: what is wrong with one entry
// is no reason to pay for all of them again.
type writing struct {
	*fallback

	fit  func(entries []json.RawMessage) bool
	got  *words
	keep bool // got fits the schema and the request
}

func (w *writing) answered() bool              { return w.got != nil }
func (w *writing) sound() bool                 { return w.got != nil }
func (w *writing) beyond(sdk.Description) bool { return w.got != nil }

func (w *writing) ask(ctx context.Context, m *member, desc sdk.Description) error {
	var got words
	var form error
	understand := func(text string) (int, error) {
		var err error
		if got.Entries, err = entriesOf(text); err != nil {
			return 0, err
		}
		form = jsonschema.Check(w.request.Schema, []byte(unfence(text)))
		return len(got.Entries), nil
	}
	var err error
	if got.Usage, got.Model, err = w.call(ctx, m, desc, w.request, understand); err != nil {
		return err
	}
	got.Provider, got.Local = m.Name, desc.Local
	w.got, w.keep = &got, form == nil && w.fit(got.Entries)
	w.log.InfoContext(ctx, "provider answered", "provider", m.Name, "entries", len(got.Entries), "sound", w.keep,
		"input_tokens", got.Usage.InputTokens, "output_tokens", got.Usage.OutputTokens)
	return nil
}

// encode is the reply. One with a part that nobody can use is not kept: another try may give a better one.
func (w *writing) encode() (value []byte, keep bool, err error) {
	b, err := json.Marshal(w.got)
	if err != nil {
		return nil, false, notOurs(fmt.Errorf("words of %s: %w", w.got.Provider, err))
	}
	return b, w.keep, nil
}

// entriesOf takes a whole reply apart: {"insights": [...]}, maybe in a fence, nothing after it. Entries stay as they came. Its
// error is a *replyError.
func entriesOf(text string) ([]json.RawMessage, error) {
	if len(text) > maxReply {
		return nil, &replyError{"more than " + strconv.Itoa(maxReply) + " bytes"}
	}
	dec := json.NewDecoder(strings.NewReader(unfence(text)))
	var reply map[string]json.RawMessage
	if err := dec.Decode(&reply); err != nil || reply == nil {
		return nil, &replyError{"not a JSON object"} // the decoder's own words may hold a piece of the reply
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &replyError{"text after the JSON"}
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(reply["insights"], &entries); err != nil {
		return nil, &replyError{"no list of insights"}
	}
	if len(entries) == 0 { // null, too
		return nil, &replyError{"no insights"}
	}
	return entries, nil
}

// eachOnce says whether every finding has one entry.
func eachOnce(entries []json.RawMessage, findings []insight.WriteFinding) bool {
	count := map[string]int{}
	for _, raw := range entries {
		var entry struct {
			Key string `json:"key"`
		}
		if json.Unmarshal(raw, &entry) == nil {
			count[entry.Key]++
		}
	}
	for _, f := range findings {
		if count[f.Key] != 1 {
			return false
		}
	}
	return true
}
