package change_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

var start = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

func person(id string) timeline.Actor {
	return timeline.Actor{Kind: timeline.Person, ID: id, Name: strings.ToUpper(id)}
}

func whom(id string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: id}}
}

var (
	kim, lee, park, choi = person("kim"), person("lee"), person("park"), person("choi")
	owner                = change.Capacity{Owner: true}
)

// by is how so many of some people approve.
func by(count int, people ...string) change.Approval {
	a := change.Approval{Rule: approval.Rule{Need: approval.Need{Count: count}, Exclude: approval.Exclusion{Requester: true}}}
	for _, p := range people {
		role := "person:" + p
		a.Rule.Voters = append(a.Rule.Voters, approval.Voter{Party: authority.Provider, Role: role})
		a.Approvers = append(a.Approvers, change.Approver{Role: role, Targets: whom(p)})
	}
	return a
}

// terms are those of a change of the shop that kim asks for, choi owns, and lee or park approve.
func terms() change.Terms {
	return change.Terms{
		ID: "CHG-0000000001", Request: "r", Requester: kim,
		Asked: change.Asked{
			Way: change.Normal, Kind: change.Changed, Title: "A larger pool", Text: "200 connections.", Benefit: "No queue.", Reversible: true, Undo: "100 again.",
			Services: []string{"shop"}, Until: start.Add(10 * 24 * time.Hour),
		},
		Pinned: change.Pinned{
			Zone: "UTC", ServiceNames: []change.Named{{ID: "shop", Name: "Shop"}}, CustomerNames: []change.Named{{ID: "garam", Name: "Garam"}, {ID: "nuri", Name: "Nuri"}},
			Owners: whom("choi"), OwnerNames: "CHOI", Remind: change.Idle{Days: 2},
			Classes: []change.Class{
				{ID: "low", Name: "Low", Approval: by(1, "lee", "park", "kim")},
				{ID: "high", Name: "High", Approval: by(2, "lee", "park"), Checks: []change.Check{{ID: "tried", Text: "The way back was tried.", By: whom("lee")}}},
			},
		},
	}
}

// approved is a standard change, and its use as it was approved.
func approved() (change.PreApproved, change.Terms) {
	s := change.PreApproved{
		ID: "restart", Name: "Restart", Scenario: "One by one.", Class: "low", Services: []string{"shop"}, Customers: []string{"garam"}, Environments: []string{"staging"},
		Plan: "restart", Fixed: []change.Given{{ID: "wait", Value: "5m"}}, Free: []string{"hosts"}, ApprovedBy: "CHOI", ApprovedOn: "2026-11-02",
		Until: "2026-12-01", Ends: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), Most: 2, Per: 24 * time.Hour,
	}
	t := terms()
	t.Way, t.Standard, t.PreApproved, t.Class, t.Until = change.Standard, s.ID, &s, "", start.Add(24*time.Hour)
	t.Plan = &change.Plan{
		ID: "restart", Customer: "garam", Environments: []change.Given{{ID: "target", Value: "staging"}},
		Parameters: []change.Given{{ID: "wait", Value: "5m"}, {ID: "hosts", Value: "a,b"}}, Lines: []approval.Line{{Name: "plan", SHA256: strings.Repeat("a", 64)}},
	}
	return s, t
}

func emergency() change.Terms {
	t := terms()
	t.Way, t.Incident, t.Benefit = change.Emergency, "INC-0000000001", ""
	t.Afterwards = &change.Afterwards{Approval: by(1, "lee", "kim"), Within: 8 * time.Hour, Escalate: whom("park")}
	t.Manager = &change.Manager{Person: "kim", Since: start, Status: incident.Acknowledged}
	return t
}

// A tester is a test, or one try of a property.
type tester interface {
	Helper()
	Fatal(args ...any)
}

// deed is a change with what people do to it.
type deed struct {
	*change.Change
	told []string
	runs int
}

func begun(t tester, terms change.Terms) *deed {
	c, err := change.Start(terms, start)
	if err != nil {
		t.Fatal(err)
	}
	d := &deed{Change: c}
	d.goOn(start)
	return d
}

