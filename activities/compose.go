package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/supportplan"
)

// A Directory knows who is there now. It is the organisation folder as it is at the moment of asking.
type Directory interface {
	// Recipients returns who a target means at an instant, nobody when a schedule has a gap.
	Recipients(t escalation.Target, at time.Time) ([]delivery.Recipient, error)
	// Reach narrows a recipient to the contact methods by which a message may go to them at an instant. Where none is left,
	// held says why.
	Reach(to delivery.Recipient, t incident.Telling, at time.Time) (narrowed delivery.Recipient, held string)
	// Engineers returns who answers for a customer: one list after the other, each for when nobody of those before can be
	// reached.
	Engineers(customer string, at time.Time) ([][]delivery.Recipient, error)
	// CustomerContacts returns whom a customer wants to be told.
	CustomerContacts(customer string) ([]delivery.Recipient, error)
	// Contact returns how a contact method reaches a recipient, with its secrets resolved.
	Contact(recipient, method string) (delivery.Contact, error)
	// Own tells whether a recipient is one of the provider's own people, or a channel of nobody else.
	Own(recipient string) bool
	// Folder names what it was read from.
	Folder() incident.Folder
	// Older tells whether a folder that somebody has seen is newer than this one.
	Older(revision string, changed time.Time) bool
}

// A Writer writes messages. With an error it still returns the bare facts, for a slip in a text must keep no page back.
type Writer interface {
	Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error)
}

// Composition finds out who is told and writes what they read. It is quick and local.
type Composition struct {
	Directory func() Directory
	Writer    Writer
	Now       func() time.Time
}

// ComposeInput asks for the messages of one send.
type ComposeInput struct {
	Telling  incident.Telling    `json:"telling"`
	Targets  []escalation.Target `json:"targets,omitempty"`
	Customer string              `json:"customer,omitempty"` // ID; instead of targets
	Seen     incident.Folder     `json:"seen"`               // the newest folder that the run has had an answer from
	// Calendars are those that the incident has pinned.
	Calendars []calendar.Rules `json:"calendars,omitempty"`
	// Anyway takes an older folder too: after a while, telling whoever was there then is better than telling nobody.
	Anyway bool `json:"anyway,omitempty"`
}

// Composing asks for the messages of a send of an incident.
func Composing(i *incident.Incident, s incident.Send) ComposeInput {
	in := ComposeInput{Telling: i.Telling(s), Targets: i.Who(s), Seen: i.Folder}
	switch s.Work {
	case incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt, incident.CloseCustomer, incident.SendResult:
		in.Targets, in.Customer = nil, s.Customer
	default:
	}
	if s.Work == incident.PageStep {
		in.Telling.Facts.Clocks = append(in.Telling.Facts.Clocks, i.Pending()...)
	}
	if in.Telling.Next != nil || s.Work == incident.PageStep {
		in.Calendars = i.Definition.Calendars
	}
	return in
}

// pending computes the instants of clocks that have just been started, so that the first page says them too.
func pending(in *ComposeInput) {
	for n := range in.Telling.Facts.Clocks {
		f := &in.Telling.Facts.Clocks[n]
		if f.Pending == nil {
			continue
		}
		at := incident.InstantsOf(f.Pending, 0, in.Calendars, time.LoadLocation)
		f.Due, f.Begins, f.Pending = at.Due, at.Begins, nil
	}
	in.Telling.Facts.Clocks = slices.DeleteFunc(in.Telling.Facts.Clocks, func(c incident.FactClock) bool { return c.Due.IsZero() })
	slices.SortStableFunc(in.Telling.Facts.Clocks, func(a, b incident.FactClock) int { return a.Due.Compare(b.Due) })
}

// Compose resolves the targets as of now and writes one message for each recipient, each once. What cannot be resolved
// becomes a detail: one broken target must not keep the others from being paged.
func (c *Composition) Compose(ctx context.Context, in ComposeInput) (incident.Composition, error) {
	dir := c.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway || tried(ctx)); err != nil {
		return out, err
	}
	pending(&in)
	to, err := c.addressed(dir, in)
	if next := in.Telling.Next; next != nil {
		at := incident.InstantsOf(next, 0, in.Calendars, time.LoadLocation)
		in.Telling.Due, out.Due = at.Due, at.Due // unknown when the calendar ends: as soon as there is news
	}
	if in.Telling.Kind == delivery.Receipt && in.Telling.Due.Before(c.Now()) {
		in.Telling.Due = time.Time{} // no promise for a time that is over: it was entered late
	}
	address(&out, to, err, func(a incident.Addressed) (delivery.Message, error) {
		t := told(in.Telling, a.Outside)
		if a.To.Shared && in.Customer == "" {
			t = t.Discreet()
		}
		if in.Customer == "" && !dir.Own(a.To.ID) {
			t.Facts = t.Facts.Beside()
		}
		return c.Writer.Message(t, a.To)
	})
	return out, nil
}

// tried tells whether other workers have had their turn: an attempt within a workflow task, and a preview, are at one alone.
func tried(ctx context.Context) bool {
	if !activity.IsActivity(ctx) {
		return false
	}
	info := activity.GetInfo(ctx)
	return !info.IsLocalActivity && info.Attempt > patience
}

