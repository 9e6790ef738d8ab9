package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// day is the one that At belongs to.
const day = usage.Day("2026-11-23")

// ExerciseUsage holds a usage.Store to its promises.
func ExerciseUsage(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Stores){
		"a record comes back as it was":                    recordRoundTrip,
		"a budget takes what fits and no more":             budgetHolds,
		"the installation's budget bounds everybody":       sharedBudget,
		"a refused reservation leaves nothing behind":      refusalLeavesNothing,
		"a day's budget is not the next day's":             budgetPerDay,
		"no limit still counts":                            unlimitedCounts,
		"a hundred at once never exceed the budget":        concurrentReservations,
		"reserving and settling at once keeps the sums":    concurrentSettlements,
		"a settlement replaces the estimate":               settlementReplaces,
		"a record is settled once":                         settledOnce,
		"a lost record can still be settled":               lostThenSettled,
		"records under way are found when they are old":    staleRecords,
		"a deleted user is refused, their past stays":      deletedUser,
		"a deleted invoice leaves its records":             deletedInvoice,
		"a record of an invoice that is not there is kept": missingInvoice,
		"ids that are none are refused":                    badUsageIDs,
		"sums are those of the records":                    sumsOfRecords,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// FilledCall is a record without a zero field, of a call under way. It is not stored.
func FilledCall(tb testing.TB, userID, invoiceID string) *usage.Record {
	tb.Helper()
	return &usage.Record{
		ID: NewID(tb), UserID: userID, InvoiceID: invoiceID, Day: day, Task: "extract", Provider: "gemini", Model: "m'1", Attempt: 2,
		Outcome: usage.OutcomeReserved,
		Tokens:  usage.Tokens{Input: 1 << 33, CachedInput: 3, CacheWrite: 4, Output: 5, Thinking: 6},
		Latency: 1234 * time.Millisecond, Cost: new(usage.MicroUSD(7)), Charged: 8, Saved: 9, StartedAt: At(1), EndedAt: new(At(2)),
	}
}

func newCall(tb testing.TB, userID string, charged usage.MicroUSD) *usage.Record {
	tb.Helper()
	return &usage.Record{
		UserID: userID, Day: day, Task: "extract", Provider: "gemini", Model: "m", Attempt: 1, Outcome: usage.OutcomeReserved,
		Charged: charged, StartedAt: At(1),
	}
}

func settled(cost usage.MicroUSD) usage.Settlement {
	return usage.Settlement{Model: "m", Outcome: usage.OutcomeOK, Cost: &cost, Charged: cost, EndedAt: At(3)}
}

// room is how much a user, or the installation, could still reserve in the day below a limit: found by trying.
func room(t *testing.T, s usage.Store, userID string, limits usage.Limits) usage.MicroUSD {
	t.Helper()
	most := max(limits.User, limits.Installation)
	fits := func(n usage.MicroUSD) bool {
		r := newCall(t, userID, n)
		err := s.Reserve(t.Context(), r, limits)
		if _, ok := errors.AsType[*usage.SpentError](err); ok {
			return false
		}
		require.NoError(t, err)
		require.NoError(t, s.Settle(t.Context(), r.ID, settled(0)))
		return true
	}
	low, high := usage.MicroUSD(0), most+1
	for low+1 < high {
		if mid := low + (high-low)/2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

func requireSpent(t *testing.T, err error, want usage.SpentError) {
	t.Helper()
	spent, ok := errors.AsType[*usage.SpentError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, *spent)
}

func recordRoundTrip(t *testing.T, s Stores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	inv := NewInvoice(t, user)
	require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	want := FilledCall(t, user, inv.ID)
	require.NoError(t, s.Usage.Reserve(t.Context(), want, usage.Limits{}))
	got, err := s.Usage.Stale(t.Context(), At(2), 10)
	require.NoError(t, err)
	require.Len(t, got, 1)
	equalCalls(t, *want, got[0])
}

func equalCalls(t *testing.T, want, got usage.Record) {
	t.Helper()
	for _, r := range []*usage.Record{&want, &got} {
		r.StartedAt = r.StartedAt.UTC()
		if r.EndedAt != nil {
			r.EndedAt = new(r.EndedAt.UTC())
		}
	}
	assert.Equal(t, want, got)
}

func budgetHolds(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100, Installation: 1000}
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 60), limits))
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 40), limits), "to the last bit")
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1), limits), usage.SpentError{Busy: true})
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, NewUser(t, s.Accounts), 101), limits), usage.SpentError{})
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 0), limits), "what costs nothing always fits")
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, NewUser(t, s.Accounts), 100), limits), "another user's is another")
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, "", 500), limits), "nobody has no budget but the installation's")
}

