package action_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/internal/action"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

var (
	start   = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim     = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"} // has opened it
	park    = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	choi    = timeline.Actor{Kind: timeline.Person, ID: "choi", Name: "최지우"} // owns it
	machine = timeline.Actor{Kind: timeline.Source, ID: "ci"}
)

const day = 24 * time.Hour

func terms() action.Terms {
	return action.Terms{
		ID: "ACT-7K3M9QX2PA", Request: "r", Opener: kim,
		Asked: action.Asked{
			Title: "Alert on full connection pools", Text: "Nobody saw it.", Kind: action.Detect, Priority: priority.P2, Owner: "choi", Group: "platform",
			Due: start.Add(30 * day), Origin: action.Origin{Kind: action.OfReview, ID: "INC-7K3M9QX2PA", Customer: "acme", Service: "shop"},
		},
		Pinned: action.Pinned{Zone: "UTC", OwnerName: "최지우"},
	}
}

// A desk drives one action item by hand.
type desk struct {
	*action.Action
	t   interface{ Fatalf(string, ...any) }
	now time.Time
	got []string // what was told: "3 before"
}

func open(t interface{ Fatalf(string, ...any) }, terms action.Terms) *desk {
	a, err := action.Start(terms, start)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	d := &desk{Action: a, t: t, now: start}
	d.until(start)
	return d
}

