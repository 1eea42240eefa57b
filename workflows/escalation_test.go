package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/risk"
	"muster/internal/timeline"
	"muster/workflows"
)

// Risk writes what can be told apart: what it is about, at which level, and who was looked for in vain.
func (writer) Risk(t risk.Telling, gone bool, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Risk, Language: to.Language, Subject: fmt.Sprintf("%s%d", t.About, t.Level), Text: string(t.Status)}
	if gone {
		m.Subject += "-gone"
	}
	return m, nil
}

const restore = risk.ID("ESC-7K3M9QX2PA")

// seen is a risk that kim sees: park leads, yoon manages, choi directs.
func seen() risk.Terms {
	one := func(id string, hours int) risk.Level {
		return risk.Level{Targets: []escalation.Target{{Kind: escalation.Person, ID: id}}, Wait: time.Duration(hours) * time.Hour}
	}
	return risk.Terms{
		ID: restore, Request: "r", Originator: kim,
		Asked: risk.Asked{
			Situation: "The restore was never tried.", Importance: "Last resort.", Affected: "Everybody.", Scale: "A day of data.", Urgency: "At once.",
			Remedy: "Try it.", Priority: priority.P3,
		},
		Pinned: risk.Pinned{Zone: "UTC", Policy: "management", Levels: []risk.Level{one("park", 4), one("yoon", 8), one("choi", 6)}},
	}
}

// urge asks something of an escalation when so many hours have passed.
func urge[C risk.Command](r *rehearsal, hours int, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(time.Duration(hours)*time.Hour, func() { tell(r, a, fmt.Sprintf("%s%d%s", update, hours, by.ID), update, by, c) })
	return a
}

