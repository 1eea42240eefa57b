package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	// CustomerContacts returns whom a customer wants to be told.
	CustomerContacts(customer string) ([]delivery.Recipient, error)
	// Contact returns how a contact method reaches a recipient, with its secrets resolved.
	Contact(recipient, method string) (delivery.Contact, error)
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
	in := ComposeInput{Telling: i.Telling(s), Targets: s.Targets, Seen: i.Folder}
	if s.Work == incident.UpdateCustomer || s.Work == incident.ClearCustomer {
		in.Targets, in.Customer = nil, s.Customer
	}
	if in.Telling.Next != nil {
		in.Calendars = i.Definition.Calendars
	}
	return in
}

// Compose resolves the targets as of now and writes one message for each recipient, each once. What cannot be resolved
// becomes a detail: one broken target must not keep the others from being paged.
func (c *Composition) Compose(_ context.Context, in ComposeInput) (incident.Composition, error) {
	dir := c.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	to, err := c.recipients(dir, in)
	if next := in.Telling.Next; next != nil {
		at := incident.InstantsOf(next, 0, in.Calendars, time.LoadLocation)
		in.Telling.Due, out.Due = at.Due, at.Due // unknown when the calendar ends: as soon as there is news
	}
	address(&out, to, err, func(r delivery.Recipient) (delivery.Message, error) { return c.Writer.Message(in.Telling, r) })
	return out, nil
}

// recent refuses a folder that is older than what a run has seen, unless any will do.
func recent(dir Directory, seen incident.Folder, anyway bool) error {
	if !anyway && dir.Older(seen.Revision, seen.Changed) {
		return fmt.Errorf("organisation folder of this worker is older than revision %s, which the run has seen", seen.Revision)
	}
	return nil
}

// address writes to each recipient once. What is wrong, with them or with a message, becomes the detail.
func address(out *incident.Composition, to []delivery.Recipient, faults error, write func(delivery.Recipient) (delivery.Message, error)) {
	seen := make(map[string]bool, len(to))
	for _, r := range to {
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		m, err := write(r)
		if err != nil {
			faults = errors.Join(faults, fmt.Errorf("write message to %s: %w", r.ID, err))
		}
		out.To = append(out.To, incident.Addressed{To: r, Message: m})
	}
	if faults != nil {
		out.Detail = faults.Error()
	}
}

func (c *Composition) recipients(dir Directory, in ComposeInput) ([]delivery.Recipient, error) {
	if in.Customer != "" {
		return dir.CustomerContacts(in.Customer)
	}
	return whom(dir, in.Targets, c.Now())
}

// whom finds whom targets mean at an instant. One that is broken keeps none of the others from it.
func whom(dir Directory, targets []escalation.Target, at time.Time) (all []delivery.Recipient, faults error) {
	for _, t := range targets {
		to, err := dir.Recipients(t, at)
		faults = errors.Join(faults, err)
		all = append(all, to...)
	}
	return all, faults
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
	in := ComputeClocksInput{Calendars: i.Definition.Calendars}
	for _, c := range i.Clocks {
		if c.State == supportplan.Running && c.Open() {
			in.Clocks = append(in.Clocks, ClockInput{Clock: c, AtRisk: i.AtRisk(c.Customer)})
		}
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
