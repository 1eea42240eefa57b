package activities_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/activities"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// PlanRun writes what it is about, but to nobody who is called mute.
func (writer) PlanRun(t planrun.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Plan, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

func planning() *activities.Plans {
	return &activities.Plans{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
}

// role is filled by persons, schedules and engineers: "kim", "night", "engineer:acme".
func role(id string, party authority.PartyKind, targets ...string) activities.RoleTargets {
	r := activities.RoleTargets{Role: id, Party: party}
	for _, t := range targets {
		target := escalation.Target{Kind: escalation.Person, ID: t}
		if customer, ok := strings.CutPrefix(t, "engineer:"); ok {
			target = escalation.Target{Kind: escalation.Engineer, ID: customer}
		}
		r.Targets = append(r.Targets, target)
	}
	return r
}

func TestWhoIsToldOfARunOfAPlan(t *testing.T) {
	for _, tc := range []struct {
		name       string
		roles      []activities.RoleTargets
		person     string
		to, detail string
	}{
		{"a role", []activities.RoleTargets{role("lead", authority.Provider, "kim", "park")}, "", "kim park", ""},
		{"whoever is on call now", []activities.RoleTargets{role("lead", authority.Provider, "night")}, "", "kim", ""},
		{"several roles, each person once", []activities.RoleTargets{
			role("lead", authority.Provider, "kim"), role("manager", authority.Provider, "park", "kim"),
		}, "", "kim park", ""},
		{"a channel that several read", []activities.RoleTargets{role("team", authority.Customer, "room")}, "", "room", ""},
		{"a person instead of roles", []activities.RoleTargets{role("lead", authority.Provider, "kim")}, "lee", "lee", ""},
		{"the first of the engineers", []activities.RoleTargets{role("engineer", authority.Provider, "engineer:acme")}, "", "sleeper", ""},
		{"a gap", []activities.RoleTargets{role("lead", authority.Provider, "gap")}, "", "", ""},
		{"nobody", nil, "", "", ""},
		{"a broken target keeps nobody else from it", []activities.RoleTargets{
			role("lead", authority.Provider, "ghost", "kim"), role("engineer", authority.Provider, "engineer:ghost"),
		}, "", "kim", "person \"ghost\": not found\ncustomer \"ghost\": not found"},
		{"a broken text is sent as bare facts", []activities.RoleTargets{role("lead", authority.Provider, "mute", "kim")}, "", "mute kim", "write message to mute: text is broken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[incident.Composition](t, planning().ComposePlan, activities.ComposePlanInput{
				Telling: planrun.Telling{About: planrun.TaskReady, Person: tc.person}, Roles: tc.roles,
			})
			if err != nil {
				t.Fatal(err)
			}
			var to []string
			for _, a := range got.To {
				to = append(to, a.To.ID)
				if a.Message.Subject != "ready" || len(a.To.Methods) == 0 {
					t.Errorf("%s gets %+v", a.To.ID, a)
				}
			}
			if strings.Join(to, " ") != tc.to || got.Detail != tc.detail || got.Folder.Revision != "r2" {
				t.Errorf("to %v of folder %s, detail %q; want %s of r2, %q", to, got.Folder.Revision, got.Detail, tc.to, tc.detail)
			}
		})
	}
}

func TestAnEngineerWhoIsAwayHasASubstituteInAPlan(t *testing.T) {
	p := planning()
	p.Directory = func() activities.Directory { return asleep{} }
	got, err := perform[incident.Composition](t, p.ComposePlan, activities.ComposePlanInput{Roles: []activities.RoleTargets{role("engineer", authority.Provider, "engineer:acme")}})
	if err != nil || len(got.To) != 1 || got.To[0].To.ID != "sleeper" {
		t.Errorf("got %+v, %v; want the second list, for nobody is in the first", got, err)
	}
}

func TestAPlanAsksNoOlderFolder(t *testing.T) {
	p := planning()
	p.Directory = func() activities.Directory { return directory{older: true} }
	lead := []activities.RoleTargets{role("lead", authority.Provider, "kim")}
	seen := incident.Folder{Revision: "r3"}
	in := activities.ComposePlanInput{Roles: lead, Seen: seen}
	if _, err := perform[incident.Composition](t, p.ComposePlan, in); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want an error that names the newer revision and is worth another attempt", err)
	}
	in.Anyway = true // a message is better late than never
	if got, err := perform[incident.Composition](t, p.ComposePlan, in); err != nil || len(got.To) != 1 {
		t.Errorf("got %+v, %v; want kim", got, err)
	}
	if _, err := perform[activities.Voters](t, p.FindVoters, activities.FindVotersInput{Roles: lead, Seen: seen}); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want the same of who may vote", err)
	}
	p.Library = func() activities.Library { return documents{} }
	if _, err := perform[activities.Documents](t, p.CheckDocuments, activities.CheckDocumentsInput{Service: "shop", Seen: seen}); err == nil || final(err) || !strings.Contains(err.Error(), "r3") {
		t.Errorf("got %v, want the same of documents", err)
	}
}

