// Package authority says who may do what: a verb on a kind of thing, by a role of a party that the thing concerns. What the
// table does not grant is denied. The package reads no clock, no folder and no token: whoever asks says who acts and on what.
package authority

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/timeline"
)

// A Subject is who acts. The zero Subject may nothing.
type Subject struct {
	Actor  timeline.Actor
	Party  string    // ID of the party that the actor belongs to
	Kind   PartyKind // of that party; a machine acts as one of the provider or not at all
	Roles  []Role    // what each of them allows is allowed
	Scopes []Verb    // where there are any, nothing else is allowed; a scope gives nothing by itself
}

// An Object is what somebody acts on. An incident, a review, a request, an action item or a run of a plan names the parties that it concerns; attempts
// and keys are all of the installation's, so they need nothing but their kind.
type Object struct {
	Kind      Kind
	Customers []string // IDs of the customers that an incident, a review, a request or a run is about
	Partners  []string // IDs of the partners and vendors of its services
	Owner     string   // ID of the person for whom a token speaks, empty when it speaks for a machine; of who is reached

	Restricted bool     // the provider's own people, partners and vendors need to be trusted with it besides
	Involved   []string // IDs of the persons who are
}

// A DeniedError says that somebody may not do something, and what would be needed for it. It depends on the verb, on the kind
// and on whoever asks, never on the object: who may not read a thing does not learn that it is there.
type DeniedError struct {
	Verb   Verb
	Kind   Kind
	Reason string
}

// Error returns what was asked for and why it is denied.
func (e *DeniedError) Error() string { return fmt.Sprintf("%s %s: %s", e.Verb, e.Kind, e.Reason) }

// May tells whether a subject may do something to an object. Its error is a *DeniedError.
func May(s Subject, v Verb, o Object) error {
	allows := func(r Role) bool { return granted(s.Kind, r, v, o.Kind) && trusted(s, r, o) }
	switch {
	case s.Actor.Kind == timeline.Source && personal(v, o.Kind):
		return &DeniedError{v, o.Kind, "want a person: a machine may not, whatever its role"}
	case len(s.Scopes) > 0 && !slices.Contains(s.Scopes, v):
		return &DeniedError{v, o.Kind, "want a token that is not narrowed, or one whose scopes name it"}
	case !acts(s) || !concerns(s, v, o) || !slices.ContainsFunc(s.Roles, allows):
		return &DeniedError{v, o.Kind, needed(v, o.Kind)}
	}
	return nil
}

// acts tells whether a subject is somebody who acts at all: a person, or a machine of the provider.
func acts(s Subject) bool {
	kind := s.Actor.Kind
	return s.Actor.ID != "" && (kind == timeline.Person || kind == timeline.Source && s.Kind == Provider)
}

// concerns tells whether an object is one to which the grants of a subject's party apply.
func concerns(s Subject, v Verb, o Object) bool {
	if v == ManageOwnTokens || v == ReadOwn {
		return o.Owner == s.Actor.ID
	}
	switch s.Kind {
	case Provider:
		return true
	case Customer:
		return s.Party != "" && slices.Contains(o.Customers, s.Party)
	case Partner, Vendor:
		return s.Party != "" && slices.Contains(o.Partners, s.Party)
	}
	return false
}

// trusted tells whether a role gives a subject anything on a restricted object: those who answer for the whole installation,
// whoever is involved, and the customers that it is about, who see no more than their own part.
func trusted(s Subject, r Role, o Object) bool {
	return !o.Restricted || s.Kind == Customer || s.Kind == Provider && (r == Administrator || r == Auditor) ||
		s.Actor.Kind == timeline.Person && slices.Contains(o.Involved, s.Actor.ID)
}

// A Sight is what a list of incidents may show to somebody. The zero Sight is nothing.
type Sight struct {
	All        bool     // every incident
	Customers  []string // else those that are about one of these customers
	Partner    string   // else those of services that have this party as a partner or vendor
	Restricted bool     // restricted ones among them too
}

// Sees returns what a list of incidents may show to a subject: exactly those that it may read, but for restricted ones in
// which it is involved. Whoever is involved knows their ids.
func Sees(s Subject) Sight {
	sight := sees(s)
	own := []string{s.Party}
	sight.Restricted = May(s, Read, Object{Kind: Incident, Customers: own, Partners: own, Restricted: true}) == nil
	return sight
}

func sees(s Subject) Sight {
	reads := func(o Object) bool { return May(s, Read, o) == nil }
	switch {
	case reads(Object{Kind: Incident}):
		return Sight{All: true}
	case reads(Object{Kind: Incident, Customers: []string{s.Party}}):
		return Sight{Customers: []string{s.Party}}
	case reads(Object{Kind: Incident, Partners: []string{s.Party}}):
		return Sight{Partner: s.Party}
	}
	return Sight{}
}

// needed says whom the table grants a verb on a kind.
func needed(v Verb, k Kind) string {
	if v == ManageOwnTokens && k == Token {
		return "want the person for whom the token speaks"
	}
	var all []string
	for _, p := range PartyKinds() {
		var roles []string
		for _, r := range Roles() {
			if granted(p, r, v, k) {
				roles = append(roles, string(r))
			}
		}
		switch len(roles) {
		case 0:
		case len(Roles()):
			all = append(all, "anybody "+whose(p))
		default:
			all = append(all, strings.Join(roles, " or ")+" "+whose(p))
		}
	}
	if len(all) == 0 {
		return "no role allows it"
	}
	return "want " + strings.Join(all, ", or ")
}

// whose says for which things a kind of party has its grants.
func whose(p PartyKind) string {
	switch p {
	case Provider:
		return "of the provider"
	case Customer:
		return "of a customer that it is about"
	case Partner, Vendor:
	}
	return "of a " + string(p) + " of its service"
}
