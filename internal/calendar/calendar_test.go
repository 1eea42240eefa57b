package calendar_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
)

// fatal is what tests, benchmarks and properties have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func zone(t fatal, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func build(t fatal, r calendar.Rules) *calendar.Calendar {
	t.Helper()
	c, err := calendar.New(r, zone(t, r.Zone))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func instant(t fatal, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func date(t fatal, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hours reads "09:00-12:00 13:00-18:00".
func hours(t fatal, s string) (all []calendar.Hours) {
	t.Helper()
	for _, one := range strings.Fields(s) {
		from, to, _ := strings.Cut(one, "-")
		var h calendar.Hours
		var err error
		if h.From, err = calendar.ParseTimeOfDay(from); err != nil {
			t.Fatal(err)
		}
		if h.To, err = calendar.ParseTimeOfDay(to); err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

// weekly has the same hours on each of some days.
func weekly(t fatal, days []calendar.Weekday, s string) (all []calendar.Weekly) {
	t.Helper()
	for _, h := range hours(t, s) {
		all = append(all, calendar.Weekly{Days: days, Hours: h})
	}
	return all
}

func workdays() []calendar.Weekday { return calendar.Weekdays()[:5] }

// seoul is the calendar of an office: 09:00 to 18:00 with an hour for lunch that does not count, holidays, half of
// Christmas Eve, and a Saturday on which it opens all the same.
func seoul(t fatal) calendar.Rules {
	t.Helper()
	return calendar.Rules{
		ID: "office", Zone: "Asia/Seoul", Weekly: weekly(t, workdays(), "09:00-12:00 13:00-18:00"),
		Holidays: []calendar.Date{date(t, "2026-12-25"), date(t, "2026-12-31"), date(t, "2027-01-01")},
		Exceptions: []calendar.Exception{
			{Date: date(t, "2026-12-24"), Hours: hours(t, "09:00-12:00")},
			{Date: date(t, "2026-12-26"), Hours: hours(t, "10:00-14:00")},
			{Date: date(t, "2026-12-28")},
			{Date: date(t, "2026-12-31"), Hours: hours(t, "09:00-11:00")},
		},
		KnownUntil: date(t, "2027-12-31"),
	}
}

func plain(t fatal, zone, when string) calendar.Rules {
	t.Helper()
	return calendar.Rules{ID: "plain", Zone: zone, Weekly: weekly(t, calendar.Weekdays(), when)}
}

// TestPromises are examples of contracts: 8×5 and 24×5.
func TestPromises(t *testing.T) {
	standard := plain(t, "Asia/Seoul", "09:00-17:00")
	standard.Weekly[0].Days = workdays()
	observed := standard
	observed.Holidays = []calendar.Date{date(t, "2026-12-25")}
	plus := plain(t, "Asia/Seoul", "00:00-24:00")
	plus.Weekly[0].Days = workdays()
	for _, tt := range []struct {
		rules       calendar.Rules
		start, want string
		add         time.Duration
		why         string
	}{
		{standard, "2026-11-23T09:00", "2026-11-23T17:00", 8 * time.Hour, "one whole day is due at closing, not the next morning"},
		{standard, "2026-11-23T09:01", "2026-11-24T09:01", 8 * time.Hour, "a minute later it is the next day"},
		{standard, "2026-11-28T10:00", "2026-11-30T17:00", 8 * time.Hour, "on a Saturday it starts at the next opening"},
		{standard, "2026-11-27T16:00", "2026-11-30T16:00", 8 * time.Hour, "over the weekend"},
		{standard, "2026-11-27T17:00", "2026-11-30T13:00", 4 * time.Hour, "at closing: nothing of Friday is used"},
		{plus, "2026-11-27T22:00", "2026-11-30T02:00", 4 * time.Hour, "stops at the end of Friday"},
		{standard, "2026-12-24T16:00", "2026-12-25T12:00", 4 * time.Hour, "a contract without holidays"},
		{observed, "2026-12-24T16:00", "2026-12-28T12:00", 4 * time.Hour, "a contract with them"},
		{standard, "2026-11-28T10:00", "2026-11-28T10:00", 0, "nothing to wait for"},
	} {
		got, err := build(t, tt.rules).Add(instant(t, tt.start+":00+09:00"), tt.add)
		if want := instant(t, tt.want+":00+09:00"); err != nil || !got.Equal(want) {
			t.Errorf("%s and %s: got %s, %v, want %s: %s", tt.start, tt.add, got, err, tt.want, tt.why)
		}
	}
}

func TestOpen(t *testing.T) {
	night := plain(t, "Asia/Seoul", "22:00-06:00")
	night.Weekly[0].Days = workdays()
	night.Holidays = []calendar.Date{date(t, "2026-11-25")}
	night.Exceptions = []calendar.Exception{{Date: date(t, "2026-11-28"), Hours: hours(t, "05:00-07:00")}}
	night.From, night.Until = date(t, "2026-11-24"), date(t, "2026-11-30")
	for _, tt := range []struct {
		rules    calendar.Rules
		at, next string // next is empty when it is open at that instant, never when it opens no more
		why      string
	}{
		{seoul(t), "2026-11-23T08:59:59+09:00", "2026-11-23T09:00:00+09:00", "before it opens"},
		{seoul(t), "2026-11-23T09:00:00+09:00", "", "it opens"},
		{seoul(t), "2026-11-23T02:59:59Z", "", "the last second before lunch, elsewhere"},
		{seoul(t), "2026-11-23T12:00:00+09:00", "2026-11-23T13:00:00+09:00", "lunch"},
		{seoul(t), "2026-11-20T18:00:00+09:00", "2026-11-23T09:00:00+09:00", "the weekend"},
		{seoul(t), "2026-12-24T12:00:00+09:00", "2026-12-26T10:00:00+09:00", "Christmas Eve closes early, Saturday opens"},
		{seoul(t), "2026-12-26T10:00:00+09:00", "", "an exception opens a Saturday"},
		{seoul(t), "2026-12-28T10:00:00+09:00", "2026-12-29T09:00:00+09:00", "an exception closes a Monday"},
		{seoul(t), "2026-12-31T10:00:00+09:00", "", "an exception wins over a holiday"},
		{seoul(t), "2026-12-31T11:00:00+09:00", "2027-01-04T09:00:00+09:00", "New Year and a weekend"},
		{plain(t, "Asia/Seoul", "00:00-24:00"), "2026-12-31T23:59:59.999999999+09:00", "", "around the clock"},
		{night, "2026-11-23T23:00:00+09:00", "2026-11-24T22:00:00+09:00", "not valid yet"},
		{night, "2026-11-24T23:00:00+09:00", "", "before midnight"},
		{night, "2026-11-25T05:59:59+09:00", "", "the night runs on into a holiday"},
		{night, "2026-11-25T06:00:00+09:00", "2026-11-26T22:00:00+09:00", "the night of a holiday is none"},
		{night, "2026-11-28T06:30:00+09:00", "", "a night and an exception that overlap are one"},
		{night, "2026-11-28T07:00:00+09:00", "2026-11-30T22:00:00+09:00", "Saturday night is none"},
		{night, "2026-12-01T05:59:59+09:00", "", "the night that begins on the last valid day runs to its end"},
		{night, "2026-12-01T06:00:00+09:00", "never", "not valid any more"},
	} {
		c, at := build(t, tt.rules), instant(t, tt.at)
		next, ok := c.NextOpen(at)
		want, opens := at, tt.next != "never"
		if tt.next != "" && opens {
			want = instant(t, tt.next)
		}
		if got := c.Open(at); got != (tt.next == "") || ok != opens || ok && !next.Equal(want) {
			t.Errorf("at %s: open %t, next %s %t, want next %s: %s", tt.at, got, next, ok, tt.next, tt.why)
		}
	}
}

// TestClockChanges says what times mean that a clock on the wall shows twice, or never.
func TestClockChanges(t *testing.T) {
	for _, tt := range []struct {
		zone, hours string
		day         string
		open, close string // empty: not open on that day
		why         string
	}{
		{"Europe/London", "00:00-24:00", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00+01:00", "a day of 23 hours"},
		{"Europe/London", "00:00-24:00", "2026-10-25", "2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00Z", "a day of 25 hours"},
		{"Europe/London", "01:30-09:00", "2026-03-29", "2026-03-29T02:00:00+01:00", "2026-03-29T09:00:00+01:00", "opens at the jump"},
		{"Europe/London", "22:00-01:30", "2026-03-28", "2026-03-28T22:00:00Z", "2026-03-29T02:00:00+01:00", "closes at the jump"},
		{"Europe/London", "01:10-01:50", "2026-03-29", "", "", "never shown"},
		{"Europe/London", "01:30-09:00", "2026-10-25", "2026-10-25T01:30:00+01:00", "2026-10-25T09:00:00Z", "opens at the first of two"},
		{"Europe/London", "22:00-01:30", "2026-10-24", "2026-10-24T22:00:00+01:00", "2026-10-25T01:30:00+01:00", "closes at the first of two"},
		{"Europe/London", "01:00-02:00", "2026-10-25", "2026-10-25T01:00:00+01:00", "2026-10-25T02:00:00Z", "an hour that comes twice is two"},
		{"America/Chicago", "02:30-05:00", "2026-03-08", "2026-03-08T03:00:00-05:00", "2026-03-08T05:00:00-05:00", "02:30 is never shown"},
		{"America/Chicago", "01:30-05:00", "2026-11-01", "2026-11-01T01:30:00-05:00", "2026-11-01T05:00:00-06:00", "01:30 is shown twice"},
		{"Australia/Lord_Howe", "02:10-03:00", "2026-10-04", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00", "half an hour is left out"},
		{"Australia/Lord_Howe", "01:45-03:00", "2026-04-05", "2026-04-05T01:45:00+11:00", "2026-04-05T03:00:00+10:30", "half an hour comes twice"},
		{"America/St_Johns", "00:00-06:00", "2010-11-07", "2010-11-07T00:00:00-02:30", "2010-11-07T06:00:00-03:30", "midnight comes twice"},
		{"Pacific/Apia", "09:00-17:00", "2011-12-30", "", "", "a day that never was"},
	} {
		// Open on that day and on one much earlier, for a calendar that never opens is none.
		c := build(t, calendar.Rules{ID: "one-day", Zone: tt.zone, Exceptions: []calendar.Exception{
			{Date: date(t, "2009-01-05"), Hours: hours(t, "09:00-17:00")}, {Date: date(t, tt.day), Hours: hours(t, tt.hours)},
		}})
		before := instant(t, tt.day+"T00:00:00Z").AddDate(0, 0, -2)
		got, opens := c.NextOpen(before)
		if tt.open == "" {
			if opens {
				t.Errorf("%s %s on %s: opens at %s: %s", tt.zone, tt.hours, tt.day, got, tt.why)
			}
			continue
		}
		open, closing := instant(t, tt.open), instant(t, tt.close)
		if !got.Equal(open) || c.Open(closing) || !c.Open(closing.Add(-1)) || c.Between(before, before.AddDate(0, 0, 5)) != closing.Sub(open) {
			t.Errorf("%s %s on %s: opens at %s for %s, want %s until %s: %s",
				tt.zone, tt.hours, tt.day, got, c.Between(before, before.AddDate(0, 0, 5)), tt.open, tt.close, tt.why)
		}
	}
}

func TestAddDays(t *testing.T) {
	night := plain(t, "Asia/Seoul", "22:00-06:00")
	night.Weekly[0].Days = workdays()
	for _, tt := range []struct {
		rules       calendar.Rules
		start, want string
		n           int
		why         string
	}{
		{seoul(t), "2026-11-23T10:00:00+09:00", "2026-11-24T10:00:00+09:00", 1, "the same time"},
		{seoul(t), "2026-11-20T10:00:00+09:00", "2026-11-25T10:00:00+09:00", 3, "over a weekend"},
		{seoul(t), "2026-11-21T10:00:00+09:00", "2026-11-24T09:00:00+09:00", 1, "from a Saturday: counted from Monday's opening"},
		{seoul(t), "2026-11-20T19:00:00+09:00", "2026-11-24T09:00:00+09:00", 1, "from the evening of a Friday: the same"},
		{seoul(t), "2026-11-21T10:00:00+09:00", "2026-11-23T09:00:00+09:00", 0, "no day: the opening itself"},
		{seoul(t), "2026-11-23T10:00:00.5+09:00", "2026-11-23T10:00:00.5+09:00", 0, "no day, and open"},
		{seoul(t), "2026-12-23T17:00:00+09:00", "2026-12-24T12:00:00+09:00", 1, "that day closes earlier"},
		{seoul(t), "2026-12-23T09:30:00+09:00", "2026-12-26T10:00:00+09:00", 2, "that day opens later"},
		{seoul(t), "2026-12-26T12:30:00+09:00", "2026-12-29T13:00:00+09:00", 1, "that day is at lunch, and the Monday closed"},
		{seoul(t), "2026-12-22T10:30:00.25+09:00", "2027-01-04T10:30:00.25+09:00", 7, "over the end of the year: 23, 24, 26, 29, 30, 31"},
		{night, "2026-11-24T02:00:00+09:00", "2026-11-25T02:00:00+09:00", 1, "the night of Monday, then that of Tuesday"},
		{night, "2026-11-28T02:00:00+09:00", "2026-12-01T02:00:00+09:00", 1, "the night of Friday, then that of Monday"},
		{plain(t, "Europe/London", "00:00-24:00"), "2026-03-28T01:30:00Z", "2026-03-29T02:00:00+01:00", 1, "that time is never shown: the jump"},
		{plain(t, "Europe/London", "00:00-24:00"), "2026-10-24T01:30:00+01:00", "2026-10-25T01:30:00+01:00", 1, "shown twice: the first"},
	} {
		got, err := build(t, tt.rules).AddDays(instant(t, tt.start), tt.n)
		if want := instant(t, tt.want); err != nil || !got.Equal(want) {
			t.Errorf("%d days after %s: got %s, %v, want %s: %s", tt.n, tt.start, got, err, tt.want, tt.why)
		}
	}
}

func TestBetween(t *testing.T) {
	c := build(t, seoul(t))
	a, b := instant(t, "2026-12-23T16:00:00+09:00"), instant(t, "2026-12-31T10:30:00+09:00")
	want := 2*time.Hour + 3*time.Hour + 4*time.Hour + 2*8*time.Hour + 90*time.Minute
	if got := c.Between(a, b); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := c.Between(b, a); got != -want {
		t.Errorf("backwards: got %s, want %s", got, -want)
	}
	always := build(t, plain(t, "Asia/Seoul", "00:00-24:00"))
	if got := always.Between(a, a.AddDate(250, 0, 0)); got < 100*365*24*time.Hour || got > 101*366*24*time.Hour {
		t.Errorf("250 years: got %s, want about 100 years", got)
	}
}

// The standard library is wrong about the last day of leap years beyond its tables: nothing may hang there.
func TestFarAhead(t *testing.T) {
	for _, p := range places() {
		c := build(t, plain(t, p.zone, "00:00-24:00"))
		for year := 2026; year < 2100; year++ {
			from := time.Date(year, 12, 30, 12, 0, 0, 0, time.UTC)
			if got, err := c.Add(from, 48*time.Hour); err != nil || !got.Equal(from.Add(48*time.Hour)) {
				t.Fatalf("%s: 48h after %s is %s, %v", p.zone, from, got, err)
			}
		}
	}
}

// TestEnds asks for more open time than there is.
func TestEnds(t *testing.T) {
	start := instant(t, "2026-11-23T10:00:00+09:00")
	ending := seoul(t)
	ending.Until = date(t, "2026-11-24")
	rare := plain(t, "Asia/Seoul", "09:00-09:01")
	rare.Weekly[0].Days = workdays()[:1]
	for _, r := range []calendar.Rules{ending, rare} {
		c := build(t, r)
		if got, err := c.Add(start, 100*24*time.Hour); !isEnd(err) {
			t.Errorf("%s: got %s, %v", r.ID, got, err)
		}
		if got, err := c.AddDays(start, 10_000); !isEnd(err) {
			t.Errorf("%s: got %s, %v", r.ID, got, err)
		}
	}
	c := build(t, ending)
	if got, err := c.Add(start, 15*time.Hour); err != nil || !got.Equal(instant(t, "2026-11-24T18:00:00+09:00")) {
		t.Errorf("to the last minute: got %s, %v", got, err)
	}
	if got, err := c.Add(instant(t, "2026-11-25T10:00:00+09:00"), time.Minute); !isEnd(err) {
		t.Errorf("after the end: got %s, %v", got, err)
	}
	if got, err := c.Add(start, -1); err == nil {
		t.Errorf("less than nothing: got %s", got)
	}
	if got, err := c.AddDays(start, -1); err == nil {
		t.Errorf("less than no day: got %s", got)
	}
}

// TestFaults breaks one rule each.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		spoil func(*calendar.Rules)
		want  string
	}{
		{func(*calendar.Rules) {}, ""},
		{func(r *calendar.Rules) { r.Weekly[0].To = r.Weekly[0].From }, "calendar office: hours 09:00-09:00: want from 00:00 to 24:00, and two different times"},
		{func(r *calendar.Rules) { r.Weekly[0].From = 24 * 60 }, "calendar office: hours 24:00-12:00: want from 00:00 to 24:00, and two different times"},
		{func(r *calendar.Rules) { r.Weekly[0].Days = []calendar.Weekday{"monday"} }, `calendar office: day "monday": want [mon tue wed thu fri sat sun]`},
		{func(r *calendar.Rules) { r.Weekly[0].To = 14 * 60 }, "calendar office: mon 09:00-14:00 and mon 13:00-18:00 overlap"},
		{func(r *calendar.Rules) {
			r.Weekly = append(weekly(t, calendar.Weekdays()[6:], "23:00-09:30"), r.Weekly...)
		}, "calendar office: sun 23:00-09:30 and mon 09:00-12:00 overlap"},
		{func(r *calendar.Rules) { r.Exceptions[1].Date = r.Exceptions[0].Date }, "calendar office: exception 2026-12-24: named twice"},
		{func(r *calendar.Rules) { r.Exceptions[0].Hours = hours(t, "09:00-09:00") }, "calendar office: exception 2026-12-24: hours 09:00-09:00: want from 00:00 to 24:00, and two different times"},
		{func(r *calendar.Rules) { r.Exceptions[0].Hours = hours(t, "09:00-12:00 11:00-13:00") }, "calendar office: exception 2026-12-24: 09:00-12:00 and 11:00-13:00 overlap"},
		{func(r *calendar.Rules) { r.From, r.Until = date(t, "2027-01-01"), date(t, "2026-01-01") }, "calendar office: until 2026-01-01: want a day that is not before from, 2027-01-01"},
		{func(r *calendar.Rules) { r.Weekly, r.Exceptions = nil, nil }, "calendar office: it never opens"},
		{func(r *calendar.Rules) { r.From, r.Until = date(t, "2027-01-01"), date(t, "2027-01-03") }, "calendar office: it never opens"},
		{func(r *calendar.Rules) {
			r.Zone, r.From, r.Until = "Europe/London", date(t, "2027-03-28"), date(t, "2027-03-28")
			r.Weekly = weekly(t, calendar.Weekdays(), "01:10-01:50")
		}, "calendar office: it never opens"},
	} {
		r := seoul(t)
		tt.spoil(&r)
		_, err := calendar.New(r, zone(t, r.Zone))
		if got := text(err); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	if _, err := calendar.New(seoul(t), time.UTC); err == nil {
		t.Error("took the rules of Seoul in UTC")
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPlainData keeps rules as JSON, as a workflow's input does.
func TestPlainData(t *testing.T) {
	want := seoul(t)
	kept, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got calendar.Rules
	if err := json.Unmarshal(kept, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	const begins = `{"id":"office","zone":"Asia/Seoul","weekly":[{"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"12:00"},`
	if !strings.HasPrefix(string(kept), begins) || !strings.HasSuffix(string(kept), `"known_until":"2027-12-31"}`) {
		t.Errorf("got %s", kept)
	}
}

func TestParse(t *testing.T) {
	for _, s := range []string{"", "2026-2-3", "2026-02-30", "1970-01-01", "26-02-03", "2026-02-03 "} {
		if d, err := calendar.ParseDate(s); err == nil {
			t.Errorf("date %q: got %s", s, d)
		}
	}
	for _, s := range []string{"", "9:00", "09:60", "24:01", "25:00", "09:00:00", "-1:00"} {
		if d, err := calendar.ParseTimeOfDay(s); err == nil {
			t.Errorf("time %q: got %s", s, d)
		}
	}
	if d := date(t, "2026-11-24"); d.Weekday() != time.Tuesday || d.String() != "2026-11-24" || d+7 != date(t, "2026-12-01") {
		t.Errorf("got %s, a %s", d, d.Weekday())
	}
}

func BenchmarkAddTenDays(b *testing.B) {
	c := build(b, seoul(b))
	start := instant(b, "2026-12-15T10:30:00+09:00")
	for b.Loop() {
		if _, err := c.Add(start, 80*time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAddDays(b *testing.B) {
	r := plain(b, "Europe/London", "09:00-12:00 13:00-18:00")
	c := build(b, r)
	start := instant(b, "2026-10-20T10:30:00+01:00")
	for b.Loop() {
		if _, err := c.AddDays(start, 10); err != nil {
			b.Fatal(err)
		}
	}
}

// Two calendars that differ in one thing are not equal, whatever fields Rules has.
func TestEqualLooksAtEveryField(t *testing.T) {
	whole := calendar.Rules{
		ID: "office", Zone: "UTC", Weekly: []calendar.Weekly{{Days: []calendar.Weekday{calendar.Monday}, Hours: calendar.Hours{From: 540, To: 1080}}},
		Holidays: calendar.Dates{20000}, Exceptions: []calendar.Exception{{Date: 20001, Hours: []calendar.Hours{{From: 600, To: 660}}}},
		From: 19000, Until: 21000, KnownUntil: 20500,
	}
	if !whole.Equal(whole) {
		t.Error("it is not equal to itself")
	}
	for f := range reflect.TypeOf(whole).Fields() {
		other := whole
		v := reflect.ValueOf(&other).Elem().FieldByIndex(f.Index)
		if v.IsZero() {
			t.Fatalf("%s is not filled", f.Name)
		}
		v.SetZero()
		if whole.Equal(other) || other.Equal(whole) {
			t.Errorf("it is equal to one without %s", f.Name)
		}
	}
}
