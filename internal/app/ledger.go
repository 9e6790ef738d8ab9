package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/internal/usage/pricefile"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// newUsage fails on a price file that is wrong.
func newUsage(
	cfg config.Config, db *store.DB, settled func(usage.Call, usage.Settlement), log *slog.Logger,
) (*usage.Service, error) {
	prices, err := pricefile.Load(cfg.Costs.PricesFile)
	if err != nil {
		return nil, fmt.Errorf("PRICES_FILE: %w", err)
	}
	return usage.NewService(usage.Config{
		Store: store.NewUsage(db), Prices: prices, Now: time.Now, Log: log, Settled: settled,
		Limits: usage.Limits{User: cfg.Costs.UserDailyBudget, Installation: cfg.Costs.DailyBudget},
	})
}

// ledger is usage.Service as the chain wants it.
type ledger struct{ usage *usage.Service }

var _ providers.Ledger = ledger{}

// Reserve implements providers.Ledger.
func (l ledger) Reserve(ctx context.Context, call providers.Call) (providers.Booking, error) {
	b, err := l.usage.Reserve(ctx, toCall(call))
	if err != nil {
		return nil, err // and no typed nil
	}
	return booking{b}, nil
}

// Saved implements providers.Ledger.
func (l ledger) Saved(ctx context.Context, call providers.Call, used sdk.Usage) error {
	return l.usage.Saved(ctx, toCall(call), toTokens(used), (*usage.MicroUSD)(used.CostMicroUSD))
}

// booking is usage.Booking as the chain wants it.
type booking struct{ *usage.Booking }

// Settle implements providers.Booking.
func (b booking) Settle(ctx context.Context, end providers.CallEnd) error {
	return b.Booking.Settle(ctx, usage.End{
		Model: end.Model, Outcome: end.Outcome, Tokens: toTokens(end.Usage), Figure: (*usage.MicroUSD)(end.Usage.CostMicroUSD),
		EndedAt: end.EndedAt,
	})
}

func toCall(c providers.Call) usage.Call {
	return usage.Call{
		UserID: c.UserID, InvoiceID: c.InvoiceID, Task: string(c.Task), Provider: c.Provider, Model: c.Model, Local: c.Local,
		Attempt: c.Attempt, InputBytes: c.InputBytes, Pictures: c.Pictures, MaxOutputTokens: c.MaxOutputTokens, StartedAt: c.StartedAt,
	}
}

func toTokens(u sdk.Usage) usage.Tokens {
	return usage.Tokens{
		Input: u.InputTokens, CachedInput: u.CachedInputTokens, CacheWrite: u.CacheWriteTokens, Output: u.OutputTokens,
		Thinking: u.ThinkingTokens,
	}
}
