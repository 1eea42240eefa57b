package request

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// Begun says with whom an issue began of which a customer is told. These strings are in histories: add, never rename.
type Begun string

// With whom an issue can begin that no customer has reported.
const (
	WithProvider Begun = "provider"
	WithVendor   Begun = "vendor"
)

// Begins lists with whom an issue can begin.
func Begins() []Begun { return []Begun{WithProvider, WithVendor} }

// A Need is what engineering has to know before a request of some kind is handed over to it.
type Need struct {
	ID   string           `json:"id"`
	Name supportplan.Text `json:"name"`
}

// Collected is what was collected for a need.
type Collected struct {
	Need string `json:"need"` // ID
	Text string `json:"text"`
}

// A VendorCase is what a vendor was asked, and when to ask again.
type VendorCase struct {
	Vendor string    `json:"vendor"`           // ID
	Name   string    `json:"name,omitempty"`   // of the vendor; empty: of one that was recorded before it was looked up
	Ref    string    `json:"ref"`              // by which the vendor knows it
	Chase  time.Time `json:"chase,omitzero"`   // when to ask again
	Chased bool      `json:"chased,omitempty"` // somebody was told so
}

// Shown is what the vendor is called.
func (c *VendorCase) Shown() string { return cmp.Or(c.Name, c.Vendor) }

// A Rating is how content the customer is.
type Rating struct {
	Score int            `json:"score"` // 1 to 5, which is best
	Text  string         `json:"text,omitempty"`
	By    timeline.Actor `json:"by"`
	At    time.Time      `json:"at"`
}

// A Judgement says whether an answer was enough.
type Judgement string

// The judgements. These strings are on the wire: add, never rename.
const (
	Complete   Judgement = "complete"
	Incomplete Judgement = "incomplete" // it goes on
)

// Judgements lists them.
func Judgements() []Judgement { return []Judgement{Complete, Incomplete} }

// Bounds.
const (
	MaxScore      = 5
	MaxRef        = 400                  // bytes of a reference
	FarthestChase = 366 * 24 * time.Hour // in which a vendor is asked again
)

// The commands of whoever works on a request.
type (
	// Take says who works on it.
	Take struct {
		Note string `json:"note,omitempty"`
	}
	// HandOver gives it to another person. Engineering takes it only with what it needs.
	HandOver struct {
		Person   string `json:"person"` // ID
		Name     string `json:"name"`
		Note     string `json:"note"`
		Engineer bool   `json:"engineer,omitempty"` // that person is an engineer of the customer's
	}
	// Collect says something that engineering needs.
	Collect struct {
		Need string `json:"need"` // ID
		Text string `json:"text"`
	}
	// RecordCase says what a vendor was asked, and when to ask again.
	RecordCase struct {
		Vendor string    `json:"vendor"`
		Name   string    `json:"name,omitempty"` // of the vendor
		Ref    string    `json:"ref"`
		Chase  time.Time `json:"chase"`
	}
	// Judge says whether the newest answer is enough. With it the customer may say how content it is.
	Judge struct {
		Result Judgement `json:"result"`
		Note   string    `json:"note,omitempty"`
		Score  int       `json:"score,omitempty"` // of the customer alone
	}
	// Promote says that it has become an incident, which counts from the receipt.
	Promote struct {
		Incident string `json:"incident"`
	}
)

// Missing are the needs for which nothing is collected.
func (r *Request) Missing() (all []Need) {
	for _, n := range r.Needs {
		if !slices.ContainsFunc(r.Collected, func(c Collected) bool { return c.Need == n.ID }) {
			all = append(all, n)
		}
	}
	return all
}

// Check refuses it unless somebody has to work on it.
func (c Take) Check(r *Request, by timeline.Actor) error {
	if err := r.wantStatus("take", Accepted); err != nil {
		return err
	}
	if by.ID == r.Owner.ID {
		return r.refuse("take", "%s has it", by.Shown())
	}
	return r.wantWords("take", "note", c.Note, false)
}

// Apply makes whoever takes it its owner.
func (c Take) Apply(r *Request, by timeline.Actor, now time.Time) error {
	before := r.Owner
	r.Owner = by
	r.record(now, timeline.RequestTaken, by, timeline.F("from", before.Shown()), timeline.F("note", c.Note))
	return nil
}

