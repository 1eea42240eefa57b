// Package response keeps how often an automatic response has run, how it ended, and whether it is switched off: by the failures that it
// may have, or by a person. It reads no clock and asks nobody.
package response

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/timeline"
)

// Bounds of a ledger.
const (
	Window      = time.Hour // in which the runs of one service are counted
	MaxText     = 2_000     // bytes that a person writes at once
	keptRuns    = 100       // that are over and count no more
	mostRuns    = 500       // at all: beyond, nothing is allowed
	maxTimeline = 64 << 10
)

// Outcome is what has come of a run.
type Outcome string

// The outcomes. These strings are in histories and on the wire: add, never rename.
const (
	Worked     Outcome = "worked"
	Failed     Outcome = "failed"
	Unknown    Outcome = "unknown"    // nobody knows whether a step has happened
	Stopped    Outcome = "stopped"    // by a person
	Unneeded   Outcome = "unneeded"   // its alerts were over before it had done anything
	Unapproved Outcome = "unapproved" // nobody has approved it in time
	Overtaken  Outcome = "overtaken"  // the incident has come to its end otherwise
)

// Outcomes lists the outcomes.
func Outcomes() []Outcome {
	return []Outcome{Worked, Failed, Unknown, Stopped, Unneeded, Unapproved, Overtaken}
}

// did tells whether a run with an outcome may have done something.
func (o Outcome) did() bool { return o != Unneeded && o != Unapproved }

// A Ledger has the runs of one automatic response, for whatever service.
type Ledger struct {
	ID       string       `json:"id"` // in the organisation folder
	Off      *Off         `json:"off,omitempty"`
	Failed   int          `json:"failed,omitempty"` // runs that failed one after another, since one has worked or somebody has switched it on
	Runs     []Run        `json:"runs,omitempty"`   // the oldest first
	Timeline timeline.Log `json:"timeline"`
}

// Off says since when a response does nothing, and why.
type Off struct {
	At     time.Time      `json:"at"`
	By     timeline.Actor `json:"by"`               // Muster: too many runs have failed
	Reason string         `json:"reason,omitempty"` // of a person
}

