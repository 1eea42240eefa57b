package problem_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "Kim Min-su"}
	noc   = escalation.Target{Kind: escalation.Group, ID: "noc"}
	choi  = escalation.Target{Kind: escalation.Person, ID: "choi"}
	down  = problem.Key{By: incident.SameAlert, Value: "Down"}
)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

func terms() problem.Terms {
	return problem.Terms{
		ID: "PRB-7K3M9QX2PA", Request: "r", Opener: kim, Title: "It is down", Key: down,
		Pinned: problem.Pinned{
			Zone: "UTC", Service: incident.Service{ID: "shop", Name: "Shop"}, Owner: problem.Owner{Targets: []escalation.Target{noc}, Name: "NOC"},
			Escalate: []escalation.Target{choi}, Watch: 30 * 24 * time.Hour, Remind: problem.Idle{Days: 5, Calendar: "office"},
		},
	}
}

// occurs is an incident that began and ended on a day.
func occurs(n, on int) problem.Occurrence {
	return problem.Occurrence{
		Incident: incident.NewID(uint64(n)), Title: "Down", Started: day(on), Closed: day(on).Add(time.Hour), Keys: []problem.Key{down},
	}
}

// desk is a problem with what it has said. Its working days are all days.
type desk struct {
	*problem.Problem

	said []string
}

// tester is a test, or a part of a property.
type tester interface {
	Helper()
	Fatal(args ...any)
}

func opened(t tester, x problem.Terms) *desk {
	t.Helper()
	p, err := problem.Start(x, start)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{Problem: p}
	d.goOn(start)
	return d
}

func (d *desk) goOn(now time.Time) {
	for work := d.Advance(now); len(work) > 0; work = d.Advance(now) {
		for _, w := range work {
			switch w.Do {
			case problem.Reckon:
				d.Reckoned(w, w.Clock.Started.AddDate(0, 0, w.Clock.Days), "", now)
			case problem.Tell:
				d.said = append(d.said, string(w.Telling.About)+" "+escalation.Shown(w.Telling.Targets))
			}
		}
	}
}

func (d *desk) ask(c problem.Command, now time.Time) error {
	if err := c.Check(d.Problem, kim); err != nil {
		return err
	}
	err := c.Apply(d.Problem, kim, now)
	d.goOn(now)
	return err
}

