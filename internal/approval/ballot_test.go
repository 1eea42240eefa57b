package approval_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/approval"
	"muster/internal/authority"
)

var monday = time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)

func after(minutes int) time.Time { return monday.Add(time.Duration(minutes) * time.Minute) }

func person(id string, party authority.PartyKind, roles ...string) approval.Elector {
	return approval.Elector{Person: id, Name: strings.ToUpper(id[:1]) + id[1:], Party: party, Roles: roles}
}

// team is kim of the customer, and lee, park and choi of the provider.
func team() approval.Electorate {
	return approval.Electorate{Requester: "boss", Electors: []approval.Elector{
		person("kim", authority.Customer, "owner"), person("lee", authority.Provider, "release"),
		person("park", authority.Provider, "release"), person("choi", authority.Provider, "security", "tester"),
	}}
}

func shown(t testing.TB, lines ...string) approval.Shown {
	t.Helper()
	var all []approval.Line
	for n := 0; n < len(lines); n += 2 {
		all = append(all, approval.Line{Name: lines[n], SHA256: strings.Repeat(lines[n+1], 64)})
	}
	s, err := approval.Show(all...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, r approval.Rule, e approval.Electorate) *approval.Ballot {
	t.Helper()
	b, err := approval.Open(r, e, shown(t, "plan", "a", "runbook", "b"), monday)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vote casts "kim yes", "kim no", "kim abstain", or "kim yes for lee", n minutes after it was opened.
func vote(b *approval.Ballot, n int, text string) error {
	words := strings.Fields(text)
	choice := map[string]approval.Choice{"yes": approval.Approve, "no": approval.Reject, "abstain": approval.Abstain}[words[1]]
	if len(b.Rule.Yes) > 0 {
		choice = map[string]approval.Choice{"yes": approval.Ready, "risk": approval.ReadyWithRisk, "no": approval.NotReady}[words[1]]
	}
	v := approval.Vote{ID: fmt.Sprint(n), By: words[0], Choice: choice, Reason: "why", Shown: b.Shown.SHA256}
	if len(words) == 4 {
		v.For = words[3]
	}
	return b.Cast(v, after(n))
}

// votes casts one vote a minute, each of which has to be accepted.
func votes(t testing.TB, b *approval.Ballot, all ...string) {
	t.Helper()
	for n, text := range all {
		if err := vote(b, n+1, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func refused(t testing.TB, err error) *approval.Refusal {
	t.Helper()
	r, ok := errors.AsType[*approval.Refusal](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r
}

func substitute(b *approval.Ballot, who, of string, from, until int) {
	b.Substitutes = append(b.Substitutes, approval.Substitute{
		For: of, Person: who, Name: "Deputy", Party: authority.Provider, From: after(from), Until: after(until),
	})
}

// TestItIsDecidedAsSoonAsItIsCertain asks where a ballot stands after the last of some votes, and that it was open before it.
func TestItIsDecidedAsSoonAsItIsCertain(t *testing.T) {
	each := func(e approval.Each) func(*approval.Rule) {
		return func(r *approval.Rule) { r.Need = approval.Need{Each: e} }
	}
	percent := func(n int) func(*approval.Rule) {
		return func(r *approval.Rule) { r.Need = approval.Need{Percent: n} }
	}
	required := func(who ...approval.Who) func(*approval.Rule) {
		return func(r *approval.Rule) { r.Need.Count, r.Required = 1, who }
	}
	decision := func(yes ...approval.Choice) func(*approval.Rule) {
		return func(r *approval.Rule) { r.Yes = yes }
	}
	tests := []struct {
		name   string
		change func(*approval.Rule)
		votes  string
		want   approval.Verdict
		by     string
		unmet  string
	}{
		{"two of four", nil, "kim yes, lee yes", approval.Approved, "Lee", ""},
		{"two of four, one no", nil, "kim yes, lee no, park yes", approval.Approved, "Park", ""},
		{"not yet", nil, "kim yes, lee no, park abstain", approval.Undecided, "", ""},
		{"three noes of four", nil, "kim no, lee no, park no", approval.Rejected, "Park", "everybody"},
		{"an abstention is no yes", nil, "kim yes, lee abstain, park no, choi abstain", approval.Rejected, "Choi", "everybody"},
		{"half", percent(50), "kim yes, lee yes", approval.Approved, "Lee", ""},
		{"a bit more than half is three", percent(51), "kim yes, lee yes, park yes", approval.Approved, "Park", ""},
		{"a bit more than half, two noes", percent(51), "kim no, lee no", approval.Rejected, "Lee", "everybody"},
		{"one in a hundred is one", percent(1), "kim yes", approval.Approved, "Kim", ""},
		{"all", percent(100), "kim no", approval.Rejected, "Kim", "everybody"},
		{"who abstains stays in the base", percent(75), "kim abstain, lee yes, park yes", approval.Undecided, "", ""},
		{"and can prevent it", percent(75), "kim abstain, lee abstain", approval.Rejected, "Lee", "everybody"},
		{"each role", each(approval.EachRole), "kim yes, lee yes, choi yes", approval.Approved, "Choi", ""},
		{"each role, two of one", each(approval.EachRole), "kim yes, lee yes, park yes", approval.Undecided, "", ""},
		{"one of a role may say no", each(approval.EachRole), "lee no, kim yes, choi yes, park yes", approval.Approved, "Park", ""},
		{"all of a role say no", each(approval.EachRole), "lee no, park no", approval.Rejected, "Park", "provider/release"},
		{"each party", each(approval.EachParty), "choi yes, kim yes", approval.Approved, "Kim", ""},
		{"each party, a party says no", each(approval.EachParty), "choi yes, kim no", approval.Rejected, "Kim", "customer"},
		{"required person", required(approval.Who{Person: "choi"}), "kim yes, choi yes", approval.Approved, "Choi", ""},
		{"required person says no", required(approval.Who{Person: "choi"}), "kim yes, choi no", approval.Rejected, "Choi", "choi"},
		{"required person abstains", required(approval.Who{Person: "choi"}), "choi abstain", approval.Rejected, "Choi", "choi"},
		{"required role", required(approval.Who{Voter: release}), "kim yes, lee no, park yes", approval.Approved, "Park", ""},
		{"required role says no", required(approval.Who{Voter: release}), "kim yes, lee no, park no", approval.Rejected, "Park", "provider/release"},
		{"required party", required(approval.Who{Voter: approval.Voter{Party: authority.Customer}}), "lee yes, kim yes", approval.Approved, "Kim", ""},
		{"go", decision(approval.Ready), "kim yes, lee yes", approval.Approved, "Lee", ""},
		{"go with risk", decision(approval.Ready, approval.ReadyWithRisk), "kim yes, lee risk", approval.Approved, "Lee", ""},
		{"a risk that is no yes", decision(approval.Ready), "kim risk, lee risk, park risk", approval.Rejected, "Park", "everybody"},
		{"a mind changed", nil, "kim no, lee no, kim yes, lee yes", approval.Approved, "Lee", ""},
		{"a yes taken back", nil, "kim yes, kim abstain, lee yes", approval.Undecided, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, rule(tt.change), team())
			for n, text := range strings.Split(tt.votes, ", ") {
				if b.Outcome.Verdict != approval.Undecided {
					t.Fatalf("%s before the last vote", b.Outcome.Verdict)
				}
				if err := vote(b, n+1, text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			unmet := ""
			for _, d := range b.Outcome.Unmet {
				unmet += d.String()
			}
			if got := b.Outcome; got.Verdict != tt.want || got.Name != tt.by || unmet != tt.unmet {
				t.Errorf("got %s by %q, unmet %q; want %s by %q, unmet %q", got.Verdict, got.Name, unmet, tt.want, tt.by, tt.unmet)
			}
			if got, want := b.Outcome.At, after(len(strings.Split(tt.votes, ", "))); tt.by != "" && !got.Equal(want) {
				t.Errorf("decided at %s, want %s", got, want)
			}
		})
	}
}

// TestARefusalKnowsItsFacts asks what somebody hears whose vote does not count, and that nothing else has changed.
func TestARefusalKnowsItsFacts(t *testing.T) {
	separate := func(r *approval.Rule) { r.Exclude = approval.Exclusion{Requester: true, Implementers: true} }
	tests := []struct {
		name   string
		change func(*approval.Rule)
		before func(*testing.T, *approval.Ballot)
		vote   string
		cause  approval.Cause
		want   string
	}{
		{"a stranger", nil, nil, "yoon yes", approval.NotVoter, "yoon: not among the voters"},
		{"for somebody else", nil, nil, "kim yes for lee", approval.NotVoter, "kim: not among the voters"},
		{"a role of another party", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			resolve(t, b, func(e *approval.Electorate) { e.Electors[0].Party = authority.Vendor })
		}, "kim yes", approval.NotVoter, "kim: not among the voters"},
		{"who asks", separate, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			resolve(t, b, func(e *approval.Electorate) { e.Requester = "kim" })
		}, "kim yes", approval.IsRequester, "kim has asked for it: want another person"},
		{"who does it", separate, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			resolve(t, b, func(e *approval.Electorate) { e.Implementers = []string{"yoon", "lee"} })
		}, "lee yes", approval.IsImplementer, "lee implements it: want another person"},
		{"who represents whoever asks", separate, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			substitute(b, "yoon", "lee", 0, 60)
			resolve(t, b, func(e *approval.Electorate) { e.Requester = "lee" })
		}, "yoon yes", approval.IsRequester, "lee has asked for it: want another person"},
		{"who asks represents", separate, func(_ *testing.T, b *approval.Ballot) {
			substitute(b, "boss", "lee", 0, 60)
		}, "boss yes", approval.IsRequester, "boss has asked for it: want another person"},
		{"a substitute too soon", nil, func(_ *testing.T, b *approval.Ballot) {
			substitute(b, "yoon", "lee", 31, 60)
		}, "yoon yes", approval.NotVoter, "yoon: not among the voters"},
		{"a substitute until that instant", nil, func(_ *testing.T, b *approval.Ballot) {
			substitute(b, "yoon", "lee", 0, 30)
		}, "yoon yes", approval.NotVoter, "yoon: not among the voters"},
		{"a substitute of another party", nil, func(_ *testing.T, b *approval.Ballot) {
			substitute(b, "yoon", "kim", 0, 60)
		}, "yoon yes", approval.NotVoter, "yoon: not among the voters"},
		{"the second for one", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			substitute(b, "yoon", "lee", 0, 60)
			votes(t, b, "yoon yes")
		}, "lee no", approval.Voted, "Deputy has voted for lee at 2027-03-01T09:01:00Z"},
		{"the second for one, the other way round", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			substitute(b, "yoon", "lee", 0, 60)
			votes(t, b, "lee no")
		}, "yoon yes", approval.Voted, "Lee has voted for lee at 2027-03-01T09:01:00Z"},
		{"once more and once more", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			votes(t, b, "kim yes", "kim no", "kim yes")
		}, "kim no", approval.TooOften, "kim has voted 3 times on it: want no more"},
		{"approved", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			votes(t, b, "kim yes", "lee yes")
		}, "park no", approval.Decided, "already approved by Lee at 2027-03-01T09:02:00Z"},
		{"approved by who votes again", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			votes(t, b, "kim yes", "lee yes")
		}, "lee no", approval.Decided, "already approved by Lee at 2027-03-01T09:02:00Z"},
		{"rejected", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			votes(t, b, "kim no", "lee no", "park no")
		}, "choi yes", approval.Decided, "already rejected by Park at 2027-03-01T09:03:00Z"},
		{"expired", nil, func(_ *testing.T, b *approval.Ballot) { b.Due = after(20) }, "kim yes", approval.Expired, "expired at 2027-03-01T09:20:00Z"},
		{"expired, and approved by it", func(r *approval.Rule) { r.OnExpiry = approval.ApproveOnExpiry }, func(_ *testing.T, b *approval.Ballot) {
			b.Due = after(20)
		}, "kim no", approval.Expired, "expired at 2027-03-01T09:20:00Z"},
		{"expired in that instant", nil, func(_ *testing.T, b *approval.Ballot) { b.Due = after(30) }, "kim yes", approval.Expired, "expired at 2027-03-01T09:30:00Z"},
		{"a stranger after the decision", nil, func(t *testing.T, b *approval.Ballot) {
			t.Helper()
			votes(t, b, "kim yes", "lee yes")
		}, "yoon no", approval.NotVoter, "yoon: not among the voters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, rule(tt.change), team())
			if tt.before != nil {
				tt.before(t, b)
			}
			was, counted := b.Outcome, b.Standing(after(30))
			got := refused(t, vote(b, 30, tt.vote))
			if got.Cause != tt.cause || got.Error() != tt.want {
				t.Errorf("got %s, %q; want %s, %q", got.Cause, got, tt.cause, tt.want)
			}
			if tt.cause == approval.Expired {
				was = got.Outcome
			}
			if diff := cmp.Diff(was, b.Outcome); diff != "" {
				t.Errorf("the outcome has changed:\n%s", diff)
			}
			if diff := cmp.Diff(counted, b.Standing(after(30))); diff != "" {
				t.Errorf("what counts has changed:\n%s", diff)
			}
			late := slices.ContainsFunc(b.Votes, func(c approval.Cast) bool { return c.ID == "30" && c.Fate == approval.Late })
			if want := tt.cause == approval.Decided || tt.cause == approval.Expired; late != want {
				t.Errorf("kept as late: %t, want %t", late, want)
			}
		})
	}
}

