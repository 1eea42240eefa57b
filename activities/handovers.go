package activities

import (
	"context"
	"errors"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
)

// A HandoverWriter writes messages on hand-overs. With an error it still returns the bare facts.
type HandoverWriter interface {
	Handover(t handover.Telling, to delivery.Recipient) (delivery.Message, error)
}

// Handovers finds out who is told of a hand-over and writes what they read. It is quick and local.
type Handovers struct {
	Directory func() Directory
	Writer    HandoverWriter
	Now       func() time.Time
}

// ComposeHandoverInput asks for the messages of one telling.
type ComposeHandoverInput struct {
	Telling handover.Telling `json:"telling"`
	Seen    incident.Folder  `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool             `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeHandover resolves the targets as of now and writes one message for each recipient, each once. What cannot be resolved
// becomes a detail.
func (h *Handovers) ComposeHandover(_ context.Context, in ComposeHandoverInput) (incident.Composition, error) {
	dir := h.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	to, faults := everybody(dir, in.Telling.Targets, h.Now())
	address(&out, to, faults, func(a incident.Addressed) (delivery.Message, error) { return h.Writer.Handover(in.Telling, a.To) })
	return out, nil
}

// everybody is whom some targets mean at an instant.
func everybody(dir Directory, targets []escalation.Target, now time.Time) (to []incident.Addressed, faults error) {
	for _, t := range targets {
		found, err := dir.Recipients(t, now)
		faults = errors.Join(faults, err)
		for _, r := range found {
			to = append(to, incident.Addressed{To: r})
		}
	}
	return to, faults
}
