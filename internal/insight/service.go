package insight

import (
	"log/slog"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Service is the use cases of analyses and insights. Its methods may be called from several goroutines and processes at once.
type Service struct {
	Deps
}

var _ invoice.Analyses = (*Service)(nil)

// Deps is what a Service works with. All are needed.
type Deps struct {
	Store    Store
	Invoices Invoices
	// Rules look for the kinds, in this order: it is the order of what the writer is asked.
	Rules     []Rule
	People    People
	Queue     Queue
	Writer    Writer
	Publisher invoice.Publisher
	// MinValue is the least total of an invoice that is analysed.
	MinValue fiscal.Money
	NewID    func() string // UUIDv7
	Now      func() time.Time
	Log      *slog.Logger
}

// NewService makes the use cases.
func NewService(d Deps) *Service { return &Service{Deps: d} }
