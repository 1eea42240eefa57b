package incident

import (
	"strconv"
	"strings"
	"time"

	"muster/internal/delivery"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Result is the incident result report (장애처리결과보고서) for one customer: what it may read, in the languages of its contacts.
type Result struct {
	Customer string       `json:"customer"`
	Revision int          `json:"revision"`        // 1, 2, 3 …: one that was delivered stays as it is
	Files    []ResultFile `json:"files,omitempty"` // of the newest revision
	Sent     time.Time    `json:"sent,omitzero"`   // when a revision first reached a contact
}

// A ResultFile is a result report in one language.
type ResultFile struct {
	Language string `json:"language"`
	Name     string `json:"name"` // on the shelf of reports
	SHA256   string `json:"sha256"`
}

// SendReport sends the customers, or one, their incident result report, with what a person says of the cause and of what was
// done.
type SendReport struct {
	Customer string `json:"customer,omitempty"`
	Text     string `json:"text"`
}

// Check refuses a report of what is not resolved, or closed already.
func (c SendReport) Check(i *Incident) error {
	const action = "send result report of"
	if i.Status != Resolved {
		return i.refuse(action, "is %s%s; a result report is of what is resolved, and sent before it is closed", i.Status, i.sinceWhen())
	}
	return firstOf(i.wantCustomers(action, c.Customer), i.wantText(action, "text", c.Text, true))
}

// Apply has the reports written. They are sent as soon as they are.
func (c SendReport) Apply(i *Incident, by timeline.Actor, now time.Time) {
	for _, x := range i.Definition.Customers {
		if c.Customer == "" || c.Customer == x.ID {
			i.writeResult(x.ID, c.Text, &by, now)
		}
	}
}

// wantCustomers refuses a customer that is not affected, and an incident that affects none.
func (i *Incident) wantCustomers(action, customer string) error {
	switch {
	case len(i.Definition.Customers) == 0:
		return i.refuse(action, "no customer is affected")
	case customer != "" && i.customerName(customer) == "":
		return i.refuse(action, "customer %q is not affected; affected: %s", customer, i.customerIDs())
	}
	return nil
}

func (i *Incident) result(customer string) *Result {
	for n := range i.Results {
		if i.Results[n].Customer == customer {
			return &i.Results[n]
		}
	}
	i.Results = append(i.Results, Result{Customer: customer})
	return &i.Results[len(i.Results)-1]
}

func (i *Incident) writeResult(customer, text string, author *timeline.Actor, now time.Time) {
	r := i.result(customer)
	r.Revision++
	i.begin(Send{Work: WriteResult, Customer: customer, Revision: r.Revision, Text: text, Author: author}, now)
}

// startResults begins the promises of result reports.
func (i *Incident) startResults(now time.Time) {
	for _, c := range i.Definition.Customers {
		p, ok := c.Plan.Promise(i.Priority, supportplan.ResultReport)
		switch k := i.clock(c.ID, supportplan.ResultReport); {
		case !ok:
		case k == nil:
			i.Clocks = append(i.Clocks, supportplan.Start(c.ID, p, now))
		default:
			k.Restart(now, p)
		}
	}
}

// owesResults tells whether a result report that was promised is still to be delivered.
func (i *Incident) owesResults() bool {
	for n := range i.Clocks {
		if c := &i.Clocks[n]; c.Target == supportplan.ResultReport && c.Open() {
			return true
		}
	}
	return false
}

// ResultWritten takes in a customer's result report, and sends it to the customer's contacts.
func (i *Incident) ResultWritten(number int, files []ResultFile, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	send := Send{Work: SendResult, Customer: s.Customer, Text: s.Text, Author: s.Author, Revision: s.Revision}
	i.drop(number)
	r := i.result(send.Customer)
	if r.Revision != send.Revision { // a newer one is on its way
		return
	}
	r.Files = files
	names, sums := make([]string, len(files)), make([]string, len(files))
	for n, f := range files {
		names[n], sums[n] = f.Name, f.SHA256
	}
	i.record(now, timeline.ResultWritten, timeline.Muster(), timeline.F("customer", i.customerName(send.Customer)),
		timeline.F("revision", strconv.Itoa(send.Revision)), timeline.F("paths", strings.Join(names, ", ")), timeline.F("sha256", strings.Join(sums, ", ")))
	i.begin(send, now)
}

// ResultFailed takes in that a result report could not be written. Whoever answers for it has to try again.
func (i *Incident) ResultFailed(number int, detail string, now time.Time) {
	s := i.Find(number)
	if s == nil {
		return
	}
	customer := s.Customer
	i.drop(number)
	i.record(now, timeline.ResultFailed, timeline.Muster(), timeline.F("customer", i.customerName(customer)), timeline.F("detail", detail))
	i.resultWanted(customer, now)
}

// resultWanted asks whoever answers for it to send a result report.
func (i *Incident) resultWanted(customer string, now time.Time) {
	s := Send{
		Work: Remind, About: AboutResultWanted, Role: CommunicationsManager, Targets: i.standsFor(CommunicationsManager), Customer: customer,
		Target: supportplan.ResultReport,
	}
	if c := i.clock(customer, supportplan.ResultReport); c != nil {
		s.Due = c.Due
	}
	i.begin(s, now)
}

// resultArrived takes in that a result report has reached a contact of the customer: the promise is kept.
func (i *Incident) resultArrived(s Send, now time.Time) {
	if !i.arrivesFirst(s.Parent) {
		return
	}
	by := s.author()
	i.record(now, timeline.ResultSent, by, timeline.F("customer", i.customerName(s.Customer)), timeline.F("revision", strconv.Itoa(s.Revision)),
		timeline.F("text", s.Text))
	if r := i.result(s.Customer); r.Sent.IsZero() {
		r.Sent = now
	}
	if c := i.clock(s.Customer, supportplan.ResultReport); c != nil && c.Open() {
		i.keepClock(c, by, now)
	}
}

// pointlessResult says why a result report, or a word about one, no longer matters.
func (i *Incident) pointlessResult(s *Send) string {
	if i.Status.Open() {
		return "reopened"
	}
	if c := i.clock(s.Customer, supportplan.ResultReport); s.Work == Remind && c != nil && !c.Open() {
		return string(delivery.Delivered)
	}
	return ""
}

// ForResult is the incident as the result report for one customer is written from it: nothing of other customers, of alerts, of
// pages, or of what was said inside.
func (i *Incident) ForResult(customer string) *Incident {
	slim := i.Shown(Viewer{Party: customer, Own: func(timeline.Actor) bool { return false }, Instead: timeline.Actor{Kind: timeline.Engine, ID: "provider"}})
	slim.Cause, slim.Notice = i.Cause, i.Notice
	slim.Timeline.Trim(reportEntries, reportBytes)
	return slim
}
