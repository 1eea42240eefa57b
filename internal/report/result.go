package report

import (
	"cmp"
	"fmt"
	"time"

	"muster/internal/incident"
	"muster/internal/timeline"
)

// result is what the texts of a result report see: what one customer may read, and nothing else.
type result struct {
	Made         time.Time
	Zone         string
	Organisation string
	ID           string
	Customer     string
	Service      string
	Receipt      string // number under which the customer's notice was received

	Priority string `text:"code"`
	Impact   string `text:"code"`
	Reopened int

	NoticedBy string // who noticed first, as the customer itself has said
	Channel   string `text:"code"` // by which it has
	Reported  bool   // people noticed first: the customer, or others that stay unnamed
	NoticedAt time.Time

	Started, Resolved time.Time
	Lasted            time.Duration

	Points    []point
	Intervals []interval
	Rest      int // of the whole, in thousandths, that is in no known interval

	Cause  string `text:"code"` // the domain; empty while it is not known
	Vendor string // with the domain vendor
	Text   string `text:"prose"` // what a person says of the cause and of what was done; empty when nobody has yet

	Promises    []promise
	Met, Missed int
	Updates     []update
}

// Result writes the incident result report (장애처리결과보고서) for one customer as of an instant: when it was, what it was, why,
// who noticed it first, who handled it (source 004, reports), what was promised and kept, and what the customer was told. Nothing of
// other customers is in it, no name of a person of ours and no text that was written for the inside.
func (t *Texts) Result(i *incident.Incident, customer, text string, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	r := clean(resultOf(i, customer, text, e.At))
	out, err := document(l, r, l.result, e, l.frame(r.Organisation, r.ID, r.Zone, "", e))
	if err != nil {
		return nil, fmt.Errorf("result report on %s in %s: %w", i.ID, l.code, err)
	}
	return out, nil
}

// resultOf gathers what a customer may read. It takes care itself that nothing of others is in it, whatever it is given.
func resultOf(i *incident.Incident, customer, text string, at time.Time) *result {
	own := i.Shown(incident.Viewer{Party: customer, Own: func(timeline.Actor) bool { return false }, Instead: timeline.Muster()})
	d := &own.Definition
	r := &result{
		Made: at, Zone: d.Zone, Organisation: d.Organisation, ID: string(i.ID), Service: d.Service.Name, Priority: code(i.Priority),
		Impact: string(i.Impact), Reopened: i.Reopened, Reported: noticedFirst(i), NoticedAt: i.Times.Alerted, Started: i.Times.Started,
		Resolved: i.Times.Resolved, Text: text,
	}
	if len(d.Customers) == 1 {
		r.Customer = d.Customers[0].Name
	}
	if !r.Resolved.IsZero() {
		r.Lasted = max(0, r.Resolved.Sub(r.Started))
	}
	if r.Reported {
		r.NoticedAt = i.Notice.Received
	}
	if n := i.Notice; n != nil && n.Customer != "" && n.Customer == customer {
		r.Receipt = n.Receipt
		if r.Reported {
			r.NoticedBy, r.Channel = cmp.Or(n.NoticedBy, r.Customer), string(n.Channel)
		}
	}
	if c := i.Cause; c != nil {
		r.Cause, r.Vendor = string(c.Domain), c.Vendor
	}
	var v view
	v.times(i.Times, at)
	r.Points, r.Intervals, r.Rest = v.Points, v.Intervals, v.Rest
	v.promises(own, at)
	r.Promises, r.Met, r.Missed = v.Promises, v.Met, v.Missed
	for _, e := range own.Timeline.Entries {
		if e.Kind == timeline.UpdateSent || e.Kind == timeline.AllClearSent {
			r.Updates = append(r.Updates, update{At: e.At, AllClear: e.Kind == timeline.AllClearSent, Status: e.Fact("status"), Text: abbrev(1500, e.Fact("text"))})
		}
	}
	r.Updates, _ = latest(r.Updates, maxUpdates)
	return r
}
