package relay

import "errors"

// How many edges a page has when nothing is asked for, and at most.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// ErrPage says that first and last do not ask for a page.
var ErrPage = errors.New("not a page size")

// PageSize turns a connection's first and last into counts, one of which is 0. It fails with ErrPage when both are given or one
// is out of 1 to MaxPage.
func PageSize(first, last *int) (fromStart, fromEnd int, err error) {
	switch {
	case first == nil && last == nil:
		return DefaultPage, 0, nil
	case first != nil && last != nil:
		return 0, 0, ErrPage
	case first != nil && *first >= 1 && *first <= MaxPage:
		return *first, 0, nil
	case last != nil && *last >= 1 && *last <= MaxPage:
		return 0, *last, nil
	}
	return 0, 0, ErrPage
}
