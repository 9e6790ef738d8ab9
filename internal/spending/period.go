package spending

import (
	"strconv"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// maxPeriod bounds a report, in days: five years, two of them leap years.
const maxPeriod = 1827

// monthLayout is how a month is written: the key of a group.
const monthLayout = "2006-01"

// days are a Period as midnights in UTC, where every day has 24 hours.
type days struct{ from, to time.Time }

func badPeriod(message string) error {
	return &invoice.Error{Code: invoice.CodeBadUserInput, Field: "period", Message: message}
}

// parse fails on days that are none and on a period that ends before it begins.
func (p Period) parse() (days, error) {
	from, err := time.Parse(time.DateOnly, p.From)
	to, err2 := time.Parse(time.DateOnly, p.To)
	switch {
	case err != nil || err2 != nil:
		return days{}, badPeriod("O período deve ter dias que existem no calendário.")
	case to.Before(from):
		return days{}, badPeriod("O período deve começar antes de terminar.")
	}
	return days{from, to}, nil
}

// check is parse for a period that may be missing.
func check(p *Period) error {
	if p == nil {
		return nil
	}
	_, err := p.parse()
	return err
}

func (d days) period() Period {
	return Period{From: d.from.Format(time.DateOnly), To: d.to.Format(time.DateOnly)}
}

// count is how many days there are.
func (d days) count() int { return int(d.to.Sub(d.from)/(24*time.Hour)) + 1 }

// months is how many whole months the days are; 0 when they are not.
func (d days) months() int {
	end := d.to.AddDate(0, 0, 1)
	if d.from.Day() != 1 || end.Day() != 1 {
		return 0
	}
	return 12*(end.Year()-d.from.Year()) + int(end.Month()) - int(d.from.Month())
}

// previous are the days before: as many whole months, or as many days.
func (d days) previous() days {
	to := d.from.AddDate(0, 0, -1)
	if n := d.months(); n > 0 {
		return days{d.from.AddDate(0, -n, 0), to}
	}
	return days{d.from.AddDate(0, 0, -d.count()), to}
}

// monthOf is the month of the period that a day counts to. A day of the period before counts to the month that lies as far on
// as the periods are apart, so that the months of this year stand beside the same ones of last year.
func (d days) monthOf(day time.Time) string {
	if !day.Before(d.from) {
		return day.Format(monthLayout)
	}
	if n := d.months(); n > 0 {
		return time.Date(day.Year(), day.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC).Format(monthLayout)
	}
	return day.AddDate(0, 0, d.count()).Format(monthLayout)
}

// eachMonth calls fn with the first day of every month that the days touch, in order.
func (d days) eachMonth(fn func(first time.Time)) {
	for m := time.Date(d.from.Year(), d.from.Month(), 1, 0, 0, 0, 0, time.UTC); !m.After(d.to); m = m.AddDate(0, 1, 0) {
		fn(m)
	}
}

// monthName is "novembro de 2026".
func monthName(first time.Time) string {
	names := [...]string{
		"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
	}
	return names[first.Month()-1] + " de " + strconv.Itoa(first.Year())
}
