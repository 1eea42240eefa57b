package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/ticket"
)

// RefusedError is the type of the errors that no retry can mend.
const RefusedError = "Refused"

// A TicketSystem keeps tickets. Opening twice with one key gives one ticket.
type TicketSystem interface {
	Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error)
	Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error
}

// Tickets opens tickets and keeps them up to date.
type Tickets struct {
	System TicketSystem
	Writer Writer
	Page   func(incident.ID) string // where people find an incident, empty when they cannot; nil: nobody knows
}

// SyncTicketInput is what a ticket should say.
type SyncTicketInput struct {
	Ref      ticket.Ref     `json:"ref"` // empty: open one
	Revision int            `json:"revision"`
	At       time.Time      `json:"at"`
	Facts    incident.Facts `json:"facts"`
	Language string         `json:"language"`
}

// SyncTicket opens the ticket of an incident, or brings it up to date.
func (t *Tickets) SyncTicket(ctx context.Context, in SyncTicketInput) (ticket.Ref, error) {
	telling, to := incident.Telling{Kind: delivery.Ticket, Facts: in.Facts.Discreet()}, delivery.Recipient{Language: in.Language}
	m, err := t.Writer.Message(telling, to)
	if err != nil {
		return in.Ref, refused(fmt.Errorf("write ticket of %s: %w", in.Facts.ID, err))
	}
	telling.About = incident.AboutChange
	note, err := t.Writer.Message(telling, to)
	if err != nil {
		return in.Ref, refused(fmt.Errorf("write comment for the ticket of %s: %w", in.Facts.ID, err))
	}
	want := ticket.Ticket{
		Key: string(in.Facts.ID), Revision: in.Revision, At: in.At, Title: m.Subject, Text: m.Text,
		Status: string(in.Facts.Status), Priority: in.Facts.Priority.String(), Service: in.Facts.Service, Language: m.Language,
		Note: note.Text, Since: in.Facts.Times.Alerted,
	}
	if t.Page != nil {
		want.URL = t.Page(in.Facts.ID)
	}
	if in.Ref.ID == "" {
		ref, err := t.System.Open(ctx, want)
		return ref, ended(fmt.Sprintf("open ticket of %s", in.Facts.ID), err)
	}
	return in.Ref, ended(fmt.Sprintf("update ticket %s", in.Ref.ID), t.System.Update(ctx, in.Ref, want))
}

// ended says of an adapter's error what was done and whether it is final.
func ended(operation string, err error) error {
	if err == nil {
		return nil
	}
	wrapped := fmt.Errorf("%s: %w", operation, err)
	if delivery.IsRefusal(err) {
		return refused(wrapped)
	}
	return retryable(wrapped)
}

func refused(err error) error {
	return temporal.NewNonRetryableApplicationError(err.Error(), RefusedError, errors.Unwrap(err))
}