func resolve(t testing.TB, b *approval.Ballot, change func(*approval.Electorate)) {
	t.Helper()
	e := b.Electorate
	e.Electors = slices.Clone(e.Electors)
	change(&e)
	if err := b.Resolve(e, after(29)); err != nil {
		t.Fatal(err)
	}
}

// TestTheSameVoteCountsOnce repeats every vote, and asks for the same answer and the same state.
func TestTheSameVoteCountsOnce(t *testing.T) {
	b := open(t, rule(nil), team())
	for n, text := range []string{"kim no", "kim yes", "lee yes", "park no", "choi no"} {
		first := vote(b, n, text)
		was := fmt.Sprintf("%+v", b)
		for again := range n + 1 { // and those before it
			_ = vote(b, again, []string{"kim no", "kim yes", "lee yes", "park no", "choi no"}[again])
		}
		if second := vote(b, n, text); fmt.Sprint(first) != fmt.Sprint(second) {
			t.Errorf("%s: first %v, then %v", text, first, second)
		}
		if got := fmt.Sprintf("%+v", b); got != was {
			t.Errorf("%s: repeating it has changed the state:\n%s\n%s", text, was, got)
		}
	}
	if err := b.Cast(approval.Vote{ID: "0", By: "choi", Choice: approval.Approve, Shown: b.Shown.SHA256}, after(9)); err == nil {
		t.Error("the id of somebody else's vote is taken for one's own")
	}
}