// goOn does what the change asks for: everybody named may vote, and every day is a working day.
func (d *deed) goOn(now time.Time) {
	for again := true; again; {
		again = false
		for _, w := range d.Advance(now) {
			switch w.Do {
			case change.Tell:
				to := escalation.Shown(w.Telling.Targets)
				if w.Telling.Customer != "" {
					to = w.Telling.Customer
				}
				d.told = append(d.told, string(w.Telling.About)+" "+strings.ReplaceAll(to, "person:", ""))
			case change.Reckon:
				d.Reckoned(w, incident.Instants{Due: w.Clock.Started.AddDate(0, 0, w.Clock.Days)}, now)
			case change.ReckonDue:
				d.Reckoned(w, incident.Instants{Due: w.Clock.Started.Add(w.Clock.Within), RiskAt: w.Clock.Started.Add(w.Clock.Within / 2)}, now)
			case change.FindVoters:
				rule := d.Classes[slices.IndexFunc(d.Classes, func(c change.Class) bool { return c.ID == d.Risk })].Approval
				if d.Way == change.Emergency {
					rule = d.Afterwards.Approval
				}
				var all []approval.Elector
				for _, a := range rule.Approvers {
					all = append(all, approval.Elector{Person: a.Targets[0].ID, Party: authority.Provider, Roles: []string{a.Role}})
				}
				d.Elected(all, "", now)
				again = true
			case change.StartRun:
				d.runs++
				d.Started("RUN-0000000001", "", now)
			}
		}
	}
}

func (d *deed) ask(c change.Command, who timeline.Actor, now time.Time) error {
	d.goOn(now)
	err := c.Check(d.Change, who)
	if err == nil {
		err = c.Apply(d.Change, who, now)
	}
	d.goOn(now)
	return err
}

func (d *deed) must(t tester, c change.Command, who timeline.Actor, now time.Time) {
	t.Helper()
	if err := d.ask(c, who, now); err != nil {
		t.Fatal(err)
	}
}

func (d *deed) vote(choice approval.Choice, reason string) change.Vote {
	return change.Vote{ID: fmt.Sprint("v", len(d.Timeline.Entries)), Choice: choice, Reason: reason, Shown: d.Ballot.Shown.SHA256}
}

func hours(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }

func TestAChangeIsAssessedApprovedAndDone(t *testing.T) {
	d := begun(t, terms())
	d.must(t, change.Assess{Capacity: owner, Class: "high", Note: "All orders."}, choi, hours(1))
	d.must(t, d.vote(approval.Approve, ""), lee, hours(2))
	if err := d.ask(change.Begin{}, kim, hours(2)); err == nil || !strings.Contains(err.Error(), "it is assessed") {
		t.Errorf("it begins with one vote of two: %v", err)
	}
	d.must(t, d.vote(approval.Approve, ""), park, hours(3))
	if err := d.ask(change.Begin{}, kim, hours(3)); err == nil || !strings.Contains(err.Error(), "nobody has said that it holds: tried") {
		t.Errorf("it begins without its check: %v", err)
	}
	d.must(t, change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Evidence: "https://x", Holds: false, Note: "Not yet."}, lee, hours(4))
	if err := d.ask(change.Begin{}, kim, hours(4)); err == nil {
		t.Error("it begins although its check does not hold")
	}
	d.must(t, change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Evidence: "https://x", Holds: true}, lee, hours(5))
	d.must(t, change.Begin{}, kim, hours(6))
	d.must(t, change.Fail{Note: "It does not hold.", Outage: 20 * time.Minute}, kim, hours(7))
	want := "requested choi|vote lee, park|decided kim, choi|check lee|over kim, choi"
	if got := strings.Join(d.told, "|"); d.Status != change.Failed || d.Outage != 20*time.Minute || !d.Over() || got != want {
		t.Errorf("it is %s, told %s", d.Status, got)
	}
}

