package incident_test

import (
	"testing"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// byHours is the definition under a policy that pages somebody else outside the hours of an office in Seoul, from 9 to 19. The
// start of the tests is a Monday, 18:00 there.
func byHours() incident.Definition {
	d := definition()
	d.Calendars = []calendar.Rules{{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
		Days: []calendar.Weekday{calendar.Monday, calendar.Tuesday}, Hours: calendar.Hours{From: 9 * 60, To: 19 * 60},
	}}}}
	d.Policy.Repeats = 3
	d.Policy.Steps[0].Wait, d.Policy.Steps[1].Wait = 20*time.Minute, 20*time.Minute
	d.Policy.Variants = []escalation.Variant{{Calendar: "office", Closed: true, Steps: []escalation.Step{
		{Targets: []escalation.Target{{Kind: escalation.Person, ID: "night"}}, Wait: 20 * time.Minute},
	}}}
	return d
}

func TestOutsideTheHoursOtherStepsHold(t *testing.T) {
	w := openedIn(t, byHours())
	w.until(start.Add(59 * time.Minute))
	if got := w.has(timeline.StepStarted); got != 3 || w.i.Hours == nil || len(w.i.Hours.Open) != 1 || !w.i.Hours.Until.Equal(start.Add(time.Hour)) {
		t.Fatalf("%d steps within the hours, which are %+v", got, w.i.Hours)
	}
	w.until(start.Add(61 * time.Minute)) // the office has closed: the next step is that of the night
	last := incident.Send{}
	for _, e := range w.i.Timeline.Entries {
		if e.Kind == timeline.StepStarted {
			last.Text = e.Fact("targets") + " " + e.Fact("hours")
		}
	}
	if last.Text != "person:night out-of:office" {
		t.Errorf("the newest step is %q", last.Text)
	}
}

// A calendar that cannot be asked keeps no page back: the policy's own steps hold.
func TestUnknownHoursKeepNoPageBack(t *testing.T) {
	d := byHours()
	d.Policy.Variants[0].Closed = false
	i, err := incident.Open("INC-TEST", d, start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, i: i, now: start, blind: true}
	i.Receive(batch(start, firing("a", start.Add(-time.Minute))), start)
	w.settle()
	w.wantTold("page schedule:primary webhook")
	if w.has(timeline.Undetermined) != 1 {
		t.Error("nobody has said that the hours are unknown")
	}
}
