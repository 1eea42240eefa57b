package workflows_test

import (
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/workflows"
)

var desk = timeline.Actor{Kind: timeline.Source, ID: "jira", Name: "Jira"}

// ticket is what the ticket system tells of the ticket of the incident, when it is done.
func (r *rehearsal) ticket(after time.Duration, delivery string, d ticket.Deed, text string) {
	r.at(after, func() {
		r.changed(desk, ticket.Told{Delivery: delivery, Key: "INC-TEST", Deed: d, By: "Kim Minsu", Text: text, At: r.env.Now()})
	})
}

func (r *rehearsal) changed(by timeline.Actor, t ticket.Told) {
	r.env.SignalWorkflow(workflows.TicketChangedSignal, sealed(r, workflows.TicketChangedSignal, "", by, t))
}

// stood wants the incident in a status, with so many entries of what its ticket has gone through.
func (r *rehearsal) stood(after time.Duration, status incident.Status, commented, resolved, reopened int) {
	r.look(after, func(i *incident.Incident) {
		n := [3]int{}
		for k, kind := range []timeline.Kind{timeline.TicketCommented, timeline.TicketResolved, timeline.TicketReopened} {
			n[k] = len(r.entries(kind))
		}
		if want := [3]int{commented, resolved, reopened}; i.Status != status || n != want {
			r.Errorf("after %s it is %s, entries %v; want %s, %v", after, i.Status, n, status, want)
		}
	})
}

func TestWhatIsDoneToATicketOutside(t *testing.T) {
	r := rehearse(t)
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	r.ticket(2*time.Minute, "1", ticket.Commented, "The database is back.")
	r.ticket(3*time.Minute, "1", ticket.Commented, "The database is back.")
	r.ticket(4*time.Minute, "2", ticket.Resolved, "Restarted.")
	r.ticket(5*time.Minute, "2", ticket.Resolved, "Restarted.")
	r.ticket(6*time.Minute, "3", ticket.Resolved, "Closed.")
	r.at(7*time.Minute, func() { // whoever may sign nothing of this kind, and what was meant for another incident
		r.changed(park, ticket.Told{Delivery: "4", Key: "INC-TEST", Deed: ticket.Commented, Text: "mine"})
		r.changed(desk, ticket.Told{Delivery: "5", Key: "INC-BEFORE", Deed: ticket.Commented, Text: "theirs"})
	})
	r.stood(8*time.Minute, incident.Acknowledged, 1, 1, 0)
	ask(r, 10*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "it is over"})
	r.ticket(11*time.Minute, "6", ticket.Reopened, "")
	r.stood(12*time.Minute, incident.Resolved, 1, 1, 1)
	r.run(workflows.IncidentInput{Definition: definition()})
	r.wantDone()
	reminded := 0
	for _, e := range r.sender.Delivered() {
		if e.Message.Kind == "reminder" && e.Recipient.ID == "park" {
			reminded++
		}
	}
	if reminded != 2 { // of the resolution and of the reopening
		t.Errorf("whoever leads was asked %d times: %v", reminded, r.got())
	}
	if e := r.entries(timeline.MessageRefused); len(e) != 1 || e[0].Fact("message") != workflows.TicketChangedSignal {
		t.Errorf("refused %+v", e)
	}
}

func TestAnIncidentFollowsItsTicketWhereThatWasAgreed(t *testing.T) {
	r := rehearse(t)
	d := definition()
	d.TicketResolves = true
	r.alerts(0, firing("a", 0))
	r.ticket(time.Minute, "1", ticket.Resolved, "Restarted.")
	r.stood(2*time.Minute, incident.Resolved, 0, 1, 0)
	r.ticket(3*time.Minute, "2", ticket.Reopened, "It is not.")
	r.stood(4*time.Minute, incident.Triggered, 0, 1, 1)
	r.ticket(5*time.Minute, "3", ticket.Resolved, "Now it is.")
	r.ticket(6*time.Minute, "3", ticket.Resolved, "Now it is.")
	r.stood(7*time.Minute, incident.Resolved, 0, 2, 1)
	r.run(workflows.IncidentInput{Definition: d})
	r.wantDone()
	if last := r.tickets.All()[0].Latest(); last.Status != string(incident.Closed) {
		t.Errorf("its ticket is %s", last.Status)
	}
	var changed []timeline.Entry
	for _, e := range r.entries(timeline.StatusChanged) {
		if e.Fact("cause") == "ticket" {
			changed = append(changed, e)
		}
	}
	if len(changed) != 3 || changed[0].Actor != desk || changed[0].Fact("note") != "Restarted." {
		t.Errorf("by its ticket: %+v", changed)
	}
}
