// Package preview plays an incident forward before there is one: as if nobody answered, with the rules of incidents and the
// organisation folder as they are. It sends nothing and waits for nothing.
package preview

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/ticket"
)

// ID is that of every incident in a preview.
const ID incident.ID = "INC-PREVIEW"

// maxSteps bounds how often something may fall due.
const maxSteps = 10_000

// Play opens an incident of a definition with its alerts at an instant, and lets the time run until another, or until the last
// resort is paged for the second time: from then on nothing new is said. Every delivery arrives at once, by the first contact method; nobody acknowledges. What would have happened stands in the timeline of the
// incident that it returns.
func Play(ctx context.Context, o *org.Organisation, def incident.Definition, b alert.Batch, from, until time.Time) (*incident.Incident, error) {
	i, err := incident.Open(ID, def, from)
	if err != nil {
		return nil, fmt.Errorf("preview incident of route %s: %w", def.Route, err)
	}
	p := player{incident: i, now: from}
	p.composition = activities.Composition{
		Directory: func() activities.Directory { return o }, Writer: silent{}, Now: func() time.Time { return p.now },
	}
	i.Receive(b, from)
	for range maxSteps {
		if err := p.settle(ctx); err != nil {
			return nil, err
		}
		due := i.NextDue()
		if due.IsZero() || due.After(until) || p.repeats() {
			return i, nil
		}
		p.now = due
	}
	return nil, fmt.Errorf("preview incident of route %s until %s: more than %d things fall due", def.Route, until.Format(time.RFC3339), maxSteps)
}

// silent writes no texts: a preview says who is told, and when.
type silent struct{}

// Message returns the kind of the message and nothing to read.
func (silent) Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: t.Kind, Language: to.Language, Incident: string(t.Facts.ID)}, nil
}

type player struct {
	incident    *incident.Incident
	composition activities.Composition
	now         time.Time
}

// repeats tells whether the last resort has been paged twice.
func (p *player) repeats() bool {
	run := p.incident.Escalation
	if run.Begun < 2 {
		return false
	}
	run.Begun--
	return run.Rung(p.incident.Definition.Policy).Step == 0
}

// settle begins what is due now, and lets all of it have its outcome.
func (p *player) settle(ctx context.Context) error {
	for range maxSteps {
		begun := p.incident.Advance(p.now)
		if len(begun) == 0 {
			return nil
		}
		for _, s := range begun {
			if err := p.answer(ctx, s); err != nil {
				return err
			}
		}
	}
	return errors.New("preview: what is due at one instant never ends")
}

// answer gives a send the outcome that it would have on a good day.
func (p *player) answer(ctx context.Context, s incident.Send) error {
	i := p.incident
	switch s.Work {
	case incident.ComputeClocks:
		at, err := p.composition.ComputeClocks(ctx, activities.Computing(i))
		if err != nil {
			return err
		}
		i.Computed(s.Number, at, p.now)
	case incident.LookHours:
		h, err := p.composition.LookHours(ctx, activities.Looking(i, p.now))
		if err != nil {
			return err
		}
		i.Looked(s.Number, h, "", p.now)
	case incident.PageStep, incident.Remind, incident.UpdateCustomer, incident.ClearCustomer, incident.ConfirmReceipt, incident.CloseCustomer,
		incident.SendResult, incident.CallVendor, incident.Summon, incident.Appoint:
		is, err := p.composition.Compose(ctx, activities.Composing(i, s))
		if err != nil {
			return err
		}
		i.Composed(s.Number, is, p.now)
	case incident.PagePerson, incident.Tell:
		i.Told(s.Number, delivery.Outcome{Result: delivery.Delivered, Attempts: 1}, p.now)
	case incident.PostStatus:
		i.PagePosted(s.Number, "preview", p.now)
	case incident.SyncTicket:
		i.Ticketed(s.Number, ticket.Ref{ID: "T-PREVIEW"}, p.now)
	case incident.KeepRoom:
		i.RoomKept(s.Number, ticket.Ref{ID: "C-PREVIEW"}, p.now)
	case incident.WriteReport:
		i.Reported(s.Number, nil, p.now)
	case incident.OpenReview:
		i.Reviewed(s.Number, "review", i.ReviewDue(), "", p.now)
	case incident.FindPrevious:
		i.FoundPrevious(s.Number, nil, p.now)
	case incident.FindNearby:
		i.FoundNearby(s.Number, nil, "", p.now)
	case incident.FindProblem, incident.CountProblem:
		i.FoundProblem(s.Number, nil, "", p.now)
	case incident.FollowPage:
		i.PageTold(s.Number, "", p.now)
	case incident.ClaimResponse, incident.LookStep, incident.ActStep, incident.EndResponse: // it has no outcome here, so that pages go out when they wait no longer
	case incident.WriteResult, incident.TellMerge, incident.TellMerged, incident.ForwardAlerts: // only people ask for that
		i.Dropped(s.Number)
	}
	return nil
}
