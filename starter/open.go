package starter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
)

// A Desk takes what people report, whichever way it comes in.
type Desk struct {
	Incidents Opener
	Directory Offering // the organisation folder as it is now
	Now       func() time.Time
}

// An Opener opens incidents and reads them. Its errors are those of this package.
type Opener interface {
	// Open opens an incident that people report. The same request twice is one incident: then it is not fresh.
	Open(ctx context.Context, r Request, def incident.Definition, n incident.Notice) (id incident.ID, fresh bool, err error)
	State(ctx context.Context, id incident.ID) (*incident.Incident, error)
}

// Offering knows the services.
type Offering interface {
	// Reported returns a definition for what people report. Its error is a *incident.NoticeFault.
	Reported(r incident.Reported) (incident.Definition, error)
	// Partners are those of a service.
	Partners(service string) []string
}

// A NewIncident is what people report: a customer, or the front line for one.
type NewIncident struct {
	Service   string              `json:"service"` // ID
	Title     string              `json:"title"`
	Text      string              `json:"text,omitempty"`      // what was said
	Customers []string            `json:"customers,omitempty"` // IDs of those that are affected: all of the service when none are named
	Customer  string              `json:"customer,omitempty"`  // ID of the one that has reported it
	Impact    priority.Level      `json:"impact,omitempty"`    // the service's when empty, and so is the urgency
	Urgency   priority.Level      `json:"urgency,omitempty"`
	Channel   supportplan.Channel `json:"channel,omitempty"`
	Receipt   string              `json:"receipt,omitempty"`    // number under which it was received
	Received  time.Time           `json:"received,omitzero"`    // now when left out; what was promised runs from then
	Occurred  time.Time           `json:"occurred,omitzero"`    // when it began, as far as anybody knows
	NoticedBy string              `json:"noticed_by,omitempty"` // who noticed it first
}

// An Opened incident is the answer to a NewIncident: what can be told back to whoever has reported it.
type Opened struct {
	ID        incident.ID       `json:"id"`
	Receipt   string            `json:"receipt"` // under which whoever reported it can ask
	Status    incident.Status   `json:"status"`
	Priority  priority.Priority `json:"priority"`
	Received  time.Time         `json:"received"`
	RespondBy []RespondBy       `json:"respond_by"` // the earliest first
}

// A RespondBy is until when a customer was promised a response.
type RespondBy struct {
	Customer string    `json:"customer"` // its name
	Due      time.Time `json:"due"`
	Begins   time.Time `json:"begins,omitzero"` // when its hours open, if they were closed at the receipt
}

// A FaultyError is what is wrong with a report, field by field.
type FaultyError struct{ Faults []*incident.NoticeFault }

// Error returns all faults.
func (e *FaultyError) Error() string {
	var all []string
	for _, f := range e.Faults {
		all = append(all, f.Error())
	}
	return "open incident: " + strings.Join(all, "; ")
}

// Open opens what somebody reports, if they may. Its error is a *authority.DeniedError, a *FaultyError or one of Incidents.
func (d *Desk) Open(ctx context.Context, by authority.Subject, req Request, asked NewIncident) (Opened, error) {
	if err := d.may(by, &asked); err != nil {
		return Opened{}, err
	}
	def, n, err := d.define(asked, by.Kind == authority.Customer)
	if err != nil {
		return Opened{}, err
	}
	id, fresh, err := d.Incidents.Open(ctx, req, def, n)
	if err != nil {
		return Opened{}, err
	}
	opened := Opened{ID: id, Receipt: cmp.Or(n.Receipt, string(id)), Status: incident.Triggered}
	if !fresh { // as it was opened, whatever the folder says now
		i, err := d.Incidents.State(ctx, id)
		if err != nil {
			return Opened{}, err
		}
		def, n, opened.Status = i.Definition, *cmp.Or(i.Notice, &n), i.Status
	}
	opened.Received = n.Received.UTC()
	opened.Priority, _ = priority.Of(def.Impact, def.Urgency) // it has been opened with them
	opened.RespondBy = respondBy(def, opened.Priority, n.Received)
	return opened, nil
}

