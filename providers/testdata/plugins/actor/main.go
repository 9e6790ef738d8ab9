// Command actor is a plugin for the host's tests: it behaves as the request's input says, and at its start as its environment
// says. Its name is that of its binary.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

// version is set by the build.
var version = "1.2.3"

func main() {
	if os.Getenv("ACTOR_EXIT") != "" {
		fmt.Fprintln(os.Stderr, "cannot start with", os.Getenv("ACTOR_API_KEY"))
		os.Exit(3)
	}
	if os.Getenv("ACTOR_STDOUT") != "" {
		fmt.Println("hello from a chatty library")
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(os.Args[0]), "smarket-provider-"), "@")
	if other := os.Getenv("ACTOR_NAME"); other != "" {
		name = other
	}
	plugin.Serve(actor{name: name, key: os.Getenv("ACTOR_API_KEY")})
}

type actor struct{ name, key string }

func (a actor) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: a.name, Version: version, Model: "actor-1", MediaTypes: []string{"image/jpeg", "text/plain"},
		Tasks: []sdk.Task{sdk.TaskExtract}, Streaming: true, Local: a.name == "local",
	}, nil
}

// Check does what ACTOR_CHECK_<version> says.
func (a actor) Check(context.Context) error {
	switch os.Getenv("ACTOR_CHECK_" + version) {
	case "fail":
		return &sdk.Error{Kind: sdk.KindAuth, Blame: sdk.BlameDownstream, Message: "key " + a.key + " refused"}
	case "exit":
		os.Exit(3)
	}
	return nil
}

func (a actor) Generate(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
	res := sdk.Result{Model: "actor-1", FinishReason: sdk.FinishStop}
	if err := ctx.Err(); err != nil {
		return res, ended(err)
	}
	if req.Task != sdk.TaskExtract {
		return res, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "task"}
	}
	for _, p := range req.Pages {
		if p.MediaType != "" && p.MediaType != "image/jpeg" && p.MediaType != "text/plain" {
			return res, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "media type"}
		}
	}
	what := req.Input
	if what == "" && len(req.Pages) > 0 { // through the chain
		what = req.Pages[0].Text
	}
	verb, arg, _ := strings.Cut(what, " ")
	switch verb {
	case "version":
		return res, emit(version)
	case "until": // a file is there
		if err := emit(version); err != nil {
			return res, err
		}
		for ctx.Err() == nil {
			if _, err := os.Stat(arg); err == nil {
				return res, nil
			}
			time.Sleep(time.Millisecond)
		}
		return res, ended(ctx.Err())
	case "deadlock":
		select {}
	case "garbage":
		junk := make([]byte, 1<<20)
		for i := range junk {
			junk[i] = byte(i * 7)
		}
		if _, err := os.Stdout.Write(junk); err != nil {
			return res, err
		}
		return res, emit("garbage")
	case "huge":
		for range 100 {
			if err := emit(strings.Repeat("x", 1<<20)); err != nil {
				return res, err
			}
		}
		return res, nil
	case "environ":
		b, err := json.Marshal(os.Environ())
		if err != nil {
			return res, err
		}
		return res, emit(string(b))
	case "pid":
		return res, emit(strconv.Itoa(os.Getpid()))
	case "exit":
		os.Exit(3)
	case "panic":
		panic("the key is " + a.key)
	case "panic-elsewhere":
		go func() { panic("the key is " + a.key) }()
		select {}
	case "fail":
		return res, &sdk.Error{Kind: sdk.KindAuth, Blame: sdk.BlameDownstream, Message: "key " + a.key + " of 529.982.247-25 refused"}
	case "log":
		log.Printf("calling with %s for 529.982.247-25", a.key)
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 200_000)+a.key)
		fmt.Fprintln(os.Stderr, `{"@level":"warn","@message":"retry","url":"https://v.example/?key=`+a.key+`"}`)
		fmt.Println("out", a.key, strings.Repeat("y", 200_000))
		return res, emit("logged")
	case "hang":
		if err := emit("hanging"); err != nil {
			return res, err
		}
		<-ctx.Done()
		return res, ended(ctx.Err())
	case "child":
		cmd := exec.Command("sleep", "1000")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			return res, err
		}
		return res, emit(strconv.Itoa(cmd.Process.Pid))
	case "size":
		return res, emit(strconv.Itoa(len(req.Pages[0].Data)))
	case "stdin":
		n, err := os.Stdin.Read(make([]byte, 1))
		return res, emit(fmt.Sprint(n, err))
	case "say":
		return res, emit(arg)
	}
	b, err := json.Marshal(sdk.Receipt{Due: "1.00", IssuerName: version, Items: []sdk.ReceiptItem{{Description: "item", Quantity: "1", Total: "1.00"}}, Payments: []sdk.ReceiptPayment{}})
	if err != nil {
		return res, err
	}
	return res, emit(string(b))
}

func ended(err error) error {
	kind := sdk.KindCancelled
	if errors.Is(err, context.DeadlineExceeded) {
		kind = sdk.KindTimeout
	}
	return &sdk.Error{Kind: kind, Blame: sdk.BlameHost, Message: err.Error()}
}
