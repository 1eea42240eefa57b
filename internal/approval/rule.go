package approval

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"muster/internal/authority"
)

// A Voter is a role whose holders may vote, and the party that they belong to. The same role of another party is another voter.
type Voter struct {
	Party authority.PartyKind `json:"party,omitempty"`
	Role  string              `json:"role,omitempty"`
}

// Who is a part of the voters: one person, or those of a party, or of a role of it. The zero Who is all of them.
type Who struct {
	Person string `json:"person,omitempty"`
	Voter
}

// String names the part as a definition does.
func (w Who) String() string {
	switch {
	case w.Person != "":
		return w.Person
	case w.Role != "":
		return string(w.Party) + "/" + w.Role
	case w.Party != "":
		return string(w.Party)
	default:
		return "everybody"
	}
}

// Each names what has to say yes, each once.
type Each string

// What has to say yes. These strings are in definitions and histories: add, never rename.
const (
	EachRole  Each = "role" // somebody who holds two of the roles speaks for both
	EachParty Each = "party"
)

// A Need is how many have to say yes: one of its fields is set.
type Need struct {
	Count   int  `json:"count,omitempty"`
	Percent int  `json:"percent,omitempty"` // of all who may vote, rounded up; whoever abstains is still one of them
	Each    Each `json:"each,omitempty"`
}

// An Expiry is what becomes of a ballot that is undecided when it is due.
type Expiry string

// What becomes of it. These strings are in definitions and histories: add, never rename.
const (
	RejectOnExpiry  Expiry = "reject"
	ApproveOnExpiry Expiry = "approve" // whoever has said nothing counts as a yes
)

// A Choice is what a vote says.
type Choice string

// The choices. These strings are on the wire and in histories: add, never rename.
const (
	Approve Choice = "approve"
	Reject  Choice = "reject"
	Abstain Choice = "abstain" // neither yes nor no, and no yes will come

	Ready         Choice = "ready" // these three decide whether to go
	ReadyWithRisk Choice = "ready-with-risk"
	NotReady      Choice = "not-ready"
)

// Choices lists the choices.
func Choices() []Choice { return []Choice{Approve, Reject, Abstain, Ready, ReadyWithRisk, NotReady} }

// Exclusion names who may not vote, whatever their roles, nor be represented, nor represent anybody.
type Exclusion struct {
	Requester    bool `json:"requester,omitempty"`
	Implementers bool `json:"implementers,omitempty"`
}

// A Rule is what a definition says of an approval.
type Rule struct {
	Voters   []Voter   `json:"voters"`
	Need     Need      `json:"need"`
	Required []Who     `json:"required,omitempty"` // each must say yes; of a role or a party, one of them
	Exclude  Exclusion `json:"exclude,omitzero"`
	OnExpiry Expiry    `json:"on_expiry,omitempty"` // empty: reject
	// Yes are the choices that count as yes where it is decided whether to go: Ready, and ReadyWithRisk or not. It is empty
	// where something is approved.
	Yes []Choice `json:"yes,omitempty"`
}

// A Fault says what is wrong with a field, and what would be right.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

func fault(field, format string, args ...any) *Fault {
	return &Fault{field, fmt.Sprintf(format, args...)}
}

// Check returns what is wrong with the rule, whoever the people are.
func (r Rule) Check() []error {
	var faults []error
	add := func(field, format string, args ...any) { faults = append(faults, fault(field, format, args...)) }
	if len(r.Voters) == 0 {
		add("voters", "nobody may vote; want one role at least")
	}
	for n, v := range r.Voters {
		field := fmt.Sprintf("voters[%d]", n)
		switch {
		case v.Role == "":
			add(field+".role", "missing")
		case !slices.Contains(authority.PartyKinds(), v.Party):
			add(field+".party", "%q; want %s", v.Party, listed(authority.PartyKinds()))
		case slices.Index(r.Voters, v) < n:
			add(field, "%s stands here twice", Who{Voter: v})
		}
	}
	faults = append(faults, r.Need.check()...)
	for n, w := range r.Required {
		field := fmt.Sprintf("required[%d]", n)
		switch {
		case (w.Person == "") == (w.Voter == Voter{}) || w.Role != "" && w.Party == "":
			add(field, "want a person, or a party, or a party and a role")
		case w.Person == "" && !slices.ContainsFunc(r.Voters, w.includes):
			add(field, "%s may not vote; want one of the voters", w)
		}
	}
	switch {
	case !slices.Contains([]Expiry{"", RejectOnExpiry, ApproveOnExpiry}, r.OnExpiry):
		add("on_expiry", "%q; want %s or %s", r.OnExpiry, RejectOnExpiry, ApproveOnExpiry)
	case r.OnExpiry == ApproveOnExpiry && len(r.Required) > 0:
		add("on_expiry", "approve takes silence for a yes, and somebody is required to say yes; want reject, or nobody required")
	}
	for n, c := range r.Yes {
		if c != Ready && c != ReadyWithRisk {
			add(fmt.Sprintf("yes[%d]", n), "%q; want %s or %s", c, Ready, ReadyWithRisk)
		}
	}
	if len(r.Yes) > 0 && !slices.Contains(r.Yes, Ready) {
		add("yes", "want %s among them", Ready)
	}
	return faults
}

