package incident

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/supportplan"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

// An Addressed message is one that was written for one recipient.
type Addressed struct {
	To      delivery.Recipient `json:"to"`
	Message delivery.Message   `json:"message"`
	Held    string             `json:"held,omitempty"`    // why there is none and nothing is sent: one of the Held causes
	Outside bool               `json:"outside,omitempty"` // of a page: told along with others, and cannot acknowledge
}

// What keeps a page from somebody. These strings are in histories: add, never rename.
const (
	HeldByQuietHours = "quiet-hours" // the page is less pressing than they want to be woken for
	HeldByAbsence    = "away"
	HeldByPriority   = "no-method" // no contact method is for this priority
)

// Instants are the computed instants of one clock, or why there are none.
type Instants struct {
	Customer string             `json:"customer"`
	Target   supportplan.Target `json:"target"`
	Begins   time.Time          `json:"begins,omitzero"`
	RiskAt   time.Time          `json:"risk_at"`
	Due      time.Time          `json:"due"`
	Fault    string             `json:"fault,omitempty"`
}

// InstantsOf computes the instants of a clock in one of the pinned calendars; zone looks zones up, as time.LoadLocation does.
// What keeps it from that would keep every attempt from it, so it is an answer: the fault.
func InstantsOf(
	c *supportplan.Clock, atRisk int, pinned []calendar.Rules, zone func(string) (*time.Location, error),
) Instants {
	out := Instants{Customer: c.Customer, Target: c.Target}
	h, err := supportplan.OpenTimeOf(c.Calendar, pinned, zone)
	if err != nil {
		out.Fault = err.Error()
		return out
	}
	at, err := c.Instants(h, atRisk)
	if err != nil {
		out.Fault = err.Error()
		return out
	}
	out.Begins, out.RiskAt, out.Due = at.Begins, at.RiskAt, at.Due
	return out
}

// Computed takes the instants of the clocks in.
func (i *Incident) Computed(number int, at []Instants, now time.Time) {
	if i.Find(number) == nil {
		return // overtaken by a later computation
	}
	i.drop(number)
	for _, x := range at {
		c := i.running(x.Customer, x.Target)
		if c == nil {
			continue
		}
		if x.Target == supportplan.Confirm || strings.HasPrefix(x.Customer, vendorClock) { // no promise of ours
			c.Begins, c.Due, c.Announced = x.Begins, x.Due, true
			if x.Fault != "" {
				i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(ComputeClocks)), timeline.F("detail", x.Fault))
				if x.Target == supportplan.Confirm { // nobody knows how long to wait: a person asks, and closes it
					i.remindToAsk(x.Customer, now)
				}
			}
			continue
		}
		if x.Fault != "" { // a calendar that ends: no due instant can be told, however often it is asked for
			if !c.Announced {
				c.Announced = true
				i.recordClock(now, timeline.ClockUnknown, c, timeline.Muster(), timeline.F("detail", x.Fault))
			}
			continue
		}
		if c.Due.Equal(x.Due) {
			continue
		}
		first := c.Due.IsZero() && !c.Announced
		c.Begins, c.RiskAt, c.Due, c.Announced = x.Begins, x.RiskAt, x.Due, true
		kind := timeline.ClockMoved
		if first {
			kind = timeline.ClockStarted
		}
		i.recordClock(now, kind, c, timeline.Muster())
	}
}

// A Composition is what a send has become: the messages, with the folder that named their recipients.
type Composition struct {
	To     []Addressed `json:"to,omitempty"`
	Due    time.Time   `json:"due,omitzero"`     // of a customer update: when it says that the next one follows
	Detail string      `json:"detail,omitempty"` // why there is nobody, or what could not be determined or written
	Folder Folder      `json:"folder"`
}

