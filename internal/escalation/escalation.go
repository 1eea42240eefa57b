// Package escalation climbs a policy's steps until somebody acknowledges. It reads no clock and reaches nobody: it says
// which step is due when.
package escalation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/priority"
)

// A Target names whom a step pages.
type Target struct {
	Kind TargetKind `json:"kind"`
	ID   string     `json:"id"`
}

// TargetKind tells what a target's ID is of.
type TargetKind string

// The kinds of targets. These strings are in histories and definitions: add, never rename.
const (
	Schedule TargetKind = "schedule" // whoever is on call in it at the moment of sending
	Group    TargetKind = "group"    // everybody in it
	Person   TargetKind = "person"
	Role     TargetKind = "role"     // whoever has it in the incident at the moment of sending, or stands for it
	Engineer TargetKind = "engineer" // the designated engineers of the customers; with an ID, of that customer
	Vendor   TargetKind = "vendor"   // the contacts of a party that supplies a part: they are told, and answer for nobody
	Contact  TargetKind = "contact"  // one of a customer, as customer/contact: told what a plan asks of the customer, never paged
)

// String returns the target as definitions write it: "schedule:primary", "person:park", "engineer".
func (t Target) String() string {
	if t.ID == "" {
		return string(t.Kind)
	}
	return string(t.Kind) + ":" + t.ID
}

// Answers tells whether somebody of the target can acknowledge.
func (t Target) Answers() bool { return t.Kind != Vendor }

// ParseTarget reads what String writes of a target in a definition.
func ParseTarget(s string) (Target, error) {
	kind, id, ok := strings.Cut(s, ":")
	switch k := TargetKind(kind); {
	case s == string(Engineer):
		return Target{Kind: Engineer}, nil
	case !ok || id == "":
	case k == Schedule, k == Group, k == Person, k == Role, k == Vendor, k == Contact:
		return Target{Kind: k, ID: id}, nil
	}
	return Target{}, fmt.Errorf("target %q: want schedule:ID, group:ID, person:ID, role:ROLE, engineer, vendor:ID or contact:CUSTOMER/CONTACT", s)
}

// Shown joins targets for a person to read.
func Shown(targets []Target) string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

// A Step pages its targets and waits for an acknowledgement before the next step follows.
type Step struct {
	Targets []Target      `json:"targets"`
	Wait    time.Duration `json:"wait"` // from its last page to the next step
	// Every is how far apart the targets are paged, one after the other in their order; 0 pages all of them at once.
	Every time.Duration `json:"every,omitempty"`
	// Acknowledgements is how many different people must acknowledge before paging stops; 0 for one.
	Acknowledgements int          `json:"acknowledgements,omitempty"`
	Mitigations      []Mitigation `json:"mitigations,omitempty"` // what whoever is paged may do at once
}

// A Mitigation is something that has been approved beforehand.
type Mitigation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"` // what to do, and within which bounds
}

// turns are the targets in the order in which they are paged. Those who answer for nobody take no turn of their own, for
// nobody waits for them: they go along with the target before them, the first ones with the first who answers.
func (s Step) turns() [][]Target {
	if s.Every == 0 {
		return [][]Target{s.Targets}
	}
	var (
		turns [][]Target
		along []Target
	)
	for _, t := range s.Targets {
		switch n := len(turns); {
		case t.Answers():
			turns = append(turns, append(along, t))
			along = nil
		case n > 0:
			turns[n-1] = append(turns[n-1], t)
		default:
			along = append(along, t)
		}
	}
	return turns
}

// A Variant replaces the steps of a policy for some priorities, within or outside the hours of a calendar, or both.
type Variant struct {
	Priorities []priority.Priority `json:"priorities,omitempty"` // none: all of them
	Calendar   string              `json:"calendar,omitempty"`   // ID; empty: at any time
	Closed     bool                `json:"closed,omitempty"`     // it holds while the calendar is closed, and not while it is open
	Steps      []Step              `json:"steps"`
}

// holds tells whether the variant is for a situation.
func (v Variant) holds(s Situation) bool {
	return (len(v.Priorities) == 0 || slices.Contains(v.Priorities, s.Priority)) &&
		(v.Calendar == "" || slices.Contains(s.Open, v.Calendar) != v.Closed)
}

// covers tells whether the variant is for every situation that another is for.
func (v Variant) covers(other Variant) bool {
	wider := len(v.Priorities) == 0
	if !wider && len(other.Priorities) > 0 {
		wider = !slices.ContainsFunc(other.Priorities, func(p priority.Priority) bool { return !slices.Contains(v.Priorities, p) })
	}
	return wider && (v.Calendar == "" || v.Calendar == other.Calendar && v.Closed == other.Closed)
}

// A Situation is what decides which steps of a policy hold.
type Situation struct {
	Priority priority.Priority
	Open     []string // IDs of the policy's calendars that are open
}

// At is the situation of a priority while no calendar is open.
func At(p priority.Priority) Situation { return Situation{Priority: p} }

