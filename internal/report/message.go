package report

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
)

// inside is what a text for the house sees of a message to be written.
type inside struct {
	To       string // name of whoever reads it
	ID       string // of the incident
	Previous string // of the incident before with the same alerts
	Learned  *learned
	Problem  *known   // behind it, as far as that is known
	Nearby   []string `text:"line"` // what else goes on
	Kind     string   `text:"code"` // empty: ordinary
	Title    string   `text:"line"` // empty: not for whoever reads it
	Service  string
	Zone     string // IANA zone for instants

	Status   string `text:"code"`
	Priority string `text:"code"`
	Impact   string `text:"code"`
	Urgency  string `text:"code"`

	Started, Alerted, Engaged, Mitigation, Resolved time.Time

	Customers []string // names
	Firing    int
	Distinct  int
	Alerts    []string // names of the first few that fire
	Said      string   `text:"prose"` // what the first of those says of itself, beyond the title
	Responder string
	Promises  []due
	Links     []link

	Notice *notice  // how people have reported it; nil: an alert opened it
	Cause  *cause   // nil while nobody knows it
	Into   string   // ID of the incident that this one is merged into
	Merged []string // IDs of those that are merged into this one
	Tried  *tried   // what Muster has done about it by itself
	Vendor *vendor  // whose case the message is about

	Mitigations []mitigation // of a page: what whoever gets it may do at once

	Step     int    // of a page; 0: last resort
	Round    int    // of a page
	Wanted   int    // of a page: how many people must acknowledge, if more than one
	Acked    int    // and how many have
	Why      string `text:"line"` // of a page: "schedule:primary"
	Role     string `text:"code"`
	Customer string
	Target   string    `text:"code"`
	Due      time.Time // the instant that the message is about

	CustomerID string `text:"code"` // as commands name the customer
	MayPause   bool   // the promise may stand still
	PauseFor   string `text:"code"`  // for instance for this cause
	Text       string `text:"prose"` // what a person wrote
	Author     string
	Ticket     string `text:"line"` // which a message is about: where it is, or else how it is called

	Content    string    `text:"code"` // SHA-256 of a text that waits for an approval
	Says       string    `text:"code"` // of a draft: the public status …
	Expected   time.Time // … when normal operation will be back …
	Workaround string    `text:"prose"` // … and what customers can do until then, as they were told
}

// learned is what the incident before leaves to whoever responds.
type learned struct {
	Review  string // ID of the incident whose review has found it; empty: it was said while the incident before lasted
	Symptom string `text:"prose"`
	Cause   string `text:"prose"`
	Remedy  string `text:"prose"`
}

// tried is what Muster has done about an incident by itself.
type tried struct {
	Name    string `text:"line"`
	State   string `text:"code"`
	Why     string `text:"code"`
	Detail  string `text:"line"`
	Runbook string `text:"line"`
	Stopped string // who has stopped it
	SHA256  string `text:"code"` // of what waits for an approval
	Found   []finding
	Steps   []triedStep
}

// finding is what a step has found out.
type finding struct {
	Text   string `text:"line"`
	State  string `text:"code"`
	Output string `text:"prose"`
	Detail string `text:"line"`
}

// triedStep is one step of the runbook.
type triedStep struct {
	Number int
	Text   string `text:"line"`
	Status string `text:"code"`
	Detail string `text:"prose"`
}

// triedOf is what a text sees of an automatic response, nil where there is none.
func triedOf(is *incident.Tried) *tried {
	if is == nil {
		return nil
	}
	t := &tried{Name: is.Name, State: string(is.State), Why: is.Why, Detail: is.Detail, Runbook: is.Runbook, Stopped: is.Stopped, SHA256: is.SHA256}
	for _, f := range is.Found {
		t.Found = append(t.Found, finding{f.Text, string(f.State), f.Output, f.Detail})
	}
	for _, s := range is.Steps {
		t.Steps = append(t.Steps, triedStep{s.Number, s.Text, string(s.Status), s.Detail})
	}
	return t
}

// due is a running promise.
type due struct {
	Customer string
	Target   string `text:"code"`
	At       time.Time
	Begins   time.Time // when its calendar opens, if it was closed at the start
}

// notice is how people have reported an incident.
type notice struct {
	By        string // ID of the customer that has; empty: the front line did
	Receipt   string
	Channel   string `text:"code"`
	NoticedBy string
	Received  time.Time
	Text      string `text:"prose"`
}

// cause is why it happened.
type cause struct {
	Domain string `text:"code"`
	Vendor string
	Text   string `text:"prose"`
}

// known is the problem behind an incident, with what is known of it.
type known struct {
	ID         string
	Title      string `text:"line"`
	Error      string `text:"prose"`
	Workaround string `text:"prose"`
}

