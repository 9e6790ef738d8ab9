package providers

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestItemsAreCountedAsTheyComeIn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want int
	}{
		"two items":            {`{"number":"1","items":[{"a":1},{"b":{"c":[{}]}}],"payments":[{},{}]}`, 2},
		"blanks anywhere":      {"{ \"items\" : [ { } ,\n{ } , { } ] }", 3},
		"brackets in a string": {`{"x":"}],{\"items\":[{}","items":[{"d":"}]\\"},{"d":"\"}{"}]}`, 2},
		"items elsewhere":      {`{"deep":{"items":[{},{}]},"list":["items",[{}]]}`, 0},
		"items as a value":     {`{"kind":"items","list":[{},{}]}`, 0},
		"unfinished":           {`{"items":[{},{},{"a":`, 2},
		"a longer key":         {`{"items_more":[{}],"xitems":[{}]}`, 0},
		"no JSON":              {`sorry, }}}]]] no`, 0},
		"none":                 {`{"items":[]}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var whole, bytewise itemCounter
			whole.add(tc.text)
			steps := 0
			for i := range len(tc.text) {
				if bytewise.add(tc.text[i : i+1]) {
					steps++
				}
			}
			assert.Equal(t, tc.want, whole.items)
			assert.Equal(t, tc.want, bytewise.items)
			assert.Equal(t, tc.want, steps)
		})
	}
}
