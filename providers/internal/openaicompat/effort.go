package openaicompat

import (
	"strconv"
	"strings"
)

// Reasons says whether a model of OpenAI's, by its bare name, thinks before it answers and lets the caller say how much: the o
// series, and gpt-5 and later but for the chat variants. Others refuse the field.
func Reasons(model string) bool {
	if rest, ok := strings.CutPrefix(model, "gpt-"); ok {
		return Leading(rest) >= 5 && !strings.Contains(rest, "chat")
	}
	rest, ok := strings.CutPrefix(model, "o")
	return ok && Leading(rest) >= 1
}

// Leading is the number at the beginning of a version such as "3.1-flash", 0 when there is none.
func Leading(s string) float64 {
	end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end >= 0 {
		s = s[:end]
	}
	n, err := strconv.ParseFloat(strings.TrimRight(s, "."), 64)
	if err != nil {
		return 0
	}
	return n
}
