package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/timeline"
	"muster/workflows"
)

// Action writes what can be told apart: what it is about, and who was looked for in vain.
func (writer) Action(t action.Telling, ownerless bool, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Action, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}
	if ownerless {
		m.Subject += "-ownerless"
	}
	return m, nil
}

const (
	pools = action.ID("ACT-7K3M9QX2PA")
	aDay  = 24 * time.Hour
)

// improving is an action item of choi's, opened by kim, with the secondary's group behind: park. It is due in so many days.
func improving(days int) action.Terms {
	return action.Terms{
		ID: pools, Request: "r", Opener: kim,
		Asked: action.Asked{
			Title: "Alert on full pools", Kind: action.Detect, Priority: priority.P2, Owner: "choi", Group: "secondary",
			Due: start.Add(time.Duration(days) * aDay), Origin: action.Origin{Kind: action.OfReview, ID: "INC-7K3M9QX2PA"},
		},
		Pinned: action.Pinned{Zone: "UTC", OwnerName: "최지우"},
	}
}

var choi = timeline.Actor{Kind: timeline.Person, ID: "choi", Name: "최지우"}

// order asks something of an action item when so many days have passed.
func order[C action.Command](r *rehearsal, days int, update string, by timeline.Actor, c C) *answer {
	a, after := &answer{}, time.Duration(days)*aDay
	r.at(after, func() { tell(r, a, fmt.Sprintf("%s%d%s", update, days, by.ID), update, by, c) })
	return a
}

