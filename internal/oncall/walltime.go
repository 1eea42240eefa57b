package oncall

import (
	"fmt"
	"time"
)

// WallTime is what a calendar and a clock on the wall show, to the minute. It is an instant only together with a zone.
type WallTime struct {
	shown time.Time // as if the wall were in UTC, which never jumps
}

const wallLayout = "2006-01-02 15:04"

// ParseWallTime reads "2026-11-02 09:00".
func ParseWallTime(s string) (WallTime, error) {
	t, err := time.Parse(wallLayout, s)
	if err != nil {
		return WallTime{}, fmt.Errorf("wall-clock time %q: want a date and a time of day, such as 2026-11-02 09:00", s)
	}
	return WallTime{t}, nil
}

// WallTimeOf returns what t shows, to the minute.
func WallTimeOf(t time.Time) WallTime {
	y, m, d := t.Date()
	return WallTime{time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.UTC)}
}

// String returns what ParseWallTime reads.
func (w WallTime) String() string { return w.shown.Format(wallLayout) }

// MarshalText writes what ParseWallTime reads.
func (w WallTime) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (w *WallTime) UnmarshalText(text []byte) (err error) {
	*w, err = ParseWallTime(string(text))
	return err
}

// In returns the first instant at which the clock on the wall in a zone has reached w. So a time that the clock shows
// twice, when it is put back, is the first of the two; and a time that it never shows, because it is put forward, is the
// instant at which it jumps.
func (w WallTime) In(zone *time.Location) time.Time {
	// Two days before, w is still to come everywhere. From there on we go from one change of the clock to the next.
	for at := w.shown.Add(-48 * time.Hour).In(zone); ; {
		_, offset := at.Zone()
		begin, end := at.ZoneBounds()
		reached := w.shown.Add(-time.Duration(offset) * time.Second).In(zone)
		if reached.Before(begin) {
			return begin
		}
		// On the last day of a leap year the standard library names an end that has passed: look again in an hour.
		if !end.IsZero() && !end.After(at) {
			end = at.Add(time.Hour)
		}
		if end.IsZero() || reached.Before(end) {
			return reached
		}
		at = end
	}
}

// IsZero tells whether w is the zero WallTime, which stands for none.
func (w WallTime) IsZero() bool { return w.shown.IsZero() }

func (w WallTime) addHours(n int) WallTime {
	return WallTime{time.Unix(w.shown.Unix()+int64(n)*secondsOfHour, 0).UTC()}
}

func (w WallTime) addDays(n int) WallTime { return WallTime{w.shown.AddDate(0, 0, n)} }

// addMonths returns the same day of another month, or its last day when it has no such day.
func (w WallTime) addMonths(n int) WallTime {
	y, m, d := w.shown.Date()
	m += time.Month(n)
	last := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return WallTime{time.Date(y, m, min(d, last), w.shown.Hour(), w.shown.Minute(), 0, 0, time.UTC)}
}

// hoursUntil counts the hours from w to what the clock on the wall shows at t.
func (w WallTime) hoursUntil(t time.Time) int {
	_, offset := t.Zone()
	return int((t.Unix() + int64(offset) - w.shown.Unix()) / secondsOfHour)
}

// daysUntil counts the midnights from w's date to the date that t shows.
func (w WallTime) daysUntil(t time.Time) int { return int(day(t) - day(w.shown)) }

// monthsUntil counts the firsts of a month from w's date to the date that t shows.
func (w WallTime) monthsUntil(t time.Time) int {
	return (t.Year()-w.shown.Year())*monthsOfYear + int(t.Month()-w.shown.Month())
}

// day numbers the date that t shows.
func day(t time.Time) int64 {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (hoursOfDay * secondsOfHour)
}
