package report

import (
	"cmp"
	"fmt"
	"io/fs"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/problem"
)

// causing is what a message on a problem sees.
type causing struct {
	About     string `text:"code"`
	ID        string
	Title     string `text:"line"`
	Service   string
	Owner     string
	Zone      string
	Status    string `text:"code"`
	Same      string `text:"code"` // empty: people have opened it
	Value     string `text:"line"`
	Incidents int
	Last      string // incident
	Error     string `text:"prose"` // what is known
	Since     time.Time
	Round     int
	Watched   time.Duration
}

// loadProblemMessages reads the messages on problems.
func (l *language) loadProblemMessages(fsys fs.FS) error {
	return loadAbouts(l, fsys, delivery.Problem, problem.Abouts(), func(x *causing) *string { return &x.About })
}

// problemWords lists the words that problems need.
func problemWords(add func(axis, value string)) {
	for _, s := range problem.Statuses() {
		add("problem-status", string(s))
	}
	for _, s := range append(incident.Samenesses(), incident.SameNoise) {
		add("same", string(s))
	}
	for _, a := range problem.Abouts() {
		add("problem-message", string(a))
	}
}

// Problem writes one message on a problem for one recipient. With an error comes a message of the bare facts that can be sent all the
// same.
func (t *Texts) Problem(x problem.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	m := delivery.Message{Kind: delivery.Problem, Language: l.code, Status: string(x.Status), Service: x.Service}
	bare := fmt.Sprintf("%s: %s: %s", x.ID, l.word("problem-message", string(x.About)), x.Title)
	return l.fill(m, aboutKey(delivery.Problem, x.About), bare, clean(&causing{
		About: string(x.About), ID: string(x.ID), Title: x.Title, Service: x.Service, Owner: x.Owner, Zone: cmp.Or(to.Zone, x.Zone),
		Status: string(x.Status), Same: string(x.Same), Value: x.Value, Incidents: x.Incidents, Last: x.Last, Error: x.Error, Since: x.Since,
		Round: x.Round, Watched: x.Watched,
	}))
}

// ProblemStatus returns where a problem stands.
func (t *Texts) ProblemStatus(s problem.Status, language string) string {
	return t.in(language).word("problem-status", string(s))
}

// ProblemKey returns what the incidents of a problem have in common, empty where a person has opened it for other reasons.
func (t *Texts) ProblemKey(k problem.Key, language string) string {
	return t.in(language).problemKey(k)
}

func (l *language) problemKey(k problem.Key) string {
	if k.By == incident.SameHand {
		return ""
	}
	return l.word("same", string(k.By)) + " " + k.Value
}

// problemView is what the texts of the report on a problem see.
type problemView struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string
	Title        string `text:"line"`
	Service      string
	Status       string `text:"code"`
	Key          string `text:"line"`
	Times        int    // of the rule by which it was opened; 0: people have opened it
	Within       time.Duration
	Opener       string
	Owner        string
	Opened       time.Time
	Ended        time.Time
	EndedBy      string
	Reason       string `text:"line"`
	Lasted       time.Duration

	KnownError string `text:"prose"`
	Workaround string `text:"prose"`
	Version    int
	Cause      string `text:"prose"`
	Fix        string `text:"prose"`
	Actions    []string
	FixedAt    time.Time
	FixedBy    string
	WatchUntil time.Time
	Reopened   int

	Incidents []problemIncident
	More      int
	Revision  string // of the organisation folder
	Timeline  []event
}

// problemIncident is an incident of a problem.
type problemIncident struct {
	ID      string
	Title   string `text:"line"`
	Started time.Time
	Closed  time.Time
	By      string
}

// ProblemForm is the report on a problem.
const ProblemForm FormKind = "problem"

// ProblemReport writes the report on a problem as of an instant. The same problem and edition give the same bytes. It is the
// provider's own: it names incidents of every customer.
func (t *Texts) ProblemReport(p *problem.Problem, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	out, err := document(l, clean(l.problemView(p, e.At)), l.problem, e, l.frame(p.Organisation, string(p.ID), p.Zone, "", e))
	if err != nil {
		return nil, fmt.Errorf("report on %s in %s: %w", p.ID, l.code, err)
	}
	return out, nil
}

func (l *language) problemView(p *problem.Problem, at time.Time) *problemView {
	v := &problemView{
		Made: at, Zone: p.Zone, Organisation: p.Organisation, ID: string(p.ID), Title: p.Title, Service: p.Service.Name, Status: string(p.Status),
		Key: l.problemKey(p.Key), Opener: name(p.Opener), Owner: p.Owner.Name, Opened: p.Opened, Ended: p.Ended, EndedBy: p.EndedBy, Reason: p.Reason,
		Lasted: at.Sub(p.Opened), KnownError: p.KnownError, Workaround: p.Workaround, Version: p.Version, Cause: p.Cause, Fix: p.Fix,
		Actions: p.Actions, FixedAt: p.FixedAt, FixedBy: p.FixedBy, WatchUntil: p.WatchUntil, Reopened: p.Reopened, More: p.More,
		Revision: p.Revision,
	}
	if p.Rule != nil {
		v.Times, v.Within = p.Rule.Times, p.Rule.Within
	}
	if p.Over() {
		v.Lasted = p.Ended.Sub(p.Opened)
	}
	for _, x := range p.Links {
		v.Incidents = append(v.Incidents, problemIncident{string(x.Incident), x.Title, x.Started, x.Closed, name(x.By)})
	}
	for _, e := range p.Timeline.Entries {
		v.Timeline = append(v.Timeline, event{At: e.At, Text: l.sentence(e, v.Zone)})
	}
	v.Timeline = shorten(v.Timeline)
	return v
}
