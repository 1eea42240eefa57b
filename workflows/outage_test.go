package workflows_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/workflows"
)

func TestClocksThatCannotBeComputedHoldUpNobodyAndAreAskedForAgain(t *testing.T) {
	r := rehearse(t)
	r.timeless.Store(18) // three attempts each, six times in 25 seconds: then it is said, and asked for again
	r.alerts(0, firing("a", 0))
	r.look(20*time.Second, func(i *incident.Incident) {
		if len(r.got()) != 1 || !i.Clocks[0].Due.IsZero() {
			t.Errorf("delivered %v, clock %+v; want the page, and nothing due yet", r.got(), i.Clocks[0])
		}
	})
	r.look(time.Minute, func(i *incident.Incident) {
		if due := i.Clocks[0].Due; !due.Equal(start.Add(15 * time.Minute)) {
			t.Errorf("due %s, want 15 minutes after the start", due)
		}
	})
	ask(r, 2*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	if e := r.entries(timeline.Undetermined); len(e) != 1 || e[0].Fact("what") != "clocks" || e[0].Fact("detail") == "" {
		t.Errorf("the timeline says %+v", e)
	}
}

func TestWhatArrivesTogetherWithTheCloseIsAnswered(t *testing.T) {
	note := incident.Note{Text: "one more thing"}
	for _, tc := range []struct {
		name  string
		first bool // the note comes before the close
		want  string
	}{
		{"before", true, ""},
		{"after", false, "is closed, by 박서준"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := rehearse(t)
			var noted, closed answer
			r.alerts(0, firing("a", 0))
			ask(r, time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
			r.at(10*time.Minute, func() {
				if tc.first {
					tell(r, &noted, "note", workflows.NoteUpdate, kim, note)
				}
				tell(r, &closed, "close", workflows.CloseUpdate, park, incident.Close{})
				if !tc.first {
					tell(r, &noted, "note", workflows.NoteUpdate, kim, note)
				}
			})
			r.run(workflows.IncidentInput{Definition: definition()})
			r.wantDone()
			if closed.receipt.Status != incident.Closed || !noted.done {
				t.Errorf("close: %+v, note: %+v; want an answer to both", closed, noted)
			}
			if err := errors.Join(noted.rejected, noted.failed); tc.want == "" && err != nil || tc.want != "" && !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("the note got %v, want %q", err, tc.want)
			}
			if noted := r.entries(timeline.Noted); len(noted) == 1 != tc.first {
				t.Errorf("the timeline has the note %d times", len(noted))
			}
		})
	}
}

func TestThePriorityIsJudgedTwice(t *testing.T) {
	lower := incident.SetPriority{Urgency: priority.Low, Reason: "night"}
	higher := incident.SetPriority{Urgency: priority.High, Reason: "day"}
	for _, between := range []time.Duration{0, time.Hour} {
		t.Run(between.String(), func(t *testing.T) {
			r := rehearse(t)
			r.alerts(0, firing("a", 0))
			ask(r, time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
			var first, second answer
			r.at(10*time.Minute, func() {
				tell(r, &first, "first", workflows.SetPriorityUpdate, park, lower)
				if between == 0 {
					tell(r, &second, "second", workflows.SetPriorityUpdate, kim, higher)
				}
			})
			if between > 0 {
				r.at(10*time.Minute+between, func() { tell(r, &second, "second", workflows.SetPriorityUpdate, kim, higher) })
			}
			r.look(10*time.Minute+between+time.Second, func(i *incident.Incident) {
				if i.Priority != priority.P1 || len(r.entries(timeline.PriorityChanged)) != 2 {
					t.Errorf("priority %s after %+v", i.Priority, r.entries(timeline.PriorityChanged))
				}
				for _, c := range i.Clocks {
					want := map[supportplan.Target]time.Time{ // P3 promises nothing, so P1 promises anew what is still to be done
						supportplan.Respond: start.Add(15 * time.Minute),
						supportplan.Update:  start.Add(40*time.Minute + between),
						supportplan.Resolve: start.Add(250*time.Minute + between),
					}[c.Target]
					if !c.Due.Equal(want) {
						t.Errorf("%s is due %s, want %s", c.Target, c.Due, want)
					}
				}
			})
			ask(r, 2*time.Hour, workflows.ResolveUpdate, park, incident.Resolve{Note: "fixed"})
			r.run(workflows.IncidentInput{Definition: definition()})
			r.wantDone()
			if first.receipt.Priority != priority.P3 || second.receipt.Priority != priority.P1 {
				t.Errorf("receipts say %s and %s", first.receipt.Priority, second.receipt.Priority)
			}
		})
	}
}
