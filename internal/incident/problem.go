package incident

import (
	"slices"
	"time"

	"muster/internal/timeline"
)

// A Sameness is by what two incidents of a service are the same.
type Sameness string

// The samenesses. These strings are in organisation folders and histories: add, never rename.
const (
	SameAlert   Sameness = "alert"
	SameRunbook Sameness = "runbook"
	SameCause   Sameness = "cause" // where it lies, and with which vendor
	SameHand    Sameness = "hand"  // as a person says; no rule names it
	SameNoise   Sameness = "noise" // an alert about which nobody had to do anything; a rule of its own
)

// Samenesses lists those that a rule may name, the narrowest first.
func Samenesses() []Sameness { return []Sameness{SameAlert, SameRunbook, SameCause} }

// A Recurrence says when incidents of a service come so often that there is a problem behind them. With no times there is never
// by itself, but the problems that people have opened are shown to the next responder.
type Recurrence struct {
	Times  int           `json:"times,omitempty"`
	Within time.Duration `json:"within,omitempty"`
	By     []Sameness    `json:"by,omitempty"`
	Noise  *Often        `json:"noise,omitempty"` // nil: nobody looks for alerts that mean nothing
}

// Often says how often something comes within a time.
type Often struct {
	Times  int           `json:"times"`
	Within time.Duration `json:"within"`
}

// Unneeded tells whether an incident is over and nobody had to do anything about it: no person has, nor Muster. Where nobody has answered
// until the last resort was paged, somebody should have, for all that is known.
func (i *Incident) Unneeded() bool {
	acted := i.Response != nil && !i.Response.Begun.IsZero()
	return i.Status == Closed && i.MergedInto == nil && i.Times.Engaged.IsZero() && !acted &&
		!slices.ContainsFunc(i.Timeline.Entries, func(e timeline.Entry) bool { return e.Actor.Kind == timeline.Person || e.Kind == timeline.LastResort })
}

// A KnownProblem is the problem behind an incident, with what is known of it: whoever responds need not find it out again.
type KnownProblem struct {
	ID         string `json:"id"`
	Title      string `json:"title"`
	Status     string `json:"status"`
	KnownError string `json:"known_error,omitempty"`
	Workaround string `json:"workaround,omitempty"`
}

// seekProblem asks whether there is a problem behind the incident, where its definition has a rule for that. A restricted one
// tells nobody of itself.
func (i *Incident) seekProblem(w Work, now time.Time) {
	if i.Definition.Recurrence != nil && !i.Definition.Restricted() && i.MergedInto == nil {
		i.begin(Send{Work: w}, now)
	}
}

// FoundProblem takes in the problem behind the incident, nil when there is none. With a detail nobody can say.
func (i *Incident) FoundProblem(number int, p *KnownProblem, detail string, now time.Time) {
	i.drop(number)
	switch {
	case detail != "":
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(FindProblem)), timeline.F("detail", detail))
	case p == nil:
	default:
		if i.Problem == nil || i.Problem.ID != p.ID {
			i.record(now, timeline.ProblemFound, timeline.Muster(), timeline.F("problem", p.ID), timeline.F("title", clipped(p.Title)),
				timeline.F("text", clipped(p.KnownError)), timeline.F("workaround", clipped(p.Workaround)))
		}
		i.Problem = p
	}
}
