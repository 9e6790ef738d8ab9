package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// What new passwords are hashed with: OWASP's first choice for argon2id. Old hashes carry their own.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	saltSize     = 16 // bytes
	keySize      = 32 // bytes
)

// What a stored hash may ask for at most: a row that was tampered with must not exhaust the machine.
const (
	mostMemory  = 256 * 1024 // KiB
	mostTime    = 16
	mostThreads = 16
	mostBytes   = 64
)

// hashWait is how long one may wait for a turn to hash before being sent away.
const hashWait = 10 * time.Second

var errHashFormat = errors.New("not an argon2id hash")

// hasher hashes passwords, a few at a time: each takes 19 MiB and some 30 ms of a CPU.
type hasher struct {
	slots chan struct{}
	// dummy is a hash no password has. Checking against it costs what checking against a real one does.
	dummy string
}

func newHasher(slots int) (*hasher, error) {
	random := make([]byte, saltSize+keySize)
	if _, err := rand.Read(random); err != nil {
		return nil, fmt.Errorf("make the dummy hash: %w", err)
	}
	return &hasher{slots: make(chan struct{}, slots), dummy: formatHash(random[:saltSize], random[saltSize:])}, nil
}

// turn waits for a slot and returns what gives it back.
func (h *hasher) turn(ctx context.Context) (func(), error) {
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	case <-timer.C:
		return nil, &Error{
			Code: CodeUnavailable, Message: "Muita gente está entrando agora. Tente de novo em instantes.", RetryAfter: time.Second,
		}
	}
}

// hash is the PHC string of a password that was normalised.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("salt a password: %w", err)
	}
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return formatHash(salt, argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, keySize)), nil
}

// matches says whether the password has the hash, using the parameters that the hash names.
func (h *hasher) matches(ctx context.Context, password, phc string) (bool, error) {
	p, err := parseHash(phc)
	if err != nil {
		return false, err
	}
	done, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key))) //nolint:gosec // at most mostBytes
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

func formatHash(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

type hashParams struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parseHash reads a PHC string. Its error never repeats it.
func parseHash(phc string) (hashParams, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hashParams{}, errHashFormat
	}
	var p hashParams
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.time, p.threads) {
		return hashParams{}, errHashFormat
	}
	var saltErr, keyErr error
	p.salt, saltErr = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	p.key, keyErr = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(p.salt) < 8 || len(p.salt) > mostBytes || len(p.key) < 16 || len(p.key) > mostBytes {
		return hashParams{}, errHashFormat
	}
	if p.time < 1 || p.time > mostTime || p.threads < 1 || p.threads > mostThreads ||
		p.memory < 8*uint32(p.threads) || p.memory > mostMemory {
		return hashParams{}, fmt.Errorf("%w: its parameters are out of range", errHashFormat)
	}
	return p, nil
}
