package usage

import "time"

// Call is a call to a provider that is about to be made, or that the cache has answered.
type Call struct {
	UserID    string // "" for the operator's own calls
	InvoiceID string // "" for a call that is about no invoice
	Task      string
	Provider  string
	Model     string
	Local     bool // costs nothing and is bounded by no budget
	Attempt   int  // within the request, from 1
	// What the estimate is made from: the bytes of all texts, the pages with a picture, and the tokens asked for at most, 0 when
	// that is the provider's own default.
	InputBytes      int
	Pictures        int
	MaxOutputTokens int
	StartedAt       time.Time
}

// End is how a call ended.
type End struct {
	Model   string // that answered; "" is the one that was asked
	Outcome string
	Tokens  Tokens
	Figure  *MicroUSD // the vendor's own of what it cost, in its credits; nil when it gives none
	EndedAt time.Time
}

// Outcomes that mean something here. All others are kinds of failure, in the chain's words.
const (
	OutcomeOK       = "ok"
	OutcomeReserved = "reserved" // under way: booked, not settled
	OutcomeCached   = "cached"   // answered by the cache
	OutcomeLost     = "lost"     // nobody said how it ended: its process died
)

// What the estimate of a call assumes.
const (
	bytesPerToken    = 4    // the usual rule of thumb
	tokensPerPicture = 3200 // of 1536 by 1536 pixels, by the dearest vendor's rule of 750 pixels a token
	// defaultOutput is what a provider may answer that was given no bound: a receipt of 200 lines has some 6,000 tokens.
	defaultOutput = 8192
)

// input is the estimate of the prompt.
func (c *Call) input() Tokens {
	bytes, pictures := int64(max(c.InputBytes, 0)), int64(max(c.Pictures, 0))
	return Tokens{Input: (bytes+bytesPerToken-1)/bytesPerToken + pictures*tokensPerPicture}
}

// most is the estimate of all of the call.
func (c *Call) most() Tokens {
	t := c.input()
	if t.Output = int64(c.MaxOutputTokens); t.Output <= 0 {
		t.Output = defaultOutput
	}
	return t
}

// estimate is the most that a call with these tokens costs, whether or not the vendor keeps its prompt; by the dearest model
// where the prices do not know this one.
func (p *Prices) estimate(c *Call, t Tokens) MicroUSD {
	if c.Local {
		return 0
	}
	kept := t
	kept.CacheWrite = kept.Input
	plain, known := p.Cost(c.Provider, c.Model, c.StartedAt, t)
	written, _ := p.Cost(c.Provider, c.Model, c.StartedAt, kept)
	if !known {
		return max(p.Dearest(c.Provider, c.StartedAt, t), p.Dearest(c.Provider, c.StartedAt, kept))
	}
	return max(plain, written)
}
