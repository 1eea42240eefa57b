package incident

import (
	"cmp"
	"strings"
	"time"

	"muster/internal/ticket"
	"muster/internal/timeline"
)

// ReceiveTicket takes in what somebody has done to the ticket in its own system, which is by. What is told again changes nothing, nor does
// what is told of another ticket, or of the incident that had this workflow before.
func (i *Incident) ReceiveTicket(t ticket.Told, by timeline.Actor, now time.Time) {
	id := "ticket/" + t.Delivery
	ref := i.Ticket.Ref.ID
	if t.Key != string(i.ID) || t.Ref != "" && ref != "" && t.Ref != ref || i.Status == Closed || i.decided(id) {
		return
	}
	i.remember(id)
	facts := []timeline.Fact{timeline.F("ticket", cmp.Or(ref, t.Ref)), timeline.F("by", t.By), timeline.F("text", t.Text)}
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
	i.Ticket.Deed = t.Deed
	c := Resolve{Note: said(t)}
	if i.heeds(c, timeline.TicketResolved, facts, by, now) {
		i.resolve(by, "ticket", c.Note, now)
		return
	}
	by.Name = cmp.Or(t.By, by.Name)
	i.begin(Send{
		Work: Remind, About: AboutTicketResolved, Role: IncidentManager, Targets: i.standsFor(IncidentManager), Text: t.Text, Author: &by,
	}, now)
}

// ticketReopened opens the incident again where that was agreed. What came before the incident was resolved is old news. Of an incident that
// is open, somebody may take back that its ticket was resolved.
func (i *Incident) ticketReopened(t ticket.Told, facts []timeline.Fact, by timeline.Actor, now time.Time) {
	if i.Status.Open() && i.Ticket.Deed == ticket.Resolved {
		i.Ticket.Deed = ""
		i.record(now, timeline.TicketReopened, by, facts...)
		return
	}
	if i.Status.Open() || i.Ticket.Deed == t.Deed || t.At.Before(i.Settled) && !t.At.IsZero() {
		return
	}
	i.Ticket.Deed = t.Deed
	c := Reopen{Reason: said(t)}
	if i.heeds(c, timeline.TicketReopened, facts, by, now) {
		i.QuietSince = time.Time{}
		i.reopen(by, "ticket", c.Reason, now)
	}
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
