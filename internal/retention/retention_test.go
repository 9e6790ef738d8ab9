package retention_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/retention"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// memory is a store and its blobs.
type memory struct {
	files map[string]bool // by id, whether its bytes are there; a file that is noted as removed is not in it
	blobs map[string]bool

	failed, read time.Time // what was asked last
	before       map[string]time.Time

	crash bool // between the bytes and their rows
}

func newMemory(files int) *memory {
	m := &memory{files: map[string]bool{}, blobs: map[string]bool{}, before: map[string]time.Time{}}
	for i := range files {
		m.files[strconv.Itoa(i)], m.blobs["blob-"+strconv.Itoa(i)] = true, true
	}
	return m
}

func (m *memory) ExpiredFiles(_ context.Context, failed, read time.Time, limit int) ([]retention.File, error) {
	m.failed, m.read = failed, read
	var list []retention.File
	for id := range m.files {
		if len(list) < limit {
			list = append(list, retention.File{ID: id, BlobKey: "blob-" + id})
		}
	}
	return list, nil
}

var errCrash = errors.New("the process dies")

func (m *memory) FilesRemoved(_ context.Context, ids []string, at time.Time) error {
	if m.crash {
		return errCrash
	}
	if !at.Equal(now) {
		return errors.New("another time")
	}
	for _, id := range ids {
		delete(m.files, id)
	}
	return nil
}

func (m *memory) remove(what string, before time.Time) (int64, error) {
	m.before[what] = before
	return 1, nil
}

func (m *memory) RemoveEvents(_ context.Context, t time.Time) (int64, error) {
	return m.remove("events", t)
}

func (m *memory) RemoveSessions(_ context.Context, t time.Time) (int64, error) {
	return m.remove("sessions", t)
}

func (m *memory) RemoveAudit(_ context.Context, t time.Time) (int64, error) {
	return m.remove("audit", t)
}

func (m *memory) Delete(_ context.Context, key string) error {
	delete(m.blobs, key)
	return nil
}

func sweeper(m *memory, l retention.Limits) *retention.Sweeper {
	return &retention.Sweeper{
		Limits: l, Store: m, Blobs: m, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
}

func TestEachKindIsKeptForItsTime(t *testing.T) {
	t.Parallel()
	m := newMemory(450) // more than are taken at once
	require.NoError(t, sweeper(m, retention.Limits{
		FailedFiles: time.Hour, ReadFiles: 2 * time.Hour, Events: 3 * time.Hour, Sessions: 4 * time.Hour, Audit: 5 * time.Hour,
	}).Sweep(t.Context()))
	assert.Empty(t, m.files)
	assert.Empty(t, m.blobs)
	assert.Equal(t, now.Add(-time.Hour), m.failed)
	assert.Equal(t, now.Add(-2*time.Hour), m.read)
	assert.Equal(t, map[string]time.Time{
		"events": now.Add(-3 * time.Hour), "sessions": now.Add(-4 * time.Hour), "audit": now.Add(-5 * time.Hour),
	}, m.before)
}

func TestZeroIsForEver(t *testing.T) {
	t.Parallel()
	m := newMemory(0)
	require.NoError(t, sweeper(m, retention.Limits{}).Sweep(t.Context()))
	assert.True(t, m.failed.IsZero())
	assert.True(t, m.read.IsZero())
	assert.Empty(t, m.before)
}

func TestACrashBetweenBytesAndRowsIsMadeGood(t *testing.T) {
	t.Parallel()
	m := newMemory(5)
	m.crash = true
	s := sweeper(m, retention.Limits{ReadFiles: time.Hour})
	require.ErrorIs(t, s.Sweep(t.Context()), errCrash)
	assert.Empty(t, m.blobs)
	assert.Len(t, m.files, 5, "found again")
	m.crash = false
	require.NoError(t, s.Sweep(t.Context()))
	assert.Empty(t, m.files)
}
