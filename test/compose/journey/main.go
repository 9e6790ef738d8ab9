// Command journey is the people that scripts/compose-test.sh sends through a running installation: they sign up, submit photos
// of receipts, watch them being read, see containers die, and keep asking while a release is replaced.
//
//	journey -name example.com -addr 127.0.0.1:443 -ca cert.pem upload
//	journey … survive COMMAND…   run the command while receipts are read, and see them read all the same
//	journey … load               ask until SIGTERM or SIGINT; exit code 1 if one request failed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "journey:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("journey", flag.ContinueOnError)
	name := flags.String("name", "", "the site's name")
	addr := flags.String("addr", "", "where it is, host:port")
	ca := flags.String("ca", "", "the file of its certificate")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := open(*name, *addr, *ca)
	if err != nil {
		return err
	}
	switch flags.Arg(0) {
	case "upload":
		return upload(ctx, s, out)
	case "survive":
		return survive(ctx, s, flags.Args()[1:], out)
	case "load":
		return load(ctx, s, out)
	}
	return errors.New("say upload, survive or load")
}

const (
	itemsPerReceipt = 12
	photoScale      = 1.4
	jpegQuality     = 85
	receiptsInHand  = 4 // when a container dies
)

// patience is for one receipt, on a machine that has other things to do.
const patience = 5 * time.Minute

// photos are pictures of receipts that nobody has seen before: what was read once would come from the cache.
func photos(n int) ([][]byte, error) {
	random := receipts.NewRand(uint64(time.Now().UnixNano()))
	style, _ := receipts.StyleNamed("80-two-line")
	list := make([][]byte, n)
	for i := range list {
		picture, err := receipts.Generate(random, receipts.Options{Items: itemsPerReceipt, Plain: true}).Picture(style, photoScale)
		if err == nil {
			list[i], err = receipts.JPEG(picture, jpegQuality)
		}
		if err != nil {
			return nil, fmt.Errorf("make a photo: %w", err)
		}
	}
	return list, nil
}

// document is an XML, which is read without a provider.
func document() []byte { return receipts.Bundled()[0].Data }

// trace is what a watcher saw.
type trace struct {
	mu     sync.Mutex
	events []event
}

func (t *trace) see(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

func (t *trace) latest() event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return event{}
	}
	return t.events[len(t.events)-1]
}

func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var stages []string
	for _, e := range t.events {
		if len(stages) == 0 || stages[len(stages)-1] != e.Stage {
			stages = append(stages, e.Stage)
		}
	}
	return fmt.Sprintf("%d events: %s", len(t.events), strings.Join(stages, " "))
}

// read says whether the receipt was.
func (t *trace) read() error {
	switch e := t.latest(); e.Stage {
	case "COMPLETED", "NEEDS_REVIEW":
		return nil
	default:
		return fmt.Errorf("the receipt was not read, it ended as %q", e.Stage)
	}
}

func upload(ctx context.Context, s *site, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u, err := signUp(ctx, s)
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	pictures, err := photos(1)
	if err != nil {
		return err
	}
	began := time.Now()
	id, err := u.upload(ctx, pictures[0])
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	fmt.Fprintf(out, "uploaded in %d ms\n", time.Since(began).Milliseconds())
	var bySSE, bySocket trace
	socket := make(chan error, 1)
	go func() { socket <- u.watchSocket(ctx, id, 0, bySocket.see) }()
	err = errors.Join(u.watch(ctx, id, 0, bySSE.see), <-socket)
	fmt.Fprintf(out, "websocket          %s\nserver-sent events %s\nread in %d ms\n", &bySocket, &bySSE, time.Since(began).Milliseconds())
	return errors.Join(err, bySSE.read(), bySocket.read())
}

// survive uploads each photo, runs the command when the first is being read, and follows them to their end, coming back to
// streams that break as a browser does.
func survive(ctx context.Context, s *site, command []string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if len(command) == 0 {
		return errors.New("say what to run")
	}
	u, err := signUp(ctx, s)
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	reading := make(chan struct{})
	var once sync.Once
	var watchers sync.WaitGroup
	all, err := photos(receiptsInHand)
	if err != nil {
		return err
	}
	traces, faults := make([]trace, len(all)), make([]error, len(all))
	for i, photo := range all {
		id, err := u.upload(ctx, photo)
		if err != nil {
			return fmt.Errorf("upload: %w", err)
		}
		watchers.Go(func() {
			faults[i] = u.follow(ctx, id, &traces[i], func(e event) {
				if e.Stage != "QUEUED" {
					once.Do(func() { close(reading) })
				}
			})
		})
	}
	select {
	case <-reading:
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	if text, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil { //nolint:gosec // G204: the caller's own
		return fmt.Errorf("%s: %w: %s", command[0], err, text)
	}
	fmt.Fprintf(out, "ran %s while %d receipts were read\n", strings.Join(command, " "), len(all))
	watchers.Wait()
	for i := range traces {
		fmt.Fprintf(out, "receipt %d: %s\n", i+1, &traces[i])
		faults[i] = errors.Join(faults[i], traces[i].read())
	}
	fmt.Fprintf(out, "all read %d ms after that\n", time.Since(began).Milliseconds())
	return errors.Join(faults...)
}

// follow watches to the end, however often the stream breaks.
func (u *user) follow(ctx context.Context, id string, t *trace, see func(event)) error {
	for {
		err := u.watch(ctx, id, t.latest().Seq, func(e event) { t.see(e); see(e) })
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("watch: %w", errors.Join(ctx.Err(), err))
		case <-time.After(500 * time.Millisecond):
		}
	}
}
