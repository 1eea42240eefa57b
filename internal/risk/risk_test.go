package risk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/risk"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"} // has escalated it
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	choi  = timeline.Actor{Kind: timeline.Person, ID: "choi", Name: "최지우"}
)

const day = 24 * time.Hour

func person(id string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: id}}
}

func six() risk.Asked {
	return risk.Asked{
		Situation: "The restore was never tried.\nNobody knows whether it works.", Importance: "It is our last resort.", Affected: "Every customer.",
		Scale: "Up to a day of data.", Urgency: "At once, should a disk fail.", Remedy: "Try it this week.", Priority: priority.P2,
	}
}

func terms() risk.Terms {
	return risk.Terms{
		ID: "ESC-7K3M9QX2PA", Request: "r", Originator: kim, Asked: six(),
		Pinned: risk.Pinned{Zone: "UTC", Policy: "management", Levels: []risk.Level{
			{person("lead"), 4 * time.Hour}, {person("manager"), 8 * time.Hour}, {person("director"), 6 * time.Hour},
		}},
	}
}

// A desk drives one escalation by hand.
type desk struct {
	*risk.Escalation
	t   interface{ Fatalf(string, ...any) }
	now time.Time
	got []string // what was told: "3h taken"
	all []risk.Telling
}

func open(t interface{ Fatalf(string, ...any) }, terms risk.Terms) *desk {
	e, err := risk.Start(terms, start)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	d := &desk{Escalation: e, t: t, now: start}
	d.until(start)
	return d
}

// until goes to an instant, from one deadline to the next.
func (d *desk) until(at time.Time) {
	for {
		for _, told := range d.Advance(d.now) {
			d.all = append(d.all, told)
			d.got = append(d.got, fmt.Sprintf("%dh %s", int(d.now.Sub(start)/time.Hour), told.About))
		}
		next := d.NextDue()
		if !next.IsZero() && !next.After(d.now) {
			d.t.Fatalf("next due %s is not after %s", next, d.now)
		}
		if next.IsZero() || next.After(at) {
			d.now = at
			return
		}
		d.now = next
	}
}

func (d *desk) do(c risk.Command, by timeline.Actor) error {
	if err := c.Check(d.Escalation, by); err != nil {
		return err
	}
	err := c.Apply(d.Escalation, by, d.now)
	d.until(d.now)
	return err
}

func (d *desk) must(c risk.Command, by timeline.Actor) {
	if err := d.do(c, by); err != nil {
		d.t.Fatalf("%T: %v", c, err)
	}
}