// Composed takes in who is to be told what: the send becomes one delivery for each recipient who can be reached.
func (i *Incident) Composed(number int, is Composition, now time.Time) {
	if is.Folder.Changed.After(i.Folder.Changed) || i.Folder.Revision == "" {
		i.Folder = is.Folder
	}
	found := i.Find(number)
	if found == nil {
		return
	}
	s := *found
	i.drop(number)
	if s.Withdrawn = i.withdrawn(&s); s.Withdrawn != "" {
		return
	}
	if !is.Due.IsZero() {
		s.Due = is.Due
	}
	if s.Work == Appoint {
		i.appoint(s, is, now)
		return
	}
	reached := 0
	for _, a := range is.To {
		if a.Held != "" {
			i.record(now, timeline.HeldBack, timeline.Muster(), timeline.F("what", string(delivery.Page)),
				timeline.F("to", a.To.Name), timeline.F("cause", a.Held))
		}
		if len(a.To.Methods) == 0 || s.Work == PageStep && i.Escalation.AckedBy(a.To.ID) {
			continue
		}
		if !a.To.Shared && (s.Work == PageStep || s.Work == Remind) {
			i.involve(a.To.ID)
		}
		d := s
		d.Parent, d.For, d.Work, d.To, d.Message = s.Number, s.Work, Tell, &a.To, &a.Message
		switch {
		case s.Work == Summon:
			d.Work, d.For, d.Summons = PagePerson, "", true
			reached++
		case s.Work != PageStep:
			reached++
		case !a.Outside: // whoever is outside is told, but nobody waits for their answer
			if !a.To.Along {
				reached++
			}
			d.Work, d.For = PagePerson, ""
		}
		i.beginDelivery(d, now)
	}
	if reached > 0 {
		if is.Detail != "" { // one of them, or a text, could not be determined
			i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(s.Work)), timeline.F("detail", is.Detail))
		}
		return
	}
	detail := is.Detail
	if detail == "" && len(is.To) == 0 {
		detail = "nobody"
	}
	if s.Work == PageStep {
		i.stepFailed(s, timeline.StepEmpty, detail, now)
		return
	}
	if s.Work == Summon {
		i.summonFailed(s, detail, now)
		return
	}
	i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(s.Work)), timeline.F("detail", detail))
	switch s.Work {
	case Remind:
		i.tellStandIn(s, now)
	case SendResult: // whoever answers for it has to find somebody to send it to
		i.resultWanted(s.Customer, now)
	default:
	}
}

// tellStandIn tells those who stand for a role of a promise, when whoever has the role cannot be reached.
func (i *Incident) tellStandIn(s Send, now time.Time) {
	if s.Stands || s.About == AboutRole || s.About == AboutTakeover {
		return
	}
	i.begin(Send{
		Work: Remind, Stands: true, About: s.About, Role: s.Role, Targets: i.namedFor(s.Role), Customer: s.Customer,
		Target: s.Target, Due: s.Due, Vendor: s.Vendor, Text: s.Text, Author: s.Author, Content: s.Content,
	}, now)
}

// Told takes in how a delivery ended.
func (i *Incident) Told(number int, o delivery.Outcome, now time.Time) {
	found := i.Find(number)
	if found == nil {
		return
	}
	s := *found
	s.Withdrawn = i.withdrawn(&s)
	i.drop(number)
	facts := append(s.facts(), timeline.F("attempts", strconv.Itoa(o.Attempts)))
	switch o.Result {
	case delivery.Delivered:
		i.record(now, timeline.Delivered, timeline.Muster(), facts...)
		if o.Followed && i.Definition.Follows && s.Work == PagePerson {
			i.follows(s)
		}
		i.delivered(s, now)
	case delivery.Withdrawn:
		i.record(now, timeline.Withdrawn, timeline.Muster(), append(facts, timeline.F("cause", s.Withdrawn), timeline.F("detail", o.Detail))...)
		if i.Definition.Follows && s.Work == PagePerson { // an attempt may have been under way
			i.follows(s)
		}
	case delivery.Refused:
		i.record(now, timeline.Refused, timeline.Muster(), append(facts, timeline.F("detail", o.Detail))...)
		if o.Final {
			s.Missed++
		}
		i.refused(s, now)
	}
}

func (i *Incident) delivered(s Send, now time.Time) {
	switch {
	case s.Work == PagePerson && s.Summons:
		if x := i.summons(s.asked()); x != nil && x.Team != "" {
			x.Arrived = true
		}
		if s.hasNextMethod() && s.To.Delay(s.Method+1) > 0 && i.stale(&s) == "" {
			i.Later = append(i.Later, s)
		}
	case s.Work == PagePerson:
		i.pageArrived(s)
	case s.For == SendResult:
		i.resultArrived(s, now)
	case s.For == ConfirmReceipt && i.arrivesFirst(s.Parent):
		i.record(now, timeline.ReceiptSent, timeline.Muster(), timeline.F("customer", i.customerName(s.Customer)))
	case s.For == CloseCustomer && i.arrivesFirst(s.Parent):
		i.record(now, timeline.ClosingTold, timeline.Muster(), timeline.F("customer", i.customerName(s.Customer)))
	case s.For == UpdateCustomer:
		i.updateArrived(s, now)
	case s.For == ClearCustomer && i.arrivesFirst(s.Parent):
		i.asked(s.Customer, now)
		i.cleared(s.Customer)
		i.said(&s, now)
		i.record(now, timeline.AllClearSent, s.author(), timeline.F("customer", i.customerName(s.Customer)), timeline.F("text", s.Text))
	}
}

