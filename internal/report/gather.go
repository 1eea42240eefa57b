package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// view gathers all that a report says about an incident as of an instant.
func (l *language) view(i *incident.Incident, at time.Time) *view {
	d := &i.Definition
	v := &view{
		Made: at, Zone: d.Zone, Organisation: d.Organisation, ID: string(i.ID), Kind: string(d.Kind), Title: d.Title, Service: d.Service.Name,
		Status: string(i.Status), Open: i.Status.Open() || i.Status == incident.Merged, Priority: code(i.Priority), Impact: string(i.Impact),
		Urgency: string(i.Urgency), Reopened: i.Reopened, Source: d.Source, Route: d.Route, Ticket: i.Ticket.Ref.ID,
		TicketURL: i.Ticket.Ref.URL, Review: i.Review.Opened, ReviewDue: i.Review.Due, SHA256: d.SHA256,
		Revision: d.Revision, Runs: slices.Clone(i.Runs),
	}
	for _, c := range d.Customers {
		v.Customers = append(v.Customers, c.Name)
	}
	v.Customers = few(maxCustomers, v.Customers)
	for _, x := range d.Links {
		v.Links = append(v.Links, l.leads(x))
	}
	v.About = l.service(&d.Background, l.zones.local(at, d.Zone))
	v.Nearby = l.nearby(i.Nearby, i.Definition.Zone)
	if p := i.Previous; p != nil {
		v.Previous, v.PreviousClosed = string(p.ID), p.ClosedAt
	}
	v.times(i.Times, at)
	v.alerts(&i.Alerts)
	v.promises(i, at)
	v.people(i)
	v.beside(i)
	v.Contacts = l.contacts(i)
	l.record(v, i)
	if c := i.Cause; c != nil {
		v.Domain, v.Vendor, v.Cause = string(c.Domain), c.Vendor, c.Text
	}
	l.told(v, &i.Timeline)
	return v
}

func (v *view) times(t incident.Times, at time.Time) {
	if v.Open {
		t.Resolved = time.Time{} // it was resolved once and has been reopened
	}
	v.Started, v.Alerted, v.Engaged = t.Started, t.Alerted, t.Engaged
	v.Mitigation, v.Resolved, v.Closed = t.Mitigation, t.Resolved, t.Closed
	v.Points = []point{
		{"started", t.Started},
		{"alerted", t.Alerted},
		{"engaged", t.Engaged},
		{"mitigation", t.Mitigation},
		{"resolved", t.Resolved},
	}
	v.Ended = t.Resolved
	if v.Ended.IsZero() && !v.Open {
		v.Ended = t.Closed
	}
	until := v.Ended
	if until.IsZero() {
		until = at
	}
	if !t.Started.IsZero() {
		v.Lasted = max(0, until.Sub(t.Started))
	}
	v.Rest = 1000
	for n, phase := range review.Phases() {
		x := interval{Name: string(phase), From: v.Points[n].Name, To: v.Points[n+1].Name}
		if x.Took, x.Known = review.Took(phase, t); x.Known {
			x.Share = 1
			if v.Lasted > 0 {
				x.Share = max(1, int(1000*x.Took.Seconds()/v.Lasted.Seconds()))
			}
			v.Rest = max(0, v.Rest-x.Share)
		}
		v.Intervals = append(v.Intervals, x)
	}
}

