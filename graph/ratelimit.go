package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/ratelimit"
)

// Limiter counts requests. Implemented by ratelimit.Limiter.
type Limiter interface {
	Take(ctx context.Context, units int, buckets ...ratelimit.Bucket) ratelimit.Verdict
}

// class is what kind of work an operation asks for.
type class string

// The classes, the most precious one first: an operation belongs to the first that one of its fields belongs to.
const (
	classSignIn    class = "sign_in" // hashes a password, or tries a token
	classSubmit    class = "submit"  // makes work for providers
	classSubscribe class = "subscribe"
	classQuery     class = "query" // and all other mutations
)

// quota is how many units of a class one user and one address have in a window. A household, an office or a mobile operator may
// share an address, so it has more than a user.
type quota struct {
	user, address int
	window        time.Duration
}

func quotaOf(c class) quota {
	switch c {
	case classSignIn:
		return quota{user: 20, address: 40, window: time.Minute}
	case classSubmit:
		return quota{user: 60, address: 240, window: time.Minute}
	case classSubscribe:
		return quota{user: 240, address: 960, window: time.Minute}
	case classQuery:
	}
	return quota{user: 1200, address: 4800, window: time.Minute}
}

// classOf says what an operation asks for, and how many units of it: one for each of its fields at the root, and a mutation of
// class query counts twice.
func classOf(op *ast.OperationDefinition) (class, int) {
	if op.Operation == ast.Subscription {
		return classSubscribe, 1
	}
	counts := map[class]int{}
	countFields(op.SelectionSet, counts)
	for _, c := range []class{classSignIn, classSubmit} {
		if counts[c] > 0 {
			return c, counts[c]
		}
	}
	units := max(counts[classQuery], 1)
	if op.Operation == ast.Mutation {
		units *= 2
	}
	return classQuery, units
}

// countFields goes through fragments too. They cannot be circular: the query was validated, and held against the limits.
func countFields(set ast.SelectionSet, counts map[class]int) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			counts[classOfField(s.Name)]++
		case *ast.InlineFragment:
			countFields(s.SelectionSet, counts)
		case *ast.FragmentSpread:
			if s.Definition != nil {
				countFields(s.Definition.SelectionSet, counts)
			}
		}
	}
}

func classOfField(name string) class {
	switch name {
	case "signUp", "signIn", "refreshSession", "changePassword", "deleteMyAccount":
		return classSignIn
	case "submitInvoice", "retryExtraction", "analyzeInvoice":
		return classSubmit
	}
	return classQuery
}

// limitRate counts an operation against the limits of its user and its address. It fails with RATE_LIMITED.
func (h *Handler) limitRate(ctx context.Context, op *ast.OperationDefinition) error {
	if h.Limiter == nil {
		return nil
	}
	c, units := classOf(op)
	q := quotaOf(c)
	var buckets []ratelimit.Bucket
	if v, ok := account.ViewerFrom(ctx); ok {
		buckets = append(buckets, ratelimit.Bucket{Key: string(c) + ":user:" + h.digest([]byte(v.UserID)), Units: q.user, Window: q.window})
	}
	caller, _ := ctx.Value(callerKey{}).(caller)
	if caller.address.IsValid() {
		key := string(c) + ":address:" + h.digest(network(caller.address))
		buckets = append(buckets, ratelimit.Bucket{Key: key, Units: q.address, Window: q.window})
	}
	verdict := h.Limiter.Take(ctx, units, buckets...)
	caller.tell(verdict)
	if !verdict.Allowed {
		return &invoice.Error{
			Code: invoice.CodeRateLimited, Message: "São pedidos demais. Espere um pouco e tente de novo.", RetryAfter: verdict.RetryAfter,
		}
	}
	return nil
}

// digest stands for a user or an address in a key, so that the store of counters names nobody.
func (h *Handler) digest(who []byte) string {
	mac := hmac.New(sha256.New, h.AddressSecret)
	mac.Write(who)
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// network is what one client has of addresses: of IPv6 a whole /64.
func network(addr netip.Addr) []byte {
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			addr = p.Addr()
		}
	}
	return addr.AsSlice()
}

// caller is where a request came from, and the headers of its answer; a websocket's operations have none.
type caller struct {
	address netip.Addr
	header  http.Header
}

type callerKey struct{}

func (h *Handler) withCaller(w http.ResponseWriter, r *http.Request) *http.Request {
	c := caller{address: h.Proxies.Of(r)}
	if !isUpgrade(r) {
		c.header = w.Header()
	}
	ctx := account.WithDevice(r.Context(), account.DeviceOf(r.UserAgent()))
	return r.WithContext(context.WithValue(ctx, callerKey{}, c))
}

// tell puts a verdict into the headers: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ in its widespread
// form. Streams have sent their headers by then, so a verdict on theirs is in the errors alone.
func (c caller) tell(v ratelimit.Verdict) {
	if c.header == nil || v.Limit == 0 {
		return
	}
	seconds := func(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
	c.header.Set("RateLimit-Limit", strconv.Itoa(v.Limit))
	c.header.Set("RateLimit-Remaining", strconv.Itoa(v.Remaining))
	c.header.Set("RateLimit-Reset", seconds(v.Reset))
	if !v.Allowed {
		c.header.Set("Retry-After", seconds(v.RetryAfter))
	}
}
