package progress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

func TestMain(m *testing.M) {
	cache.LogLibrary(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

const patience = 20 * time.Second // for what takes milliseconds; reached only when it never comes

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func connect(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	client, err := cache.Connect(tb.Context(), url, discard())
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func embedded(tb testing.TB) string {
	tb.Helper()
	e := cache.NewEmbedded()
	require.NoError(tb, e.Start(tb.Context()))
	tb.Cleanup(func() { _ = e.Stop(context.WithoutCancel(tb.Context())) })
	return e.URL()
}

// hubOn is a running hub with a client of its own, as a process has.
func hubOn(tb testing.TB, url string, change ...func(*Hub)) *Hub {
	tb.Helper()
	h := NewHub(connect(tb, url), discard())
	h.backoffMost = minBackoff
	for _, f := range change {
		f(h)
	}
	require.NoError(tb, h.Start(tb.Context()))
	tb.Cleanup(func() { require.NoError(tb, h.Stop(context.WithoutCancel(tb.Context()))) })
	return h
}

func shortTimeouts(h *Hub) {
	h.confirm, h.sendTimeout, h.connectTimeout = 10*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
}

func event(user string, seq int) invoice.Event {
	return invoice.Event{
		InvoiceID: "inv", UserID: user, Seq: seq, Stage: invoice.StageExtracting, Status: invoice.StatusProcessing, Percent: 40,
		Provider: "offline", Attempt: 1, ItemsFound: 3, Message: "Lendo a nota…", Code: invoice.CodeUnavailable,
		At: time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC),
	}
}

func subscribe(tb testing.TB, h *Hub, user string) (<-chan invoice.Event, context.CancelFunc) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	ch, err := h.Subscribe(ctx, user)
	require.NoError(tb, err)
	return ch, cancel
}

func receive(tb testing.TB, ch <-chan invoice.Event) invoice.Event {
	tb.Helper()
	select {
	case e, ok := <-ch:
		require.True(tb, ok, "the channel was closed")
		return e
	case <-time.After(patience):
		require.FailNow(tb, "no event came")
		return invoice.Event{}
	}
}

func waitClosed(tb testing.TB, ch <-chan invoice.Event) {
	tb.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-ch:
			if !ok {
				return
			}
		case <-deadline:
			require.FailNow(tb, "the channel stays open")
		}
	}
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	require.Eventually(tb, ok, patience, 5*time.Millisecond, what)
}

// subscriptions is how many of the channels Redis has subscribers for.
func subscriptions(tb testing.TB, client *redis.Client) int {
	tb.Helper()
	channels, err := client.PubSubChannels(tb.Context(), channelPrefix+"*").Result()
	require.NoError(tb, err)
	return len(channels)
}

// onBoth runs a test on the embedded server and on a real one.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, embedded(t))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, redistest.Start(t).URL())
	})
}

func TestEventsReachSubscribersInEveryProcessWholeAndInOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		publisher, other := hubOn(t, url), hubOn(t, url)
		var channels []<-chan invoice.Event
		for _, h := range []*Hub{publisher, other, other} {
			ch, cancel := subscribe(t, h, "maria")
			defer cancel()
			channels = append(channels, ch)
		}
		for seq := 1; seq <= 40; seq++ {
			publisher.Publish(t.Context(), event("maria", seq))
		}
		for _, ch := range channels {
			for seq := 1; seq <= 40; seq++ {
				require.Equal(t, event("maria", seq), receive(t, ch))
			}
		}
	})
}

func TestUsersSeeTheirOwnEventsOnly(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		h := hubOn(t, url)
		maria, cancel := subscribe(t, h, "maria")
		defer cancel()
		joana, cancel := subscribe(t, h, "joana")
		defer cancel()
		h.Publish(t.Context(), event("maria", 1))
		h.Publish(t.Context(), event("joana", 2))
		h.Publish(t.Context(), event("maria", 3))
		assert.Equal(t, 2, receive(t, joana).Seq)
		assert.Equal(t, 1, receive(t, maria).Seq)
		assert.Equal(t, 3, receive(t, maria).Seq)
		assert.Empty(t, joana)
	})
}

// What a fresh subscriber is promised: nothing published after Subscribe returned is missed, however often it is tried.
func TestNothingIsMissedOnceSubscribeReturned(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		publisher, h := hubOn(t, url), hubOn(t, url)
		for seq := 1; seq <= 200; seq++ {
			// The same user again and again, so that giving up and asking anew overtake one another.
			ch, cancel := subscribe(t, h, "maria")
			publisher.Publish(t.Context(), event("maria", seq))
			require.Equal(t, seq, receive(t, ch).Seq)
			cancel()
		}
	})
}

