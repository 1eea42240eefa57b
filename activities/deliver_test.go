package activities_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/link"
)

// A receiver answers every attempt in the same way.
type receiver struct{ err error }

func (r receiver) Send(context.Context, delivery.Envelope) error { return r.err }

// book is a directory in which everybody has one contact method.
type book struct{ activities.Directory }

func (book) Contact(_, method string) (delivery.Contact, error) {
	return delivery.Contact{Method: method, Type: delivery.Webhook}, nil
}

// A logbook keeps what a tracker is told.
type logbook struct{ lines []string }

func (l *logbook) UnderWay(id delivery.ID, scheduled, until time.Time) {
	l.lines = append(l.lines, fmt.Sprintf("%s under way, ahead %v", id, until.After(scheduled)))
}

func (l *logbook) Ended(id delivery.ID, kind delivery.Kind, result delivery.Result, took time.Duration) {
	l.lines = append(l.lines, fmt.Sprintf("%s ended, %s %s, measured %v", id, kind, result, took > 0))
}

func TestDeliverIsTracked(t *testing.T) {
	const underWay = "d-1 under way, ahead true"
	for name, tt := range map[string]struct {
		answer error
		want   []string
		fails  bool
	}{
		"delivered":   {nil, []string{underWay, "d-1 ended, page delivered, measured true"}, false},
		"refused":     {&delivery.Refusal{Detail: "gone"}, []string{underWay, "d-1 ended, page refused, measured true"}, false},
		"unavailable": {&delivery.Unavailable{Detail: "busy", After: time.Hour}, []string{underWay, underWay}, true},
		"broken":      {errors.New("no space"), []string{underWay, underWay}, true},
	} {
		t.Run(name, func(t *testing.T) {
			said := &logbook{}
			d := &activities.Deliveries{
				Directory: func() activities.Directory { return book{} }, Tracker: said,
				Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: receiver{tt.answer}},
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(d)
			_, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
				ID: "d-1", To: delivery.Recipient{ID: "park"}, Method: "phone", Message: delivery.Message{Kind: delivery.Page},
			})
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one %v", err, tt.fails)
			}
			if !slices.Equal(said.lines, tt.want) {
				t.Errorf("the tracker heard %q, want %q", said.lines, tt.want)
			}
		})
	}
}

// A mailbox keeps what it is sent.
type mailbox struct{ got []delivery.Message }

func (b *mailbox) Send(_ context.Context, e delivery.Envelope) error {
	b.got = append(b.got, e.Message)
	return nil
}

// A linker answers every link alike, and keeps what it was asked for.
type linker struct {
	url   string
	err   error
	asked []link.Link
}

func (l *linker) Link(of link.Link) (string, error) {
	l.asked = append(l.asked, of)
	return l.url, l.err
}

// A link is made at the moment of sending, and a message goes out whether or not it can be made.
func TestAMessageCarriesTheLinkThatItOffers(t *testing.T) {
	const url = "https://muster.example/l/x"
	begun := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	offer := delivery.OfferOfPage("Take it:", "INC-1", "Slow", "Shop")
	park := delivery.Recipient{ID: "park"}
	for name, tt := range map[string]struct {
		links *linker
		offer *delivery.Offer
		to    delivery.Recipient
		text  string
		url   string
		asked int
	}{
		"offered":            {&linker{url: url}, offer, park, "Page.\n\nTake it:\n" + url + "\n", url, 1},
		"a group's channel":  {&linker{url: url}, offer, delivery.Recipient{ID: "group:noc", Shared: true}, "Page.\n", "", 0},
		"nothing is offered": {&linker{url: url}, nil, park, "Page.\n", "", 0},
		"no public address":  {&linker{}, offer, park, "Page.\n", "", 1},
		"no key":             {&linker{err: errors.New("no key signs now")}, offer, park, "Page.\n", "", 1},
		"no linker":          {nil, offer, park, "Page.\n", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			box := &mailbox{}
			d := &activities.Deliveries{
				Directory: func() activities.Directory { return book{} },
				Senders:   map[delivery.ContactType]activities.Sender{delivery.Webhook: box},
			}
			if tt.links != nil {
				d.Links = tt.links
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(d)
			if _, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{
				ID: "d-1", To: tt.to, Method: "phone", Begun: begun,
				Message: delivery.Message{Kind: delivery.Page, Incident: "INC-1", Text: "Page.\n", Offer: tt.offer},
			}); err != nil {
				t.Fatal(err)
			}
			want := delivery.Message{Kind: delivery.Page, Incident: "INC-1", Text: tt.text, URL: tt.url}
			if len(box.got) != 1 || box.got[0] != want {
				t.Errorf("sent %+v, want %+v", box.got, want)
			}
			if tt.links == nil {
				return
			}
			if len(tt.links.asked) != tt.asked {
				t.Fatalf("%d links, want %d", len(tt.links.asked), tt.asked)
			}
			for _, l := range tt.links.asked {
				if l.ID != "d-1" || l.Person != "park" || l.Incident != "INC-1" || l.Content != link.OfIncident("INC-1", "Slow", "Shop") ||
					!l.Allows(link.Acknowledge) || !l.Allows(link.Escalate) || !l.Expires.Equal(begun.Add(12*time.Hour)) {
					t.Errorf("asked for %+v", l)
				}
			}
		})
	}
}

// TestPause says as Temporal does when the next attempt comes.
func TestPause(t *testing.T) {
	policy := &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}
	broken := errors.New("no space")
	for _, tt := range []struct {
		name    string
		err     error
		policy  *temporal.RetryPolicy
		attempt int
		want    time.Duration
	}{
		{"first", broken, policy, 1, time.Second},
		{"doubled", broken, policy, 3, 4 * time.Second},
		{"at most", broken, policy, 6, 30 * time.Second},
		{"after a month", broken, policy, 100_000, 30 * time.Second},
		{"the receiver's wish", fmt.Errorf("deliver: %w", &delivery.Unavailable{After: time.Hour}), policy, 1, time.Hour},
		{"no wish", &delivery.Unavailable{}, policy, 2, 2 * time.Second},
		{"no policy", broken, nil, 1, 0},
	} {
		if got := activities.Pause(tt.err, tt.policy, tt.attempt); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