// TestAVoteWithoutFormLeavesNoTrace asks that what is no vote changes nothing, not even what is due.
func TestAVoteWithoutFormLeavesNoTrace(t *testing.T) {
	b := open(t, rule(nil), team())
	b.Due = after(1)
	was := *b
	err := b.Cast(approval.Vote{ID: "1", By: "kim", Choice: approval.Reject, Shown: b.Shown.SHA256}, after(2))
	if _, ok := errors.AsType[*approval.Fault](err); !ok {
		t.Errorf("got %v, want a fault", err)
	}
	if diff := cmp.Diff(was, *b); diff != "" {
		t.Errorf("the state has changed:\n%s", diff)
	}
}

// TestOnlyTheFirstLateVoteOfAPersonIsKept bounds what people can add to what is decided.
func TestOnlyTheFirstLateVoteOfAPersonIsKept(t *testing.T) {
	b := open(t, rule(nil), team())
	votes(t, b, "kim yes", "lee yes")
	for n := range 20 {
		refused(t, vote(b, 10+n, "park no"))
	}
	refused(t, vote(b, 40, "choi no"))
	if got := len(b.Votes); got != 4 {
		t.Errorf("%d votes are kept, want two that count and two late ones", got)
	}
}

// TestASubstituteSpeaksForOne follows one vote through the people whom its owner represents.
func TestASubstituteSpeaksForOne(t *testing.T) {
	b := open(t, rule(func(r *approval.Rule) {
		r.Need.Count, r.Required = 1, []approval.Who{{Person: "lee"}, {Person: "park"}}
	}), team())
	substitute(b, "yoon", "lee", 0, 60)
	substitute(b, "yoon", "park", 0, 60)
	substitute(b, "choi", "lee", 0, 60)
	err := vote(b, 1, "yoon yes")
	if want := "for: missing; want one of lee, park"; err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	steps := []struct {
		vote, waiting string
		yes           int
	}{
		{"yoon yes for lee", "kim park choi", 1},
		{"yoon yes for park", "kim lee choi", 1}, // it has moved
		{"choi yes", "kim lee", 2},               // their own before whom they represent
		{"choi yes for lee", "", 2},              // and given up
	}
	for n, step := range steps {
		if err := vote(b, n+2, step.vote); err != nil {
			t.Fatalf("%s: %v", step.vote, err)
		}
		s := b.Standing(after(n + 2))
		var waiting []string
		for _, w := range s.Waiting {
			waiting = append(waiting, w.Person)
		}
		if got := strings.Join(waiting, " "); s.Yes != step.yes || step.waiting != "" && got != step.waiting {
			t.Errorf("%s: %d yes, waiting for %s; want %d, %s", step.vote, s.Yes, got, step.yes, step.waiting)
		}
	}
	if o := b.Outcome; o.Verdict != approval.Approved || o.By != "choi" || o.For != "lee" || o.Name != "Deputy" {
		t.Errorf("got %+v, want approved by choi for lee", o)
	}
}

