package freeze_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/google/go-cmp/cmp"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/freeze"
	"muster/internal/timeline"
)

// fatal is what tests, fuzzing and properties have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func must[T any](t fatal, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// rulesOf reads rules as they are kept: every test begins with what a workflow's input has.
func rulesOf(t fatal, kept string) freeze.Rules {
	t.Helper()
	var r freeze.Rules
	if err := json.Unmarshal([]byte(kept), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func timesOf(t fatal, r freeze.Rules, overrides ...freeze.Override) *freeze.Times {
	t.Helper()
	times, err := freeze.New(r, overrides, time.LoadLocation)
	return must(t, times, err)
}

func instant(t fatal, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	return must(t, at, err)
}

// shop are the rules of a shop in Seoul: two windows, its freeze at the end of the year, the provider's holidays, and works of
// a partner who writes times of Chicago.
const shop = `{
  "windows": [
    {"id": "sunday", "name": "Second Sunday", "zone": "Asia/Seoul", "patterns": [{"monthly": ["second sun"], "from": "02:00", "to": "06:00"}]},
    {"id": "nights", "name": "Tuesday nights", "zone": "Asia/Seoul", "from": "2026-11-01", "until": "2027-03-31",
     "patterns": [{"days": ["tue"], "from": "23:00", "to": "03:00"}]}
  ],
  "freezes": [
    {"id": "year-end", "name": "Year end", "reason": "the books are closed", "owner": {"kind": "customer", "id": "garam", "name": "Garam"},
     "zone": "Asia/Seoul", "yearly": [{"from": "12-20", "to": "01-05"}]},
    {"id": "holidays", "name": "Holidays", "reason": "nobody is there", "owner": {"kind": "provider", "id": "mirnet", "name": "Mirnet"},
     "zone": "Asia/Seoul", "holidays": "2027-02-06/02-09"},
    {"id": "works", "name": "Works", "reason": "new switches", "owner": {"kind": "partner", "id": "hanbit", "name": "Hanbit"},
     "zone": "Asia/Seoul", "periods": [{"from": "2027-02-13 11:00", "to": "2027-02-13 12:00", "zone": "America/Chicago"}]}
  ]
}`

// said writes reasons down: "freeze year-end until 2027-01-06T00:00:00+09:00".
func said(why []freeze.Reason) string {
	var all []string
	for _, r := range why {
		s := string(r.Kind)
		if r.ID != "" {
			s += " " + r.ID
		}
		if !r.Until.IsZero() {
			s += " until " + r.Until.Format(time.RFC3339)
		}
		if r.Override != nil {
			s += ", overridden"
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

func TestOpen(t *testing.T) {
	times := timesOf(t, rulesOf(t, shop))
	for _, tt := range []struct{ at, why, next, close string }{
		{"2026-12-13T02:00:00+09:00", "window sunday until 2026-12-13T06:00:00+09:00", "2026-12-13T02:00:00+09:00", "2026-12-13T06:00:00+09:00"},
		{"2026-12-13T05:59:59+09:00", "window sunday until 2026-12-13T06:00:00+09:00", "2026-12-13T05:59:59+09:00", "2026-12-13T06:00:00+09:00"},
		{"2026-12-13T06:00:00+09:00", "outside until 2026-12-15T23:00:00+09:00", "2026-12-15T23:00:00+09:00", ""},
		{"2026-12-16T02:00:00+09:00", "window nights until 2026-12-16T03:00:00+09:00", "2026-12-16T02:00:00+09:00", "2026-12-16T03:00:00+09:00"},
		// The night before the freeze is all there is until the year has ended.
		{"2026-12-20T01:00:00+09:00", "freeze year-end until 2027-01-06T00:00:00+09:00; outside until 2026-12-22T23:00:00+09:00", "2027-01-06T00:00:00+09:00", ""},
		{"2026-12-29T23:30:00+09:00", "freeze year-end until 2027-01-06T00:00:00+09:00; window nights until 2026-12-30T03:00:00+09:00", "2027-01-06T00:00:00+09:00", ""},
		// A window begins in the freeze, and is open for what is left of it.
		{"2027-01-05T23:30:00+09:00", "freeze year-end until 2027-01-06T00:00:00+09:00; window nights until 2027-01-06T03:00:00+09:00", "2027-01-06T00:00:00+09:00", ""},
		{"2027-02-07T03:00:00+09:00", "freeze holidays until 2027-02-10T00:00:00+09:00; outside until 2027-02-09T23:00:00+09:00", "2027-02-10T00:00:00+09:00", ""},
		// 11:00 to 12:00 in Chicago are 02:00 to 03:00 in Seoul, in the second Sunday's window.
		{"2027-02-14T02:30:00+09:00", "window sunday until 2027-02-14T06:00:00+09:00; freeze works until 2027-02-14T03:00:00+09:00", "2027-02-14T03:00:00+09:00", ""},
		// The last night of its window is that of 30 March.
		{"2027-03-31T04:00:00+09:00", "outside until 2027-04-11T02:00:00+09:00", "2027-04-11T02:00:00+09:00", ""},
	} {
		at := instant(t, tt.at)
		open, why := times.Open(at)
		if got := said(why); got != tt.why || open != (tt.close != "") {
			t.Errorf("at %s: open %t: %s\nwant %s", tt.at, open, got, tt.why)
		}
		if next, ok := times.NextOpen(at, 0); !ok || next.Format(time.RFC3339) != tt.next {
			t.Errorf("at %s: next open %s, %t, want %s", tt.at, next, ok, tt.next)
		}
		until, open := times.CloseAt(at)
		if open != (tt.close != "") || open && until.Format(time.RFC3339) != tt.close {
			t.Errorf("at %s: closes %s, %t, want %q", tt.at, until, open, tt.close)
		}
	}
}

// How long somebody needs decides when it is next open for them.
func TestNextOpenForAsLongAsNeeded(t *testing.T) {
	times := timesOf(t, rulesOf(t, shop))
	at := instant(t, "2027-02-10T04:00:00+09:00")
	for _, tt := range []struct {
		need time.Duration
		want string
	}{
		{0, "2027-02-14T03:00:00+09:00"},
		{3 * time.Hour, "2027-02-14T03:00:00+09:00"},
		{3*time.Hour + time.Minute, "2027-02-16T23:00:00+09:00"}, // the works take an hour of Sunday
		{4 * time.Hour, "2027-02-16T23:00:00+09:00"},
		{4*time.Hour + time.Nanosecond, ""}, // no window is so long
		{freeze.Horizon + 1, ""},
	} {
		got, ok := times.NextOpen(at, tt.need)
		if ok != (tt.want != "") || ok && got.Format(time.RFC3339) != tt.want {
			t.Errorf("for %s: got %s, %t, want %q", tt.need, got, ok, tt.want)
		}
	}
}

// Without windows everything is open but freezes.
func TestWithoutWindows(t *testing.T) {
	r := rulesOf(t, shop)
	r.Windows = nil
	times := timesOf(t, r)
	at := instant(t, "2027-01-06T00:00:00+09:00")
	if open, why := times.Open(at); !open || len(why) > 0 {
		t.Errorf("got %t, %s", open, said(why))
	}
	if until, open := times.CloseAt(at); !open || !until.Equal(instant(t, "2027-02-06T00:00:00+09:00")) {
		t.Errorf("got %s, %t", until, open)
	}
	for _, r := range []freeze.Rules{{}, rulesOf(t, `{"windows": [{"id": "always", "name": "Always", "zone": "Europe/London",
		"patterns": [{"days": ["mon","tue","wed","thu","fri","sat","sun"], "from": "00:00", "to": "24:00"}]}]}`)} {
		always := timesOf(t, r)
		if until, open := always.CloseAt(at); !open || !until.IsZero() {
			t.Errorf("got %s, %t, want open for ever", until, open)
		}
		if next, ok := always.NextOpen(at, freeze.Horizon); !ok || !next.Equal(at) {
			t.Errorf("got %s, %t, want at once", next, ok)
		}
	}
	never := timesOf(t, rulesOf(t, `{"windows": [{"id": "was", "name": "Was", "zone": "UTC", "patterns": [{"dates": "2026-01-01", "from": "00:00", "to": "24:00"}]}]}`))
	if open, why := never.Open(at); open || said(why) != "outside" {
		t.Errorf("got %t, %s", open, said(why))
	}
	if next, ok := never.NextOpen(at, 0); ok {
		t.Errorf("got %s, want never", next)
	}
}

// Every form of a day, on the days of half a year.
func TestDays(t *testing.T) {
	for _, tt := range []struct{ when, want string }{
		{`"patterns": [{"monthly": ["second sun"], "from": "00:00", "to": "24:00"}]`, "12-13 01-10 02-14 03-14 04-11 05-09"},
		{`"patterns": [{"monthly": ["first tue", "last fri"], "from": "00:00", "to": "24:00"}]`, "12-01 12-25 01-05 01-29 02-02 02-26 03-02 03-26 04-06 04-30 05-04 05-28"},
		{`"patterns": [{"monthly": ["day 15"], "from": "00:00", "to": "24:00"}]`, "12-15 01-15 02-15 03-15 04-15 05-15"},
		{`"patterns": [{"monthly": ["day 31"], "from": "00:00", "to": "24:00"}]`, "12-31 01-31 03-31 05-31"},
		{`"patterns": [{"monthly": ["last day"], "from": "00:00", "to": "24:00"}]`, "12-31 01-31 02-28 03-31 04-30 05-31"},
		{`"patterns": [{"days": ["mon"], "dates": "2026-12-02", "from": "00:00", "to": "24:00"}], "until": "2026-12-14"`, "12-02 12-07 12-14"},
		{`"yearly": [{"from": "02-28", "to": "03-01"}]`, "02-28 03-01"},
		{`"yearly": [{"from": "02-29", "to": "02-29"}]`, ""}, // not in 2027
		{`"yearly": [{"from": "12-31", "to": "01-01"}], "from": "2027-01-01"`, "01-01"},
		{`"holidays": "2026-12-25 2027-01-01"`, "12-25 01-01"},
		{`"periods": [{"from": "2026-12-05 00:00", "to": "2026-12-06 00:00"}], "from": "2027-01-01"`, "12-05"}, // has dates of its own
	} {
		times := timesOf(t, rulesOf(t, `{"windows": [{"id": "w", "name": "W", "zone": "UTC", `+tt.when+`}]}`))
		var got []string
		for day := instant(t, "2026-12-01T12:00:00Z"); day.Before(instant(t, "2027-06-01T00:00:00Z")); day = day.AddDate(0, 0, 1) {
			if open, _ := times.Open(day); open {
				got = append(got, day.Format("01-02"))
			}
		}
		if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" && len(got)+len(tt.want) > 0 {
			t.Errorf("%s:\n%s", tt.when, diff)
		}
	}
}

// TestClockChanges says what a window from 01:30 to 02:30 means when the clock is put forward over it, or back.
func TestClockChanges(t *testing.T) {
	for _, tt := range []struct{ zone, day, from, to, why string }{
		{"Europe/London", "2026-03-29", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z", "put forward at 01:00: it opens as the clock jumps"},
		{"Europe/London", "2026-10-25", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z", "put back at 02:00: from the first 01:30, for two hours"},
		{"America/Chicago", "2026-03-08", "2026-03-08T07:30:00Z", "2026-03-08T08:00:00Z", "put forward at 02:00: closed as it jumps"},
		{"America/Chicago", "2026-11-01", "2026-11-01T06:30:00Z", "2026-11-01T08:30:00Z", "put back at 02:00"},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z", "put forward by half an hour at 02:00"},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T14:30:00Z", "2026-04-04T16:00:00Z", "put back by half an hour at 02:00"},
		{"Asia/Seoul", "2026-10-25", "2026-10-24T16:30:00Z", "2026-10-24T17:30:00Z", "never"},
	} {
		times := timesOf(t, rulesOf(t, `{"windows": [{"id": "w", "name": "W", "zone": "`+tt.zone+`", "patterns": [{"dates": "`+tt.day+`", "from": "01:30", "to": "02:30"}]}]}`))
		want := []freeze.Stretch{{From: instant(t, tt.from), To: instant(t, tt.to)}}
		noon := instant(t, tt.day+"T12:00:00Z")
		if diff := cmp.Diff(want, times.Between(noon.AddDate(0, 0, -2), noon.AddDate(0, 0, 2))); diff != "" {
			t.Errorf("%s %s (%s):\n%s", tt.zone, tt.day, tt.why, diff)
		}
	}
}

// Newfoundland has put its clock back a minute after midnight: then it shows the day before, and the new one has begun all the same.
func TestADayThatBeginsBeforeItIsShown(t *testing.T) {
	times := timesOf(t, rulesOf(t, `{"windows": [{"id": "w", "name": "W", "zone": "America/St_Johns", "patterns": [{"dates": "2010-11-07", "from": "00:00", "to": "24:00"}]}]}`))
	want := []freeze.Stretch{{From: instant(t, "2010-11-07T02:30:00Z"), To: instant(t, "2010-11-07T03:00:00Z")}}
	if diff := cmp.Diff(want, times.Between(instant(t, "2010-11-07T00:00:00Z"), instant(t, "2010-11-07T03:00:00Z"))); diff != "" {
		t.Error(diff)
	}
}

// What touches a time is told with its true beginning and end.
func TestSpans(t *testing.T) {
	times := timesOf(t, rulesOf(t, shop))
	var got []string
	for _, r := range times.Spans(instant(t, "2027-01-01T00:00:00+09:00"), instant(t, "2027-01-12T00:00:00+09:00")) {
		got = append(got, r.ID+" "+r.From.Format("01-02T15:04")+" "+r.Until.Format("01-02T15:04"))
	}
	want := []string{"year-end 12-20T00:00 01-06T00:00", "nights 01-05T23:00 01-06T03:00", "sunday 01-10T02:00 01-10T06:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func person(id string) timeline.Actor { return timeline.Actor{Kind: timeline.Person, ID: id} }

func TestAnOverrideOpensWhatItNames(t *testing.T) {
	r := rulesOf(t, shop)
	at := instant(t, "2026-12-29T22:00:00+09:00")
	frozen := freeze.Override{
		Freeze: "year-end", By: person("kim"), Approver: person("choi"), Reason: "a leak", From: at, Until: at.Add(2 * time.Hour),
	}
	anywhen := frozen
	anywhen.Freeze = ""
	for _, tt := range []struct {
		overrides []freeze.Override
		next, why string
	}{
		{nil, "2027-01-06T00:00:00+09:00", "freeze year-end until 2027-01-06T00:00:00+09:00; outside until 2026-12-29T23:00:00+09:00"},
		// The freeze is open, and the window still an hour away.
		{
			[]freeze.Override{frozen},
			"2026-12-29T23:00:00+09:00",
			"freeze year-end until 2027-01-06T00:00:00+09:00, overridden; outside until 2026-12-29T23:00:00+09:00",
		},
		{
			[]freeze.Override{anywhen},
			"2027-01-06T00:00:00+09:00",
			"freeze year-end until 2027-01-06T00:00:00+09:00; outside until 2026-12-29T23:00:00+09:00, overridden",
		},
		{
			[]freeze.Override{frozen, anywhen},
			"2026-12-29T22:00:00+09:00",
			"freeze year-end until 2027-01-06T00:00:00+09:00, overridden; outside until 2026-12-29T23:00:00+09:00, overridden",
		},
	} {
		times := timesOf(t, r, tt.overrides...)
		open, why := times.Open(at)
		next, ok := times.NextOpen(at, time.Hour)
		if got := said(why); got != tt.why || !ok || next.Format(time.RFC3339) != tt.next || open != next.Equal(at) {
			t.Errorf("%d overrides: open %t, %s\nwant %s\nnext %s, want %s", len(tt.overrides), open, got, tt.why, next, tt.next)
		}
	}
	until, open := timesOf(t, r, frozen, anywhen).CloseAt(at)
	if !open || !until.Equal(frozen.Until) {
		t.Errorf("closes %s, %t, want with the override", until, open)
	}
}

// TestOverrideRefused breaks one rule each.
func TestOverrideRefused(t *testing.T) {
	r, now := rulesOf(t, shop), instant(t, "2026-12-29T22:00:00+09:00")
	for _, tt := range []struct {
		spoil func(*freeze.Override)
		want  freeze.Lack
		says  string
	}{
		{func(*freeze.Override) {}, "", ""},
		{func(o *freeze.Override) { o.Freeze = "" }, "", ""},
		{func(o *freeze.Override) { o.Until = now.Add(freeze.MaxOverride) }, "", ""},
		{func(o *freeze.Override) { o.Freeze = "gone" }, freeze.NoSuchFreeze, "override freeze gone: no such freeze; want the ID of one that holds here"},
		{func(o *freeze.Override) { o.Reason = " " }, freeze.NoReason, "override freeze year-end: no reason; want why it cannot wait"},
		{func(o *freeze.Override) { o.By = timeline.Actor{} }, freeze.NoPerson, "override freeze year-end: nobody asks for it; want a person"},
		{func(o *freeze.Override) { o.Approver = timeline.Actor{} }, freeze.NoApprover, "override freeze year-end: nobody approves it; want a second person"},
		{func(o *freeze.Override) { o.Approver.Kind = timeline.Source }, freeze.NoApprover, "override freeze year-end: nobody approves it; want a second person"},
		{func(o *freeze.Override) { o.Approver = o.By }, freeze.SamePerson, "override freeze year-end: who asks for it approves it too; want another person"},
		{func(o *freeze.Override) { o.Until = time.Time{} }, freeze.NoEnd, "override freeze year-end: no end; want a time after its beginning"},
		{func(o *freeze.Override) { o.Until = o.From }, freeze.NoEnd, "override freeze year-end: no end; want a time after its beginning"},
		{func(o *freeze.Override) { o.Until = o.From.Add(freeze.MaxOverride + 1) }, freeze.TooLong, "override freeze year-end: it would last too long; want at most 7 days"},
		{func(o *freeze.Override) { o.From = time.Time{} }, freeze.TooLong, "override freeze year-end: it would last too long; want at most 7 days"},
		{func(o *freeze.Override) { o.From, o.Until = now.Add(-time.Hour), now }, freeze.Over, "override freeze year-end: its end has passed; want a later one"},
	} {
		o := freeze.Override{Freeze: "year-end", By: person("kim"), Approver: person("choi"), Reason: "a leak", From: now, Until: now.Add(time.Hour)}
		tt.spoil(&o)
		err := o.Check(r, now)
		refusal, refused := errors.AsType[*freeze.Refusal](err)
		if refused != (tt.want != "") || refused && (refusal.Lack != tt.want || err.Error() != tt.says) {
			t.Errorf("got %v, want %s: %s", err, tt.want, tt.says)
		}
	}
	o := freeze.Override{By: person("kim"), Approver: person("choi"), Reason: "a leak", From: now, Until: now.Add(time.Hour)}
	if err := o.Check(freeze.Rules{Freezes: r.Freezes}, now); err == nil || err.Error() != "override windows: there are none, so none has to be open" {
		t.Errorf("windows that are not there were overridden: %v", err)
	}
}

// TestFaults breaks one rule each.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		spoil func(*freeze.Rules)
		want  string
	}{
		{func(*freeze.Rules) {}, ""},
		{func(r *freeze.Rules) { r.Windows[1].ID = "sunday" }, "window sunday: named twice"},
		{func(r *freeze.Rules) { r.Freezes[1].ID = "works" }, "freeze works: named twice"},
		{func(r *freeze.Rules) { r.Freezes[0].Yearly = nil }, "freeze year-end: no times: want hours, days of the year, holidays or periods"},
		{func(r *freeze.Rules) { r.Windows[1].Patterns[0].Days = nil }, "window nights: hours 23:00-03:00: want days"},
		{func(r *freeze.Rules) { r.Windows[1].Patterns[0].Days = []calendar.Weekday{"tues"} }, `window nights: day "tues": want [mon tue wed thu fri sat sun]`},
		{func(r *freeze.Rules) { r.Windows[1].Patterns[0].To = 23 * 60 }, "window nights: hours 23:00-23:00: want from 00:00 to 24:00, and two different times"},
		{func(r *freeze.Rules) { r.Windows[0].Patterns[0].Monthly[0].N = 5 }, "window sunday: day of the month last sun: want such as second sun, last fri, day 15 or last day"},
		{func(r *freeze.Rules) { r.Freezes[0].Yearly[0].To = 230 }, "freeze year-end: days of the year 12-20 to 02-30: want such as 12-20 to 01-05"},
		{func(r *freeze.Rules) { r.Windows[1].Until = r.Windows[1].From - 1 }, "window nights: until 2026-10-31: want a day that is not before from, 2026-11-01"},
		{func(r *freeze.Rules) { r.Windows[1].Zone = "Asia/Soul" }, "window nights: unknown time zone Asia/Soul"},
		{func(r *freeze.Rules) { r.Freezes[2].Periods[0].Zone = "CST6" }, "freeze works: period from 2027-02-13 11:00: unknown time zone CST6"},
		{func(r *freeze.Rules) { p := &r.Freezes[2].Periods[0]; p.From, p.To = p.To, p.From }, "freeze works: period from 2027-02-13 12:00: to 2027-02-13 11:00: want a later time"},
	} {
		r := rulesOf(t, shop)
		tt.spoil(&r)
		_, err := freeze.New(r, nil, time.LoadLocation)
		if got := text(err); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What was kept is what is written when it is kept again.
func TestPlainData(t *testing.T) {
	kept, err := json.Marshal(rulesOf(t, shop))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(kept, &got), json.Unmarshal([]byte(shop), &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(authority.PartyKinds(), rulesOf(t, shop).Freezes[0].Owner.Kind) {
		t.Error("the kind of the owner is none")
	}
}

func TestParseDays(t *testing.T) {
	for _, s := range []string{"", "sun", "fifth sun", "second", "second sunday", "Second sun", "second  sun", "day", "day 0", "day 32", "day 07", "last", "last days", "second day"} {
		if m, err := freeze.ParseMonthDay(s); err == nil {
			t.Errorf("day of the month %q: got %s", s, m)
		}
	}
	for _, s := range []string{"", "12", "02-30", "13-01", "2-1", "12-20 "} {
		if d, err := freeze.ParseYearDay(s); err == nil {
			t.Errorf("day of the year %q: got %s", s, d)
		}
	}
}