func (v *view) alerts(s *alert.Set) {
	v.Distinct, v.Firing, v.Posts, v.Uncounted = s.Distinct(), s.Firing, s.Posts, s.Unnamed
	for _, r := range s.Rest {
		v.Uncounted += r.Times
	}
	row := func(r alertRow) {
		if len(v.Alerts) < maxAlerts {
			r.Name, r.Summary = abbrev(100, r.Name), abbrev(200, r.Summary)
			v.Alerts = append(v.Alerts, r)
		}
		if !slices.Contains(v.Kinds, r.Name) {
			v.Kinds = append(v.Kinds, r.Name)
		}
	}
	for _, h := range s.Full {
		r := alertRow{Name: h.Name, State: string(h.State), Started: h.StartsAt, Ended: h.EndsAt, Times: h.Times}
		if r.Summary = h.Summary(); r.Summary == h.Name {
			r.Summary = ""
		}
		row(r)
	}
	for _, b := range s.Brief {
		state := alert.Firing
		if b.Resolved {
			state = alert.Resolved
		}
		row(alertRow{Name: b.Name, State: string(state), Started: b.StartsAt, Times: b.Times})
	}
	v.MoreAlerts = v.Distinct - len(v.Alerts)
	const most = 3
	if n := len(v.Kinds); n > most {
		v.Kinds, v.MoreKinds = v.Kinds[:most], n-most
	}
}

// called is the name of a customer, its ID when it is none of the incident's.
func called(i *incident.Incident, customer string) string {
	for _, c := range i.Definition.Customers {
		if c.ID == customer {
			return cmp.Or(c.Name, c.ID)
		}
	}
	return customer
}

func (v *view) promises(i *incident.Incident, at time.Time) {
	for n := range i.Clocks {
		c := &i.Clocks[n]
		p := promise{
			Customer: called(i, c.Customer), Target: string(c.Target), Within: c.Within, Days: c.Days, Calendar: c.Calendar, Started: c.Started, Due: c.Due, Ended: c.EndedAt,
			Outcome: string(c.State), Reason: c.Reason, OtherMet: c.EarlierMet, OtherMissed: c.EarlierMissed,
		}
		if c.Late {
			p.Outcome = string(supportplan.Missed)
		}
		if c.Target == supportplan.ResultReport {
			p.Waived = waived(i, p.Customer)
		}
		until := c.EndedAt
		if until.IsZero() {
			until = at
		}
		hours, err := supportplan.OpenTimeOf(c.Calendar, i.Definition.Calendars, time.LoadLocation)
		if err != nil { // a party beside the provider sees no calendars: for it the clock on the wall counts
			hours = supportplan.Always{}
		}
		p.Took = c.Ran(hours, until)
		if !c.Due.IsZero() {
			p.Margin = hours.Between(until, c.Due).Abs()
		}
		v.count(p)
	}
	if more := len(v.Promises) - maxPromises; more > 0 {
		slices.SortStableFunc(v.Promises, func(a, b promise) int { return rank(a) - rank(b) })
		v.Promises, v.MorePromises = v.Promises[:maxPromises], more
	}
}

// waived is why an incident was closed without the result report that a customer was promised. One that was opened again promises it
// anew.
func waived(i *incident.Incident, customer string) (reason string) {
	for _, e := range i.Timeline.Entries {
		switch {
		case e.Kind == timeline.ResultWaived && e.Fact("customer") == customer:
			reason = e.Fact("reason")
		case e.Kind == timeline.StatusChanged && incident.Status(e.Fact("to")).Open():
			reason = ""
		}
	}
	return reason
}

// rank puts missed promises first.
func rank(p promise) int {
	if p.Outcome == string(supportplan.Missed) {
		return 0
	}
	return 1
}

func (v *view) count(p promise) {
	v.Promises = append(v.Promises, p)
	v.Met += p.OtherMet
	v.Missed += p.OtherMissed
	switch p.Outcome {
	case string(supportplan.Met):
		v.Met++
	case string(supportplan.Missed):
		v.Missed++
	case string(supportplan.Running), string(supportplan.Paused):
		v.Running++
	}
}

// noticedFirst tells whether people had noticed an incident before any alert did.
func noticedFirst(i *incident.Incident) bool {
	return i.Notice != nil && !i.Notice.Received.After(i.Times.Alerted)
}