// vendor is one with its support record.
type vendor struct {
	ID       string `text:"code"` // as commands name it
	Name     string
	Plan     string
	OpenCase string `text:"line"`
	Escalate string `text:"line"`
}

// mitigation has been approved beforehand.
type mitigation struct {
	Name string `text:"line"`
	Text string `text:"prose"`
}

// link leads to a runbook or a dashboard.
type link struct {
	Name    string
	URL     string `text:"link"`
	Runbook string `text:"line"` // of the organisation folder, in place of a URL
}

// leads is a link in words.
func (l *language) leads(x incident.Link) link {
	if x.URL == "" {
		return link{Name: l.link(x), Runbook: x.Shown()}
	}
	return link{Name: l.link(x), URL: x.URL}
}

// outside is what a text for a customer or a vendor sees: nothing that is the house's own, whatever the text asks for.
type outside struct {
	To       string
	ID       string
	Customer string
	Service  string
	Zone     string

	Status   string `text:"code"`
	Priority string `text:"code"`
	Impact   string `text:"code"`

	Started, Mitigation, Resolved time.Time
	Lasted                        time.Duration // from start to resolution; 0 while it lasts
	Reopened                      bool          // the update says that it is not over

	Receipt   string // number under which the customer's notice was received
	Received  time.Time
	Documents []string // names of the files that come along

	Says       string    `text:"code"` // the public status; empty in what is from before there was any
	Expected   time.Time // when normal operation will be back; zero where nobody says
	Workaround string    `text:"prose"`

	// Next is when the next update follows; of a receipt, until when somebody responds; of an all-clear, until when the customer
	// says whether it is fixed: zero where nobody asks.
	Next time.Time
	Text string `text:"prose"` // what a person wrote; empty when the engine writes
}

// Message writes one message for one recipient. A text that cannot be written must not hold up a page: with the error
// comes a message of the bare facts that can be sent all the same.
func (t *Texts) Message(telling incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	l := t.in(to.Language)
	f := &telling.Facts
	m := delivery.Message{
		Kind: telling.Kind, Language: l.code, Incident: string(f.ID), Status: string(f.Status), Service: line(f.Service),
	}
	if f.Priority.Valid() {
		m.Priority = f.Priority.String()
	}
	k := key(telling.Kind, telling.About)
	text, known := l.messages[k]
	var err error
	var w written
	switch {
	case !known:
		err = fmt.Errorf("no text %q", k)
	case forOthers(k):
		w, err = text.write(seenOutside(&telling, to))
	default:
		w, err = text.write(l.seenInside(&telling, to))
	}
	if err != nil {
		m.Subject = line(fmt.Sprintf("[%s] %s: %s (%s)", m.Priority, l.word("message", string(m.Kind)), m.Service, m.Incident))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", k, l.code, err)
	}
	m.Subject, m.Text, m.Attachments = w.subject, w.text, attached(&telling, to)
	switch {
	case telling.Kind == delivery.Page:
		m.Offer = delivery.OfferOfPage(l.word("offer", string(delivery.Page)), string(f.ID), f.Title, f.Service)
	case telling.Kind == delivery.AllClear && telling.Next != nil:
		m.Offer = delivery.OfferOfAnswer(l.word("offer", string(delivery.AllClear)), string(f.ID), f.Service, f.Times.Resolved, telling.Due)
	}
	return m, nil
}

// attached is the result report in the language of whoever gets it, else in the first one in which it was written. The one for
// paper is the formal one; those of earlier times have none.
func attached(t *incident.Telling, to delivery.Recipient) []delivery.Attachment {
	if len(t.Files) == 0 {
		return nil
	}
	format := func(f incident.ResultFile) Format { return Format(strings.TrimPrefix(path.Ext(f.Name), ".")) }
	fit := func(f incident.ResultFile) (n int) {
		if f.Language == to.Language {
			n = 2
		}
		if format(f) == PDF {
			n++
		}
		return n
	}
	f := slices.MaxFunc(t.Files, func(a, b incident.ResultFile) int { return fit(a) - fit(b) })
	return []delivery.Attachment{{
		Name: fmt.Sprintf("%s.%s.%s", t.Facts.ID, f.Language, format(f)), Type: format(f).Type(), SHA256: f.SHA256, Path: f.Name,
	}}
}

// maxSubject bounds a subject, in characters.
const maxSubject = 250

// written is a message's words.
type written struct{ subject, text string }

func (m message) write(data any) (written, error) { return m.within(messageLimits(), data) }

// try writes it when it is read.
func (m message) try(data any) (written, error) { return m.within(trialLimits(), data) }

