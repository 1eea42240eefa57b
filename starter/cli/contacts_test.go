package cli_test

import (
	"context"
	"time"

	"muster/internal/delivery"
	"muster/internal/reach"
	"muster/starter"
)

// Contacts are of four: nothing reaches park, kim has no mail, and of choi and a channel nothing is known.
func (h *house) Contacts(context.Context) (*reach.Ledger, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := now().Add(-time.Hour)
	l := reach.Ledger{Round: h.round}
	for _, t := range []struct {
		to, method string
		result     reach.Result
	}{{"kim", "chat", reach.Delivered}, {"kim", "mail", reach.Failed}, {"park", "chat", reach.Failed}, {"park", "mail", reach.Unknown}} {
		l.Tried(reach.Try{Way: reach.Way{To: t.to, Method: t.method}, Result: t.result, At: at})
	}
	kim := l.Find(reach.Way{To: "kim", Method: "mail"})
	kim.Test, kim.Item = &reach.Test{Result: reach.Failed, At: at, Attempts: 1, Detail: "550 no \x1b[31msuch user"}, "ACT-0000000001"
	return &l, nil
}

func (h *house) TestContacts(_ context.Context, r starter.Request, a reach.Ask) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &reach.Ledger{Round: h.round}
	if err := a.Check(l, r.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	h.round = &reach.Round{By: r.By, Begun: now(), Person: a.Person}
	return nil
}

func (all people) People(time.Time) []reach.Person {
	methods := []reach.Method{{Name: "chat", Type: delivery.Webhook, Tested: true}, {Name: "mail", Type: delivery.Email, Tested: true}}
	return []reach.Person{
		{ID: "choi", Name: all["choi"].Actor.Name, Methods: methods[:1]},
		{ID: "group:noc", Name: "관제 \x1b[31mNOC", Methods: []reach.Method{{Name: "screen", Type: delivery.Console}}},
		{ID: "kim", Name: all["kim"].Actor.Name, Answers: true, Methods: methods},
		{ID: "park", Name: all["park"].Actor.Name, Answers: true, Methods: methods},
	}
}

func (all people) ContactTests(at time.Time) (found []reach.Candidate, every time.Duration) {
	for _, p := range all.People(at) {
		for _, m := range p.Methods {
			if m.Tested {
				found = append(found, reach.Candidate{To: delivery.Recipient{ID: p.ID, Name: p.Name}, Method: m.Name})
			}
		}
	}
	return found, 30 * 24 * time.Hour
}
