package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/reach"
	"muster/starter"
	"muster/starter/api"
)

func (h *house) Contacts(context.Context) (*reach.Ledger, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ledger, h.failure()
}

func (h *house) TestContacts(_ context.Context, r starter.Request, a reach.Ask) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.failure(); err != nil {
		return err
	}
	if slices.Contains(h.asked, r.ID) {
		return nil
	}
	if err := a.Check(h.ledger, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.asked, h.testing = append(h.asked, r.ID), append(h.testing, a)
	return a.Apply(h.ledger, r.By, h.now)
}

// People are min, park, who is on call, and yoon: each by a web hook and by mail.
func (all people) People(time.Time) (found []reach.Person) {
	for _, id := range []string{"min", "park", "yoon"} {
		found = append(found, reach.Person{ID: id, Name: all[id].Actor.Name, Answers: id == "park", Methods: []reach.Method{
			{Name: "hook", Type: delivery.Webhook, Tested: true}, {Name: "mail", Type: delivery.Email},
		}})
	}
	return found
}

// ContactTests go every 30 days.
func (all people) ContactTests(at time.Time) (found []reach.Candidate, every time.Duration) {
	for _, p := range all.People(at) {
		found = append(found, reach.Candidate{To: delivery.Recipient{ID: p.ID, Name: p.Name}, Method: "hook"})
	}
	return found, 30 * 24 * time.Hour
}

// contactsOf is who is listed, with what stands out, to whom.
func contactsOf(t *testing.T, p *place, actor, person string) string {
	t.Helper()
	p.person = strings.TrimPrefix(p.as(t, actor), "Bearer ")
	c := newClient(t, p)
	l, err := c.Contacts(t.Context(), person)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, x := range l.Contacts {
		all = append(all, fmt.Sprintf("%s unreachable=%v %s/%s", x.ID, x.Unreachable, x.Methods[0].Result, x.Methods[1].Result))
	}
	return strings.Join(all, "; ")
}

// Whoever answers for others sees everybody, those first about whom something is to be done, and others see themselves.
func TestHowPeopleAreReached(t *testing.T) {
	p := newPlace(t)
	for _, try := range []reach.Try{
		{Way: reach.Way{To: "yoon", Method: "hook"}, Result: reach.Failed},
		{Way: reach.Way{To: "park", Method: "hook"}, Result: reach.Failed},
		{Way: reach.Way{To: "park", Method: "mail"}, Result: reach.Unknown},
		{Way: reach.Way{To: "min", Method: "mail"}, Result: reach.Delivered},
	} {
		try.At = p.now
		p.ledger.Tried(try)
	}
	const all = "park unreachable=true failed/unknown; yoon unreachable=false failed/; min unreachable=false /delivered"
	for _, tt := range []struct{ actor, person, want string }{
		{"choi", "", all},
		{"yoon", "", all},
		{"yoon", "park", "park unreachable=true failed/unknown"},
		{"min", "", "min unreachable=false /delivered"},
		{"min", "min", "min unreachable=false /delivered"},
		{"min", "park", "read contact: want administrator or responder or auditor of the provider"},
		{"acme/desk", "", "read contact: want administrator or responder or auditor of the provider"},
		{"choi", "nobody", "person nobody: not found"},
	} {
		if got := contactsOf(t, p, tt.actor, tt.person); got != tt.want && !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s asks for %q: got  %s\nwant %s", tt.actor, tt.person, got, tt.want)
		}
	}
}

func TestTestPagesAreAskedFor(t *testing.T) {
	p := newPlace(t)
	c := newClient(t, p)
	if _, err := c.TestContacts(t.Context(), api.NewContactTest{Person: "gone"}, ""); err == nil || !strings.Contains(err.Error(), `"gone"; want the id of a person`) {
		t.Errorf("got %v", err)
	}
	for range 2 { // the same key is the same round
		if r, err := c.TestContacts(t.Context(), api.NewContactTest{Person: "yoon"}, "k1"); err != nil || r.Methods != 1 || r.Person != "yoon" {
			t.Errorf("got %+v, %v", r, err)
		}
	}
	if _, err := c.TestContacts(t.Context(), api.NewContactTest{}, "k2"); err == nil || !strings.Contains(err.Error(), "test pages are under way since") {
		t.Errorf("got %v", err)
	}
	p.ledger.Round = nil
	if r, err := c.TestContacts(t.Context(), api.NewContactTest{}, "k3"); err != nil || r.Methods != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
	want := []reach.Ask{{Person: "yoon", Name: p.people["yoon"].Actor.Name}, {}}
	if !slices.Equal(p.testing, want) {
		t.Errorf("asked for %+v, want %+v", p.testing, want)
	}
}
