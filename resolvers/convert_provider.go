package resolvers

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fleet"
)

// steersProviders is the admin who asks; a FORBIDDEN *account.Error for anybody else.
func steersProviders(ctx context.Context) (account.Viewer, error) {
	v, err := viewer(ctx)
	if err == nil && v.Role != account.RoleAdmin {
		err = &account.Error{Code: account.CodeForbidden, Message: "Só administradores podem mudar os provedores."}
	}
	return v, err
}

func toProviders(list []*fleet.Provider) []*model.Provider {
	out := make([]*model.Provider, len(list))
	for i, p := range list {
		out[i] = toProvider(p)
	}
	return out
}

// toProvider leaves null what is not known, or not for whoever asks.
func toProvider(p *fleet.Provider) *model.Provider {
	out := &model.Provider{Name: p.Name, Enabled: p.Enabled, Position: p.Position, Local: p.Local}
	o := p.Operations
	if o == nil {
		return out
	}
	out.Workers, out.CostToday = &o.Workers, &o.CostToday
	if o.Workers == 0 {
		return out
	}
	out.Version, out.Checksum, out.Model = known(o.Version), known(o.Checksum), known(o.Model)
	out.State, out.Breaker, out.LastError = known(o.State), known(o.Breaker), known(o.LastError)
	out.Protocol, out.Tasks, out.MediaTypes, out.InFlight = known(o.Protocol), o.Tasks, o.MediaTypes, &o.InFlight
	if o.Calls > 0 {
		out.P50Ms, out.P95Ms = milliseconds(o.P50), milliseconds(o.P95)
		out.ErrorRate = new(float64(o.Failed) / float64(o.Calls))
	}
	return out
}

// known is nil for the zero value.
func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func milliseconds(d time.Duration) *int { return new(int(d.Milliseconds())) }
