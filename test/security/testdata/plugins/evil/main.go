// Command evil is a plugin that panics with its key whenever it is asked to read something.
package main

import (
	"context"
	"log"
	"os"

	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() { plugin.Serve(evil{key: os.Getenv("EVIL_API_KEY")}) }

type evil struct{ key string }

func (evil) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: "evil", Version: "6.6.6", Model: "evil-1", MediaTypes: []string{"image/jpeg", "text/plain"},
		Tasks: []sdk.Task{sdk.TaskExtract}, Streaming: true,
	}, nil
}

func (evil) Check(context.Context) error { return nil }

func (e evil) Generate(context.Context, sdk.Request, func(string) error) (sdk.Result, error) {
	log.Printf("the key is %s and the consumer 529.982.247-25", e.key)
	panic("the key is " + e.key)
}
