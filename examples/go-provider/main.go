// Command smarket-provider-example is the smallest provider: it answers every receipt with one and the same. docs/providers.md
// builds it, trusts it and runs it.
package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/plugin"
)

func main() { plugin.Serve(example{}) }

type example struct{}

// Describe names what the chain may send here: documents that are photos in JPEG, for extraction.
func (example) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: "example", Version: "1.0.0", Model: "fixed-1", MediaTypes: []string{"image/jpeg"}, Tasks: []sdk.Task{sdk.TaskExtract},
		Local: true,
	}, nil
}

// Check has nothing to look for: a real provider asks its vendor whether the key is good.
func (example) Check(context.Context) error { return nil }

// Generate replies with one sdk.Receipt as JSON. A real provider sends the instructions, the pages and the schema to its model.
func (example) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	result := sdk.Result{Model: "fixed-1"}
	if err := ctx.Err(); err != nil {
		kind := sdk.KindCancelled
		if errors.Is(err, context.DeadlineExceeded) {
			kind = sdk.KindTimeout
		}
		return result, &sdk.Error{Kind: kind, Blame: sdk.BlameHost, Message: err.Error()}
	}
	for _, p := range req.Pages {
		if req.Task != sdk.TaskExtract || p.MediaType != "image/jpeg" {
			return result, &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "it takes photos of receipts"}
		}
	}
	reply, err := json.Marshal(sdk.Receipt{ //nolint:gosec // the access key on a receipt is printed for everybody
		IssuerName: "MERCADO EXEMPLO", Due: "5.99",
		Items:    []sdk.ReceiptItem{{Description: "LEITE", Quantity: "1", UnitPrice: "5.99", Total: "5.99"}},
		Payments: []sdk.ReceiptPayment{},
	})
	if err != nil {
		return result, err
	}
	result.FinishReason = sdk.FinishStop
	return result, emit(string(reply))
}
