// Package reach keeps how everybody was reached lately: what has come of the newest attempt by each contact method and of its newest
// test page, which test pages are due, and who cannot be reached at all. It reads no clock and reaches nobody.
package reach

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/timeline"
)

// A Result is what has come of an attempt.
type Result string

// What can come of an attempt. These strings are in histories and metrics: add, never rename.
const (
	Delivered Result = "delivered" // it was taken
	Failed    Result = "failed"    // it was refused for good
	Unknown   Result = "unknown"   // it has ended without an answer
)

// Results lists what can come of an attempt.
func Results() []Result { return []Result{Delivered, Failed, Unknown} }

// A Way is one contact method of one recipient, both by their IDs in the organisation folder.
type Way struct {
	To     string `json:"to"`
	Method string `json:"method"`
}

// A Try is one attempt by a way.
type Try struct {
	Way

	Result Result    `json:"result"`
	At     time.Time `json:"at"`
}

// A Test is what has come of a test page.
type Test struct {
	Result   Result    `json:"result"`
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts,omitempty"`
	Detail   string    `json:"detail,omitempty"` // why it has not arrived
}

// A Record is what is known of a way.
type Record struct {
	Try // the newest one, of a test page too

	Arrived time.Time `json:"arrived,omitzero"` // when a message that was no test has last arrived
	Test    *Test     `json:"test,omitempty"`   // the newest one
	Item    string    `json:"item,omitempty"`   // the action item that its failing has opened
}

// A Round is one series of test pages.
type Round struct {
	By     timeline.Actor `json:"by"`               // Muster, or who has asked for it
	Begun  time.Time      `json:"begun"`            //
	Person string         `json:"person,omitempty"` // ID of the only one to be tested
	After  *Way           `json:"after,omitempty"`  // the last one that was looked at
	Sent   int            `json:"sent,omitempty"`   // test pages so far
}

// Asked tells whether a person has asked for the round.
func (r *Round) Asked() bool { return r.By.Kind != timeline.Engine }

// A Ledger has what is known of all ways.
type Ledger struct {
	Ways   []Record        `json:"ways"`            // in the order of their names
	Round  *Round          `json:"round,omitempty"` // that is under way
	Look   time.Time       `json:"look,omitzero"`   // when it is looked again which test pages are due
	Folder incident.Folder `json:"folder"`          // the newest one that has named somebody

	Timeline timeline.Log `json:"timeline"`
}

// MaxWays bounds the ledger. Of more, those are forgotten by which a message has arrived, the longest ago first.
const MaxWays = 1_500

// How a ledger is listed: whether the newest attempt by some way has not arrived.
const (
	Well    = "well"
	Failing = "failing"
)

// Status says how the ledger is listed.
func (l *Ledger) Status() string {
	if slices.ContainsFunc(l.Ways, func(r Record) bool { return r.Result != Delivered }) {
		return Failing
	}
	return Well
}

// Find returns what is known of a way, nil when nothing is.
func (l *Ledger) Find(w Way) *Record {
	n, known := l.at(w)
	if !known {
		return nil
	}
	return &l.Ways[n]
}

func (l *Ledger) at(w Way) (n int, known bool) {
	return slices.BinarySearchFunc(l.Ways, w, func(r Record, w Way) int { return compare(r.Way, w) })
}

func compare(a, b Way) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Method, b.Method)) }

// Before tells whether a way comes before another in the order of their names.
func (w Way) Before(other Way) bool { return compare(w, other) < 0 }

// Tried takes in an attempt. One that comes late, after a newer one of another worker, changes nothing but when a message arrived.
func (l *Ledger) Tried(t Try) {
	r := l.record(t.Way)
	if !t.At.Before(r.At) {
		r.Try = t
	}
	if t.Result == Delivered && t.At.After(r.Arrived) {
		r.Arrived = t.At
	}
	l.bound()
}

// record returns the record of a way, a new one where there is none.
func (l *Ledger) record(w Way) *Record {
	n, known := l.at(w)
	if !known {
		l.Ways = slices.Insert(l.Ways, n, Record{Try: Try{Way: w}})
	}
	return &l.Ways[n]
}

func (l *Ledger) bound() {
	for len(l.Ways) > MaxWays {
		least := 0
		for n := range l.Ways {
			if l.Ways[n].less(&l.Ways[least]) {
				least = n
			}
		}
		l.Ways = slices.Delete(l.Ways, least, least+1)
	}
}

// less tells whether a record is worth less than another: it is well, and older.
func (r *Record) less(other *Record) bool {
	if well := r.Result == Delivered && r.Item == ""; well != (other.Result == Delivered && other.Item == "") {
		return well
	}
	return r.At.Before(other.At)
}

// Forget leaves out ways that the organisation folder does not have any more.
func (l *Ledger) Forget(gone []Way) {
	l.Ways = slices.DeleteFunc(l.Ways, func(r Record) bool { return slices.Contains(gone, r.Way) })
}

// An Ask is that somebody wants test pages now.
type Ask struct {
	Person string `json:"person,omitempty"` // ID of the only one to be tested; empty: everybody
	Name   string `json:"name,omitempty"`   // of that person
}

