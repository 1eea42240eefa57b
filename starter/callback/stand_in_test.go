package callback_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/priority"
	"muster/internal/store"
	"muster/internal/ticket"
	"muster/internal/tickethook"
	"muster/internal/timeline"
	"muster/starter"
	"muster/starter/callback"
)

const open incident.ID = "INC-7K3M9QX2PA"

// begin is Wednesday afternoon in Seoul.
func begin() time.Time { return time.Date(2026, 11, 25, 5, 5, 9, 0, time.UTC) }

// shown is the fingerprint of the incident as its messages show it.
func shown() string { return link.OfIncident(string(open), "Checkout answers 500", "Seoul platform") }

// A place is the way back in front of one incident, without an engine.
type place struct {
	*callback.Callbacks

	t        testing.TB
	clock    time.Time
	incident *incident.Incident
	away     error // of whatever is asked
	attempts []store.Attempt
	told     []ticket.Told
	guesses  int
}

func newPlace(t testing.TB) *place { return newPlaceWith(t, nil) }

// newPlaceWith is one with a ticket system that may tell something.
func newPlaceWith(t testing.TB, tickets *tickethook.System) *place {
	t.Helper()
	p := &place{t: t, clock: begin()}
	def := incident.Definition{
		Organisation: "mirnet", Zone: "Asia/Seoul", Source: "prometheus", Title: "Checkout answers 500", Languages: []string{"ko", "en"},
		Service: incident.Service{ID: "seoul-platform", Name: "Seoul platform"}, Impact: priority.High, Urgency: priority.Medium,
		Customers: []incident.Customer{{ID: "garam", Name: "가람유통"}},
		Policy: escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Kind: escalation.Person, ID: "kim"}}, Wait: time.Minute}},
			LastResort: []escalation.Target{{Kind: escalation.Person, ID: "lee"}}, LastResortEvery: time.Minute, AckExpires: time.Hour,
			NextMethodAfter: time.Minute,
		},
		ReopenWithin: time.Hour,
	}
	var err error
	if p.incident, err = incident.Open(open, def, p.clock); err != nil {
		t.Fatal(err)
	}
	p.incident.Receive(alert.Batch{Source: "prometheus", Posts: 1, Alerts: []alert.Received{{Times: 1, Alert: alert.Alert{
		Fingerprint: "f1", Name: "HighErrorRate", State: alert.Firing, StartsAt: p.clock.Add(-3 * time.Minute),
	}}}}, p.clock)
	folder, err := org.LoadAsOf("../../examples/org", p.clock)
	if err != nil {
		t.Fatal(err)
	}
	p.Callbacks, err = callback.New(callback.Config{
		Incidents: p, Organisation: func() *org.Organisation { return folder }, Attempts: p, Links: p, Tickets: tickets, Guess: func(*http.Request) { p.guesses++ },
		Now: func() time.Time { return p.clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// State is the incident as it is now.
func (p *place) State(_ context.Context, id incident.ID) (*incident.Incident, error) {
	if p.away != nil {
		return nil, p.away
	}
	if id != open {
		return nil, &starter.NotFoundError{What: "incident " + string(id)}
	}
	i := *p.incident
	return &i, nil
}

// Command asks it.
func (p *place) Command(_ context.Context, _ incident.ID, r starter.Request, c incident.Command) error {
	if p.away != nil {
		return p.away
	}
	if err := p.incident.Do(r.ID, c, r.By, p.clock); err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

// TicketChanged tells it.
func (p *place) TicketChanged(_ context.Context, t ticket.Told, by timeline.Actor) error {
	if p.away != nil {
		return p.away
	}
	if incident.ID(t.Key) != open {
		return &starter.NotFoundError{What: "incident " + t.Key}
	}
	p.told = append(p.told, t)
	p.incident.ReceiveTicket(t, by, p.clock)
	return nil
}

// Record keeps an attempt.
func (p *place) Record(_ context.Context, a store.Attempt) (store.Attempt, error) {
	p.attempts = append(p.attempts, a)
	return a, nil
}

// key signs the links of the place.
func key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
}

// ReadLink reads a link that key has signed.
func (p *place) ReadLink(token string) (link.Link, error) {
	return link.Read(token, func(id string) (ed25519.PublicKey, error) {
		if id != "key-1" {
			return nil, errors.New("no such key")
		}
		return key().Public().(ed25519.PublicKey), nil
	})
}

// A change is of a file of the example folder; from nothing: it is added at the end.
type change struct{ file, from, to string }

// in is the place with the example folder changed, and other tools.
func in(t testing.TB, set func(*callback.Config), changes ...change) *place {
	t.Helper()
	p, dir := newPlace(t), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/org")); err != nil {
		t.Fatal(err)
	}
	for _, x := range changes {
		path := filepath.Join(dir, x.file)
		content, err := os.ReadFile(path)
		if err != nil || x.from != "" && strings.Count(string(content), x.from) != 1 {
			t.Fatalf("%s has %q %d times, %v", x.file, x.from, strings.Count(string(content), x.from), err)
		}
		text := string(content) + x.to
		if x.from != "" {
			text = strings.Replace(string(content), x.from, x.to, 1)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := org.LoadAsOf(dir, p.clock)
	if err != nil {
		t.Fatal(err)
	}
	cfg := callback.Config{
		Incidents: p, Organisation: func() *org.Organisation { return folder }, Attempts: p, Links: p, Guess: func(*http.Request) { p.guesses++ },
		Now: func() time.Time { return p.clock },
	}
	set(&cfg)
	if p.Callbacks, err = callback.New(cfg); err != nil {
		t.Fatal(err)
	}
	return p
}

// elsewhere has somebody do something beside the tools.
func (p *place) elsewhere(person, name string, c incident.Command) {
	p.t.Helper()
	if err := p.incident.Do("elsewhere/"+person, c, timeline.Actor{Kind: timeline.Person, ID: person, Name: name}, p.clock); err != nil {
		p.t.Fatal(err)
	}
}
