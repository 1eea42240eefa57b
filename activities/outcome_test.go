package activities_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/inmem"
)

func TestWhatADeliveryComesTo(t *testing.T) {
	answers := func(err error) inmem.Reaction {
		return func(context.Context, delivery.Envelope) error { return err }
	}
	for _, tc := range []struct {
		name   string
		method string
		answer inmem.Reaction // nil takes it
		want   delivery.Outcome
		err    string        // of an attempt that is made again …
		after  time.Duration // … not before this has passed, when the receiver has said so
	}{
		{"taken", "phone", nil, delivery.Outcome{Result: delivery.Delivered, Attempts: 1}, "", 0},
		{"refused", "phone", inmem.Refuse("410 Gone"), delivery.Outcome{Result: delivery.Refused, Attempts: 1, Final: true, Detail: "410 Gone"}, "", 0},
		{
			"refused, wrapped", "phone", answers(fmt.Errorf("post: %w", &delivery.Refusal{Detail: "410 Gone"})),
			delivery.Outcome{Result: delivery.Refused, Attempts: 1, Final: true, Detail: "410 Gone"},
			"", 0,
		},
		{"away", "phone", inmem.Fail(0), delivery.Outcome{}, "the receiver is away", 0},
		{"away, and says for how long", "phone", inmem.Fail(90 * time.Second), delivery.Outcome{}, "the receiver is away", 90 * time.Second},
		{"any other error", "phone", answers(errors.New("connection reset")), delivery.Outcome{}, "connection reset", 0},
		{"a method that cannot be looked up now", "lost", nil, delivery.Outcome{}, "secret SMS_TOKEN: not set", 0},
		{
			"a channel that this worker lacks", "fax", nil,
			delivery.Outcome{Result: delivery.Refused, Attempts: 1, Final: true, Detail: `contact type "fax": this worker has no such channel`},
			"", 0,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sender := &inmem.Sender{}
			if tc.answer != nil {
				sender.On(inmem.Match{}, 1, tc.answer)
			}
			d := &activities.Deliveries{Directory: open, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: sender}}
			got, err := perform[delivery.Outcome](t, d.Deliver, activities.DeliverInput{ID: "INC-1/7/kim/phone", To: reader("kim"), Method: tc.method})
			if (err != nil) != (tc.err != "") || got != tc.want {
				t.Fatalf("got %+v, %v; want %+v, %q", got, err, tc.want, tc.err)
			}
			if err == nil {
				return
			}
			app, _ := errors.AsType[*temporal.ApplicationError](err)
			if final(err) || app.NextRetryDelay() != tc.after || !strings.Contains(err.Error(), tc.err) ||
				!strings.Contains(err.Error(), "deliver INC-1/7/kim/phone by "+tc.method) {
				t.Errorf("got %v, next attempt after %s; want %q, after %s", err, app.NextRetryDelay(), tc.err, tc.after)
			}
		})
	}
}

func TestWhatAnEarlierRunMayHaveSentIsMarked(t *testing.T) {
	for _, repeated := range []bool{false, true} {
		sender := &inmem.Sender{}
		d := &activities.Deliveries{Directory: open, Senders: map[delivery.ContactType]activities.Sender{delivery.Webhook: sender}}
		in := activities.DeliverInput{ID: "INC-1/7/kim/phone", To: reader("kim"), Method: "phone", Repeated: repeated}
		if _, err := perform[delivery.Outcome](t, d.Deliver, in); err != nil {
			t.Fatal(err)
		}
		if e := sender.Delivered()[0]; e.ID != in.ID || e.Attempt != 1 || e.Repeated != repeated {
			t.Errorf("sent %+v, want repeated %v", e, repeated)
		}
	}
}