// improve runs an action item to its end and returns it.
func (r *rehearsal) improve(terms action.Terms) action.Action {
	r.Helper()
	r.under(workflows.ActionWorkflowID(terms.ID))
	r.tally.watch(r)
	r.env.ExecuteWorkflow(workflows.ActionItemWorkflow, sealed(r, workflows.ActionItemWorkflow, "", kim, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	return r.item()
}

// item is the action item as it is now.
func (r *rehearsal) item() (a action.Action) {
	r.Helper()
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatal(err)
	}
	if err := v.Get(&a); err != nil {
		r.Fatal(err)
	}
	return a
}

// It is due after three quarters and all their holidays. Nothing happens before the first reminder, and it costs one timer.
func TestAnActionItemSleepsForAYear(t *testing.T) {
	r := rehearse(t)
	quiet := 0
	r.at(350*aDay, func() { quiet = r.tally.events() })
	done := order(r, 365, workflows.CompleteUpdate, choi, action.Complete{Evidence: "https://git/1"})
	order(r, 366, workflows.VerifyUpdate, park, action.Verify{Result: action.Yes})
	order(r, 400, workflows.CheckEffectUpdate, kim, action.CheckEffect{Result: action.Yes})
	a := r.improve(improving(370))
	r.wantTold("assigned choi", "before choi", "verify kim", "verify park", "effect kim", "effect park", "ended choi", "ended kim", "ended park")
	if done.failed != nil || done.rejected != nil || a.Status != action.Closed || !a.Ended.Equal(start.Add(400*aDay)) {
		t.Errorf("%+v, %s at %s", done, a.Status, a.Ended)
	}
	if quiet > 24 {
		t.Errorf("%d events in the 350 days before the first reminder, want 24 at most: %s", quiet, r.tally)
	}
	if n := r.tally.events(); n > 150 {
		t.Errorf("got %s; want 150 events at most", r.tally)
	}
	if live := r.tally.timers.Load() - r.tally.fired.Load() - r.tally.cancelled.Load(); live > 0 {
		t.Errorf("%d timers are left running: %s", live, r.tally)
	}
}

func TestNobodyDoesAnActionItem(t *testing.T) {
	r := rehearse(t)
	order(r, 365, workflows.CancelUpdate, park, action.Cancel{Reason: "the service is gone"})
	a := r.improve(improving(30))
	want := []string{"assigned choi", "before choi", "before choi", "due choi", "ended choi", "ended kim", "ended park"}
	for range 8 {
		want = append(want, "late choi", "late kim", "late park")
	}
	r.wantTold(want...)
	if a.Status != action.Cancelled || count(a.Timeline, timeline.ItemOverdue) != 1 || a.Sends != 13 {
		t.Errorf("got %+v", a)
	}
	if n := r.tally.events(); n > 400 {
		t.Errorf("got %s; want 400 events at most", r.tally)
	}
}

// The owner leaves, which the next send notices. Whoever stands behind is told, until there is another one.
func TestTheOwnerOfAnActionItemLeaves(t *testing.T) {
	r := rehearse(t)
	r.at(10*aDay, func() {
		r.office.change(func(o *office) { o.people = map[string]string{"choi": ""} })
	})
	r.at(24*aDay, func() {
		if a := r.item(); !a.Ownerless || count(a.Timeline, timeline.ItemOwnerless) != 1 {
			t.Errorf("got %+v", a)
		}
	})
	order(r, 25, workflows.AssignUpdate, kim, action.Assign{Owner: "yoon", Name: "윤하늘", Reason: "choi has left"})
	order(r, 30, workflows.CompleteUpdate, yoon, action.Complete{Evidence: "x"})
	order(r, 31, workflows.CancelUpdate, park, action.Cancel{Reason: "x"})
	a := r.improve(improving(30))
	r.wantTold("assigned choi", "before-ownerless kim", "before-ownerless park", "assigned yoon", "before yoon", "due yoon", "verify kim", "verify park",
		"ended yoon", "ended kim", "ended park")
	if a.Ownerless || a.Owner != "yoon" {
		t.Errorf("got %+v", a)
	}
}

// Whom nobody knows is as one who has left, whoever opened it too.
func TestAnActionItemWhoseOwnerNobodyKnows(t *testing.T) {
	r := rehearse(t)
	r.office.people = map[string]string{"choi": "broken"}
	order(r, 1, workflows.CancelUpdate, park, action.Cancel{Reason: "x"})
	a := r.improve(improving(30))
	r.wantTold("assigned-ownerless kim", "assigned-ownerless park", "ended-ownerless kim", "ended-ownerless park")
	if count(a.Timeline, timeline.ItemOwnerless) != 1 || count(a.Timeline, timeline.Undetermined) != 2 {
		t.Errorf("got %+v", a.Timeline.Entries)
	}
}

func TestAnActionItemThatHasNotHelped(t *testing.T) {
	r := rehearse(t)
	order(r, 5, workflows.CompleteUpdate, park, action.Complete{Evidence: "x"}) // somebody else of the group
	own := order(r, 6, workflows.VerifyUpdate, park, action.Verify{Result: action.Yes})
	his := order(r, 7, workflows.VerifyUpdate, choi, action.Verify{Result: action.Yes})
	order(r, 8, workflows.VerifyUpdate, kim, action.Verify{Result: action.Yes})
	late := order(r, 9, workflows.VerifyUpdate, kim, action.Verify{Result: action.No, Note: "x"})
	order(r, 40, workflows.CheckEffectUpdate, kim, action.CheckEffect{Result: action.No, Note: "it happened again"})
	order(r, 41, workflows.CompleteUpdate, choi, action.Complete{Evidence: "y"})
	order(r, 42, workflows.VerifyUpdate, park, action.Verify{Result: action.Yes})
	early := order(r, 43, workflows.CheckEffectUpdate, choi, action.CheckEffect{Result: action.Yes})
	order(r, 44, workflows.CheckEffectUpdate, kim, action.CheckEffect{Result: action.Yes})
	a := r.improve(improving(30))
	r.wantTold("assigned choi", "verify kim", "effect kim", "again choi", "verify kim", "verify park", "ended choi", "ended kim", "ended park")
	for want, got := range map[string]*answer{"박서준 has done it": own, "최지우 owns it": his, "최지우 has done it": early} {
		if got.rejected != nil || got.failed == nil || !strings.Contains(got.failed.Error(), want) {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
	if late.rejected == nil || !strings.Contains(late.rejected.Error(), "it is verified since 2026-12-01T09:00:00Z by 김민수") {
		t.Errorf("who came too late hears %v", late.rejected)
	}
	if a.Status != action.Closed || a.Reopened != 1 || count(a.Timeline, timeline.ItemRefused) != 3 {
		t.Errorf("got %+v", a)
	}
}

func TestAnActionItemIsExtended(t *testing.T) {
	r := rehearse(t)
	due := func(days int) action.Extend {
		return action.Extend{Due: start.Add(time.Duration(days) * aDay), Reason: "parts are late"}
	}
	order(r, 25, workflows.ExtendUpdate, choi, due(60))
	alone := order(r, 50, workflows.ExtendUpdate, choi, due(90))
	order(r, 51, workflows.ExtendUpdate, kim, due(90))
	own := order(r, 84, workflows.CancelUpdate, choi, action.Cancel{Reason: "no time"})
	order(r, 85, workflows.CancelUpdate, kim, action.Cancel{Reason: "replaced"})
	a := r.improve(improving(30))
	r.wantTold("assigned choi", "before choi", "extended kim", "extended park", "extended park", "before choi", "ended choi", "ended kim", "ended park")
	for _, refused := range []*answer{alone, own} {
		if refused.failed == nil || !strings.Contains(refused.failed.Error(), "want another person") {
			t.Errorf("got %+v", refused)
		}
	}
	if a.Extended != 2 || count(a.Timeline, timeline.ItemRefused) != 2 {
		t.Errorf("got %+v", a)
	}
}

func TestAnActionItemTriesTheNextContactMethod(t *testing.T) {
	r := rehearse(t)
	r.sender.On(inmem.Match{Recipient: "choi"}, 1, inmem.Refuse("no such hook"))
	order(r, 1, workflows.CancelUpdate, park, action.Cancel{Reason: "x"})
	if a := r.improve(improving(30)); count(a.Timeline, timeline.Refused) != 1 {
		t.Errorf("got %+v", a.Timeline.Entries)
	}
}

func TestACancelledActionItemGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(aDay, r.env.CancelWorkflow)
	order(r, 2, workflows.CancelUpdate, park, action.Cancel{Reason: "x"})
	if a := r.improve(improving(30)); count(a.Timeline, timeline.CancelRefused) != 1 || a.Status != action.Cancelled || !a.Ended.Equal(start.Add(2*aDay)) {
		t.Errorf("got %+v", a)
	}
}

func TestAnActionItemTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":            {func(*rehearsal) any { return improving(30) }, "it is not signed"},
		"by a stranger":         {func(r *rehearsal) any { return as(r, r.stranger(), workflows.ActionItemWorkflow, improving(30)) }, "none of this installation's"},
		"in another's name":     {func(r *rehearsal) any { return sealed(r, workflows.ActionItemWorkflow, "", park, improving(30)) }, "김민수 opens it, and 박서준 asks for it"},
		"copied from elsewhere": {func(r *rehearsal) any { return sealed(r, workflows.RequestWorkflow, "", kim, improving(30)) }, "the signature does not fit"},
		"of the past":           {func(r *rehearsal) any { return sealed(r, workflows.ActionItemWorkflow, "", kim, improving(0)) }, "want an instant that is to come"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.ActionItemWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
	r := rehearse(t)
	unsigned := &answer{}
	r.at(aDay, func() { unsigned.to(r, "u1", workflows.CompleteUpdate, action.Complete{Evidence: "x"}) })
	order(r, 2, workflows.CancelUpdate, park, action.Cancel{Reason: "x"})
	if a := r.improve(improving(30)); unsigned.rejected == nil || a.Status != action.Cancelled {
		t.Errorf("unsigned %v, %s", unsigned.rejected, a.Status)
	}
}
