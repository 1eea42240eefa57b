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

// A chatroom takes a page, and what becomes of it.
type chatroom struct {
	mailbox

	err  error
	told []delivery.ID
}

func (b *chatroom) Follow(_ context.Context, e delivery.Envelope) error {
	b.told = append(b.told, e.ID)
	return b.err
}

type plain struct{ activities.Writer }

func (plain) Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: t.Kind, Language: to.Language, Text: "taken", Status: string(t.Facts.Status)}, nil
}

// away is a directory in which nobody has a method.
type away struct{ book }

func (away) Contact(string, string) (delivery.Contact, error) {
	return delivery.Contact{}, errors.New("no such method")
}

func TestFollowPage(t *testing.T) {
	for _, tt := range []struct {
		name      string
		directory activities.Directory
		to        activities.Sender
		fails     bool
		final     bool
		says      string
	}{
		{name: "it is told", directory: book{}, to: &chatroom{}},
		{name: "it can be told nothing any more", directory: book{}, to: &mailbox{}},
		{"later", book{}, &chatroom{err: errors.New("away")}, true, false, "follow page of INC-1 to kim by app: away"},
		{"never", book{}, &chatroom{err: &delivery.Refusal{Detail: "no"}}, true, true, "refused: no"},
		{"a worker behind the folder", away{}, &chatroom{}, true, false, "no such method"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &activities.FollowUps{
				Directory: func() activities.Directory { return tt.directory }, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: tt.to},
				Writer: plain{}, Now: time.Now,
			}
			env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
			env.RegisterActivity(f)
			_, err := env.ExecuteActivity(f.FollowPage, activities.FollowPageInput{
				Page:  incident.FollowedPage{ID: "d-1", To: delivery.Recipient{ID: "kim", Name: "kim", Language: "ko"}, Method: "app"},
				Facts: incident.Facts{ID: "INC-1"},
			})
			if (err != nil) != tt.fails || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want one that says %q: %v", err, tt.says, tt.fails)
			}
			if app, ok := errors.AsType[*temporal.ApplicationError](err); err != nil && (!ok || app.NonRetryable() != tt.final) {
				t.Errorf("%v: final %v, want %v", err, app != nil && app.NonRetryable(), tt.final)
			}
			if room, ok := tt.to.(*chatroom); ok && len(room.told) == 0 && tt.name != "a worker behind the folder" {
				t.Error("it was told nothing")
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
