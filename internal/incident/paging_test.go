package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// begun is an incident whose first page is about to go out, in a world that the test may still change.
func begun(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	def := definition()
	def.Customers = nil // so that only pages and their reminders are told
	if change != nil {
		change(&def)
	}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, firing("a", start)), start)
	return &world{t: t, i: i, now: start}
}

func minutes(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }

// delayed asks for the phone three minutes after the app.
func delayed(to []incident.Addressed) []incident.Addressed {
	for n := range to {
		to[n].To.Methods, to[n].To.Delays = []string{"app", "phone", "mail"}, []time.Duration{0, 3 * time.Minute}
	}
	return to
}

func TestAMethodWithADelayFollowsAPageThatHasArrived(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	w.wantTold("page schedule:primary app")
	w.until(minutes(2))
	w.wantTold()
	w.until(minutes(3))
	w.wantTold("page schedule:primary phone")
	w.until(minutes(4)) // the mail has no delay, and the phone has arrived
	w.wantTold()
	w.until(minutes(5))
	w.wantTold("page schedule:secondary app")
	w.do("1", incident.Acknowledge{}, park)
	w.until(minutes(60))
	w.wantTold()
	if len(w.i.Later) > 0 {
		t.Errorf("still to come: %+v", w.i.Later)
	}
}

func TestARefusedPageIsNotDelayed(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.refuse = func(s incident.Send) bool { return s.Method == 0 }
	w.settle()
	w.wantTold("page schedule:primary phone")
	w.until(minutes(4))
	w.wantTold()
}

func TestAPageWithoutAnOutcomeIsFollowedAfterTheDelayOfTheNextMethod(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.silent = func(s incident.Send) bool { return s.Work == incident.PagePerson && s.Method < 2 }
	w.settle()
	w.until(minutes(2)) // the policy would say one minute
	w.wantTold()
	w.until(minutes(4)) // three minutes, and then the policy's one for the mail
	w.wantTold("page schedule:primary mail")
}

func TestADelayedMethodWaitsWhileAllAlertsAreResolved(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	w.until(minutes(1))
	w.i.Receive(batch(w.now, resolved("a", start)), w.now)
	w.told = nil
	w.until(minutes(4))
	w.wantTold()
	w.i.Receive(batch(w.now, firing("a", w.now)), w.now)
	w.settle()
	w.wantTold("page schedule:primary phone")
}

func TestWhoeverIsPagedAnewIsPagedByEveryMethodAnew(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Policy.Steps = []escalation.Step{{Targets: d.Policy.Steps[0].Targets, Wait: 2 * time.Minute}}
		d.Policy.Repeats = 1
	})
	w.composed = delayed
	w.settle()
	w.until(minutes(2))
	w.wantTold("page schedule:primary app", "page schedule:primary app")
	w.until(minutes(4))
	w.told = nil // the last resort
	w.until(minutes(5))
	w.wantTold("page schedule:primary phone")
}

func TestADelayedMethodOfAnEarlierClimbDoesNotFollow(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	if err := w.i.Do("1", incident.Resolve{Note: "fixed"}, park, w.now); err != nil {
		t.Fatal(err)
	}
	if err := w.i.Do("2", incident.Reopen{Reason: "it was not"}, park, w.now); err != nil {
		t.Fatal(err)
	}
	w.silent = func(s incident.Send) bool { return s.Work == incident.PageStep }
	w.settle()
	w.told = nil
	w.until(minutes(4))
	w.wantTold()
}

func TestWhoeverIsHeldBackIsSkippedAndSaid(t *testing.T) {
	w := begun(t, nil)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		if to[0].To.ID == "schedule:primary" {
			return []incident.Addressed{{To: delivery.Recipient{ID: "kim", Name: "김민수"}, Held: incident.HeldByQuietHours}}
		}
		return to
	}
	w.settle()
	w.wantTold("page schedule:secondary webhook") // at once: nobody else of the first step can be reached
	var said []string
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.HeldBack || e.Kind == timeline.StepEmpty {
			said = append(said, strings.TrimSpace(string(e.Kind)+" "+e.Fact("to")+" "+e.Fact("cause")))
		}
	}
	if want := []string{"delivery.held-back 김민수 quiet-hours", "escalation.step-empty"}; !slices.Equal(said, want) {
		t.Errorf("the timeline says %v, want %v", said, want)
	}
}

func TestOthersOfAStepArePagedWhenOneIsHeldBack(t *testing.T) {
	w := begun(t, nil)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		return append([]incident.Addressed{{To: delivery.Recipient{ID: "kim", Name: "김민수"}, Held: incident.HeldByAbsence}}, to...)
	}
	w.settle()
	w.until(minutes(4))
	w.wantTold("page schedule:primary webhook")
	if w.has(timeline.StepEmpty) > 0 {
		t.Error("the step counts as empty")
	}
}