// Check refuses a second round while one is under way.
func (a Ask) Check(l *Ledger, _ timeline.Actor) error {
	if r := l.Round; r != nil {
		return fmt.Errorf("test contacts: test pages are under way since %s, by %s: want them to end first", r.Begun.UTC().Format(time.RFC3339), r.By.Shown())
	}
	return nil
}

// Apply begins the round.
func (a Ask) Apply(l *Ledger, by timeline.Actor, now time.Time) error {
	l.Round = &Round{By: by, Begun: now, Person: a.Person}
	l.Timeline.Add(now, timeline.ContactTests, by, timeline.F("to", cmp.Or(a.Name, a.Person)))
	return nil
}

// A Page is one test page.
type Page struct {
	To      delivery.Recipient `json:"to"`
	Method  string             `json:"method"`
	Message delivery.Message   `json:"message"`
}

// Way is that by which it goes.
func (p *Page) Way() Way { return Way{p.To.ID, p.Method} }

// Sending says that test pages of the round go out.
func (l *Ledger) Sending(pages int, now time.Time) {
	if !l.Round.Asked() && l.Round.Sent == 0 && pages > 0 {
		l.Timeline.Add(now, timeline.ContactTests, timeline.Muster(), timeline.F("to", ""))
	}
	l.Round.Sent += pages
}

// Skipped says that somebody is not tested now, and why: one of the Held causes.
func (l *Ledger) Skipped(name, cause string, now time.Time) {
	l.Timeline.Add(now, timeline.ContactSkipped, timeline.Muster(), timeline.F("to", name), timeline.F("cause", cause))
}

// Tested takes in what has come of a test page.
func (l *Ledger) Tested(p *Page, t Test) {
	r := l.record(p.Way())
	r.Test = &t
	if !t.At.Before(r.At) {
		r.Result, r.At = t.Result, t.At
	}
	l.bound()
	l.Timeline.Add(t.At, timeline.ContactTested, timeline.Muster(), timeline.F("to", p.To.Name), timeline.F("method", p.Method),
		timeline.F("result", string(t.Result)), timeline.F("attempts", fmt.Sprint(t.Attempts)), timeline.F("detail", t.Detail))
}

// Filed takes in the action item for a way that fails, empty where it has none any more because it works again.
func (l *Ledger) Filed(p *Page, item string, now time.Time) {
	r := l.Find(p.Way())
	if r == nil || r.Item == item {
		return
	}
	kind, said := timeline.ContactItem, item
	if item == "" {
		kind, said = timeline.ContactMended, r.Item
	}
	r.Item = item
	l.Timeline.Add(now, kind, timeline.Muster(), timeline.F("to", p.To.Name), timeline.F("method", p.Method), timeline.F("item", said))
}

// A Candidate is a way by which test pages may go, as the organisation folder has it now.
type Candidate struct {
	To     delivery.Recipient
	Method string
	Held   string // why none goes now: one of the Held causes; empty: one may
}

// Held causes: why no test page goes to somebody now. These strings are in histories: add, never rename.
const (
	HeldByQuietHours = incident.HeldByQuietHours
	HeldByAbsence    = incident.HeldByAbsence
	HeldByHours      = "hours" // it is not the time of day for tests
)

// Helds lists why no test page goes to somebody now.
func Helds() []string { return []string{HeldByQuietHours, HeldByAbsence, HeldByHours} }

// Again is after what time a way that has failed is tested again, however seldom others are.
const Again = 24 * time.Hour

// Due returns by which ways a test page is due, the longest untested first: by each way as often as is wanted, and by one that has
// failed every day until it works. Nobody gets more than one at a time.
func Due(all []Candidate, known []Record, every time.Duration, now time.Time) []Candidate {
	l := Ledger{Ways: known}
	last := func(c Candidate) (at time.Time, failed bool) {
		if r := l.Find(Way{c.To.ID, c.Method}); r != nil && r.Test != nil {
			return r.Test.At, r.Test.Result != Delivered
		}
		return at, false
	}
	var due []Candidate
	for _, c := range all {
		at, failed := last(c)
		wait := every
		if failed {
			wait = min(every, Again)
		}
		if c.Held == "" && !now.Before(at.Add(wait)) {
			due = append(due, c)
		}
	}
	slices.SortStableFunc(due, func(a, b Candidate) int {
		first, _ := last(a)
		second, _ := last(b)
		return first.Compare(second)
	})
	var one []Candidate
	for _, c := range due {
		if !slices.ContainsFunc(one, func(o Candidate) bool { return o.To.ID == c.To.ID }) {
			one = append(one, c)
		}
	}
	return one
}

// A Person is somebody, or a channel, with all contact methods that the organisation folder has now.
type Person struct {
	ID      string
	Name    string
	Answers bool // on call now, or meant by an escalation policy
	Methods []Method
}

// A Method is one of them.
type Method struct {
	Name   string
	Type   delivery.ContactType
	Tested bool // test pages go by it
}

// Unreachable tells whether the newest attempt by every contact method of somebody has failed.
func Unreachable(p Person, l *Ledger) bool {
	for _, m := range p.Methods {
		if r := l.Find(Way{p.ID, m.Name}); r == nil || r.Result == Delivered {
			return false
		}
	}
	return len(p.Methods) > 0
}
