package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"text/template"
	"time"

	"muster/internal/delivery"
	"muster/internal/report/pdf"
	"muster/internal/review"
)

// reviewing is what a text on a review sees.
type reviewing struct {
	To           string // name of whoever reads it
	ID           string
	Title        string `text:"line"` // empty for the outside
	Service      string
	Organisation string
	Zone         string
	Priority     string `text:"code"`

	Started, Resolved time.Time

	Stage  string `text:"code"`
	Notice string `text:"code"`
	Due    time.Time
	Name   string // of whoever is invited, or of the customer
	Text   string `text:"prose"` // what a person wrote
}

// reviewKey names the text for a message on a review.
func reviewKey(a review.About) string { return string(delivery.Review) + "." + string(a) }

// reviewKeys lists the messages on reviews.
func reviewKeys() (keys []string) {
	for _, a := range review.Abouts() {
		keys = append(keys, reviewKey(a))
	}
	return keys
}

// Review writes one message on a review for one recipient. With an error comes a message of the bare facts that can be sent all
// the same.
func (t *Texts) Review(telling review.Telling, to delivery.Recipient) (delivery.Message, error) {
	l, f := t.in(to.Language), &telling.Facts
	m := delivery.Message{
		Kind: delivery.Review, Language: l.code, Incident: f.Incident, Priority: code(f.Priority), Service: line(f.Service),
	}
	w, err := l.messages[reviewKey(telling.About)].write(clean(&reviewing{
		To: to.Name, ID: f.Incident, Title: f.Title, Service: f.Service, Organisation: f.Organisation, Zone: cmp.Or(to.Zone, f.Zone),
		Priority: code(f.Priority), Started: f.Started, Resolved: f.Resolved, Stage: string(telling.Stage), Notice: string(telling.Notice),
		Due: telling.Due, Name: telling.Name, Text: telling.Text,
	}))
	if err != nil {
		m.Subject = line(fmt.Sprintf("%s: %s", l.word("message", string(m.Kind)), f.Incident))
		m.Text = m.Subject
		return m, fmt.Errorf("write message %s in %s: %w", reviewKey(telling.About), l.code, err)
	}
	m.Subject, m.Text = w.subject, w.text
	return m, nil
}

// drafted is what the engine knows of the text for one customer: facts, and neither a person nor a system of ours.
type drafted struct {
	ID       string
	Service  string
	Zone     string
	Impact   string `text:"code"`
	Reopened int

	Started, Resolved time.Time
	Lasted            time.Duration

	Cause       string `text:"code"` // the domain; empty while it is not known
	Met, Missed int
	Updates     []update
}

