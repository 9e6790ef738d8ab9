package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// PersistedQueries keeps the texts of queries under their hashes, for clients that send the hash alone. Implemented by
// cache.Queries.
type PersistedQueries interface {
	// Get answers "" when there is nothing under hash.
	Get(ctx context.Context, hash string) (query string, err error)
	// Put may keep nothing: the client then sends the text again.
	Put(ctx context.Context, hash, query string) error
}

// What the protocol of automatic persisted queries calls its errors. Clients look for either the code or the message.
const (
	codeQueryNotFound     invoice.Code = "PERSISTED_QUERY_NOT_FOUND"
	codeQueryNotSupported invoice.Code = "PERSISTED_QUERY_NOT_SUPPORTED"
)

// persistedQueryExtension holds {"version": 1, "sha256Hash": "..."}.
const persistedQueryExtension = "persistedQuery"

var queryHashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// persistedHash is the hash that a request names its query by; "" when it names none.
func persistedHash(extensions map[string]any) (string, error) {
	extension, named := extensions[persistedQueryExtension]
	if !named || extension == nil {
		return "", nil
	}
	fields, _ := extension.(map[string]any) // of what is no object nothing is found
	if version, _ := fields["version"].(json.Number); version != "1" {
		return "", &requestError{message: "Only version 1 of persistedQuery is known."}
	}
	hash, _ := fields["sha256Hash"].(string)
	if !queryHashForm.MatchString(hash) {
		return "", &requestError{message: "The sha256Hash of persistedQuery is not one in lower-case hexadecimal."}
	}
	return hash, nil
}

// findPersisted puts the text of a query into a request that has its hash alone. It returns the hash under which the text of
// this request is to be kept once it has proved good; "" when there is nothing to keep.
func (h *Handler) findPersisted(ctx context.Context, params *graphql.RawParams) (keep string, err error) {
	hash, err := persistedHash(params.Extensions)
	if err != nil || hash == "" {
		return "", err
	}
	switch {
	case params.Query != "" && hashOf(params.Query) != hash:
		return "", &requestError{message: "The sha256Hash of persistedQuery is not that of the query."}
	case params.Query != "" && h.PersistedQueries == nil:
		return "", nil
	case params.Query != "":
		return hash, nil
	case h.PersistedQueries == nil:
		return "", &requestError{code: codeQueryNotSupported, message: "PersistedQueryNotSupported"}
	}
	query, err := h.PersistedQueries.Get(ctx, hash)
	if err != nil || hashOf(query) != hash {
		// Without the store, and with one that holds something else, it is as if nobody had sent the text yet: the client does.
		return "", &requestError{code: codeQueryNotFound, message: "PersistedQueryNotFound"}
	}
	params.Query = query
	return "", nil
}

// keepPersisted keeps the text of a query that was parsed, validated and held against the limits. When that fails, which the
// store logs, clients send the text each time.
func (h *Handler) keepPersisted(ctx context.Context, hash, query string) {
	if hash != "" {
		_ = h.PersistedQueries.Put(ctx, hash, query)
	}
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}