func sharedBudget(t *testing.T, s Stores) {
	t.Helper()
	limits := usage.Limits{Installation: 100}
	r := newCall(t, NewUser(t, s.Accounts), 60)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, limits))
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, "", 41), limits), usage.SpentError{Installation: true, Busy: true})
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(60)))
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, NewUser(t, s.Accounts), 41), limits), usage.SpentError{Installation: true})
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, NewUser(t, s.Accounts), 40), limits))
}

func refusalLeavesNothing(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100, Installation: 50}
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, user, 60), limits), usage.SpentError{Installation: true})
	assert.EqualValues(t, 100, room(t, s.Usage, user, usage.Limits{User: 100}), "the user's own budget was given back")
	stale, err := s.Usage.Stale(t.Context(), At(5), 10)
	require.NoError(t, err)
	assert.Empty(t, stale, "no record")
}

func budgetPerDay(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100, Installation: 100}
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 100), limits))
	next := newCall(t, user, 100)
	next.Day = "2026-11-24"
	require.NoError(t, s.Usage.Reserve(t.Context(), next, limits))
}

func unlimitedCounts(t *testing.T, s Stores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1_000_000), usage.Limits{}))
	require.NoError(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1_000_000), usage.Limits{}))
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1), usage.Limits{User: 2_000_000}), usage.SpentError{Busy: true})
}

func concurrentReservations(t *testing.T, s Stores) {
	t.Helper()
	users := []string{NewUser(t, s.Accounts), NewUser(t, s.Accounts), NewUser(t, s.Accounts)}
	limits := usage.Limits{User: 200, Installation: 500} // 20, 20 and 10 calls fit
	var records [100]*usage.Record
	errs := parallel(len(records), func(i int) error {
		records[i] = newCall(t, users[i%len(users)], 10)
		return s.Usage.Reserve(t.Context(), records[i], limits)
	})
	byUser, all := map[string]usage.MicroUSD{}, usage.MicroUSD(0)
	for i, err := range errs {
		if _, refused := errors.AsType[*usage.SpentError](err); refused {
			continue
		}
		require.NoError(t, err)
		byUser[records[i].UserID] += 10
		all += 10
	}
	assert.EqualValues(t, 500, all, "all that fits, and no more")
	for _, u := range users {
		assert.LessOrEqual(t, byUser[u], usage.MicroUSD(200))
	}
	stale, err := s.Usage.Stale(t.Context(), At(5), 1000)
	require.NoError(t, err)
	assert.Len(t, stale, 50, "one record for each that was booked")
}

// Whatever order things happen in, what is left of the budget is the limit less what was spent.
func concurrentSettlements(t *testing.T, s Stores) {
	t.Helper()
	users := []string{NewUser(t, s.Accounts), NewUser(t, s.Accounts)}
	limits := usage.Limits{User: 100_000, Installation: 150_000}
	errs := parallel(60, func(i int) error {
		r := newCall(t, users[i%2], 1000)
		if err := s.Usage.Reserve(t.Context(), r, limits); err != nil {
			return err
		}
		twice := parallel(2, func(int) error { return s.Usage.Settle(t.Context(), r.ID, settled(usage.MicroUSD(i))) })
		return errors.Join(twice...)
	})
	require.NoError(t, errors.Join(errs...))
	var even, odd usage.MicroUSD
	for i := range 60 {
		if i%2 == 0 {
			even += usage.MicroUSD(i)
		} else {
			odd += usage.MicroUSD(i)
		}
	}
	assert.Equal(t, limits.User-even, room(t, s.Usage, users[0], usage.Limits{User: limits.User}))
	assert.Equal(t, limits.User-odd, room(t, s.Usage, users[1], usage.Limits{User: limits.User}))
	assert.Equal(t, limits.Installation-even-odd, room(t, s.Usage, "", usage.Limits{Installation: limits.Installation}))
}

