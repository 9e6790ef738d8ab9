package providers

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// work answers one request, whatever its task: by asking providers or, decorated, from the cache or by waiting for somebody
// who asks the same. The decorators see of an answer nothing but its bytes.
type work func(ctx context.Context, observe func(invoice.Progress)) result

// result is what a request came to.
type result struct {
	value []byte // the answer, in a form that can be kept and handed to others; nil beside err
	// keep says that the answer passed every check: it may be taken for the answer of later requests.
	keep bool
	from origin
	err  error // an *invoice.ExtractionError, or that of a context
	// private says that err is about the request that got it, and tells others who ask the same nothing.
	private  bool
	attempts []invoice.Attempt // the calls that this request has made
}

// origin says how an answer was come by. It is the outcome of the attempt in which the answer is listed.
type origin string

const (
	fromProvider origin = outcomeOK
	fromCache    origin = "cached" // an earlier request's answer
	fromOther    origin = "shared" // the answer of a request that was under way
)

// answer is the way of every request: from the cache, by waiting for an equal one, or by asking the providers. key is the same
// for requests that ask the same; accept looks at a kept answer once more.
func (c *Chain) answer(
	ctx context.Context, key string, run *fallback, accept func(value []byte) bool, observe func(invoice.Progress),
) result {
	// Providers are part of what makes two requests equal: users who consent to different ones are answered by different ones.
	lane := key + ":" + run.may.lane
	do := c.cached(run.userID, key, accept, c.oneFlight(lane, c.cached(run.userID, key, accept, run.all)))
	res := do(ctx, observe)
	origin := string(res.from)
	if res.err != nil {
		origin = outcomeFailed
	}
	c.config.Answered(run.request.Task, origin)
	return res
}

// outcomeFailed is the origin of no answer.
const outcomeFailed = "failed"
