// Package timeline is the readable record of a run: what happened, when, by whom and why. Entries hold a kind and facts,
// never prose, so that the same record reads well in every language.
package timeline

import (
	"slices"
	"time"

	"muster/internal/jsonsize"
)

// Actor is who did something, as the authenticated session, the alert source or the engine itself.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id"`
	Name string    `json:"name,omitempty"` // as it is shown to people; the ID where empty
}

// ActorKind tells people from machines.
type ActorKind string

// The kinds of actors.
const (
	Person ActorKind = "person"
	Source ActorKind = "source" // an alert source, a ticket system or a machine
	Engine ActorKind = "engine" // Muster itself, by a rule or a deadline
)

// Muster is the engine as an actor.
func Muster() Actor { return Actor{Kind: Engine, ID: "muster"} }

// Shown is the actor's name for people.
func (a Actor) Shown() string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// Fact is one named value of an entry. Instants are RFC 3339 in UTC, durations in Go's notation.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// F makes a Fact.
func F(name, value string) Fact { return Fact{Name: name, Value: value} }

// Entry is one thing that happened.
type Entry struct {
	Seq   int       `json:"seq"` // 1, 2, 3 … without gaps over the whole incident
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`
	Actor Actor     `json:"actor"`
	Facts []Fact    `json:"facts,omitempty"`
	Times int       `json:"times,omitempty"` // > 1: the same thing happened that often …
	Last  time.Time `json:"last,omitzero"`   // … until this instant
}

// Fact returns the value of the named fact, empty when there is none.
func (e Entry) Fact(name string) string {
	for _, f := range e.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Log is a timeline: the entries of this run, the oldest first.
type Log struct {
	Entries []Entry `json:"entries"`
	Dropped int     `json:"dropped,omitempty"` // older entries, to be read from the run before
	Bytes   int     `json:"bytes"`             // about what the entries take as JSON
}

// Add appends an entry and returns its sequence number.
func (l *Log) Add(at time.Time, kind Kind, actor Actor, facts ...Fact) int {
	seq := l.Dropped + len(l.Entries) + 1
	e := Entry{Seq: seq, At: at, Kind: kind, Actor: actor, Facts: facts}
	l.Entries = append(l.Entries, e)
	l.Bytes += e.size()
	return seq
}

// Repeat folds into the newest entry when that has the same kind, actor and facts; otherwise it adds one.
func (l *Log) Repeat(at time.Time, kind Kind, actor Actor, facts ...Fact) {
	if n := len(l.Entries); n > 0 {
		e := &l.Entries[n-1]
		if e.Kind == kind && e.Actor == actor && equal(e.Facts, facts) {
			e.Times = max(e.Times, 1) + 1
			e.Last = at
			return
		}
	}
	l.Add(at, kind, actor, facts...)
}

// Trim drops the oldest entries until at most so many, of about so many bytes, are left. They stay readable in the run that
// recorded them.
func (l *Log) Trim(entries, bytes int) {
	drop := 0
	for left := len(l.Entries); left > 0 && (left > entries || l.Bytes > bytes); left-- {
		l.Bytes -= l.Entries[drop].size()
		drop++
	}
	if drop > 0 {
		l.Dropped += drop
		l.Entries = append([]Entry(nil), l.Entries[drop:]...)
	}
}

// Keep leaves out the entries of other kinds. Those that stay keep their numbers.
func (l *Log) Keep(kind func(Kind) bool) {
	l.Entries = slices.DeleteFunc(l.Entries, func(e Entry) bool {
		out := !kind(e.Kind)
		if out {
			l.Bytes -= e.size()
		}
		return out
	})
}

// size is about what the entry takes as JSON.
func (e Entry) size() int {
	n := 120 + jsonsize.Of(e.Actor.ID) + jsonsize.Of(e.Actor.Name)
	for _, f := range e.Facts {
		n += 24 + jsonsize.Of(f.Name) + jsonsize.Of(f.Value)
	}
	return n
}

func equal(a, b []Fact) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Join puts an earlier run's log before a later one that has dropped some of it. Where both hold an entry, the later log
// is right, for repeats are folded into entries that stand already. A log that does not reach up to the later one is left
// out: a timeline has no gaps.
func Join(earlier, later Log) Log {
	if earlier.Dropped+len(earlier.Entries) < later.Dropped {
		return later
	}
	keep := max(later.Dropped-earlier.Dropped, 0)
	joined := Log{Dropped: later.Dropped - keep}
	joined.Entries = append(append(joined.Entries, earlier.Entries[:keep]...), later.Entries...)
	joined.Bytes = earlier.Bytes + later.Bytes // at most
	return joined
}