// recent refuses a folder that is older than what a run has seen, unless any will do.
func recent(dir Directory, seen incident.Folder, anyway bool) error {
	if !anyway && dir.Older(seen.Revision, seen.Changed) {
		return fmt.Errorf("organisation folder of this worker is older than revision %s, which the run has seen", seen.Revision)
	}
	return nil
}

// address writes to everybody once who is not held back. What is wrong, with them or with a message, becomes the detail.
func address(
	out *incident.Composition, to []incident.Addressed, faults error, write func(incident.Addressed) (delivery.Message, error),
) {
	seen := make(map[string]bool, len(to))
	for _, a := range to {
		if seen[a.To.ID] {
			continue
		}
		seen[a.To.ID] = true
		if a.Held == "" {
			var err error
			if a.Message, err = write(a); err != nil {
				faults = errors.Join(faults, fmt.Errorf("write message to %s: %w", a.To.ID, err))
			}
		}
		out.To = append(out.To, a)
	}
	if faults != nil {
		out.Detail = faults.Error()
	}
}

// addressed finds out who is told, and who is held back, as of now. A target that is broken keeps none of the others from it.
func (c *Composition) addressed(dir Directory, in ComposeInput) ([]incident.Addressed, error) {
	now := c.Now()
	if in.Customer != "" {
		to, err := dir.CustomerContacts(in.Customer)
		all, _ := narrowed(dir, to, in.Telling, false, now)
		return all, err
	}
	var (
		all    []incident.Addressed
		faults error
	)
	for _, t := range in.Targets {
		choices, err := choices(dir, t, now)
		faults = errors.Join(faults, err)
		for _, to := range choices {
			more, reached := narrowed(dir, to, in.Telling, !t.Answers(), now)
			all = append(all, more...)
			if reached {
				break
			}
		}
	}
	return all, faults
}

// narrowed asks by which methods each may be sent a message now, and tells whether anybody may.
func narrowed(dir Directory, to []delivery.Recipient, t incident.Telling, outside bool, now time.Time) (all []incident.Addressed, reached bool) {
	for _, r := range to {
		r, held := dir.Reach(r, told(t, outside), now)
		all = append(all, incident.Addressed{To: r, Held: held, Outside: outside})
		reached = reached || held == ""
	}
	return all, reached
}

// told is a telling as it is for those who are told along with a page: another text, for they must not read what is ours.
func told(t incident.Telling, outside bool) incident.Telling {
	if outside {
		t.Kind = delivery.VendorCall
	}
	return t
}

// choices returns whom a target means, and who stands in for them when none of them can be reached.
func choices(dir Directory, t escalation.Target, now time.Time) ([][]delivery.Recipient, error) {
	if t.Kind == escalation.Engineer {
		return dir.Engineers(t.ID, now)
	}
	to, err := dir.Recipients(t, now)
	return [][]delivery.Recipient{to}, err
}

// LookHoursInput asks which calendars are open.
type LookHoursInput struct {
	IDs       []string         `json:"ids"`
	Calendars []calendar.Rules `json:"calendars"` // those that the incident has pinned
	At        time.Time        `json:"at"`
}

// Looking asks which calendars of an incident's escalation policy are open.
func Looking(i *incident.Incident, at time.Time) LookHoursInput {
	return LookHoursInput{IDs: i.Definition.Policy.Calendars(), Calendars: i.Definition.Calendars, At: at}
}

// LookHours returns which of the calendars are open, and until when that stays so.
func (c *Composition) LookHours(_ context.Context, in LookHoursInput) (incident.Hours, error) {
	var h incident.Hours
	for _, id := range in.IDs {
		t, err := supportplan.OpenTimeOf(id, in.Calendars, time.LoadLocation)
		if err != nil {
			return h, err
		}
		cal, ok := t.(*calendar.Calendar)
		if !ok {
			continue
		}
		open, until := cal.Holds(in.At)
		if open {
			h.Open = append(h.Open, id)
		}
		if h.Until.IsZero() || !until.IsZero() && until.Before(h.Until) {
			h.Until = until
		}
	}
	return h, nil
}

// ComputeClocksInput asks when clocks are due.
type ComputeClocksInput struct {
	Clocks    []ClockInput     `json:"clocks"`
	Calendars []calendar.Rules `json:"calendars,omitempty"` // those that the incident has pinned
}

// A ClockInput is one clock with its plan's percentage of being at risk.
type ClockInput struct {
	Clock  supportplan.Clock `json:"clock"`
	AtRisk int               `json:"at_risk"`
}

// Computing asks for the instants of an incident's clocks that run.
func Computing(i *incident.Incident) ComputeClocksInput {
	in := ComputeClocksInput{Calendars: i.Calendars()}
	for _, c := range i.Running() {
		in.Clocks = append(in.Clocks, ClockInput{Clock: *c, AtRisk: i.AtRisk(c.Customer)})
	}
	return in
}

// ComputeClocks returns the instants of all clocks that run. They are computed here and recorded, never again on replay: a
// new time-zone database must not change the past.
func (c *Composition) ComputeClocks(_ context.Context, in ComputeClocksInput) ([]incident.Instants, error) {
	out := make([]incident.Instants, len(in.Clocks))
	for n, k := range in.Clocks {
		out[n] = incident.InstantsOf(&k.Clock, k.AtRisk, in.Calendars, time.LoadLocation)
	}
	return out, nil
}
