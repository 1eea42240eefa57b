package approval_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/approval"
	"muster/internal/authority"
)

// The oracle: it knows who sits where and what was said, tries every way in which those who have not voted still could, and
// calls certain what comes out each time.

// A place is one vote that counts, as the oracle sees it.
type place struct {
	voters map[approval.Voter]bool // as which it was cast, and as which they are there now
	as     []approval.Voter        // as which it was cast
	said   approval.Choice         // empty: nothing yet
	by     string
}

type oracle struct {
	rule   approval.Rule
	people approval.Electorate
	named  []approval.Substitute
	places map[string]*place // by person
	final  approval.Verdict
}

func (o *oracle) excluded(id string) bool {
	return o.rule.Exclude.Requester && id == o.people.Requester ||
		o.rule.Exclude.Implementers && slices.Contains(o.people.Implementers, id)
}

// meet takes other people in. Whoever has voted stays, unless they are excluded now.
func (o *oracle) meet(e approval.Electorate) {
	o.people = e
	kept := map[string]*place{}
	for id, p := range o.places {
		if p.said != "" && !o.excluded(id) && !o.excluded(p.by) {
			kept[id] = p
			p.voters = map[approval.Voter]bool{}
			for _, v := range p.as {
				p.voters[v] = true
			}
		}
	}
	for _, one := range e.Electors {
		for _, v := range o.rule.Voters {
			if one.Party != v.Party || !slices.Contains(one.Roles, v.Role) || o.excluded(one.Person) {
				continue
			}
			if kept[one.Person] == nil {
				kept[one.Person] = &place{voters: map[approval.Voter]bool{}}
			}
			kept[one.Person].voters[v] = true
		}
	}
	o.places = kept
}

// mayFor lists for whom a person may vote, themselves first.
func (o *oracle) mayFor(by string, now time.Time) (own bool, others []string) {
	if o.excluded(by) {
		return false, nil
	}
	for _, e := range o.people.Electors {
		if p := o.places[e.Person]; p == nil || !slices.ContainsFunc(o.rule.Voters, func(v approval.Voter) bool {
			return v.Party == e.Party && slices.Contains(e.Roles, v.Role)
		}) {
			continue
		}
		own = own || e.Person == by
		for _, s := range append(slices.Clone(o.people.Substitutes), o.named...) {
			if s.Person == by && e.Person != by && s.For == e.Person && s.Party == e.Party && !now.Before(s.From) && now.Before(s.Until) &&
				!slices.Contains(others, e.Person) {
				others = append(others, e.Person)
			}
		}
	}
	return own, others
}

// accepts says whose place a vote fills, empty when it is refused.
func (o *oracle) accepts(v approval.Vote, now time.Time) string {
	own, others := o.mayFor(v.By, now)
	where := ""
	switch {
	case own && (v.For == "" || v.For == v.By):
		where = v.By
	case v.For != "" && slices.Contains(others, v.For):
		where = v.For
	case v.For == "" && len(others) == 1:
		where = others[0]
	}
	if where == "" || o.places[where].said != "" && o.places[where].by != v.By {
		return ""
	}
	return where
}

// cast takes an accepted vote in.
func (o *oracle) cast(v approval.Vote, where string) {
	for _, p := range o.places {
		if p.by == v.By {
			p.by, p.said, p.as = "", "", nil
		}
	}
	o.meet(o.people) // a place that was kept for the vote of somebody who has left is gone with it
	p := o.places[where]
	p.by, p.said = v.By, v.Choice
	for as := range p.voters {
		p.as = append(p.as, as)
	}
}

// holds evaluates the rule when exactly these have said yes.
func (o *oracle) holds(yes map[string]bool) bool {
	some := func(is func(id string, v approval.Voter) bool) bool {
		for id, p := range o.places {
			for v := range p.voters {
				if yes[id] && is(id, v) {
					return true
				}
			}
		}
		return false
	}
	for _, w := range o.rule.Required {
		if !some(func(id string, v approval.Voter) bool {
			return w.Person == id || w.Person == "" && w.Party == v.Party && (w.Role == "" || w.Role == v.Role)
		}) {
			return false
		}
	}
	said := 0
	for _, y := range yes {
		if y {
			said++
		}
	}
	switch n := o.rule.Need; {
	case n.Count > 0:
		return said >= n.Count
	case n.Percent > 0:
		return said > 0 && 100*said >= n.Percent*len(o.places)
	default:
		for _, v := range o.rule.Voters {
			if !some(func(_ string, x approval.Voter) bool {
				return x == v || n.Each == approval.EachParty && x.Party == v.Party
			}) {
				return false
			}
		}
		return true
	}
}

