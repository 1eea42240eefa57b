package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/planrun"
)

// A ChangeWriter writes messages on changes. With an error it still returns the bare facts.
type ChangeWriter interface {
	Change(t change.Telling, to delivery.Recipient) (delivery.Message, error)
	ChangeNotice(t change.Telling, to delivery.Recipient) (delivery.Message, error)
}

// A ChangeHouse knows plans as the organisation folder has them now.
type ChangeHouse interface {
	ChangePlan(p change.Plan) (planrun.Terms, error)
}

// ChangeRuns start runs of plans for changes, in Muster's name. The same change twice is one run. What is refused is no error.
type ChangeRuns interface {
	BeginForChange(ctx context.Context, id change.ID, terms planrun.Terms) (run planrun.ID, refused string, err error)
}

// ChangeRequests has the effects of changes.
type ChangeRequests struct {
	Directory func() Directory
	House     func() ChangeHouse
	Writer    ChangeWriter
	Runs      ChangeRuns
	Now       func() time.Time
}

// ComposeChangeInput asks for the messages of one telling.
type ComposeChangeInput struct {
	Telling change.Telling  `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeChange resolves the targets as of now and writes one message for each recipient, each once. What cannot be resolved becomes a
// detail.
func (c *ChangeRequests) ComposeChange(_ context.Context, in ComposeChangeInput) (incident.Composition, error) {
	dir := c.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	write := c.Writer.Change
	if in.Telling.About.Notice() {
		write = c.Writer.ChangeNotice
	}
	to, faults := everybody(dir, in.Telling.Targets, c.Now())
	if customer := in.Telling.Customer; customer != "" {
		var contacts []delivery.Recipient
		contacts, faults = dir.CustomerContacts(customer)
		for _, x := range contacts {
			to = append(to, incident.Addressed{To: x})
		}
	}
	address(&out, to, faults, func(a incident.Addressed) (delivery.Message, error) { return write(in.Telling, a.To) })
	return out, nil
}

// StartChangeInput asks for the run of the plan that a change becomes.
type StartChangeInput struct {
	ID        change.ID         `json:"id"`
	Plan      change.Plan       `json:"plan"`
	ForChange planrun.ForChange `json:"for_change"`
}

// StartedChange is which run it is, or why there is none.
type StartedChange struct {
	Run     planrun.ID `json:"run,omitempty"`
	Refused string     `json:"refused,omitempty"`
}

// StartChange starts the run of the plan that a change becomes, as long as that is the plan that was approved.
func (c *ChangeRequests) StartChange(ctx context.Context, in StartChangeInput) (StartedChange, error) {
	terms, err := c.House().ChangePlan(in.Plan)
	if err != nil {
		return StartedChange{Refused: err.Error()}, nil
	}
	if now := (&planrun.Run{Terms: terms}).Lines(""); !slices.Equal(now, in.Plan.Lines) {
		return StartedChange{Refused: fmt.Sprintf("plan %s, its parameters or its runbooks are not those that were approved: want the change asked for anew", in.Plan.ID)}, nil
	}
	terms.ForChange = &in.ForChange
	run, refused, err := c.Runs.BeginForChange(ctx, in.ID, terms)
	if err != nil {
		return StartedChange{}, fmt.Errorf("start plan of %s: %w", in.ID, err)
	}
	return StartedChange{Run: run, Refused: refused}, nil
}
