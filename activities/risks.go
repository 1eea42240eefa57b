package activities

import (
	"context"
	"errors"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/risk"
)

// A RiskWriter writes messages on risks that were escalated. With an error it still returns the bare facts.
type RiskWriter interface {
	Risk(t risk.Telling, gone bool, to delivery.Recipient) (delivery.Message, error)
}

// Risks has the effects of risks that people escalate.
type Risks struct {
	Directory func() Directory
	Writer    RiskWriter
	Now       func() time.Time
}

// ComposeRiskInput asks for the messages of one telling.
type ComposeRiskInput struct {
	Telling risk.Telling    `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// A RiskComposition is also who was not found.
type RiskComposition struct {
	incident.Composition

	Gone   bool `json:"gone,omitempty"`   // nobody is there under the originator's id
	Nobody bool `json:"nobody,omitempty"` // nobody is there to take it
}

// ComposeRisk finds out who is told as of now and writes one message for each. The originator takes nothing and is told only what
// the originator has to know; when nobody finds the originator, the last level is told instead. What cannot be resolved becomes a
// detail.
func (r *Risks) ComposeRisk(_ context.Context, in ComposeRiskInput) (RiskComposition, error) {
	dir := r.Directory()
	out := RiskComposition{Composition: incident.Composition{Folder: dir.Folder()}}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	var (
		to     []incident.Addressed
		faults error
	)
	originator := in.Telling.Terms.Originator.ID
	find := func(t escalation.Target, own bool) (found bool) {
		people, err := dir.Recipients(t, r.Now())
		faults = errors.Join(faults, err)
		for _, p := range people {
			if own == (p.ID == originator) {
				found = true
				to = append(to, incident.Addressed{To: p})
			}
		}
		return found
	}
	if in.Telling.Own {
		if out.Gone = !find(escalation.Target{Kind: escalation.Person, ID: originator}, true); out.Gone {
			in.Telling.To = in.Telling.Instead
		}
	}
	for _, t := range in.Telling.To {
		find(t, false)
	}
	out.Nobody = len(to) == 0
	address(&out.Composition, to, faults, func(to incident.Addressed) (delivery.Message, error) {
		return r.Writer.Risk(in.Telling, out.Gone, to.To)
	})
	return out, nil
}
