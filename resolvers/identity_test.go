package resolvers_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/account"
)

const ivoID = "0193b000-0000-7000-8000-000000000003"

func TestOnlyTheRightPasswordDeletesAndOnlyTheViewer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.json(t, `{"query":"mutation { deleteMyAccount(input: {password: \"wrong\"}) { deleted } }"}`)
	assert.Empty(t, s.deleted)
	s.json(t, `{"query":"mutation { deleteMyAccount(input: {password: \"correct horse\"}) { deleted } }"}`)
	assert.Equal(t, []string{anaID}, s.deleted)
}

func TestReadingEverybodysUsageIsWrittenDown(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const body = `{"query":"{ usage(period: {from: \"2026-11-01\", to: \"2026-11-30\"}) { calls } }"}`
	s.json(t, body)
	assert.Empty(t, s.audit, "one's own is one's own")
	s.json(t, body, "Authorization", "Bearer token-ivo")
	assert.Equal(t, []account.AuditEntry{{ActorID: ivoID, Action: account.AuditUsageRead}}, s.audit)
}

func TestWhoIsNoAdminLeavesNoTraceInTheAuditLog(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.json(t, `{"query":"{ userByEmail(email: \"bia@example.com\") { id } }"}`)
	s.json(t, `{"query":"mutation { setUserPlan(input: {email: \"bia@example.com\", plan: PREMIUM}) { user { id } } }"}`)
	assert.Empty(t, s.audit)
}

// TestAStreamEndsWhenItsUserIsDeleted has the account gone, not the token expired: the next look ends the stream.
func TestAStreamEndsWhenItsUserIsDeleted(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Recheck = 10 * time.Millisecond })
	body := strings.NewReader(`{"query":"subscription { extractions { seq } }"}`)
	stream := s.open(t, http.MethodPost, s.url+"/graphql", body,
		"Content-Type", "application/json", "Authorization", "Bearer token-ana", "Accept", "text/event-stream")
	<-s.watching
	s.removeUser(anaID)
	data, err := io.ReadAll(stream.Body)
	require.NoError(t, errors.Join(err, stream.Body.Close()))
	answer := string(data)
	assert.Contains(t, answer, "UNAUTHENTICATED")
	assert.Contains(t, answer, "event: complete")
}