// Check refuses it unless somebody has to work on it, and to engineering without what that needs.
func (c HandOver) Check(r *Request, _ timeline.Actor) error {
	if err := r.wantStatus("hand over", Accepted); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(c.Person) == "" || len(c.Person) > MaxRef || len(c.Name) > MaxRef:
		return r.refuse("hand over", "person: want the id of a person")
	case c.Person == r.Owner.ID:
		return r.refuse("hand over", "%s has it", r.Owner.Shown())
	}
	if missing := r.Missing(); c.Engineer && len(missing) > 0 {
		ids := make([]string, len(missing))
		for n := range missing {
			ids[n] = missing[n].ID
		}
		return r.refuse("hand over", "%s is an engineer, who needs %s first", cmp.Or(c.Name, c.Person), strings.Join(ids, ", "))
	}
	return r.wantWords("hand over", "note", c.Note, true)
}

// Apply gives it to the new owner, who is told.
func (c HandOver) Apply(r *Request, by timeline.Actor, now time.Time) error {
	before := r.Owner
	r.Owner = timeline.Actor{Kind: timeline.Person, ID: c.Person, Name: c.Name}
	r.record(now, timeline.RequestHandedOver, by, timeline.F("to", r.Owner.Shown()), timeline.F("from", before.Shown()), timeline.F("note", c.Note))
	r.tellOwner(Handed, c.Note)
	return nil
}

// Check refuses what nobody needs.
func (c Collect) Check(r *Request, _ timeline.Actor) error {
	if err := r.wantStatus("collect", Received, Waiting, Accepted); err != nil {
		return err
	}
	if !slices.ContainsFunc(r.Needs, func(n Need) bool { return n.ID == c.Need }) {
		ids := make([]string, len(r.Needs))
		for n := range r.Needs {
			ids[n] = r.Needs[n].ID
		}
		return r.refuse("collect", "need %q: want one of: %s", c.Need, cmp.Or(strings.Join(ids, ", "), "none"))
	}
	return r.wantWords("collect", "text", c.Text, true)
}

// Apply keeps it. What is said of a need later replaces what was said before; the timeline has both.
func (c Collect) Apply(r *Request, by timeline.Actor, now time.Time) error {
	r.Collected = slices.DeleteFunc(r.Collected, func(x Collected) bool { return x.Need == c.Need })
	r.Collected = append(r.Collected, Collected(c))
	r.record(now, timeline.RequestCollected, by, timeline.F("need", c.Need), timeline.F("text", c.Text))
	return nil
}

// Check refuses it unless somebody works on it.
func (c RecordCase) Check(r *Request, _ timeline.Actor) error {
	if err := r.wantStatus("record case of", Accepted); err != nil {
		return err
	}
	for _, x := range []struct{ name, text string }{{"vendor", c.Vendor}, {"name", cmp.Or(c.Name, c.Vendor)}, {"ref", c.Ref}} {
		if strings.TrimSpace(x.text) == "" || len(x.text) > MaxRef || strings.ContainsAny(x.text, "\r\n") {
			return r.refuse("record case of", "%s: want one line of at most %d bytes", x.name, MaxRef)
		}
	}
	if r.Timeline.Bytes > maxTimeline {
		return r.refuse("record case of", "its timeline is full")
	}
	return nil
}

// Apply keeps it, and when to ask the vendor again.
func (c RecordCase) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if !c.Chase.After(now) || c.Chase.Sub(now) > FarthestChase {
		return r.refuse("record case of", "chase %s: want an instant that is to come, within a year", at(c.Chase))
	}
	r.Case = &VendorCase{Vendor: c.Vendor, Name: c.Name, Ref: c.Ref, Chase: c.Chase}
	r.record(now, timeline.RequestCase, by, timeline.F("vendor", r.Case.Shown()), timeline.F("ref", c.Ref), timeline.F("chase", at(c.Chase)))
	return nil
}