// A check that wants a run of a plan holds by nothing else; that it does not hold, anything may show.
func TestACheckOfAPlanHoldsByItsRun(t *testing.T) {
	d := begun(t, terms())
	d.Classes = slices.Clone(d.Classes)
	for n := range d.Classes {
		d.Classes[n].Checks = slices.Clone(d.Classes[n].Checks)
		for k := range d.Classes[n].Checks {
			d.Classes[n].Checks[k].Plan = "pre-mortem"
		}
	}
	d.must(t, change.Assess{Capacity: owner, Class: "high", Note: "All orders."}, choi, hours(1))
	answer := change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Evidence: "https://x", Holds: true}
	if err := d.ask(answer, lee, hours(2)); err == nil || !strings.Contains(err.Error(), `evidence "https://x": want the id of a completed run of plan pre-mortem`) {
		t.Errorf("it holds by a page: %v", err)
	}
	answer.Holds, answer.Note = false, "nobody has held it"
	d.must(t, answer, lee, hours(3))
	answer.Holds, answer.Run = true, "RUN-7K3M9QX2PA"
	d.must(t, answer, lee, hours(4))
	if a := d.Answer("tried"); a == nil || a.Run != "RUN-7K3M9QX2PA" || len(d.Unmet()) != 0 {
		t.Errorf("it keeps %+v", d.Answers)
	}
}

// What an auditor cares about is refused, and stands in the timeline.
func TestWhatIsRefusedStandsInTheTimeline(t *testing.T) {
	assessed := func(t *testing.T) *deed {
		d := begun(t, terms())
		d.must(t, change.Assess{Capacity: owner, Class: "high", Note: "x"}, choi, hours(1))
		return d
	}
	ready := func(t *testing.T) *deed {
		d := assessed(t)
		d.must(t, d.vote(approval.Approve, ""), lee, hours(2))
		d.must(t, d.vote(approval.Approve, ""), park, hours(2))
		return d
	}
	asked := func(t *testing.T) *deed { return begun(t, terms()) }
	for name, tt := range map[string]struct {
		to   func(*testing.T) *deed
		c    func(d *deed) change.Command
		who  timeline.Actor
		want string
	}{
		"whoever has asked votes": {assessed, func(d *deed) change.Command { return d.vote(approval.Approve, "") }, kim, "kim has asked for it"},
		"a vote on something else": {assessed, func(d *deed) change.Command {
			return change.Vote{ID: "v", Choice: approval.Approve, Shown: strings.Repeat("0", 64)}
		}, lee, "what was shown is not what is shown now"},
		"a vote of nobody":  {assessed, func(d *deed) change.Command { return d.vote(approval.Approve, "") }, choi, "not among the voters"},
		"no owner assesses": {asked, func(*deed) change.Command { return change.Assess{Class: "low", Note: "x"} }, lee, "want an owner: CHOI"},
		"a lower class":     {assessed, func(*deed) change.Command { return change.Assess{Capacity: owner, Class: "low", Note: "x"} }, choi, "class low is less than high"},
		"whoever asked checks": {ready, func(*deed) change.Command {
			return change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Evidence: "x", Holds: true}
		}, kim, "they have asked for the change"},
		"somebody else checks": {ready, func(*deed) change.Command { return change.AnswerCheck{Name: "tried", Evidence: "x", Holds: true} }, park, "want one of those"},
		"somebody starts it":   {ready, func(*deed) change.Command { return change.Begin{} }, lee, "want whoever has asked for it"},
		"a check is missing":   {ready, func(*deed) change.Command { return change.Begin{Capacity: owner} }, choi, "nobody has said that it holds"},
		"somebody withdraws":   {asked, func(*deed) change.Command { return change.Withdraw{Reason: "x"} }, lee, "want whoever has asked for it"},
	} {
		t.Run(name, func(t *testing.T) {
			d := tt.to(t)
			before := d.Status
			err := d.ask(tt.c(d), tt.who, hours(3))
			e := d.Timeline.Entries[len(d.Timeline.Entries)-1]
			if err == nil || !strings.Contains(err.Error(), tt.want) || e.Kind != timeline.ChangeRefused || e.Actor != tt.who || d.Status != before {
				t.Errorf("got %v, %+v; want %q", err, e, tt.want)
			}
		})
	}
}

