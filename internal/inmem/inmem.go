// Package inmem remembers what would have been sent and written: for tests and the demo. It reaches nobody, and it
// forgets everything with the process.
package inmem

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"muster/internal/delivery"
)

// Sender remembers deliveries, and answers each attempt as it was told to. The zero value takes everything.
type Sender struct {
	mu        sync.Mutex
	rules     []*rule
	attempts  []delivery.Envelope
	delivered []delivery.Envelope
	changed   chan struct{} // closed by the next change
}

// Reaction is a receiver's answer to one attempt: nil takes it.
type Reaction func(context.Context, delivery.Envelope) error

// Refuse is the Reaction of a receiver that will never take it.
func Refuse(detail string) Reaction {
	return func(context.Context, delivery.Envelope) error { return &delivery.Refusal{Detail: detail} }
}

// Fail is the Reaction of a receiver that is away, and asks not to be tried again before after has passed.
func Fail(after time.Duration) Reaction {
	return func(context.Context, delivery.Envelope) error {
		return &delivery.Unavailable{Detail: "the receiver is away", After: after}
	}
}

// Hang is the Reaction of a receiver that never answers.
func Hang(ctx context.Context, _ delivery.Envelope) error {
	<-ctx.Done()
	return fmt.Errorf("no answer: %w", ctx.Err())
}

// Match selects attempts. Empty fields match everything.
type Match struct {
	Recipient string        // its id
	Method    string        // the contact method's name
	Kind      delivery.Kind // the message's
	Attempt   int
}

func (m Match) matches(e delivery.Envelope) bool {
	return (m.Recipient == "" || m.Recipient == e.Recipient.ID) &&
		(m.Method == "" || m.Method == e.Contact.Method) &&
		(m.Kind == "" || m.Kind == e.Message.Kind) &&
		(m.Attempt == 0 || m.Attempt == e.Attempt)
}

type rule struct {
	match Match
	left  int // how often it still applies; for ever when negative
	react Reaction
}

// On answers the next times attempts that match by r, or all of them from now on when times is 0. Of several rules that
// match, the one added first answers until it is used up.
func (s *Sender) On(m Match, times int, r Reaction) {
	if times == 0 {
		times = -1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &rule{m, times, r})
}

// Clear forgets all rules: every receiver takes everything again.
func (s *Sender) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Send remembers one attempt and answers it.
func (s *Sender) Send(ctx context.Context, e delivery.Envelope) error {
	if react := s.attempt(e); react != nil {
		if err := react(ctx, e); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delivered = append(s.delivered, e)
	s.announce()
	return nil
}

func (s *Sender) attempt(e delivery.Envelope) Reaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, e)
	s.announce()
	for _, r := range s.rules {
		if r.left != 0 && r.match.matches(e) {
			r.left--
			return r.react
		}
	}
	return nil
}

func (s *Sender) announce() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Attempts returns every attempt so far, in the order in which they began.
func (s *Sender) Attempts() []delivery.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.attempts)
}

// Delivered returns what receivers took, in the order in which they took it. A repeat is there twice.
func (s *Sender) Delivered() []delivery.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.delivered)
}

// AwaitAttempts waits until at least n attempts have begun, and returns them.
func (s *Sender) AwaitAttempts(ctx context.Context, n int) ([]delivery.Envelope, error) {
	return s.await(ctx, n, &s.attempts)
}

// AwaitDelivered waits until receivers have taken at least n deliveries, and returns them.
func (s *Sender) AwaitDelivered(ctx context.Context, n int) ([]delivery.Envelope, error) {
	return s.await(ctx, n, &s.delivered)
}

func (s *Sender) await(ctx context.Context, n int, list *[]delivery.Envelope) ([]delivery.Envelope, error) {
	for {
		s.mu.Lock()
		got := slices.Clone(*list)
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, fmt.Errorf("await %d envelopes, have %d: %w", n, len(got), ctx.Err())
		}
	}
}
