// Package request decides what happens to a customer's request from its receipt to its answer: whether the support plan covers
// it or a person has to decide, what was promised, and who is told. It reads no clock and reaches nobody.
package request

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
)

// Priority is that of the messages on requests.
const Priority = priority.P4

// ID is the identity of a request that people see, such as REQ-7K3M9QX2PA.
type ID string

const prefix = "REQ-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where a request stands.
type Status string

// The statuses of a request. These strings are in histories: add, never rename.
const (
	Received  Status = "received"             // it is being found out what the plan says of it
	Waiting   Status = "waiting-for-approval" // a person has to decide
	Accepted  Status = "accepted"
	Declined  Status = "declined"
	Answered  Status = "answered" // the customer has some days to object
	Withdrawn Status = "withdrawn"
	Closed    Status = "closed"
)

// Statuses lists the statuses.
func Statuses() []Status {
	return []Status{Received, Waiting, Accepted, Declined, Answered, Withdrawn, Closed}
}

// Final tells whether nothing more is decided.
func (s Status) Final() bool { return s == Declined || s == Withdrawn || s == Closed }

// Asked is what a customer asks for.
type Asked struct {
	Customer string              `json:"customer"`          // ID
	Kind     string              `json:"kind"`              // one that the support plan names, or the ID of a feature
	Feature  string              `json:"feature,omitempty"` // ID; empty: the kind says it all
	Channel  supportplan.Channel `json:"channel,omitempty"` // by which it came
	Received time.Time           `json:"received"`
	Number   string              `json:"number,omitempty"` // by which whoever took it knows it
	Text     string              `json:"text"`
	Begun    Begun               `json:"begun,omitempty"` // the customer is told of it; empty: it has asked
}

// Pinned is what the organisation folder had to say when the request came.
type Pinned struct {
	Revision     string                  `json:"revision"`
	Organisation string                  `json:"organisation"`
	Zone         string                  `json:"zone"` // IANA name, for the instants in messages
	CustomerName string                  `json:"customer_name"`
	Plan         string                  `json:"plan"`        // name
	Entitlement  supportplan.Entitlement `json:"entitlement"` // what decides on it
	Uncounted    supportplan.Verdict     `json:"uncounted"`   // as long as nobody has counted uses
	Promises     []supportplan.Promise   `json:"promises,omitempty"`
	AtRisk       int                     `json:"at_risk"` // percentage of a promised time
	Calendars    []calendar.Rules        `json:"calendars,omitempty"`
	// Confirm is how long the customer may object to an answer; nil: it counts at once.
	Confirm *supportplan.Confirmation `json:"confirm,omitempty"`
	Needs   []Need                    `json:"needs,omitempty"` // of engineering
}

// Terms are what a request begins with.
type Terms struct {
	ID       ID             `json:"id"`
	Request  string         `json:"request"` // that has started it: whoever repeats it finds the same one
	Recorder timeline.Actor `json:"recorder"`

	Asked
	Pinned
}

// A Request is the state of one request.
type Request struct {
	Terms

	Status     Status              `json:"status"`
	Opened     time.Time           `json:"opened"`
	Verdict    supportplan.Verdict `json:"verdict"`
	Clocks     []supportplan.Clock `json:"clocks,omitempty"`
	Claimed    bool                `json:"claimed,omitempty"` // its use is counted, or may be
	Reason     string              `json:"reason,omitempty"`  // of whoever has decided it or withdrawn it
	Offer      string              `json:"offer,omitempty"`   // what the customer could have instead
	DecidedBy  timeline.Actor      `json:"decided_by,omitzero"`
	Answer     string              `json:"answer,omitempty"` // the newest one
	AnsweredBy timeline.Actor      `json:"answered_by,omitzero"`
	AnsweredAt time.Time           `json:"answered_at,omitzero"`
	Closes     time.Time           `json:"closes,omitzero"` // when an answer counts as accepted
	Ended      time.Time           `json:"ended,omitzero"`
	Owner      timeline.Actor      `json:"owner,omitzero"` // who works on it
	Collected  []Collected         `json:"collected,omitempty"`
	Case       *VendorCase         `json:"case,omitempty"`
	Incident   string              `json:"incident,omitempty"` // that it has become
	Rating     *Rating             `json:"rating,omitempty"`
	Meetings   []Meeting           `json:"meetings,omitempty"` // with their minutes, the first one first
	Sends      int                 `json:"sends"`              // messages begun so far
	Refusals   int                 `json:"refusals,omitempty"` // decisions of whoever has recorded it
	Partial    bool                `json:"partial,omitempty"`  // as the customer sees it: what is not in it is hidden, and not none

	Timeline timeline.Log `json:"timeline"`

	computing bool // when the clocks are due is being computed
	counting  bool // a claim is under way
	fresh     []Work
}