// A Run is one that was allowed.
type Run struct {
	Incident string    `json:"incident"` // ID
	Service  string    `json:"service"`  // ID
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"` // by when it must have ended: one that is lost holds up no other
	Ended    time.Time `json:"ended,omitzero"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	// Restricted runs are of incidents that not everybody may read.
	Restricted bool `json:"restricted,omitempty"`
}

func (r *Run) goesOn(now time.Time) bool { return r.Ended.IsZero() && now.Before(r.Until) }

// A Claim asks whether an incident may run the response.
type Claim struct {
	Response   string        `json:"response"`
	Incident   string        `json:"incident"`
	Service    string        `json:"service"`
	PerHour    int           `json:"per_hour"`             // so many runs for one service
	Longest    time.Duration `json:"longest"`              // that it can take
	Restricted bool          `json:"restricted,omitempty"` // not everybody may read the incident
	Approved   bool          `json:"approved,omitempty"`   // it is asked once more, for somebody has approved it since
}

// Refusal is why a run is not allowed.
type Refusal string

// The refusals. These strings are in histories and on the wire: add, never rename.
const (
	IsOff     Refusal = "off"
	IsRunning Refusal = "running" // for the same service: two at once could take down what one repairs
	TooOften  Refusal = "rate"
)

// An Answer says whether it may run.
type Answer struct {
	Granted bool    `json:"granted,omitempty"`
	Refused Refusal `json:"refused,omitempty"`
	Off     *Off    `json:"off,omitempty"`
	Other   string  `json:"other,omitempty"` // ID of the incident for which it is running, unless that is restricted
}

// An End says what has come of a run.
type End struct {
	Response string  `json:"response"`
	Incident string  `json:"incident"`
	Outcome  Outcome `json:"outcome"`
	Failures int     `json:"failures,omitempty"` // so many one after another switch it off; 0: none do
}

// An Ended says what follows from it.
type Ended struct {
	SwitchedOff bool `json:"switched_off,omitempty"` // by this run
	Failed      int  `json:"failed,omitempty"`       // one after another
}

// Check says what is wrong with a claim.
func (l *Ledger) Check(c Claim) error {
	switch {
	case c.Response != l.ID:
		return fmt.Errorf("claim of %s: it is for response %q; want %s", c.Incident, c.Response, l.ID)
	case c.Incident == "" || c.Service == "" || c.PerHour < 1 || c.Longest <= 0:
		return fmt.Errorf("claim of response %s: incident, service, per_hour or longest: missing", l.ID)
	}
	return nil
}

// Claim answers a claim that Check allows. The same claim twice is one; whoever asks once more before it acts hears when it is off by then.
func (l *Ledger) Claim(c Claim, now time.Time) Answer {
	if l.Off != nil {
		return Answer{Refused: IsOff, Off: l.Off}
	}
	if r := l.find(c.Incident); r != nil && r.Ended.IsZero() {
		return Answer{Granted: true}
	}
	l.forget(now)
	recent := 0
	for n := range l.Runs {
		r := &l.Runs[n]
		if r.Service != c.Service {
			continue
		}
		if r.goesOn(now) {
			if r.Restricted {
				return Answer{Refused: IsRunning}
			}
			return Answer{Refused: IsRunning, Other: r.Incident}
		}
		if (r.Ended.IsZero() || r.Outcome.did()) && now.Before(r.At.Add(Window)) {
			recent++
		}
	}
	if recent >= c.PerHour || len(l.Runs) >= mostRuns {
		return Answer{Refused: TooOften}
	}
	l.Runs = append(l.Runs, Run{Incident: c.Incident, Service: c.Service, At: now, Until: now.Add(c.Longest), Restricted: c.Restricted})
	return Answer{Granted: true}
}

// forget drops the oldest runs that are over and count no more.
func (l *Ledger) forget(now time.Time) {
	for over := len(l.Runs) - keptRuns; over > 0; over-- {
		r := &l.Runs[0]
		if r.goesOn(now) || now.Before(r.At.Add(Window)) {
			return
		}
		l.Runs = l.Runs[1:]
	}
}

// Detail is what more there is to say of a refusal.
func (a Answer) Detail() string {
	switch {
	case a.Off == nil:
		return a.Other
	case a.Off.By == timeline.Muster():
		return ""
	}
	return strings.TrimSuffix(a.Off.By.Shown()+": "+a.Off.Reason, ": ")
}

// End takes in what has come of a run. It says the same again to whoever repeats it.
func (l *Ledger) End(e End, now time.Time) Ended {
	r := l.find(e.Incident)
	if r == nil {
		return Ended{Failed: l.Failed}
	}
	back := r.Outcome == Worked && e.Outcome == Failed // what it was for has come back
	if !r.Ended.IsZero() && !back {
		return Ended{SwitchedOff: l.Off != nil && l.Off.By == timeline.Muster() && l.Off.At.Equal(r.Ended), Failed: l.Failed}
	}
	r.Ended, r.Outcome = now, e.Outcome
	l.record(now, timeline.ResponseRan, timeline.Muster(), timeline.F("incident", e.Incident), timeline.F("outcome", string(e.Outcome)))
	switch e.Outcome {
	case Worked:
		l.Failed = 0
	case Failed, Unknown:
		l.Failed++
	default:
	}
	if l.Off != nil || e.Failures == 0 || l.Failed < e.Failures {
		return Ended{Failed: l.Failed}
	}
	l.Off = &Off{At: now, By: timeline.Muster()}
	l.record(now, timeline.ResponseOff, timeline.Muster(), timeline.F("failed", strconv.Itoa(l.Failed)))
	return Ended{SwitchedOff: true, Failed: l.Failed}
}

// Running are the incidents for which it is running.
func (l *Ledger) Running(now time.Time) (incidents []string) {
	for n := range l.Runs {
		if r := &l.Runs[n]; r.goesOn(now) {
			incidents = append(incidents, r.Incident)
		}
	}
	return incidents
}

func (l *Ledger) find(incident string) *Run {
	n := slices.IndexFunc(l.Runs, func(r Run) bool { return r.Incident == incident })
	if n < 0 {
		return nil
	}
	return &l.Runs[n]
}

func (l *Ledger) record(now time.Time, kind timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	l.Timeline.Add(now, kind, by, facts...)
	l.Timeline.Trim(len(l.Timeline.Entries), maxTimeline)
}

// A Command is something that a person asks of a response. Check refuses it, with what would be right; Apply does it.
type Command interface {
	Check(l *Ledger, by timeline.Actor) error
	Apply(l *Ledger, by timeline.Actor, now time.Time) error
}

// SwitchOff keeps a response from running until somebody switches it on.
type SwitchOff struct {
	Reason string `json:"reason"`
}

// SwitchOn lets it run again. The failures until then count no more.
type SwitchOn struct {
	Reason string `json:"reason"`
}

// Unended are the incidents for which it has not ended, however long that should have taken.
func (l *Ledger) Unended() (incidents []string) {
	for _, r := range l.Runs {
		if r.Ended.IsZero() {
			incidents = append(incidents, r.Incident)
		}
	}
	return incidents
}

// Check refuses one that somebody has switched off, and that is running nowhere: else there is something to stop.
func (c SwitchOff) Check(l *Ledger, _ timeline.Actor) error {
	if l.Off != nil && l.Off.By != timeline.Muster() && len(l.Unended()) == 0 {
		return fmt.Errorf("switch off response %s: it is off since %s, by %s", l.ID, l.Off.At.UTC().Format(time.RFC3339), l.Off.By.Shown())
	}
	return wantReason("switch off response "+l.ID, c.Reason)
}

// Apply switches it off.
func (c SwitchOff) Apply(l *Ledger, by timeline.Actor, now time.Time) error {
	l.Off = &Off{At: now, By: by, Reason: c.Reason}
	l.record(now, timeline.ResponseOff, by, timeline.F("reason", c.Reason))
	return nil
}

// Check refuses one that is on.
func (c SwitchOn) Check(l *Ledger, _ timeline.Actor) error {
	if l.Off == nil {
		return fmt.Errorf("switch on response %s: it is on", l.ID)
	}
	return wantReason("switch on response "+l.ID, c.Reason)
}

// Apply switches it on.
func (c SwitchOn) Apply(l *Ledger, by timeline.Actor, now time.Time) error {
	l.Off, l.Failed = nil, 0
	l.record(now, timeline.ResponseOn, by, timeline.F("reason", c.Reason))
	return nil
}

func wantReason(action, reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return fmt.Errorf("%s: reason: missing; want why", action)
	case len(reason) > MaxText:
		return fmt.Errorf("%s: reason: %d bytes; want %d at most", action, len(reason), MaxText)
	}
	return nil
}