// every tries all ways in which those who are free could still say yes or not: an abstention and a no are both no yes.
func (o *oracle) every(free func(*place) bool) (sometimes, always bool) {
	ids := []string{}
	for id := range o.places {
		ids = append(ids, id)
	}
	always = true
	for bits := range 1 << len(ids) {
		yes, same := map[string]bool{}, true
		for n, id := range ids {
			yes[id] = bits>>n&1 == 1
			p := o.places[id]
			isYes := p.said == approval.Approve || slices.Contains(o.rule.Yes, p.said)
			same = same && (free(p) || yes[id] == isYes)
		}
		if !same {
			continue
		}
		if o.holds(yes) {
			sometimes = true
		} else {
			always = false
		}
	}
	return sometimes, always
}

// verdict is what is certain.
func (o *oracle) verdict() approval.Verdict {
	if o.final != "" {
		return o.final
	}
	sometimes, always := o.every(func(p *place) bool { return p.said == "" })
	ever, _ := o.every(func(*place) bool { return true })
	switch {
	case !ever:
		return approval.Impossible
	case !sometimes:
		o.final = approval.Rejected
	case always:
		o.final = approval.Approved
	default:
		return approval.Undecided
	}
	return o.final
}

// someone are the people of the properties: most have a role, and some may be excluded.
func someone() []string { return []string{"ann", "bob", "cho", "dan", "eve", "fay"} }

func drawElectorate(rt *rapid.T, name string) approval.Electorate {
	e := approval.Electorate{Requester: rapid.SampledFrom(someone()).Draw(rt, name+" requester")}
	for _, id := range someone() {
		one := rapid.SampledFrom([]approval.Elector{
			{Party: authority.Customer, Roles: []string{"owner"}},
			{Party: authority.Customer, Roles: []string{"owner", "release"}},
			{Party: authority.Provider, Roles: []string{"release"}},
			{Party: authority.Provider, Roles: []string{"release", "security"}},
			{Party: authority.Provider, Roles: []string{"security"}},
			{Party: authority.Vendor, Roles: []string{"release"}},
		}).Draw(rt, name+" as")
		one.Person = id
		if rapid.IntRange(0, 4).Draw(rt, name+" there") > 0 {
			e.Electors = append(e.Electors, one)
		}
		if rapid.IntRange(0, 7).Draw(rt, name+" implements") == 0 {
			e.Implementers = append(e.Implementers, id)
		}
		if of := rapid.SampledFrom(someone()).Draw(rt, name+" of"); of != id && rapid.Bool().Draw(rt, name+" represents") {
			from := rapid.IntRange(0, 20).Draw(rt, name+" from")
			e.Substitutes = append(e.Substitutes, approval.Substitute{
				For: of, Person: id, Party: one.Party, From: after(from), Until: after(from + rapid.IntRange(0, 30).Draw(rt, name+" for")),
			})
		}
	}
	return e
}

func drawRule(rt *rapid.T) approval.Rule {
	r := rule(func(r *approval.Rule) {
		r.Need = rapid.SampledFrom([]approval.Need{
			{Count: 1},
			{Count: 2},
			{Count: 3},
			{Percent: 1},
			{Percent: 34},
			{Percent: 50},
			{Percent: 67},
			{Percent: 100},
			{Each: approval.EachRole},
			{Each: approval.EachParty},
		}).Draw(rt, "need")
		r.Required = rapid.SampledFrom([][]approval.Who{
			nil, nil, nil, {{Person: "ann"}}, {{Voter: release}}, {{Voter: approval.Voter{Party: authority.Customer}}, {Person: "bob"}},
		}).Draw(rt, "required")
		r.Exclude = approval.Exclusion{Requester: rapid.Bool().Draw(rt, "no requester"), Implementers: rapid.Bool().Draw(rt, "no implementers")}
		if len(r.Required) == 0 {
			r.OnExpiry = rapid.SampledFrom([]approval.Expiry{"", approval.RejectOnExpiry, approval.ApproveOnExpiry, approval.ApproveOnExpiry}).Draw(rt, "on expiry")
		}
		r.Yes = rapid.SampledFrom([][]approval.Choice{
			nil, {approval.Ready}, {approval.Ready, approval.ReadyWithRisk},
		}).Draw(rt, "yes")
		r.Voters = r.Voters[:rapid.IntRange(2, 3).Draw(rt, "voters")]
	})
	if faults := r.Check(); len(faults) > 0 {
		rt.Fatal(faults)
	}
	return r
}