// loadReview reads the report of a review and the draft of its text for a customer, and tries both.
func (l *language) loadReview(fsys fs.FS) error {
	var unread, undrafted error
	l.review, unread = l.parse(fsys, "reports/review."+l.code+".md.tmpl")
	l.draft, undrafted = l.parse(fsys, "reports/review-draft."+l.code+".md.tmpl")
	if err := errors.Join(unread, undrafted); err != nil {
		return err
	}
	var faults []error
	for _, try := range []struct {
		text *template.Template
		data any
	}{{l.review, &reviewed{}}, {l.review, new(filled[reviewed]())}, {l.draft, &drafted{}}, {l.draft, new(filled[drafted]())}} {
		_, err := run(try.text, try.data, reportLimits())
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// ReviewDraft writes the facts and the headings of the text for a customer. A person writes what stands under the headings.
func (t *Texts) ReviewDraft(f review.Facts, customer, language string) (string, error) {
	l := t.in(language)
	d := drafted{
		ID: string(f.Incident), Service: f.Service, Zone: f.Zone, Reopened: f.Reopened, Started: f.Times.Started, Resolved: f.Times.Resolved,
		Lasted: max(0, f.Times.Resolved.Sub(f.Times.Started)),
	}
	if r := f.Record; r != nil {
		d.Impact, d.Cause = string(r.Impact), string(r.Cause)
		for _, c := range r.Customers {
			if c.ID != customer {
				continue
			}
			d.Met, d.Missed = c.Met, c.Missed
			for _, u := range c.Updates {
				d.Updates = append(d.Updates, update{At: u.At, AllClear: u.AllClear})
			}
		}
	}
	text, err := run(l.draft, marked(clean(&d)), messageLimits())
	if err != nil {
		return "", fmt.Errorf("draft the text on %s for customer %s in %s: %w", f.Incident, customer, l.code, err)
	}
	return text, nil
}

// reviewed is what the report of a review sees.
type reviewed struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string
	Title        string `text:"line"`
	Service      string
	Priority     string `text:"code"`
	Impact       string `text:"code"`
	Customers    []string
	Closed       bool
	Published    time.Time
	SHA256       string
	Approved     []string // names

	Started, Resolved time.Time
	Lasted            time.Duration
	Reopened          int
	Points            []point
	Intervals         []interval
	Rest              int

	Paged    []contacted
	Answered []contacted
	Updates  []update
	Promises []promise
	Met      int
	Missed   int
	Runbooks []runbookUse
	Cases    []vendorCase
	Merged   []string
	Changes  []changeBefore
	Sought   bool   // what was changed is known
	Cause    string `text:"code"`
	Vendor   string
	Said     string `text:"prose"`

	Sections []section
	Factors  []factor
	Symptom  string `text:"prose"`
	Reason   string `text:"prose"`
	Remedy   string `text:"prose"`

	Meeting *meeting
	Actions []actionItem
	Stages  []stage
}

// changeBefore is what a run of a plan has changed before the incident.
type changeBefore struct {
	At          time.Time
	Environment string
	Task        string
	Run         string
	Title       string `text:"line"`
}

// contacted is somebody who was reached.
type contacted struct {
	Name string
	At   time.Time
}

// section is what was written of one thing.
type section struct {
	Key  string `text:"code"`
	Text string `text:"prose"`
}

// factor has contributed to the incident.
type factor struct {
	Kind string `text:"code"`
	Text string `text:"prose"`
}

// meeting was held.
type meeting struct {
	At      time.Time
	Who     []string
	Minutes string `text:"prose"`
}

// actionItem is an action item that was opened.
type actionItem struct {
	ID     string
	Title  string `text:"line"`
	Status string `text:"code"` // empty where nobody has looked
}

// stage is a deadline of the review.
type stage struct {
	Name   string `text:"code"`
	Due    time.Time
	Done   time.Time
	Missed bool
}

// ReviewReport writes the internal report of a review as of an instant.
func (t *Texts) ReviewReport(r *review.Review, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	v := clean(reviewedOf(r, e.At))
	d := l.frame(v.Organisation, v.ID, v.Zone, "", e)
	out, err := whole(l.review, marked(v))
	if err == nil {
		out, err = l.printed(out, d, e)
	}
	if err != nil {
		return nil, fmt.Errorf("report on the review of %s in %s: %w", r.Facts.Incident, l.code, err)
	}
	return out, nil
}

// ReviewText writes the text of a review for a customer: what a person wrote, and else the engine's draft.
func (t *Texts) ReviewText(r *review.Review, customer string, e Edition) ([]byte, error) {
	x := r.Text(customer)
	if x == nil || customer == review.Internal {
		return nil, fmt.Errorf("text of the review of %s: customer %q: the incident has not touched it", r.Facts.Incident, customer)
	}
	l, organisation := t.in(cmp.Or(x.Language, e.Language)), ""
	if r.Facts.Record != nil {
		organisation = r.Facts.Record.Organisation
	}
	out, err := l.printed([]byte(cmp.Or(string(x.Body), x.Draft)), l.frame(organisation, string(r.Facts.Incident), r.Facts.Zone, "", e), e)
	if err != nil {
		return nil, fmt.Errorf("text of the review of %s for customer %s: %w", r.Facts.Incident, customer, err)
	}
	return out, nil
}

// printed is Markdown in the format of an edition.
func (l *language) printed(source []byte, d pdf.Document, e Edition) ([]byte, error) {
	switch e.Format {
	case Markdown:
		return source, nil
	case HTML:
		return l.fromMarkdown(source)
	case PDF:
		return pdf.Write(d, source)
	}
	return nil, fmt.Errorf("format %q: want one of %q", e.Format, Formats())
}

func reviewedOf(r *review.Review, at time.Time) *reviewed {
	f := &r.Facts
	d := &reviewed{
		Made: at, Zone: f.Zone, ID: string(f.Incident), Title: f.Title, Service: f.Service, Priority: code(f.Priority), Customers: slices.Clone(f.Customers),
		Closed: r.Status == review.Closed, Started: f.Times.Started, Resolved: f.Times.Resolved, Reopened: f.Reopened,
	}
	if !d.Resolved.IsZero() {
		d.Lasted = max(0, d.Resolved.Sub(d.Started))
	}
	var v view
	v.times(f.Times, at)
	d.Points, d.Intervals, d.Rest = v.Points, v.Intervals, v.Rest
	if t := r.Text(review.Internal); t != nil {
		d.Published, d.SHA256 = t.Published, t.SHA256
		for _, x := range t.Votes {
			if x.Yes {
				d.Approved = append(d.Approved, x.By.Shown())
			}
		}
	}
	if f.Record != nil {
		d.recorded(f.Record)
	}
	d.Sought = r.Sought
	for _, c := range r.Changes {
		d.Changes = append(d.Changes, changeBefore{c.At, c.Environment, c.Task, c.Run, c.Title})
	}
	for _, k := range review.Keys() {
		d.Sections = append(d.Sections, section{string(k), r.Section(k)})
	}
	for _, x := range r.Factors {
		d.Factors = append(d.Factors, factor{string(x.Kind), x.Text})
	}
	if p := r.Pattern; p != nil {
		d.Symptom, d.Reason, d.Remedy = p.Symptom, p.Cause, p.Remedy
	}
	if m := r.Meeting; m != nil {
		d.Meeting = &meeting{m.At, slices.Clone(m.Who), m.Minutes}
	}
	for _, a := range r.Actions {
		d.Actions = append(d.Actions, actionItem{ID: a.ID, Title: a.Title})
	}
	for _, x := range r.Deadlines {
		d.Stages = append(d.Stages, stage{string(x.Stage), x.Due, x.Done, x.Missed()})
	}
	return d
}

// recorded takes in what the incident has handed over.
func (d *reviewed) recorded(r *review.Record) {
	d.Organisation, d.Impact, d.Cause, d.Vendor, d.Said = r.Organisation, string(r.Impact), string(r.Cause), r.Vendor, r.Said
	d.Met, d.Missed = r.Met, r.Missed
	for _, c := range r.Paged {
		d.Paged = append(d.Paged, contacted{c.Name, c.At})
	}
	for _, c := range r.Answered {
		d.Answered = append(d.Answered, contacted{c.Name, c.At})
	}
	for _, u := range r.Updates {
		d.Updates = append(d.Updates, update{At: u.At, Customer: u.Customer, AllClear: u.AllClear, Text: u.Text})
	}
	for _, c := range r.Clocks {
		d.Promises = append(d.Promises, promise{Customer: c.Customer, Target: string(c.Target), Due: c.Due, Ended: c.Ended, Outcome: string(c.State)})
	}
	for _, x := range r.Runbooks {
		d.Runbooks = append(d.Runbooks, runbookUse{Name: x.Name, By: x.By, Started: x.Started, Outcome: string(x.Outcome)})
	}
	for _, c := range r.Cases {
		d.Cases = append(d.Cases, vendorCase{Vendor: cmp.Or(c.Name, c.Vendor), Reference: c.Reference, Opened: c.Opened, Answered: c.Answered})
	}
	for _, id := range r.Merged {
		d.Merged = append(d.Merged, string(id))
	}
}