// pageArrived takes in that somebody has got a page. Where their next contact method has a delay, it follows all the same
// unless somebody acknowledges.
func (i *Incident) pageArrived(s Send) {
	if s.Climb == i.Escalation.Restarts && s.Rung == i.Escalation.Begun && !s.To.Along {
		i.Escalation.Reached = true
	}
	if s.hasNextMethod() && s.To.Delay(s.Method+1) > 0 && i.stale(&s) == "" {
		i.Later = append(i.Later, s)
	}
}

// arrivesFirst tells whether no other contact of the customer has got the text yet.
func (i *Incident) arrivesFirst(send int) bool {
	for _, n := range i.Arrived {
		if n == send {
			return false
		}
	}
	const remembered = 100 // the contacts of a customer are told at once, or within a day
	if i.Arrived = append(i.Arrived, send); len(i.Arrived) > remembered {
		i.Arrived = i.Arrived[1:]
	}
	return true
}

// author is who wrote to a customer.
func (s *Send) author() timeline.Actor {
	if s.Author != nil {
		return *s.Author
	}
	return timeline.Muster()
}

// updateArrived keeps the promise and starts its next round. Further contacts of the same customer add nothing.
func (i *Incident) updateArrived(s Send, now time.Time) {
	c := i.clock(s.Customer, supportplan.Update)
	if !i.arrivesFirst(s.Parent) || c != nil && s.Parent <= c.LastSend {
		return
	}
	by := s.author()
	i.record(now, timeline.UpdateSent, by, append([]timeline.Fact{
		timeline.F("customer", i.customerName(s.Customer)), timeline.F("text", s.Text),
	}, i.said(&s, now)...)...)
	if c == nil {
		return
	}
	c.LastSend = s.Parent
	if !i.Status.Open() || !c.Open() || c.State == supportplan.Paused {
		return
	}
	if !s.Begun.Before(c.Started) { // else it is late news of the round before
		i.keepClock(c, by, now)
	}
	// The customer has been told the next instant as of when the update was written.
	from := s.Begun
	if p, _ := i.plan(s.Customer).Promise(i.Priority, supportplan.Update); !now.Before(cmp.Or(s.Due, from.Add(p.Within))) {
		from = now
	}
	i.nextRound(c, from, now)
}

func (i *Incident) nextRound(c *supportplan.Clock, from, now time.Time) {
	p, promised := i.plan(c.Customer).Promise(i.Priority, c.Target)
	if !promised {
		c.Stop(now)
		return
	}
	c.Restart(from, p)
	i.computeClocks(now)
}

func (i *Incident) refused(s Send, now time.Time) {
	if s.Work == PagePerson || s.Work == Tell {
		if !s.Hastened && s.Method+1 < len(s.To.Methods) && s.Withdrawn == "" {
			i.nextMethod(s, "refused", now)
			return
		}
	}
	if s.Work == PagePerson && s.Missed == len(s.To.Methods) && s.Withdrawn == "" {
		i.record(now, timeline.Unreachable, timeline.Muster(), timeline.F("what", string(s.Message.Kind)), timeline.F("to", s.To.Name))
	}
	switch {
	case s.Withdrawn != "":
	case s.For == Remind:
		i.tellStandIn(s, now)
	case s.Summons:
		i.summonFailed(s, "", now)
	case s.For == SendResult:
		i.resultWanted(s.Customer, now)
	}
	if s.Work == PagePerson && !s.Summons && !s.To.Along && !i.paging(s.Rung, s.Climb) && !i.Escalation.Reached && s.Withdrawn == "" {
		i.stepFailed(s, timeline.StepFailed, "", now)
	}
}

// stepFailed lets the next step follow at once when nobody of this one can be reached.
func (i *Incident) stepFailed(s Send, kind timeline.Kind, detail string, now time.Time) {
	if s.Climb != i.Escalation.Restarts {
		return
	}
	rung := i.rung(&s)
	facts := []timeline.Fact{timeline.F("step", strconv.Itoa(rung.Step)), turn(rung)}
	if kind == timeline.StepEmpty {
		facts = append(facts, timeline.F("detail", detail))
	}
	i.record(now, kind, timeline.Muster(), facts...)
	i.Escalation.Hasten(i.Definition.Policy, s.Rung, now)
}

// paging tells whether a page of a rung may still reach somebody.
func (i *Incident) paging(rung, climb int) bool {
	for n := range i.Outbox {
		if s := &i.Outbox[n]; !s.Summons && (s.To == nil || !s.To.Along) && (s.Work == PagePerson || s.Work == PageStep) && s.Rung == rung && s.Climb == climb {
			return true
		}
	}
	return false
}

