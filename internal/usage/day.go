package usage

import "time"

// Day is a day of a budget, "2026-11-23": from midnight to midnight in Brasília, which has kept its clocks at UTC-3 since 2019.
type Day string

func brasilia() *time.Location { return time.FixedZone("-03", -3*60*60) }

// DayOf is the day that a moment belongs to.
func DayOf(at time.Time) Day { return Day(at.In(brasilia()).Format(time.DateOnly)) }

// Start is the day's midnight in Brasília; the zero time when the day is none.
func (d Day) Start() time.Time {
	at, err := time.ParseInLocation(time.DateOnly, string(d), brasilia())
	if err != nil {
		return time.Time{}
	}
	return at
}

// untilMidnight is how long the day of a moment still lasts.
func untilMidnight(at time.Time) time.Duration { return DayOf(at).Start().AddDate(0, 0, 1).Sub(at) }