// TestOnePersonCountsOnce asks that four eyes are four eyes, whomever two of them represent.
func TestOnePersonCountsOnce(t *testing.T) {
	e := team()
	e.Electors = e.Electors[1:3] // lee and park
	b := open(t, rule(nil), e)
	substitute(b, "lee", "park", 0, 60)
	votes(t, b, "lee yes for park", "lee yes")
	if s := b.Standing(after(3)); s.Yes != 1 || b.Outcome.Verdict != approval.Undecided {
		t.Fatalf("%d yes of one person, %s", s.Yes, b.Outcome.Verdict)
	}
	votes(t, b, "park yes")
}

// TestPeopleComeAndLeave asks what becomes of a ballot when other people are there.
func TestPeopleComeAndLeave(t *testing.T) {
	without := func(ids ...string) func(*approval.Electorate) {
		return func(e *approval.Electorate) {
			e.Electors = slices.DeleteFunc(e.Electors, func(x approval.Elector) bool { return slices.Contains(ids, x.Person) })
		}
	}
	all := func(*approval.Electorate) {}
	percent := func(r *approval.Rule) { r.Need = approval.Need{Percent: 60} } // three of four, two of three
	roles := func(r *approval.Rule) { r.Need = approval.Need{Each: approval.EachRole} }
	tests := []struct {
		name   string
		change func(*approval.Rule)
		votes  []string
		people func(*approval.Electorate)
		want   approval.Verdict
		why    approval.Why
	}{
		{"nobody has left", nil, []string{"kim yes"}, all, approval.Undecided, ""},
		{"who has voted and left counts", nil, []string{"kim yes"}, without("kim", "lee"), approval.Undecided, ""},
		{"too few are left", nil, nil, without("kim", "lee", "park"), approval.Impossible, approval.TooFew},
		{"nobody is left", nil, nil, without("kim", "lee", "park", "choi"), approval.Impossible, approval.TooFew},
		{"too few, for one has said no", nil, []string{"kim no"}, without("lee", "park"), approval.Rejected, approval.TooFewLeft},
		{"nobody of a role is left", roles, []string{"kim yes"}, without("choi"), approval.Impossible, approval.TooFew},
		{"one of a role is left", roles, []string{"kim yes"}, without("lee"), approval.Undecided, ""},
		{"one of a role has voted and left", roles, []string{"choi yes"}, without("choi"), approval.Undecided, ""},
		{"a required person has left", func(r *approval.Rule) {
			r.Required = []approval.Who{{Person: "lee"}}
		}, []string{"kim yes"}, without("lee"), approval.Impossible, approval.TooFew},
		{"fewer to be a part of", percent, []string{"kim yes", "lee yes"}, without("park", "choi"), approval.Approved, approval.EnoughYes},
		{"who has said no and left is still one of them", percent, []string{"kim no", "lee yes", "park yes"}, without("kim"), approval.Undecided, ""},
		{"who decided now implements it", func(r *approval.Rule) {
			r.Need.Count, r.Exclude.Implementers = 3, true
		}, []string{"kim yes", "lee yes"}, func(e *approval.Electorate) { e.Implementers = []string{"lee"} }, approval.Undecided, ""},
		{"and too few are left", func(r *approval.Rule) {
			r.Need.Count, r.Exclude.Implementers = 4, true
		}, []string{"kim yes", "lee yes"}, func(e *approval.Electorate) { e.Implementers = []string{"lee"} }, approval.Impossible, approval.TooFew},
		{"who has voted has another role now", roles, []string{"choi yes"}, func(e *approval.Electorate) {
			e.Electors[3].Roles = []string{"release"}
		}, approval.Undecided, ""},
		{"who has voted has one role more", roles, []string{"kim yes", "lee yes"}, func(e *approval.Electorate) {
			e.Electors = e.Electors[:3]
			e.Electors[1].Roles = []string{"release", "security"}
		}, approval.Approved, approval.EnoughYes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, rule(tt.change), team())
			votes(t, b, tt.votes...)
			if b.Outcome.Verdict != approval.Undecided {
				t.Fatalf("%s before", b.Outcome.Verdict)
			}
			resolve(t, b, tt.people)
			if got := b.Outcome; got.Verdict != tt.want || got.Why != tt.why || got.By != "" {
				t.Errorf("got %s, %s, by %q; want %s, %s, by nobody", got.Verdict, got.Why, got.By, tt.want, tt.why)
			}
		})
	}
}

