package account_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/internal/account"
)

// memory is an account.Store that keeps copies, as a database does.
type memory struct {
	// afterFind, when set, is called by SessionByRefreshHash with what it is about to return.
	afterFind func()

	mu       sync.Mutex
	users    map[string]account.User
	sessions map[string]account.Session
	audit    []account.AuditEntry
	err      error // answered by everything when set
}

var _ account.Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{users: map[string]account.User{}, sessions: map[string]account.Session{}}
}

func copyUser(u account.User) account.User {
	u.Consents = maps.Clone(u.Consents)
	if u.Household.Income != nil {
		income := *u.Household.Income
		u.Household.Income = &income
	}
	return u
}

func (m *memory) InsertUser(_ context.Context, u *account.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for _, other := range m.users {
		if other.Email == u.Email {
			return account.ErrEmailTaken
		}
	}
	m.users[u.ID] = copyUser(*u)
	return nil
}

func (m *memory) User(_ context.Context, id string) (*account.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	u, ok := m.users[id]
	if !ok {
		return nil, account.ErrNoUser
	}
	u = copyUser(u)
	return &u, nil
}

func (m *memory) UserByEmail(_ context.Context, email string) (*account.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	for _, u := range m.users {
		if u.Email == email {
			u = copyUser(u)
			return &u, nil
		}
	}
	return nil, account.ErrNoUser
}

func (m *memory) SaveUser(_ context.Context, u *account.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if _, ok := m.users[u.ID]; !ok {
		return account.ErrNoUser
	}
	m.users[u.ID] = copyUser(*u)
	return nil
}

func (m *memory) InsertSession(_ context.Context, s *account.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.sessions[s.ID] = *s
	return nil
}

func (m *memory) SessionByRefreshHash(_ context.Context, hash string) (*account.Session, error) {
	s, err := m.find(func(s account.Session) bool { return s.RefreshHash == hash })
	if err == nil && m.afterFind != nil {
		m.afterFind()
	}
	return s, err
}

func (m *memory) Session(_ context.Context, id string) (*account.Session, error) {
	return m.find(func(s account.Session) bool { return s.ID == id })
}

func (m *memory) find(match func(account.Session) bool) (*account.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	for _, s := range m.sessions {
		if match(s) {
			return &s, nil
		}
	}
	return nil, account.ErrNoSession
}

func (m *memory) ReplaceSession(_ context.Context, oldID string, next *account.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.sessions[oldID]
	if old.ReplacedAt != nil || old.RevokedAt != nil {
		return account.ErrSessionReplaced
	}
	old.ReplacedAt = &next.CreatedAt
	m.sessions[oldID] = old
	m.sessions[next.ID] = *next
	return nil
}

func (m *memory) RevokeFamily(_ context.Context, familyID string, at time.Time) error {
	m.revoke(func(s account.Session) bool { return s.FamilyID == familyID }, at)
	return nil
}

func (m *memory) RevokeOtherFamilies(_ context.Context, userID, keepID string, at time.Time) error {
	m.revoke(func(s account.Session) bool { return s.UserID == userID && s.FamilyID != keepID }, at)
	return nil
}

func (m *memory) SignIns(_ context.Context, userID string, now time.Time) ([]account.SignIn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []account.SignIn
	for _, s := range m.sessions {
		if s.UserID == userID && s.ReplacedAt == nil && s.RevokedAt == nil && s.ExpiresAt.After(now) {
			list = append(list, account.SignIn{ID: s.FamilyID, Device: s.Device, LastUsedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt})
		}
	}
	slices.SortFunc(list, func(a, b account.SignIn) int { return b.LastUsedAt.Compare(a.LastUsedAt) })
	return list, m.err
}

func (m *memory) InsertAudit(_ context.Context, e *account.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.audit = append(m.audit, *e)
	}
	return m.err
}

func (m *memory) AuditLog(_ context.Context, limit int) ([]account.AuditEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.audit)
	slices.Reverse(list)
	return list[:min(limit, len(list))], m.err
}

func (m *memory) revoke(match func(account.Session) bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range m.sessions {
		if match(s) && s.RevokedAt == nil {
			s.RevokedAt = &at
			m.sessions[id] = s
		}
	}
}
