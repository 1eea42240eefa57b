package incident

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"muster/internal/ticket"
	"muster/internal/timeline"
)

// ReceiveTicket takes in what somebody has done to the ticket in its own system, which is by. What is told again changes nothing, nor does
// what is told of another ticket, or of the incident that had this workflow before. Before the ticket is opened, no ticket is its own.
func (i *Incident) ReceiveTicket(t ticket.Told, by timeline.Actor, now time.Time) {
	ref := i.Ticket.Ref.ID
	if t.Key != string(i.ID) || ref == "" || t.Ref != "" && t.Ref != ref || i.Status == Closed || slices.Contains(i.Ticket.Heard, t.Delivery) {
		return
	}
	const remembered = 200
	if i.Ticket.Heard = append(i.Ticket.Heard, t.Delivery); len(i.Ticket.Heard) > remembered {
		i.Ticket.Heard = i.Ticket.Heard[1:]
	}
	facts := []timeline.Fact{timeline.F("ticket", ref), timeline.F("by", t.By), timeline.F("text", t.Text)}
	switch t.Deed {
	case ticket.Commented:
		i.record(now, timeline.TicketCommented, by, facts...)
	case ticket.Resolved:
		i.ticketResolved(t, facts, by, now)
	case ticket.Reopened:
		i.ticketReopened(t, facts, by, now)
	}
}

// ticketResolved asks whoever leads whether it is over, once for every resolution. Where that was agreed, it is. What came before the
// incident was opened again is old news.
func (i *Incident) ticketResolved(t ticket.Told, facts []timeline.Fact, by timeline.Actor, now time.Time) {
	if !i.Status.Open() || i.Ticket.Deed == t.Deed || t.At.Before(i.reopenedAt()) && !t.At.IsZero() {
		return
	}
	i.Ticket.Deed, i.Ticket.DeedAt = t.Deed, now
	c := Resolve{Note: said(t)}
	if i.heeds(c, timeline.TicketResolved, facts, by, now) {
		i.resolve(by, "ticket", c.Note, now)
		return
	}
	i.remindOfTicket(AboutTicketResolved, t, by, now)
}

// remindOfTicket asks whoever leads what is to be done about it.
func (i *Incident) remindOfTicket(a About, t ticket.Told, by timeline.Actor, now time.Time) {
	by.Name = cmp.Or(t.By, by.Name)
	i.begin(Send{Work: Remind, About: a, Role: IncidentManager, Targets: i.standsFor(IncidentManager), Text: t.Text, Author: &by}, now)
}

// ticketReopened opens the incident again where that was agreed, else whoever leads is asked. What came before the incident was resolved is
// old news, and so is what came before the ticket said so. Of an incident that is open, somebody may take back that its ticket was resolved.
func (i *Incident) ticketReopened(t ticket.Told, facts []timeline.Fact, by timeline.Actor, now time.Time) {
	if i.Status.Open() && i.Ticket.Deed == ticket.Resolved {
		i.Ticket.Deed = ""
		i.record(now, timeline.TicketReopened, by, facts...)
		return
	}
	closed := i.Ticket.Deed == ticket.Resolved || i.Ticket.Written == i.Ticket.Wanted && !i.Ticket.Disabled
	if i.Status.Open() || !closed || i.Ticket.Deed == t.Deed || t.At.Before(i.Settled) && !t.At.IsZero() {
		return
	}
	i.Ticket.Deed, i.Ticket.DeedAt = t.Deed, now
	c := Reopen{Reason: said(t)}
	if i.heeds(c, timeline.TicketReopened, facts, by, now) {
		i.QuietSince = time.Time{}
		i.reopen(by, "ticket", c.Reason, now)
		return
	}
	i.remindOfTicket(AboutTicketReopened, t, by, now)
}

// heeds records what has become of the ticket, and tells whether the incident goes along: that was agreed, and nothing is against it.
func (i *Incident) heeds(c Command, kind timeline.Kind, facts []timeline.Fact, by timeline.Actor, now time.Time) bool {
	refused := ""
	if i.Definition.TicketResolves {
		if err := i.check(c, now); err != nil {
			refused = err.Error()
		}
	}
	i.record(now, kind, by, append(facts, timeline.F("refused", refused))...)
	return i.Definition.TicketResolves && refused == ""
}

// said is what a ticket system tells of a deed, as the note of a decision: at least who has done it to which ticket.
func said(t ticket.Told) string {
	return cmp.Or(t.Text, strings.Trim(t.Ref+", "+t.By, ", "), string(t.Deed))
}

// reopenedAt is when the incident was opened again last, zero where it never was.
func (i *Incident) reopenedAt() (at time.Time) {
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.StatusChanged && e.Fact("to") == string(Triggered) && ticket.Over(e.Fact("from")) {
			at = e.At
		}
	}
	return at
}