// people finds who noticed the incident and who handled it.
func (v *view) people(i *incident.Incident) {
	v.Noticed, v.NoticedAt = i.Definition.Source, i.Times.Alerted
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.IncidentOpened {
			v.Noticed, v.ByPerson = name(e.Actor), e.Actor.Kind == timeline.Person
		}
	}
	if n := i.Notice; n != nil {
		if noticedFirst(i) {
			v.Noticed, v.ByPerson, v.NoticedAt = cmp.Or(n.NoticedBy, called(i, n.Customer), v.Noticed), true, n.Received
		}
		v.Channel, v.Receipt, v.Received = string(n.Channel), n.Receipt, n.Received
	}
	known := map[string]int{} // person → position in v.Handlers
	add := func(id, shown string) int {
		n, ok := known[id]
		if !ok {
			n = len(v.Handlers)
			known[id] = n
			v.Handlers = append(v.Handlers, handler{Name: shown})
		}
		return n
	}
	for _, r := range i.Responders {
		add(r.ID, name(r))
	}
	for _, h := range i.Holders {
		x := &v.Handlers[add(h.Person, h.Shown())]
		x.Roles = append(x.Roles, string(h.Role))
	}
}

// beside gathers what stands beside the incident: other incidents, vendors, runbooks, and what customers say of the resolution.
func (v *view) beside(i *incident.Incident) {
	if m := i.MergedInto; m != nil && !m.Taken.IsZero() {
		v.MergedInto = string(m.ID)
	}
	for _, m := range i.Merged {
		v.Merged = append(v.Merged, other{ID: string(m.ID), Title: m.Title})
	}
	for _, r := range i.Related {
		v.Related = append(v.Related, other{string(r.ID), string(r.Kind), r.Title, r.Note})
	}
	for _, k := range i.Cases {
		c := vendorCase{Vendor: k.Support.Name, Reference: k.Reference, Opened: k.Opened, Answered: k.Answered}
		if k.Clock != nil {
			c.Due, c.Late = k.Clock.Due, k.Clock.Late
		}
		v.Cases = append(v.Cases, c)
	}
	for _, u := range i.Runbooks {
		v.Runbooks = append(v.Runbooks, runbookUse{u.Name, name(u.By), u.Started, u.Ended, string(u.Outcome)})
	}
	for _, k := range i.Confirmations {
		c := confirmation{
			Customer: called(i, k.Clock.Customer), Answer: string(k.Answer), At: k.Answered, Due: k.Clock.Due, Lapsed: k.Lapsed,
		}
		if k.By != nil {
			c.By = name(*k.By)
		}
		v.Confirmations = append(v.Confirmations, c)
	}
}

// contacts lists whom one may ask: who answers for the service, who knows it, and the vendors that have a case.
func (l *language) contacts(i *incident.Incident) (rows []contactRow) {
	var known []escalation.Target
	ours := func(c incident.Contact, role string) {
		if n := slices.Index(known, c.Target); n >= 0 {
			rows[n].Role += ", " + role
			return
		}
		known = append(known, c.Target)
		reach := fmt.Sprintf(l.word("report", "reach"), l.targets(string(c.Target.Kind)+":"+c.Target.ID))
		rows = append(rows, contactRow{contact(c), role, i.Definition.Organisation, reach})
	}
	if o := i.Definition.Owner; o != nil {
		ours(*o, l.word("report", "owner"))
	}
	if t := i.Definition.Triage; t != nil {
		for _, c := range t.Contacts {
			ours(c, l.word("report", "contact"))
		}
	}
	for _, k := range i.Cases {
		v, role := &k.Support, l.word("paged", string(escalation.Vendor))
		if v.Plan != "" {
			role += ", " + v.Plan
		}
		if reach := strings.Trim(v.OpenCase+"; "+v.Escalate, "; "); reach != "" {
			rows = append(rows, contactRow{v.Name, role, v.Name, reach})
		}
	}
	return rows
}