func (d *desk) must(t tester, now time.Time, all ...problem.Command) {
	t.Helper()
	for _, c := range all {
		if err := d.ask(c, now); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) says(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(d.said, want) {
		t.Errorf("it has told %q, want %q", d.said, want)
	}
	d.said = nil
}

func TestAFixThatHoldsClosesTheProblem(t *testing.T) {
	d := opened(t, terms())
	d.says(t, "opened group:noc")
	d.must(t, day(1), problem.SetKnownError{Text: "The pool runs dry.", Workaround: "Restart it."})
	if d.Status != problem.Known || d.Found() != (problem.Found{
		ID: "PRB-7K3M9QX2PA", Title: "It is down", Status: "known-error", KnownError: "The pool runs dry.", Workaround: "Restart it.",
	}) {
		t.Errorf("it is %s, and tells %+v", d.Status, d.Found())
	}
	d.must(t, day(2), problem.SetCause{Text: "A leak."}, problem.SetFix{Text: "Mend it.", Actions: []string{"ACT-0000000001"}, Planned: true})
	if d.Status != problem.Known {
		t.Errorf("a planned fix makes it %s", d.Status)
	}
	d.must(t, day(3), problem.SetFix{Text: "Mended."})
	if d.Status != problem.Fixed || !d.NextDue().Equal(day(33)) || !slices.Equal(d.Actions, []string{"ACT-0000000001"}) {
		t.Errorf("it is %s, due %s, by %v", d.Status, d.NextDue(), d.Actions)
	}
	d.Occurred(occurs(1, 2), day(4)) // it began before the fix, and ended after it
	if d.Status != problem.Fixed || len(d.Links) != 1 {
		t.Errorf("an incident from before the fix makes it %s, with %d links", d.Status, len(d.Links))
	}
	d.goOn(day(33))
	if !d.Over() || !d.NextDue().IsZero() {
		t.Errorf("it is %s, due %s", d.Status, d.NextDue())
	}
	d.says(t, "closed group:noc")
}

func TestARecurrenceReopensTheProblem(t *testing.T) {
	for want, c := range map[problem.Status]problem.Command{
		problem.Known: problem.SetKnownError{Text: "The pool runs dry."}, problem.Open: problem.Note{Text: "nothing known"},
	} {
		d := opened(t, terms())
		d.must(t, day(1), c, problem.SetCause{Text: "A leak."}, problem.SetFix{Text: "Mended."})
		d.said = nil
		d.Occurred(occurs(1, 20), day(20))
		d.Occurred(occurs(1, 20), day(20)) // is over, too
		d.goOn(day(20))
		if d.Status != want || d.Reopened != 1 || len(d.Links) != 1 || !d.FixedAt.IsZero() || !d.NextDue().Equal(day(25)) {
			t.Errorf("it is %s, reopened %d times, %d links, due %s", d.Status, d.Reopened, len(d.Links), d.NextDue())
		}
		d.says(t, "recurred group:noc")
	}
}

// What a person has taken out does not come back by itself, but by a person.
func TestAnIncidentThatWasTakenOut(t *testing.T) {
	d := opened(t, terms())
	d.Occurred(occurs(1, 0), start)
	d.must(t, day(1), problem.UnlinkIncident{Incident: incident.NewID(1), Reason: "a test"}, problem.SetCause{Text: "x"}, problem.SetFix{Text: "x"})
	d.Occurred(occurs(1, 2), day(2))
	if len(d.Links) != 0 || d.Status != problem.Fixed {
		t.Errorf("it has %d links and is %s", len(d.Links), d.Status)
	}
	d.must(t, day(3), problem.LinkIncident{Occurrence: occurs(1, 2)})
	if len(d.Links) != 1 || d.Reopened != 1 {
		t.Errorf("it has %d links, reopened %d times", len(d.Links), d.Reopened)
	}
}

func TestNobodyMovesIt(t *testing.T) {
	d := opened(t, terms())
	d.said = nil
	d.goOn(day(5))
	d.says(t, "stale group:noc")
	d.goOn(day(10))
	d.goOn(day(12))
	d.says(t, "stale group:noc", "escalated person:choi")
	d.goOn(day(90)) // after an outage, once
	d.says(t, "stale group:noc", "escalated person:choi")
	d.must(t, day(91), problem.Note{Text: "waiting for the vendor"})
	d.goOn(day(95))
	d.says(t)
	d.goOn(day(96))
	d.says(t, "stale group:noc")
	yoon := escalation.Target{Kind: escalation.Person, ID: "yoon"}
	d.must(t, day(97), problem.Assign{Owner: problem.Owner{Targets: []escalation.Target{yoon}, Name: "Yoon"}})
	d.says(t, "opened person:yoon")
}

// Where nobody can say what a working day is, every day counts.
func TestAReminderThatNobodyCanReckon(t *testing.T) {
	p, err := problem.Start(terms(), start)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.Advance(start) {
		if w.Do == problem.Reckon {
			p.Reckoned(w, time.Time{}, "no such calendar", start)
		}
	}
	if !p.NextDue().Equal(day(5)) || p.Timeline.Entries[1].Fact("detail") != "no such calendar" {
		t.Errorf("due %s, %+v", p.NextDue(), p.Timeline.Entries)
	}
}

func TestRefusals(t *testing.T) {
	known := problem.SetKnownError{Text: "x"}
	cause := problem.SetCause{Text: "x"}
	fix := problem.SetFix{Text: "x"}
	long := strings.Repeat("x", problem.MaxText+1)
	link := problem.LinkIncident{Occurrence: occurs(1, 0)}
	for want, c := range map[string][]problem.Command{
		"set-known-error problem PRB-7K3M9QX2PA: text: missing":            {problem.SetKnownError{Workaround: "x"}},
		"workaround: 4001 bytes; want 4000 at most":                        {problem.SetKnownError{Text: "x", Workaround: long}},
		"set-cause problem PRB-7K3M9QX2PA: text: missing":                  {problem.SetCause{Text: " "}},
		"nobody has said why it happens: want its cause first":             {known, fix},
		`action "REQ-0000000001": want one such as ACT-7K3M9QX2PA`:         {cause, problem.SetFix{Text: "x", Actions: []string{"REQ-0000000001"}}},
		"it is fixed since 2026-11-24T09:00:00Z by Kim Min-su":             {cause, fix, fix},
		"INC-0000000001 is linked already":                                 {link, link},
		"incident: want one such as INC-7K3M9QX2PA":                        {problem.LinkIncident{}},
		"INC-0000000001 is not linked":                                     {problem.UnlinkIncident{Incident: "INC-0000000001", Reason: "x"}},
		"reason: missing":                                                  {link, problem.UnlinkIncident{Incident: "INC-0000000001"}},
		"owner: want one person or group":                                  {problem.Assign{}},
		"close problem PRB-7K3M9QX2PA: reason: missing":                    {problem.Close{}},
		"note problem PRB-7K3M9QX2PA: it is closed since 2026-11-24T09:00": {problem.Close{Reason: "x"}, problem.Note{Text: "x"}},
		"fix problem PRB-7K3M9QX2PA: it is closed since":                   {problem.Close{Reason: "x"}, fix},
	} {
		d := opened(t, terms())
		d.must(t, day(1), c[:len(c)-1]...)
		entries := len(d.Timeline.Entries)
		err := d.ask(c[len(c)-1], day(1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if len(d.Timeline.Entries) != entries {
			t.Errorf("%q leaves a trace", want)
		}
	}
}

func TestTermsThatAreWrong(t *testing.T) {
	for want, change := range map[string]func(*problem.Terms){
		"id: want one such as":                   func(x *problem.Terms) { x.ID = "REQ-0000000001" },
		"service, title, opener or key: missing": func(x *problem.Terms) { x.Title = "" },
		"title: 201 bytes; want 200 at most":     func(x *problem.Terms) { x.Title = strings.Repeat("x", 201) },
		"owner: missing":                         func(x *problem.Terms) { x.Owner.Targets = nil },
		"watch or remind: want more":             func(x *problem.Terms) { x.Watch = 0 },
	} {
		x := terms()
		change(&x)
		if _, err := problem.Start(x, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	d := opened(t, terms())
	for n := range 300 {
		d.Occurred(occurs(n+1, 0), start)
	}
	if len(d.Links) != 200 || d.More != 100 {
		t.Errorf("it has %d links and %d more", len(d.Links), d.More)
	}
	var err error
	for range 100 {
		err = d.ask(problem.Note{Text: strings.Repeat("x", problem.MaxText)}, start)
	}
	if err == nil || !strings.Contains(err.Error(), "its timeline is full") {
		t.Errorf("got %v after 400 kB", err)
	}
	if err := d.ask(problem.Close{Reason: "too large"}, start); err != nil {
		t.Errorf("it cannot even be closed: %v", err)
	}
}

func TestRecurs(t *testing.T) {
	vendor := problem.Key{By: incident.SameCause, Value: "vendor Azure"}
	book := problem.Key{By: incident.SameRunbook, Value: "RUN001"}
	on := func(n, d int, keys ...problem.Key) problem.Occurrence {
		o := occurs(n, d)
		o.Keys = keys
		return o
	}
	rule := problem.Rule{Times: 3, Within: 10 * 24 * time.Hour, By: incident.Samenesses()}
	flap, noisy := problem.Key{By: incident.SameNoise, Value: "Down"}, problem.Rule{Noise: &incident.Often{Times: 3, Within: 10 * 24 * time.Hour}}
	both := rule
	both.Noise, both.Times = noisy.Noise, 2
	causes := rule
	causes.By = []incident.Sameness{incident.SameCause}
	for _, tc := range []struct {
		name   string
		rule   problem.Rule
		now    problem.Occurrence
		before []problem.Occurrence
		want   string
	}{
		{"often enough", rule, on(3, 30, down), []problem.Occurrence{on(2, 25, down), on(1, 21, down)}, "alert Down 1 2 3"},
		{"too seldom", rule, on(3, 30, down), []problem.Occurrence{on(2, 25, down)}, ""},
		{"too long ago", rule, on(3, 30, down), []problem.Occurrence{on(2, 25, down), on(1, 19, down)}, ""},
		{"of something else", rule, on(3, 30, down), []problem.Occurrence{on(2, 25, book), on(1, 21, down)}, ""},
		{"itself does not count twice", rule, on(3, 30, down), []problem.Occurrence{on(3, 30, down), on(1, 21, down)}, ""},
		{"the narrowest counts", rule, on(3, 30, vendor, book, down), []problem.Occurrence{on(2, 25, vendor, book), on(1, 21, vendor, book)}, "runbook RUN001 1 2 3"},
		{"only what the rule names", causes, on(3, 30, vendor, down), []problem.Occurrence{on(2, 25, down), on(1, 21, down)}, ""},
		{"the same cause", causes, on(3, 30, vendor, down), []problem.Occurrence{on(2, 25, vendor), on(1, 21, vendor)}, "cause vendor Azure 1 2 3"},
		{"never by itself", problem.Rule{}, on(3, 30, down), []problem.Occurrence{on(2, 25, down), on(1, 21, down)}, ""},
		{"noise", noisy, on(3, 30, down, flap), []problem.Occurrence{on(2, 25, down, flap), on(1, 21, down, flap)}, "noise Down 1 2 3"},
		{"too little noise", noisy, on(3, 30, down, flap), []problem.Occurrence{on(2, 25, down, flap), on(1, 21, down)}, ""},
		{"noise is no other problem", both, on(3, 30, down, flap), []problem.Occurrence{on(2, 25, down, flap), on(1, 21, down)}, ""},
		{"nor does it make one", both, on(3, 30, down), []problem.Occurrence{on(2, 25, down, flap)}, ""},
		{"where somebody had to act it is one", both, on(3, 30, down), []problem.Occurrence{on(2, 25, down, flap), on(1, 21, down)}, "alert Down 1 3"},
		{"without a rule for noise all count", rule, on(3, 30, down, flap), []problem.Occurrence{on(2, 25, down, flap), on(1, 21, down)}, "alert Down 1 2 3"},
		{"nothing in common", rule, on(3, 30), []problem.Occurrence{on(2, 25), on(1, 21)}, ""},
	} {
		got := ""
		if k, all, yes := problem.Recurs(tc.rule, tc.now, tc.before, day(30).Add(time.Hour)); yes {
			got = fmt.Sprintf("%s %s", k.By, k.Value)
			for _, o := range all {
				got += " " + strings.TrimLeft(string(o.Incident), "INC-0")
			}
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// Against a slow oracle: whatever comes, there is a problem exactly when some key has come often enough in the time.
func TestRecursWhateverComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.Custom(func(rt *rapid.T) problem.Key {
			return problem.Key{By: rapid.SampledFrom(incident.Samenesses()).Draw(rt, "by"), Value: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "value")}
		})
		var all []problem.Occurrence
		for n := range rapid.IntRange(1, 12).Draw(rt, "incidents") {
			o := occurs(n+1, rapid.IntRange(0, 20).Draw(rt, "day"))
			o.Keys = rapid.SliceOfNDistinct(key, 0, 3, func(k problem.Key) problem.Key { return k }).Draw(rt, "keys")
			all = append(all, o)
		}
		o, before, now := all[0], all[1:], day(21)
		rule := problem.Rule{
			Times: rapid.IntRange(2, 4).Draw(rt, "times"), Within: time.Duration(rapid.IntRange(1, 20).Draw(rt, "within")) * 24 * time.Hour,
			By: incident.Samenesses(),
		}
		want := false
		for _, k := range o.Keys {
			count := 1
			for _, b := range before {
				if slices.Contains(b.Keys, k) && now.Sub(b.Closed) < rule.Within {
					count++
				}
			}
			want = want || count >= rule.Times
		}
		k, found, yes := problem.Recurs(rule, o, before, now)
		if yes != want {
			rt.Fatalf("got %v, want %v", yes, want)
		}
		for _, f := range found {
			if !slices.Contains(f.Keys, k) {
				rt.Fatalf("%s has no %v", f.Incident, k)
			}
		}
	})
}

func TestOccurrenceOf(t *testing.T) {
	i := &incident.Incident{
		ID: "INC-0000000001", Definition: incident.Definition{Title: "Down", Service: incident.Service{ID: "shop", Name: "Shop"}},
		Times: incident.Times{Started: start, Closed: day(1)}, Cause: &incident.Cause{Domain: incident.CauseVendor, Vendor: "Azure"},
		Runbooks: []incident.RunbookUse{{Name: "RUN001"}, {Name: "RUN001"}},
	}
	for _, name := range []string{"Down", "Slow", "Down"} {
		i.Alerts.Full = append(i.Alerts.Full, alert.Held{Alert: alert.Alert{Name: name}})
	}
	o, ok := problem.OccurrenceOf(i)
	if got := fmt.Sprint(o.Keys); !ok || got != "[{cause vendor Azure} {runbook RUN001} {alert Down} {alert Slow}]" || !o.Closed.Equal(day(1)) {
		t.Errorf("got %+v, %v", o, ok)
	}
	i.Status, i.Definition.Recurrence = incident.Closed, &incident.Recurrence{Times: 3}
	noise := " {noise Down} {noise Slow}]"
	keys := func(of func(*incident.Incident) (problem.Occurrence, bool)) string {
		o, _ := of(i)
		return fmt.Sprint(o.Keys)
	}
	if strings.HasSuffix(keys(problem.OccurrenceOf), noise) || !strings.HasSuffix(keys(problem.OccurrenceBefore), noise) {
		t.Errorf("an older rule knows %s, and of what was before it is known %s", keys(problem.OccurrenceOf), keys(problem.OccurrenceBefore))
	}
	i.Definition.Recurrence.Noise = &incident.Often{}
	if !strings.HasSuffix(keys(problem.OccurrenceOf), noise) {
		t.Errorf("nobody had to do anything, and it is known %s", keys(problem.OccurrenceOf))
	}
	for what, change := range map[string]func(*incident.Incident){
		"somebody has written a note": func(i *incident.Incident) {
			i.Timeline.Add(day(1), timeline.Noted, timeline.Actor{Kind: timeline.Person, ID: "kim"})
		},
		"nobody has answered":   func(i *incident.Incident) { i.Timeline.Add(day(1), timeline.LastResort, timeline.Muster()) },
		"somebody has taken it": func(i *incident.Incident) { i.Times.Engaged = day(1) },
		"Muster has acted":      func(i *incident.Incident) { i.Response = &incident.Response{Begun: day(1)} },
		"it is not over":        func(i *incident.Incident) { i.Status = incident.Resolved },
	} {
		x := *i
		change(&x)
		if o, _ := problem.OccurrenceOf(&x); strings.Contains(fmt.Sprint(o.Keys), "noise") {
			t.Errorf("%s, and it is noise: %v", what, o.Keys)
		}
	}
	restricted := *i
	restricted.Definition.Kind = incident.SecurityIncident
	merged := *i
	merged.MergedInto = &incident.Merging{ID: "INC-0000000002"}
	for name, hidden := range map[string]*incident.Incident{"restricted": &restricted, "merged": &merged} {
		if o, ok := problem.OccurrenceOf(hidden); ok || o.Incident != "" {
			t.Errorf("%s: problems know %+v", name, o)
		}
	}
}

// Whatever comes in whatever order: what is closed stays so, it is fixed only with a cause and before its watch has ended, and there is
// always something to wait for until it is closed.
func TestWhateverComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := opened(rt, terms())
		now := start
		for n := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 240).Draw(rt, "hours")) * time.Hour)
			d.goOn(now)
			over, reopened := d.Over(), d.Reopened
			if rapid.Bool().Draw(rt, "recurs") {
				o := occurs(n+1, 0)
				o.Started = now.Add(-time.Duration(rapid.IntRange(0, 48).Draw(rt, "ago")) * time.Hour)
				late := d.Status == problem.Fixed && o.Started.After(d.FixedAt)
				d.Occurred(o, now)
				d.goOn(now)
				if (d.Reopened > reopened) != late {
					rt.Fatalf("it began after the fix: %v, and reopened it: %v", late, d.Reopened > reopened)
				}
			} else {
				_ = d.ask(rapid.SampledFrom([]problem.Command{
					problem.SetKnownError{Text: "x"},
					problem.SetCause{Text: "x"},
					problem.SetFix{Text: "x"},
					problem.SetFix{Text: "x", Planned: true},
					problem.Note{Text: "x"},
					problem.Close{Reason: "x"},
					problem.LinkIncident{Occurrence: occurs(n+1, 0)},
				}).Draw(rt, "command"), now)
			}
			switch {
			case over && !d.Over():
				rt.Fatalf("it was closed and is %s", d.Status)
			case d.Status == problem.Fixed && (d.Cause == "" || !now.Before(d.WatchUntil)):
				rt.Fatalf("it is fixed at %s, watched until %s, cause %q", now, d.WatchUntil, d.Cause)
			case d.NextDue().IsZero() != d.Over(), !d.Over() && !d.NextDue().After(now):
				rt.Fatalf("it is %s, due %s at %s", d.Status, d.NextDue(), now)
			}
		}
	})
}