func (d *desk) count(k timeline.Kind) (n int) {
	for _, e := range d.Timeline.Entries {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func wantGot(t *testing.T, d *desk, want ...string) {
	t.Helper()
	if !slices.Equal(d.got, want) {
		t.Errorf("told %q, want %q", d.got, want)
	}
}

func TestItIsTakenAnsweredAndInHand(t *testing.T) {
	d := open(t, terms())
	d.until(start.Add(3 * time.Hour))
	d.must(risk.Take{Note: "I ask the storage team."}, park)
	d.until(start.Add(5 * time.Hour))
	d.must(risk.Answer{Text: "We try it on Friday."}, park)
	d.until(start.Add(6 * time.Hour))
	d.must(risk.Confirm{Note: "I have seen the date."}, kim)
	wantGot(t, d, "0h escalated", "3h taken", "5h answered", "6h settled")
	if !d.Over() || !d.NextDue().IsZero() || d.Taker != park || d.AnsweredBy != park || !d.Ended.Equal(start.Add(6*time.Hour)) {
		t.Errorf("got %+v", d.Escalation)
	}
	if to := d.all[3].To; d.all[3].Own || !slices.Contains(to, person("lead")[0]) || !slices.Contains(to, person("park")[0]) || slices.Contains(to, person("manager")[0]) {
		t.Errorf("that it is in hand goes to %v", to)
	}
	for _, c := range []risk.Command{risk.Take{}, risk.Answer{Text: "x"}, risk.Confirm{}, risk.Raise{Reason: "x"}, risk.Note{Text: "x"}, risk.Succeed{Person: "x", Reason: "x"}} {
		if err := c.Check(d.Escalation, park); err == nil || !strings.Contains(err.Error(), "it is in-hand since 2026-11-23T15:00:00Z by 김민수") {
			t.Errorf("%T after the end: %v", c, err)
		}
	}
}

// Nobody takes it, at any level. The last one is told ever more slowly, and not for ever; the escalation stays open all the same.
func TestNobodyTakesIt(t *testing.T) {
	d := open(t, terms())
	d.until(start.Add(400 * day))
	want := []string{
		"0h escalated", "4h escalated", "4h climbed", "12h escalated", "12h climbed", "18h unheard", "18h still", "30h still", "54h still", "78h still",
	}
	if got := d.got[:len(want)]; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if n := len(slices.DeleteFunc(slices.Clone(d.got), func(s string) bool { return !strings.HasSuffix(s, " still") })); n != 30 {
		t.Errorf("the last level was told again %d times, want 30", n)
	}
	if d.Over() || d.Status != risk.Open || d.Level != 2 || !d.NextDue().IsZero() || d.count(timeline.RiskUnheard) != 1 {
		t.Errorf("got %s at level %d, due %s", d.Status, d.Level, d.NextDue())
	}
	d.must(risk.Take{}, choi) // it is not too late
}

// Who has taken it and says nothing loses it to the next level, and hears so.
func TestNobodyAnswers(t *testing.T) {
	d := open(t, terms())
	d.must(risk.Take{}, park)
	d.until(start.Add(4 * time.Hour))
	wantGot(t, d, "0h escalated", "0h taken", "4h escalated", "4h climbed")
	if d.Status != risk.Open || d.Taker.ID != "" || d.all[2].Why != risk.Unanswered || !slices.Equal(d.all[2].To, append(person("park"), person("manager")...)) && !slices.Equal(d.all[2].To, append(person("manager"), person("park")...)) {
		t.Errorf("got %+v", d.all[2])
	}
	d.must(risk.Raise{Reason: "faster"}, kim)
	d.must(risk.Take{}, choi)
	d.until(start.Add(11 * time.Hour))
	if last := d.all[len(d.all)-1]; d.Status != risk.Taken || last.About != risk.StillThere || !slices.Contains(last.To, person("choi")[0]) || last.Why != risk.Unanswered {
		t.Errorf("at the last level: %s, %+v", d.Status, last)
	}
}

// The originator is not satisfied, so it climbs on; what the last level says may not be enough either.
func TestAnAnswerIsNotEnough(t *testing.T) {
	d := open(t, terms())
	d.must(risk.Answer{Text: "We look at it next year."}, park) // without having taken it
	if d.Taker != park {
		t.Errorf("taken by %+v", d.Taker)
	}
	d.must(risk.Raise{Reason: "that is too late"}, kim)
	if d.Level != 1 || d.Status != risk.Open {
		t.Errorf("%s at level %d", d.Status, d.Level)
	}
	d.must(risk.Raise{Reason: "not mine to decide"}, park)
	if err := d.do(risk.Raise{Reason: "higher"}, kim); err == nil || !strings.HasSuffix(err.Error(), "the last level has it: nobody stands above") {
		t.Errorf("above the last level: %v", err)
	}
	d.must(risk.Answer{Text: "No."}, choi)
	d.must(risk.Raise{Reason: "then say who carries the risk"}, kim)
	if d.Level != 2 || d.Status != risk.Open || d.Words != "then say who carries the risk" {
		t.Errorf("%s at level %d: %q", d.Status, d.Level, d.Words)
	}
}

// The originator says nothing. It is asked for some weeks and stays open.
func TestTheOriginatorSaysNothing(t *testing.T) {
	d := open(t, terms())
	d.must(risk.Answer{Text: "Done."}, park)
	d.until(start.Add(400 * day))
	wantGot(t, d, "0h escalated", "0h answered", "24h waiting", "192h waiting", "360h waiting", "528h waiting", "696h waiting", "864h waiting", "1032h waiting", "1200h waiting")
	if d.Status != risk.Answered || d.Over() {
		t.Errorf("it is %s", d.Status)
	}
}

func TestWhoMayNot(t *testing.T) {
	refused := func(d *desk, c risk.Command, by timeline.Actor, want string) {
		t.Helper()
		before := d.count(timeline.RiskRefused)
		if err := d.do(c, by); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T by %s: got %v, want %q", c, by.ID, err, want)
		}
		if d.count(timeline.RiskRefused) != before+1 {
			t.Errorf("%T by %s: the refusal does not stand in the timeline", c, by.ID)
		}
	}
	d := open(t, terms())
	refused(d, risk.Confirm{}, park, "김민수 has escalated it, and nobody else says that it is in hand")
	refused(d, risk.Confirm{}, timeline.Actor{Kind: timeline.Source, ID: "kim"}, "nobody else says that it is in hand")
	refused(d, risk.Take{}, kim, "김민수 has escalated it: want another person")
	refused(d, risk.Answer{Text: "x"}, kim, "want another person")
	refused(d, risk.Succeed{Person: "park", Name: "박서준", Reason: "kim has left"}, park, "박서준 cannot name themselves")
	if d.Status != risk.Open || d.Originator != kim {
		t.Errorf("a refusal changes something: %+v", d.Escalation)
	}
	d.must(risk.Take{}, park)
	if err := d.do(risk.Succeed{Person: "park", Reason: "x"}, choi); err == nil || !strings.Contains(err.Error(), "park has taken or answered it") {
		t.Errorf("whoever has taken it would close it: %v", err)
	}
	d.Found(false, d.now)
	d.Found(false, d.now)
	d.must(risk.Succeed{Person: "lee", Name: "이정훈", Reason: "kim has left"}, choi)
	lee := timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "이정훈"}
	refused(d, risk.Confirm{}, kim, "이정훈 has escalated it")
	if d.Gone || d.count(timeline.RiskOrphaned) != 1 || d.Originator != lee {
		t.Errorf("got %+v", d.Escalation)
	}
	d.must(risk.Confirm{}, lee)
}

