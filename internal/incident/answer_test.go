package incident_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// asking is an incident of two customers. Acme is asked for two days and gets a result report within three hours; Globex, to which
// only people write, within five hours.
func asking(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	w := begun(t, func(d *incident.Definition) {
		d.Customers = definition().Customers
		acme := &d.Customers[0].Plan
		acme.Confirm = &supportplan.Confirmation{Days: 2}
		acme.Promises = append(acme.Promises, supportplan.Promise{Priority: priority.P1, Target: supportplan.ResultReport, Within: 3 * time.Hour})
		d.Customers = append(d.Customers, incident.Customer{ID: "globex", Name: "Globex", Plan: supportplan.Plan{
			ID: "standard", AtRisk: 80, UpdateBy: supportplan.ByPerson, Promises: []supportplan.Promise{
				{Priority: priority.P1, Target: supportplan.ResultReport, Within: 5 * time.Hour},
			},
		}})
		if change != nil {
			change(d)
		}
	})
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.do("over", incident.Resolve{Note: "rolled back"}, park)
	return w
}

func askedAll(d *incident.Definition) {
	for n := range d.Customers {
		d.Customers[n].Plan.Confirm = &supportplan.Confirmation{Days: 2}
		d.Customers[n].Plan.Promises = nil
	}
}

func TestACustomerThatSaysItIsFixedEndsTheIncident(t *testing.T) {
	w := asking(t, askedAll)
	w.do("1", incident.Answer{Answer: incident.Fixed, Customer: "acme"}, kim)
	if w.i.Status != incident.Resolved {
		t.Fatalf("it is %s although Globex has not answered", w.i.Status)
	}
	w.do("2", incident.Answer{Answer: incident.Fixed}, kim) // the only one that is left
	if w.i.Status != incident.Closed {
		t.Fatalf("it is %s", w.i.Status)
	}
	if last := w.last(timeline.StatusChanged); last.Fact("cause") != "fixed" {
		t.Errorf("closed because %q", last.Fact("cause"))
	}
}

func TestACustomerThatSaysItIsNotFixedReopensIt(t *testing.T) {
	w := asking(t, askedAll)
	w.told = nil
	w.do("1", incident.Answer{Answer: incident.NotFixed, Customer: "acme", Note: "still slow"}, kim)
	if w.i.Status != incident.Triggered || w.i.Reopened != 1 || len(w.i.Confirmations) != 0 {
		t.Fatalf("it is %s, reopened %d times, asked %+v", w.i.Status, w.i.Reopened, w.i.Confirmations)
	}
	if told := strings.Join(w.told, ", "); !strings.Contains(told, "page schedule:primary") {
		t.Errorf("told: %s", told)
	}
	w.do("2", incident.Resolve{Note: "now it is"}, park)
	if len(w.i.Confirmations) != 2 || w.i.Confirmations[0].Answer != "" {
		t.Errorf("the next resolution asks anew, got %+v", w.i.Confirmations)
	}
}

func TestWithoutAnAnswerItIsClosedAndTheCustomerToldSo(t *testing.T) {
	w := asking(t, func(d *incident.Definition) {
		askedAll(d)
		d.Customers = d.Customers[:1]
	})
	w.told = nil
	w.until(start.Add(48*time.Hour - time.Second))
	if w.i.Status != incident.Resolved {
		t.Fatalf("it is %s before the time is over", w.i.Status)
	}
	w.until(start.Add(48 * time.Hour))
	if w.i.Status != incident.Closed || w.has(timeline.FixUnanswered) != 1 || w.has(timeline.ClosingTold) != 1 {
		t.Fatalf("it is %s; unanswered %d, told %d", w.i.Status, w.has(timeline.FixUnanswered), w.has(timeline.ClosingTold))
	}
	w.wantTold("closing-notice acme webhook")
}

func TestACustomerThatNobodyHasAskedIsWaitedFor(t *testing.T) {
	w := asking(t, func(d *incident.Definition) {
		askedAll(d)
		d.Customers = d.Customers[1:] // to which only people write
	})
	w.told = nil
	w.until(start.Add(50 * time.Hour))
	if w.i.Status != incident.Resolved {
		t.Fatalf("it is %s although nobody has asked", w.i.Status)
	}
	w.wantTold("reminder person:park webhook") // once more: the all-clear is to be written
	w.do("1", incident.SendUpdate{Text: "All is well. Is it fixed?"}, kim)
	w.told = nil
	w.until(start.Add(98*time.Hour + time.Second)) // two days after the question
	if w.i.Status != incident.Closed {
		t.Fatalf("it is %s", w.i.Status)
	}
	w.wantTold("reminder person:park webhook") // to say that it is closed
}

