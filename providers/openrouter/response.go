package openrouter

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/openai/openai-go/v3"

	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// metadata is what OpenRouter tells beside an error.
type metadata struct {
	Reasons     []json.RawMessage `json:"reasons"`       // of a moderation
	Flagged     string            `json:"flagged_input"` // never to be logged: it is the document's text
	LimitSource string            `json:"limit_source"`
	Headers     map[string]string `json:"headers"` // those that did not fit in the answer's own
}

func metadataOf(f openaicompat.Failure) metadata {
	var m metadata
	if json.Unmarshal(f.Metadata, &m) != nil {
		return metadata{}
	}
	return m
}

// kind knows the codes that only OpenRouter has.
func kind(f openaicompat.Failure) sdk.Kind {
	status := f.Code
	if f.Status >= http.StatusMultipleChoices {
		status = strconv.Itoa(f.Status)
	}
	m := metadataOf(f)
	switch status {
	case "403": // a moderation's refusal looks like a bad key
		if len(m.Reasons) > 0 || m.Flagged != "" {
			return sdk.KindBlocked
		}
	case "402": // enough credit, but too much of it in calls that run now
		if m.LimitSource == "openrouter_in_flight_budget" && vendorhttp.RetryAfter(f.Header, time.Now()) > 0 {
			return sdk.KindRateLimited
		}
	case "429":
		if m.Headers["X-RateLimit-Reset"] != "" && retryAfter(f) > time.Hour {
			return sdk.KindQuota // of the day
		}
	}
	return ""
}

// retryAfter is the moment, in milliseconds since 1970, at which a limit of OpenRouter's own begins anew.
func retryAfter(f openaicompat.Failure) time.Duration {
	headers := metadataOf(f).Headers
	if s := headers["Retry-After"]; s != "" {
		return vendorhttp.RetryAfter(http.Header{"Retry-After": {s}}, time.Now())
	}
	at := f.Header.Get("X-RateLimit-Reset")
	if at == "" {
		at = headers["X-RateLimit-Reset"]
	}
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Until(time.UnixMilli(ms)), 0), 31*24*time.Hour)
}

// maxCost is the largest figure that is believed, in US dollars.
const maxCost = 1000

// cost is what the call was billed, in millionths of a US dollar. With a key of the operator's own at the model's host, that
// host bills too, and OpenRouter tells how much. The vendor computes in floating point, so nothing is lost by it here.
func cost(usage openai.CompletionUsage) *int64 {
	dollars, ok := number(usage.JSON.ExtraFields["cost"].Raw())
	if !ok {
		return nil
	}
	var details struct {
		Upstream json.Number `json:"upstream_inference_cost"`
	}
	if usage.JSON.ExtraFields["is_byok"].Raw() == "true" &&
		json.Unmarshal([]byte(usage.JSON.ExtraFields["cost_details"].Raw()), &details) == nil {
		if upstream, ok := number(details.Upstream.String()); ok {
			dollars += upstream
		}
	}
	micro := int64(math.Round(dollars * 1e6))
	return &micro
}

func number(raw string) (float64, bool) {
	n, err := strconv.ParseFloat(raw, 64)
	return n, err == nil && n >= 0 && n <= maxCost
}

// ready says whether a key has anything left to spend. A key without a limit of its own says null.
func ready(body []byte) *sdk.Error {
	var answer struct {
		Data struct {
			Remaining *float64 `json:"limit_remaining"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Data.Remaining != nil && *answer.Data.Remaining <= 0 {
		return &sdk.Error{Kind: sdk.KindNoCredit, Blame: sdk.BlameDownstream, Message: "the key's limit is spent"}
	}
	return nil
}
