package sefaz_test

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/internal/sefaz/portaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is a client of a portal.
type bundle struct {
	*sefaz.Client

	portal *portaltest.Portal
	logs   *logs
}

func setup(t *testing.T, change ...func(*sefaz.Config)) bundle {
	t.Helper()
	portal := portaltest.Start(t)
	cfg := sefaz.Config{Network: portal.Network(), Interval: time.Nanosecond, Timeout: time.Minute}
	for _, c := range change {
		c(&cfg)
	}
	out := &logs{}
	client, err := sefaz.New(cfg, slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	require.NoError(t, err)
	return bundle{client, portal, out}
}

// store is a shop in a state.
func store(t *testing.T, uf string) *receipts.Store {
	t.Helper()
	for _, s := range receipts.States() {
		if s.UF == uf {
			shop := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 1}).Store
			shop.State = s
			return &shop
		}
	}
	require.Fail(t, "no such state", uf)
	return nil
}

func receipt(t *testing.T, uf string, seed uint64, change ...func(*receipts.Options)) receipts.Receipt {
	t.Helper()
	opts := receipts.Options{Store: store(t, uf), QRVersion: 2}
	for _, c := range change {
		c(&opts)
	}
	return receipts.Generate(receipts.NewRand(seed), opts)
}

func codeOf(t *testing.T, r receipts.Receipt) fiscal.QR {
	t.Helper()
	qr, err := fiscal.ParseQR(r.QR)
	require.NoError(t, err)
	return qr
}

func (b bundle) lookup(t *testing.T, r receipts.Receipt) invoice.Record {
	t.Helper()
	return b.Lookup(t.Context(), codeOf(t, r))
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
