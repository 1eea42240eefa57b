// Package escalation climbs a policy's steps until somebody acknowledges. It reads no clock and reaches nobody: it says
// which step is due when.
package escalation

import (
	"fmt"
	"strings"
	"time"
)

// A Target names whom a step pages: whoever is on call in a schedule, everybody of a group, or one person.
type Target struct {
	Kind TargetKind `json:"kind"`
	ID   string     `json:"id"`
}

// TargetKind tells schedules, groups and persons apart.
type TargetKind string

// The kinds of targets.
const (
	Schedule TargetKind = "schedule" // whoever is on call in it at the moment of sending
	Group    TargetKind = "group"    // everybody in it
	Person   TargetKind = "person"
)

// String returns the target as definitions write it: "schedule:primary", "person:park".
func (t Target) String() string { return string(t.Kind) + ":" + t.ID }

// ParseTarget reads what String writes.
func ParseTarget(s string) (Target, error) {
	kind, id, ok := strings.Cut(s, ":")
	switch k := TargetKind(kind); {
	case !ok || id == "":
	case k == Schedule, k == Group, k == Person:
		return Target{Kind: k, ID: id}, nil
	}
	return Target{}, fmt.Errorf("target %q: want schedule:ID, group:ID or person:ID", s)
}

// Shown joins targets for a person to read.
func Shown(targets []Target) string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

// A Step pages its targets all at once and waits for an acknowledgement before the next step follows.
type Step struct {
	Targets []Target      `json:"targets"`
	Wait    time.Duration `json:"wait"`
}

// A Policy says who is paged in which order. All of it is pinned when an incident opens.
type Policy struct {
	ID              string        `json:"id"`
	Steps           []Step        `json:"steps"`
	Repeats         int           `json:"repeats"`           // how often all steps are gone through again, 0 for once
	LastResort      []Target      `json:"last_resort"`       // paged when the steps are used up, again and again
	LastResortEvery time.Duration `json:"last_resort_every"` // wait between two pages of the last resort
	AckExpires      time.Duration `json:"ack_expires"`       // no sign of life for so long: paging starts again
	NextMethodAfter time.Duration `json:"next_method_after"` // no outcome for so long: the next contact method as well
}

// MaxRepeats bounds how often the steps are gone through again: when nobody is on call, all of them follow at once.
const MaxRepeats = 20

// Targets returns everybody whom the policy names.
func (p Policy) Targets() []Target {
	var all []Target
	for _, s := range p.Steps {
		all = append(all, s.Targets...)
	}
	return append(all, p.LastResort...)
}

// Validate says all that keeps the policy from being climbed for ever.
func (p Policy) Validate() []error {
	var faults []error
	if len(p.Steps) == 0 {
		faults = append(faults, fmt.Errorf("policy %s: steps: none; want at least one", p.ID))
	}
	for i, s := range p.Steps {
		if len(s.Targets) == 0 {
			faults = append(faults, fmt.Errorf("policy %s: step %d: targets: none; want at least one", p.ID, i+1))
		}
		if s.Wait <= 0 {
			faults = append(faults, fmt.Errorf("policy %s: step %d: wait %s: want more than 0s", p.ID, i+1, s.Wait))
		}
	}
	if len(p.LastResort) == 0 {
		faults = append(faults, fmt.Errorf("policy %s: last_resort: none; an unanswered page must end with somebody", p.ID))
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

// Run is the state of one climb. The zero Run is due at once.
type Run struct {
	Restarts int       `json:"restarts"`           // how often paging started again from the first step
	Begun    int       `json:"begun"`              // rungs begun so far in this climb, steps and last resorts together
	Reached  bool      `json:"reached,omitempty"`  // a page of the newest rung was delivered
	NextAt   time.Time `json:"next_at,omitzero"`   // when the next one follows; zero: at once
	Answered bool      `json:"answered,omitempty"` // somebody has taken it
	AckedAt  time.Time `json:"acked_at,omitzero"`  // last sign of life of whoever has
}

// A Rung is one step of a climb that has come due.
type Rung struct {
	Number  int // 1, 2, 3 … over the whole climb
	Step    int // 1 … len(Steps); 0 for the last resort
	Round   int // 1 for the first time through the steps
	Targets []Target
	Wait    time.Duration // until the next one
}

// Rung returns the nth rung of a climb, n from 1.
func (p Policy) Rung(n int) Rung {
	if steps := len(p.Steps); n <= steps*(p.Repeats+1) {
		s := p.Steps[(n-1)%steps]
		return Rung{Number: n, Step: (n-1)%steps + 1, Round: (n-1)/steps + 1, Targets: s.Targets, Wait: s.Wait}
	}
	return Rung{Number: n, Round: p.Repeats + 2, Targets: p.LastResort, Wait: p.LastResortEvery}
}

// Climb begins the next rung when it is due.
func (r *Run) Climb(p Policy, now time.Time) (Rung, bool) {
	if r.Answered || now.Before(r.NextAt) {
		return Rung{}, false
	}
	r.Begun++
	r.Reached = false
	rung := p.Rung(r.Begun)
	r.NextAt = now.Add(rung.Wait)
	return rung, true
}

// Hasten makes the next rung due at once, when rung n is the one that is being waited for. A last resort is never
// hastened: it has nobody behind it, and an outage must not turn it into a storm.
func (r *Run) Hasten(p Policy, n int, now time.Time) bool {
	if r.Answered || n != r.Begun || p.Rung(n).Step == 0 {
		return false
	}
	r.NextAt = now
	return true
}

// Answer stops the climb.
func (r *Run) Answer(now time.Time) { r.Answered, r.AckedAt, r.NextAt = true, now, time.Time{} }

// Restart climbs again from the first step.
func (r *Run) Restart() { *r = Run{Restarts: r.Restarts + 1} }

// Resume climbs on from where the climb was answered. The answer is gone with it: what climbs has none that could go stale.
func (r *Run) Resume(now time.Time) { r.Answered, r.AckedAt, r.NextAt = false, time.Time{}, now }

// Expired tells whether an answer has gone stale.
func (r *Run) Expired(p Policy, now time.Time) bool {
	return r.Answered && !now.Before(r.AckedAt.Add(p.AckExpires))
}

// Due returns the next instant at which Climb or Expired will say yes.
func (r *Run) Due(p Policy) time.Time {
	if r.Answered {
		return r.AckedAt.Add(p.AckExpires)
	}
	return r.NextAt
}