func TestWhoMayVote(t *testing.T) {
	for _, tc := range []struct {
		name  string
		roles []activities.RoleTargets
		want  string
		err   string
	}{
		{"each with their party", []activities.RoleTargets{role("manager", authority.Provider, "kim"), role("owner", authority.Customer, "carol")}, "kim provider manager; carol customer owner", ""},
		{"a person with two roles once", []activities.RoleTargets{
			role("manager", authority.Provider, "kim", "park"), role("security", authority.Provider, "kim"), role("security", authority.Provider, "kim"),
		}, "kim provider manager,security; park provider manager", ""},
		{"a channel that several read has no vote", []activities.RoleTargets{role("owner", authority.Customer, "room", "carol")}, "carol customer owner", ""},
		{"whoever is on call now", []activities.RoleTargets{role("manager", authority.Provider, "night")}, "kim provider manager", ""},
		{"a gap", []activities.RoleTargets{role("manager", authority.Provider, "gap")}, "", ""},
		{"a broken target", []activities.RoleTargets{role("manager", authority.Provider, "kim"), role("owner", authority.Customer, "carol", "ghost")}, "", `find voters of role owner: person "ghost": not found`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[activities.Voters](t, planning().FindVoters, activities.FindVotersInput{Roles: tc.roles})
			if tc.err != "" {
				if err == nil || final(err) || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("got %v, want %q and that it is worth another attempt", err, tc.err)
				}
				return
			}
			var all []string
			for _, e := range got.Electors {
				all = append(all, fmt.Sprintf("%s %s %s", e.Person, e.Party, strings.Join(e.Roles, ",")))
			}
			if s := strings.Join(all, "; "); err != nil || s != tc.want || got.Folder.Revision != "r2" {
				t.Errorf("got %q of folder %s, %v; want %q", s, got.Folder.Revision, err, tc.want)
			}
		})
	}
}

// office is from nine to six on weekdays in Seoul, but on Thursday the 26th, until the end of the year.
func office() calendar.Rules {
	days := []calendar.Weekday{calendar.Monday, calendar.Tuesday, calendar.Wednesday, calendar.Thursday, calendar.Friday}
	return calendar.Rules{
		ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: days, Hours: calendar.Hours{From: 9 * 60, To: 18 * 60}}},
		Exceptions: []calendar.Exception{{Date: calendar.DateOf(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))}},
		Until:      calendar.DateOf(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)),
	}
}

