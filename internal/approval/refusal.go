package approval

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// A Cause is why something is refused.
type Cause string

// The causes. These strings are on the wire and in histories: add, never rename.
const (
	NotVoter      Cause = "not-a-voter"
	IsRequester   Cause = "requester"   // Person has asked for it: separation of duties
	IsImplementer Cause = "implementer" // Person implements it: separation of duties
	Stale         Cause = "stale"       // they have seen something else
	Voted         Cause = "voted"       // the vote of Person was cast by somebody else
	TooOften      Cause = "too-often"
	Decided       Cause = "decided"
	Expired       Cause = "expired"
)

// A Refusal is why a vote does not count, or a substitute may not be named, with its facts.
type Refusal struct {
	Cause   Cause
	Person  string   // whom it is about: who has asked, or whom they represent or name
	Changes []Change // Stale: none when what they have seen is not known
	Earlier Cast     // Voted
	Outcome Outcome  // Decided, Expired
}

// Error says it.
func (r *Refusal) Error() string {
	switch r.Cause {
	case NotVoter:
		return r.Person + ": not among the voters"
	case IsRequester:
		return r.Person + " has asked for it: want another person"
	case IsImplementer:
		return r.Person + " implements it: want another person"
	case Stale:
		changes := make([]string, len(r.Changes))
		for n, c := range r.Changes {
			changes[n] = " " + c.Name + " " + string(c.Kind)
		}
		return "what was shown is not what is shown now:" + strings.Join(append(changes, " look again"), ",")
	case Voted:
		return fmt.Sprintf("%s has voted for %s at %s", cmp.Or(r.Earlier.Name, r.Earlier.By), r.Person, at(r.Earlier.At))
	case TooOften:
		return fmt.Sprintf("%s has voted %d times on it: want no more", r.Person, MaxVotes)
	case Expired:
		return fmt.Sprintf("expired at %s", at(r.Outcome.At))
	case Decided:
	}
	by := ""
	if r.Outcome.By != "" {
		by = " by " + cmp.Or(r.Outcome.Name, r.Outcome.By)
	}
	return fmt.Sprintf("already %s%s at %s", r.Outcome.Verdict, by, at(r.Outcome.At))
}

// over tells whoever comes too late who has decided it and when.
func (r *Round) over(person string) *Refusal {
	cause := Decided
	if r.Outcome.Why == Deadline {
		cause = Expired
	}
	return &Refusal{Cause: cause, Person: person, Outcome: r.Outcome}
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
