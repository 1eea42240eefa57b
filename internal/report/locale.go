package report

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A locale is how a language writes instants, durations and people.
type locale struct {
	code      string
	day       string // date and weekday
	weekdays  [7]string
	units     [4]string // days, hours, minutes, seconds
	less      string    // of less than a second
	addressed string    // a person
}

func locales() []locale {
	return []locale{
		{
			code: "en", day: "%s %s", weekdays: [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
			units: [4]string{" d", " h", " min", " s"}, less: "less than 1 s", addressed: "%s",
		},
		{
			code: "ko", day: "%s(%s)", weekdays: [7]string{"일", "월", "화", "수", "목", "금", "토"},
			units: [4]string{"일", "시간", "분", "초"}, less: "1초 미만", addressed: "%s 님",
		},
	}
}

func (l *language) date(at time.Time, zone string) string {
	if at.IsZero() {
		return "–"
	}
	at = l.zones.local(at, zone)
	return fmt.Sprintf(l.day, at.Format(time.DateOnly), l.weekdays[at.Weekday()])
}

func (l *language) instant(at time.Time, zone string) string { return l.clock(at, zone, "15:04") }

func (l *language) moment(at time.Time, zone string) string { return l.clock(at, zone, time.TimeOnly) }

func (l *language) clock(at time.Time, zone, layout string) string {
	if at.IsZero() {
		return "–"
	}
	at = l.zones.local(at, zone)
	name, _ := at.Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") { // a zone without letters of its own
		name = "UTC" + name
	}
	return l.date(at, zone) + " " + at.Format(layout) + " " + name
}

// duration writes d to the minute, below one hour to the second; days from 48 h on, because promises are made in hours.
func (l *language) duration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", d.Abs()
	}
	if d < time.Second {
		return l.less
	}
	parts := [4]time.Duration{0, d / time.Hour, d % time.Hour / time.Minute, d % time.Minute / time.Second}
	if parts[1] >= 48 {
		parts[0], parts[1] = parts[1]/24, parts[1]%24
	}
	if d >= time.Hour {
		parts[3] = 0
	}
	var words []string
	for i, n := range parts {
		if n > 0 {
			words = append(words, fmt.Sprint(int64(n), l.units[i]))
		}
	}
	return sign + strings.Join(words, " ")
}

// zones keeps the time zones that were asked for: reading one takes longer than writing a message.
type zones struct{ known sync.Map }

// local returns at in the named IANA zone, in UTC when there is no such zone. The zone of this machine is never meant.
func (z *zones) local(at time.Time, name string) time.Time {
	if loc, ok := z.known.Load(name); ok {
		return at.In(loc.(*time.Location))
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return at.UTC()
	}
	z.known.Store(name, loc)
	return at.In(loc)
}