// seoul is an instant of November 2026 as the clock in Seoul shows it.
func seoul(t *testing.T, day, hour, minute int) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 11, day, hour, minute, 0, 0, zone)
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWhenATaskIsDue(t *testing.T) {
	on := func(day, hour, minute int) time.Time { return seoul(t, day, hour, minute) }
	for _, tc := range []struct {
		name     string
		calendar string
		of       planrun.DueOf
		want     time.Time
	}{
		{"hours around the clock", "", planrun.DueOf{From: on(23, 17, 0), Within: 4 * time.Hour}, on(23, 21, 0)},
		{"days around the clock", "", planrun.DueOf{From: on(25, 17, 0), Days: 2}, on(27, 17, 0)},
		{"at once", "office", planrun.DueOf{From: on(23, 17, 0)}, on(23, 17, 0)},
		{"working hours", "office", planrun.DueOf{From: on(23, 17, 0), Within: 4 * time.Hour}, on(24, 12, 0)},
		{"working hours over a holiday", "office", planrun.DueOf{From: on(25, 17, 0), Within: 4 * time.Hour}, on(27, 12, 0)},
		{"working days", "office", planrun.DueOf{From: on(23, 10, 30), Days: 2}, on(25, 10, 30)},
		{"working days over a holiday and a week end", "office", planrun.DueOf{From: on(25, 10, 30), Days: 2}, on(30, 10, 30)},
		{"from a Sunday", "office", planrun.DueOf{From: on(22, 10, 30), Days: 1}, on(24, 9, 0)},
		{"days before, around the clock", "", planrun.DueOf{From: on(27, 0, 0), Days: 2, Before: true}, on(25, 0, 0)},
		{"hours before, around the clock", "", planrun.DueOf{From: on(27, 0, 0), Within: 12 * time.Hour, Before: true}, on(26, 12, 0)},
		{"the date itself, around the clock", "", planrun.DueOf{From: on(27, 0, 0), Before: true}, on(27, 0, 0)},
		{"working hours before a Monday", "office", planrun.DueOf{From: on(23, 9, 0), Within: 9 * time.Hour, Before: true}, on(20, 9, 0)},
		{"working hours before the middle of a day", "office", planrun.DueOf{From: on(24, 12, 0), Within: 4 * time.Hour, Before: true}, on(23, 17, 0)},
		{"a working day before, over a holiday", "office", planrun.DueOf{From: on(27, 12, 0), Days: 1, Before: true}, on(25, 12, 0)},
		{"two working days before a Saturday", "office", planrun.DueOf{From: on(28, 0, 0), Days: 2, Before: true}, on(24, 18, 0)}, // when the day is over
		{"a working day before a Monday", "office", planrun.DueOf{From: on(23, 0, 0), Days: 1, Before: true}, on(19, 18, 0)},
		{"a working day before the end of a day", "office", planrun.DueOf{From: on(24, 18, 0), Days: 1, Before: true}, on(23, 18, 0)},
		{"a working day before a minute to its end", "office", planrun.DueOf{From: on(24, 17, 59), Days: 1, Before: true}, on(23, 17, 59)},
		{"a working day before the beginning of a day", "office", planrun.DueOf{From: on(24, 9, 0), Days: 1, Before: true}, on(23, 9, 0)},
		{"seconds count for nothing before a date", "", planrun.DueOf{From: on(27, 0, 0).Add(59 * time.Second), Days: 1, Before: true}, on(26, 0, 0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[time.Time](t, planning().ComputeDue, activities.ComputeDueInput{
				DueOf: tc.of, Calendar: tc.calendar, Calendars: []calendar.Rules{office()},
			})
			if err != nil || !got.Equal(tc.want) {
				t.Errorf("got %s, %v; want %s", got.In(tc.want.Location()), err, tc.want)
			}
		})
	}
}

// A day is over when its hours are, however long it was: on half a day, and where the clock is put forward or back.
func TestADayBeforeEndsWhenItsHoursDo(t *testing.T) {
	days := []calendar.Weekday{calendar.Saturday, calendar.Sunday, calendar.Monday, calendar.Tuesday}
	date := func(month time.Month, day int) calendar.Date {
		return calendar.DateOf(time.Date(2026, month, day, 0, 0, 0, 0, time.UTC))
	}
	berlin := calendar.Rules{
		ID: "shop", Zone: "Europe/Berlin", Weekly: []calendar.Weekly{{Days: days, Hours: calendar.Hours{From: 9 * 60, To: 18 * 60}}},
		Exceptions: []calendar.Exception{
			{Date: date(6, 6), Hours: []calendar.Hours{{From: 9 * 60, To: 13 * 60}}},
			{Date: date(3, 29), Hours: []calendar.Hours{{From: 0, To: 2*60 + 30}}},  // the clock leaves 02:00 to 03:00 out
			{Date: date(10, 25), Hours: []calendar.Hours{{From: 0, To: 2*60 + 30}}}, // it shows 02:00 to 03:00 twice
			{Date: date(8, 8), Hours: []calendar.Hours{{From: 9 * 60, To: 24 * 60}}},
		},
	}
	for _, tc := range []struct{ name, date, want string }{
		{"after a whole day", "2026-06-09T00:00:00+02:00", "2026-06-07T18:00:00+02:00"},
		{"after half a day", "2026-06-08T00:00:00+02:00", "2026-06-06T13:00:00+02:00"},
		{"at the end of half a day", "2026-06-06T13:00:00+02:00", "2026-06-02T18:00:00+02:00"},
		{"after a day that the clock shortens", "2026-03-31T00:00:00+02:00", "2026-03-29T03:00:00+02:00"},
		{"after a day that ends in the hour shown twice", "2026-10-27T00:00:00+01:00", "2026-10-25T02:30:00+02:00"},
		{"after a day that ends at midnight", "2026-08-10T00:00:00+02:00", "2026-08-09T00:00:00+02:00"},
	} {
		date, want := instant(t, tc.date), instant(t, tc.want)
		got, err := perform[time.Time](t, planning().ComputeDue, activities.ComputeDueInput{
			DueOf: planrun.DueOf{From: date, Days: 1, Before: true}, Calendar: "shop", Calendars: []calendar.Rules{berlin},
		})
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: got %s, %v; want %s", tc.name, got.In(want.Location()), err, want)
		}
	}
}