func TestAProcessHoldsOneConnectionAndOneSubscriptionPerUser(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := connect(t, server.URL())
	h := hubOn(t, server.URL())
	const users, each = 100, 10
	var cancels []context.CancelFunc
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range users * each {
		all.Go(func() {
			_, cancel := subscribe(t, h, fmt.Sprint("user-", i%users))
			mu.Lock()
			defer mu.Unlock()
			cancels = append(cancels, cancel)
		})
	}
	all.Wait()
	assert.Equal(t, users, subscriptions(t, admin))
	clients, err := admin.Do(t.Context(), "CLIENT", "LIST", "TYPE", "pubsub").Text()
	require.NoError(t, err)
	assert.Equal(t, 1, bytes.Count([]byte(clients), []byte("\n")), clients)
	assert.Equal(t, Stats{Listeners: users * each, Users: users}, h.Stats())

	for _, cancel := range cancels {
		cancel()
	}
	eventually(t, "the last listener's leaving ends the subscription", func() bool { return subscriptions(t, admin) == 0 })
	assert.Equal(t, Stats{}, h.Stats())
}

func TestASubscriptionStaysWhileSomebodyListens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		t.Helper()
		h := hubOn(t, url)
		first, cancelFirst := subscribe(t, h, "maria")
		second, cancelSecond := subscribe(t, h, "maria")
		defer cancelSecond()
		cancelFirst()
		waitClosed(t, first)
		h.Publish(t.Context(), event("maria", 1))
		assert.Equal(t, 1, receive(t, second).Seq)
	})
}

func TestASlowListenerIsDroppedAndTheOthersAreNot(t *testing.T) {
	t.Parallel()
	h := hubOn(t, embedded(t))
	slow, cancel := subscribe(t, h, "maria")
	defer cancel()
	fast, cancel := subscribe(t, h, "maria")
	defer cancel()
	for seq := 1; seq <= listenerBuffer+1; seq++ {
		h.Publish(t.Context(), event("maria", seq))
		require.Equal(t, seq, receive(t, fast).Seq)
	}
	// The listeners of one event are served in any order: the next event comes after the slow one's end.
	h.Publish(t.Context(), event("maria", 0))
	receive(t, fast)
	got := 0
	for range slow { // closed by the hub
		got++
	}
	assert.Equal(t, listenerBuffer, got)
	assert.Equal(t, int64(1), h.Stats().Dropped)
	assert.Equal(t, 1, h.Stats().Listeners)
}

func TestForeignAndMalformedMessagesAreDropped(t *testing.T) {
	t.Parallel()
	url := embedded(t)
	var log lockedBuffer
	h := hubOn(t, url, func(h *Hub) { h.log = slog.New(slog.NewTextHandler(&log, nil)) })
	ch, cancel := subscribe(t, h, "maria")
	defer cancel()
	client := connect(t, url)
	for _, payload := range []string{"", "{", "[]", `{"user_id":"joana","seq":1}`, `{"user_id":"maria","seq":"leak"}`} {
		require.NoError(t, client.Publish(t.Context(), channelPrefix+"maria", payload).Err())
	}
	h.Publish(t.Context(), event("maria", 7))
	assert.Equal(t, 7, receive(t, ch).Seq)
	assert.Equal(t, int64(5), h.Stats().Malformed)
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")), string(log.Bytes()))
	assert.NotContains(t, string(log.Bytes()), "leak")
}

func TestEverythingComesBackAfterAnOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var log lockedBuffer
	h := hubOn(t, server.URL(), func(h *Hub) { h.log = slog.New(slog.NewTextHandler(&log, nil)) })
	before, cancel := subscribe(t, h, "maria")
	defer cancel()
	h.Publish(t.Context(), event("maria", 1))
	require.Equal(t, 1, receive(t, before).Seq)

	server.Stop(t)
	for seq := 2; seq <= 4; seq++ {
		h.Publish(t.Context(), event("maria", seq))
		eventually(t, "events are lost, one by one", func() bool { return h.Stats().Lost == int64(seq-1) })
	}
	eventually(t, "the outage is noticed", func() bool { return bytes.Contains(log.Bytes(), []byte("connection to Redis is lost")) })
	during, cancel := subscribe(t, h, "maria") // neither fails nor waits
	defer cancel()
	newcomer, cancel := subscribe(t, h, "joana")
	defer cancel()

	server.Restart(t)
	admin := connect(t, server.URL())
	eventually(t, "both users are subscribed again", func() bool { return subscriptions(t, admin) == 2 })
	h.Publish(t.Context(), event("maria", 5))
	h.Publish(t.Context(), event("joana", 6))
	assert.Equal(t, 5, receive(t, before).Seq)
	assert.Equal(t, 5, receive(t, during).Seq)
	assert.Equal(t, 6, receive(t, newcomer).Seq)
	eventually(t, "the outage's end is logged", func() bool {
		return bytes.Contains(log.Bytes(), []byte("are received again")) && bytes.Contains(log.Bytes(), []byte("flow again"))
	})
	assert.Equal(t, 4, bytes.Count(log.Bytes(), []byte("\n")), "two lines as it begins and two as it ends:\n"+string(log.Bytes()))
	assert.NotContains(t, string(log.Bytes()), server.Password)
}

