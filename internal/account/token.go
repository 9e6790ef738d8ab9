package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

const (
	tokenIssuer   = "smarket"
	tokenAudience = "smarket-api"
	maxTokenSize  = 2048 // bytes; ours have about 350
	// clockSkew is how far ahead the clock of the replica that signed may be of the one that checks. It is taken off nbf,
	// not granted as leeway, so that exp stays exact.
	clockSkew        = 5 * time.Second
	refreshTokenSize = 32 // bytes of randomness
)

// Tokens are what a client keeps of a session.
type Tokens struct {
	AccessToken  string
	RefreshToken string    // good for one refresh
	ExpiresAt    time.Time // of the access token
}

// claims of an access token. Role and plan are not among them: they are read with the user, so that a change counts at once.
type claims struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
}

// signer makes and checks access tokens.
type signer struct {
	secret []byte
	ttl    time.Duration
	clock  func() time.Time
	parser *jwt.Parser
}

func newSigner(secret []byte, ttl time.Duration, clock func() time.Time) *signer {
	return &signer{secret: secret, ttl: ttl, clock: clock, parser: newParser(tokenAudience, clock)}
}

// newParser accepts what this service signed for that audience, and nothing else.
func newParser(audience string, clock func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // neither "none" nor a public key taken for a secret
		jwt.WithIssuer(tokenIssuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(clock),
	)
}

func (s *signer) sign(userID, sessionID string) (token string, expires time.Time, err error) {
	now := s.clock().UTC().Truncate(time.Second) // the precision of a NumericDate
	expires = now.Add(s.ttl)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        uuid.NewString(),
			Issuer:    tokenIssuer,
			Audience:  jwt.ClaimStrings{tokenAudience},
			Subject:   userID,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now.Add(-clockSkew)),
			ExpiresAt: jwt.NewNumericDate(expires),
		},
		SessionID: sessionID,
	}).SignedString(s.secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign an access token: %w", err)
	}
	return token, expires, nil
}

// verify checks everything a token says of itself; whether its session still lives is for the Store to say.
func (s *signer) verify(token string) (claims, error) {
	if len(token) > maxTokenSize {
		return claims{}, errors.New("token is too long")
	}
	var c claims
	if _, err := s.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.secret, nil }); err != nil {
		return claims{}, err
	}
	if c.Subject == "" || c.SessionID == "" {
		return claims{}, errors.New("token names no user or no session")
	}
	return c, nil
}

// newRefreshToken is an opaque token and the hash it is kept under.
func newRefreshToken() (token, hash string, err error) {
	random := make([]byte, refreshTokenSize)
	if _, err := rand.Read(random); err != nil {
		return "", "", fmt.Errorf("make a refresh token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(random)
	return token, refreshHash(token), nil
}

// refreshHash needs no salt and no cost: 256 random bits cannot be guessed.
func refreshHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