func TestWhatIsWrongIsRefusedWithoutATrace(t *testing.T) {
	for want, c := range map[string]change.Command{
		`class "none": want low, high`:                  change.Assess{Capacity: owner, Class: "none", Note: "x"},
		"note: missing":                                 change.Assess{Capacity: owner, Class: "low"},
		"nobody votes on it yet":                        change.Vote{ID: "v", Choice: approval.Approve, Shown: strings.Repeat("0", 64)},
		"start change CHG-0000000001: it is requested":  change.Begin{Capacity: owner},
		"finish change CHG-0000000001: it is requested": change.Complete{Capacity: owner, Note: "x"},
		"check change CHG-0000000001: it is requested":  change.AnswerCheck{Name: "tried"},
		"outage: -1s":                                   change.Fail{Outage: -time.Second, Note: "x"},
		"reason: missing":                               change.Withdraw{Capacity: owner},
		"text: missing":                                 change.Note{},
	} {
		d := begun(t, terms())
		before := len(d.Timeline.Entries)
		if err := d.ask(c, choi, hours(1)); err == nil || !strings.Contains(err.Error(), want) || len(d.Timeline.Entries) != before {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A second judgement makes all vote anew, on what is shown then.
func TestANewJudgementVoidsTheVotes(t *testing.T) {
	d := begun(t, terms())
	d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "Small."}, choi, hours(1))
	if err := d.ask(d.vote(approval.Reject, "too risky"), lee, hours(2)); err != nil {
		t.Fatal(err)
	}
	old := d.vote(approval.Approve, "")
	d.must(t, change.Assess{Capacity: owner, Class: "high", Note: "Not so small."}, choi, hours(3))
	if err := d.ask(old, park, hours(4)); err == nil || !strings.Contains(err.Error(), "risk changed") {
		t.Errorf("a vote on what was shown before: %v", err)
	}
	d.must(t, d.vote(approval.Approve, ""), park, hours(5))
	d.must(t, d.vote(approval.Approve, ""), lee, hours(5))
	if d.Status != change.Approved || len(d.Ballot.Past) != 1 {
		t.Errorf("it is %s after %d rounds", d.Status, len(d.Ballot.Past))
	}
}

func TestAChangeThatCannotBeUndoneHasTheClassOfTheRules(t *testing.T) {
	x := terms()
	x.Reversible, x.Undo, x.Floor = false, "", "high"
	if d := begun(t, x); d.Risk != "high" {
		t.Errorf("its class is %s", d.Risk)
	}
}

func TestAChangeLapses(t *testing.T) {
	for name, to := range map[string]func(d *deed){
		"requested": func(*deed) {},
		"assessed":  func(d *deed) { d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, hours(1)) },
		"approved": func(d *deed) {
			d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, hours(1))
			d.must(t, d.vote(approval.Approve, ""), lee, hours(2))
		},
	} {
		d := begun(t, terms())
		to(d)
		if string(d.Status) != name {
			t.Fatalf("%s: it is %s", name, d.Status)
		}
		d.goOn(d.Until)
		last := d.Timeline.Entries[len(d.Timeline.Entries)-1]
		if d.Status != change.Lapsed || last.Kind != timeline.ChangeLapsed || last.Fact("status") != name || !d.NextDue().IsZero() {
			t.Errorf("%s: it is %s with %+v", name, d.Status, last)
		}
	}
}

// Who has to move a change is reminded for as long as nobody does.
func TestWhoIsReminded(t *testing.T) {
	d := begun(t, terms())
	d.goOn(hours(48))
	d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, hours(50))
	d.must(t, d.vote(approval.Abstain, ""), lee, hours(51))
	d.goOn(hours(98))
	d.must(t, d.vote(approval.Approve, ""), park, hours(99))
	d.goOn(hours(147))
	got := slices.DeleteFunc(slices.Clone(d.told), func(s string) bool { return !strings.HasPrefix(s, "stale") })
	if fmt.Sprint(got) != "[stale choi stale park stale kim, choi]" {
		t.Errorf("reminded %q", got)
	}
}