// TestWhatIsImpossibleMayBecomePossible asks that it is open while too few are there, and that its silence is never a yes.
func TestWhatIsImpossibleMayBecomePossible(t *testing.T) {
	e := team()
	e.Electors = e.Electors[:1]
	b := open(t, rule(func(r *approval.Rule) { r.OnExpiry = approval.ApproveOnExpiry }), e)
	if b.Outcome.Verdict != approval.Impossible || !b.Outcome.At.Equal(monday) {
		t.Fatalf("got %+v, want impossible from the beginning", b.Outcome)
	}
	votes(t, b, "kim yes")
	if b.Outcome.Verdict != approval.Impossible || !b.Outcome.At.Equal(monday) {
		t.Fatalf("got %+v, want impossible since the beginning", b.Outcome)
	}
	lost := *b
	lost.Due = after(30)
	if lost.Expire(after(30)); lost.Outcome.Verdict != approval.ExpiredRejected || len(lost.Outcome.Unmet) != 1 {
		t.Errorf("got %+v, want that it has expired and what was missing", lost.Outcome)
	}
	if err := b.Resolve(team(), after(29)); err != nil {
		t.Fatal(err)
	}
	if b.Outcome.Verdict != approval.Undecided {
		t.Fatalf("got %s, want it open again", b.Outcome.Verdict)
	}
	if err := vote(b, 30, "lee yes"); err != nil || b.Outcome.Verdict != approval.Approved {
		t.Errorf("%v, %s: want approved", err, b.Outcome.Verdict)
	}
}

// TestWhoMayNotDecideDoesNotCount asks that a vote stays out after its owner was excluded and admitted again, until they vote anew.
func TestWhoMayNotDecideDoesNotCount(t *testing.T) {
	b := open(t, rule(func(r *approval.Rule) { r.Exclude.Implementers = true }), team())
	substitute(b, "yoon", "lee", 0, 60)
	votes(t, b, "yoon yes")
	resolve(t, b, func(e *approval.Electorate) { e.Implementers = []string{"yoon"} })
	if err := vote(b, 30, "lee no"); err != nil {
		t.Fatalf("the vote that was cast by an implementer stands in the way: %v", err)
	}
	resolve(t, b, func(e *approval.Electorate) { e.Implementers = nil })
	if s := b.Standing(after(31)); s.Yes != 0 || s.No != 1 {
		t.Errorf("%d yes, %d no; want the no of lee alone", s.Yes, s.No)
	}
	b = open(t, rule(func(r *approval.Rule) { r.Exclude.Implementers = true }), team())
	substitute(b, "yoon", "lee", 0, 60)
	votes(t, b, "yoon yes")
	resolve(t, b, func(e *approval.Electorate) { e.Implementers = []string{"lee"} })
	if s := b.Standing(after(31)); s.Yes != 0 || s.Demands[0].Of != 3 {
		t.Errorf("%d yes of %d; want none of three after an implementer was represented", s.Yes, s.Demands[0].Of)
	}
}

// TestWhatIsDecidedStaysDecided changes everything but what was shown.
func TestWhatIsDecidedStaysDecided(t *testing.T) {
	b := open(t, rule(func(r *approval.Rule) { r.Exclude.Implementers = true }), team())
	b.Due = after(20)
	votes(t, b, "kim yes", "lee yes")
	was := b.Outcome
	resolve(t, b, func(e *approval.Electorate) { e.Electors, e.Implementers = nil, []string{"kim", "lee"} })
	if b.Expire(after(40)) {
		t.Error("it has expired after it was decided")
	}
	if diff := cmp.Diff(was, b.Outcome); diff != "" {
		t.Errorf("the outcome has changed:\n%s", diff)
	}
}