// record reads the timeline for what was done, who was paged and who answered.
func (l *language) record(v *view, i *incident.Incident) {
	sent := map[string]int{} // delivery → position in v.Pages
	for _, e := range i.Timeline.Entries {
		switch e.Kind {
		case timeline.Noted:
			if m := causeNote.FindStringSubmatch(e.Fact("text")); m != nil {
				v.Cause = m[1]
			}
			v.Actions = append(v.Actions, deed{At: e.At, By: name(e.Actor), Kind: "note", Text: e.Fact("text")})
		case timeline.StatusChanged:
			if to := incident.Status(e.Fact("to")); to == incident.Mitigated || to == incident.Resolved {
				v.Actions = append(v.Actions, deed{At: e.At, By: name(e.Actor), Kind: string(to), Text: l.because(e)})
			}
		case timeline.Acknowledged:
			v.Answers = append(v.Answers, answer{At: e.At, By: name(e.Actor), After: max(0, e.At.Sub(i.Times.Alerted))})
		case timeline.Sending:
			if e.Fact("what") == string(delivery.Page) {
				sent[e.Fact("delivery")] = len(v.Pages)
				v.Pages = append(v.Pages, page{At: e.At, To: e.Fact("to"), Method: e.Fact("method")})
			}
		case timeline.Delivered, timeline.Refused, timeline.Withdrawn:
			if n, ok := sent[e.Fact("delivery")]; ok {
				v.Pages[n].end(e)
			}
		default: // the timeline itself shows the rest
		}
	}
	v.Pages, v.MorePages = latest(v.Pages, maxPages)
	v.Actions, v.MoreActions = latest(v.Actions, maxActions)
	v.Answers, _ = latest(v.Answers, maxPages)
}

// causeNote is how a person has stated the cause before incidents had a field for it: a note that begins so.
var causeNote = regexp.MustCompile(`(?is)^\s*(?:cause|원인)\s*:\s*(.+)$`)

// because is the note of a change of status, else its cause.
func (l *language) because(e timeline.Entry) string {
	if note := e.Fact("note"); note != "" {
		return note
	}
	return l.word("cause", e.Fact("cause"))
}

func (p *page) end(e timeline.Entry) {
	p.Took = max(0, e.At.Sub(p.At))
	p.Outcome = strings.TrimPrefix(string(e.Kind), "delivery.")
	p.Detail = e.Fact("detail") + e.Fact("cause")
	p.Attempts, _ = strconv.Atoi(e.Fact("attempts"))
}

// told lists what customers were told, and the timeline as sentences.
func (l *language) told(v *view, log *timeline.Log) {
	v.Earlier = log.Dropped
	for _, e := range log.Entries {
		v.Timeline = append(v.Timeline, event{At: e.At, Text: l.sentence(e, v.Zone)})
		if e.Kind != timeline.UpdateSent && e.Kind != timeline.AllClearSent {
			continue
		}
		u := update{At: e.At, Customer: e.Fact("customer"), AllClear: e.Kind == timeline.AllClearSent, Status: e.Fact("status"), Text: abbrev(1500, e.Fact("text"))}
		if e.Actor.Kind == timeline.Person {
			u.By = name(e.Actor)
		}
		v.Updates = append(v.Updates, u)
	}
	v.Updates, v.MoreUpdates = latest(v.Updates, maxUpdates)
	v.Timeline = shorten(v.Timeline)
}

// shorten leaves out the middle of a timeline that is too long for a report.
func shorten(all []event) []event {
	bytes := func(e event) int { return len(e.Text) + 100 }
	head, tail, left := 0, len(all), maxTimeline
	for head < tail {
		next := all[head]
		fromEnd := len(all)-tail < head
		if fromEnd {
			next = all[tail-1]
		}
		if left -= bytes(next); left < 0 {
			break
		}
		if fromEnd {
			tail--
		} else {
			head++
		}
	}
	if head == tail {
		return all
	}
	return slices.Concat(all[:head], []event{{Skipped: tail - head}}, all[tail:])
}

// latest keeps the last n rows and says how many it left out.
func latest[T any](rows []T, n int) ([]T, int) {
	if more := len(rows) - n; more > 0 {
		return rows[more:], more
	}
	return rows, 0
}