// Somebody is reminded while there is still time, also where that is shorter than it usually takes.
func TestSomebodyIsRemindedBeforeItsTimeIsOver(t *testing.T) {
	for timely, want := range map[bool]int{true: 1, false: 0} {
		x := terms()
		x.From, x.Until, x.Patient, x.Timely = hours(96), hours(104), true, timely
		d := begun(t, x)
		d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, hours(1))
		d.must(t, d.vote(approval.Approve, ""), lee, hours(2))
		for h := 3; h <= 101; h++ {
			d.goOn(hours(h))
		}
		if strings.Contains(strings.Join(d.told, "\n"), "stale") {
			t.Errorf("timely %v: reminded too early: %q", timely, d.told)
		}
		reminded := 0
		for h := 102; h < 110; h++ {
			d.goOn(hours(h))
		}
		for _, told := range d.told {
			if strings.HasPrefix(told, "stale") {
				reminded++
			}
		}
		if reminded != want || d.Status != change.Lapsed {
			t.Errorf("timely %v: reminded %d times, want %d; it is %s", timely, reminded, want, d.Status)
		}
	}
}

// What is approved for a later time is not late before that.
func TestNobodyIsRemindedBeforeItsTime(t *testing.T) {
	for patient, want := range map[bool]string{true: "0 before its time, 1 after", false: "1 before its time, 2 after"} {
		x := terms()
		x.From, x.Patient = hours(96), patient
		d := begun(t, x)
		d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, hours(1))
		d.must(t, d.vote(approval.Approve, ""), lee, hours(2))
		reminded := func() (n int) {
			for _, told := range d.told {
				if strings.HasPrefix(told, "stale") {
					n++
				}
			}
			d.told = nil
			return n
		}
		var before, after int
		for h := 3; h < 96; h++ {
			d.goOn(hours(h))
		}
		before = reminded()
		for h := 96; h <= 96+51; h++ {
			d.goOn(hours(h))
		}
		after = reminded()
		if got := fmt.Sprintf("%d before its time, %d after", before, after); got != want {
			t.Errorf("patient %v: %s, want %s", patient, got, want)
		}
	}
}

func TestAStandardChangeStaysInItsScope(t *testing.T) {
	for want, wrong := range map[string]func(*change.Terms){
		"":                                      func(*change.Terms) {},
		"service erp: it was approved for shop": func(x *change.Terms) { x.Services = []string{"shop", "erp"} },
		"customer nuri: it was approved for garam": func(x *change.Terms) { x.Plan.Customer = "nuri" },
		"environment production: it was approved":  func(x *change.Terms) { x.Plan.Environments[0].Value = "production" },
		"plan upgrade: it was approved for":        func(x *change.Terms) { x.Plan.ID = "upgrade" },
		"with another plan":                        func(x *change.Terms) { x.Plan = nil },
		`parameter wait: it was approved as "5m"`:  func(x *change.Terms) { x.Plan.Parameters[0].Value = "0s" },
		"parameter force: it was not approved":     func(x *change.Terms) { x.Plan.Parameters[1].ID = "force" },
		"it was used 2 times":                      func(x *change.Terms) { x.Used = 2 },
		"it was approved until 2026-12-01":         func(x *change.Terms) { x.Until = start.Add(9 * 24 * time.Hour) },
	} {
		_, x := approved()
		wrong(&x)
		d := begun(t, x)
		if want == "" {
			if d.Status != change.Approved || len(d.Unmet()) != 0 {
				t.Errorf("it is %s: %s", d.Status, d.Reason)
			}
			d.must(t, change.Begin{}, kim, hours(1))
			if d.Run != "RUN-0000000001" || d.runs != 1 {
				t.Errorf("it runs as %s, started %d times", d.Run, d.runs)
			}
			continue
		}
		last := d.Timeline.Entries[len(d.Timeline.Entries)-1]
		if d.Status != change.Rejected || !d.Over() || !strings.Contains(d.Reason, want) || last.Kind != timeline.ChangeRefused || last.Actor != kim {
			t.Errorf("%q: it is %s: %s, %+v", want, d.Status, d.Reason, last)
		}
	}
	s, x := approved()
	if why := s.Outside(&x.Asked, 0, s.Ends); why != "it was approved until 2026-12-01" {
		t.Errorf("after its time: %q", why)
	}
}

