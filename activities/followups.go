package activities

import (
	"context"
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

// FollowPageInput is a page of an incident, and how that stands. Whoever reads it may be several.
type FollowPageInput struct {
	Page  incident.FollowedPage `json:"page"`
	Facts incident.Facts        `json:"facts"`
}

// FollowPage makes one attempt. To tell a page again changes nothing; a method of another type now has nothing to be told.
func (f *FollowUps) FollowPage(ctx context.Context, in FollowPageInput) error {
	p := in.Page
	contact, err := f.Directory().Contact(p.To.ID, p.Method)
	if err != nil { // a worker that lags behind the folder, or a secret that is being rotated
		return fmt.Errorf("follow page of %s to %s: %w", in.Facts.ID, p.To.Name, err)
	}
	follower, ok := f.Senders[contact.Type].(Follower)
	if !ok {
		return nil
	}
	m, err := f.Writer.Message(incident.Telling{Kind: delivery.FollowUp, Facts: in.Facts}, p.To)
	if err != nil {
		return refused(fmt.Errorf("write follow-up of %s: %w", in.Facts.ID, err))
	}
	err = follower.Follow(ctx, delivery.Envelope{ID: p.ID, Attempt: 1, At: f.Now(), Recipient: p.To, Contact: contact, Message: m})
	return ended(fmt.Sprintf("follow page of %s to %s by %s", in.Facts.ID, p.To.Name, p.Method), err)
}