func drawChoice(rt *rapid.T, r approval.Rule, name string) approval.Choice {
	all := []approval.Choice{approval.Approve, approval.Approve, approval.Reject, approval.Abstain}
	if len(r.Yes) > 0 {
		all = []approval.Choice{approval.Ready, approval.ReadyWithRisk, approval.NotReady, approval.Abstain}
	}
	return rapid.SampledFrom(all).Draw(rt, name)
}

// TestABallotAgreesWithTheOracle lets people vote, come, leave, name substitutes, change what is shown and restart, and asks
// after every step whether what is certain has been seen, and nothing else.
func TestABallotAgreesWithTheOracle(t *testing.T) {
	reached := map[approval.Verdict]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		r, e := drawRule(rt), drawElectorate(rt, "at first")
		b, err := approval.Open(r, e, shown(t, "plan", "0"), monday)
		if err != nil {
			rt.Fatal(err)
		}
		o := &oracle{rule: r, places: map[string]*place{}}
		o.meet(e)
		b.Due = after(rapid.IntRange(5, 30).Draw(rt, "due"))
		minute := 0
		for n := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			minute += rapid.IntRange(0, 3).Draw(rt, "minutes")
			now := after(minute)
			was := o.verdict()
			if o.final == "" && !b.Due.IsZero() && !now.Before(b.Due) {
				o.final = approval.ExpiredRejected
				if was == approval.Undecided && r.OnExpiry == approval.ApproveOnExpiry {
					o.final = approval.ExpiredApproved
				}
			}
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				e := drawElectorate(rt, "now")
				if err := b.Resolve(e, now); err != nil {
					rt.Fatal(err)
				}
				if o.final == "" {
					o.meet(e)
				} else {
					o.people = e
				}
			case 1:
				if !delegate(rt, b, o, now) {
					continue
				}
			case 2:
				if rapid.IntRange(0, 3).Draw(rt, "other") == 0 {
					if changes := b.Reshown(shown(t, "plan", fmt.Sprintf("%x", n%16)), now); len(changes) > 0 {
						o.final, o.places = "", map[string]*place{}
						o.meet(o.people)
					}
				}
				b.Expire(now)
			case 3:
				b = restored(rt, b)
				b.Expire(now)
			default:
				castBoth(rt, b, o, n, now)
			}
			if got, want := b.Outcome.Verdict, o.verdict(); got != want {
				rt.Fatalf("step %d: got %s, want %s: %+v", n, got, want, b)
			}
			reached[b.Outcome.Verdict] = true
			if b.Outcome.At.After(now) {
				rt.Fatalf("decided at %s, it is %s", b.Outcome.At, now)
			}
		}
	})
	for _, v := range []approval.Verdict{
		approval.Undecided, approval.Approved, approval.Rejected, approval.ExpiredApproved, approval.ExpiredRejected, approval.Impossible,
	} {
		if !reached[v] {
			t.Errorf("nothing was ever %s", v)
		}
	}
}

// castBoth lets the ballot and the oracle take one vote in.
func castBoth(rt *rapid.T, b *approval.Ballot, o *oracle, n int, now time.Time) {
	v := approval.Vote{
		ID: fmt.Sprint(n), By: rapid.SampledFrom(someone()).Draw(rt, "by"), Choice: drawChoice(rt, o.rule, "choice"), Reason: "why", Shown: b.Shown.SHA256,
		For: rapid.SampledFrom(append(someone(), "", "", "", "")).Draw(rt, "for"),
	}
	often := 0
	for _, c := range b.Votes {
		if c.By == v.By {
			often++
		}
	}
	was := o.final
	where := o.accepts(v, now)
	err := b.Cast(v, now)
	if was != "" {
		if err == nil {
			rt.Fatalf("%+v is accepted, it is %s", v, was)
		}
		return
	}
	if r, refused := errors.AsType[*approval.Refusal](err); refused && r.Cause == approval.TooOften && often >= approval.MaxVotes {
		return
	}
	if (err == nil) != (where != "") {
		rt.Fatalf("%+v: got %v, want it to fill the place of %q", v, err, where)
	}
	if where == "" {
		return
	}
	o.cast(v, where)
	if b.Outcome.Verdict.Final() && b.Outcome.By != v.By {
		rt.Fatalf("decided by %q, the last vote is that of %s", b.Outcome.By, v.By)
	}
}

