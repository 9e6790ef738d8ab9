// Command smarket-provider-gemini is the plugin for Google's Gemini API. It takes GEMINI_API_KEY, and optionally
// GEMINI_BASE_URL and GEMINI_MODEL.
package main

import (
	"fmt"
	"os"

	"github.com/mercadoesperto/smarket/providers/gemini"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() {
	p, err := gemini.New(gemini.Config{
		APIKey: os.Getenv("GEMINI_API_KEY"), BaseURL: os.Getenv("GEMINI_BASE_URL"), Model: os.Getenv("GEMINI_MODEL"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "GEMINI_BASE_URL:", err)
		os.Exit(2)
	}
	plugin.Serve(p)
}
