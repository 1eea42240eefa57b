package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/timeline"
	"muster/workflows"
)

const chats delivery.ContactType = "chat"

// A chat is where a page can be followed up.
type chat struct {
	*inmem.Sender

	used bool
	away bool

	mu       sync.Mutex // attempts run beside each other, and beside whoever looks
	followed []string
}

func senders(r *rehearsal) map[delivery.ContactType]activities.Sender {
	r.chat.Sender = r.sender
	return map[delivery.ContactType]activities.Sender{delivery.Webhook: r.sender, chats: r.chat}
}

func (c *chat) Follow(_ context.Context, e delivery.Envelope) error {
	if c.away {
		return errors.New("away")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.followed = append(c.followed, fmt.Sprintf("%s %s", e.Recipient.ID, e.Message.Kind))
	return nil
}

// told lists whom this told what, like "kim acknowledged", as often as that was tried.
func (c *chat) told() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.followed)
}

// followed is an incident of an organisation that is reached where pages can be followed up.
func followed() *incident.Definition {
	d := definition()
	d.Follows = true
	return d
}

// Whoever was paged where it can be told hears that it is taken, by whom it is taken next, and that it is over.
func TestAPageIsFollowedUpWhereItHasArrived(t *testing.T) {
	r := rehearse(t)
	r.chat.used = true
	r.alerts(0, firing("a", 0))
	ask(r, 6*time.Minute, workflows.AcknowledgeUpdate, park, incident.Acknowledge{})
	told := map[time.Duration]int{}
	for _, after := range []time.Duration{5 * time.Minute, 7 * time.Minute, 11 * time.Minute, 21 * time.Minute} {
		r.at(after, func() { told[after] = len(r.chat.told()) })
	}
	ask(r, 10*time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: followed()})
	r.wantDone()
	want := map[time.Duration]int{5 * time.Minute: 0, 7 * time.Minute: 2, 11 * time.Minute: 4, 21 * time.Minute: 6}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("told so often by then (-want +got):\n%s\n%v", d, r.chat.told())
	}
	if len(r.state.Pages) != 0 || len(r.chat.told()) != 6 {
		t.Errorf("in the end %d pages are followed, and %v were told; want none and six", len(r.state.Pages), r.chat.told())
	}
}

// A chat that is away for as long as there is patience keeps the incident from nothing, and is said.
func TestAPageThatCannotBeFollowedUpIsSaid(t *testing.T) {
	r := rehearse(t)
	r.chat.used, r.chat.away = true, true
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: followed()})
	r.wantDone()
	said := 0
	for _, e := range r.entries(timeline.Undetermined) {
		if e.Fact("what") == string(incident.FollowPage) {
			said++
		}
	}
	if said == 0 || r.state.Status != incident.Closed {
		t.Errorf("said %d times, %s", said, r.state.Status)
	}
}

// Whoever is asked to help while somebody has the incident is still waited for: their page is told nothing before they answer.
func TestASummonsWaitsForItsAnswer(t *testing.T) {
	r := rehearse(t)
	r.chat.used = true
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.AcknowledgeUpdate, kim, incident.Acknowledge{})
	ask(r, 2*time.Minute, workflows.AddResponderUpdate, kim, incident.AddResponder{Person: "lee", Name: "lee", Note: "You know it."})
	told := map[time.Duration]string{}
	for _, after := range []time.Duration{3 * time.Minute, 5 * time.Minute} {
		r.look(after, func(i *incident.Incident) {
			for _, p := range i.Pages {
				if p.To.ID == "lee" {
					told[after] += "[" + p.Told + "]"
				}
			}
		})
	}
	ask(r, 4*time.Minute, workflows.AcknowledgeUpdate, timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "lee"}, incident.Acknowledge{})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: followed()})
	r.wantDone()
	if d := cmp.Diff(map[time.Duration]string{3 * time.Minute: "[]", 5 * time.Minute: "[acknowledged/lee]"}, told); d != "" {
		t.Error(d)
	}
}

// An incident that is reopened while its page could not be told that it is over is not told so any more.
func TestAFollowUpIsTakenBackWhenItIsNotTrueAnyMore(t *testing.T) {
	r := rehearse(t)
	r.chat.used, r.chat.away = true, true
	r.alerts(0, firing("a", 0))
	ask(r, time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	ask(r, 5*time.Minute, workflows.ReopenUpdate, kim, incident.Reopen{Reason: "x"})
	r.at(6*time.Minute, func() { r.chat.away = false })
	r.look(10*time.Minute, func(i *incident.Incident) {
		if len(r.chat.told()) != 0 {
			t.Errorf("told %v of %+v", r.chat.told(), i.Pages)
		}
	})
	ask(r, 20*time.Minute, workflows.ResolveUpdate, kim, incident.Resolve{Note: "x"})
	r.run(workflows.IncidentInput{Definition: followed()})
	r.wantDone()
	if len(r.chat.told()) == 0 || len(r.state.Pages) != 0 {
		t.Errorf("told %v, and %d pages wait", r.chat.told(), len(r.state.Pages))
	}
}