// escalate runs an escalation to its end and returns it.
func (r *rehearsal) escalate(terms risk.Terms) (e risk.Escalation) {
	r.Helper()
	r.under(workflows.EscalationWorkflowID(terms.ID))
	r.tally.watch(r)
	r.env.ExecuteWorkflow(workflows.EscalationWorkflow, sealed(r, workflows.EscalationWorkflow, "", kim, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	if err := v.Get(&e); err != nil {
		r.Fatal(err)
	}
	return e
}

func TestARiskIsTakenAnsweredAndInHand(t *testing.T) {
	r := rehearse(t)
	urge(r, 1, workflows.TakeUpdate, park, risk.Take{})
	second := urge(r, 2, workflows.TakeUpdate, yoon, risk.Take{})
	urge(r, 3, workflows.AnswerUpdate, park, risk.Answer{Text: "We try it on Friday."})
	urge(r, 5, workflows.ConfirmUpdate, kim, risk.Confirm{})
	e := r.escalate(seen())
	r.wantTold("escalated1 park", "taken1 kim", "answered1 kim", "settled1 park")
	if second.rejected == nil || !strings.Contains(second.rejected.Error(), "by 박서준") {
		t.Errorf("who came too late hears %+v", second)
	}
	if e.Status != risk.InHand || !e.Ended.Equal(start.Add(5*time.Hour)) {
		t.Errorf("got %+v", e)
	}
}

func TestARiskThatNobodyTakes(t *testing.T) {
	r := rehearse(t)
	urge(r, 24*90, workflows.ConfirmUpdate, kim, risk.Confirm{Note: "the disk was replaced"})
	e := r.escalate(seen())
	want := []string{"escalated1 park", "escalated2 yoon", "climbed2 kim", "escalated3 choi", "climbed3 kim", "unheard3 kim", "settled3 park", "settled3 yoon", "settled3 choi"}
	for range 30 {
		want = append(want, "still3 choi")
	}
	r.wantTold(want...)
	if e.Level != 2 || count(e.Timeline, timeline.RiskLevel) != 3 {
		t.Errorf("got %+v", e)
	}
	if n := r.tally.events(); n > 650 {
		t.Errorf("got %s; want 650 events at most", r.tally)
	}
}

func TestAnAnswerThatIsNotEnough(t *testing.T) {
	r := rehearse(t)
	urge(r, 1, workflows.AnswerUpdate, park, risk.Answer{Text: "Next year."})
	urge(r, 2, workflows.RaiseUpdate, kim, risk.Raise{Reason: "that is too late"})
	urge(r, 3, workflows.AnswerUpdate, yoon, risk.Answer{Text: "On Friday."})
	stranger := urge(r, 4, workflows.ConfirmUpdate, park, risk.Confirm{})
	taker := urge(r, 4, workflows.ConfirmUpdate, yoon, risk.Confirm{})
	urge(r, 5, workflows.ConfirmUpdate, kim, risk.Confirm{})
	e := r.escalate(seen())
	r.wantTold("escalated1 park", "answered1 kim", "escalated2 yoon", "escalated2 park", "climbed2 kim", "answered2 kim", "settled2 park", "settled2 yoon")
	for _, a := range []*answer{stranger, taker} {
		if a.rejected != nil || a.failed == nil || !strings.Contains(a.failed.Error(), "김민수 has escalated it, and nobody else says that it is in hand") {
			t.Errorf("got %+v", a)
		}
	}
	if count(e.Timeline, timeline.RiskRefused) != 2 || e.Status != risk.InHand {
		t.Errorf("got %+v", e.Timeline.Entries)
	}
}

// The originator leaves, which the next message notices: the last level hears of it, and a successor closes it.
func TestWhoeverHasEscalatedLeaves(t *testing.T) {
	r := rehearse(t)
	r.office.people = map[string]string{"kim": ""}
	urge(r, 1, workflows.AnswerUpdate, park, risk.Answer{Text: "On Friday."})
	own := urge(r, 2, workflows.SucceedUpdate, choi, risk.Succeed{Person: "choi", Name: "최지우", Reason: "kim has left"})
	urge(r, 3, workflows.SucceedUpdate, choi, risk.Succeed{Person: "yoon", Name: "윤하늘", Reason: "kim has left"})
	urge(r, 4, workflows.ConfirmUpdate, yoon, risk.Confirm{})
	e := r.escalate(seen())
	r.wantTold("escalated1 park", "answered1-gone choi", "successor1 yoon", "settled1 park")
	if own.failed == nil || e.Gone || e.Originator.ID != "yoon" || count(e.Timeline, timeline.RiskOrphaned) != 1 {
		t.Errorf("%+v, got %+v", own, e)
	}
}

// Nobody is there at the first level, and the second is the originator alone: both are left at once.
func TestLevelsWithoutAnybody(t *testing.T) {
	r := rehearse(t)
	r.office.people = map[string]string{"park": ""}
	terms := seen()
	terms.Levels[1].Targets[0].ID = "kim"
	urge(r, 1, workflows.ConfirmUpdate, kim, risk.Confirm{})
	e := r.escalate(terms)
	r.wantTold("climbed2 kim", "escalated3 choi", "climbed3 kim", "settled3 choi")
	if e.Level != 2 {
		t.Errorf("got %+v", e)
	}
}

func TestACancelledEscalationGoesOn(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "park"}, 1, inmem.Refuse("no such hook"))
	r.at(time.Hour, r.env.CancelWorkflow)
	urge(r, 2, workflows.ConfirmUpdate, kim, risk.Confirm{})
	if e := r.escalate(seen()); count(e.Timeline, timeline.CancelRefused) != 1 || count(e.Timeline, timeline.Refused) != 1 || e.Status != risk.InHand {
		t.Errorf("got %+v", e)
	}
}

func TestAnEscalationTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":        {func(*rehearsal) any { return seen() }, "it is not signed"},
		"in another's name": {func(r *rehearsal) any { return sealed(r, workflows.EscalationWorkflow, "", park, seen()) }, "김민수 escalates it, and 박서준 asks for it"},
		"of another kind":   {func(r *rehearsal) any { return sealed(r, workflows.RequestWorkflow, "", kim, seen()) }, "the signature does not fit"},
		"of five parts": {func(r *rehearsal) any {
			terms := seen()
			terms.Remedy = ""
			return sealed(r, workflows.EscalationWorkflow, "", kim, terms)
		}, "remedy: missing; want all six parts"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.EscalationWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
}