func (n Need) check() []error {
	switch {
	case n != Need{Count: n.Count} && n != Need{Percent: n.Percent} && n != Need{Each: n.Each} || n == Need{}:
		return []error{fault("need", "want one of count, percent, each, and only one")}
	case n.Count < 0:
		return []error{fault("need.count", "%d; want 1 or more", n.Count)}
	case n.Percent < 0 || n.Percent > 100:
		return []error{fault("need.percent", "%d; want 1 to 100", n.Percent)}
	case n.Each != "" && n.Each != EachRole && n.Each != EachParty:
		return []error{fault("need.each", "%q; want %s or %s", n.Each, EachRole, EachParty)}
	}
	return nil
}

// CheckFor returns what these people can never fulfil, even if all of them said yes. Who will have asked for it or implement
// it is not known then.
func (r Rule) CheckFor(people []Elector) []error {
	b := Ballot{Rule: r, Electorate: Electorate{Electors: people}}
	var faults []error
	for _, d := range r.demands(b.seats()) {
		if d.Of < d.Needed {
			field := "need"
			if slices.Contains(r.Required, d.Who) {
				field = "required"
			}
			faults = append(faults, fault(field, "%d of %s must say yes; %d may vote", d.Needed, d.Who, d.Of))
		}
	}
	return faults
}

// CheckVote returns what is wrong with the form of a vote. Nothing of it is worth a record.
func (r Rule) CheckVote(v Vote) error {
	choices := r.Choices()
	switch {
	case v.ID == "" || len(v.ID) > maxID:
		return fault("id", "%d bytes; want 1 to %d", len(v.ID), maxID)
	case v.By == "":
		return fault("by", "missing")
	case len(v.Shown) != hex.EncodedLen(sha256.Size):
		return fault("shown", "%d bytes; want the SHA-256 of what was shown", len(v.Shown))
	case !slices.Contains(choices, v.Choice):
		return fault("choice", "%q; want %s", v.Choice, listed(choices))
	case len(v.Reason) > MaxReason:
		return fault("reason", "%d bytes; want %d at most", len(v.Reason), MaxReason)
	case slices.Contains([]Choice{Reject, NotReady, ReadyWithRisk}, v.Choice) && strings.TrimSpace(v.Reason) == "":
		return fault("reason", "missing; %s needs one", v.Choice)
	}
	return nil
}

// Choices lists what a vote may say.
func (r Rule) Choices() []Choice {
	if len(r.Yes) > 0 {
		return []Choice{Ready, ReadyWithRisk, NotReady, Abstain}
	}
	return []Choice{Approve, Reject, Abstain}
}

// counts tells whether a choice is a yes.
func (r Rule) counts(c Choice) bool { return c == Approve || slices.Contains(r.Yes, c) }

// speaksAs returns the voters that a person is one of.
func (r Rule) speaksAs(e Elector) []Voter {
	var as []Voter
	for _, v := range r.Voters {
		if v.Party == e.Party && slices.Contains(e.Roles, v.Role) {
			as = append(as, v)
		}
	}
	return as
}

// includes tells whether those of a voter are of the part.
func (w Who) includes(v Voter) bool {
	return (w.Party == "" || w.Party == v.Party) && (w.Role == "" || w.Role == v.Role)
}

func listed[T ~string](all []T) string {
	texts := make([]string, len(all))
	for n, one := range all {
		texts[n] = string(one)
	}
	return strings.Join(texts, ", ")
}