// A Fault says what is wrong with a field of what was asked.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

// Start receives a request. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Request, error) {
	switch {
	case !terms.ID.Valid():
		return nil, fmt.Errorf("receive request %q: id: want one such as REQ-7K3M9QX2PA", terms.ID)
	case terms.Customer == "" || terms.Kind == "" || terms.Recorder.ID == "" || strings.TrimSpace(terms.Text) == "":
		return nil, fmt.Errorf("receive request %s: customer, kind, recorder or text: missing", terms.ID)
	case len(terms.Text) > MaxText:
		return nil, fmt.Errorf("receive request %s: text: %d bytes; want %d at most", terms.ID, len(terms.Text), MaxText)
	case terms.Begun != "" && !slices.Contains(Begins(), terms.Begun):
		return nil, fmt.Errorf("receive request %s: begun %q: want provider or vendor", terms.ID, terms.Begun)
	case terms.Received.IsZero() || terms.Received.After(now.Add(late)):
		return nil, fmt.Errorf("receive request %s: received %s: want an instant that is not to come", terms.ID, at(terms.Received))
	}
	r := &Request{Terms: terms, Status: Received, Opened: now, Verdict: terms.Uncounted}
	if terms.Begun != "" {
		r.notify(now)
		return r, nil
	}
	for _, p := range terms.Promises {
		r.Clocks = append(r.Clocks, supportplan.Start(terms.Customer, p, terms.Received))
	}
	feature := terms.Feature
	if feature == terms.Kind { // which says it already
		feature = ""
	}
	r.record(now, timeline.RequestReceived, terms.Recorder, timeline.F("request", string(terms.ID)), timeline.F("customer", terms.CustomerName),
		timeline.F("kind", terms.Kind), timeline.F("feature", feature), timeline.F("channel", string(terms.Channel)),
		timeline.F("number", terms.Number), timeline.F("received", at(terms.Received)), timeline.F("text", terms.Text))
	if r.computing = len(r.Clocks) > 0; r.computing {
		r.begin(Work{Do: ComputeClocks})
	}
	take := usage.Look
	if r.covered(usage.Counts{}) {
		take = usage.IfLeft
	}
	if r.limited() {
		r.claim(take)
	}
	r.settle(now)
	return r, nil
}

// late is by how much the clocks of two machines may differ.
const late = 5 * time.Minute

// Subject is what it is about: a feature, or a kind that is none.
func (t *Terms) Subject() string {
	if t.Feature != "" {
		return t.Feature
	}
	return t.Kind
}

// limited tells whether something is counted of it.
func (r *Request) limited() bool {
	_, quota := r.Uncounted.Quota()
	_, visits := r.Uncounted.Visits()
	return quota || visits
}

// judged is the verdict when so much has been used before.
func (r *Request) judged(c usage.Counts) supportplan.Verdict {
	return r.Entitlement.Count(r.Uncounted, r.Feature, supportplan.Count{Known: true, N: c.Used}, supportplan.Count{Known: true, N: c.Visited})
}

func (r *Request) covered(c usage.Counts) bool { return r.judged(c).Outcome == supportplan.Covered }

