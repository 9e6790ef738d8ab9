package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Purpose is what a ticket is good for.
type Purpose string

// The purposes.
const (
	PurposeExport Purpose = "export" // to download all of a user's data; the subject is the user's id
	PurposeFile   Purpose = "file"   // to see one submitted file; the subject is the file's id
)

// Ticket is a signed permission that fits into a link: pictures and downloads are fetched by browsers without an Authorization
// header. Whoever has it may use it until it expires, so it is short-lived.
func (s *Service) Ticket(p Purpose, userID, subject string, ttl time.Duration) (ticket string, expires time.Time, err error) {
	now := s.clock().UTC().Truncate(time.Second)
	expires = now.Add(ttl)
	ticket, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{p.audience()}, Subject: userID, ID: subject,
			NotBefore: jwt.NewNumericDate(now.Add(-clockSkew)), ExpiresAt: jwt.NewNumericDate(expires),
		},
	}).SignedString(s.signer.secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a ticket: %w", err)
	}
	return ticket, expires, nil
}

// Redeem says whom and what a ticket is for. UNAUTHENTICATED when it is not good, or for another purpose.
func (s *Service) Redeem(p Purpose, ticket string) (userID, subject string, err error) {
	if len(ticket) > maxTokenSize {
		return "", "", unauthenticated(errors.New("ticket is too long"))
	}
	var c claims
	_, err = newParser(p.audience(), s.clock).ParseWithClaims(ticket, &c, func(*jwt.Token) (any, error) { return s.signer.secret, nil })
	if err != nil {
		return "", "", unauthenticated(err)
	}
	return c.Subject, c.ID, nil
}

// audience keeps tickets and access tokens apart: neither is taken for the other.
func (p Purpose) audience() string { return "smarket-" + string(p) }