func settlementReplaces(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100}
	r := newCall(t, user, 80)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, limits))
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(30)))
	assert.EqualValues(t, 70, room(t, s.Usage, user, limits))

	dear := newCall(t, user, 10)
	require.NoError(t, s.Usage.Reserve(t.Context(), dear, limits))
	require.NoError(t, s.Usage.Settle(t.Context(), dear.ID, settled(90)), "dearer than estimated: beyond the limit, and true")
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1), limits), usage.SpentError{})
}

func settledOnce(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100}
	r := newCall(t, user, 80)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, limits))
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(30)))
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(50)))
	assert.EqualValues(t, 70, room(t, s.Usage, user, limits))
	require.NoError(t, s.Usage.Settle(t.Context(), NewID(t), settled(1)), "what is gone is no error")
	require.NoError(t, s.Usage.Settle(t.Context(), "x", settled(1)))
}

func lostThenSettled(t *testing.T, s Stores) {
	t.Helper()
	user, limits := NewUser(t, s.Accounts), usage.Limits{User: 100}
	r := newCall(t, user, 80)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, limits))
	lost := usage.Settlement{Model: "m", Outcome: usage.OutcomeLost, Charged: 80, EndedAt: At(2)}
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, lost))
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, lost), "by two processes")
	requireSpent(t, s.Usage.Reserve(t.Context(), newCall(t, user, 21), limits), usage.SpentError{})
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(5)))
	assert.EqualValues(t, 95, room(t, s.Usage, user, limits))
}

func staleRecords(t *testing.T, s Stores) {
	t.Helper()
	var ids []string
	for n := range 5 {
		r := newCall(t, "", 1)
		r.StartedAt = At(n + 1)
		require.NoError(t, s.Usage.Reserve(t.Context(), r, usage.Limits{}))
		ids = append(ids, r.ID)
	}
	require.NoError(t, s.Usage.Settle(t.Context(), ids[1], settled(1)))
	stale, err := s.Usage.Stale(t.Context(), At(4), 10)
	require.NoError(t, err)
	require.Len(t, stale, 2)
	assert.Equal(t, []string{ids[0], ids[2]}, []string{stale[0].ID, stale[1].ID})
	stale, err = s.Usage.Stale(t.Context(), At(20), 1)
	require.NoError(t, err)
	assert.Len(t, stale, 1)
}

func deletedUser(t *testing.T, s Stores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	r, done := newCall(t, user, 10), newCall(t, user, 20)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, usage.Limits{}))
	require.NoError(t, s.Usage.Reserve(t.Context(), done, usage.Limits{}))
	require.NoError(t, s.Usage.Settle(t.Context(), done.ID, settled(20)))
	s.DeleteUser(t, user)
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(4)))
	require.ErrorIs(t, s.Usage.Reserve(t.Context(), newCall(t, user, 1), usage.Limits{}), usage.ErrNoUser)
	cached := newCall(t, user, 0)
	cached.Outcome, cached.Cost = usage.OutcomeCached, new(usage.MicroUSD(0))
	require.NoError(t, s.Usage.Insert(t.Context(), cached))
	sums, err := s.Usage.Sums(t.Context(), user, day, day)
	require.NoError(t, err)
	assert.Empty(t, sums, "nothing names the user")
	sums, err = s.Usage.Sums(t.Context(), "", day, day)
	require.NoError(t, err)
	require.Len(t, sums, 1)
	assert.Equal(t, usage.Totals{Calls: 2, Cached: 1, Cost: 24}, sums[0].Totals)
	assert.EqualValues(t, 76, room(t, s.Usage, "", usage.Limits{Installation: 100}), "what was spent was spent")
}

func deletedInvoice(t *testing.T, s Stores) {
	t.Helper()
	user := NewUser(t, s.Accounts)
	inv := NewInvoice(t, user)
	require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	r := newCall(t, user, 10)
	r.InvoiceID = inv.ID
	require.NoError(t, s.Usage.Reserve(t.Context(), r, usage.Limits{}))
	require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Delete(ctx, inv.ID) }))
	stale, err := s.Usage.Stale(t.Context(), At(5), 10)
	require.NoError(t, err)
	require.Len(t, stale, 1)
	assert.Empty(t, stale[0].InvoiceID)
	assert.Equal(t, user, stale[0].UserID)
	require.NoError(t, s.Usage.Settle(t.Context(), r.ID, settled(3)))
}

