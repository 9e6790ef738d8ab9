package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originAllowed says whether a page of the request's origin may use the API: one of the same host, or one that is listed.
// Requests that no page makes have no origin.
func (h *Handler) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if slices.ContainsFunc(h.AllowedOrigins, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// serveCORS tells browsers that a listed origin may read the answer, and answers their preflight requests; true when the
// request is thereby served. An origin that is not listed gets no header, which makes the browser refuse.
func (h *Handler) serveCORS(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" && h.originAllowed(r) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers",
			requestIDHeader+", Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset")
	}
	if r.Method != http.MethodOptions {
		return false
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers",
			"Accept, Authorization, Content-Type, Apollo-Require-Preflight, X-Requested-With, "+requestIDHeader)
		w.Header().Set("Access-Control-Max-Age", "600")
	}
	w.Header().Set("Allow", "GET, POST, OPTIONS")
	w.WriteHeader(http.StatusNoContent)
	return true
}
