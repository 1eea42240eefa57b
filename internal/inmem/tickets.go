package inmem

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"muster/internal/delivery"
	"muster/internal/ticket"
)

// Tickets is a ticket system that remembers. The zero value works.
type Tickets struct {
	// Answer, when it is set, decides on every Open (with an empty Ref) and Update before it has an effect.
	Answer func(context.Context, ticket.Ref, ticket.Ticket) error

	mu      sync.Mutex
	tickets []Ticket
}

// Ticket is a ticket with every revision that was taken, the first one first.
type Ticket struct {
	Ref       ticket.Ref
	Revisions []ticket.Ticket
}

// Latest is the ticket as it stands.
func (t Ticket) Latest() ticket.Ticket { return t.Revisions[len(t.Revisions)-1] }

// Open makes a ticket, or finds the one that was opened under the same key.
func (s *Tickets) Open(ctx context.Context, t ticket.Ticket) (ticket.Ref, error) {
	if err := s.answer(ctx, ticket.Ref{}, t); err != nil {
		return ticket.Ref{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.tickets {
		if known.Revisions[0].Key == t.Key {
			return known.Ref, nil
		}
	}
	ref := ticket.Ref{ID: fmt.Sprintf("T-%06d", len(s.tickets)+1)}
	s.tickets = append(s.tickets, Ticket{Ref: ref, Revisions: []ticket.Ticket{t}})
	return ref, nil
}

// Update adds a revision, unless it is older than the last.
func (s *Tickets) Update(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if err := s.answer(ctx, ref, t); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.tickets {
		if known.Ref.ID != ref.ID {
			continue
		}
		if t.Revision > known.Latest().Revision {
			s.tickets[i].Revisions = append(known.Revisions, t)
		}
		return nil
	}
	return &delivery.Refusal{Detail: fmt.Sprintf("there is no ticket %q", ref.ID)}
}

func (s *Tickets) answer(ctx context.Context, ref ticket.Ref, t ticket.Ticket) error {
	if s.Answer == nil {
		return nil
	}
	return s.Answer(ctx, ref, t)
}

// All returns every ticket, the first opened first.
func (s *Tickets) All() []Ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.tickets)
	for i := range all {
		all[i].Revisions = slices.Clone(all[i].Revisions)
	}
	return all
}