// Calendars returns the IDs of the calendars that the variants ask for, each once.
func (p Policy) Calendars() (ids []string) {
	for _, v := range p.Variants {
		if v.Calendar != "" && !slices.Contains(ids, v.Calendar) {
			ids = append(ids, v.Calendar)
		}
	}
	return ids
}

// A Policy says who is paged in which order. All of it is pinned when an incident opens.
type Policy struct {
	ID              string        `json:"id"`
	Steps           []Step        `json:"steps"`
	Repeats         int           `json:"repeats"`            // how often all steps are gone through again, 0 for once
	LastResort      []Target      `json:"last_resort"`        // paged when the steps are used up, again and again
	LastResortEvery time.Duration `json:"last_resort_every"`  // wait between two pages of the last resort
	AckExpires      time.Duration `json:"ack_expires"`        // no sign of life for so long: paging starts again
	NextMethodAfter time.Duration `json:"next_method_after"`  // no outcome for so long: the next contact method as well
	Variants        []Variant     `json:"variants,omitempty"` // the first one for a situation replaces the steps
}

// MaxRepeats bounds how often the steps are gone through again: when nobody is on call, all of them follow at once.
const MaxRepeats = 20

// MaxAcknowledgements bounds how many people a step may ask to acknowledge.
const MaxAcknowledgements = 10

// Targets returns everybody whom the policy names.
func (p Policy) Targets() []Target {
	var all []Target
	for v := range len(p.Variants) + 1 {
		for _, s := range p.steps(v) {
			all = append(all, s.Targets...)
		}
	}
	return append(all, p.LastResort...)
}

// MostAcknowledgements returns how many different people may have to acknowledge before paging stops, 0 where one is enough.
func (p Policy) MostAcknowledgements() (most int) {
	for v := range len(p.Variants) + 1 {
		for _, s := range p.steps(v) {
			most = max(most, s.Acknowledgements)
		}
	}
	return most
}

// Validate says all that keeps the policy from being climbed for ever.
func (p Policy) Validate() []error {
	faults := validSteps("policy "+p.ID, p.Steps)
	for n, v := range p.Variants {
		subject := fmt.Sprintf("policy %s: variant %d", p.ID, n+1)
		if len(v.Priorities) == 0 && v.Calendar == "" {
			faults = append(faults, fmt.Errorf("%s: for every incident; want priorities, in or out_of, or other steps of the policy", subject))
		}
		taken := func(part Variant) int {
			return 1 + slices.IndexFunc(p.Variants[:n], func(earlier Variant) bool { return earlier.covers(part) })
		}
		if first := taken(v); len(v.Priorities) == 0 && first > 0 {
			faults = append(faults, fmt.Errorf("%s: never taken, because variant %d before it holds whenever it would", subject, first))
		}
		for _, at := range v.Priorities {
			part := v
			part.Priorities = []priority.Priority{at}
			if first := taken(part); first > 0 {
				faults = append(faults, fmt.Errorf("%s: priorities %s: variant %d has it already, and the first one is taken", subject, at, first))
			}
		}
		faults = append(faults, validSteps(subject, v.Steps)...)
	}
	if len(p.LastResort) == 0 {
		faults = append(faults, fmt.Errorf("policy %s: last_resort: none; an unanswered page must end with somebody", p.ID))
	}
	for _, t := range p.LastResort {
		if t.Kind != Schedule && t.Kind != Group && t.Kind != Person {
			faults = append(faults, fmt.Errorf("policy %s: last_resort %s: want schedule:ID, group:ID or person:ID, who are there in every incident", p.ID, t))
		}
	}
	if p.Repeats < 0 || p.Repeats > MaxRepeats {
		faults = append(faults, fmt.Errorf("policy %s: repeats %d: want 0 to %d", p.ID, p.Repeats, MaxRepeats))
	}
	for _, d := range []struct {
		name string
		wait time.Duration
	}{
		{"last_resort_every", p.LastResortEvery},
		{"ack_expires", p.AckExpires},
		{"next_method_after", p.NextMethodAfter},
	} {
		if d.wait <= 0 {
			faults = append(faults, fmt.Errorf("policy %s: %s %s: want more than 0s", p.ID, d.name, d.wait))
		}
	}
	return faults
}

func validSteps(subject string, steps []Step) (faults []error) {
	if len(steps) == 0 {
		faults = append(faults, fmt.Errorf("%s: steps: none; want at least one", subject))
	}
	for i, s := range steps {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("%s: step %d: "+format, append([]any{subject, i + 1}, args...)...))
		}
		switch {
		case len(s.Targets) == 0:
			fault("targets: none; want at least one")
		case !slices.ContainsFunc(s.Targets, Target.Answers):
			fault("targets %s: a vendor acknowledges nothing; want somebody of your own as well", Shown(s.Targets))
		}
		if s.Wait <= 0 {
			fault("wait %s: want more than 0s", s.Wait)
		}
		if s.Every < 0 {
			fault("every %s: want no less than 0s", s.Every)
		}
		if s.Acknowledgements < 0 || s.Acknowledgements > MaxAcknowledgements {
			fault("acknowledgements %d: want 0 to %d", s.Acknowledgements, MaxAcknowledgements)
		}
	}
	return faults
}