func TestSubscribingWhileRedisIsAwayFromTheStartOnDoesNotFail(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Stop(t)
	h := hubOn(t, server.URL(), func(h *Hub) { h.confirm = patience })
	ch, cancel := subscribe(t, h, "maria")
	defer cancel()
	server.Restart(t)
	admin := connect(t, server.URL())
	eventually(t, "subscribed in the end", func() bool { return subscriptions(t, admin) == 1 })
	h.Publish(t.Context(), event("maria", 1))
	assert.Equal(t, 1, receive(t, ch).Seq)
}

// A server that takes connections and says nothing: a stopped process, or a network that swallows packets.
func TestASilentRedisNeitherFailsNorHoldsAnybody(t *testing.T) {
	t.Parallel()
	url, conns := silentServer(t)
	h := hubOn(t, url, shortTimeouts)
	_, cancel := subscribe(t, h, "maria")
	defer cancel()
	for seq := range 3 * queueSize {
		h.Publish(t.Context(), event("maria", seq)) // returns, or the test never ends
	}
	assert.GreaterOrEqual(t, h.Stats().Lost, int64(queueSize))
	<-conns
}

func TestAConnectionGoneSilentIsReplaced(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	url, cut := relay(t, server)
	h := hubOn(t, url, func(h *Hub) { h.idle = 50 * time.Millisecond })
	ch, cancel := subscribe(t, h, "maria")
	defer cancel()
	cut() // what is connected hears nothing any more, and is not told
	admin := hubOn(t, server.URL())
	// Seq 0 is published until it gets through on a new connection.
	eventually(t, "events flow again", func() bool {
		admin.Publish(t.Context(), event("maria", 0))
		select {
		case <-ch:
			return true
		default:
			return false
		}
	})
}

func TestStopBearsEveryOrder(t *testing.T) {
	t.Parallel()
	h := NewHub(connect(t, embedded(t)), discard())
	h.Publish(t.Context(), event("maria", 1))
	ch, err := h.Subscribe(t.Context(), "maria")
	require.NoError(t, err)
	waitClosed(t, ch)
	require.NoError(t, h.Stop(t.Context()))
	require.NoError(t, h.Stop(t.Context()))
	require.Error(t, h.Start(t.Context()), "a stopped hub does not start again")

	h = NewHub(connect(t, embedded(t)), discard())
	require.NoError(t, h.Start(t.Context()))
	require.NoError(t, h.Start(t.Context()))
	require.NoError(t, h.Stop(t.Context()))
	require.NoError(t, h.Stop(t.Context()))
	h.Publish(t.Context(), event("maria", 1))
}

func TestStopSendsWhatIsQueuedAndClosesListeners(t *testing.T) {
	t.Parallel()
	url := embedded(t)
	witness, h := hubOn(t, url), NewHub(connect(t, url), discard())
	seen, cancel := subscribe(t, witness, "maria")
	defer cancel()
	for seq := 1; seq <= 50; seq++ { // queued before the sender runs
		h.Publish(t.Context(), event("maria", seq))
	}
	require.NoError(t, h.Start(t.Context()))
	own, cancel := subscribe(t, h, "maria")
	defer cancel()
	require.NoError(t, h.Stop(t.Context()))
	for seq := 1; seq <= 50; seq++ {
		require.Equal(t, seq, receive(t, seen).Seq)
	}
	waitClosed(t, own)
	late, err := h.Subscribe(t.Context(), "maria")
	require.NoError(t, err)
	waitClosed(t, late)
}

func TestStopDoesNotWaitForADeadRedis(t *testing.T) {
	t.Parallel()
	url, conns := silentServer(t)
	h := NewHub(connect(t, url), discard())
	shortTimeouts(h)
	require.NoError(t, h.Start(t.Context()))
	ch, err := h.Subscribe(t.Context(), "maria")
	require.NoError(t, err)
	h.Publish(t.Context(), event("maria", 1))
	<-conns
	require.NoError(t, h.Stop(t.Context()))
	waitClosed(t, ch)
}

func TestSubscribeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := NewHub(connect(t, embedded(t)), discard())
	h.confirm, h.open = patience, true // without anything running that could confirm
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := h.Subscribe(ctx, "maria")
		failed <- err
	}()
	eventually(t, "it is listed", func() bool { return h.Stats().Listeners == 1 })
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	eventually(t, "it is gone", func() bool { return h.Stats().Listeners == 0 })
	_, err := h.Subscribe(ctx, "maria")
	require.ErrorIs(t, err, context.Canceled)
}

// Everything at once, for the race detector.
func TestComingGoingAndPublishingAtOnce(t *testing.T) {
	t.Parallel()
	h := hubOn(t, embedded(t))
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for round := range 25 {
				ctx, cancel := context.WithCancel(t.Context())
				ch, err := h.Subscribe(ctx, fmt.Sprint("user-", (worker+round)%5))
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				for seq := range 5 {
					h.Publish(t.Context(), event(fmt.Sprint("user-", seq), seq))
				}
				cancel()
				waitClosed(t, ch)
			}
		})
	}
	all.Wait()
	assert.Zero(t, h.Stats().Listeners)
}

// silentServer accepts and reads, and never answers. It says when the first connection has come.
func silentServer(t *testing.T) (url string, first <-chan struct{}) {
	t.Helper()
	came, once := make(chan struct{}), sync.Once{}
	addr := listen(t, func(conn net.Conn) {
		once.Do(func() { close(came) })
		_, _ = io.Copy(io.Discard, conn)
	})
	return "redis://" + addr, came
}

// relay passes connections on to the server. cut makes those open so far deaf and dumb without closing them.
func relay(t *testing.T, server *redistest.Server) (url string, cut func()) {
	t.Helper()
	var mu sync.Mutex
	generation := 0
	passing := func(g int) bool {
		mu.Lock()
		defer mu.Unlock()
		return g == generation
	}
	addr := listen(t, func(down net.Conn) {
		mu.Lock()
		g := generation
		mu.Unlock()
		up, err := net.Dial("tcp", server.Addr)
		if err != nil {
			return
		}
		defer func() { _ = up.Close() }()
		go func() {
			pass(down, up, func() bool { return passing(g) })
			_ = down.Close()
		}()
		pass(up, down, func() bool { return passing(g) })
	})
	return "redis://:" + server.Password + "@" + addr, func() {
		mu.Lock()
		defer mu.Unlock()
		generation++
	}
}

func pass(to, from net.Conn, passing func() bool) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if passing() {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

func listen(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var conns []net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

// Redis' answers may come late: one to a SUBSCRIBE that was given up since must not stand for the one that followed.
func TestAConfirmationOfAnEarlierSubscriptionCountsForNothing(t *testing.T) {
	t.Parallel()
	h := NewHub(connect(t, embedded(t)), discard())
	h.open = true
	l := &link{subscribed: map[string]struct{}{}}
	h.gain(t.Context(), l)
	channel := channelPrefix + "maria"
	come := func() (leave func(), ready func() bool) {
		m := &listener{userID: "maria", ch: make(chan invoice.Event, 1)}
		confirmed, wait := h.add(m)
		require.True(t, wait)
		return func() { h.mu.Lock(); defer h.mu.Unlock(); h.remove(m) },
			func() bool {
				select {
				case <-confirmed:
					return true
				default:
					return false
				}
			}
	}
	leave, _ := come()
	more, less := h.changes(l)
	assert.Equal(t, []string{channel}, more)
	assert.Empty(t, less)
	leave()
	more, less = h.changes(l)
	assert.Empty(t, more)
	assert.Equal(t, []string{channel}, less)
	leave, ready := come()
	more, less = h.changes(l)
	assert.Equal(t, []string{channel}, more)
	assert.Empty(t, less)

	h.confirmOne(l, &redis.Subscription{Kind: "subscribe", Channel: channel})
	assert.False(t, ready())
	h.confirmOne(l, &redis.Subscription{Kind: "unsubscribe", Channel: channel})
	assert.False(t, ready())
	h.confirmOne(l, &redis.Subscription{Kind: "subscribe", Channel: channel})
	assert.True(t, ready())

	// Left and come back before the link was told: asked again, and confirmed by the new answer alone.
	leave()
	_, ready = come()
	more, less = h.changes(l)
	assert.Equal(t, []string{channel}, more)
	assert.Empty(t, less)
	assert.False(t, ready())
	h.confirmOne(l, &redis.Subscription{Kind: "subscribe", Channel: channel})
	assert.True(t, ready())
}
