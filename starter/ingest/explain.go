package ingest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"muster/internal/alert"
	"muster/internal/incident"
)

// A Case is one incident that a body would lead to.
type Case struct {
	Labels     alert.Labels   // what its alerts have in common: what routes go by
	Each       []alert.Labels // of every alert that decides its levels, or what they have in common
	Batch      alert.Batch
	Opens      bool                // an alert of it fires: else it could only join an incident that is open
	Definition incident.Definition // as if it opened
}

// Explain returns what the intake would make of a body, without making anything durable. Its error is a *refusal.Body with
// every fault of the body, or says that no route takes an alert.
func Explain(from Source, body []byte, router Router, at time.Time) ([]Case, error) {
	m, err := read(from, body, at)
	if err != nil {
		return nil, err
	}
	return explain(from.ID, m, router, at)
}

// Announced returns what a body announces, whether or not a plan is started for it. Its error is that of Explain.
func Announced(from Source, body []byte, at time.Time) ([]alert.Notice, error) {
	m, err := read(from, body, at)
	var all []alert.Notice
	for _, a := range m.announced {
		all = append(all, a.notice)
	}
	return all, err
}

// read decodes a body as the intake does.
func read(from Source, body []byte, at time.Time) (message, error) {
	f := from.format()
	if f.decode == nil {
		return message{}, fmt.Errorf("source %s is of type %s, which posts no alerts but to %s; want muster test source %s --dry-run", from.ID, from.Type, f.apart, from.ID)
	}
	from, err := from.compiled()
	if err != nil {
		return message{}, fmt.Errorf("source %s: %w", from.ID, err)
	}
	m, err := f.decode(call{source: from, at: at, fresh: rand.Text, header: http.Header{"Content-Type": {structuredEvent}}}, body)
	if err == nil {
		err = m.left
	}
	return m, err
}

// ExplainAlert is Explain for an alert that Muster itself has, as Take takes it.
func ExplainAlert(source string, a alert.Alert, router Router, at time.Time) ([]Case, error) {
	s := sized{Alert: a}
	s.bound()
	return explain(source, message{alerts: []sized{s}, by: []string{nameLabel}}, router, at)
}

func explain(source string, m message, router Router, at time.Time) ([]Case, error) {
	in := &Intake{
		key:      func(source, receiver string, group alert.Labels) Key { return fmt.Sprint(source, receiver, group) },
		routeKey: func(source, route string, values alert.Labels) Key { return fmt.Sprint(source, route, values) },
		commits:  committer{router: router},
	}
	var cases []Case
	for _, part := range in.divide(source, m) {
		p := post{message: part.message, source: source}
		each := p.each()
		def, err := router.Definition(source, p.common, p.title, each...)
		if err != nil {
			return nil, err
		}
		if len(each) == 0 {
			each = []alert.Labels{p.common}
		}
		c := Case{Labels: p.common, Each: each, Opens: p.fires(), Definition: def}
		c.Batch = alert.Batch{Source: source, ReceivedAt: at, Posts: 1, Truncated: p.truncated, GroupResolved: p.resolved}
		c.Batch.Impact, c.Batch.Urgency = def.Impact, def.Urgency
		for _, a := range p.alerts {
			c.Batch.Alerts = append(c.Batch.Alerts, alert.Received{Alert: a.Alert, Times: 1})
		}
		c.Batch = c.Batch.Plain() // as if nobody answered, and as if it went on
		cases = append(cases, c)
	}
	return cases, nil
}
