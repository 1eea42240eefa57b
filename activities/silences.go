package activities

import (
	"context"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/silence"
)

// A SilenceWriter writes what silences have held back. With an error it still returns the bare facts.
type SilenceWriter interface {
	Silence(t silence.Telling, to delivery.Recipient) (delivery.Message, error)
}

// Silences has the effects of silences that people, or the organisation folder, make.
type Silences struct {
	Directory func() Directory
	Writer    SilenceWriter
	Now       func() time.Time
}

// ComposeSilenceInput asks for the messages of one telling.
type ComposeSilenceInput struct {
	Telling silence.Telling `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeSilence finds out who is told as of now and writes one message for each. What cannot be resolved becomes a detail.
func (s *Silences) ComposeSilence(_ context.Context, in ComposeSilenceInput) (incident.Composition, error) {
	dir := s.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	to, faults := everybody(dir, in.Telling.To, s.Now())
	address(&out, to, faults, func(to incident.Addressed) (delivery.Message, error) { return s.Writer.Silence(in.Telling, to.To) })
	return out, nil
}
