package change_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/approval"
	"muster/internal/change"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// noticed are the terms of a change from the fifth day on of which customers are told, three days and one before it, and so is jung, whose
// service needs the shop.
func noticed() change.Terms {
	t := terms()
	t.From, t.Effect, t.Action = start.AddDate(0, 0, 5), plan.Text{En: "A minute of errors.", Ko: "1분간 오류"}, plan.Text{En: "Nothing."}
	t.Announce, t.Neighbours = []time.Duration{72 * time.Hour, 24 * time.Hour}, whom("jung")
	return t
}

// notices are those that have gone out since it was last asked, each with whom it was for.
func (d *deed) notices() string {
	var all []string
	for _, told := range d.told {
		if about, _, _ := strings.Cut(told, " "); change.About(about).Notice() {
			all = append(all, told)
		}
	}
	d.told = nil
	return strings.Join(all, "|")
}

func ready(t tester, terms change.Terms, at time.Time) *deed {
	d := begun(t, terms)
	d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, at)
	d.must(t, d.vote(approval.Approve, ""), lee, at)
	return d
}

func TestAChangeIsAnnounced(t *testing.T) {
	d := ready(t, noticed(), start)
	if got := d.notices(); got != "" {
		t.Errorf("five days before, they are told %q", got)
	}
	if want := start.AddDate(0, 0, 2); !d.NextDue().Equal(want) {
		t.Errorf("next is %s, want %s", d.NextDue(), want)
	}
	coming := "coming garam|coming nuri|coming jung"
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{start.AddDate(0, 0, 2).Add(-time.Second), ""},
		{start.AddDate(0, 0, 2), coming},
		{start.AddDate(0, 0, 3), ""},
		{start.AddDate(0, 0, 4), coming},
		{start.AddDate(0, 0, 4).Add(time.Hour), ""},
	} {
		d.goOn(tt.at)
		if got := d.notices(); got != tt.want {
			t.Errorf("%s: they are told %q, want %q", tt.at, got, tt.want)
		}
	}
	d.must(t, change.Begin{}, kim, d.From)
	if got, want := d.notices(), "beginning garam|beginning nuri|beginning jung"; got != want {
		t.Errorf("it begins: %q, want %q", got, want)
	}
	d.must(t, change.Complete{Note: "internal words"}, kim, d.From.Add(time.Hour))
	if got, want := d.notices(), "ending garam|ending nuri|ending jung"; got != want {
		t.Errorf("it ends: %q, want %q", got, want)
	}
}

// What is approved late is announced at once, and once.
func TestALateChangeIsAnnouncedAtOnce(t *testing.T) {
	for name, leads := range map[string][]time.Duration{"late": {72 * time.Hour, 24 * time.Hour}, "no times": nil} {
		terms := noticed()
		terms.From, terms.Announce, terms.Neighbours = start.Add(2*time.Hour), leads, nil
		d := ready(t, terms, start)
		d.goOn(start.Add(time.Hour))
		if got := d.notices(); got != "coming garam|coming nuri" {
			t.Errorf("%s: they are told %q", name, got)
		}
	}
}

// Customers hear of a change whose effect is said, and of no other; and that it does not happen only when they know of it.
func TestWhoHearsThatAChangeDoesNotHappen(t *testing.T) {
	quiet := noticed()
	quiet.Effect, quiet.Action = plan.Text{}, plan.Text{}
	d := ready(t, quiet, start)
	d.must(t, change.Begin{}, kim, d.From)
	d.must(t, change.Complete{Note: "x"}, kim, d.From)
	if got := d.notices(); got != "" {
		t.Errorf("of one without an effect they are told %q", got)
	}
	for name, tt := range map[string]struct {
		at   time.Time
		end  func(d *deed, at time.Time)
		want string
	}{
		"withdrawn before": {start.AddDate(0, 0, 1), func(d *deed, at time.Time) { d.must(t, change.Withdraw{Reason: "x"}, kim, at) }, ""},
		"withdrawn":        {start.AddDate(0, 0, 2), func(d *deed, at time.Time) { d.must(t, change.Withdraw{Reason: "x"}, kim, at) }, "called-off garam|called-off nuri|called-off jung"},
		"lapsed":           {start.AddDate(0, 0, 4), func(d *deed, _ time.Time) { d.goOn(d.Until) }, "called-off garam|called-off nuri|called-off jung"},
	} {
		d := ready(t, noticed(), start)
		d.goOn(tt.at)
		d.told = nil
		tt.end(d, tt.at)
		if got := d.notices(); got != tt.want {
			t.Errorf("%s: they are told %q, want %q", name, got, tt.want)
		}
	}
}

