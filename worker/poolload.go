package worker

import "github.com/alitto/pond/v2"

// Load is what is under way in a part of the Pool.
type Load struct{ Running, Waiting, Most int }

// Loads are those of the pages ("pages") and of each provider ("provider:" and its name).
func (p *Pool) Loads() map[string]Load {
	loads := map[string]Load{"pages": loadOf(p.pages)}
	for name, pool := range p.providers {
		loads["provider:"+name] = loadOf(pool)
	}
	return loads
}

func loadOf(p pond.Pool) Load {
	return Load{Running: int(p.RunningWorkers()), Waiting: int(p.WaitingTasks()), Most: p.MaxConcurrency()} //nolint:gosec // tens
}