// until goes to an instant, from one deadline to the next.
func (d *desk) until(at time.Time) {
	for {
		for _, told := range d.Advance(d.now) {
			d.got = append(d.got, fmt.Sprintf("%d %s", int(d.now.Sub(start)/day), told.About))
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

func (d *desk) do(c action.Command, by timeline.Actor) error {
	if err := c.Check(d.Action, by); err != nil {
		return err
	}
	err := c.Apply(d.Action, by, d.now)
	d.until(d.now)
	return err
}

func (d *desk) must(c action.Command, by timeline.Actor) {
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

func TestNobodyDoesIt(t *testing.T) {
	d := open(t, terms())
	d.until(start.Add(1000 * day))
	wantGot(t, d, "0 assigned", "23 before", "29 before", "30 due", "37 late", "44 late", "51 late", "58 late", "65 late", "72 late", "79 late", "86 late")
	if d.Status != action.Open || d.Listed() != action.Overdue || !d.NextDue().IsZero() || d.count(timeline.ItemOverdue) != 1 {
		t.Errorf("%s, %s, due %s", d.Status, d.Listed(), d.NextDue())
	}
}

func TestItIsDoneVerifiedAndHasHelped(t *testing.T) {
	d := open(t, terms())
	d.until(start.Add(10 * day))
	d.must(action.Complete{Evidence: "https://git/1", SHA256: strings.Repeat("ab", 32)}, choi)
	d.until(start.Add(20 * day)) // nobody looks for more than a week
	d.must(action.Verify{Result: action.Yes}, park)
	d.until(start.Add(60 * day))
	d.must(action.CheckEffect{Result: action.Yes, Note: "paged twice since"}, kim)
	d.until(start.Add(1000 * day))
	wantGot(t, d, "0 assigned", "10 verify", "17 verify", "50 effect", "57 effect", "60 ended")
	if d.Status != action.Closed || d.Ended != start.Add(60*day) || d.Verifier != park || d.DoneBy != choi {
		t.Errorf("got %+v", d.Action)
	}
}

func TestItIsOpenedAgain(t *testing.T) {
	d := open(t, terms())
	d.until(start.Add(29 * day))
	d.must(action.Complete{Evidence: "x"}, choi)
	d.must(action.Verify{Result: action.No, Note: "nothing there"}, park)
	if d.Status != action.Open || !d.Due.Equal(start.Add(43*day)) || d.Reason != "nothing there" {
		t.Errorf("%s, due %s: want it open for two more weeks", d.Status, d.Due)
	}
	d.must(action.Complete{Evidence: "y"}, park) // somebody else has done it
	if err := d.do(action.Verify{Result: action.Yes}, choi); err == nil || !strings.Contains(err.Error(), "최지우 owns it: want another person") {
		t.Errorf("its owner verifies it: %v", err)
	}
	d.must(action.Verify{Result: action.Yes}, kim)
	d.until(start.Add(70 * day))
	d.must(action.CheckEffect{Result: action.No, Note: "it happened again"}, kim)
	if d.Status != action.Open || d.Reopened != 2 || !d.CheckAt.IsZero() {
		t.Errorf("got %+v", d.Action)
	}
	d.until(start.Add(84 * day))
	wantGot(t, d, "0 assigned", "23 before", "29 before", "29 verify", "29 again", "29 verify", "59 effect", "66 effect", "70 again", "77 before", "83 before", "84 due")
}

// Who was reminded a week before is not reminded of the same again, and nobody of what came due before it was opened.
func TestShortNotice(t *testing.T) {
	in := terms()
	in.Due = start.Add(12 * time.Hour)
	d := open(t, in)
	d.until(start.Add(8 * day))
	wantGot(t, d, "0 assigned", "0 due", "7 late")
	// A worker that was away for long tells the newest reminder alone.
	d = open(t, terms())
	told := d.Advance(start.Add(52 * day))
	if len(told) != 1 || told[0].About != action.TooLate || told[0].Round != 3 || d.count(timeline.ItemOverdue) != 1 {
		t.Errorf("told %+v", told)
	}
}

func TestWhoIsTold(t *testing.T) {
	d := open(t, terms())
	group, opener := escalation.Target{Kind: escalation.Group, ID: "platform"}, escalation.Target{Kind: escalation.Person, ID: "kim"}
	check := func(name string, told []action.Telling, owner, all bool, except ...string) {
		t.Helper()
		if len(told) != 1 {
			t.Fatalf("%s: told %+v", name, told)
		}
		got := told[0]
		if got.Owner != owner || got.All != all || !slices.Equal(got.Except, except) || !slices.Equal(got.Behind, []escalation.Target{group, opener}) {
			t.Errorf("%s: got owner %t, all %t, except %v, behind %v", name, got.Owner, got.All, got.Except, got.Behind)
		}
	}
	check("before", d.Advance(start.Add(23*day)), true, false)
	check("due", d.Advance(start.Add(30*day)), true, false)
	check("late", d.Advance(start.Add(37*day)), true, true)
	if err := (action.Complete{Evidence: "x"}).Apply(d.Action, park, start.Add(38*day)); err != nil {
		t.Fatal(err)
	}
	check("done", d.Advance(start.Add(38*day)), false, true, "choi", "park")

	in := terms()
	in.Opener = timeline.Muster()
	a, err := action.Start(in, start)
	if err != nil {
		t.Fatal(err)
	}
	if told := a.Advance(start); len(told[0].Behind) != 1 {
		t.Errorf("opened by a workflow: behind are %v, want the group alone", told[0].Behind)
	}
}

func TestExtend(t *testing.T) {
	d := open(t, terms())
	later := func(days int) action.Extend {
		return action.Extend{Due: start.Add(time.Duration(days) * day), Reason: "parts are late"}
	}
	if err := d.do(later(30), choi); err == nil || !strings.Contains(err.Error(), "want an instant after") {
		t.Errorf("the same instant: %v", err)
	}
	d.must(later(40), choi)
	for range 30 {
		if err := d.do(later(50), choi); err == nil || !strings.Contains(err.Error(), "want another person") {
			t.Fatalf("the owner extends again: %v", err)
		}
	}
	if n := d.count(timeline.ItemRefused); n != 1 || d.Refusals != 20 {
		t.Errorf("%d entries of %d refusals, want one that counts to 20", n, d.Refusals)
	}
	d.must(later(50), park)
	if d.Extended != 2 || !d.Due.Equal(start.Add(50*day)) {
		t.Errorf("extended %d times, due %s", d.Extended, d.Due)
	}
	if err := d.do(later(5000), park); err == nil || !strings.Contains(err.Error(), "within three years") {
		t.Errorf("in fourteen years: %v", err)
	}
	d.until(start.Add(51 * day))
	if err := d.do(action.Extend{Due: start.Add(50*day + time.Hour), Reason: "x"}, park); err == nil || !strings.Contains(err.Error(), "to come") {
		t.Errorf("into the past: %v", err)
	}
	wantGot(t, d, "0 assigned", "0 extended", "0 extended", "43 before", "49 before", "50 due")
}

func TestANewOwner(t *testing.T) {
	d := open(t, terms())
	d.Found(false, d.now)
	d.Found(false, d.now)
	if !d.Ownerless || d.count(timeline.ItemOwnerless) != 1 {
		t.Errorf("ownerless %t, %d entries", d.Ownerless, d.count(timeline.ItemOwnerless))
	}
	if err := d.do(action.Assign{Owner: "choi", Reason: "x"}, kim); err == nil || !strings.Contains(err.Error(), "최지우 has it") {
		t.Errorf("to the same: %v", err)
	}
	d.must(action.Assign{Owner: "park", Name: "박서준", Group: "dba", Reason: "choi has left"}, kim)
	if d.Ownerless || d.Owner != "park" || d.OwnerName != "박서준" || d.Group != "dba" {
		t.Errorf("got %+v", d.Action)
	}
	wantGot(t, d, "0 assigned", "0 assigned")
	if err := d.do(action.Cancel{Reason: "no time"}, choi); err == nil || !slices.Equal(d.Owners, []string{"choi"}) {
		t.Errorf("who has given it away cancels it: %v, owned by %v before", err, d.Owners)
	}
}

func TestCancel(t *testing.T) {
	d := open(t, terms())
	if err := d.do(action.Cancel{Reason: "no time"}, choi); err == nil || d.count(timeline.ItemRefused) != 1 {
		t.Errorf("its owner cancels it: %v, want a refusal that stands in the timeline", err)
	}
	if err := d.do(action.Cancel{}, kim); err == nil || !strings.Contains(err.Error(), "reason: missing") {
		t.Errorf("without a reason: %v", err)
	}
	d.must(action.Cancel{Reason: "the service is gone"}, kim)
	wantGot(t, d, "0 assigned", "0 ended")
	if d.Status != action.Cancelled || !d.NextDue().IsZero() {
		t.Errorf("%s, due %s", d.Status, d.NextDue())
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", action.MaxText+1)
	stages := map[action.Status]func(*desk){
		action.Open: func(*desk) {},
		action.Done: func(d *desk) { d.must(action.Complete{Evidence: "x"}, choi) },
		action.Verified: func(d *desk) {
			d.must(action.Complete{Evidence: "x"}, choi)
			d.must(action.Verify{Result: action.Yes}, park)
		},
		action.Cancelled: func(d *desk) { d.must(action.Cancel{Reason: "x"}, park) },
	}
	for _, tt := range []struct {
		at   action.Status
		c    action.Command
		by   timeline.Actor
		want string
	}{
		{action.Open, action.Complete{}, choi, "complete action item ACT-7K3M9QX2PA: evidence: missing; want where it can be seen"},
		{action.Open, action.Complete{Evidence: long}, choi, "evidence: 4001 bytes; want 400 at most"},
		{action.Open, action.Complete{Evidence: "x", SHA256: "abc"}, choi, "sha256: want 64 lower-case hex digits"},
		{action.Open, action.Complete{Evidence: "x", SHA256: strings.Repeat("AB", 32)}, choi, "sha256: want 64 lower-case"},
		{action.Open, action.Complete{Evidence: "x", Note: long}, choi, "note: 4001 bytes"},
		{action.Open, action.Verify{Result: action.Yes}, park, "verify action item ACT-7K3M9QX2PA: it is open since 2026-11-23T09:00:00Z"},
		{action.Open, action.CheckEffect{Result: action.Yes}, park, "it is open"},
		{action.Open, action.Extend{Due: start.Add(40 * day)}, park, "reason: missing"},
		{action.Open, action.Assign{Reason: "x"}, park, "want the id of a person"},
		{action.Open, action.Assign{Owner: "yoon"}, park, "reason: missing"},
		{action.Open, action.Note{}, park, "text: missing"},
		{action.Open, action.Note{Text: long}, park, "text: 4001 bytes"},
		{action.Done, action.Complete{Evidence: "y"}, park, "it is done since 2026-11-23T09:00:00Z by 최지우"},
		{action.Done, action.Extend{Due: start.Add(40 * day), Reason: "x"}, park, "it is done"},
		{action.Done, action.Assign{Owner: "yoon", Reason: "x"}, park, "it is done"},
		{action.Done, action.Verify{Result: action.Yes}, choi, "최지우 has done it: want another person"},
		{action.Done, action.Verify{Result: action.Yes}, machine, "a machine asks: want another person"},
		{action.Done, action.Verify{Result: "perhaps"}, park, `result "perhaps": want yes or no`},
		{action.Done, action.Verify{Result: action.No}, park, "note: missing"},
		{action.Verified, action.Verify{Result: action.Yes}, kim, "it is verified since 2026-11-23T09:00:00Z by 박서준"},
		{action.Verified, action.CheckEffect{Result: action.Yes}, choi, "최지우 has done it"},
		{action.Verified, action.CheckEffect{Result: action.No}, park, "note: missing"},
		{action.Cancelled, action.Cancel{Reason: "x"}, park, "it is cancelled"},
		{action.Cancelled, action.Note{Text: "x"}, park, "it is cancelled"},
		{action.Cancelled, action.Complete{Evidence: "x"}, park, "it is cancelled"},
	} {
		d := open(t, terms())
		stages[tt.at](d)
		before := d.Status
		if err := d.do(tt.c, tt.by); err == nil || !strings.Contains(err.Error(), tt.want) || d.Status != before {
			t.Errorf("%s, %T: got %v, want %q", tt.at, tt.c, err, tt.want)
		}
	}
}

func TestAFullRecordTakesOnlyWhatEndsIt(t *testing.T) {
	d := open(t, terms())
	n := 0
	for ; d.do(action.Note{Text: "x"}, kim) == nil; n++ {
	}
	if n != 200 {
		t.Errorf("%d notes, want 200", n)
	}
	if err := d.do(action.Complete{Evidence: "x"}, choi); err == nil || !strings.Contains(err.Error(), "its record is full: cancel it and open another one") {
		t.Errorf("got %v", err)
	}
	d.must(action.Cancel{Reason: "full"}, kim)
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*action.Terms){
		`id: want one such as`:                        func(x *action.Terms) { x.ID = "INC-7K3M9QX2PA" },
		"opener: missing":                             func(x *action.Terms) { x.Opener = timeline.Actor{} },
		"title: missing":                              func(x *action.Terms) { x.Title = " " },
		"title: 201 bytes; want 200 at most":          func(x *action.Terms) { x.Title = strings.Repeat("x", 201) },
		"text: 4001 bytes":                            func(x *action.Terms) { x.Text = strings.Repeat("x", 4001) },
		"owner: missing":                              func(x *action.Terms) { x.Owner = "" },
		"group: missing":                              func(x *action.Terms) { x.Group = "" },
		`kind: "repair"; want prevent, detect`:        func(x *action.Terms) { x.Kind = "repair" },
		"priority: 0; want 1 to 5":                    func(x *action.Terms) { x.Priority = 0 },
		`origin: "whim"; want incident`:               func(x *action.Terms) { x.Origin.Kind = "whim" },
		"origin: missing":                             func(x *action.Terms) { x.Origin.ID = "" },
		"origin: want what it is":                     func(x *action.Terms) { x.Origin.Kind = "" },
		"public: want a customer":                     func(x *action.Terms) { x.Public, x.Origin.Customer = true, "" },
		"effect: 366 days; want 1 to 365":             func(x *action.Terms) { x.Effect = 366 },
		"due: missing":                                func(x *action.Terms) { x.Due = time.Time{} },
		"due: 2026-11-23T09:00:00Z; want an instant":  func(x *action.Terms) { x.Due = start },
		"want one within three years":                 func(x *action.Terms) { x.Due = start.AddDate(4, 0, 0) },
		`proposal: "wiki"; want checklist or runbook`: func(x *action.Terms) { x.Proposal = &action.Proposal{Shelf: "wiki", ID: "x", Text: "x"} },
		"proposal: missing":                           func(x *action.Terms) { x.Proposal = &action.Proposal{Shelf: action.Runbook, ID: "x"} },
		"want one line":                               func(x *action.Terms) { x.Proposal = &action.Proposal{Shelf: action.Runbook, ID: "x\ny", Text: "x"} },
	} {
		in := terms()
		change(&in)
		if _, err := action.Start(in, start); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "open action item ") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestWhatACustomerSees(t *testing.T) {
	in := terms()
	if d := open(t, in); d.VisibleTo() != nil {
		t.Errorf("an internal one is visible to %v", d.VisibleTo())
	}
	in.Public, in.CustomerName = true, "Acme"
	d := open(t, in)
	d.must(action.Note{Text: "secret"}, park)
	d.must(action.Complete{Evidence: "secret", Note: "secret"}, choi)
	d.must(action.Verify{Result: action.No, Note: "secret"}, park)
	provider := timeline.Actor{Kind: timeline.Person, ID: "provider", Name: "Muster"}
	s := d.Shown(incident.Viewer{Party: "acme", Instead: provider})
	if got := fmt.Sprintf("%+v", s); strings.Contains(got, "secret") || strings.Contains(got, "choi") || strings.Contains(got, "kim") || strings.Contains(got, "박서준") {
		t.Errorf("shows what is internal: %s", got)
	}
	if s.Title != in.Title || !s.Partial || len(s.Timeline.Entries) != 3 || s.Timeline.Entries[2].Fact("due") == "" {
		t.Errorf("got %+v", s)
	}
	if !slices.Equal(d.VisibleTo(), []string{"acme"}) {
		t.Errorf("visible to %v", d.VisibleTo())
	}
}

// Whatever people do and in whatever order: it is never closed unless another person than who did it has verified it, and another has
// said that it helped; something is due only in the future; what is told is bounded.
func TestProperties(t *testing.T) {
	for range 100 { // times 100
		rapid.Check(t, property)
	}
}

func property(rt *rapid.T) {
	people := []timeline.Actor{kim, park, choi, machine}
	in := terms()
	in.Due = start.Add(time.Duration(rapid.IntRange(1, 400).Draw(rt, "due")) * day)
	in.Effect = rapid.IntRange(1, 90).Draw(rt, "effect")
	d := open(rt, in)
	accepted := 0
	var doer, owner, verifier string // by a slow oracle
	for range rapid.IntRange(1, 25).Draw(rt, "steps") {
		d.until(d.now.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(rt, "hours")) * time.Hour))
		by := rapid.SampledFrom(people).Draw(rt, "by")
		result := rapid.SampledFrom(action.Results()).Draw(rt, "result")
		c := rapid.SampledFrom([]action.Command{
			action.Complete{Evidence: "x"},
			action.Verify{Result: result, Note: "n"},
			action.CheckEffect{Result: result, Note: "n"},
			action.Extend{Due: d.now.Add(time.Duration(rapid.IntRange(-10, 100).Draw(rt, "by days")) * day), Reason: "r"},
			action.Assign{Owner: rapid.SampledFrom([]string{"choi", "park"}).Draw(rt, "to"), Reason: "r"},
			action.Cancel{Reason: "r"},
			action.Note{Text: "t"},
		}).Draw(rt, "command")
		before := *d.Action
		err := d.do(c, by)
		if err != nil {
			if d.Status != before.Status || !d.Due.Equal(before.Due) || d.Owner != before.Owner {
				rt.Fatalf("%T is refused and changes something: %v", c, err)
			}
			continue
		}
		accepted++
		switch c.(type) {
		case action.Complete:
			doer, owner, verifier = by.ID, d.Owner, ""
		case action.Verify:
			if by.ID == doer || by.ID == owner || by.Kind != timeline.Person {
				rt.Fatalf("%s verifies what %s did for %s", by.ID, doer, owner)
			}
			verifier = by.ID
		case action.CheckEffect:
			if verifier == "" || by.ID == doer || by.ID == owner {
				rt.Fatalf("%s says that it helped; done by %s, verified by %q", by.ID, doer, verifier)
			}
		case action.Extend:
			if by.ID == before.Owner && before.Extended > 0 {
				rt.Fatalf("the owner extends it alone, after %d times", before.Extended)
			}
		case action.Cancel:
			if by.ID == before.Owner {
				rt.Fatalf("its owner cancels it")
			}
		}
		if d.Status == action.Closed && (d.Verifier.ID == "" || d.Verifier.ID == d.DoneBy.ID || d.Verifier.ID == d.Owner) {
			rt.Fatalf("closed, done by %s and verified by %q", d.DoneBy.ID, d.Verifier.ID)
		}
		if d.Status == action.Open && d.Status != before.Status && !d.Due.After(d.now) {
			rt.Fatalf("opened again and due at %s, which is over at %s", d.Due, d.now)
		}
	}
	d.until(d.now.AddDate(5, 0, 0))
	if !d.NextDue().IsZero() {
		rt.Fatalf("reminds for ever")
	}
	if most := 1 + accepted + 12*(accepted+1); d.Sends > most {
		rt.Fatalf("%d messages after %d decisions, want %d at most", d.Sends, accepted, most)
	}
	for n, e := range d.Timeline.Entries {
		if e.Seq != n+1 || n > 0 && e.At.Before(d.Timeline.Entries[n-1].At) {
			rt.Fatalf("entry %d: %+v", n, e)
		}
	}
}
