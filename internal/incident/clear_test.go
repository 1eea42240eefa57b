package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// byHand is an incident of whose customers only people write to acme; the engine writes to nuri.
func byHand(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	w := talking(t, func(d *incident.Definition) {
		nuri := d.Customers[0]
		nuri.ID, nuri.Name = "nuri", "Nuri"
		d.Customers[0].Plan.UpdateBy = supportplan.ByPerson
		d.Customers = append(d.Customers, nuri)
		if change != nil {
			change(d)
		}
	})
	w.asks(incident.Resolve{Note: "fixed"})
	return w
}

func TestAnIncidentDoesNotCloseBeforeItsCustomersHaveHeardThatItIsOver(t *testing.T) {
	w := byHand(t, nil)
	err := w.i.Do("close", incident.Close{}, park, w.now)
	if err == nil || !strings.Contains(err.Error(), "without the all-clear to acme; see to it first, or say without why") {
		t.Fatalf("got %v, want it refused because of acme alone", err)
	}
	asked := func() (n int) {
		for _, told := range w.told {
			if strings.HasPrefix(told, "reminder") {
				n++
			}
		}
		return n
	}
	before := asked()
	w.after(24*time.Hour - time.Second)
	if w.i.Status != incident.Resolved || asked() != before {
		t.Fatalf("before the time for reopening is over: %s, asked %d times more", w.i.Status, asked()-before)
	}
	w.after(72 * time.Hour) // asked at once, and every day
	if w.i.Status != incident.Resolved || asked() != before+3 || w.i.ClearAsked != 3 {
		t.Fatalf("three days after it: %s, asked %d times more, %d by its state", w.i.Status, asked()-before, w.i.ClearAsked)
	}
	w.asks(incident.SendUpdate{Customer: "acme", Text: "It is over."})
	if w.i.Status != incident.Closed || !slices.Equal(w.i.Cleared, []string{"nuri", "acme"}) {
		t.Errorf("after the all-clear: %s, heard have %v", w.i.Status, w.i.Cleared)
	}
}

func TestWhoeverClosesWithoutTheAllClearSaysWhy(t *testing.T) {
	w := byHand(t, nil)
	w.asks(incident.Close{Without: "It did not notice."})
	if e := w.last(timeline.ClearWaived); w.i.Status != incident.Closed || e.Fact("customer") != "Acme" || e.Fact("reason") != "It did not notice." || e.Actor != park {
		t.Errorf("%s, and recorded is %+v", w.i.Status, e)
	}
}

func TestTheAllClearCountsUntilItIsReopened(t *testing.T) {
	w := byHand(t, nil)
	w.asks(incident.SendUpdate{Customer: "acme", Text: "It is over."})
	w.asks(incident.Reopen{Reason: "it is back"})
	w.asks(incident.Resolve{Note: "fixed"})
	if err := w.i.Do("close", incident.Close{}, park, w.now); err == nil || !strings.Contains(err.Error(), "to acme;") {
		t.Errorf("got %v, want acme to hear it once more", err)
	}
}

func TestWhatNeedsNoAllClear(t *testing.T) {
	for name, change := range map[string]func(*incident.Definition){
		"a definition from before": func(d *incident.Definition) { d.Communication = nil },
		"a restricted incident":    func(d *incident.Definition) { d.Kind = incident.SecurityIncident },
		"no customers":             func(d *incident.Definition) { d.Customers = nil },
	} {
		w := byHand(t, change)
		if err := w.i.Do("close", incident.Close{}, park, w.now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoeverClosesBeforeCustomersHaveGotWhatIsDueSaysWhy(t *testing.T) {
	due := func(settles bool) *world {
		w := talking(t, func(d *incident.Definition) {
			d.Communication.Settles = settles
			p := &d.Customers[0].Plan
			p.Confirm = &supportplan.Confirmation{Days: 3}
			p.Promises = append(p.Promises, supportplan.Promise{Priority: priority.P1, Target: supportplan.ResultReport, Within: 24 * time.Hour})
		})
		w.asks(incident.Resolve{Note: "fixed"})
		return w
	}
	w := due(true)
	want := "without the result report to acme, without the answer whether it is fixed of acme; see to it first, or say without why"
	if err := w.i.Do("close", incident.Close{}, park, w.now); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want %q", err, want)
	}
	w.asks(incident.Close{Without: "agreed by telephone"})
	for _, kind := range []timeline.Kind{timeline.ResultWaived, timeline.FixWaived} {
		if e := w.last(kind); e.Fact("customer") != "Acme" || e.Fact("reason") != "agreed by telephone" || e.Actor != park {
			t.Errorf("%s: recorded is %+v", kind, e)
		}
	}
	if w.i.Status != incident.Closed {
		t.Errorf("it is %s, want it closed", w.i.Status)
	}
	before := due(false)
	if err := before.i.Do("close", incident.Close{}, park, before.now); err != nil {
		t.Errorf("with a definition from before: %v", err)
	}
}
