package receipts

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
)

// NewRand is the source of a seed's receipt.
func NewRand(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0x6e66632d65)) //nolint:gosec // reproducible fixtures: the seed must decide
}

// chance is true once in n times on average.
func chance(rng *rand.Rand, n int) bool { return rng.IntN(n) == 0 }

// pick chooses one of choices, which is not empty.
func pick[T any](rng *rand.Rand, choices []T) T { return choices[rng.IntN(len(choices))] }

// digits is n random digits.
func digits(rng *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("0123456789"[rng.IntN(10)])
	}
	return b.String()
}

// random64 is n random bytes in base64.
func random64(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32()) //nolint:gosec // the low byte is what is wanted
	}
	return base64.StdEncoding.EncodeToString(b)
}

// mod11 is the check digit of CNPJ and access key over ASCII - 48. Written again rather than shared with internal/fiscal, so
// that the two check each other.
func mod11(s string) string {
	sum := 0
	for i := range len(s) {
		sum += (int(s[len(s)-1-i]) - 48) * (2 + i%8)
	}
	if r := sum % 11; r > 1 {
		return string(rune('0' + 11 - r))
	}
	return "0"
}

// cnpj is a number of a company that does not exist: roots from 98000000 on have not been given out. Letters are legal since
// July 2026.
func cnpj(rng *rand.Rand, letters bool) string {
	root := pick(rng, []string{"98", "99"}) + digits(rng, 6)
	if letters {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		b := []byte(root)
		for i := 2; i < len(b); i++ {
			b[i] = alphabet[rng.IntN(len(alphabet))]
		}
		b[7] = alphabet[10+rng.IntN(26)] // at least one letter
		root = string(b)
	}
	s := root + fmt.Sprintf("%04d", 1+rng.IntN(40))
	s += mod11(s)
	return s + mod11(s)
}

// gtin13 completes twelve digits with their check digit.
func gtin13(s string) string {
	sum := 0
	for i := range len(s) {
		sum += int(s[i]-'0') * (1 + 2*(i%2))
	}
	return s + string(rune('0'+(10-sum%10)%10))
}

// testCPFs are the numbers that everybody's software tests use; a random one might be somebody's.
func testCPFs() []string { return []string{"52998224725", "11144477735", "12345678909"} }