// claim asks for its use.
func (r *Request) claim(take usage.Taking) {
	r.counting, r.Claimed = true, r.Claimed || take != usage.Look
	r.begin(Work{Do: Claim, Claim: usage.Claim{
		Customer: r.Customer, Request: string(r.ID), Feature: r.Feature, At: r.Received, Quota: window(r.Uncounted.Quota()), Visits: window(r.Uncounted.Visits()),
		Take: take,
	}})
}

// window is the period of a limit, nil where there is none.
func window(l supportplan.Reason, limited bool) *usage.Window {
	if !limited {
		return nil
	}
	return &usage.Window{Count: l.Quota.Count, From: l.From, To: l.To}
}

// Counted takes in what has been used before it, and whether its own use is counted now. With a detail it is not known.
func (r *Request) Counted(c usage.Counts, detail string, now time.Time) {
	r.counting = false
	switch {
	case detail != "":
		r.record(now, timeline.RequestUncounted, timeline.Muster(), timeline.F("detail", detail))
	default:
		if r.Claimed = c.Taken; c.Taken {
			r.record(now, timeline.RequestCounted, timeline.Muster())
		}
		if r.Status == Received {
			r.Verdict = r.judged(c)
		}
	}
	if r.Status == Withdrawn {
		r.giveBack()
	}
	r.settle(now)
}

// giveBack returns a use that nothing came of.
func (r *Request) giveBack() {
	if r.Claimed {
		r.begin(Work{Do: Return})
	}
}

// Returned takes in that the use is given back. With a detail it is not known.
func (r *Request) Returned(detail string, now time.Time) {
	if detail != "" {
		r.record(now, timeline.RequestUncounted, timeline.Muster(), timeline.F("detail", detail))
		return
	}
	r.Claimed = false
	r.record(now, timeline.RequestReturned, timeline.Muster())
}

// Computed takes in when the clocks are due. With a detail none is known.
func (r *Request) Computed(at []incident.Instants, detail string, now time.Time) {
	r.computing = false
	for n := range r.Clocks {
		c := &r.Clocks[n]
		if !c.Open() { // it has been withdrawn meanwhile
			continue
		}
		i := slices.IndexFunc(at, func(x incident.Instants) bool { return x.Target == c.Target })
		if i >= 0 && at[i].Fault == "" {
			c.Begins, c.RiskAt, c.Due, c.Announced = at[i].Begins, at[i].RiskAt, at[i].Due, true
			r.recordClock(now, timeline.ClockStarted, c, timeline.F("within", c.Within.String()), timeline.F("calendar", c.Calendar),
				timeline.F("begins", maybe(c.Begins)))
			continue
		}
		why := detail
		if i >= 0 {
			why = at[i].Fault
		}
		r.recordClock(now, timeline.ClockUnknown, c, timeline.F("detail", why))
	}
	r.settle(now)
}

// settle goes on from the receipt once it is known what was promised and what the plan says.
func (r *Request) settle(now time.Time) {
	if r.Status != Received || r.computing || r.counting {
		return
	}
	r.record(now, timeline.RequestJudged, timeline.Muster(), timeline.F("outcome", string(r.Verdict.Outcome)))
	r.Status = Waiting
	if r.Verdict.Outcome == supportplan.Covered {
		r.Status = Accepted
		r.record(now, timeline.RequestAccepted, timeline.Muster())
	} else {
		r.record(now, timeline.RequestWaiting, timeline.Muster())
	}
	r.tell(Receipt)
	r.tell(Arrived)
}

