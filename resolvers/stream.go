package resolvers

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// stream hands the events on in the form that the executor takes. It ends with events, which end with ctx.
func stream(ctx context.Context, events <-chan invoice.Event) <-chan *invoice.Event {
	out := make(chan *invoice.Event)
	go func() {
		defer close(out)
		for e := range events {
			select {
			case out <- &e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}