func TestItStaysUntilTheResultReportsAreDelivered(t *testing.T) {
	w := asking(t, func(d *incident.Definition) { d.Customers[0].Plan.Confirm = nil })
	w.until(start.Add(3 * time.Hour))
	if c := w.clockOf("acme", supportplan.ResultReport); c.State != supportplan.Met || w.has(timeline.ResultSent) != 1 {
		t.Errorf("Muster has not sent Acme its report in time: %+v", c)
	}
	w.until(start.Add(72 * time.Hour))
	if c := w.clockOf("globex", supportplan.ResultReport); !c.Late || w.i.Status != incident.Resolved {
		t.Fatalf("Globex has no report: %+v, and it is %s", c, w.i.Status)
	}
	w.told = nil
	w.do("1", incident.SendReport{Customer: "globex", Text: "The pool was too small. It is larger now."}, kim)
	w.wantTold("result-report globex webhook")
	if w.i.Status != incident.Closed {
		t.Errorf("it is %s", w.i.Status)
	}
	if e := w.last(timeline.ResultSent); e.Actor != kim || e.Fact("customer") != "Globex" || e.Fact("text") == "" {
		t.Errorf("got %+v", e)
	}
}

func TestAPersonIsRemindedOfAResultReport(t *testing.T) {
	w := asking(t, func(d *incident.Definition) { d.Customers = d.Customers[1:] })
	w.told = nil
	w.until(start.Add(5*time.Hour + time.Minute))
	w.wantTold(
		"reminder person:park webhook",                                 // at risk after 80 per cent
		"reminder person:park webhook", "reminder person:park webhook", // missed: who writes, and who leads
	)
}

func TestAResultReportThatCannotBeDeliveredIsSaid(t *testing.T) {
	w := asking(t, func(d *incident.Definition) { d.Customers = d.Customers[1:] })
	w.refuse = func(s incident.Send) bool { return s.For == incident.SendResult }
	w.told = nil
	w.do("1", incident.SendReport{Text: "It was the pool."}, kim)
	w.wantTold("reminder person:park webhook")
	if c := w.clockOf("globex", supportplan.ResultReport); !c.Open() {
		t.Errorf("nobody has got it, and the promise counts as %s", c.State)
	}
}

func TestAReopenedIncidentOwesNoResultReport(t *testing.T) {
	w := asking(t, nil)
	w.do("1", incident.Reopen{Reason: "again"}, park)
	if c := w.clockOf("acme", supportplan.ResultReport); c.Open() || c.State != supportplan.Stopped {
		t.Errorf("got %+v", c)
	}
	w.after(4 * time.Hour)
	if w.has(timeline.ResultSent) != 0 {
		t.Error("it was sent all the same")
	}
	w.do("2", incident.Resolve{Note: "now"}, park)
	if c := w.clockOf("acme", supportplan.ResultReport); !c.Open() || !c.Started.Equal(w.now) {
		t.Errorf("the next resolution begins anew: %+v", c)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		before func(*world)
		give   incident.Command
		want   string
	}{
		{nil, incident.Answer{Answer: "maybe"}, `answer "maybe": want fixed, not-fixed`},
		{nil, incident.Answer{Answer: incident.NotFixed, Customer: "acme"}, "note: missing"},
		{nil, incident.Answer{Answer: incident.Fixed, Customer: "other"}, `customer "other" is not affected; affected: acme, globex`},
		{nil, incident.Answer{Answer: incident.Fixed, Customer: "globex"}, `customer "globex" is not asked`},
		{func(w *world) { w.do("a", incident.Answer{Answer: incident.Fixed}, kim) }, incident.Answer{Answer: incident.Fixed, Customer: "acme"}, `customer "acme" has answered fixed at`},
		{func(w *world) { w.do("a", incident.Answer{Answer: incident.Fixed}, kim) }, incident.Answer{Answer: incident.Fixed}, "no customer is still to answer"},
		{func(w *world) { w.do("a", incident.Reopen{Reason: "x"}, kim) }, incident.Answer{Answer: incident.Fixed}, "is triggered, by 김민수"},
		{nil, incident.SendReport{}, "text: missing"},
		{nil, incident.SendReport{Customer: "other", Text: "x"}, `customer "other" is not affected`},
		{func(w *world) { w.do("a", incident.Reopen{Reason: "x"}, kim) }, incident.SendReport{Text: "x"}, "a result report is of what is resolved"},
	} {
		w := asking(t, nil)
		if tc.before != nil {
			tc.before(w)
		}
		if err := w.i.Do("x", tc.give, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
	w := asking(t, askedAll)
	if err := w.i.Do("x", incident.Answer{Answer: incident.Fixed}, park, w.now); err == nil || !strings.Contains(err.Error(), "still to answer: acme, globex") {
		t.Errorf("got %v", err)
	}
}
