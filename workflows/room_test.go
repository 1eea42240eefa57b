package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/workflows"
)

// A lobby is a chat with rooms.
type lobby struct {
	mu      sync.Mutex // attempts run beside each other
	away    int        // how many more attempts fail
	refuses bool
	kept    []string
}

func (l *lobby) Keep(_ context.Context, r delivery.Room) (ticket.Ref, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuses {
		return ticket.Ref{}, &delivery.Refusal{Detail: "missing_scope"}
	}
	if l.away--; l.away >= 0 {
		return ticket.Ref{}, &delivery.Unavailable{Detail: "503 Service Unavailable"}
	}
	said := strings.TrimPrefix(string(r.Said), r.Key+"/room/")
	l.kept = append(l.kept, strings.TrimSpace(fmt.Sprintf("%s %s %v", said, strings.Join(r.Members, "+"), map[bool]string{true: "archive"}[r.Archive])))
	return ticket.Ref{ID: "C1", URL: "https://chat.example/archives/C1"}, nil
}

func (r *rehearsal) lobby() *lobby {
	l := &lobby{}
	r.env.RegisterActivity(&activities.Rooms{Keeper: l, Members: func(people []string) []string { return slices.Clone(people) }, Writer: writer{}})
	return l
}

// crowded is an incident that gets a room.
func crowded() *incident.Definition {
	d := definition()
	d.Room = &incident.RoomRule{FromPriority: priority.P5}
	return d
}

func TestARoomFollowsTheIncident(t *testing.T) {
	r := rehearse(t)
	l := r.lobby()
	l.away = 2 // of several attempts one arrives
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 3*time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: crowded()})
	r.wantDone()
	p := r.state.Priority.String()
	want := []string{"0/triggered/" + p + "/0", "1/acknowledged/" + p + "/1 park", "2/acknowledged/" + p + "/2 park+kim", "3/resolved/" + p + "/2 park+kim", "4/closed/" + p + "/2 park+kim archive"}
	if d := cmp.Diff(want, l.kept); d != "" {
		t.Errorf("the room was told (-want +got):\n%s", d)
	}
	if len(r.entries(timeline.RoomOpened)) != 1 || len(r.entries(timeline.RoomArchived)) != 1 || len(r.entries(timeline.RoomFailed)) != 0 {
		t.Errorf("its timeline says %+v", r.state.Timeline.Entries)
	}
}

// A room that cannot be made keeps the incident from nothing, and is said once.
func TestARoomThatIsRefused(t *testing.T) {
	r := rehearse(t)
	r.lobby().refuses = true
	r.alerts(0, firing("a", 0))
	ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: crowded()})
	r.wantDone()
	if failed := r.entries(timeline.RoomFailed); len(failed) != 1 || !strings.Contains(failed[0].Fact("detail"), "missing_scope") || r.state.Status != incident.Closed {
		t.Errorf("said %+v, %s", failed, r.state.Status)
	}
}
