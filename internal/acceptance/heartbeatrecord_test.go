package acceptance_test

import (
	"errors"
	"fmt"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/calendar"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/workflows"
)

// brief is a heartbeat whose beats come after a second, which no folder may ask for.
func brief(id string) heartbeat.Definition {
	return heartbeat.Definition{
		ID: id, Name: "Nightly sync", Source: "alertmanager", Every: time.Second, Grace: time.Second, FirstWithin: time.Second, Lasts: time.Second,
		Language: "en", Folder: incident.Folder{Revision: "r1", Changed: time.Now().UTC()},
	}
}

// pulse waits until a heartbeat stands as it is asked for.
func (e *ends) pulse(id, what string, is func(h *heartbeat.Heartbeat) bool) {
	e.Helper()
	must(e.T, until(e.Context(), "heartbeat "+id+" "+what, func() error {
		s := e.incidents.Heartbeats().States(e.Context(), []string{id})[0]
		if s.Err == nil && !is(s.State) {
			return fmt.Errorf("it is %s with %d untold", s.State.Status, len(s.State.Untold))
		}
		return s.Err
	}))
}

func (e *ends) beat(d heartbeat.Definition, k heartbeat.Kind) {
	e.Helper()
	must(e.T, e.incidents.Heartbeats().Beat(e.Context(), d, heartbeat.Beat{Kind: k, At: time.Now().UTC(), Text: "exit 1"}))
}

// heartbeat is missed before its first beat and after one, fails, hangs, gets a calendar, and is taken out of the folder.
func (e *ends) heartbeat() []*historypb.History {
	to, d := e.incidents.Heartbeats(), brief("nightly")
	is := func(status heartbeat.Status) func(h *heartbeat.Heartbeat) bool {
		return func(h *heartbeat.Heartbeat) bool { return h.Status == status && len(h.Untold) == 0 }
	}
	must(e.T, to.Define(e.Context(), d, time.Now().UTC()))
	e.pulse(d.ID, "was never heard of", is(heartbeat.Missed))
	e.beat(d, heartbeat.Done)
	e.pulse(d.ID, "is heard of", is(heartbeat.Beating))
	e.pulse(d.ID, "is missed", is(heartbeat.Missed))
	e.beat(d, heartbeat.Done)
	e.beat(d, heartbeat.Failed)
	e.pulse(d.ID, "has failed", is(heartbeat.Failing))
	d.Every = time.Hour
	must(e.T, to.Define(e.Context(), d, time.Time{}))
	e.beat(d, heartbeat.Done)
	e.beat(d, heartbeat.Started)
	e.pulse(d.ID, "hangs", is(heartbeat.Missed))
	d.Calendar = &calendar.Rules{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{Days: calendar.Weekdays(), Hours: calendar.Hours{From: 9 * 60, To: 18 * 60}}}}
	must(e.T, to.Define(e.Context(), d, time.Now().UTC()))
	e.beat(d, heartbeat.Done)
	e.pulse(d.ID, "is expected in office hours", func(h *heartbeat.Heartbeat) bool { return h.Status == heartbeat.Beating && h.Due.After(time.Now()) })
	must(e.T, to.Retire(e.Context(), d.ID, incident.Folder{Revision: "r2", Changed: time.Now().UTC()}))
	return e.run(e.T, workflows.HeartbeatWorkflowID(d.ID))
}

// heartbeatContinued goes on in a second run while its alert fires, and ends there.
func (e *ends) heartbeatContinued() []*historypb.History {
	d := brief("busy")
	workflow := workflows.HeartbeatWorkflowID(d.ID)
	e.beat(d, heartbeat.Failed)
	must(e.T, until(e.Context(), "it continues as new", func() error {
		if len(e.chain(workflow)) == 2 {
			return nil
		}
		e.beat(d, heartbeat.Failed)
		return errors.New("it has one run")
	}))
	e.beat(d, heartbeat.Done) // of the second run
	must(e.T, e.incidents.Heartbeats().Retire(e.Context(), d.ID, incident.Folder{Revision: "r2", Changed: time.Now().UTC()}))
	e.run(e.T, workflow)
	return e.chain(workflow)
}