// Ticketed takes in that the ticket has been written.
func (i *Incident) Ticketed(number int, ref ticket.Ref, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	i.Ticket.Written = s.Revision
	if !s.Begun.Before(i.Ticket.DeedAt) { // else it came while this was on its way
		i.Ticket.Deed = "" // what it was before has been written over
	}
	i.drop(number)
	if i.Ticket.Ref.ID == "" {
		i.Ticket.Ref = ref
		i.record(now, timeline.TicketOpened, timeline.Muster(), timeline.F("ticket", ref.ID), timeline.F("url", ref.URL))
		return
	}
	i.record(now, timeline.TicketUpdated, timeline.Muster(), timeline.F("ticket", i.Ticket.Ref.ID), timeline.F("status", string(i.Status)))
}

// TicketMissed takes in that the ticket could not be written for a long time. It is tried again with the next change.
func (i *Incident) TicketMissed(number int, detail string, now time.Time) {
	if s := i.Find(number); s != nil {
		i.Ticket.Written = s.Revision
	}
	i.drop(number)
	i.record(now, timeline.TicketFailed, timeline.Muster(), timeline.F("detail", detail))
}

// NotComputed takes in that the instants of the clocks could not be computed: they are asked for again.
func (i *Incident) NotComputed(number int, detail string, now time.Time) {
	if i.Find(number) == nil {
		return
	}
	i.drop(number)
	i.Timeline.Repeat(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(ComputeClocks)), timeline.F("detail", detail))
	i.computeClocks(now)
}

// TicketRefused takes in that the ticket system wants no such ticket: it is not asked again.
func (i *Incident) TicketRefused(number int, detail string, now time.Time) {
	i.drop(number)
	i.Ticket.Disabled = true
	i.record(now, timeline.TicketFailed, timeline.Muster(), timeline.F("detail", detail))
}

// Reported takes in where the incident report was written.
func (i *Incident) Reported(number int, files []File, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	i.Report.Written, i.Report.Files = s.Revision, files
	i.drop(number)
	paths, sums := make([]string, len(files)), make([]string, len(files))
	for n, f := range files {
		paths[n], sums[n] = f.Path, f.SHA256
	}
	i.record(now, timeline.ReportWritten, timeline.Muster(),
		timeline.F("paths", strings.Join(paths, ", ")), timeline.F("sha256", strings.Join(sums, ", ")))
}

// ReportFailed takes in that the report could not be written.
func (i *Incident) ReportFailed(number int, detail string, now time.Time) {
	if s := i.Find(number); s != nil {
		i.Report.Written = s.Revision
	}
	i.drop(number)
	i.record(now, timeline.ReportFailed, timeline.Muster(), timeline.F("detail", detail))
}

// Reviewed takes in that the post-incident review has been opened, or why not.
func (i *Incident) Reviewed(number int, id string, due time.Time, failure string, now time.Time) {
	i.drop(number)
	if failure != "" {
		if !i.Review.Opened || i.Status != Closed { // else somebody has closed it, and it can do without the last facts
			i.record(now, timeline.ReviewFailed, timeline.Muster(), timeline.F("detail", failure))
		}
		return
	}
	if i.Review.Opened {
		i.Review.Due = due
		return
	}
	i.Review = Review{ID: id, Due: due, Opened: true}
	i.record(now, timeline.ReviewOpened, timeline.Muster(), timeline.F("review", id), at("due", due))
}

// FoundPrevious takes in the last incident of the same alert group, nil when there was none.
func (i *Incident) FoundPrevious(number int, e *Earlier, now time.Time) {
	i.drop(number)
	if e == nil || i.Previous != nil {
		return
	}
	i.Previous = e
	i.record(now, timeline.PreviousFound, timeline.Muster(), timeline.F("previous", string(e.ID)))
}

// PreviousUnknown takes in that nobody could say whether there was an incident before.
func (i *Incident) PreviousUnknown(number int, detail string, now time.Time) {
	i.drop(number)
	i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FindPrevious)), timeline.F("detail", detail))
}

// Dropped takes in that a send was not made, because it no longer matters.
func (i *Incident) Dropped(number int) { i.drop(number) }

// Resend prepares the sends that an earlier run has left without an outcome. They go out again under their own IDs, marked
// as possibly repeated.
func (i *Incident) Resend(run string, now time.Time) {
	i.Runs = append(i.Runs, run)
	i.record(now, timeline.Continued, timeline.Muster(), timeline.F("run", run))
	i.fresh = append([]Send(nil), i.Outbox...)
	for n := range i.Outbox {
		if s := &i.Outbox[n]; s.ID != "" {
			s.Repeated = true
			i.fresh[n].Repeated = true
			i.record(now, timeline.Resent, timeline.Muster(), s.facts()...)
		}
	}
}