func TestAPlanBeginsWhenItsRunDoes(t *testing.T) {
	terms := noticed()
	terms.Plan = &change.Plan{ID: "p", Customer: "garam", Lines: []approval.Line{{Name: "plan", SHA256: strings.Repeat("a", 64)}}}
	c, err := change.Start(terms, start)
	if err != nil {
		t.Fatal(err)
	}
	d := &deed{Change: c}
	d.goOn(start)
	d.must(t, change.Assess{Capacity: owner, Class: "low", Note: "x"}, choi, start)
	d.must(t, d.vote(approval.Approve, ""), lee, start)
	d.goOn(d.From)
	d.told = nil
	if err := (change.Begin{}).Apply(c, kim, d.From); err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Advance(d.From) {
		if w.Do == change.Tell && w.Telling.About.Notice() {
			t.Errorf("told before its run has begun: %s", w.Telling.About)
		}
	}
	c.Started("", "taken", d.From)
	for _, w := range c.Advance(d.From) {
		if w.Do == change.Tell && w.Telling.About.Notice() {
			t.Errorf("told although it could not begin: %s", w.Telling.About)
		}
	}
}

// A new time is voted on anew, and those who know of the old one hear so.
func TestAChangeIsMoved(t *testing.T) {
	d := ready(t, noticed(), start)
	at := start.AddDate(0, 0, 2)
	d.goOn(at)
	d.told = nil
	move := change.Move{From: start.AddDate(0, 0, 7), Until: start.AddDate(0, 0, 12), Reason: "a sale"}
	if err := d.ask(move, park, at); err == nil || !strings.Contains(err.Error(), "want whoever has asked for it, or an owner") {
		t.Errorf("by somebody else: %v", err)
	}
	d.must(t, move, kim, at)
	if d.Status != change.Assessed || !d.From.Equal(move.From) || !d.Until.Equal(move.Until) || d.Ballot == nil || d.Ballot.Outcome.Verdict.Final() {
		t.Fatalf("it is %s, from %s, %+v", d.Status, d.From, d.Ballot)
	}
	if got, want := d.notices(), "rescheduled garam|rescheduled nuri|rescheduled jung"; got != want {
		t.Errorf("they are told %q, want %q", got, want)
	}
	d.must(t, d.vote(approval.Approve, ""), park, at)
	d.goOn(start.AddDate(0, 0, 4).Add(-time.Second))
	if got := d.notices(); got != "" || d.Status != change.Approved {
		t.Errorf("it is %s, and they are told %q", d.Status, got)
	}
	d.goOn(start.AddDate(0, 0, 4))
	if got := d.notices(); !strings.HasPrefix(got, "coming garam") {
		t.Errorf("three days before its new time they are told %q", got)
	}
	kinds := map[timeline.Kind]int{}
	for _, e := range d.Timeline.Entries {
		kinds[e.Kind]++
	}
	if kinds[timeline.ChangeMoved] != 1 || kinds[timeline.VoteVoided] != 1 || kinds[timeline.ChangeRefused] != 1 {
		t.Errorf("the timeline has %v", kinds)
	}
	for want, m := range map[string]change.Move{
		"it has that time already": {From: move.From, Until: move.Until, Reason: "x"}, "until: missing": {From: move.From, Reason: "x"},
		"want an instant before": {From: move.Until, Until: move.From, Reason: "x"}, "reason: missing": {Until: move.From},
		"from: missing": {Until: move.Until, Reason: "x"},
	} {
		if err := d.ask(m, kim, at.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	d.must(t, change.Begin{}, kim, d.From)
	if err := d.ask(change.Move{Until: d.Until.Add(time.Hour), Reason: "x"}, kim, d.From); err == nil || !strings.Contains(err.Error(), "it is running") {
		t.Errorf("what runs: %v", err)
	}
}

// A standard change stays approved within its scope, and is not moved out of it.
func TestAStandardChangeIsMovedWithinItsScope(t *testing.T) {
	_, terms := approved()
	d := begun(t, terms)
	d.must(t, change.Move{Until: start.Add(30 * time.Hour), Reason: "x"}, kim, start)
	if d.Status != change.Approved {
		t.Errorf("it is %s", d.Status)
	}
	if err := d.ask(change.Move{Until: start.AddDate(0, 0, 20), Reason: "x"}, kim, start); err == nil || !strings.Contains(err.Error(), "it was approved until 2026-12-01") {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeAnnounced(t *testing.T) {
	for want, fill := range map[string]func(*change.Terms){
		"action: without an effect": func(x *change.Terms) { x.Effect = plan.Text{} },
		"from: missing":             func(x *change.Terms) { x.From = time.Time{} },
		"effect: 4001 bytes":        func(x *change.Terms) { x.Effect.Ko = strings.Repeat("x", change.MaxText+1) },
	} {
		terms := noticed()
		fill(&terms)
		if _, err := change.Start(terms, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	a, b := ready(t, noticed(), start), noticed()
	b.Effect.Ko = "30분간 중단"
	if slices.Equal(a.Lines(), ready(t, b, start).Lines()) {
		t.Error("another effect is voted on as the same")
	}
}

// However it goes: customers hear that it begins after they have heard that it comes, hear nothing after its end, and of each end once.
func TestNoticesAreInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		terms := noticed()
		for range rapid.IntRange(0, 2).Draw(rt, "fewer times") {
			terms.Announce = terms.Announce[1:]
		}
		d, now := begun(rt, terms), start
		for n := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
			switch rapid.IntRange(0, 6).Draw(rt, "what") {
			case 0:
				_ = d.ask(change.Assess{Capacity: owner, Class: "low", Note: strings.Repeat("x", n+1)}, choi, now)
			case 1:
				if d.Ballot != nil {
					_ = d.ask(d.vote([]approval.Choice{approval.Approve, approval.Approve, approval.Reject}[rapid.IntRange(0, 2).Draw(rt, "choice")], "x"), lee, now)
				}
			case 2:
				_ = d.ask(change.Begin{}, kim, now)
			case 3:
				_ = d.ask(change.Complete{Note: "x"}, kim, now)
			case 4:
				from := now.Add(time.Duration(rapid.IntRange(1, 200).Draw(rt, "from")) * time.Hour)
				_ = d.ask(change.Move{From: from, Until: from.AddDate(0, 0, 2), Reason: "x"}, kim, now)
			case 5:
				if rapid.IntRange(0, 9).Draw(rt, "ends") == 0 {
					_ = d.ask(change.Withdraw{Reason: "x"}, kim, now)
				}
			default:
				d.goOn(now)
			}
			if due := d.NextDue(); !due.IsZero() && !due.After(now) {
				d.goOn(now)
				if due := d.NextDue(); !due.IsZero() && !due.After(now) {
					rt.Fatalf("due at %s although it is %s: %s", due, now, d.Status)
				}
			}
		}
		ended, known := "", false
		for _, told := range d.told {
			about, to, _ := strings.Cut(told, " ")
			if to != "garam" || !change.About(about).Notice() {
				continue
			}
			switch a := change.About(about); {
			case ended != "":
				rt.Fatalf("%s after %s", about, ended)
			case a == change.Ending || a == change.CalledOff:
				if ended = about; !known {
					rt.Fatalf("%s, and nobody knows of it", about)
				}
			case a == change.Rescheduled && !known:
				rt.Fatal("rescheduled, and nobody knows of it")
			default:
				known = true
			}
		}
		if known && d.Over() && ended == "" {
			rt.Fatalf("it is %s, and nobody has heard so", d.Status)
		}
	})
}
