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
