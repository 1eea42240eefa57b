package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
)

// FollowUps tells where pages have arrived what has become of their incident.
type FollowUps struct {
	Directory func() Directory
	Senders   map[delivery.ContactType]Sender
	Writer    Writer
	Now       func() time.Time
}

// FollowPagesInput are pages of an incident, and how it stands. Whoever reads them may be several.
type FollowPagesInput struct {
	Pages []incident.FollowedPage `json:"pages"`
	Facts incident.Facts          `json:"facts"`
}

// FollowPages makes one attempt for each page. It is over when all have been told; telling one again changes nothing.
func (f *FollowUps) FollowPages(ctx context.Context, in FollowPagesInput) error {
	var later, never error
	for _, p := range in.Pages {
		err := f.follow(ctx, p, in.Facts)
		switch {
		case err == nil:
		case delivery.IsRefusal(err):
			never = errors.Join(never, fmt.Errorf("%s by %s: %w", p.To.Name, p.Method, err))
		default:
			later = errors.Join(later, fmt.Errorf("%s by %s: %w", p.To.Name, p.Method, err))
		}
	}
	switch {
	case later != nil:
		return retryable(fmt.Errorf("follow pages of %s: %w", in.Facts.ID, later))
	case never != nil:
		return refused(fmt.Errorf("follow pages of %s: %w", in.Facts.ID, never))
	}
	return nil
}

// follow tells one. A method that is not there any more, or of another type now, has nothing to be told.
func (f *FollowUps) follow(ctx context.Context, p incident.FollowedPage, facts incident.Facts) error {
	contact, err := f.Directory().Contact(p.To.ID, p.Method)
	if err != nil {
		return &delivery.Refusal{Detail: err.Error()}
	}
	follower, ok := f.Senders[contact.Type].(Follower)
	if !ok {
		return nil
	}
	m, err := f.Writer.Message(incident.Telling{Kind: delivery.FollowUp, Facts: facts}, p.To)
	if err != nil {
		return &delivery.Refusal{Detail: err.Error()}
	}
	return follower.Follow(ctx, delivery.Envelope{ID: p.ID, Attempt: 1, At: f.Now(), Recipient: p.To, Contact: contact, Message: m})
}
