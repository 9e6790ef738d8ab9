package offline

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// templatesModel is the model of words: it changes with the templates.
const templatesModel = "templates-1"

const (
	maxTitle       = 60 // runes
	maxDescription = 300
	maxSentences   = 3
)

// analyze puts findings into words by templates. What it knows no template for, and what has too few facts for one, is left out.
func analyze(input string) (sdk.Insights, error) {
	var findings sdk.Findings
	if err := json.Unmarshal([]byte(input), &findings); err != nil {
		// Without the decoder's own words, which may hold a piece of the facts.
		return sdk.Insights{}, &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: "the input is no findings"}
	}
	if len(findings.Findings) == 0 {
		return sdk.Insights{}, &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: "no findings"}
	}
	out := sdk.Insights{Insights: []sdk.Insight{}}
	for _, f := range findings.Findings {
		if entry, ok := put(f); ok {
			out.Insights = append(out.Insights, entry)
		}
	}
	return out, nil
}

// put is one finding in words; false when there are none for it. Equal facts get equal words.
func put(f sdk.Finding) (sdk.Insight, bool) {
	known, ok := readFacts(f.Facts)
	if !ok {
		return sdk.Insight{}, false
	}
	told, ok := textOf(f.Kind, known)
	if !ok {
		return sdk.Insight{}, false
	}
	v, turn := known.values(), turnOf(f.Kind, f.Facts)
	title, ok := told.title.fill(v, turn, maxTitle)
	if !ok {
		return sdk.Insight{}, false
	}
	text, ok := told.text(v, turn)
	return sdk.Insight{Key: f.Key, Title: title, Description: text}, ok
}

// text is the sentences that stand, the first of them among them or none at all.
func (p phrasing) text(v values, turn uint32) (string, bool) {
	var said []string
	room := maxDescription
	for i, c := range p.sentences {
		sentence, ok := c.fill(v, turn>>(6*i+6), room)
		if !ok && i == 0 {
			return "", false
		}
		if ok && len(said) < maxSentences {
			said = append(said, sentence)
			room -= utf8.RuneCountInString(sentence) + 1
		}
	}
	return strings.Join(said, " "), true
}

// emitInsights sends the entries in one piece: they are few.
func emitInsights(in sdk.Insights, emit func(string) error) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode insights: %w", err)
	}
	return emit(string(b))
}
