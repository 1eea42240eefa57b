package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/review"
)

// A ReviewWriter writes messages on reviews, and the drafts of their texts for customers. With an error a message still has the bare
// facts.
type ReviewWriter interface {
	Review(t review.Telling, to delivery.Recipient) (delivery.Message, error)
	ReviewDraft(f review.Facts, customer, language string) (string, error)
}

// Changes know what runs of plans have changed.
type Changes interface {
	// Changed returns what was changed where a service runs, after from and not after until.
	Changed(ctx context.Context, service string, from, until time.Time) ([]review.Change, error)
}

// Reviews has the effects of post-incident reviews.
type Reviews struct {
	Changes   Changes
	Directory func() Directory
	Writer    ReviewWriter
	Now       func() time.Time
}

// ComposeReviewInput asks for the messages of one telling.
type ComposeReviewInput struct {
	Telling review.Telling  `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeReview finds out who is told as of now and writes one message for each. What cannot be resolved becomes a detail.
func (r *Reviews) ComposeReview(_ context.Context, in ComposeReviewInput) (incident.Composition, error) {
	dir := r.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	var (
		to     []delivery.Recipient
		faults error
	)
	if in.Telling.Customer != "" {
		to, faults = dir.CustomerContacts(in.Telling.Customer)
	}
	for _, t := range in.Telling.Targets {
		those, err := r.first(dir, t)
		to, faults = append(to, those...), errors.Join(faults, err)
	}
	all := make([]incident.Addressed, len(to))
	for n := range to {
		all[n] = incident.Addressed{To: to[n]}
	}
	address(&out, all, faults, func(a incident.Addressed) (delivery.Message, error) { return r.Writer.Review(in.Telling, a.To) })
	return out, nil
}

// first returns whom a target means: of engineers, the first ones that there are.
func (r *Reviews) first(dir Directory, t escalation.Target) ([]delivery.Recipient, error) {
	lists, err := choices(dir, t, r.Now())
	for _, list := range lists {
		if len(list) > 0 {
			return list, err
		}
	}
	return nil, err
}

// FindChangesInput asks for what was changed where a service runs.
type FindChangesInput struct {
	Service string    `json:"service"` // ID
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
}

// FindChanges returns what runs of plans have changed in a time.
func (r *Reviews) FindChanges(ctx context.Context, in FindChangesInput) ([]review.Change, error) {
	all, err := r.Changes.Changed(ctx, in.Service, in.From, in.Until)
	if err != nil {
		return nil, fmt.Errorf("find changes of service %s: %w", in.Service, err)
	}
	return all, nil
}

// DraftReviewInput asks for the drafts of the texts for customers.
type DraftReviewInput struct {
	Facts     review.Facts `json:"facts"`
	Customers []string     `json:"customers"` // IDs
}

// DraftReview writes the facts of each customer's text in the language of its first contact, else of the organisation.
func (r *Reviews) DraftReview(_ context.Context, in DraftReviewInput) ([]review.Drafted, error) {
	dir := r.Directory()
	var all []review.Drafted
	for _, c := range in.Customers {
		d := review.Drafted{Customer: c}
		if in.Facts.Record != nil {
			d.Language = in.Facts.Record.Language
		}
		if to, err := dir.CustomerContacts(c); err == nil && len(to) > 0 && to[0].Language != "" {
			d.Language = to[0].Language
		}
		var err error
		if d.Text, err = r.Writer.ReviewDraft(in.Facts, c, d.Language); err != nil {
			return nil, fmt.Errorf("draft review of %s: %w", in.Facts.Incident, err)
		}
		all = append(all, d)
	}
	return all, nil
}
