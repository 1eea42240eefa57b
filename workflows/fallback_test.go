package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/timeline"
	"muster/workflows"
)

// Whatever becomes of the first contact method, a page goes out by the next one: at once where it is refused, else after the wait of the
// policy, which is a minute here.
func TestThePageGoesByTheNextMethodWhateverFails(t *testing.T) {
	there := func(method string) (delivery.Contact, error) {
		return delivery.Contact{Method: method, Type: delivery.Webhook}, nil
	}
	only := func(other delivery.Contact, err error) func(string) (delivery.Contact, error) {
		return func(method string) (delivery.Contact, error) {
			if method == "phone" {
				return other, err
			}
			return there(method)
		}
	}
	for name, tt := range map[string]struct {
		fails   inmem.Reaction
		contact func(string) (delivery.Contact, error)
		cause   string
	}{
		"refused":                    {inmem.Refuse("no such number"), there, "refused"},
		"away":                       {inmem.Fail(0), there, "no-outcome"},
		"no answer":                  {func(context.Context, delivery.Envelope) error { return context.DeadlineExceeded }, there, "no-outcome"},
		"cut off":                    {func(context.Context, delivery.Envelope) error { return errors.New("connection reset by peer") }, there, "no-outcome"},
		"gone from the folder":       {nil, only(delivery.Contact{}, errors.New("contact method of kim phone: not in the organisation folder")), "no-outcome"},
		"its secret cannot be read":  {nil, only(delivery.Contact{}, errors.New("contact kim by phone: secret env:KIM: not set")), "no-outcome"},
		"a worker without a channel": {nil, only(delivery.Contact{Method: "phone", Type: "pager"}, nil), "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.contact = tt.contact
			if tt.fails != nil {
				r.sender.On(inmem.Match{Method: "phone"}, 0, tt.fails)
			}
			r.alerts(0, firing("a", 0))
			ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
			ask(r, 3*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
			r.run(workflows.IncidentInput{Definition: definition()})
			if !slices.ContainsFunc(r.sender.Delivered(), func(e delivery.Envelope) bool {
				return e.Message.Kind == delivery.Page && e.Recipient.ID == "kim" && e.Contact.Method == "mail"
			}) {
				t.Errorf("kim was not paged by mail: %v", r.got())
			}
			r.query()
			next := r.entries(timeline.NextMethod)
			if len(next) == 0 || next[0].Fact("method") != "mail" || next[0].Fact("cause") != tt.cause {
				t.Errorf("the timeline says %+v, want that mail follows: %s", next, tt.cause)
			}
		})
	}
}

// An incident says when it has found that every contact method of somebody refuses: not before the last one has, and not of what only has
// no answer yet.
func TestAnIncidentSaysWhomNothingReaches(t *testing.T) {
	for name, tt := range map[string]struct {
		phone, mail inmem.Reaction
		want        string
	}{
		"all refuse":              {inmem.Refuse("a"), inmem.Refuse("b"), "page kim"},
		"the last one takes it":   {inmem.Refuse("a"), nil, ""},
		"the first one is silent": {inmem.Fail(0), inmem.Refuse("b"), ""},
		"the last one is silent":  {inmem.Refuse("a"), inmem.Fail(0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			for method, react := range map[string]inmem.Reaction{"phone": tt.phone, "mail": tt.mail} {
				if react != nil {
					r.sender.On(inmem.Match{Method: method, Recipient: "kim"}, 0, react)
				}
			}
			r.alerts(0, firing("a", 0))
			ask(r, 2*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
			ask(r, 3*time.Minute, workflows.ResolveUpdate, park, incident.Resolve{Note: "x"})
			r.run(workflows.IncidentInput{Definition: definition()})
			r.query()
			got := ""
			for _, e := range r.entries(timeline.Unreachable) {
				got += fmt.Sprint(e.Fact("what"), " ", e.Fact("to"))
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
