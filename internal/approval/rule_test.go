package approval_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/approval"
	"muster/internal/authority"
)

var (
	owner   = approval.Voter{Party: authority.Customer, Role: "owner"}
	release = approval.Voter{Party: authority.Provider, Role: "release"}
	guard   = approval.Voter{Party: authority.Provider, Role: "security"}
)

func rule(change func(*approval.Rule)) approval.Rule {
	r := approval.Rule{Voters: []approval.Voter{owner, release, guard}, Need: approval.Need{Count: 2}}
	if change != nil {
		change(&r)
	}
	return r
}

func texts(faults []error) (all []string) {
	for _, f := range faults {
		all = append(all, f.Error())
	}
	return all
}

// TestARuleSaysWhatIsWrongWithIt breaks each part of a rule once.
func TestARuleSaysWhatIsWrongWithIt(t *testing.T) {
	one := "want one of count, percent, each, and only one"
	tests := []struct {
		name   string
		change func(*approval.Rule)
		want   []string
	}{
		{"two of three roles", nil, nil},
		{"each party", func(r *approval.Rule) { r.Need = approval.Need{Each: approval.EachParty} }, nil},
		{"the last percentage", func(r *approval.Rule) { r.Need = approval.Need{Percent: 100} }, nil},
		{"silence is a yes", func(r *approval.Rule) { r.OnExpiry = approval.ApproveOnExpiry }, nil},
		{"required ones", func(r *approval.Rule) {
			r.Required = []approval.Who{{Person: "kim"}, {Voter: owner}, {Voter: approval.Voter{Party: authority.Provider}}}
		}, nil},
		{"a decision", func(r *approval.Rule) { r.Yes = []approval.Choice{approval.Ready, approval.ReadyWithRisk} }, nil},

		{"no voters", func(r *approval.Rule) { r.Voters = nil }, []string{"voters: nobody may vote; want one role at least"}},
		{"no role", func(r *approval.Rule) { r.Voters[1].Role = "" }, []string{"voters[1].role: missing"}},
		{"no party", func(r *approval.Rule) { r.Voters[1].Party = "" }, []string{`voters[1].party: ""; want provider, customer, partner, vendor`}},
		{"twice", func(r *approval.Rule) { r.Voters[2] = owner }, []string{"voters[2]: customer/owner stands here twice"}},
		{"the same role elsewhere", func(r *approval.Rule) {
			r.Voters[2] = approval.Voter{Party: authority.Provider, Role: owner.Role}
		}, nil},
		{"no need", func(r *approval.Rule) { r.Need = approval.Need{} }, []string{"need: " + one}},
		{"two needs", func(r *approval.Rule) { r.Need.Percent = 50 }, []string{"need: " + one}},
		{"a need too little", func(r *approval.Rule) { r.Need.Count = -1 }, []string{"need.count: -1; want 1 or more"}},
		{"too much", func(r *approval.Rule) { r.Need = approval.Need{Percent: 101} }, []string{"need.percent: 101; want 1 to 100"}},
		{"less than nothing", func(r *approval.Rule) { r.Need = approval.Need{Percent: -5} }, []string{"need.percent: -5; want 1 to 100"}},
		{"each what", func(r *approval.Rule) { r.Need = approval.Need{Each: "team"} }, []string{`need.each: "team"; want role or party`}},
		{"required nobody", func(r *approval.Rule) { r.Required = []approval.Who{{}} }, []string{"required[0]: want a person, or a party, or a party and a role"}},
		{"required two ways", func(r *approval.Rule) { r.Required = []approval.Who{{Person: "kim", Voter: owner}} }, []string{"required[0]: want a person, or a party, or a party and a role"}},
		{"required of no party", func(r *approval.Rule) {
			r.Required = []approval.Who{{Voter: approval.Voter{Role: "owner"}}}
		}, []string{"required[0]: want a person, or a party, or a party and a role"}},
		{"required may not vote", func(r *approval.Rule) {
			r.Required = []approval.Who{{Voter: approval.Voter{Party: authority.Customer, Role: "release"}}}
		}, []string{"required[0]: customer/release may not vote; want one of the voters"}},
		{"unknown expiry", func(r *approval.Rule) { r.OnExpiry = "wait" }, []string{`on_expiry: "wait"; want reject or approve`}},
		{"silence of who must speak", func(r *approval.Rule) {
			r.OnExpiry, r.Required = approval.ApproveOnExpiry, []approval.Who{{Voter: owner}}
		}, []string{"on_expiry: approve takes silence for a yes, and somebody is required to say yes; want reject, or nobody required"}},
		{"no is yes", func(r *approval.Rule) {
			r.Yes = []approval.Choice{approval.Ready, approval.NotReady}
		}, []string{`yes[1]: "not-ready"; want ready or ready-with-risk`}},
		{"only with risk", func(r *approval.Rule) { r.Yes = []approval.Choice{approval.ReadyWithRisk} }, []string{"yes: want ready among them"}},
		{"all at once", func(r *approval.Rule) { *r = approval.Rule{OnExpiry: "x"} }, []string{
			"voters: nobody may vote; want one role at least", "need: " + one, `on_expiry: "x"; want reject or approve`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(rule(tt.change).Check())); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestARuleIsHeldAgainstThePeople asks what these people can never fulfil.
func TestARuleIsHeldAgainstThePeople(t *testing.T) {
	people := []approval.Elector{
		person("kim", authority.Customer, "owner"),
		person("lee", authority.Provider, "release", "security"),
		person("choi", authority.Vendor, "release"), // of another party than the voters
	}
	tests := []struct {
		name   string
		change func(*approval.Rule)
		want   []string
	}{
		{"two of two", nil, nil},
		{"who has two roles is one", func(r *approval.Rule) { r.Need.Count = 3 }, []string{"need: 3 of everybody must say yes; 2 may vote"}},
		{"each role", func(r *approval.Rule) { r.Need = approval.Need{Each: approval.EachRole} }, nil},
		{"a role without people", func(r *approval.Rule) {
			r.Need, r.Voters[1] = approval.Need{Each: approval.EachRole}, approval.Voter{Party: authority.Vendor, Role: "support"}
		}, []string{"need: 1 of vendor/support must say yes; 0 may vote"}},
		{"a party without people", func(r *approval.Rule) {
			r.Need = approval.Need{Each: approval.EachParty}
			r.Voters = append(r.Voters, approval.Voter{Party: authority.Partner, Role: "release"})
		}, []string{"need: 1 of partner must say yes; 0 may vote"}},
		{"required person", func(r *approval.Rule) {
			r.Required = []approval.Who{{Person: "kim"}, {Person: "choi"}}
		}, []string{"required: 1 of choi must say yes; 0 may vote"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, texts(rule(tt.change).CheckFor(people))); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAVoteHasAForm asks what is refused before anybody looks at who votes.
func TestAVoteHasAForm(t *testing.T) {
	plain, decision := rule(nil), rule(func(r *approval.Rule) { r.Yes = []approval.Choice{approval.Ready} })
	hash := strings.Repeat("0", 64)
	tests := []struct {
		name string
		rule approval.Rule
		vote approval.Vote
		want string
	}{
		{"yes", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Approve, Shown: hash}, ""},
		{"abstaining needs no reason", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Abstain, Shown: hash}, ""},
		{"go", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.Ready, Shown: hash}, ""},
		{"risk", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.ReadyWithRisk, Shown: hash, Reason: "slow disk"}, ""},
		{"abstaining from a decision", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.Abstain, Shown: hash}, ""},

		{"no id", plain, approval.Vote{By: "kim", Choice: approval.Approve, Shown: hash}, "id: 0 bytes; want 1 to 100"},
		{"long id", plain, approval.Vote{ID: strings.Repeat("x", 101), By: "kim", Choice: approval.Approve, Shown: hash}, "id: 101 bytes; want 1 to 100"},
		{"nobody", plain, approval.Vote{ID: "1", Choice: approval.Approve, Shown: hash}, "by: missing"},
		{"nothing seen", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Approve}, "shown: 0 bytes; want the SHA-256 of what was shown"},
		{"unknown choice", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Ready, Shown: hash}, `choice: "ready"; want approve, reject, abstain`},
		{"approve a decision", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.Approve, Shown: hash}, `choice: "approve"; want ready, ready-with-risk, not-ready, abstain`},
		{"no without reason", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Reject, Shown: hash, Reason: " "}, "reason: missing; reject needs one"},
		{"no-go without reason", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.NotReady, Shown: hash}, "reason: missing; not-ready needs one"},
		{"risk without text", decision, approval.Vote{ID: "1", By: "kim", Choice: approval.ReadyWithRisk, Shown: hash}, "reason: missing; ready-with-risk needs one"},
		{"long reason", plain, approval.Vote{ID: "1", By: "kim", Choice: approval.Approve, Shown: hash, Reason: strings.Repeat("x", 1001)}, "reason: 1001 bytes; want 1000 at most"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := tt.rule.CheckVote(tt.vote); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
