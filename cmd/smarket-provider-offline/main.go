// Command smarket-provider-offline is the plugin that reads documents without a model: no key, no network. It takes two
// variables, both optional: OFFLINE_TESSERACT, the Tesseract program, and TESSDATA_PREFIX, the folder of its language data.
package main

import (
	"os"

	"github.com/mercadoesperto/smarket/providers/offline"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() {
	plugin.Serve(offline.New(offline.Config{Command: os.Getenv("OFFLINE_TESSERACT"), DataDir: os.Getenv("TESSDATA_PREFIX")}))
}