// TestAnyChangeOfWhatWasShownVoidsIt asks which lines are named, and that the votes are history.
func TestAnyChangeOfWhatWasShownVoidsIt(t *testing.T) {
	tests := []struct {
		name string
		now  []string
		want []approval.Change
	}{
		{"the same in another order", []string{"runbook", "b", "plan", "a"}, nil},
		{"one changed", []string{"plan", "a", "runbook", "c"}, []approval.Change{{Name: "runbook", Kind: approval.Changed}}},
		{"one added", []string{"plan", "a", "runbook", "b", "evidence", "c"}, []approval.Change{{Name: "evidence", Kind: approval.Added}}},
		{"one gone", []string{"plan", "a"}, []approval.Change{{Name: "runbook", Kind: approval.Gone}}},
		{"all of it", []string{"plan", "b", "zone", "a"}, []approval.Change{
			{Name: "plan", Kind: approval.Changed}, {Name: "runbook", Kind: approval.Gone}, {Name: "zone", Kind: approval.Added},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, rule(nil), team())
			b.Due = after(60)
			votes(t, b, "kim yes", "lee yes")
			before := approval.Vote{ID: "9", By: "kim", Choice: approval.Approve, Shown: b.Shown.SHA256}
			if diff := cmp.Diff(tt.want, b.Reshown(shown(t, tt.now...), after(5))); diff != "" {
				t.Fatalf("changes (-want +got):\n%s", diff)
			}
			if tt.want == nil {
				if b.Outcome.Verdict != approval.Approved || len(b.Past) > 0 {
					t.Errorf("nothing is different, and it is %s", b.Outcome.Verdict)
				}
				return
			}
			if b.Outcome.Verdict != approval.Undecided || len(b.Votes) > 0 || !b.Due.IsZero() {
				t.Errorf("got %s with %d votes, due %s; want it open anew", b.Outcome.Verdict, len(b.Votes), b.Due)
			}
			past := b.Past[0]
			if past.Outcome.Verdict != approval.Approved || len(past.Votes) != 2 || !past.Voided.Equal(after(5)) || !cmp.Equal(past.Changes, tt.want) {
				t.Errorf("history: %+v", past)
			}
			if r := refused(t, b.Cast(before, after(9))); r.Cause != approval.Stale || !cmp.Equal(r.Changes, tt.want) {
				t.Errorf("who has seen the old one hears %s", r)
			}
			if err := vote(b, 1, "kim yes"); err != nil || len(b.Votes) > 0 {
				t.Errorf("a vote of before, repeated: %v, %d votes; want nothing", err, len(b.Votes))
			}
			if err := vote(b, 10, "kim yes"); err != nil {
				t.Errorf("vote on what is shown now: %v", err)
			}
		})
	}
}

// TestWhatWasNeverShownIsStale asks that lines are named as long as they are known, and that history is bounded.
func TestWhatWasNeverShownIsStale(t *testing.T) {
	b := open(t, rule(nil), team())
	first := b.Shown.SHA256
	for n := range 7 {
		b.Reshown(shown(t, "plan", fmt.Sprint(n)), after(n))
	}
	b.Due = after(7)
	b.Reshown(shown(t, "plan", "7"), after(8))
	if got := b.Past[4].Outcome.Verdict; got != approval.ExpiredRejected {
		t.Errorf("what was due before it changed is history as %s, want expired-rejected", got)
	}
	if len(b.Past) != 5 || b.Dropped != 3 || b.Past[4].Shown.SHA256 != shown(t, "plan", "6").SHA256 {
		t.Errorf("%d rounds kept, %d dropped; want the newest 5", len(b.Past), b.Dropped)
	}
	tests := []struct{ hash, want string }{
		{shown(t, "plan", "5").SHA256, "what was shown is not what is shown now: plan changed, look again"},
		{first, "what was shown is not what is shown now: look again"},
		{strings.Repeat("0", 64), "what was shown is not what is shown now: look again"},
	}
	for _, tt := range tests {
		err := b.Cast(approval.Vote{ID: "1", By: "kim", Choice: approval.Approve, Shown: tt.hash}, after(9))
		if r := refused(t, err); r.Cause != approval.Stale || r.Error() != tt.want {
			t.Errorf("got %q, want %q", r, tt.want)
		}
	}
}

