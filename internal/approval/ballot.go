// Package approval counts votes on exact content: who may vote, whether it is decided, and what becomes of a vote that comes
// too late. It reads no clock, reaches nobody, and knows neither roles nor working time but as it is told.
//
// One person has one vote. A substitute who casts that of somebody else has none left for themselves. It is decided
// as soon as the votes that are left cannot change it; until then a person may vote again, and the later vote counts. What
// was cast by somebody who has left counts as it was cast; what was cast by somebody who may not decide any more, because they
// ask for it or implement it, does not.
package approval

import (
	"errors"
	"slices"
	"time"
)

// The bounds of a ballot's state.
const (
	MaxReason   = 1_000 // bytes
	MaxElectors = 50
	MaxVotes    = 3 // of one person on what is shown
	maxPast     = 5 // rounds
	maxID       = 100
)

// A Vote is what somebody says. Who they are comes from their session or signed link, never from what they send.
type Vote struct {
	ID     string `json:"id"`            // of the command: the same one counts once
	By     string `json:"by"`            // person
	For    string `json:"for,omitempty"` // whose vote it is; empty: their own, or of the only person whom they represent
	Choice Choice `json:"choice"`
	Reason string `json:"reason,omitempty"`
	Shown  string `json:"shown"` // SHA-256 of what they have seen
}

// A Fate is what has become of a vote.
type Fate string

// What becomes of a vote. These strings are in histories: add, never rename.
const (
	Counted  Fate = "counted"
	Replaced Fate = "replaced" // by a later one of the same person
	Barred   Fate = "barred"   // whoever cast it may not decide any more
	Late     Fate = "late"     // it was decided
)

// A Cast is a vote that stands in the record. Its For is never empty.
type Cast struct {
	Vote
	Name string    `json:"name,omitempty"` // of whoever has cast it
	As   []Voter   `json:"as"`             // whom it spoke for then
	At   time.Time `json:"at"`
	Fate Fate      `json:"fate"`
}

// A Round is the votes on one thing shown.
type Round struct {
	Shown   Shown     `json:"shown"`
	Votes   []Cast    `json:"votes,omitempty"`
	Outcome Outcome   `json:"outcome"`
	Voided  time.Time `json:"voided,omitzero"`   // when something else was shown instead
	Changes []Change  `json:"changes,omitempty"` // and what was different
}

// A Ballot is the state of one approval.
type Ballot struct {
	Rule Rule `json:"rule"`
	Electorate
	Delegations []Substitute `json:"delegations,omitempty"` // whom electors have named on this ballot
	// Due is when it expires, zero for never. It is computed outside, and set again after something else was shown.
	Due time.Time `json:"due,omitzero"`
	Round
	Past    []Round `json:"past,omitempty"`
	Dropped int     `json:"dropped,omitempty"` // earlier rounds
}

