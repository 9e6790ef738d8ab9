package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/schema"
)

// Accounts implements account.Store.
type Accounts struct{ db *DB }

var _ account.Store = (*Accounts)(nil)

// NewAccounts keeps users and sessions in db.
func NewAccounts(db *DB) *Accounts { return &Accounts{db: db} }

// InsertUser implements account.Store. An id that is missing is made and set in u.
func (s *Accounts) InsertUser(ctx context.Context, u *account.User) error {
	if err := ownID(&u.ID); err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	row := toUserRow(u)
	if _, err := s.db.write.NewInsert().Model(&row).Exec(ctx); err != nil {
		if isUnique(err) {
			return account.ErrEmailTaken
		}
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

// User implements account.Store.
func (s *Accounts) User(ctx context.Context, id string) (*account.User, error) {
	id, ok := canonical(id)
	if !ok {
		return nil, account.ErrNoUser
	}
	return s.user(ctx, "id = ?", id)
}

// UserByEmail implements account.Store.
func (s *Accounts) UserByEmail(ctx context.Context, email string) (*account.User, error) {
	return s.user(ctx, "email = ?", clean(email))
}

func (s *Accounts) user(ctx context.Context, where, value string) (*account.User, error) {
	var row schema.User
	if err := s.db.read.NewSelect().Model(&row).Where(where, value).Scan(ctx); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, account.ErrNoUser
		}
		return nil, fmt.Errorf("read user: %w", err)
	}
	return fromUserRow(&row), nil
}

// SaveUser implements account.Store. It fails with ErrNoUser or ErrEmailTaken.
func (s *Accounts) SaveUser(ctx context.Context, u *account.User) error {
	if _, ok := canonical(u.ID); !ok {
		return account.ErrNoUser
	}
	row := toUserRow(u)
	res, err := s.db.write.NewUpdate().Model(&row).ExcludeColumn("created_at").WherePK().Exec(ctx)
	if err != nil {
		if isUnique(err) {
			return account.ErrEmailTaken
		}
		return fmt.Errorf("save user: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("save user: %w", err)
	} else if n == 0 {
		return account.ErrNoUser
	}
	return nil
}

// InsertSession implements account.Store. An id that is missing is made and set in session, and so is the family of a first
// session. It fails with ErrNoUser when the user is gone.
func (s *Accounts) InsertSession(ctx context.Context, session *account.Session) error {
	return insertSession(ctx, s.db.write, session)
}

// PlanIn is what a user pays for, as the caller's transaction sees it; account.ErrNoUser when there is no such user.
func (s *Accounts) PlanIn(ctx context.Context, tx *sql.Tx, userID string) (account.Plan, error) {
	var plan account.Plan
	err := s.db.write.NewSelect().Conn(tx).Model((*schema.User)(nil)).Column("plan").Where("id = ?", userID).Scan(ctx, &plan)
	if errors.Is(err, sql.ErrNoRows) {
		return "", account.ErrNoUser
	}
	if err != nil {
		return "", fmt.Errorf("read plan: %w", err)
	}
	return plan, nil
}

func insertSession(ctx context.Context, db bun.IDB, session *account.Session) error {
	if err := ownID(&session.ID); err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	if session.FamilyID == "" {
		session.FamilyID = session.ID
	}
	if _, ok := canonical(session.UserID); !ok {
		return account.ErrNoUser
	}
	row := toSessionRow(session)
	if _, err := db.NewInsert().Model(&row).Exec(ctx); err != nil {
		if isForeignKey(err) {
			return account.ErrNoUser
		}
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

// SessionByRefreshHash implements account.Store.
func (s *Accounts) SessionByRefreshHash(ctx context.Context, hash string) (*account.Session, error) {
	return readSession(ctx, s.db.read, "refresh_hash = ?", clean(hash))
}

// Session implements account.Store.
func (s *Accounts) Session(ctx context.Context, id string) (*account.Session, error) {
	id, ok := canonical(id)
	if !ok {
		return nil, account.ErrNoSession
	}
	return readSession(ctx, s.db.read, "id = ?", id)
}

func readSession(ctx context.Context, db bun.IDB, where, value string) (*account.Session, error) {
	var row schema.Session
	if err := db.NewSelect().Model(&row).Where(where, value).Scan(ctx); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, account.ErrNoSession
		}
		return nil, fmt.Errorf("read session: %w", err)
	}
	return fromSessionRow(&row), nil
}

// ReplaceSession implements account.Store. It fails with ErrNoSession when there is no session oldID.
func (s *Accounts) ReplaceSession(ctx context.Context, oldID string, next *account.Session) error {
	oldID, ok := canonical(oldID)
	if !ok {
		return account.ErrNoSession
	}
	return s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		old, err := readSession(ctx, tx, "id = ?", oldID)
		if err != nil {
			return err
		}
		if err := s.serialise(ctx, tx, old.UserID); err != nil {
			return err
		}
		res, err := tx.NewUpdate().Model((*schema.Session)(nil)).Set("replaced_at = ?", micros(next.CreatedAt)).
			Where("id = ?", oldID).Where("replaced_at IS NULL").Where("revoked_at IS NULL").Exec(ctx)
		if err != nil {
			return fmt.Errorf("replace session: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return fmt.Errorf("replace session: %w", err)
		} else if n == 0 {
			return account.ErrSessionReplaced
		}
		return insertSession(ctx, tx, next)
	})
}

// RevokeFamily implements account.Store. Sessions that are revoked already keep their time.
func (s *Accounts) RevokeFamily(ctx context.Context, familyID string, at time.Time) error {
	familyID, ok := canonical(familyID)
	if !ok {
		return nil
	}
	return s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var users []string
		if err := tx.NewSelect().Model((*schema.Session)(nil)).Column("user_id").Where("family_id = ?", familyID).Limit(1).Scan(ctx, &users); err != nil {
			return fmt.Errorf("read family: %w", err)
		}
		if len(users) == 0 {
			return nil
		}
		if err := s.serialise(ctx, tx, users[0]); err != nil {
			return err
		}
		return revoke(ctx, tx, "family_id = ?", familyID, at)
	})
}

func revoke(ctx context.Context, tx bun.Tx, where, value string, at time.Time) error {
	_, err := tx.NewUpdate().Model((*schema.Session)(nil)).Set("revoked_at = ?", micros(at)).Where(where, value).Where("revoked_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("revoke sessions: %w", err)
	}
	return nil
}

// serialise makes replacing and revoking a user's sessions wait for each other: a successor inserted while its family is being
// revoked would be missed by the revocation, and live on. Signing in does not wait. SQLite has one writer anyway.
func (s *Accounts) serialise(ctx context.Context, tx bun.Tx, userID string) error {
	if s.db.dialect != schema.Postgres {
		return nil
	}
	if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", userID).Exec(ctx); err != nil {
		return fmt.Errorf("lock user: %w", err)
	}
	return nil
}

// ownID makes an id that is missing, and refuses what is none.
func ownID(id *string) (err error) {
	if *id == "" {
		*id, err = newID()
		return err
	}
	c, ok := canonical(*id)
	if !ok {
		return fmt.Errorf("%q is no id", *id)
	}
	*id = c
	return nil
}