// delegate lets an elector name somebody, on the ballot and to the oracle, and tells whether they may.
func delegate(rt *rapid.T, b *approval.Ballot, o *oracle, now time.Time) bool {
	from := rapid.SampledFrom(someone()).Draw(rt, "from")
	to := approval.Substitute{
		Person: rapid.SampledFrom(someone()).Draw(rt, "to"), Party: rapid.SampledFrom([]authority.PartyKind{authority.Customer, authority.Provider}).Draw(rt, "party"),
		Until: now.Add(10 * time.Minute),
	}
	if err := b.Delegate(from, to, now); err != nil {
		return o.final == "" // what is due has expired, and the verdict is compared
	}
	if o.excluded(from) || o.excluded(to.Person) {
		rt.Fatalf("%s names %s, and one of them is excluded", from, to.Person)
	}
	to.For, to.From = from, now
	o.named = append(slices.DeleteFunc(o.named, func(s approval.Substitute) bool { return s.For == from }), to)
	return true
}

// restored is the ballot after its state has gone through JSON, as between two tasks of a workflow.
func restored(t interface{ Fatal(args ...any) }, b *approval.Ballot) *approval.Ballot {
	raw, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	next := &approval.Ballot{}
	if err := json.Unmarshal(raw, next); err != nil {
		t.Fatal(err)
	}
	return next
}

// TestTheOrderOfVotesDoesNotMatter lets everybody vote once, in two orders, and asks for the same verdict.
func TestTheOrderOfVotesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, e := drawRule(rt), drawElectorate(rt, "people")
		e.Substitutes = nil // of two votes for one person the first counts, whoever comes first
		said := map[string]approval.Choice{}
		for _, id := range someone() {
			said[id] = drawChoice(rt, r, id)
		}
		outcome := func(order []string) approval.Outcome {
			b, err := approval.Open(r, e, shown(t, "plan", "0"), monday)
			if err != nil {
				rt.Fatal(err)
			}
			for _, id := range order {
				_ = b.Cast(approval.Vote{ID: id, By: id, Choice: said[id], Reason: "why", Shown: b.Shown.SHA256}, monday)
			}
			return b.Outcome
		}
		one, other := outcome(someone()), outcome(rapid.Permutation(someone()).Draw(rt, "order"))
		if one.Verdict != other.Verdict || one.Why != other.Why {
			rt.Fatalf("%s (%s) in one order, %s (%s) in another", one.Verdict, one.Why, other.Verdict, other.Why)
		}
		if one.Verdict == approval.Undecided {
			rt.Fatal("everybody has voted, and it is open")
		}
	})
}

// TestRepeatingVotesChangesNothing casts some votes once or again and again.
func TestRepeatingVotesChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r, e := drawRule(rt), drawElectorate(rt, "people")
		once, often := &approval.Ballot{}, &approval.Ballot{}
		for _, b := range []**approval.Ballot{&once, &often} {
			opened, err := approval.Open(r, e, shown(t, "plan", "0"), monday)
			if err != nil {
				rt.Fatal(err)
			}
			*b = opened
		}
		var before []approval.Vote
		for n := range rapid.IntRange(1, 12).Draw(rt, "votes") {
			v := approval.Vote{
				ID: fmt.Sprint(n), By: rapid.SampledFrom(someone()).Draw(rt, "by"), Choice: drawChoice(rt, r, "choice"), Reason: "why", Shown: once.Shown.SHA256,
			}
			first, again := once.Cast(v, after(n)), often.Cast(v, after(n))
			if fmt.Sprint(first) != fmt.Sprint(again) {
				rt.Fatalf("%+v: once %v, often %v", v, first, again)
			}
			if first == nil {
				before = append(before, v)
			}
			if len(before) == 0 {
				continue
			}
			if err := often.Cast(rapid.SampledFrom(before).Draw(rt, "again"), after(n)); err != nil {
				rt.Fatalf("a vote that counts is refused when it comes again: %v", err)
			}
		}
		if diff := cmp.Diff(once, often); diff != "" {
			rt.Fatalf("repeating has changed the state:\n%s", diff)
		}
	})
}