func TestAnEmergencyIsApprovedAfterwards(t *testing.T) {
	d := begun(t, emergency())
	if d.Status != change.Running {
		t.Fatalf("it is %s", d.Status)
	}
	if err := d.ask(d.vote(approval.Approve, ""), kim, hours(1)); err == nil {
		t.Error("whoever has begun it votes")
	}
	d.must(t, change.Complete{Note: "Mended."}, kim, hours(1))
	if d.Over() {
		t.Error("it is over before it is approved")
	}
	d.must(t, d.vote(approval.Approve, ""), lee, hours(7))
	if !d.Over() || d.Exception != "" || d.Listed() != "emergency" || fmt.Sprint(d.told) != "[emergency choi vote lee over kim, choi due lee decided kim, choi]" {
		t.Errorf("exception %q, told %q", d.Exception, d.told)
	}
}

func TestAnEmergencyThatIsNotApprovedIsAnException(t *testing.T) {
	for want, do := range map[change.Missed]func(d *deed){
		change.TooLate: func(d *deed) { d.goOn(hours(8)) },
		change.Refused: func(d *deed) { d.must(t, d.vote(approval.Reject, "Why at all?"), lee, hours(2)) },
	} {
		d := begun(t, emergency())
		do(d)
		if d.Exception != want || d.Listed() != change.Unapproved || d.Status != change.Running || d.told[len(d.told)-1] != "exception park" {
			t.Errorf("%s: got %q, %s, told %q", want, d.Exception, d.Status, d.told)
		}
		if err := d.ask(d.vote(approval.Approve, ""), lee, hours(9)); err == nil {
			t.Errorf("%s: a vote afterwards counts", want)
		}
		d.must(t, change.Complete{Note: "Mended."}, kim, hours(10))
		if !d.Over() {
			t.Errorf("%s: it is not over", want)
		}
	}
	// Even when nobody can say who votes, or until when.
	c, _ := change.Start(emergency(), start)
	for _, w := range c.Advance(start) {
		switch w.Do {
		case change.FindVoters:
			c.Elected(nil, "the folder is away", start)
		case change.ReckonDue:
			c.Reckoned(w, incident.Instants{Fault: "no such calendar"}, start)
		default:
		}
	}
	c.Advance(hours(8))
	if c.Exception != change.TooLate || !c.Due.Equal(hours(8)) {
		t.Errorf("got %q, due %s", c.Exception, c.Due)
	}
}

