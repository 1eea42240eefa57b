package workflows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/timeline"
	"muster/workflows"
)

var yoon = timeline.Actor{Kind: timeline.Person, ID: "yoon", Name: "Yoon"}

// Handover writes what can be told apart: what it is about, and to which round it belongs.
func (writer) Handover(t handover.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Handover, Language: to.Language, Subject: string(t.About), Text: fmt.Sprint(t.Round)}, nil
}

// passing hands primary over from kim, who leads an incident, to park. It is escalated to lee.
func passing() handover.Terms {
	return handover.Terms{
		Schedule: "primary", Outgoing: kim, Incoming: park, Note: "watch the batch", Within: handover.Usual, Zone: "Asia/Seoul",
		Items:      []handover.Item{{Incident: "INC-TEST", Priority: priority.P1, Roles: []incident.Role{incident.IncidentManager}}},
		LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}},
	}
}

// hand asks something of a hand-over when so much time has passed.
func hand[C handover.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String()+by.ID, update, by, c) })
	return a
}

// handOver runs a hand-over to its end and returns it.
func (r *rehearsal) handOver(terms handover.Terms) handover.Handover {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.HandoverWorkflow, sealed(r, workflows.HandoverWorkflow, "", kim, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	var h handover.Handover
	if err := v.Get(&h); err != nil {
		r.Fatal(err)
	}
	return h
}

// heard lists what was delivered: "asked park".
func (r *rehearsal) heard() (all []string) {
	for _, e := range r.sender.Delivered() {
		all = append(all, e.Message.Subject+" "+e.Recipient.ID)
	}
	return all
}

func (r *rehearsal) wantHeard(want ...string) {
	r.Helper()
	if d := cmp.Diff(want, r.heard()); d != "" {
		r.Errorf("delivered (-want +got):\n%s", d)
	}
}

// count counts the entries of a kind.
func count(l timeline.Log, k timeline.Kind) (n int) {
	for _, e := range l.Entries {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func TestAHandoverIsConfirmedInTime(t *testing.T) {
	r := rehearse(t)
	stranger := hand(r, time.Minute, workflows.ConfirmUpdate, yoon, handover.Confirm{})
	giver := hand(r, time.Minute, workflows.ConfirmUpdate, kim, handover.Confirm{InsteadOf: "park"})
	noted := hand(r, 2*time.Minute, workflows.NoteUpdate, yoon, handover.Note{Text: "park is on the train"})
	confirmed := hand(r, 3*time.Minute, workflows.ConfirmUpdate, park, handover.Confirm{Note: "good night"})
	again := hand(r, 3*time.Minute+time.Second, workflows.ConfirmUpdate, park, handover.Confirm{})
	passed := hand(r, 3*time.Minute+2*time.Second, workflows.PassUpdate, park, handover.Pass{Roles: 1})
	h := r.handOver(passing())
	r.wantHeard("asked park", "over kim")
	for want, a := range map[string]*answer{"it goes to": stranger, "it comes from you": giver, "it is confirmed since": again} {
		if a.rejected == nil || !strings.Contains(a.rejected.Error(), want) {
			t.Errorf("got %v, want %q", a.rejected, want)
		}
	}
	for n, a := range []*answer{noted, confirmed, passed} {
		if !a.done || a.rejected != nil || a.failed != nil {
			t.Errorf("answer %d: %+v", n, a)
		}
	}
	if h.Status != handover.Confirmed || h.Ended != start.Add(3*time.Minute) || h.Words != "good night" || count(h.Timeline, timeline.HandoverPassed) != 1 {
		t.Errorf("got %+v", h)
	}
}

func TestAHandoverRemindsHalfWay(t *testing.T) {
	r := rehearse(t)
	hand(r, 10*time.Minute, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(passing())
	r.wantHeard("asked park", "again park", "over kim")
	if h.Rounds != 0 || count(h.Timeline, timeline.HandoverUnknown) != 1 { // nobody has said that the roles have gone over
		t.Errorf("%d rounds, timeline %+v", h.Rounds, h.Timeline.Entries)
	}
}

func TestAnUnconfirmedHandoverIsEscalatedAgainAndAgain(t *testing.T) {
	r := rehearse(t)
	hand(r, 50*time.Minute, workflows.ConfirmUpdate, yoon, handover.Confirm{InsteadOf: "park"})
	h := r.handOver(passing())
	got := r.heard()
	slices.Sort(got[2:5]) // those of a round do not wait for each other
	slices.Sort(got[5:7])
	slices.Sort(got[7:9])
	slices.Sort(got[9:])
	want := []string{
		"asked park", "again park", "again park", "escalated lee", "unconfirmed kim", "again park", "escalated lee", "again park", "escalated lee",
		"over kim", "over park",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("delivered (-want +got):\n%s", d)
	}
	if h.Incoming != yoon || h.InsteadOf != park.Name || h.Rounds != 3 {
		t.Errorf("it goes to %s instead of %s after %d rounds", h.Incoming.Shown(), h.InsteadOf, h.Rounds)
	}
}

func TestAHandoverLapsesAfterADay(t *testing.T) {
	r := rehearse(t)
	late := hand(r, handover.Life+time.Second, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(passing())
	if h.Status != handover.Lapsed || h.Ended != start.Add(handover.Life) || h.Rounds != 95 {
		t.Errorf("%s at %s after %d rounds", h.Status, h.Ended, h.Rounds)
	}
	last := r.heard()
	last = last[len(last)-2:]
	slices.Sort(last)
	if d := cmp.Diff([]string{"over kim", "over park"}, last); d != "" || late.done && late.rejected == nil {
		t.Errorf("at its end (-want +got):\n%s\nand a late confirmation: %+v", d, late)
	}
}

func TestADeclinedHandoverEndsAtOnce(t *testing.T) {
	r := rehearse(t)
	hand(r, time.Minute, workflows.DeclineUpdate, park, handover.Decline{Reason: "ill"})
	h := r.handOver(passing())
	r.wantHeard("asked park", "over kim")
	if h.Status != handover.Declined || h.Words != "ill" {
		t.Errorf("got %+v", h)
	}
}

// A contact method that is away is not waited for; what has not arrived when it is confirmed is taken back.
func TestAHandoverTriesTheNextContactMethod(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "park", Method: "phone"}, 1, inmem.Refuse("no such number"))
	r.sender.On(inmem.Match{Recipient: "kim"}, 1_000, inmem.Fail(0))
	r.at(20*time.Minute, func() {
		if got := r.heard(); !slices.Contains(got, "escalated lee") || slices.Contains(got, "unconfirmed kim") {
			t.Errorf("after twenty minutes: %v", got)
		}
	})
	hand(r, 21*time.Minute, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(passing())
	if count(h.Timeline, timeline.Withdrawn) != 1 {
		t.Errorf("%d deliveries were taken back, want that to kim: %+v", count(h.Timeline, timeline.Withdrawn), h.Timeline.Entries)
	}
	if first := r.sender.Delivered()[0]; first.Recipient.ID != "park" || first.Contact.Method != "mail" {
		t.Errorf("the first went to %s by %s", first.Recipient.ID, first.Contact.Method)
	}
}

func TestAHandoverSaysWhoCannotBeReached(t *testing.T) {
	r := rehearse(t)
	r.older.Store(3) // the worker's folder lags behind
	broken := passing()
	broken.LastResort = []escalation.Target{{Kind: escalation.Schedule, ID: "broken"}}
	hand(r, 20*time.Minute, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(broken)
	if count(h.Timeline, timeline.Undetermined) != 1 || r.heard()[0] != "asked park" {
		t.Errorf("heard %v, timeline %+v", r.heard(), h.Timeline.Entries)
	}
}

// What was still to be written when it ended matters to nobody, and is no fault.
func TestAHandoverThatIsTakenEarlyLeavesNothingToSay(t *testing.T) {
	r := rehearse(t)
	r.older.Store(3)
	hand(r, 2*time.Second, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(passing())
	r.wantHeard("over kim")
	if count(h.Timeline, timeline.Undetermined) != 0 {
		t.Errorf("timeline %+v", h.Timeline.Entries)
	}
}

func TestACancelledHandoverGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Minute, r.env.CancelWorkflow)
	hand(r, 2*time.Minute, workflows.ConfirmUpdate, park, handover.Confirm{})
	h := r.handOver(passing())
	if count(h.Timeline, timeline.CancelRefused) != 1 || h.Status != handover.Confirmed {
		t.Errorf("got %+v", h)
	}
}

func TestAHandoverTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":            {func(*rehearsal) any { return passing() }, "it is not signed"},
		"by a stranger":         {func(r *rehearsal) any { return as(r, r.stranger(), workflows.HandoverWorkflow, passing()) }, "none of this installation's"},
		"in another's name":     {func(r *rehearsal) any { return sealed(r, workflows.HandoverWorkflow, "", park, passing()) }, "김민수 hands over, and 박서준 asks for it"},
		"copied from elsewhere": {func(r *rehearsal) any { return sealed(r, workflows.ReviewWorkflow, "", kim, passing()) }, "the signature does not fit"},
		"of nothing": {func(r *rehearsal) any {
			return sealed(r, workflows.HandoverWorkflow, "", kim, handover.Terms{Outgoing: kim})
		}, "missing"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.HandoverWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}

	r := rehearse(t)
	unsigned, copied := &answer{}, &answer{}
	r.at(time.Minute, func() { unsigned.to(r, "u1", workflows.ConfirmUpdate, handover.Confirm{InsteadOf: "park"}) })
	r.at(time.Minute, func() {
		copied.to(r, "u2", workflows.ConfirmUpdate, sealed(r, workflows.NoteUpdate, "u2", park, handover.Confirm{}))
	})
	hand(r, 2*time.Minute, workflows.DeclineUpdate, kim, handover.Decline{Reason: "not now"})
	h := r.handOver(passing())
	if unsigned.rejected == nil || copied.rejected == nil || h.Status != handover.Declined || len(r.refused) != 2 {
		t.Errorf("unsigned %v, copied %v, %s, refused %+v", unsigned.rejected, copied.rejected, h.Status, r.refused)
	}
}
