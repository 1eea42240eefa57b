package incident_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// talking is an incident of a definition that says how those outside are told.
func talking(t *testing.T, change func(*incident.Definition)) *world {
	t.Helper()
	def := definition()
	def.Communication = &incident.Communication{}
	if change != nil {
		change(&def)
	}
	i, err := incident.Open("INC-TEST", def, start)
	if err != nil {
		t.Fatal(err)
	}
	i.Receive(batch(start, firing("a", start)), start)
	w := &world{t: t, i: i, now: start}
	w.settle()
	return w
}

// asks has park do something.
func (w *world) asks(c incident.Command) {
	w.t.Helper()
	w.do(strconv.Itoa(len(w.i.Timeline.Entries)), c, park)
}

func TestAnUpdateSaysHowFarItIs(t *testing.T) {
	w := talking(t, nil)
	for _, step := range []struct {
		name string
		do   incident.Command
		want incident.PublicStatus
	}{
		{"nobody knows more", incident.SendUpdate{Text: "We are at it."}, incident.Investigating},
		{"a person knows more than the incident", incident.SendUpdate{Text: "Found.", Status: incident.Identified}, incident.Identified},
		{"what was said stays said", incident.SendUpdate{Text: "Still at it."}, incident.Identified},
		{"measures are taken", incident.Mitigate{Note: "rolled back"}, incident.Identified}, // nobody outside has heard of it
		{"and told", incident.SendUpdate{Text: "We watch."}, incident.Monitoring},
		{"a person may take it back", incident.SendUpdate{Text: "It was not that.", Status: incident.Investigating}, incident.Investigating},
	} {
		w.asks(step.do)
		if got := w.i.Announced; got == nil || got.Status != step.want {
			t.Fatalf("%s: %+v, want %s", step.name, got, step.want)
		}
	}
	w.asks(incident.Resolve{Note: "fixed"})
	if got := w.i.Announced; got.Status != incident.BackToNormal {
		t.Errorf("after the all-clear: %+v", got)
	}
	w.asks(incident.Reopen{Reason: "it is back"})
	if got := w.i.Announced; got.Status != incident.Investigating {
		t.Errorf("after the reopening: %+v", got)
	}
}

func TestAnUpdateSaysWhatIsExpected(t *testing.T) {
	w := talking(t, nil)
	back := w.now.Add(3 * time.Hour)
	w.asks(incident.SendUpdate{Text: "Found.", Status: incident.Identified, Expected: back, Workaround: "Pay by transfer."})
	w.after(time.Hour) // Muster writes the next update, and repeats what is still true
	last := timeline.Entry{}
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.UpdateSent {
			last = e
		}
	}
	if last.Actor.Kind != timeline.Engine || last.Fact("workaround") != "Pay by transfer." || last.Fact("expected") == "" {
		t.Errorf("the last update says %+v", last)
	}
	w.after(4 * time.Hour)
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.UpdateSent && e.At.After(back) && e.Fact("expected") != "" {
			t.Errorf("at %s it is said to be expected at %s", e.At, e.Fact("expected"))
		}
	}
}

func TestWhatOneCustomerIsToldIsNobodyElses(t *testing.T) {
	w := talking(t, func(d *incident.Definition) {
		other := d.Customers[0]
		other.ID, other.Name = "globex", "Globex"
		d.Customers = append(d.Customers, other)
	})
	w.asks(incident.SendUpdate{Text: "For you.", Customer: "acme", Status: incident.Identified, Workaround: "Use your own line."})
	w.after(time.Hour)
	for _, e := range w.i.Timeline.Entries {
		if e.Fact("workaround") != "" && e.Fact("customer") != "Acme" {
			t.Errorf("%s has been told %+v", e.Fact("customer"), e.Facts)
		}
	}
	if a := w.i.Announced; a != nil && (a.Workaround != "" || a.Status != incident.Investigating) {
		t.Errorf("announced %+v", a)
	}
}

func TestUpdatesThatContradictTheIncident(t *testing.T) {
	for _, tt := range []struct {
		name     string
		resolved bool
		c        incident.SendUpdate
		want     string
	}{
		{"no status", false, incident.SendUpdate{Status: "fixed"}, `status "fixed": want investigating, identified, monitoring, resolved`},
		{"too early", false, incident.SendUpdate{Status: incident.BackToNormal}, "status resolved: it is triggered; resolve it first"},
		{"too late", true, incident.SendUpdate{Status: incident.Monitoring}, "want resolved"},
		{"expected in the past", false, incident.SendUpdate{Expected: start.Add(-time.Minute)}, "is over; want a time after now"},
		{"expected of what is over", true, incident.SendUpdate{Expected: start.Add(time.Hour * 999)}, "expected: it is resolved"},
		{"endless", false, incident.SendUpdate{Workaround: strings.Repeat("x", incident.MaxText+1)}, "workaround: 4001 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := talking(t, nil)
			if tt.resolved {
				w.asks(incident.Resolve{Note: "fixed"})
			}
			tt.c.Text = "Hello."
			err := w.i.May("x", tt.c, w.now)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Definitions from before there were public statuses say none: their histories are what they were.
func TestUpdatesOfOldDefinitionsSayNoStatus(t *testing.T) {
	w := opened(t)
	w.asks(incident.SendUpdate{Text: "We are at it."})
	w.asks(incident.Resolve{Note: "fixed"})
	if w.i.Announced != nil {
		t.Errorf("announced %+v", w.i.Announced)
	}
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.UpdateSent && e.Fact("status") != "" {
			t.Errorf("%s says %s", e.Kind, e.Fact("status"))
		}
	}
}

func TestWhatIsSaidTwiceOrByOtherMeansIsRecordedOnce(t *testing.T) {
	for _, settles := range []bool{true, false} {
		w := talking(t, func(d *incident.Definition) { d.Communication.Settles = settles })
		w.do("1", incident.Acknowledge{}, park)
		w.after(time.Minute)
		w.do("2", incident.Acknowledge{}, park)
		w.do("3", incident.StartRunbook{Runbook: "restart"}, park)
		begun := w.now
		w.after(time.Minute)
		w.do("4", incident.EndRunbook{Runbook: "restart", Outcome: incident.RunbookWorked}, park)
		acknowledged := 0
		for _, e := range w.i.Timeline.Entries {
			if e.Kind == timeline.Acknowledged {
				acknowledged++
			}
		}
		if once := acknowledged == 1; once != settles || !w.i.Escalation.AckedAt.Equal(w.now) {
			t.Errorf("settles %v: acknowledged %d times, the last sign of life at %s", settles, acknowledged, w.i.Escalation.AckedAt)
		}
		if w.i.Times.Mitigation.Equal(begun) != settles {
			t.Errorf("settles %v: the mitigation began at %s, want %s", settles, w.i.Times.Mitigation, begun)
		}
	}
}

func TestADraftNamesWhoeverLeads(t *testing.T) {
	w := talking(t, nil)
	w.asks(incident.Acknowledge{})
	w.do("note", incident.Acknowledge{}, kim)
	if got := w.i.Draft(w.now).Facts.Responder; got != park.Shown() {
		t.Errorf("%s leads, want %s, who is incident manager", got, park.Shown())
	}
}
