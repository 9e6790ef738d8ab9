// Command smarket-llmstub serves the stub of the four vendors, for load tests and for trying the product without a key:
//
//	go run ./internal/receipts/cmd/receipts -out DIR -n 200 -seed 1 -formats jpg
//	go run ./internal/llmstub/cmd/smarket-llmstub -receipts DIR -latency gemini=900ms,3s,5ms -fault gemini=503:0.3 -fault openai=hang
//
// It prints the base URL that each plugin has to be told, and its ledger is at GET /ledger.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// headerTimeout and stopTimeout are generous: requests of 20 MB come from this machine.
const (
	headerTimeout = 10 * time.Second
	stopTimeout   = 2 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "smarket-llmstub:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be deferred
	}
}

// settings are what the flags say.
type settings struct {
	listen, folder string
	generate       int
	seed           uint64
	words          []string // FILE=WORD
	options        llmstub.Options
}

func run(ctx context.Context, args []string, out io.Writer) error {
	set, err := parse(args, out)
	if err != nil {
		return err
	}
	stub := llmstub.New(set.options)
	defer stub.Close(ctx)
	if err := teach(ctx, stub, set); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", set.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	for _, v := range llmstub.Vendors() {
		if _, err := fmt.Fprintf(out, "%s_BASE_URL=http://%s%s\n", strings.ToUpper(string(v)), listener.Addr(), v.BasePath()); err != nil {
			return fmt.Errorf("tell the address: %w", err)
		}
	}
	server := &http.Server{Handler: stub, ReadHeaderTimeout: headerTimeout}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stub.Close(ctx) // ends what hangs
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(ending), server.Close())
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-stopped; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

func parse(args []string, out io.Writer) (settings, error) {
	var set settings
	flags := flag.NewFlagSet("smarket-llmstub", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&set.listen, "listen", "127.0.0.1:8399", "address; port 0 takes a free one")
	flags.StringVar(&set.folder, "receipts", "", "folder of NAME.truth.json, as the receipts command writes it")
	flags.IntVar(&set.generate, "generate", 0, "know this many receipts of the generator, as the receipts command with -n would make them")
	flags.Uint64Var(&set.seed, "seed", 1, "seed of -generate, as the receipts command's -seed")
	flags.Uint64Var(&set.options.Seed, "rand", 0, "seed of chances and latencies")
	flags.BoolVar(&set.options.Lenient, "lenient", false, "overlook what a vendor would reject")
	thinking := flags.Int64("thinking", 0, "tokens of thinking before each reply")
	chunk := flags.Int("chunk", 0, "bytes of a streamed piece; 0 is the default")
	vendors := make(map[llmstub.Vendor]llmstub.VendorOptions)
	each := func(value string, change func(o *llmstub.VendorOptions, rest string) error) error {
		name, rest, _ := strings.Cut(value, "=")
		for _, v := range llmstub.Vendors() {
			if string(v) == name || name == "all" {
				o := vendors[v]
				if err := change(&o, rest); err != nil {
					return err
				}
				vendors[v] = o
			}
		}
		if len(vendors) == 0 {
			return fmt.Errorf("unknown vendor %q", name)
		}
		return nil
	}
	flags.Func("latency", "VENDOR=P50,P95[,PER_PIECE], VENDOR may be all; may be repeated", func(value string) error { return each(value, latency) })
	flags.Func("fault", "VENDOR=FAULT[:CHANCE]; may be repeated. FAULT is one of "+faultNames(), func(value string) error { return each(value, fault) })
	flags.Func("word", "FILE=WORD on a picture, for probes; may be repeated", func(value string) error {
		set.words = append(set.words, value)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return settings{}, fmt.Errorf("flags: %w", err)
	}
	for _, v := range llmstub.Vendors() {
		o := vendors[v]
		o.ThinkingTokens, o.ChunkBytes = *thinking, *chunk
		vendors[v] = o
	}
	set.options.Vendors = vendors
	return set, nil
}

func faultNames() string {
	var names []string
	for _, f := range llmstub.Faults() {
		names = append(names, string(f))
	}
	return strings.Join(names, " ")
}

func latency(o *llmstub.VendorOptions, text string) error {
	var spans []time.Duration
	for part := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(part)
		if err != nil {
			return fmt.Errorf("latency: %w", err)
		}
		spans = append(spans, d)
	}
	const most = 3
	if len(spans) > most {
		return errors.New("latency: three spans at most")
	}
	spans = append(spans, 0, 0)
	o.FirstToken, o.PerChunk = llmstub.Delay{P50: spans[0], P95: spans[1]}, llmstub.Delay{Fixed: spans[2]}
	return nil
}

func fault(o *llmstub.VendorOptions, text string) error {
	name, chance, limited := strings.Cut(text, ":")
	f, err := llmstub.ParseFault(name)
	if err != nil {
		return err
	}
	p := 1.0
	if limited {
		if p, err = strconv.ParseFloat(chance, 64); err != nil || p < 0 || p > 1 {
			return fmt.Errorf("chance %q is not within 0 to 1", chance)
		}
	}
	o.Chances = append(o.Chances, llmstub.Chance{Fault: f, P: p})
	return nil
}

// teach tells the stub what it is to recognise.
func teach(ctx context.Context, stub *llmstub.Stub, set settings) error {
	if set.folder != "" {
		if _, err := stub.KnowFolder(set.folder); err != nil {
			return err
		}
	}
	styles := receipts.Styles()
	for i := range set.generate {
		r := receipts.Generate(receipts.NewRand(set.seed+uint64(i)), receipts.Options{})
		stub.KnowPaper(styles[i%len(styles)], r)
	}
	for _, w := range set.words {
		name, word, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("-word %q is not FILE=WORD", w)
		}
		picture, err := os.ReadFile(filepath.Clean(name))
		if err != nil {
			return fmt.Errorf("read picture: %w", err)
		}
		if err := stub.KnowWord(ctx, word, picture); err != nil {
			return err
		}
	}
	return nil
}
