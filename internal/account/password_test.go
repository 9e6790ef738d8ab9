package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHashesNameTheirParametersAndDiffer(t *testing.T) {
	t.Parallel()
	h, err := newHasher(1)
	require.NoError(t, err)
	one, err := h.hash(t.Context(), "password")
	require.NoError(t, err)
	two, err := h.hash(t.Context(), "password")
	require.NoError(t, err)
	assert.NotEqual(t, one, two)
	for _, phc := range []string{one, two} {
		ok, err := h.matches(t.Context(), "password", phc)
		require.NoError(t, err)
		assert.True(t, ok)
		ok, err = h.matches(t.Context(), "passwore", phc)
		require.NoError(t, err)
		assert.False(t, ok)
	}
}

// Made by another implementation (the argon2 command) with parameters that are not ours.
func TestParametersAreReadFromTheHash(t *testing.T) {
	t.Parallel()
	h, err := newHasher(1)
	require.NoError(t, err)
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := h.matches(t.Context(), "password", phc)
	require.NoError(t, err)
	assert.True(t, ok)
}

func TestTheDummyHashCostsWhatARealOneDoes(t *testing.T) {
	t.Parallel()
	h, err := newHasher(1)
	require.NoError(t, err)
	real, err := h.hash(t.Context(), "password")
	require.NoError(t, err)
	want, err := parseHash(real)
	require.NoError(t, err)
	got, err := parseHash(h.dummy)
	require.NoError(t, err)
	assert.Equal(t, []any{want.memory, want.time, want.threads, len(want.salt), len(want.key)},
		[]any{got.memory, got.time, got.threads, len(got.salt), len(got.key)})
	ok, err := h.matches(t.Context(), "", h.dummy)
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestHashingWaitsForATurnAndForTheContext(t *testing.T) {
	t.Parallel()
	h, err := newHasher(1)
	require.NoError(t, err)
	done, err := h.turn(t.Context())
	require.NoError(t, err)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("client is gone"))
	_, err = h.hash(ctx, "password")
	require.ErrorIs(t, err, context.Canceled)
	_, err = h.matches(ctx, "password", h.dummy)
	require.ErrorIs(t, err, context.Canceled)

	finished := make(chan error)
	go func() {
		_, err := h.hash(t.Context(), "password")
		finished <- err
	}()
	select {
	case err := <-finished:
		require.FailNow(t, "hashed without a turn", "%v", err)
	default:
	}
	done()
	require.NoError(t, <-finished)
}

func TestHashesThatAreNotOursAreRefused(t *testing.T) {
	t.Parallel()
	const tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, phc := range []string{
		"", "password", "$2a$10$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=65536,t=2,p=1" + tail, "$argon2id$v=16$m=65536,t=2,p=1" + tail,
		"$argon2id$v=19$m=4294967295,t=2,p=1" + tail, "$argon2id$v=19$m=65536,t=4000000,p=1" + tail, "$argon2id$v=19$m=65536,t=0,p=1" + tail,
		"$argon2id$v=19$m=65536,t=2,p=0" + tail, "$argon2id$v=19$m=65536,t=2,p=256" + tail, "$argon2id$v=19$m=65536,t=2,p=1,x=1" + tail,
		"$argon2id$v=19$m=-1,t=2,p=1" + tail, "$argon2id$v=19$m=65536,t=2,p=1$$", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 400),
	} {
		_, err := parseHash(phc)
		require.ErrorIs(t, err, errHashFormat, phc)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, phc string) {
		p, err := parseHash(phc)
		if err != nil {
			return
		}
		if p.memory > mostMemory || p.time > mostTime || p.threads > mostThreads || p.memory < 8*uint32(p.threads) {
			t.Fatalf("accepted %+v", p)
		}
	})
}

func FuzzNormalEmail(f *testing.F) {
	for _, s := range []string{"a@example.com", "A <a@example.com>", `"a b"@example.com`, "a@[::1]", "a@b\r\nBcc: c@d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := normalEmail(s)
		if err != nil {
			return
		}
		again, err := normalEmail(got)
		if err != nil || again != got || strings.ContainsAny(got, " \r\n\x00<>(),") || len(got) > maxEmail || got != strings.ToLower(got) {
			t.Fatalf("accepted %q as %q", s, got)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h, err := newHasher(1)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := h.hash(context.Background(), "password"); err != nil {
			b.Fatal(err)
		}
	}
}
