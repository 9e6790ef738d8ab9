// Command smarket-provider-openrouter is the plugin for the models behind OpenRouter. The host starts it with
// OPENROUTER_API_KEY and, where they differ from the defaults, OPENROUTER_BASE_URL and OPENROUTER_MODEL.
package main

import (
	"fmt"
	"os"

	"github.com/mercadoesperto/smarket/providers/openrouter"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() {
	provider, err := openrouter.New(openrouter.Config{
		APIKey:  os.Getenv("OPENROUTER_API_KEY"),
		BaseURL: os.Getenv("OPENROUTER_BASE_URL"),
		Model:   os.Getenv("OPENROUTER_MODEL"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "OPENROUTER_BASE_URL:", err)
		os.Exit(2)
	}
	plugin.Serve(provider)
}