func TestIdentity(t *testing.T) {
	for id, want := range map[problem.ID]bool{"PRB-7K3M9QX2PA": true, "PRB-7K3M9QX2P": false, "INC-7K3M9QX2PA": false, "": false} {
		if id.Valid() != want {
			t.Errorf("%s: valid is %v", id, id.Valid())
		}
	}
	if problem.NewID(1) != "PRB-0000000001" {
		t.Errorf("got %s", problem.NewID(1))
	}
}

func TestAnIncidentThatIsReopenedAfterTheFixReopensTheProblem(t *testing.T) {
	d := opened(t, terms())
	o := occurs(1, 1)
	d.Occurred(o, day(1))
	d.must(t, day(2), problem.SetCause{Text: "A leak."}, problem.SetFix{Text: "Mended."})
	d.Occurred(o, day(3)) // told once more
	if d.Status != problem.Fixed {
		t.Fatalf("it is %s", d.Status)
	}
	o.Reopened, o.Closed = 1, time.Time{}
	d.Occurred(o, day(4))
	d.Occurred(o, day(4))
	if d.Status != problem.Open || d.Reopened != 1 || len(d.Links) != 1 || d.Links[0].Reopened != 1 {
		t.Errorf("it is %s, reopened %d times, with %+v", d.Status, d.Reopened, d.Links)
	}
}