// TestWhatIsShownIsBound asks that its hash is that of a list which sha256sum would write, and what is no line.
func TestWhatIsShownIsBound(t *testing.T) {
	// printf '%s  plan\n%s  runbook\n' aaa… bbb… | sha256sum
	const want = "64beb5148552db44abbb1b172aad90901ab10db5ccc24cdbf116a2068ac35ac8"
	if got := shown(t, "runbook", "b", "plan", "a").SHA256; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	good := strings.Repeat("a", 64)
	tests := []struct {
		lines []approval.Line
		want  string
	}{
		{nil, "lines: nothing is shown; want one line at least"},
		{[]approval.Line{{Name: "", SHA256: good}}, `lines.name: ""; want a name in one line`},
		{[]approval.Line{{Name: "a\nb", SHA256: good}}, `lines.name: "a\nb"; want a name in one line`},
		{[]approval.Line{{Name: "a", SHA256: good}, {Name: "a", SHA256: good}}, `lines.name: "a" stands there twice`},
		{[]approval.Line{{Name: "a", SHA256: "abc"}}, `lines.sha256: "abc" of a; want 64 lower-case hexadecimal digits`},
		{[]approval.Line{{Name: "a", SHA256: strings.ToUpper(good)}}, `lines.sha256: "` + strings.ToUpper(good) + `" of a; want 64 lower-case hexadecimal digits`},
	}
	for _, tt := range tests {
		if _, err := approval.Show(tt.lines...); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// TestSomebodyIsNamedToVote asks who may name whom, and that whoever is named may vote then.
func TestSomebodyIsNamedToVote(t *testing.T) {
	to := func(id string) approval.Substitute {
		return approval.Substitute{Person: id, Name: "Yoon", Party: authority.Provider, Until: after(60)}
	}
	tests := []struct {
		name, from string
		to         approval.Substitute
		votes      []string
		due        int
		want       string
	}{
		{"a colleague", "lee", to("yoon"), nil, 0, ""},
		{"a stranger names", "yoon", to("lee"), nil, 0, "yoon: not among the voters"},
		{"the requester names", "boss", to("yoon"), nil, 0, "boss has asked for it: want another person"},
		{"an implementer names", "park", to("yoon"), nil, 0, "park implements it: want another person"},
		{"the requester is named", "lee", to("boss"), nil, 0, "boss has asked for it: want another person"},
		{"an implementer is named", "lee", to("park"), nil, 0, "park implements it: want another person"},
		{"oneself", "lee", to("lee"), nil, 0, `to: "lee"; want another person`},
		{"nobody", "lee", to(""), nil, 0, `to: ""; want another person`},
		{"somebody of another party", "kim", to("yoon"), nil, 0, "to: yoon is of the provider; want somebody of the customer"},
		{"for a time past", "lee", approval.Substitute{Person: "yoon", Party: authority.Provider, Until: after(10)}, nil, 0, "until: 2027-03-01T09:10:00Z; want an instant to come"},
		{"too late", "lee", to("yoon"), []string{"kim yes", "choi yes"}, 0, "already approved by Choi at 2027-03-01T09:02:00Z"},
		{"after it is due", "lee", to("yoon"), nil, 10, "expired at 2027-03-01T09:10:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := team()
			e.Implementers = []string{"park"}
			b := open(t, rule(func(r *approval.Rule) { r.Exclude = approval.Exclusion{Requester: true, Implementers: true} }), e)
			votes(t, b, tt.votes...)
			if tt.due > 0 {
				b.Due = after(tt.due)
			}
			got := ""
			if err := b.Delegate(tt.from, tt.to, after(10)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			if named := len(b.Delegations) == 1; named != (tt.want == "") {
				t.Errorf("recorded: %t", named)
			}
		})
	}
	b := open(t, rule(nil), team())
	for n, id := range []string{"yoon", "han"} { // the second instead of the first
		if err := b.Delegate("lee", to(id), after(10+n)); err != nil {
			t.Fatal(err)
		}
	}
	resolve(t, b, func(*approval.Electorate) {})
	for id, want := range map[string]bool{"yoon": false, "han": true} {
		if err := vote(b, 30, id+" yes"); (err == nil) != want {
			t.Errorf("%s votes: %v", id, err)
		}
	}
	if c := b.Votes[0]; c.By != "han" || c.For != "lee" || c.Name != "Yoon" {
		t.Errorf("recorded as %+v", c)
	}
}

// TestItExpires asks what silence means, and when.
func TestItExpires(t *testing.T) {
	approve := func(r *approval.Rule) { r.OnExpiry = approval.ApproveOnExpiry }
	tests := []struct {
		name   string
		change func(*approval.Rule)
		votes  []string
		due    int
		at     int
		want   approval.Verdict
	}{
		{"never due", nil, nil, 0, 500, approval.Undecided},
		{"too soon", nil, []string{"kim yes"}, 10, 9, approval.Undecided},
		{"due", nil, []string{"kim yes"}, 10, 10, approval.ExpiredRejected},
		{"noticed late", nil, nil, 10, 500, approval.ExpiredRejected},
		{"silence is a yes", approve, []string{"kim no"}, 10, 10, approval.ExpiredApproved},
		{"said explicitly", func(r *approval.Rule) { r.OnExpiry = approval.RejectOnExpiry }, nil, 10, 10, approval.ExpiredRejected},
		{"silence of who is rejected", approve, []string{"kim no", "lee no", "park no"}, 10, 10, approval.Rejected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, rule(tt.change), team())
			votes(t, b, tt.votes...)
			if tt.due > 0 {
				b.Due = after(tt.due)
			}
			expired := strings.HasPrefix(string(tt.want), "expired")
			if got := b.Expire(after(tt.at)); got != expired {
				t.Errorf("expired: %t, want %t", got, expired)
			}
			if b.Expire(after(tt.at)) {
				t.Error("it has expired twice")
			}
			if got := b.Outcome; got.Verdict != tt.want || expired && (!got.At.Equal(b.Due) || got.Why != approval.Deadline) {
				t.Errorf("got %+v, want %s", got, tt.want)
			}
			if got, want := b.Outcome.Verdict.Approves(), tt.want == approval.ExpiredApproved; got != want {
				t.Errorf("approves: %t, want %t", got, want)
			}
		})
	}
}