// A level without anybody is left at once, but for the last one.
func TestALevelWithoutAnybody(t *testing.T) {
	d := open(t, terms())
	d.Nobody(0, d.now)
	d.Nobody(0, d.now) // of a message before
	d.until(d.now)
	wantGot(t, d, "0h escalated", "0h escalated", "0h climbed")
	if d.Level != 1 || d.all[1].Why != risk.Unmanned {
		t.Errorf("level %d, %+v", d.Level, d.all[1])
	}
	d.Nobody(1, d.now)
	d.Nobody(2, d.now)
	if d.Level != 2 || d.NextDue().IsZero() {
		t.Errorf("level %d, due %s", d.Level, d.NextDue())
	}
}

func TestWhatCannotBegin(t *testing.T) {
	for want, change := range map[string]func(*risk.Terms){
		`escalate risk "x": id: want one such as`:                      func(x *risk.Terms) { x.ID = "x" },
		"originator: want a person, who says in the end":               func(x *risk.Terms) { x.Originator.Kind = timeline.Source },
		"situation: missing; want all six parts":                       func(x *risk.Terms) { x.Situation = " " },
		"importance: missing; want all six parts":                      func(x *risk.Terms) { x.Importance = "" },
		"affected: missing; want all six parts":                        func(x *risk.Terms) { x.Affected = "" },
		"scale: missing; want all six parts":                           func(x *risk.Terms) { x.Scale = "" },
		"urgency: missing; want all six parts":                         func(x *risk.Terms) { x.Urgency = "" },
		"remedy: 2001 bytes; want 2000 at most":                        func(x *risk.Terms) { x.Remedy = strings.Repeat("x", 2001) },
		"priority: 0; want 1 to 5":                                     func(x *risk.Terms) { x.Priority = 0 },
		"levels: want at least one, each with somebody and a wait":     func(x *risk.Terms) { x.Levels = nil },
		"levels: want at least one, each with somebody and a wait\x00": func(x *risk.Terms) { x.Levels[1].Wait = 0 },
	} {
		x := terms()
		change(&x)
		if _, err := risk.Start(x, start); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, "\x00")) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestTheLevelsOfAPolicy(t *testing.T) {
	role := escalation.Target{Kind: escalation.Role, ID: "incident-manager"}
	p := escalation.Policy{
		Steps: []escalation.Step{
			{Targets: append(person("lead"), role), Wait: time.Hour},
			{Targets: []escalation.Target{role, {Kind: escalation.Engineer}}, Wait: time.Hour},
			{Targets: []escalation.Target{{Kind: escalation.Group, ID: "noc"}}, Wait: 2 * time.Hour},
		},
		LastResort: person("director"), LastResortEvery: 4 * time.Hour,
	}
	var got []string
	for _, l := range risk.Levels(p) {
		got = append(got, escalation.Shown(l.Targets)+" "+l.Wait.String())
	}
	if want := []string{"person:lead 1h0m0s", "group:noc 2h0m0s", "person:director 4h0m0s"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whatever is asked in whatever order: only the originator ends it, it never goes down a level, and as long as nobody has answered
// and its messages last, somebody is told next.
func TestWhateverIsAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := open(t, terms())
		people := []timeline.Actor{kim, park, choi, {Kind: timeline.Person, ID: "lee", Name: "이정훈"}}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			by := rapid.SampledFrom(people).Draw(t, "by")
			who := rapid.SampledFrom(people).Draw(t, "who")
			c := rapid.SampledFrom([]risk.Command{
				risk.Take{}, risk.Answer{Text: "x"}, risk.Confirm{}, risk.Raise{Reason: "x"}, risk.Note{Text: "x"}, risk.Succeed{Person: who.ID, Name: who.Name, Reason: "x"},
			}).Draw(t, "command")
			level, over, originator := d.Level, d.Over(), d.Originator
			err := d.do(c, by)
			if _, ends := c.(risk.Confirm); d.Over() && !over && (!ends || by != originator) {
				t.Fatalf("%T by %s ends what %s has escalated", c, by.ID, originator.ID)
			}
			if over && err == nil {
				t.Fatalf("%T after the end", c)
			}
			if d.Level < level {
				t.Fatalf("level %d after %d", d.Level, level)
			}
			if !d.Over() && d.Round == 0 && d.NextDue().IsZero() {
				t.Fatalf("nobody is told next: %+v", d.Escalation)
			}
			d.until(d.now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour))
		}
		if d.Refusals > 21 {
			t.Fatalf("%d refusals are recorded", d.Refusals)
		}
	})
}