// Advance brings the request to now, and returns what has to be done since it was last asked.
func (r *Request) Advance(now time.Time) []Work {
	for n := range r.Clocks {
		c := &r.Clocks[n]
		if !c.Open() || c.Due.IsZero() {
			continue
		}
		switch {
		case !c.Late && !now.Before(c.Due):
			c.AtRisk = true
			c.Miss()
			r.recordClock(now, timeline.ClockMissed, c)
			r.remind(Missed, c)
		case !c.AtRisk && !now.Before(c.RiskAt):
			c.AtRisk = true
			r.recordClock(now, timeline.ClockAtRisk, c)
			r.remind(AtRisk, c)
		}
	}
	if r.Status == Answered && !r.Closes.IsZero() && !now.Before(r.Closes) {
		r.end(Closed, now)
		r.record(now, timeline.RequestClosed, timeline.Muster(), timeline.F("since", at(r.AnsweredAt)))
	}
	r.chase(now)
	fresh := r.fresh
	r.fresh = nil
	return fresh
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (r *Request) NextDue() time.Time {
	var next time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for n := range r.Clocks {
		c := &r.Clocks[n]
		switch {
		case !c.Open() || c.Late || c.Due.IsZero():
		case c.AtRisk:
			sooner(c.Due)
		default:
			sooner(c.RiskAt)
			sooner(c.Due)
		}
	}
	if r.Status == Answered {
		sooner(r.Closes)
	}
	if r.chasing() {
		sooner(r.Case.Chase)
	}
	return next
}

// Over tells whether nothing more is decided.
func (r *Request) Over() bool { return r.Status.Final() }

// Lapsed tells whether it is closed because nobody has objected to its answer in time.
func (r *Request) Lapsed() bool {
	return r.Status == Closed && !r.Closes.IsZero() && !r.Ended.Before(r.Closes)
}

// Decided is who has said that it is done, not done or not wanted any more: nobody where nobody had to.
func (r *Request) Decided() timeline.Actor { return r.last(decisions()).Actor }

// Judged is who has said last whether its answer is enough.
func (r *Request) Judged() timeline.Actor { return r.last(judgements()).Actor }

// ReasonJudges tells whether the reason is that of who has judged the answer, and not of a decision.
func (r *Request) ReasonJudges() bool {
	return slices.Contains(judgements(), r.last(slices.Concat(decisions(), judgements())).Kind)
}

func decisions() []timeline.Kind {
	return []timeline.Kind{timeline.RequestApproved, timeline.RequestDeclined, timeline.RequestWithdrawn}
}

func judgements() []timeline.Kind {
	return []timeline.Kind{timeline.RequestComplete, timeline.RequestIncomplete}
}

// last is the newest entry of some kinds, the zero one where there is none.
func (r *Request) last(kinds []timeline.Kind) (newest timeline.Entry) {
	for _, e := range r.Timeline.Entries {
		if slices.Contains(kinds, e.Kind) {
			newest = e
		}
	}
	return newest
}

func (r *Request) end(s Status, now time.Time) {
	r.Status, r.Ended = s, now
	for n := range r.Clocks {
		if c := &r.Clocks[n]; c.Open() {
			c.Stop(now)
			r.recordClock(now, timeline.ClockStopped, c)
		}
	}
}

// keep ends the clocks, because what was promised has been done.
func (r *Request) keep(now time.Time) {
	for n := range r.Clocks {
		c := &r.Clocks[n]
		if !c.Open() {
			continue
		}
		known := c.Late
		switch c.Keep(now); {
		case !c.Late:
			r.recordClock(now, timeline.ClockMet, c)
		case !known:
			r.recordClock(now, timeline.ClockMissed, c)
		}
	}
}

// Objection is the clock of the working days in which the customer may object to the newest answer.
func (r *Request) Objection() supportplan.Clock {
	return supportplan.Start(r.Customer, supportplan.Promise{Days: r.Confirm.Days, Calendar: r.Confirm.Calendar}, r.AnsweredAt)
}

// Closing takes in when the answer counts as accepted. Where nobody can say, it does at once.
func (r *Request) Closing(at, now time.Time) {
	if r.Status == Answered {
		if r.Closes = at; at.IsZero() {
			r.Closes = now
		}
	}
}

func (r *Request) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	r.Timeline.Add(now, k, by, facts...)
}

func (r *Request) recordClock(now time.Time, k timeline.Kind, c *supportplan.Clock, more ...timeline.Fact) {
	r.record(now, k, timeline.Muster(), append([]timeline.Fact{
		timeline.F("customer", r.CustomerName), timeline.F("target", string(c.Target)), timeline.F("due", maybe(c.Due)),
	}, more...)...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func maybe(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return at(t)
}
