package freeze

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
)

// A MonthDay is a day that comes round every month. A month that has no such day, as most have no fifth Friday and some no 31st,
// is left out.
type MonthDay struct {
	N       int              // 1 to 4, or 1 to 31 without a weekday; last for the last one
	Weekday calendar.Weekday // empty: any
}

const last = -1

func ordinals() []string { return []string{"first", "second", "third", "fourth"} }

// ParseMonthDay reads "second sun", "last fri", "day 15" or "last day".
func ParseMonthDay(s string) (MonthDay, error) {
	var m MonthDay
	first, second, _ := strings.Cut(s, " ")
	switch n := slices.Index(ordinals(), first); {
	case first == "day":
		m.N, _ = strconv.Atoi(second)
	case first == "last" && second == "day":
		m.N = last
	case first == "last":
		m = MonthDay{last, calendar.Weekday(second)}
	case second != "":
		m = MonthDay{n + 1, calendar.Weekday(second)}
	}
	if !m.valid() || m.String() != s {
		return MonthDay{}, fmt.Errorf("day of the month %q: want such as second sun, last fri, day 15 or last day", s)
	}
	return m, nil
}

func (m MonthDay) valid() bool {
	if m.Weekday == "" {
		return m.N == last || 1 <= m.N && m.N <= 31
	}
	return (m.N == last || 1 <= m.N && m.N <= len(ordinals())) && slices.Contains(calendar.Weekdays(), m.Weekday)
}

// String returns what ParseMonthDay reads.
func (m MonthDay) String() string {
	switch {
	case m.Weekday == "" && m.N == last:
		return "last day"
	case m.Weekday == "":
		return "day " + strconv.Itoa(m.N)
	case 1 <= m.N && m.N <= len(ordinals()):
		return ordinals()[m.N-1] + " " + string(m.Weekday)
	}
	return "last " + string(m.Weekday)
}

// MarshalText writes the day as String does.
func (m MonthDay) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *MonthDay) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMonthDay(string(text))
	return err
}

// A YearDay is a day that comes round every year: 1220 is 20 December.
type YearDay int

// ParseYearDay reads "12-20".
func ParseYearDay(s string) (YearDay, error) {
	t, err := time.Parse("2006-01-02", "2024-"+s) // a leap year
	if err != nil {
		return 0, fmt.Errorf("day of the year %q: want a month and a day, such as 12-20", s)
	}
	return yearDay(t), nil
}

func yearDay(t time.Time) YearDay { return YearDay(int(t.Month())*100 + t.Day()) }

func (d YearDay) valid() bool {
	_, err := ParseYearDay(d.String())
	return err == nil
}

// String returns what ParseYearDay reads.
func (d YearDay) String() string { return fmt.Sprintf("%02d-%02d", d/100, d%100) }

// MarshalText writes the day as String does.
func (d YearDay) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *YearDay) UnmarshalText(text []byte) (err error) {
	*d, err = ParseYearDay(string(text))
	return err
}

// A day is one day of the calendar with all that patterns ask of it.
type day struct {
	calendar.Date

	mday     int
	last     bool // of its month
	lastWeek bool // the last such weekday of its month
	weekday  calendar.Weekday
	ofYear   YearDay
}

func dayOf(d calendar.Date) day {
	at := time.Unix(int64(d)*24*60*60, 0).UTC()
	const week = 7
	return day{
		Date: d, mday: at.Day(), last: at.AddDate(0, 0, 1).Month() != at.Month(), lastWeek: at.AddDate(0, 0, week).Month() != at.Month(),
		weekday: calendar.Weekdays()[(int(at.Weekday())+week-1)%week], ofYear: yearDay(at),
	}
}

func (p Pattern) on(d day) bool {
	_, dated := slices.BinarySearch(p.Dates, d.Date)
	return dated || slices.Contains(p.Days, d.weekday) || slices.ContainsFunc(p.Monthly, func(m MonthDay) bool { return m.on(d) })
}

func (m MonthDay) on(d day) bool {
	switch {
	case m.Weekday == "" && m.N == last:
		return d.last
	case m.Weekday == "":
		return d.mday == m.N
	case m.Weekday != d.weekday:
		return false
	case m.N == last:
		return d.lastWeek
	}
	return (d.mday-1)/7+1 == m.N
}

func (y Yearly) on(d day) bool {
	if y.From <= y.To {
		return y.From <= d.ofYear && d.ofYear <= y.To
	}
	return y.From <= d.ofYear || d.ofYear <= y.To
}
