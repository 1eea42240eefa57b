package request_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "Park"}
)

func minute(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// terms ask for a tuning, of which the plan includes some a month, recorded by kim. None means that it includes as many as
// somebody wants.
func terms(grant supportplan.Grant, hours supportplan.Open) request.Terms {
	e := supportplan.Entitlement{
		Terms: supportplan.Terms{Coverage: supportplan.AroundTheClock, Column: "basic"},
		Table: supportplan.Table{
			ID: "t", Columns: []supportplan.Column{{ID: "basic"}},
			Groups: []supportplan.Group{{Features: []supportplan.Feature{{ID: "tuning", In: []supportplan.Grant{grant}}}}},
		},
	}
	return request.Terms{
		ID: request.NewID(7), Request: "r", Recorder: kim,
		Asked: request.Asked{Customer: "garam", Kind: "tuning", Feature: "tuning", Received: start, Text: "It is slow."},
		Pinned: request.Pinned{
			CustomerName: "가람유통", Zone: "UTC", Entitlement: e, AtRisk: 75, Confirm: &supportplan.Confirmation{Days: 5},
			Promises:  []supportplan.Promise{{Target: supportplan.Respond, Within: time.Hour}, {Target: supportplan.Resolve, Within: 4 * time.Hour}},
			Uncounted: e.Check(supportplan.Request{Feature: "tuning", At: start, Zone: time.UTC, Hours: hours}),
		},
	}
}

func monthly(n int) supportplan.Grant {
	return supportplan.Grant{Kind: supportplan.Limited, Quota: supportplan.Quota{Count: n, Per: supportplan.Month}}
}

var (
	included = supportplan.Grant{Kind: supportplan.Included}
	addOn    = supportplan.Grant{Kind: supportplan.AddOn}
	served   = supportplan.Open{Known: true, Now: true}
	closed   = supportplan.Open{Known: true}
)

// due are the instants of the clocks.
func due() []incident.Instants {
	return []incident.Instants{
		{Target: supportplan.Respond, RiskAt: minute(45), Due: minute(60)}, {Target: supportplan.Resolve, RiskAt: minute(180), Due: minute(240)},
	}
}

// A failer is a test, of whichever kind.
type failer interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// A desk plays whoever does what a request asks for.
type desk struct {
	*request.Request
	t    failer
	said []string
	last []request.Telling
}

func receive(t failer, terms request.Terms) *desk {
	t.Helper()
	r, err := request.Start(terms, start)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{Request: r, t: t}
	return d.goOn(start)
}

// goOn keeps what is to be done at an instant. Clocks are computed at once.
func (d *desk) goOn(now time.Time) *desk {
	for work := d.Advance(now); len(work) > 0; work = d.Advance(now) {
		for _, w := range work {
			switch w.Do {
			case request.ComputeClocks:
				d.Computed(due(), "", now)
			case request.Tell:
				d.said = append(d.said, string(w.Telling.About))
				d.last = append(d.last, w.Telling)
			case request.Claim:
				d.said = append(d.said, "claim "+string(w.Claim.Take))
			case request.Return, request.Confirm:
				d.said = append(d.said, string(w.Do))
			}
		}
	}
	return d
}

func (d *desk) ask(c request.Command, by timeline.Actor, now time.Time) error {
	if err := c.Check(d.Request, by); err != nil {
		return err
	}
	err := c.Apply(d.Request, by, now)
	d.goOn(now)
	return err
}

func (d *desk) must(c request.Command, by timeline.Actor, now time.Time) {
	d.t.Helper()
	if err := d.ask(c, by, now); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) want(s request.Status, said ...string) {
	d.t.Helper()
	if diff := cmp.Diff(said, d.said); d.Status != s || diff != "" {
		d.t.Errorf("it is %s, want %s; (-want +got):\n%s", d.Status, s, diff)
	}
	d.said = nil
}

func (d *desk) kinds() (kinds []string) {
	for _, e := range d.Timeline.Entries {
		kinds = append(kinds, string(e.Kind))
	}
	return kinds
}

func TestWhatThePlanCoversIsAcceptedAtOnce(t *testing.T) {
	d := receive(t, terms(included, served))
	d.want(request.Accepted, "receipt", "arrived")
	if told := d.last[0]; told.Target != supportplan.Respond || !told.Due.Equal(minute(60)) {
		t.Errorf("the customer is told %s by %s, want the response in an hour", told.Target, told.Due)
	}
	d.must(request.Answer{Text: "Tuned."}, kim, minute(30))
	d.want(request.Answered, "answer", "confirm")
	for _, c := range d.Clocks {
		if c.State != supportplan.Met {
			t.Errorf("the clock %s is %s", c.Target, c.State)
		}
	}
	d.Closing(minute(600), minute(30))
	if got := d.goOn(minute(599)).NextDue(); !got.Equal(minute(600)) || d.Over() {
		t.Errorf("next due %s", got)
	}
	d.goOn(minute(600)).want(request.Closed)
	if !d.Over() || !d.NextDue().IsZero() {
		t.Errorf("%+v", d)
	}
}

func TestAnAnswerEndsItWhereNobodyIsAsked(t *testing.T) {
	asked := terms(included, served)
	asked.Confirm = nil
	d := receive(t, asked)
	d.must(request.Answer{Text: "Tuned."}, kim, minute(30))
	d.want(request.Closed, "receipt", "arrived", "answer")
}

func TestWhatThePlanDoesNotCoverWaitsForAnotherPerson(t *testing.T) {
	for name, asked := range map[string]request.Terms{
		"outside":      terms(addOn, served),
		"undecided":    terms(supportplan.Grant{Kind: supportplan.Unknown}, served),
		"out of hours": terms(included, closed),
	} {
		d := receive(t, asked)
		if d.said[0] != "receipt" || d.Status != request.Waiting {
			t.Errorf("%s: %s, said %v", name, d.Status, d.said)
		}
	}
	d := receive(t, terms(addOn, served))
	d.want(request.Waiting, "receipt", "arrived")
	if err := d.ask(request.Approve{Reason: "as a favour"}, kim, minute(1)); err == nil || !strings.Contains(err.Error(), "김민수 has recorded it: want another person") {
		t.Errorf("got %v", err)
	}
	if d.Status != request.Waiting || !slices.Contains(d.kinds(), "decision.refused") {
		t.Errorf("%s, %v: want that the refusal stands in the timeline", d.Status, d.kinds())
	}
	d.must(request.Approve{Reason: "as a favour"}, park, minute(2))
	d.want(request.Accepted, "decided", "arrived")
	if err := d.ask(request.Decline{Reason: "too late"}, park, minute(3)); err == nil || !strings.Contains(err.Error(), "it is accepted by Park") {
		t.Errorf("the loser hears %v", err)
	}
}

func TestADeclinedRequestSaysWhatCouldBeHad(t *testing.T) {
	d := receive(t, terms(addOn, served))
	if err := d.ask(request.Decline{Reason: "no"}, kim, minute(1)); err == nil {
		t.Error("whoever has recorded it declines it")
	}
	d.must(request.Decline{Reason: "not in your plan", Offer: "Premium"}, park, minute(2))
	d.want(request.Declined, "receipt", "arrived", "decided")
	told := d.last[len(d.last)-1]
	if told.Words != "not in your plan" || told.Offer != "Premium" || len(told.Verdict.Offers) != 1 {
		t.Errorf("told %+v", told)
	}
	for _, c := range d.Clocks {
		if c.State != supportplan.Stopped {
			t.Errorf("the clock %s is %s", c.Target, c.State)
		}
	}
	if !d.NextDue().IsZero() || !d.Over() {
		t.Error("something is still due")
	}
}

func TestALimitIsCountedBeforeItIsDecided(t *testing.T) {
	d := receive(t, terms(monthly(2), served))
	d.want(request.Received, "claim left")
	d.Counted(usage.Counts{Used: 1, Taken: true}, "", minute(1))
	d.goOn(minute(1)).want(request.Accepted, "receipt", "arrived")
	if r := d.Verdict.Reasons[0]; r.Kind != supportplan.ReasonQuotaLeft || r.Used != 1 || r.Left != 1 {
		t.Errorf("got %+v", r)
	}
	d.must(request.Withdraw{Reason: "not needed"}, kim, minute(2))
	d.want(request.Withdrawn, "return", "decided")
	d.Returned("", minute(3))
	if d.Claimed {
		t.Error("its use still counts")
	}

	d = receive(t, terms(monthly(2), served)) // the last one is gone
	d.said = nil
	d.Counted(usage.Counts{Used: 2}, "", minute(1))
	d.goOn(minute(1)).want(request.Waiting, "receipt", "arrived")
	if d.Claimed || d.Verdict.Outcome != supportplan.Outside {
		t.Errorf("claimed %v, %s", d.Claimed, d.Verdict.Outcome)
	}
	d.must(request.Approve{Reason: "as a favour"}, park, minute(2))
	d.want(request.Accepted, "claim anyway", "decided", "arrived")

	d = receive(t, terms(monthly(2), closed)) // nothing is taken of what is not covered anyway
	d.want(request.Received, "claim look")
}

func TestWhatNobodyCanCountAPersonDecides(t *testing.T) {
	d := receive(t, terms(monthly(2), served))
	d.said = nil
	d.Counted(usage.Counts{}, "no answer in time", minute(1))
	d.goOn(minute(1)).want(request.Waiting, "receipt", "arrived")
	if d.Verdict.Outcome != supportplan.Undecided || !d.Claimed {
		t.Errorf("%s, claimed %v: it may have been counted", d.Verdict.Outcome, d.Claimed)
	}
	d.must(request.Decline{Reason: "no"}, park, minute(2))
	d.want(request.Declined, "return", "decided")
}

func TestWhatIsWithdrawnWhileItIsCountedIsGivenBackAfterwards(t *testing.T) {
	d := receive(t, terms(monthly(2), served))
	d.must(request.Withdraw{Reason: "a mistake"}, kim, minute(0))
	d.want(request.Withdrawn, "claim left", "decided")
	d.Counted(usage.Counts{Taken: true}, "", minute(1))
	d.goOn(minute(1)).want(request.Withdrawn, "return")
	d.Returned("the ledger is away", minute(2))
	if !d.Claimed || !slices.Contains(d.kinds(), "request.uncounted") {
		t.Errorf("claimed %v, %v", d.Claimed, d.kinds())
	}
}

func TestEveryDeadlineMissed(t *testing.T) {
	d := receive(t, terms(addOn, served))
	d.said = nil
	for _, n := range []int{44, 45, 60, 61, 180, 240, 10_000} {
		d.goOn(minute(n))
	}
	d.want(request.Waiting, "at-risk", "missed", "at-risk", "missed")
	if !d.NextDue().IsZero() {
		t.Errorf("next due %s", d.NextDue())
	}
	d.must(request.Approve{Reason: "at last"}, park, minute(300))
	d.must(request.Answer{Text: "Done."}, park, minute(301))
	for _, c := range d.Clocks {
		if c.State != supportplan.Missed || c.Open() {
			t.Errorf("the clock %s is %s", c.Target, c.State)
		}
	}
}

// An answer in the moment in which the promise is missed does not hide that it was.
func TestAnAnswerThatIsTooLate(t *testing.T) {
	d := receive(t, terms(included, served))
	d.must(request.Answer{Text: "Done."}, park, minute(60))
	n := 0
	for _, k := range d.kinds() {
		if k == "clock.missed" || k == "clock.met" {
			n++
		}
	}
	if d.Clocks[0].State != supportplan.Missed || d.Clocks[1].State != supportplan.Met || n != 2 {
		t.Errorf("got %+v, %v", d.Clocks, d.kinds())
	}
}

func TestClocksThatNobodyCanCompute(t *testing.T) {
	r, err := request.Start(terms(included, served), start)
	if err != nil {
		t.Fatal(err)
	}
	r.Advance(start)
	r.Computed([]incident.Instants{{Target: supportplan.Respond, Fault: "the calendar ends"}}, "", start)
	d := (&desk{Request: r, t: t}).goOn(start)
	if d.Status != request.Accepted || d.kinds()[1] != "clock.unknown" || d.kinds()[2] != "clock.unknown" {
		t.Errorf("%s, %v", d.Status, d.kinds())
	}
}

func TestARequestRefuses(t *testing.T) {
	long := strings.Repeat("x", request.MaxText+1)
	for name, tc := range map[string]struct {
		grant supportplan.Grant
		c     request.Command
		want  string
	}{
		"no reason":               {addOn, request.Approve{}, "approve request REQ-0000000007: reason: missing"},
		"no reason to decline":    {addOn, request.Decline{}, "reason: missing"},
		"long offer":              {addOn, request.Decline{Reason: "no", Offer: long}, "offer: 4001 bytes; want 4000 at most"},
		"answer before approval":  {addOn, request.Answer{Text: "x"}, "it is waiting-for-approval"},
		"approval of what is":     {included, request.Approve{Reason: "x"}, "it is accepted"},
		"empty answer":            {included, request.Answer{Text: " "}, "text: missing"},
		"long answer":             {included, request.Answer{Text: long}, "4001 bytes"},
		"withdrawal with nothing": {included, request.Withdraw{}, "reason: missing"},
		"empty note":              {included, request.Note{}, "text: missing"},
	} {
		d := receive(t, terms(tc.grant, served))
		before := len(d.Timeline.Entries)
		if err := d.ask(tc.c, park, minute(1)); err == nil || !strings.Contains(err.Error(), tc.want) || len(d.Timeline.Entries) != before {
			t.Errorf("%s: got %v and %d entries, want %q and no trace", name, err, len(d.Timeline.Entries)-before, tc.want)
		}
	}
	d := receive(t, terms(included, served))
	d.must(request.Withdraw{Reason: "x"}, park, minute(1))
	for _, c := range []request.Command{request.Note{Text: "x"}, request.Answer{Text: "x"}, request.Withdraw{Reason: "x"}} {
		if err := c.Check(d.Request, kim); err == nil || !strings.Contains(err.Error(), "it is withdrawn since 2026-11-23T09:01:00Z by Park") {
			t.Errorf("%T: got %v", c, err)
		}
	}
}

func TestATimelineIsBounded(t *testing.T) {
	d := receive(t, terms(addOn, served))
	for range 100 {
		_ = d.ask(request.Approve{Reason: "x"}, kim, minute(1))
		_ = d.ask(request.Decline{Reason: "x"}, kim, minute(1))
	}
	if d.Refusals != 20 {
		t.Errorf("%d refusals are recorded", d.Refusals)
	}
	var err error
	for range 100 {
		err = d.ask(request.Note{Text: strings.Repeat("x", request.MaxText)}, kim, minute(1))
	}
	if err == nil || !strings.Contains(err.Error(), "its timeline is full") {
		t.Errorf("got %v after 400 kB", err)
	}
}

func TestTermsThatAreWrong(t *testing.T) {
	for want, change := range map[string]func(*request.Terms){
		"id: want one such as":      func(t *request.Terms) { t.ID = "INC-0000000007" },
		"missing":                   func(t *request.Terms) { t.Text = "" },
		"4001 bytes":                func(t *request.Terms) { t.Text = strings.Repeat("x", 4_001) },
		"an instant that is not to": func(t *request.Terms) { t.Received = minute(6) },
	} {
		wrong := terms(included, served)
		change(&wrong)
		if _, err := request.Start(wrong, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The customer reads what has become of it, and nothing that was written for the inside or by whom.
func TestWhatTheCustomerSees(t *testing.T) {
	d := receive(t, terms(addOn, served))
	d.must(request.Note{Text: "they never pay"}, kim, minute(1))
	d.must(request.Approve{Reason: "they are loud"}, park, minute(2))
	d.must(request.Answer{Text: "Tuned."}, park, minute(3))
	shown := d.Shown(incident.Viewer{
		Party: "garam", Own: func(timeline.Actor) bool { return false }, Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: "미르넷"},
	})
	said := fmt.Sprintf("%+v", shown)
	for _, secret := range []string{"never pay", "loud", "Park", "김민수"} {
		if strings.Contains(said, secret) {
			t.Errorf("it shows %q: %s", secret, said)
		}
	}
	if !strings.Contains(said, "Tuned.") || !strings.Contains(said, "It is slow.") || len(shown.Clocks) != 2 || shown.Status != request.Answered || !shown.Partial {
		t.Errorf("it hides too much: %s", said)
	}
	if len(d.Timeline.Entries) <= len(shown.Timeline.Entries) || d.Reason != "they are loud" {
		t.Error("the request itself has changed")
	}
}

// Whatever comes in whatever order: what is declined or withdrawn gives back what may have been counted, nobody decides on what
// they have recorded, and what is over stays so.
func TestWhateverComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		grant := rapid.SampledFrom([]supportplan.Grant{included, addOn, monthly(1)}).Draw(rt, "grant")
		d := receive(rt, terms(grant, rapid.SampledFrom([]supportplan.Open{served, closed}).Draw(rt, "hours")))
		counting := slices.ContainsFunc(d.said, func(s string) bool { return strings.HasPrefix(s, "claim") })
		now := start
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute)
			d.goOn(now)
			by := rapid.SampledFrom([]timeline.Actor{kim, park}).Draw(rt, "by")
			before, entries := d.Status, len(d.said)
			over := d.Over()
			if counting && rapid.Bool().Draw(rt, "counted") {
				counting = false
				d.Counted(usage.Counts{Taken: d.Claimed}, rapid.SampledFrom([]string{"", "away"}).Draw(rt, "detail"), now)
				d.goOn(now)
			} else {
				c := rapid.SampledFrom([]request.Command{
					request.Approve{Reason: "x"}, request.Decline{Reason: "x"}, request.Answer{Text: "x"}, request.Withdraw{Reason: "x"}, request.Note{Text: "x"},
				}).Draw(rt, "command")
				_ = d.ask(c, by, now)
			}
			if slices.Contains(d.said[entries:], "claim anyway") {
				counting = true
			}
			if over && d.Status != before {
				rt.Fatalf("it was over as %s and is %s", before, d.Status)
			}
			if before == request.Waiting && d.Status != before && d.Status != request.Withdrawn && by == kim {
				rt.Fatalf("kim has recorded it and decides")
			}
			if next := d.NextDue(); !next.IsZero() && !next.After(now) {
				rt.Fatalf("next due %s at %s", next, now)
			}
		}
		returned := slices.Contains(d.said, "return")
		if (d.Status == request.Withdrawn || d.Status == request.Declined) && !counting && d.Claimed != returned {
			rt.Fatalf("%s, claimed %v, returned %v", d.Status, d.Claimed, returned)
		}
	})
}

func TestIdentity(t *testing.T) {
	for id, want := range map[request.ID]bool{"REQ-7K3M9QX2PA": true, "REQ-7K3M9QX2P": false, "INC-7K3M9QX2PA": false, "REQ-7K3M9QX2Pa": false, "": false} {
		if id.Valid() != want {
			t.Errorf("%s: valid is %v", id, id.Valid())
		}
	}
	if request.NewID(1) != "REQ-0000000001" {
		t.Errorf("got %s", request.NewID(1))
	}
}
