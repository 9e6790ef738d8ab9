// Command smarket-provider-openai is the plugin for OpenAI's models. The host starts it with OPENAI_API_KEY and, where they
// differ from the defaults, OPENAI_BASE_URL and OPENAI_MODEL.
package main

import (
	"fmt"
	"os"

	"github.com/mercadoesperto/smarket/providers/openai"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() {
	provider, err := openai.New(openai.Config{
		APIKey:  os.Getenv("OPENAI_API_KEY"),
		BaseURL: os.Getenv("OPENAI_BASE_URL"),
		Model:   os.Getenv("OPENAI_MODEL"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "OPENAI_BASE_URL:", err)
		os.Exit(2)
	}
	plugin.Serve(provider)
}
