package approval

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/authority"
)

// An Elector is a person with a vote of their own, if one of their roles has one.
type Elector struct {
	Person string              `json:"person"` // ID
	Name   string              `json:"name,omitempty"`
	Party  authority.PartyKind `json:"party"`
	Roles  []string            `json:"roles"` // IDs
}

// A Substitute may vote for an elector of the same party from one instant until another, which no longer counts.
type Substitute struct {
	For    string              `json:"for"`    // person
	Person string              `json:"person"` // ID
	Name   string              `json:"name,omitempty"`
	Party  authority.PartyKind `json:"party"`
	From   time.Time           `json:"from,omitzero"`
	Until  time.Time           `json:"until"`
}

// An Electorate is who is there now, as it was found outside.
type Electorate struct {
	Requester    string       `json:"requester,omitempty"`    // who asks for the approval
	Implementers []string     `json:"implementers,omitempty"` // who does what it is about
	Electors     []Elector    `json:"electors"`
	Substitutes  []Substitute `json:"substitutes,omitempty"`
}

func (e Electorate) check(r Rule) error {
	if r.Exclude.Requester && e.Requester == "" {
		return fault("requester", "missing; the rule excludes them")
	}
	if n := max(len(e.Electors), len(e.Implementers), len(e.Substitutes)); n > MaxElectors {
		return fault("electors", "%d, or implementers, or substitutes; want %d at most", n, MaxElectors)
	}
	for n, one := range e.Electors {
		field := fmt.Sprintf("electors[%d].person", n)
		switch twice := slices.IndexFunc(e.Electors, func(x Elector) bool { return x.Person == one.Person }) < n; {
		case one.Person == "":
			return fault(field, "missing")
		case twice:
			return fault(field, "%s stands here twice", one.Person)
		}
	}
	return nil
}

// bars says why a person may not vote nor be represented, empty when they may.
func (b *Ballot) bars(person string) Cause {
	switch {
	case b.Rule.Exclude.Requester && person == b.Requester:
		return IsRequester
	case b.Rule.Exclude.Implementers && slices.Contains(b.Implementers, person):
		return IsImplementer
	default:
		return ""
	}
}

// A seat is one vote that counts: that of an elector who may vote, or of one who has voted and left.
type seat struct {
	Elector
	as   []Voter // whom it speaks for
	cast *Cast   // nil as long as nobody has voted
}

// seats returns those of whoever is there, and then those of whoever has voted and left.
func (b *Ballot) seats() []seat {
	var all []seat
	for _, e := range b.Electors {
		if as := b.Rule.speaksAs(e); len(as) > 0 && b.bars(e.Person) == "" {
			all = append(all, seat{Elector: e, as: as})
		}
	}
	for n := range b.Votes {
		c := &b.Votes[n]
		if c.Fate != Counted {
			continue
		}
		i := slices.IndexFunc(all, func(s seat) bool { return s.Person == c.For })
		if i < 0 {
			i = len(all)
			all = append(all, seat{Elector: Elector{Person: c.For}})
		}
		all[i].cast, all[i].as = c, slices.Concat(all[i].as, c.As)
	}
	return all
}

// substitutes returns who may vote for an elector now.
func (b *Ballot) substitutes(e Elector, now time.Time) []Substitute {
	return slices.DeleteFunc(slices.Concat(b.Substitutes, b.Delegations), func(s Substitute) bool {
		return s.For != e.Person || s.Party != e.Party || now.Before(s.From) || !now.Before(s.Until) || b.bars(s.Person) != ""
	})
}

// seatFor returns the elector whose vote it is, and the name of whoever casts it: their own before that of anybody whom they
// represent.
func (b *Ballot) seatFor(v Vote, now time.Time) (e Elector, name string, err error) {
	if cause := b.bars(v.By); cause != "" {
		return Elector{}, "", &Refusal{Cause: cause, Person: v.By}
	}
	refused, persons := &Refusal{Cause: NotVoter, Person: v.By}, []string{}
	for _, one := range b.Electors {
		called := one.Name
		if one.Person != v.By {
			subs := b.substitutes(one, now)
			n := slices.IndexFunc(subs, func(s Substitute) bool { return s.Person == v.By })
			if n < 0 {
				continue
			}
			called = subs[n].Name
		}
		cause := b.bars(one.Person)
		switch {
		case len(b.Rule.speaksAs(one)) == 0 || v.For != "" && v.For != one.Person:
		case cause != "":
			refused = &Refusal{Cause: cause, Person: one.Person}
		case one.Person == v.By:
			return one, called, nil
		default:
			e, name, persons = one, called, append(persons, one.Person)
		}
	}
	switch len(persons) {
	case 0:
		return Elector{}, "", refused
	case 1:
		return e, name, nil
	default:
		return Elector{}, "", fault("for", "missing; want one of %s", listed(persons))
	}
}
