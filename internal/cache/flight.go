package cache

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leadExpiry is how long a lead outlives a process that died with it.
	leadExpiry = 8 * time.Second
	// leadRenewal is how often a lead is renewed; two renewals may fail.
	leadRenewal = leadExpiry / 3
	// leadPoll is how often who waits looks whether the leader is done. A provider takes seconds, and asking Redis takes 0.1 ms.
	leadPoll = 100 * time.Millisecond
	// outcomeTTL is how long an outcome stays for those who wait to fetch it.
	outcomeTTL = 30 * time.Second
)

// Flights lets one of all processes lead where several want the same work done, while the others wait for its outcome.
//
// A lead is a key that expires and holds the leader's token. Every write of a leader, whether it renews, hands over or gives
// up, is made in the same step that finds its token there, so that one who was thought dead (stopped for longer than
// leadExpiry, or cut off) can change nothing of its successor's. That is what a fencing token is for; as it is compared with
// the present one and not ordered, it is random: a counter would begin anew with an empty Redis.
//
// When Redis loses a lead with everything else, the leader takes it again with the next renewal, unless another was first: the
// work is then done twice.
type Flights struct {
	client *redis.Client
	redis  *Outage

	turnScript, renewScript, endScript *redis.Script

	expiry, renewal, poll time.Duration
}

// NewFlights leads by the Redis of client, which stays the caller's to close.
func NewFlights(client *redis.Client, log *slog.Logger) *Flights {
	return &Flights{
		client: client, redis: NewOutage(log, "answers shared between processes"),
		turnScript: redis.NewScript(turnScript), renewScript: redis.NewScript(renewScript), endScript: redis.NewScript(endScript),
		expiry: leadExpiry, renewal: leadRenewal, poll: leadPoll,
	}
}

// The keys of one lane share a hash tag, so that a cluster has them in one place.
func leadKey(lane string) string           { return "flight:{" + lane + "}:lead" }
func outcomeKey(lane, token string) string { return "flight:{" + lane + "}:outcome:" + token }

// Lead makes the caller the leader of key: it does the work and calls end exactly once. While another leads, Lead waits for
// that one's outcome; when none is left, because it failed or died, the lead is taken over. An error that is not ctx's means
// that Redis does not answer: within a second, and at once for a while after.
func (f *Flights) Lead(ctx context.Context, key string) (end func(ctx context.Context, outcome []byte), outcome []byte, err error) {
	token := rand.Text()
	leader := "" // of whom the outcome is awaited
	ticker := time.NewTicker(f.poll)
	defer ticker.Stop()
	for {
		turn, payload, err := f.turn(ctx, key, token, leader)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("lead a flight: %w", err)
		case turn == turnLead:
			return f.hold(ctx, key, token), nil, nil
		case turn == turnOutcome:
			return nil, []byte(payload), nil
		}
		leader = payload
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// What turnScript answers first.
const (
	turnLead    = "lead"
	turnOutcome = "outcome" // with it
	turnWait    = "wait"    // with the leader's token
)

// turn fetches the outcome of the leader that was waited for, or takes the lead, or says who has it.
func (f *Flights) turn(ctx context.Context, key, token, leader string) (turn, payload string, err error) {
	err = f.redis.Try(ctx, func(ctx context.Context) error {
		keys := []string{leadKey(key), outcomeKey(key, leader)}
		answer, err := f.turnScript.Run(ctx, f.client, keys, token, f.expiry.Milliseconds()).StringSlice()
		if err != nil {
			return err
		}
		if len(answer) != 2 {
			return fmt.Errorf("%d values", len(answer))
		}
		turn, payload = answer[0], answer[1]
		return nil
	})
	return turn, payload, err
}

// hold renews a lead until it is ended.
func (f *Flights) hold(ctx context.Context, key, token string) (end func(context.Context, []byte)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var renewing sync.WaitGroup
	renewing.Go(func() {
		ticker := time.NewTicker(f.renewal)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if !f.renew(ctx, key, token) {
					return
				}
			}
		}
	})
	return func(ctx context.Context, outcome []byte) {
		cancel()
		renewing.Wait()
		// A failure is logged as an outage; the lead then expires.
		_ = f.redis.Try(ctx, func(ctx context.Context) error {
			keys := []string{leadKey(key), outcomeKey(key, token)}
			return f.endScript.Run(ctx, f.client, keys, token, outcome, outcomeTTL.Milliseconds()).Err()
		})
	}
}

// renew says whether the lead may still be the caller's.
func (f *Flights) renew(ctx context.Context, key, token string) bool {
	held := true // as long as Redis does not say otherwise
	_ = f.redis.Try(ctx, func(ctx context.Context) error {
		n, err := f.renewScript.Run(ctx, f.client, []string{leadKey(key)}, token, f.expiry.Milliseconds()).Int()
		if err == nil {
			held = n == 1
		}
		return err
	})
	return held
}
