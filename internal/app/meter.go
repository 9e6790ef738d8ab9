package app

import (
	"context"
	"sync"

	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Meter adds up what the calls of a Previewer cost. Nothing is stored and nothing is refused: whoever works from the shell
// sees the bill.
type Meter struct {
	prices *usage.Prices

	mu    sync.Mutex
	spent Spent
}

// Spent is what a Meter has counted.
type Spent struct {
	Calls    int
	Unpriced int // calls whose price is not known
	Cost     usage.MicroUSD
}

var _ providers.Ledger = (*Meter)(nil)

// Spent so far.
func (m *Meter) Spent() Spent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent
}

// Reserve implements providers.Ledger.
func (m *Meter) Reserve(_ context.Context, call providers.Call) (providers.Booking, error) {
	return &metered{m, call}, nil
}

// Saved implements providers.Ledger.
func (m *Meter) Saved(context.Context, providers.Call, sdk.Usage) error { return nil }

type metered struct {
	meter *Meter
	call  providers.Call
}

// Settle implements providers.Booking.
func (b *metered) Settle(_ context.Context, end providers.CallEnd) error {
	m := b.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent.Calls++
	if b.call.Local {
		return nil
	}
	model := end.Model
	if model == "" {
		model = b.call.Model
	}
	cost, known := m.prices.Cost(b.call.Provider, model, end.EndedAt, toTokens(end.Usage))
	if end.Usage.CostMicroUSD != nil {
		cost, known = m.prices.Billed(b.call.Provider, usage.MicroUSD(*end.Usage.CostMicroUSD)), true
	}
	if !known {
		m.spent.Unpriced++
	}
	m.spent.Cost = m.spent.Cost.Add(cost)
	return nil
}
