package telemetry

import (
	"net/http"
	"regexp"
	"sync"
)

// other stands for a value that is not one of those a label may have.
const other = "other"

// none stands for what there is not.
const none = "none"

// labelForm is what names of models, outcomes and the like look like. A number as long as a CPF is no name.
var (
	labelForm  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._:/+-]{0,99}$`)
	longNumber = regexp.MustCompile(`[0-9]{11}`)
)

// bounded lets a label have so many values and no more: what comes from a vendor, through a plugin, could be anything.
type bounded struct {
	most int

	mu   sync.Mutex // guards what follows
	seen map[string]struct{}
}

func newBounded(most int) *bounded { return &bounded{most: most, seen: map[string]struct{}{}} }

// of is the value itself, or other when there is no room for it or it is none that a label should have.
func (b *bounded) of(value string) string {
	if value == "" {
		return none
	}
	if !labelForm.MatchString(value) || longNumber.MatchString(value) {
		return other
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.seen[value]; known {
		return value
	}
	if len(b.seen) >= b.most {
		return other
	}
	b.seen[value] = struct{}{}
	return value
}

// methodOf keeps the methods of HTTP apart from what else a client may send in their place.
func methodOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return other
}
