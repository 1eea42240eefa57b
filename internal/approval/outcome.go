package approval

import (
	"slices"
	"time"
)

// A Verdict is where a ballot stands.
type Verdict string

// The verdicts. These strings are in histories: add, never rename.
const (
	Undecided       Verdict = "open"
	Approved        Verdict = "approved"
	Rejected        Verdict = "rejected"
	ExpiredApproved Verdict = "expired-approved"
	ExpiredRejected Verdict = "expired-rejected"
	// Impossible says that even if all had said yes it would not be enough: there are too few of them. It is open still, for
	// they may come; when it is due it is rejected, whatever the rule says of silence.
	Impossible Verdict = "impossible"
)

// Final tells whether no vote counts any more.
func (v Verdict) Final() bool { return !slices.Contains([]Verdict{"", Undecided, Impossible}, v) }

// Approves tells whether what was shown may be done.
func (v Verdict) Approves() bool { return v == Approved || v == ExpiredApproved }

// Why is the reason of a verdict.
type Why string

// The reasons. These strings are in histories: add, never rename.
const (
	EnoughYes  Why = "enough-yes"
	TooFewLeft Why = "too-few-left"   // whoever has not voted could not change it
	TooFew     Why = "too-few-voters" // if none may vote, Of is 0
	Deadline   Why = "deadline"
)

// An Outcome is a verdict with its facts.
type Outcome struct {
	Verdict Verdict   `json:"verdict"`
	Why     Why       `json:"why,omitempty"`
	At      time.Time `json:"at,omitzero"`     // for an expiry when it was due, however late that was noticed
	By      string    `json:"by,omitempty"`    // whose vote made it certain; empty: the time, or people who came or left
	Name    string    `json:"name,omitempty"`  // of that person
	For     string    `json:"for,omitempty"`   // whom they represent, if not themselves
	Unmet   []Demand  `json:"unmet,omitempty"` // what cannot be had any more
}

// A Demand is one of the conditions of a rule: so many of those must say yes.
type Demand struct {
	Who
	Needed int `json:"needed"`
	Yes    int `json:"yes"`
	Open   int `json:"open"` // have not voted
	Of     int `json:"of"`   // may vote, or have voted and left
}

// Missing is how many more have to say yes.
func (d Demand) Missing() int { return max(0, d.Needed-d.Yes) }

// demands returns the conditions and how far they are met. A yes never hurts any of them, so all are met in the end if all
// are when everybody who is left says yes.
func (r Rule) demands(seats []seat) []Demand {
	var all []Demand
	want := func(needed int, who Who) {
		d := Demand{Who: who, Needed: needed}
		for _, s := range seats {
			if who.Person != "" && who.Person != s.Person || who.Person == "" && !slices.ContainsFunc(s.as, who.includes) {
				continue
			}
			d.Of++
			switch {
			case s.cast == nil:
				d.Open++
			case r.counts(s.cast.Choice):
				d.Yes++
			}
		}
		all = append(all, d)
	}
	switch {
	case r.Need.Count > 0:
		want(r.Need.Count, Who{})
	case r.Need.Percent > 0:
		want(max(1, (r.Need.Percent*len(seats)+99)/100), Who{})
	default:
		var each []Voter
		for _, v := range r.Voters {
			if r.Need.Each == EachParty {
				v.Role = ""
			}
			if !slices.Contains(each, v) {
				each = append(each, v)
				want(1, Who{Voter: v})
			}
		}
	}
	for _, w := range r.Required {
		want(1, w)
	}
	return all
}

// settle decides what is open, as soon as the votes that are left cannot change it. The vote is nil when none was cast.
func (b *Ballot) settle(c *Cast, now time.Time) {
	demands := b.Rule.demands(b.seats())
	those := func(is func(Demand) bool) (found []Demand) {
		for _, d := range demands {
			if is(d) {
				found = append(found, d)
			}
		}
		return found
	}
	never := those(func(d Demand) bool { return d.Of < d.Needed })
	lost := those(func(d Demand) bool { return d.Yes+d.Open < d.Needed })
	o := Outcome{At: now}
	switch {
	case len(never) > 0:
		o.Verdict, o.Why, o.Unmet = Impossible, TooFew, never
	case len(lost) > 0:
		o.Verdict, o.Why, o.Unmet = Rejected, TooFewLeft, lost
	case len(those(func(d Demand) bool { return d.Missing() > 0 })) == 0:
		o.Verdict, o.Why = Approved, EnoughYes
	default:
		o = Outcome{Verdict: Undecided}
	}
	if o.Verdict == Impossible && b.Outcome.Verdict == Impossible {
		o.At = b.Outcome.At
	} else if c != nil && o.Verdict.Final() {
		o.By, o.Name = c.By, c.Name
		if c.For != c.By {
			o.For = c.For
		}
	}
	b.Outcome = o
}

// Standing is a ballot as it is shown.
type Standing struct {
	Yes       int       `json:"yes"`
	No        int       `json:"no"`
	Abstained int       `json:"abstained"`
	Demands   []Demand  `json:"demands"`
	Waiting   []Waiting `json:"waiting,omitempty"` // who has not voted, in the order of the electorate
}

// A Waiting is somebody who has not voted, and who may do it for them now.
type Waiting struct {
	Person      string       `json:"person"`
	Name        string       `json:"name,omitempty"`
	Substitutes []Substitute `json:"substitutes,omitempty"`
}

// Standing returns how it stands.
func (b *Ballot) Standing(now time.Time) Standing {
	seats := b.seats()
	s := Standing{Demands: b.Rule.demands(seats)}
	for _, one := range seats {
		switch {
		case one.cast == nil:
			s.Waiting = append(s.Waiting, Waiting{one.Person, one.Name, b.substitutes(one.Elector, now)})
		case b.Rule.counts(one.cast.Choice):
			s.Yes++
		case one.cast.Choice == Abstain:
			s.Abstained++
		default:
			s.No++
		}
	}
	return s
}