// Check refuses it before there is an answer, and without a reason where it goes on.
func (c Judge) Check(r *Request, by timeline.Actor) error {
	if err := r.wantStatus("judge", Answered); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Judgements(), c.Result):
		return r.refuse("judge", "result %q: want complete or incomplete", c.Result)
	case by.ID == r.AnsweredBy.ID:
		return r.refuse("judge", "%s has answered it: want the customer or another person", by.Shown())
	case c.Score < 0 || c.Score > MaxScore || c.Score > 0 && c.Result != Complete:
		return r.refuse("judge", "score %d: want 1 to %d, of what is complete", c.Score, MaxScore)
	}
	return r.wantWords("judge", "note", c.Note, c.Result == Incomplete)
}

// Apply closes it, or has it go on with whoever owns it.
func (c Judge) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if c.Result == Incomplete {
		r.Status, r.Closes, r.Reason, r.DecidedBy = Accepted, time.Time{}, c.Note, by
		r.record(now, timeline.RequestIncomplete, by, timeline.F("reason", c.Note))
		r.tellOwner(Objected, c.Note)
		return nil
	}
	if c.Score > 0 {
		r.Rating = &Rating{Score: c.Score, Text: c.Note, By: by, At: now}
		r.record(now, timeline.RequestRated, by, timeline.F("score", fmt.Sprint(c.Score)), timeline.F("text", c.Note))
	}
	r.DecidedBy, r.Reason = by, c.Note
	r.record(now, timeline.RequestComplete, by, timeline.F("note", c.Note))
	r.end(Closed, now)
	return nil
}

// Check refuses it where it has become one, or is over.
func (c Promote) Check(r *Request, _ timeline.Actor) error {
	switch {
	case r.Over():
		return r.stands("promote")
	case r.Incident != "" && r.Incident != c.Incident:
		return r.refuse("promote", "it is incident %s", r.Incident)
	case c.Incident == "" || len(c.Incident) > MaxRef:
		return r.refuse("promote", "incident: want its id")
	}
	return nil
}

// Apply names the incident. The request is answered all the same.
func (c Promote) Apply(r *Request, by timeline.Actor, now time.Time) error {
	if r.Incident == c.Incident { // asked again
		return nil
	}
	r.Incident = c.Incident
	r.record(now, timeline.RequestPromoted, by, timeline.F("incident", c.Incident), timeline.F("received", at(r.Received)))
	return nil
}

// wantWords refuses text for which the timeline has no room.
func (r *Request) wantWords(action, name, text string, required bool) error {
	if r.Timeline.Bytes > maxTimeline {
		return r.refuse(action, "its timeline is full")
	}
	return r.wantText(action, name, text, required)
}

// notify begins a request with what the customer is told: an issue that began with the provider or a vendor. The customer says whether
// that is enough, as of any answer.
func (r *Request) notify(now time.Time) {
	r.Status, r.Answer, r.AnsweredBy, r.AnsweredAt = Answered, r.Text, r.Recorder, now
	r.Clocks, r.Verdict = nil, supportplan.Verdict{Outcome: supportplan.Covered}
	r.record(now, timeline.RequestNotified, r.Recorder, timeline.F("request", string(r.ID)), timeline.F("customer", r.CustomerName),
		timeline.F("kind", r.Kind), timeline.F("begun", string(r.Begun)), timeline.F("number", r.Number), timeline.F("text", r.Text))
	r.tell(Notice)
	if r.Confirm != nil {
		r.begin(Work{Do: Confirm})
	}
}

// chase says that a vendor is to be asked again.
func (r *Request) chase(now time.Time) {
	if c := r.Case; r.chasing() && !now.Before(c.Chase) {
		c.Chased = true
		r.record(now, timeline.RequestChase, timeline.Muster(), timeline.F("vendor", c.Shown()), timeline.F("ref", c.Ref))
		r.tellOwner(ChaseDue, "")
	}
}

func (r *Request) chasing() bool {
	return r.Case != nil && !r.Case.Chased && !r.Over() && r.Status == Accepted
}

// tellOwner begins one message to whoever works on it; where nobody does, to the customer's engineers.
func (r *Request) tellOwner(a About, words string) {
	r.tell(a)
	t := &r.fresh[len(r.fresh)-1].Telling
	t.Person, t.Words, t.Case = r.Owner.ID, words, r.Case
}
