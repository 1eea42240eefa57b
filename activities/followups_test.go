package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
)

// A chatroom answers for each page by its ID.
type chatroom struct {
	mailbox

	answers map[delivery.ID]error
	told    []delivery.ID
}

func (b *chatroom) Follow(_ context.Context, e delivery.Envelope) error {
	b.told = append(b.told, e.ID)
	return b.answers[e.ID]
}

type plain struct{ activities.Writer }

func (plain) Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: t.Kind, Language: to.Language, Text: "taken", Status: string(t.Facts.Status)}, nil
}

func TestFollowPages(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers map[delivery.ID]error
		fails   bool
		final   bool
		says    string
	}{
		{name: "all are told"},
		{"one has to be told again", map[delivery.ID]error{"d-1": errors.New("away"), "d-2": &delivery.Refusal{Detail: "no"}}, true, false, "kim by app: away"},
		{"one takes nothing", map[delivery.ID]error{"d-2": &delivery.Refusal{Detail: "gone"}}, true, true, "kim by app: refused: gone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &chatroom{answers: tt.answers}
			f := &activities.FollowUps{
				Directory: func() activities.Directory { return book{} }, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: b},
				Writer: plain{}, Now: time.Now,
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(f)
			to := delivery.Recipient{ID: "kim", Name: "kim", Language: "ko"}
			_, err := env.ExecuteActivity(f.FollowPages, activities.FollowPagesInput{
				Pages: []incident.FollowedPage{{ID: "d-1", To: to, Method: "app"}, {ID: "d-2", To: to, Method: "app"}},
			})
			if len(b.told) != 2 {
				t.Errorf("told %v, want both", b.told)
			}
			if (err != nil) != tt.fails || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want one that says %q: %v", err, tt.says, tt.fails)
			}
			if app, ok := errors.AsType[*temporal.ApplicationError](err); err != nil && (!ok || app.NonRetryable() != tt.final) {
				t.Errorf("%v: final %v, want %v", err, app != nil && app.NonRetryable(), tt.final)
			}
		})
	}
}

// What cannot be told later is not followed.
func TestOnlyPagesAreFollowed(t *testing.T) {
	for _, tt := range []struct {
		kind delivery.Kind
		to   activities.Sender
		want bool
	}{{delivery.Page, &chatroom{}, true}, {delivery.Reminder, &chatroom{}, false}, {delivery.Page, &mailbox{}, false}} {
		d := &activities.Deliveries{
			Directory: func() activities.Directory { return book{} }, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: tt.to},
		}
		env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
		env.RegisterActivity(d)
		v, err := env.ExecuteActivity(d.Deliver, activities.DeliverInput{ID: "d-1", To: delivery.Recipient{ID: "kim"}, Method: "app", Message: delivery.Message{Kind: tt.kind}})
		if err != nil {
			t.Fatal(err)
		}
		var out delivery.Outcome
		if err := v.Get(&out); err != nil || out.Followed != tt.want {
			t.Errorf("%s to %T: followed %v, want %v: %v", tt.kind, tt.to, out.Followed, tt.want, err)
		}
	}
}