// Open begins a vote. Its error says what is wrong with the rule or the people. Too few of them is no error: it is impossible.
func Open(r Rule, e Electorate, s Shown, now time.Time) (*Ballot, error) {
	faults := append(r.Check(), e.check(r))
	if s.SHA256 == "" {
		faults = append(faults, fault("shown", "missing"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	b := &Ballot{Rule: r, Electorate: e, Round: Round{Shown: s}}
	b.settle(nil, now)
	return b, nil
}

// Cast takes a vote in. Its error is a Fault in the vote's form, or a Refusal. A vote that comes after the decision is refused
// and kept, the first one of each person. The same vote again changes nothing and gets the same answer.
func (b *Ballot) Cast(v Vote, now time.Time) error {
	if err := b.Rule.CheckVote(v); err != nil {
		return err
	}
	for _, r := range append(slices.Clone(b.Past), b.Round) {
		for _, c := range r.Votes {
			switch {
			case c.ID != v.ID || c.By != v.By:
			case c.Fate == Late:
				return r.over(v.By)
			default:
				return nil
			}
		}
	}
	b.Expire(now)
	e, name, err := b.seatFor(v, now)
	if err != nil {
		return err
	}
	v.For = e.Person
	c := Cast{Vote: v, Name: name, As: b.Rule.speaksAs(e), At: now, Fate: Counted}
	if b.Outcome.Verdict.Final() {
		if c.Fate = Late; !slices.ContainsFunc(b.Votes, func(x Cast) bool { return x.By == v.By && x.Fate == Late }) {
			b.Votes = append(b.Votes, c)
		}
		return b.over(v.By)
	}
	if err := b.admit(c); err != nil {
		return err
	}
	for n := range b.Votes {
		if x := &b.Votes[n]; x.By == v.By && x.Fate == Counted {
			x.Fate = Replaced
		}
	}
	b.Votes = append(b.Votes, c)
	b.settle(&c, now)
	return nil
}

// admit refuses a vote on something else, for somebody whose vote is cast, or one too many.
func (b *Ballot) admit(c Cast) error {
	if c.Shown != b.Shown.SHA256 {
		r := &Refusal{Cause: Stale, Person: c.By}
		for _, p := range b.Past {
			if p.Shown.SHA256 == c.Shown {
				r.Changes = p.Shown.Changes(b.Shown)
			}
		}
		return r
	}
	own := 0
	for _, x := range b.Votes {
		switch {
		case x.By == c.By:
			own++
		case x.For == c.For && x.Fate == Counted:
			return &Refusal{Cause: Voted, Person: c.For, Earlier: x}
		}
	}
	if own >= MaxVotes {
		return &Refusal{Cause: TooOften, Person: c.By}
	}
	return nil
}

// Expire decides what is due and still open, and tells whether it has. At the instant itself it is due: a vote that comes with
// it is late, whichever is asked first.
func (b *Ballot) Expire(now time.Time) bool {
	if b.Outcome.Verdict.Final() || b.Due.IsZero() || now.Before(b.Due) {
		return false
	}
	o := Outcome{Verdict: ExpiredRejected, Why: Deadline, At: b.Due}
	switch {
	case b.Outcome.Verdict == Impossible:
		o.Unmet = b.Outcome.Unmet
	case b.Rule.OnExpiry == ApproveOnExpiry:
		o.Verdict = ExpiredApproved
	}
	b.Outcome = o
	return true
}

// Resolve takes in who is there now. What is decided stays decided.
func (b *Ballot) Resolve(e Electorate, now time.Time) error {
	if err := e.check(b.Rule); err != nil {
		return err
	}
	b.Expire(now)
	b.Electorate = e
	if b.Outcome.Verdict.Final() {
		return nil
	}
	for n := range b.Votes {
		if c := &b.Votes[n]; c.Fate == Counted && (b.bars(c.By) != "" || b.bars(c.For) != "") {
			c.Fate = Barred
		}
	}
	b.settle(nil, now)
	return nil
}

// Reshown takes in what is shown now and returns what is different. Any difference voids the votes and the outcome, whatever it
// was, and the ballot is open anew, with no due time yet.
func (b *Ballot) Reshown(s Shown, now time.Time) []Change {
	if s.SHA256 == b.Shown.SHA256 {
		return nil
	}
	b.Expire(now)
	b.Voided, b.Changes = now, b.Shown.Changes(s)
	b.Past = append(b.Past, b.Round)
	if over := len(b.Past) - maxPast; over > 0 {
		b.Past, b.Dropped = slices.Delete(b.Past, 0, over), b.Dropped+over
	}
	changes := b.Changes
	b.Round, b.Due = Round{Shown: s}, time.Time{}
	b.settle(nil, now)
	return changes
}

// Delegate records whom an elector has named to vote for them from now on, instead of whom they have named before.
func (b *Ballot) Delegate(from string, to Substitute, now time.Time) error {
	b.Expire(now)
	n := slices.IndexFunc(b.Electors, func(e Elector) bool { return e.Person == from && len(b.Rule.speaksAs(e)) > 0 })
	switch {
	case b.Outcome.Verdict.Final():
		return b.over(from)
	case b.bars(from) != "":
		return &Refusal{Cause: b.bars(from), Person: from}
	case n < 0:
		return &Refusal{Cause: NotVoter, Person: from}
	case b.bars(to.Person) != "":
		return &Refusal{Cause: b.bars(to.Person), Person: to.Person}
	case to.Person == "" || to.Person == from:
		return fault("to", "%q; want another person", to.Person)
	case to.Party != b.Electors[n].Party:
		return fault("to", "%s is of the %s; want somebody of the %s", to.Person, to.Party, b.Electors[n].Party)
	case !now.Before(to.Until):
		return fault("until", "%s; want an instant to come", at(to.Until))
	}
	to.For, to.From = from, now
	b.Delegations = slices.DeleteFunc(b.Delegations, func(s Substitute) bool { return s.For == from })
	b.Delegations = append(b.Delegations, to)
	return nil
}