func missingInvoice(t *testing.T, s Stores) {
	t.Helper()
	r := newCall(t, NewUser(t, s.Accounts), 10)
	r.InvoiceID = NewID(t)
	require.NoError(t, s.Usage.Reserve(t.Context(), r, usage.Limits{}))
	cached := newCall(t, r.UserID, 0)
	cached.InvoiceID, cached.Outcome = NewID(t), usage.OutcomeCached
	require.NoError(t, s.Usage.Insert(t.Context(), cached))
}

func badUsageIDs(t *testing.T, s Stores) {
	t.Helper()
	require.Error(t, s.Usage.Reserve(t.Context(), newCall(t, "x\x00", 1), usage.Limits{}))
	r := newCall(t, "", 1)
	r.InvoiceID = "x"
	require.Error(t, s.Usage.Insert(t.Context(), r))
	sums, err := s.Usage.Sums(t.Context(), "x", day, day)
	require.NoError(t, err)
	assert.Empty(t, sums)
}

// The same sums, worked out from the records here.
func sumsOfRecords(t *testing.T, s Stores) {
	t.Helper()
	type group struct {
		day             usage.Day
		provider, model string
	}
	mine, all := map[group]usage.Totals{}, map[group]usage.Totals{}
	users := []string{NewUser(t, s.Accounts), NewUser(t, s.Accounts), ""}
	random := rand.New(rand.NewPCG(1, 2))
	outcomes := []string{usage.OutcomeOK, usage.OutcomeCached, usage.OutcomeLost, "invalid_reply", usage.OutcomeReserved}
	for n := range 120 {
		r := FilledCall(t, users[random.IntN(3)], "")
		r.Day = usage.Day(fmt.Sprintf("2026-11-%02d", 20+random.IntN(4)))
		r.Provider, r.Model = []string{"gemini", "openai"}[random.IntN(2)], []string{"a", "b"}[random.IntN(2)]
		r.Outcome = outcomes[random.IntN(len(outcomes))]
		r.Tokens = usage.Tokens{Input: random.Int64N(1 << 40), CachedInput: int64(n), Output: random.Int64N(1 << 40), Thinking: 3}
		r.Cost, r.Charged, r.Saved = new(usage.MicroUSD(random.Int64N(1<<40))), usage.MicroUSD(random.Int64N(1000)), 0
		if r.Outcome == usage.OutcomeCached {
			r.Cost, r.Saved = new(usage.MicroUSD(0)), usage.MicroUSD(random.Int64N(1000))
		} else if random.IntN(3) == 0 {
			r.Cost = nil
		}
		require.NoError(t, s.Usage.Insert(t.Context(), r))
		if r.Outcome == usage.OutcomeReserved || r.Day == "2026-11-20" {
			continue
		}
		g := group{r.Day, r.Provider, r.Model}
		all[g] = plus(all[g], r)
		if r.UserID == users[0] {
			mine[g] = plus(mine[g], r)
		}
	}
	for userID, want := range map[string]map[group]usage.Totals{users[0]: mine, "": all} {
		sums, err := s.Usage.Sums(t.Context(), userID, "2026-11-21", "2026-11-23")
		require.NoError(t, err)
		got := map[group]usage.Totals{}
		for _, sum := range sums {
			got[group{sum.Day, sum.Provider, sum.Model}] = sum.Totals
		}
		assert.Equal(t, want, got)
	}
}

func plus(t usage.Totals, r *usage.Record) usage.Totals {
	if r.Outcome == usage.OutcomeCached {
		t.Cached++
		t.SavedByCache += r.Saved
		return t
	}
	t.Calls++
	if r.Outcome != usage.OutcomeOK {
		t.Failed++
	}
	if r.Cost == nil {
		t.Uncosted++
		t.Estimated += r.Charged
	} else {
		t.Cost += *r.Cost
	}
	t.InputTokens += r.Tokens.Input
	t.CachedInputTokens += r.Tokens.CachedInput
	t.OutputTokens += r.Tokens.Output
	t.ThinkingTokens += r.Tokens.Thinking
	return t
}
