package bench

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/ticket"
)

// world is all that lies outside of both sides: people and customers, a ticket system, a shelf for reports. It takes
// everything at once, costs next to nothing, and remembers what arrived when. A subject is one incident under the name
// that the load gave it: the name of its service.
type world struct {
	pages string // URL that webhooks go to; empty: they stay in this process

	mu         sync.Mutex
	marks      map[string]map[string]*mark // by subject and effect
	subjects   map[string]string           // by the identity that people see
	incidents  map[string]incident.ID      // the reverse
	deliveries map[delivery.ID]int         // how often each arrived
}

// mark is one effect on one subject.
type mark struct {
	at    time.Time // first time
	times int
	done  chan struct{} // closed the first time
}

func newWorld() *world {
	return &world{
		marks: map[string]map[string]*mark{}, subjects: map[string]string{}, incidents: map[string]incident.ID{},
		deliveries: map[delivery.ID]int{},
	}
}

func (w *world) mark(subject, effect string) *mark {
	of := w.marks[subject]
	if of == nil {
		of = map[string]*mark{}
		w.marks[subject] = of
	}
	m := of[effect]
	if m == nil {
		m = &mark{done: make(chan struct{})}
		of[effect] = m
	}
	return m
}

// arrive remembers an effect.
func (w *world) arrive(subject, effect string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mark(subject, effect)
	if m.times++; m.times == 1 {
		m.at = at
		close(m.done)
	}
}

// delivered remembers a message to somebody.
func (w *world) delivered(id delivery.ID, subject, name string, k delivery.Kind, to string, at time.Time) {
	w.mu.Lock()
	w.subjects[name], w.incidents[subject] = subject, incident.ID(name)
	w.deliveries[id]++
	w.mu.Unlock()
	w.arrive(subject, string(k)+" "+to, at)
}

// await waits for an effect and returns when it first arrived.
func (w *world) await(ctx context.Context, subject, effect string) (time.Time, error) {
	w.mu.Lock()
	m := w.mark(subject, effect)
	w.mu.Unlock()
	select {
	case <-m.done:
		return m.at, nil
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("await %q for %s: %w", effect, subject, context.Cause(ctx))
	}
}

// effects lists what has arrived for a subject, and how often.
func (w *world) effects(subject string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]int{}
	for effect, m := range w.marks[subject] {
		if m.times > 0 {
			all[effect] = m.times
		}
	}
	return all
}

// incident returns the identity under which people know the incident of a subject.
func (w *world) incident(subject string) incident.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.incidents[subject]
}

func (w *world) subject(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.subjects[name]
}

// repeated counts deliveries that arrived more than once.
func (w *world) repeated() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, times := range w.deliveries {
		if times > 1 {
			n++
		}
	}
	return n
}

// sender takes our messages.
type sender struct{ *world }

// Send takes every message.
func (s sender) Send(_ context.Context, e delivery.Envelope) error {
	if e.Message.Kind == delivery.Plan { // about a task, whose number stands in its name, or about the run as a whole
		_, after, _ := strings.Cut(e.Message.Subject, "#")
		number, _, _ := strings.Cut(after, ".")
		s.arrive(e.Message.Incident, rawTask+" "+number+"-"+e.Recipient.ID, time.Now())
		return nil
	}
	s.delivered(e.ID, e.Message.Service, e.Message.Incident, e.Message.Kind, e.Recipient.ID, time.Now())
	return nil
}

// desk takes our tickets.
type desk struct{ *world }

// Open opens every ticket.
func (d desk) Open(_ context.Context, t ticket.Ticket) (ticket.Ref, error) {
	d.arrive(t.Service, "ticket "+t.Status, time.Now())
	return ticket.Ref{ID: t.Key}, nil
}

// Update takes every revision.
func (d desk) Update(_ context.Context, _ ticket.Ref, t ticket.Ticket) error {
	d.arrive(t.Service, "ticket "+t.Status, time.Now())
	return nil
}

// shelf takes our reports.
type shelf struct{ *world }

// Put takes every report. Raw has no revisions: ours count under the same name.
func (s shelf) Put(_ context.Context, name string, _ []byte) (string, error) {
	folder, file := path.Split(name)
	before, after, _ := strings.Cut(file, ".")
	kind := strings.TrimRight(before, "-0123456789") + "." + after
	s.arrive(s.subject(strings.TrimSuffix(folder, "/")), kind, time.Now())
	return name, nil
}

// directory is who is there: kim is on call first, park second, each with one webhook.
type directory struct{ *world }

// Folder names what the directory says.
func (directory) Folder() incident.Folder {
	return incident.Folder{Revision: "bench", Changed: changed}
}

// Own tells that everybody is.
func (directory) Own(string) bool { return true }

// Older tells that the directory never is.
func (directory) Older(string, time.Time) bool { return false }

// Recipients returns who a target means.
func (directory) Recipients(t escalation.Target, _ time.Time) ([]delivery.Recipient, error) {
	id := t.ID
	switch id {
	case "primary":
		id = "kim"
	case "secondary":
		id = "park"
	}
	return []delivery.Recipient{{ID: id, Name: id, Language: "en", Methods: []string{"hook"}}}, nil
}

// Reach keeps nothing from anybody.
func (directory) Reach(to delivery.Recipient, _ incident.Telling, _ time.Time) (delivery.Recipient, string) {
	return to, ""
}

// Engineers names nobody.
func (directory) Engineers(string, time.Time) ([][]delivery.Recipient, error) { return nil, nil }

// CustomerContacts returns whom a customer wants to be told.
func (directory) CustomerContacts(customer string) ([]delivery.Recipient, error) {
	return []delivery.Recipient{{ID: customer + "/desk", Name: customer, Language: "ko", Methods: []string{"hook"}}}, nil
}

// Contact returns the webhook.
func (d directory) Contact(_, method string) (delivery.Contact, error) {
	return delivery.Contact{Method: method, Type: delivery.Webhook, Address: d.pages, Secret: "whsec_YmVuY2htYXJr"}, nil
}
