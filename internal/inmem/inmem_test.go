package inmem_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/inmem"
	"muster/internal/ticket"
)

func envelope(recipient, method string, attempt int) delivery.Envelope {
	return delivery.Envelope{
		ID: delivery.ID(recipient + "/" + method), Attempt: attempt, Recipient: delivery.Recipient{ID: recipient},
		Contact: delivery.Contact{Method: method}, Message: delivery.Message{Kind: delivery.Page},
	}
}

func TestRules(t *testing.T) {
	fail, refuse := inmem.Fail(time.Minute), inmem.Refuse("gone")
	type sent struct {
		recipient, method string
		attempt           int
		want              string // the error's text
	}
	const away, gone = "unavailable: the receiver is away (retry after 1m0s)", "refused: gone"
	tests := map[string]struct {
		tell func(*inmem.Sender)
		sent []sent
	}{
		"told nothing": {func(*inmem.Sender) {}, []sent{{"park", "mail", 1, ""}}},
		"fails twice": {func(s *inmem.Sender) { s.On(inmem.Match{Recipient: "park"}, 2, fail) }, []sent{
			{"park", "mail", 1, away}, {"kim", "mail", 1, ""}, {"park", "mail", 2, away}, {"park", "mail", 3, ""},
		}},
		"refuses one method for ever": {func(s *inmem.Sender) { s.On(inmem.Match{Recipient: "park", Method: "mail"}, 0, refuse) }, []sent{
			{"park", "mail", 1, gone}, {"park", "hook", 1, ""}, {"park", "mail", 2, gone}, {"park", "mail", 3, gone},
		}},
		"refuses by attempt": {func(s *inmem.Sender) { s.On(inmem.Match{Attempt: 2}, 0, refuse) }, []sent{
			{"park", "mail", 1, ""}, {"park", "mail", 2, gone}, {"kim", "mail", 2, gone}, {"kim", "mail", 3, ""},
		}},
		"refuses a kind": {func(s *inmem.Sender) { s.On(inmem.Match{Kind: delivery.AllClear}, 0, refuse) }, []sent{{"park", "mail", 1, ""}}},
		"one rule after the other": {func(s *inmem.Sender) {
			s.On(inmem.Match{}, 1, fail)
			s.On(inmem.Match{}, 1, refuse)
		}, []sent{{"park", "mail", 1, away}, {"park", "mail", 2, gone}, {"park", "mail", 3, ""}}},
		"rules cleared": {func(s *inmem.Sender) {
			s.On(inmem.Match{}, 0, refuse)
			s.Clear()
		}, []sent{{"park", "mail", 1, ""}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sender := new(inmem.Sender)
			tt.tell(sender)
			delivered := 0
			for _, s := range tt.sent {
				got := ""
				if err := sender.Send(t.Context(), envelope(s.recipient, s.method, s.attempt)); err != nil {
					got = err.Error()
				} else {
					delivered++
				}
				if got != s.want {
					t.Errorf("%+v: got %q", s, got)
				}
			}
			if len(sender.Attempts()) != len(tt.sent) || len(sender.Delivered()) != delivered {
				t.Errorf("%d attempts and %d delivered, want %d and %d", len(sender.Attempts()), len(sender.Delivered()), len(tt.sent), delivered)
			}
		})
	}
}

func TestHangAndAwait(t *testing.T) {
	sender := new(inmem.Sender)
	sender.On(inmem.Match{}, 1, inmem.Hang)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- sender.Send(ctx, envelope("park", "mail", 1)) }()

	if got, err := sender.AwaitAttempts(t.Context(), 1); err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an error that wraps context.Canceled", err)
	}
	if got, err := sender.AwaitDelivered(ctx, 1); !errors.Is(err, context.Canceled) || len(got) != 0 {
		t.Errorf("awaiting what never comes: got %v, %v", got, err)
	}
}

func TestAwaitConcurrently(t *testing.T) {
	sender := new(inmem.Sender)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := sender.AwaitDelivered(t.Context(), 50); err != nil || len(got) < 50 {
				t.Errorf("got %d, %v", len(got), err)
			}
		})
	}
	for range 50 {
		wg.Go(func() { _ = sender.Send(t.Context(), envelope("park", "mail", 1)) })
	}
	wg.Wait()
}

func TestWhatIsReturnedIsACopy(t *testing.T) {
	sender, tickets := new(inmem.Sender), new(inmem.Tickets)
	_ = sender.Send(t.Context(), envelope("park", "mail", 1))
	_, _ = tickets.Open(t.Context(), ticket.Ticket{Key: "a"})
	sender.Attempts()[0].ID, sender.Delivered()[0].ID, tickets.All()[0].Revisions[0].Key = "x", "x", "x"
	if sender.Attempts()[0].ID == "x" || sender.Delivered()[0].ID == "x" || tickets.All()[0].Revisions[0].Key == "x" {
		t.Error("a caller can change what is remembered")
	}
}

func TestTickets(t *testing.T) {
	tickets := new(inmem.Tickets)
	var wg sync.WaitGroup
	refs := make([]ticket.Ref, 20)
	for i := range refs {
		wg.Go(func() { refs[i], _ = tickets.Open(t.Context(), ticket.Ticket{Key: "a", Revision: 1}) })
	}
	wg.Wait()
	for _, ref := range refs {
		if ref != (ticket.Ref{ID: "T-000001"}) {
			t.Errorf("got %+v for the same key", ref)
		}
	}
	if other, err := tickets.Open(t.Context(), ticket.Ticket{Key: "b"}); err != nil || other.ID != "T-000002" {
		t.Errorf("another key: got %+v, %v", other, err)
	}
	for _, revision := range []int{3, 2, 3, 4} {
		if err := tickets.Update(t.Context(), refs[0], ticket.Ticket{Key: "a", Revision: revision}); err != nil {
			t.Fatal(err)
		}
	}
	all := tickets.All()
	if len(all) != 2 || len(all[0].Revisions) != 3 || all[0].Latest().Revision != 4 {
		t.Errorf("got %+v", all)
	}
	if err := tickets.Update(t.Context(), ticket.Ref{ID: "T-9"}, ticket.Ticket{}); !delivery.IsRefusal(err) {
		t.Errorf("unknown ticket: got %v, want a refusal", err)
	}
}

func TestTicketsAnswer(t *testing.T) {
	away := &delivery.Unavailable{Detail: "desk is closed"}
	tickets := &inmem.Tickets{Answer: func(_ context.Context, ref ticket.Ref, k ticket.Ticket) error {
		if ref.ID != "" || k.Key == "closed" {
			return away
		}
		return nil
	}}
	if _, err := tickets.Open(t.Context(), ticket.Ticket{Key: "closed"}); !errors.Is(err, away) {
		t.Errorf("open: got %v", err)
	}
	ref, err := tickets.Open(t.Context(), ticket.Ticket{Key: "open"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tickets.Update(t.Context(), ref, ticket.Ticket{Key: "open", Revision: 1}); !errors.Is(err, away) {
		t.Errorf("update: got %v", err)
	}
	if all := tickets.All(); len(all) != 1 || len(all[0].Revisions) != 1 {
		t.Errorf("what was not taken had an effect: %+v", all)
	}
}