// Where the calendar ends after the date, or around it, what is due before is found all the same.
func TestADateNearTheEndOfACalendar(t *testing.T) {
	year := seoul(t, 30, 18, 0).AddDate(0, 1, 1) // 31 December, 18:00
	for end, want := range map[time.Time]time.Time{
		year: year.Add(-2 * time.Hour), year.Add(-time.Hour): year.Add(-3 * time.Hour), year.AddDate(0, 0, 20): year.Add(-2 * time.Hour),
	} {
		got, err := perform[time.Time](t, planning().ComputeDue, activities.ComputeDueInput{
			DueOf: planrun.DueOf{From: end, Within: 2 * time.Hour, Before: true}, Calendar: "office", Calendars: []calendar.Rules{office()},
		})
		if err != nil || !got.Equal(want) {
			t.Errorf("two hours before %s: got %s, %v; want %s", end, got.In(end.Location()), err, want)
		}
	}
}

func TestWhatCannotBeComputed(t *testing.T) {
	zone, young := office(), office()
	zone.Zone = "Asia/Atlantis"
	young.From = calendar.DateOf(at.AddDate(0, 0, -7))
	for _, tc := range []struct {
		name  string
		rules calendar.Rules
		of    planrun.DueOf
		want  string
	}{
		{"another calendar", calendar.Rules{ID: "shop"}, planrun.DueOf{From: at, Days: 1}, "compute due: calendar office: not among those that were pinned"},
		{"no such zone", zone, planrun.DueOf{From: at, Days: 1}, "unknown time zone Asia/Atlantis"},
		{"the calendar ends before", office(), planrun.DueOf{From: at, Days: 100}, "after 2026-11-23T09:00:00Z"},
		{"so much time is not there before", young, planrun.DueOf{From: at, Days: 10, Before: true}, "compute due: not so much working time within two years before it"},
	} {
		_, err := perform[time.Time](t, planning().ComputeDue, activities.ComputeDueInput{DueOf: tc.of, Calendar: "office", Calendars: []calendar.Rules{tc.rules}})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// Whatever is due before a date: counted forward from there it is done by the date, and a minute later it would not be.
func TestDueBeforeIsTheLastMinuteFromWhichItIsDoneInTime(t *testing.T) {
	p := planning()
	for _, zone := range []string{"Asia/Seoul", "Europe/Berlin"} {
		rapid.Check(t, func(t *rapid.T) {
			rules := office()
			rules.Zone, rules.Until = zone, 0
			of := planrun.DueOf{From: at.Add(time.Duration(rapid.IntRange(-120*24*60, 200*24*60).Draw(t, "minutes")) * time.Minute), Before: true}
			if rapid.Bool().Draw(t, "days") {
				of.Days = rapid.IntRange(1, 30).Draw(t, "count")
			} else {
				of.Within = time.Duration(rapid.IntRange(1, 10_000).Draw(t, "length")) * time.Minute
			}
			compute := func(of planrun.DueOf) time.Time {
				due, err := p.ComputeDue(context.Background(), activities.ComputeDueInput{DueOf: of, Calendar: "office", Calendars: []calendar.Rules{rules}})
				if err != nil {
					t.Fatal(err)
				}
				return due
			}
			forward := of
			due := compute(of)
			forward.Before, forward.From = false, due.Add(-1) // at the end of a day the day is over
			if done := compute(forward); done.After(of.From) {
				t.Fatalf("begun just before %s it is done at %s, after %s", due, done, of.From)
			}
			forward.From = due.Add(time.Minute)
			if done := compute(forward); !done.After(of.From) {
				t.Fatalf("begun a minute later, at %s, it is done at %s, by %s all the same", forward.From, done, of.From)
			}
		})
	}
}

func TestWhetherAnEnvironmentMayBeChanged(t *testing.T) {
	days := calendar.Weekdays()
	nightly := freeze.Window{ID: "night", Name: "nightly", When: freeze.When{Zone: "UTC", Patterns: []freeze.Pattern{{Days: days, Hours: calendar.Hours{From: 8 * 60, To: 11 * 60}}}}}
	frozen := func(from, to int) freeze.Freeze {
		return freeze.Freeze{ID: "busy", Name: "busy season", When: freeze.When{Zone: "UTC", Yearly: []freeze.Yearly{{From: freeze.YearDay(from), To: freeze.YearDay(to)}}}}
	}
	people := freeze.Override{
		Freeze: "busy", Reason: "urgent", From: at.Add(-time.Hour), Until: at.Add(time.Hour),
		By: timeline.Actor{Kind: timeline.Person, ID: "kim"}, Approver: timeline.Actor{Kind: timeline.Person, ID: "park"},
	}
	day := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	for _, tc := range []struct {
		name        string
		rules       freeze.Rules
		overrides   []freeze.Override
		open        bool
		until, next time.Time
	}{
		{"nothing is said of it", freeze.Rules{}, nil, true, time.Time{}, time.Time{}},
		{"a window is open", freeze.Rules{Windows: []freeze.Window{nightly}}, nil, true, day(11, 23, 11), time.Time{}},
		{"a freeze begins", freeze.Rules{Freezes: []freeze.Freeze{frozen(1201, 1231)}}, nil, true, day(12, 1, 0), time.Time{}},
		{"a freeze, and a window after it", freeze.Rules{Windows: []freeze.Window{nightly}, Freezes: []freeze.Freeze{frozen(1115, 1130)}}, nil, false, day(12, 1, 8), day(12, 1, 8)},
		{"a freeze that never ends", freeze.Rules{Freezes: []freeze.Freeze{frozen(101, 1231)}}, nil, false, time.Time{}, time.Time{}},
		{"an override in it", freeze.Rules{Freezes: []freeze.Freeze{frozen(101, 1231)}}, []freeze.Override{people}, true, at.Add(time.Hour), time.Time{}},
		{"an override in it, and a window that ends before", freeze.Rules{Windows: []freeze.Window{{
			ID: "short", Name: "short", When: freeze.When{Zone: "UTC", Patterns: []freeze.Pattern{{Days: days, Hours: calendar.Hours{From: 9 * 60, To: 9*60 + 30}}}},
		}}, Freezes: []freeze.Freeze{frozen(101, 1231)}}, []freeze.Override{people}, true, at.Add(30 * time.Minute), time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := perform[planrun.Look](t, planning().LookWindow, planrun.WindowOf{Environment: "production", Rules: tc.rules, Overrides: tc.overrides, At: at})
			if err != nil {
				t.Fatal(err)
			}
			want := planrun.Look{Environment: "production", At: at, Open: tc.open, Until: tc.until, Next: tc.next, Why: got.Why}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			holds := false
			for _, why := range got.Why {
				holds = holds || why.Holds()
			}
			if holds == tc.open {
				t.Errorf("open %v, because of %+v", tc.open, got.Why)
			}
		})
	}
	broken := nightly
	broken.Zone = "Asia/Atlantis"
	if _, err := perform[planrun.Look](t, planning().LookWindow, planrun.WindowOf{Environment: "production", Rules: freeze.Rules{Windows: []freeze.Window{broken}}, At: at}); err == nil ||
		final(err) || !strings.Contains(err.Error(), "look up when production may be changed: ") {
		t.Errorf("got %v, want an error that is worth another attempt", err)
	}
}

// documents are those that a service lacks.
type documents []string

func (d documents) Documents(service string, when time.Time) ([]string, error) {
	if service == "nowhere" || !when.Equal(at) {
		return nil, errors.New("no such service")
	}
	return d, nil
}

func TestDocumentsOfAServiceAreLookedAt(t *testing.T) {
	many := make(documents, 23)
	for n := range many {
		many[n] = fmt.Sprintf("no response to alert %d", n)
	}
	for _, c := range []struct {
		service string
		lacks   documents
		outcome runbook.Outcome
		begins  string
		ends    string
	}{
		{"shop", nil, runbook.Pass, "documents of shop are complete in revision ", open().Folder().Revision},
		{"shop", documents{"no owner", "no contacts"}, runbook.Fail, "documents of shop are not complete: no owner; ", "no contacts"},
		{"shop", many, runbook.Fail, "documents of shop are not complete: no response to alert 0; ", "no response to alert 19; and 3 more"},
		{"nowhere", nil, runbook.Fail, "no such service", ""},
	} {
		p := planning()
		p.Library = func() activities.Library { return c.lacks }
		got, err := p.CheckDocuments(t.Context(), activities.CheckDocumentsInput{Service: c.service})
		if err != nil || got.Reading.Outcome != c.outcome || !strings.HasPrefix(got.Reading.Seen, c.begins) || !strings.HasSuffix(got.Reading.Seen, c.ends) ||
			got.Folder.Revision != open().Folder().Revision {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}
