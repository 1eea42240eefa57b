package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/request"
	"muster/internal/usage"
)

// A Counter counts what customers use of their quotas.
type Counter interface {
	// Claim asks for a use. The same claim twice is one.
	Claim(ctx context.Context, c usage.Claim) (usage.Counts, error)
	// Return gives back what was counted for a request of a customer, if anything was.
	Return(ctx context.Context, customer, request string) error
}

// A RequestWriter writes messages on requests. With an error it still returns the bare facts.
type RequestWriter interface {
	Request(t request.Telling, to delivery.Recipient) (delivery.Message, error)
}

// Requests has the effects of customers' requests.
type Requests struct {
	Directory func() Directory
	Writer    RequestWriter
	Counter   Counter
	Now       func() time.Time
}

// ClaimUse asks for the use of a request.
func (r *Requests) ClaimUse(ctx context.Context, c usage.Claim) (usage.Counts, error) {
	counts, err := r.Counter.Claim(ctx, c)
	if err != nil {
		return counts, fmt.Errorf("count use of %s by customer %s: %w", c.Request, c.Customer, err)
	}
	return counts, nil
}

// ReturnUseInput names the use that a request gives back.
type ReturnUseInput struct {
	Customer string `json:"customer"`
	Request  string `json:"request"`
}

// ReturnUse gives back the use of a request.
func (r *Requests) ReturnUse(ctx context.Context, in ReturnUseInput) error {
	if err := r.Counter.Return(ctx, in.Customer, in.Request); err != nil {
		return fmt.Errorf("give back use of %s by customer %s: %w", in.Request, in.Customer, err)
	}
	return nil
}

// ComposeRequestInput asks for the messages of one telling.
type ComposeRequestInput struct {
	Telling request.Telling `json:"telling"`
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposeRequest finds out who is told as of now and writes one message for each: the customer's contacts, or its engineers.
// What cannot be resolved becomes a detail.
func (r *Requests) ComposeRequest(_ context.Context, in ComposeRequestInput) (incident.Composition, error) {
	dir := r.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	var (
		to  []delivery.Recipient
		err error
	)
	if in.Telling.Person != "" {
		to, err = dir.Recipients(escalation.Target{Kind: escalation.Person, ID: in.Telling.Person}, r.Now())
	}
	switch {
	case len(to) > 0:
	case in.Telling.About.Outside():
		to, err = dir.CustomerContacts(in.Telling.Terms.Customer)
	default: // nobody works on it, or nobody finds them
		found, fault := r.engineers(dir, in.Telling.Terms.Customer)
		to, err = found, errors.Join(err, fault)
	}
	all := make([]incident.Addressed, len(to))
	for n := range to {
		all[n] = incident.Addressed{To: to[n]}
	}
	address(&out, all, err, func(a incident.Addressed) (delivery.Message, error) { return r.Writer.Request(in.Telling, a.To) })
	return out, nil
}

// engineers are those who answer for a customer and are not away. Where all of them are, the first are told all the same: a
// message wakes nobody, and nobody else would be told.
func (r *Requests) engineers(dir Directory, customer string) ([]delivery.Recipient, error) {
	lists, err := dir.Engineers(customer, r.Now())
	asked := incident.Telling{Kind: delivery.Page, Step: 1, Facts: incident.Facts{Priority: request.Priority}}
	for _, list := range lists {
		var there []delivery.Recipient
		for _, to := range list {
			if to, held := dir.Reach(to, asked, r.Now()); held == "" {
				there = append(there, to)
			}
		}
		if len(there) > 0 {
			return there, err
		}
	}
	for _, list := range lists {
		if len(list) > 0 {
			return list, err
		}
	}
	return nil, err
}
