package calendar

import (
	"fmt"
	"slices"
	"time"
)

// A Date is a day of the calendar, counted from 1970-01-01: the zero Date is none.
type Date int

// ParseDate reads "2026-11-24".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() <= 1970 {
		return 0, fmt.Errorf("date %q: want a day after 1970, such as 2026-11-24", s)
	}
	return Date(t.Unix() / secondsOfDay), nil
}

// DateOf returns the date that t shows.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return Date(midnight.Unix() / secondsOfDay)
}

// String returns what ParseDate reads, and nothing for no date.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return time.Unix(d.wall(0), 0).UTC().Format(time.DateOnly)
}

// Year returns the year of the date.
func (d Date) Year() int { return time.Unix(d.wall(0), 0).UTC().Year() }

// Weekday returns the weekday of the date.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) } // 1970-01-01 was a Thursday

// MarshalText writes the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

const secondsOfDay = 24 * 60 * 60

// wall is a time of day of the date in seconds, as if the wall were in UTC, where clocks never jump.
func (d Date) wall(t TimeOfDay) int64 { return int64(d)*secondsOfDay + int64(t)*60 }

// A TimeOfDay is what a clock on the wall shows, in minutes from midnight.
type TimeOfDay int

const wholeDay TimeOfDay = 24 * 60

// ParseTimeOfDay reads "09:00", up to "24:00".
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	if s == "24:00" {
		return wholeDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("time of day %q: want hours and minutes, such as 09:00 or 24:00", s)
	}
	return TimeOfDay(t.Hour()*60 + t.Minute()), nil
}

// String returns what ParseTimeOfDay reads.
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// MarshalText writes the time as String does.
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (t *TimeOfDay) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeOfDay(string(text))
	return err
}

// A Weekday is a day of the week as rules name it.
type Weekday string

// The days of the week. These strings are in definitions: add, never rename.
const (
	Monday    Weekday = "mon"
	Tuesday   Weekday = "tue"
	Wednesday Weekday = "wed"
	Thursday  Weekday = "thu"
	Friday    Weekday = "fri"
	Saturday  Weekday = "sat"
	Sunday    Weekday = "sun"
)

// Weekdays lists the days of the week, Monday first.
func Weekdays() []Weekday {
	return []Weekday{Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday}
}

func (d Weekday) weekday() time.Weekday { return time.Weekday((slices.Index(Weekdays(), d) + 1) % 7) }
