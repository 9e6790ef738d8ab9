package providers

import (
	"context"
	"strings"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// permissions is which providers a request may use.
type permissions struct {
	members []*member // who is asked at all, in this order
	allowed func(provider string) bool
	lane    string // the names of those allowed: equal where the permissions are
}

// permissions asks for the user's consents. When they cannot be known nothing is sent anywhere.
func (c *Chain) permissions(ctx context.Context, userID string) (permissions, error) {
	may := permissions{members: *c.lineup.Load(), allowed: func(string) bool { return true }}
	if c.config.Consents != nil {
		allowed, err := c.config.Consents.Allowed(ctx, userID)
		if err != nil {
			return may, &invoice.ExtractionError{Code: invoice.CodeUnavailable, Cause: err}
		}
		may.allowed = allowed
	}
	var names []string
	for _, m := range may.members {
		if may.allowed(m.Name) {
			names = append(names, m.Name)
		}
	}
	may.lane = strings.Join(names, "+")
	return may, nil
}

// use says whether the provider may see a request. Nothing leaves the machine through a local one.
func (p permissions) use(d sdk.Description) bool { return d.Local || p.allowed(d.Name) }