// TestOneOfTimerAndVotesWins races three votes and a timer ten thousand times. Events of one instant come in any order, and
// the timer may be noticed late.
func TestOneOfTimerAndVotesWins(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	wins := map[approval.Verdict]int{}
	for range 10_000 {
		b := open(t, rule(nil), team())
		b.Due = after(3)
		type event struct {
			at   int
			vote string // empty: the timer
		}
		events := []event{{3 + random.IntN(3), ""}}
		for _, id := range []string{"kim", "lee", "park"} {
			events = append(events, event{1 + random.IntN(5), id + " yes"})
		}
		random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		slices.SortStableFunc(events, func(a, b event) int { return a.at - b.at })
		inTime, decided := 0, approval.Outcome{}
		for n, e := range events {
			var err error
			if e.vote == "" {
				b.Expire(after(e.at))
			} else {
				err = b.Cast(approval.Vote{ID: fmt.Sprint(n), By: strings.Fields(e.vote)[0], Choice: approval.Approve, Shown: b.Shown.SHA256}, after(e.at))
				if e.at < 3 {
					inTime++
				}
			}
			switch {
			case decided.Verdict != "":
				if !cmp.Equal(decided, b.Outcome) {
					t.Fatalf("%v: decided twice: %+v, then %+v", events, decided, b.Outcome)
				}
				if e.vote != "" && !cmp.Equal(refused(t, err).Outcome, decided) {
					t.Fatalf("%v: the loser hears %v", events, err)
				}
			case b.Outcome.Verdict.Final():
				decided = b.Outcome
			case err != nil:
				t.Fatalf("%v: %v", events, err)
			}
		}
		want := approval.ExpiredRejected
		if inTime >= 2 {
			want = approval.Approved
		}
		if decided.Verdict != want {
			t.Fatalf("%v: got %s, want %s", events, decided.Verdict, want)
		}
		wins[want]++
	}
	if wins[approval.Approved] < 1000 || wins[approval.ExpiredRejected] < 1000 {
		t.Errorf("the race is not one: %v", wins)
	}
}

// TestBadInputIsNotOpened asks what is refused at the beginning and when people change.
func TestBadInputIsNotOpened(t *testing.T) {
	tests := []struct {
		name   string
		rule   func(*approval.Rule)
		people func(*approval.Electorate)
		want   string
	}{
		{"a bad rule", func(r *approval.Rule) { r.Voters = nil }, nil, "voters: nobody may vote; want one role at least"},
		{"an unknown requester", func(r *approval.Rule) { r.Exclude.Requester = true }, func(e *approval.Electorate) { e.Requester = "" }, "requester: missing; the rule excludes them"},
		{"nobody's vote", nil, func(e *approval.Electorate) { e.Electors[1].Person = "" }, "electors[1].person: missing"},
		{"one twice", nil, func(e *approval.Electorate) { e.Electors[3] = e.Electors[0] }, "electors[3].person: kim stands here twice"},
		{"too many", nil, func(e *approval.Electorate) { e.Electors = make([]approval.Elector, 51) }, "electors: 51, or implementers, or substitutes; want 50 at most"},
		{"too many substitutes", nil, func(e *approval.Electorate) { e.Substitutes = make([]approval.Substitute, 51) }, "electors: 51, or implementers, or substitutes; want 50 at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := team()
			if tt.people != nil {
				tt.people(&e)
			}
			if _, err := approval.Open(rule(tt.rule), e, shown(t, "plan", "a"), monday); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if tt.people == nil {
				return
			}
			b := open(t, rule(tt.rule), team())
			if err := b.Resolve(e, after(1)); err == nil || err.Error() != tt.want || len(b.Electors) != 4 {
				t.Errorf("resolve: got %v with %d electors, want %s and the old ones", err, len(b.Electors), tt.want)
			}
		})
	}
	if _, err := approval.Open(rule(nil), team(), approval.Shown{}, monday); err == nil || err.Error() != "shown: missing" {
		t.Errorf("nothing is shown: %v", err)
	}
}

// TestStandingSaysWhoIsWaitedFor reads a ballot as it is shown.
func TestStandingSaysWhoIsWaitedFor(t *testing.T) {
	b := open(t, rule(func(r *approval.Rule) {
		r.Need.Count, r.Required, r.Exclude.Requester = 3, []approval.Who{{Voter: release}}, true
	}), team())
	substitute(b, "yoon", "park", 0, 60)
	substitute(b, "boss", "park", 0, 60) // has asked for it
	substitute(b, "han", "park", 40, 60)
	votes(t, b, "kim yes", "lee abstain")
	deputy := b.Substitutes[0]
	want := approval.Standing{
		Yes: 1, Abstained: 1,
		Demands: []approval.Demand{{Needed: 3, Yes: 1, Open: 2, Of: 4}, {Who: approval.Who{Voter: release}, Needed: 1, Open: 1, Of: 2}},
		Waiting: []approval.Waiting{
			{Person: "park", Name: "Park", Substitutes: []approval.Substitute{deputy}}, {Person: "choi", Name: "Choi", Substitutes: []approval.Substitute{}},
		},
	}
	got := b.Standing(after(30))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("standing (-want +got):\n%s", diff)
	}
	if got.Demands[0].Missing() != 2 || got.Demands[1].Missing() != 1 {
		t.Errorf("missing %d and %d, want 2 and 1", got.Demands[0].Missing(), got.Demands[1].Missing())
	}
}