func TestWhoBeginsAnEmergency(t *testing.T) {
	for want, wrong := range map[string]func(*change.Terms){
		"want the incident manager's word": func(x *change.Terms) { x.Manager = nil },
		"want its manager to ask":          func(x *change.Terms) { x.Manager.Person = "lee" },
		"is resolved":                      func(x *change.Terms) { x.Manager.Status = incident.Resolved },
		"want one for an emergency":        func(x *change.Terms) { x.Incident = "" },
	} {
		x := emergency()
		wrong(&x)
		if _, err := change.Start(x, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestARunOfAPlanEndsTheChange(t *testing.T) {
	for how, want := range map[planrun.Ending]change.Status{
		planrun.EndedDone: change.Done, planrun.EndedBack: change.Failed, planrun.EndedMended: change.Failed, planrun.EndedCancelled: change.Failed,
	} {
		_, x := approved()
		x.Auto, x.From = true, hours(2)
		d := begun(t, x)
		d.goOn(hours(1))
		if d.runs != 0 {
			t.Fatal("it begins before its time")
		}
		d.goOn(hours(2))
		if err := d.ask(change.Complete{Note: "x"}, kim, hours(3)); err == nil || !strings.Contains(err.Error(), "RUN-0000000001 runs") {
			t.Errorf("a person ends what its run ends: %v", err)
		}
		d.RunOver(change.RunEnded{Run: "RUN-0000000009", How: how}, hours(4))
		if d.Status != change.Running {
			t.Errorf("%s: another run has ended it", how)
		}
		d.RunOver(change.RunEnded{Run: "RUN-0000000001", How: how}, hours(4))
		if d.Status != want || d.How != how || !d.Over() {
			t.Errorf("%s: it is %s", how, d.Status)
		}
	}
	// While its plan is being started, nobody ends it.
	_, starting := approved()
	c0, _ := change.Start(starting, start)
	c0.Advance(start)
	if err := (change.Begin{}).Apply(c0, kim, hours(1)); err != nil {
		t.Fatal(err)
	}
	if err := (change.Complete{Note: "x"}).Check(c0, kim); err == nil || !strings.Contains(err.Error(), "its plan is being started") {
		t.Errorf("it is ended while its plan is being started: %v", err)
	}
	// A run that is gone ends nothing: then people do.
	_, x := approved()
	d := begun(t, x)
	d.must(t, change.Begin{}, kim, hours(1))
	d.must(t, change.Complete{Capacity: change.Capacity{RunOver: true}, Note: "Looked at it."}, kim, hours(2))
	// What cannot be started waits for a person.
	_, x = approved()
	x.Auto = true
	c, _ := change.Start(x, start)
	for _, w := range c.Advance(start) {
		if w.Do == change.StartRun {
			c.Started("", "another run has it", start)
		}
	}
	c.Advance(hours(1))
	if c.Status != change.Approved || c.Run != "" || !c.Tried {
		t.Errorf("it is %s, tried %v", c.Status, c.Tried)
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	long := strings.Repeat("x", 4001)
	for want, wrong := range map[string]func(*change.Terms){
		"id: want one such as":               func(x *change.Terms) { x.ID = "CHG-1" },
		`way: "other"`:                       func(x *change.Terms) { x.Way = "other" },
		`kind: "other"`:                      func(x *change.Terms) { x.Kind = "other" },
		"title: missing":                     func(x *change.Terms) { x.Title = " " },
		"title: 201 bytes":                   func(x *change.Terms) { x.Title = long[:201] },
		"benefit: missing":                   func(x *change.Terms) { x.Benefit = "" },
		"benefit: 4001 bytes":                func(x *change.Terms) { x.Benefit = long },
		"undo: missing":                      func(x *change.Terms) { x.Undo = "" },
		"undo: it cannot be undone":          func(x *change.Terms) { x.Reversible = false },
		"undo_within: -1s":                   func(x *change.Terms) { x.UndoWithin = -time.Second },
		"services: missing":                  func(x *change.Terms) { x.Services = nil },
		"services: 51, or customers":         func(x *change.Terms) { x.Customers = make([]string, 51) },
		"until: 2026-11-27T09:00:00Z":        func(x *change.Terms) { x.Until = start },
		"from: 2026-12-07T09:00:00Z":         func(x *change.Terms) { x.From = x.Until },
		"standard: want one for":             func(x *change.Terms) { x.Standard = "x" },
		"text: missing":                      func(x *change.Terms) { x.Text = "" },
		"plan: too many":                     func(x *change.Terms) { x.Plan = &change.Plan{Parameters: make([]change.Given, 51)} },
		"requester, owners or classes":       func(x *change.Terms) { x.Owners = nil },
		"remind: want more":                  func(x *change.Terms) { x.Remind = change.Idle{} },
		`class "other": the folder has none`: func(x *change.Terms) { x.Class = "other" },
		`standard "x": the folder has none`:  func(x *change.Terms) { x.Way, x.Standard = change.Standard, "x" },
	} {
		x := terms()
		wrong(&x)
		if _, err := change.Start(x, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A party beside the provider sees what is asked for and what has come of it, and nothing of the inside.
func TestWhatOthersSee(t *testing.T) {
	d := begun(t, terms())
	d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "SECRET"}, choi, hours(1))
	d.must(t, d.vote(approval.Reject, "SECRET"), lee, hours(1))
	d.must(t, change.Note{Text: "SECRET"}, choi, hours(2))
	d.must(t, change.Withdraw{Reason: "Not needed."}, kim, hours(3))
	seen := d.Shown(incident.Viewer{Party: "garam", Own: func(timeline.Actor) bool { return false }, Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: "Mirnet"}})
	all := fmt.Sprintf("%+v", *seen)
	for _, hidden := range []string{"SECRET", "LEE", "CHOI", "KIM", "Nuri", "No queue", "200 connections"} {
		if strings.Contains(all, hidden) {
			t.Errorf("others see %s in %s", hidden, all)
		}
	}
	if len(seen.Timeline.Entries) != 2 || seen.Reason != "Not needed." || len(seen.CustomerNames) != 1 || seen.Requester.Name != "Mirnet" || !seen.Partial {
		t.Errorf("they see %s", all)
	}
}

// Whatever comes in whatever order: nothing runs that is not approved, pre-approved or an emergency, whoever has asked has no vote, the
// class never falls, what is over stays so, and until then there is something to wait for but for what people or a run end.
func TestWhateverComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := terms()
		switch rapid.SampledFrom(change.Ways()).Draw(rt, "way") {
		case change.Standard:
			_, x = approved()
		case change.Emergency:
			x = emergency()
		case change.Normal:
		}
		x.Auto = rapid.Bool().Draw(rt, "auto")
		d := begun(rt, x)
		now, risk := start, d.Risk
		for n := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
			d.goOn(now)
			over, was := d.Over(), d.Status
			shown := strings.Repeat("0", 64)
			if d.Ballot != nil && rapid.IntRange(0, 3).Draw(rt, "stale") > 0 {
				shown = d.Ballot.Shown.SHA256
			}
			in := change.Capacity{Owner: rapid.Bool().Draw(rt, "owner"), Checks: []string{"tried"}, RunOver: rapid.Bool().Draw(rt, "gone")}
			who := rapid.SampledFrom([]timeline.Actor{kim, lee, park, choi}).Draw(rt, "who")
			_ = d.ask(rapid.SampledFrom([]change.Command{
				change.Assess{Capacity: in, Class: "low", Note: fmt.Sprint(n)},
				change.Assess{Capacity: in, Class: "high", Note: fmt.Sprint(n)},
				change.Vote{ID: fmt.Sprint(n), Choice: approval.Approve, Shown: shown},
				change.Vote{ID: fmt.Sprint(n), Choice: approval.Reject, Reason: "x", Shown: shown},
				change.AnswerCheck{Capacity: in, Name: "tried", Evidence: "x", Holds: true},
				change.AnswerCheck{Capacity: in, Name: "tried", Evidence: "x", Note: "x"},
				change.Begin{Capacity: in},
				change.Complete{Capacity: in, Note: "x"},
				change.Fail{Capacity: in, Note: "x"},
				change.Withdraw{Capacity: in, Reason: "x"},
				change.Note{Text: "x"},
			}).Draw(rt, "command"), who, now)
			ran := d.Status == change.Running || d.Status == change.Done || d.Status == change.Failed
			yes := d.Ballot != nil && d.Ballot.Outcome.Verdict.Approves()
			switch {
			case over && !d.Over(), was.Final() && d.Status != was:
				rt.Fatalf("it was %s and is %s", was, d.Status)
			case ran && d.Way == change.Normal && (!yes || len(d.Unmet()) > 0):
				rt.Fatalf("it is %s with %+v and %v unmet", d.Status, d.Ballot, d.Unmet())
			case risk == "high" && d.Risk != "high":
				rt.Fatal("its class has fallen")
			case d.Ballot != nil && slices.ContainsFunc(d.Ballot.Votes, func(v approval.Cast) bool { return v.By == "kim" && v.Fate == approval.Counted }):
				rt.Fatal("whoever has asked has a vote")
			case d.Over() && !d.NextDue().IsZero(), !d.Over() && d.Status != change.Running && !d.NextDue().After(now):
				rt.Fatalf("it is %s, due %s at %s", d.Status, d.NextDue(), now)
			case d.Way == change.Emergency && d.Over() && d.Exception == "" && !yes:
				rt.Fatal("an emergency is over without an approval, and no exception")
			}
			risk = d.Risk
		}
	})
}

func TestIdentity(t *testing.T) {
	for id, want := range map[change.ID]bool{"CHG-7K3M9QX2PA": true, "CHG-7K3M9QX2P": false, "INC-7K3M9QX2PA": false, "": false} {
		if id.Valid() != want {
			t.Errorf("%s: valid is %v", id, id.Valid())
		}
	}
	if change.NewID(1) != "CHG-0000000001" {
		t.Errorf("got %s", change.NewID(1))
	}
}
