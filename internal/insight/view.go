package insight

// What the API shows of an insight under names of its own.

// PeriodFrom is the first day the insight speaks of.
func (i *Insight) PeriodFrom() string { return string(i.Period.From) }

// PeriodTo is the last day the insight speaks of.
func (i *Insight) PeriodTo() string { return string(i.Period.To) }