// may tells whether somebody may report this. A customer reports for itself alone, and leaves it to the provider how pressing it is.
func (d *Desk) may(by authority.Subject, asked *NewIncident) error {
	if by.Kind == authority.Customer {
		var faults []*incident.NoticeFault
		only := func(field string, given bool) {
			if given {
				faults = append(faults, &incident.NoticeFault{Field: field, Detail: "want none: a customer reports for itself and now, and the provider judges how pressing it is"})
			}
		}
		only("customers", len(asked.Customers) > 1 || len(asked.Customers) == 1 && asked.Customers[0] != by.Party)
		only("customer", asked.Customer != "" && asked.Customer != by.Party)
		only("received", !asked.Received.IsZero())
		only("receipt", asked.Receipt != "")
		only("channel", asked.Channel != "")
		only("impact", asked.Impact != "")
		only("urgency", asked.Urgency != "")
		if len(faults) > 0 {
			return &FaultyError{faults}
		}
		asked.Customers, asked.Customer = []string{by.Party}, by.Party
	}
	return authority.May(by, authority.Open, authority.Object{
		Kind: authority.Incident, Customers: asked.Customers, Partners: d.Directory.Partners(asked.Service),
	})
}

// define is what was promised for an incident that is reported, and its notice. An outsider learns of no service but its own.
func (d *Desk) define(asked NewIncident, outsider bool) (incident.Definition, incident.Notice, error) {
	n := incident.Notice{
		Receipt: asked.Receipt, Channel: asked.Channel, Customer: asked.Customer, Received: asked.Received, Occurred: asked.Occurred,
		NoticedBy: asked.NoticedBy, Text: asked.Text,
	}
	if n.Received.IsZero() {
		n.Received = d.Now()
	}
	alone := len(asked.Customers) == 0 && asked.Customer != ""
	if alone { // nobody has said that it is anybody else's trouble
		asked.Customers = []string{asked.Customer}
	}
	def, err := d.Directory.Reported(incident.Reported{
		Service: asked.Service, Customers: asked.Customers, Impact: asked.Impact, Urgency: asked.Urgency, Title: asked.Title,
	})
	if err != nil && outsider {
		err = &incident.NoticeFault{Field: "service", Detail: fmt.Sprintf("%q; want the id of a service that you use", clip(asked.Service))}
	}
	faults := n.Faults(d.Now())
	if f, ok := errors.AsType[*incident.NoticeFault](err); ok {
		if alone && f.Field == "customers" {
			f.Field = "customer"
		}
		faults = append(faults, f)
	} else if err != nil {
		return def, n, err
	}
	affected := func(c incident.Customer) bool { return c.ID == asked.Customer }
	if asked.Customer != "" && err == nil && !slices.ContainsFunc(def.Customers, affected) {
		faults = append(faults, &incident.NoticeFault{Field: "customer", Detail: fmt.Sprintf("%q reports it, and is not affected; want one of those that are", clip(asked.Customer))})
	}
	if len(faults) > 0 {
		return def, n, &FaultyError{faults}
	}
	return def, n, nil
}

// clip keeps foreign text short.
func clip(s string) string {
	const most = 64
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// respondBy is until when each customer was promised a response. What nobody can say is left out.
func respondBy(def incident.Definition, p priority.Priority, received time.Time) []RespondBy {
	all := []RespondBy{}
	for _, c := range def.Customers {
		promise, ok := c.Plan.Promise(p, supportplan.Respond)
		if !ok {
			continue
		}
		clock := supportplan.Start(c.ID, promise, received)
		if at := incident.InstantsOf(&clock, c.Plan.AtRisk, def.Calendars, time.LoadLocation); at.Fault == "" {
			all = append(all, RespondBy{c.Name, at.Due.UTC(), at.Begins})
		}
	}
	slices.SortStableFunc(all, func(a, b RespondBy) int { return a.Due.Compare(b.Due) })
	return all
}
