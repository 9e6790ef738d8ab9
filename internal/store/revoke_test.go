package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

// beforeInsert calls once before the second session is inserted: the successor of the first.
type beforeInsert struct {
	mu    sync.Mutex
	seen  int
	calls func()
}

func (b *beforeInsert) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.HasPrefix(e.Query, `INSERT INTO "sessions"`) {
		b.mu.Lock()
		b.seen++
		second := b.seen == 2
		b.mu.Unlock()
		if second {
			b.calls()
		}
	}
	return ctx
}

func (b *beforeInsert) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestARevocationThatBeginsDuringARefreshTakesTheSuccessorToo(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	hook := &beforeInsert{}
	db.Hook(hook)
	accounts, ctx := store.NewAccounts(db), t.Context()
	first := &account.Session{UserID: storetest.NewUser(t, accounts), RefreshHash: "1", CreatedAt: storetest.At(0), ExpiresAt: storetest.At(9)}
	revoked := make(chan error, 1)
	hook.calls = func() {
		go func() { revoked <- accounts.RevokeFamily(ctx, first.FamilyID, storetest.At(2)) }()
		assert.Eventually(t, func() bool { // it waits for the refresh
			var waiting int
			err := db.PGXPool().QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
			return err == nil && waiting == 1
		}, 20*time.Second, 5*time.Millisecond)
	}
	require.NoError(t, accounts.InsertSession(ctx, first))
	next := &account.Session{FamilyID: first.ID, UserID: first.UserID, RefreshHash: "2", CreatedAt: storetest.At(1), ExpiresAt: storetest.At(9)}
	require.NoError(t, accounts.ReplaceSession(ctx, first.ID, next))
	require.NoError(t, <-revoked)
	got, err := accounts.Session(ctx, next.ID)
	require.NoError(t, err)
	assert.NotNil(t, got.RevokedAt)
}