func (m message) within(most limits, data any) (written, error) {
	subject, err := run(m.subject, data, most)
	if err != nil {
		return written{}, err
	}
	text, err := run(m.text, data, most)
	return written{abbrev(maxSubject, line(subject)), text}, err
}

func (l *language) seenInside(t *incident.Telling, to delivery.Recipient) *inside {
	f := &t.Facts
	d := inside{
		To: to.Name, ID: string(f.ID), Previous: string(f.Previous), Kind: string(f.Kind), Title: f.Title, Service: f.Service, Zone: cmp.Or(to.Zone, f.Zone),
		Status: string(f.Status), Priority: code(f.Priority), Impact: string(f.Impact), Urgency: string(f.Urgency),
		Started: f.Times.Started, Alerted: f.Times.Alerted, Engaged: f.Times.Engaged, Mitigation: f.Times.Mitigation,
		Resolved: f.Times.Resolved, Customers: few(10, f.Customers), Firing: f.Firing, Distinct: f.Distinct,
		Alerts: few(10, f.Alerts), Said: f.Said, Responder: f.Responder, Step: t.Step, Round: t.Round, Wanted: t.Wanted, Acked: t.Acked, Why: t.Why,
		Role: string(t.Role), Customer: t.Customer, CustomerID: t.CustomerID, MayPause: t.MayPause, PauseFor: string(t.PauseFor), Target: t.Target, Due: t.Due, Text: t.Text,
		Content: t.Content, Says: string(t.Says), Expected: t.Expected, Workaround: t.Workaround,
	}
	if f.Status.Open() {
		d.Resolved = time.Time{} // it was resolved once and has been reopened
	}
	for _, c := range f.Clocks[:min(len(f.Clocks), 10)] {
		d.Promises = append(d.Promises, due{c.Customer, string(c.Target), c.Due, c.Begins})
	}
	for _, x := range f.Links[:min(len(f.Links), 15)] {
		d.Links = append(d.Links, l.leads(x))
	}
	if n := f.Notice; n != nil {
		d.Notice = &notice{cmp.Or(f.Reporter, n.Customer), n.Receipt, string(n.Channel), n.NoticedBy, n.Received, n.Text}
	}
	if c := f.Cause; c != nil {
		d.Cause = &cause{string(c.Domain), c.Vendor, c.Text}
	}
	d.Tried, d.Nearby = triedOf(f.Tried), l.nearby(f.Nearby, d.Zone)
	if p := f.Learned; p != nil {
		d.Learned = &learned{string(p.Review), p.Symptom, p.Cause, p.Remedy}
	}
	if p := f.Problem; p != nil {
		d.Problem = &known{p.ID, p.Title, p.KnownError, p.Workaround}
	}
	if f.Into != nil {
		d.Into = string(f.Into.ID)
	}
	for _, m := range f.Merged {
		d.Merged = append(d.Merged, string(m.ID))
	}
	if v := t.Vendor; v != nil {
		d.Vendor = &vendor{v.ID, v.Name, v.Plan, v.OpenCase, v.Escalate}
	}
	for _, x := range t.Mitigations[:min(len(t.Mitigations), 10)] {
		d.Mitigations = append(d.Mitigations, mitigation{x.Name, x.Text})
	}
	if t.Ticket != nil {
		d.Ticket = cmp.Or(t.Ticket.URL, t.Ticket.ID)
	}
	if t.Author != nil {
		d.Author = t.Author.Shown()
	}
	return clean(&d)
}

func seenOutside(t *incident.Telling, to delivery.Recipient) *outside {
	f := &t.Facts
	d := outside{
		To: to.Name, ID: string(f.ID), Customer: t.Customer, Service: f.Service, Zone: cmp.Or(to.Zone, f.Zone), Status: string(f.Status),
		Priority: code(f.Priority), Impact: string(f.Impact), Started: f.Times.Started, Mitigation: f.Times.Mitigation,
		Resolved: f.Times.Resolved, Reopened: t.About == incident.AboutReopened, Next: t.Due, Text: t.Text,
		Says: string(t.Says), Expected: t.Expected, Workaround: t.Workaround,
	}
	if n := f.Notice; n != nil && n.Customer != "" && n.Customer == t.CustomerID { // what another one has reported is not for it
		d.Receipt, d.Received = n.Receipt, n.Received
	}
	for _, x := range attached(t, to) {
		d.Documents = append(d.Documents, x.Name)
	}
	if !d.Resolved.IsZero() {
		d.Lasted = d.Resolved.Sub(d.Started)
	}
	return clean(&d)
}

// code is a priority as texts look it up, empty when there is none.
func code(p priority.Priority) string {
	if !p.Valid() {
		return ""
	}
	return p.String()
}
