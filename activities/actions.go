package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/internal/action"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

// An ActionWriter writes messages on action items. With an error it still returns the bare facts.
type ActionWriter interface {
	Action(t action.Telling, ownerless bool, to delivery.Recipient) (delivery.Message, error)
}

// Actions has the effects of action items.
type Actions struct {
	Directory func() Directory
	Writer    ActionWriter
	Now       func() time.Time
}

// ComposeActionInput asks for the messages of one telling.
type ComposeActionInput struct {
	Telling action.Telling  `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// An ActionComposition is also whether nobody is there under the owner's id.
type ActionComposition struct {
	incident.Composition

	Ownerless bool `json:"ownerless,omitempty"`
}

// ComposeAction finds out who is told as of now and writes one message for each. When nobody finds the owner, who may have left,
// whoever stands behind is told instead. What cannot be resolved becomes a detail.
func (a *Actions) ComposeAction(_ context.Context, in ComposeActionInput) (ActionComposition, error) {
	dir := a.Directory()
	out := ActionComposition{Composition: incident.Composition{Folder: dir.Folder()}}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	var (
		to     []incident.Addressed
		faults error
	)
	find := func(t escalation.Target) (found bool) {
		people, err := dir.Recipients(t, a.Now())
		faults = errors.Join(faults, err)
		for _, r := range people {
			if found = true; !slices.Contains(in.Telling.Except, r.ID) {
				to = append(to, incident.Addressed{To: r})
			}
		}
		return found
	}
	if in.Telling.Owner {
		out.Ownerless = !find(escalation.Target{Kind: escalation.Person, ID: in.Telling.Terms.Owner})
	}
	if in.Telling.All || out.Ownerless {
		for _, t := range in.Telling.Behind {
			find(t)
		}
	}
	address(&out.Composition, to, faults, func(to incident.Addressed) (delivery.Message, error) {
		return a.Writer.Action(in.Telling, out.Ownerless, to.To)
	})
	return out, nil
}
