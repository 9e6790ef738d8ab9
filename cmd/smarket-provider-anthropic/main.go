// Command smarket-provider-anthropic is the plugin for Anthropic's models. It takes ANTHROPIC_API_KEY, and optionally
// ANTHROPIC_BASE_URL and ANTHROPIC_MODEL.
package main

import (
	"fmt"
	"os"

	"github.com/mercadoesperto/smarket/providers/anthropic"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() {
	p, err := anthropic.New(anthropic.Config{
		APIKey: os.Getenv("ANTHROPIC_API_KEY"), BaseURL: os.Getenv("ANTHROPIC_BASE_URL"), Model: os.Getenv("ANTHROPIC_MODEL"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "ANTHROPIC_BASE_URL:", err)
		os.Exit(2)
	}
	plugin.Serve(p)
}
