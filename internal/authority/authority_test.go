package authority_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

const unknown = "something-new" // of any type

// ownership is what an object has to do with the party "mine" and the actor "kim".
type ownership struct {
	name       string
	restricted string // whether and how, in words before the name; empty: things of its kind never are
	object     authority.Object
}

// ownerships lists the objects of a kind: whatever they can have to do with a subject.
func ownerships(k authority.Kind) []ownership {
	o := authority.Object{Kind: k}
	switch k {
	case authority.Incident, authority.Review:
		customer, partner, others := o, o, o
		customer.Customers, customer.Partners = []string{"other", "mine"}, []string{"another"}
		partner.Customers, partner.Partners = []string{"other"}, []string{"another", "mine"}
		others.Customers, others.Partners = []string{"other"}, []string{"another"}
		all := []ownership{
			{string(k) + " that is about its party", "ordinary ", customer},
			{string(k) + " whose service names its party", "ordinary ", partner},
			{string(k) + " of other parties", "ordinary ", others},
			{string(k) + " of no party", "ordinary ", o},
		}
		for _, one := range all {
			one.object.Restricted, one.object.Involved, one.restricted = true, []string{"lee"}, "restricted "
			all = append(all, one)
			one.object.Involved, one.restricted = []string{"lee", "kim"}, "own restricted "
			all = append(all, one)
		}
		return all
	case authority.Change:
		customer, partner, others := o, o, o
		customer.Customers, partner.Partners = []string{"mine"}, []string{"another", "mine"}
		others.Customers, others.Partners = []string{"other"}, []string{"another"}
		return []ownership{{"change that concerns its party", "", customer}, {"change of a service that names its party", "", partner}, {"change of other parties", "", others}}
	case authority.Asset:
		customer, partner, others := o, o, o
		customer.Customers, partner.Partners = []string{"mine"}, []string{"another", "mine"}
		others.Customers, others.Partners = []string{"other"}, []string{"another"}
		return []ownership{{"asset of its party", "", customer}, {"asset of a service that names its party", "", partner}, {"asset of other parties", "", others}}
	case authority.Request:
		own, others := o, o
		own.Customers, others.Customers = []string{"mine"}, []string{"other"}
		return []ownership{{"request of its party", "", own}, {"request of another party", "", others}}
	case authority.Action:
		own, others := o, o
		own.Customers, others.Customers = []string{"mine"}, []string{"other"}
		return []ownership{{"action item that its party may see", "", own}, {"action item of another party", "", others}, {"internal action item", "", o}}
	case authority.PlanRun:
		customer, partner, others := o, o, o
		customer.Customers, partner.Partners = []string{"mine"}, []string{"another", "mine"}
		others.Customers, others.Partners = []string{"other"}, []string{"another"}
		return []ownership{{"run for its party", "", customer}, {"run whose services name its party", "", partner}, {"run of other parties", "", others}}
	case authority.Token:
		own, others := o, o
		own.Owner, others.Owner = "kim", "lee"
		return []ownership{{"its own token", "", own}, {"somebody else's token", "", others}, {"a machine's token", "", o}}
	case authority.Contact:
		own, others := o, o
		own.Owner, others.Owner = "kim", "lee"
		return []ownership{{"how it is reached itself", "", own}, {"how somebody else is reached", "", others}}
	case authority.Attempts, authority.Keys, authority.Handover:
	}
	return []ownership{{string(k), "", o}}
}

func subject(actor timeline.ActorKind, party authority.PartyKind, roles ...authority.Role) authority.Subject {
	return authority.Subject{Actor: timeline.Actor{Kind: actor, ID: "kim"}, Party: "mine", Kind: party, Roles: roles}
}

// allowed walks every verb.
func allowed(s authority.Subject, o authority.Object) string {
	var verbs []string
	for _, v := range append(authority.Verbs(), unknown, "") {
		if authority.May(s, v, o) == nil {
			verbs = append(verbs, string(v))
		}
	}
	return strings.Join(verbs, " ")
}

// lines says what a subject may do to the things of a kind. Where it is the same for all of them, or for all of those that are
// restricted or not alike, it says so once.
func lines(s authority.Subject, k authority.Kind) string {
	each := map[string][]string{} // what may be done, by how things are restricted, each once
	for _, o := range ownerships(k) {
		each[o.restricted] = append(each[o.restricted], allowed(s, o.object))
	}
	same := func(all []string) bool { return len(slices.Compact(slices.Clone(all))) == 1 }
	var b strings.Builder
	line := func(name, may string) {
		if may != "" {
			fmt.Fprintf(&b, "  %s: %s\n", name, may)
		}
	}
	if all := slices.Concat(slices.Collect(maps.Values(each))...); len(all) > 1 && same(all) {
		line("every "+string(k), all[0])
		return b.String()
	}
	for _, restricted := range []string{"", "ordinary ", "restricted ", "own restricted "} {
		if all := each[restricted]; len(all) > 1 && same(all) {
			line("every "+restricted+string(k), all[0])
			continue
		}
		n := 0
		for _, o := range ownerships(k) {
			if o.restricted == restricted {
				line(restricted+o.name, each[restricted][n])
				n++
			}
		}
	}
	return b.String()
}

// TestGrants walks every verb on every kind of thing, whatever it has to do with the subject, by every role of every kind of
// party, and compares with the rules as people read them.
func TestGrants(t *testing.T) {
	var b strings.Builder
	b.WriteString("Who may do what. What does not stand here is denied. A source is a machine. Its own restricted things are\nthose in which it is involved.\n")
	for _, actor := range []timeline.ActorKind{timeline.Person, timeline.Source, timeline.Engine, unknown, ""} {
		for _, party := range append(authority.PartyKinds(), unknown, "") {
			for _, role := range append(authority.Roles(), unknown, "") {
				may := ""
				for _, k := range append(authority.Kinds(), unknown, "") {
					may += lines(subject(actor, party, role), k)
				}
				if may != "" {
					fmt.Fprintf(&b, "\n%s, %s of a %s\n%s", actor, role, party, may)
				}
			}
		}
	}
	const file = "testdata/grants.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWhoIsNobodyMayNothing(t *testing.T) {
	nameless := subject(timeline.Person, authority.Provider, authority.Administrator)
	nameless.Actor.ID = ""
	for name, s := range map[string]authority.Subject{
		"zero":     {},
		"nameless": nameless,
		"roleless": subject(timeline.Person, authority.Provider),
	} {
		for _, k := range authority.Kinds() {
			for _, o := range ownerships(k) {
				if got := allowed(s, o.object); got != "" {
					t.Errorf("%s subject, %s: may %s, want nothing", name, o.name, got)
				}
			}
		}
		if got := authority.Sees(s); !reflect.DeepEqual(got, authority.Sight{}) {
			t.Errorf("%s subject sees %+v, want nothing", name, got)
		}
	}
}

// A party without a name is not the same as another without a name.
func TestNoPartyOwnsWhatNamesNone(t *testing.T) {
	for _, kind := range []authority.PartyKind{authority.Customer, authority.Partner, authority.Vendor} {
		s := subject(timeline.Person, kind, authority.Responder)
		s.Party = ""
		o := authority.Object{Kind: authority.Incident, Customers: []string{""}, Partners: []string{""}}
		if got := allowed(s, o); got != "" {
			t.Errorf("a nameless %s may %s, want nothing", kind, got)
		}
	}
}

func TestSees(t *testing.T) {
	only := func(s authority.Subject, scopes ...authority.Verb) authority.Subject {
		s.Scopes = scopes
		return s
	}
	for _, tt := range []struct {
		name string
		s    authority.Subject
		want authority.Sight
	}{
		{"a member of the provider", subject(timeline.Person, authority.Provider, authority.Member), authority.Sight{All: true}},
		{"a machine", subject(timeline.Source, authority.Provider, authority.Auditor), authority.Sight{All: true, Restricted: true}},
		{"a responder of the provider", subject(timeline.Person, authority.Provider, authority.Responder), authority.Sight{All: true}},
		{"an administrator", subject(timeline.Person, authority.Provider, authority.Administrator), authority.Sight{All: true, Restricted: true}},
		{"a customer's member", subject(timeline.Person, authority.Customer, authority.Member), authority.Sight{Customers: []string{"mine"}, Restricted: true}},
		{"a partner's responder", subject(timeline.Person, authority.Partner, authority.Responder), authority.Sight{Partner: "mine"}},
		{"a vendor's member", subject(timeline.Person, authority.Vendor, authority.Member), authority.Sight{Partner: "mine"}},
		{"an unknown role", subject(timeline.Person, authority.Provider, unknown), authority.Sight{}},
		{"a customer's machine", subject(timeline.Source, authority.Customer, authority.Member), authority.Sight{}},
		{"a token that writes notes only", only(subject(timeline.Person, authority.Provider, authority.Member), authority.Note), authority.Sight{}},
		{"a token that reads only", only(subject(timeline.Person, authority.Provider, authority.Member), authority.Read), authority.Sight{All: true}},
	} {
		if got := authority.Sees(tt.s); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: sees %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestADenialSaysWhatIsNeeded(t *testing.T) {
	narrowed := subject(timeline.Person, authority.Provider, authority.Administrator)
	narrowed.Scopes = []authority.Verb{authority.Read}
	customer := subject(timeline.Person, authority.Customer, authority.Member)
	for _, tt := range []struct {
		s    authority.Subject
		v    authority.Verb
		k    authority.Kind
		want string
	}{
		{customer, authority.Read, authority.Incident, "read incident: want anybody of the provider, or anybody of a customer that it is about, " +
			"or anybody of a partner of its service, or anybody of a vendor of its service"},
		{customer, authority.Acknowledge, authority.Incident, "acknowledge incident: want administrator or responder of the provider, or responder of a partner of its service"},
		{customer, authority.ReadAttempts, authority.Attempts, "read-attempts attempts: want administrator or auditor of the provider"},
		{customer, authority.ManageOwnTokens, authority.Token, "manage-own-tokens token: want the person for whom the token speaks"},
		{customer, authority.ManageKeys, authority.Incident, "manage-keys incident: no role allows it"},
		{customer, unknown, authority.Incident, "something-new incident: no role allows it"},
		{subject(timeline.Source, authority.Provider, authority.Administrator), authority.Mitigate, authority.Incident, "mitigate incident: want a person: a machine may not, whatever its role"},
		{narrowed, authority.Note, authority.Incident, "note incident: want a token that is not narrowed, or one whose scopes name it"},
	} {
		err := authority.May(tt.s, tt.v, authority.Object{Kind: tt.k})
		denied, ok := errors.AsType[*authority.DeniedError](err)
		if !ok || denied.Verb != tt.v || denied.Kind != tt.k || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// Every command of an incident has its verb, named as its type.
func TestEveryCommandHasAVerb(t *testing.T) {
	var want []authority.Verb
	for _, c := range []incident.Command{
		incident.Acknowledge{},
		incident.Assign{},
		incident.Note{},
		incident.Escalate{},
		incident.SetPriority{},
		incident.PauseClock{},
		incident.ResumeClock{},
		incident.Mitigate{},
		incident.Resolve{},
		incident.Reopen{},
		incident.Close{},
		incident.SendUpdate{},
		incident.Repin{},
		incident.AddResponder{},
		incident.SetCause{},
		incident.RecordCase{},
		incident.SetTime{},
		incident.SendReport{},
		incident.Answer{},
		incident.StartRunbook{},
		incident.EndRunbook{},
		incident.Merge{},
		incident.Split{},
		incident.Relate{},
		incident.ApproveResponse{},
		incident.StopResponse{},
	} {
		words := regexp.MustCompile(`(.)([A-Z])`).ReplaceAllString(reflect.TypeOf(c).Name(), "$1-$2")
		want = append(want, authority.Verb(strings.ToLower(words)))
	}
	if diff := cmp.Diff(want, authority.Commands()); diff != "" {
		t.Error(diff)
	}
}

// What can be drawn: known words, unknown ones and none.
func oneOf[T ~string](t *rapid.T, known []T, label string) T {
	return rapid.SampledFrom(append(known, unknown, "")).Draw(t, label)
}

func drawSubject(t *rapid.T) authority.Subject {
	s := authority.Subject{
		Actor: timeline.Actor{
			Kind: oneOf(t, []timeline.ActorKind{timeline.Person, timeline.Source, timeline.Engine}, "actor"),
			ID:   oneOf(t, []string{"kim", "lee"}, "id"),
		},
		Party: oneOf(t, []string{"a", "b"}, "party"),
		Kind:  oneOf(t, authority.PartyKinds(), "party kind"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "roles") {
		s.Roles = append(s.Roles, oneOf(t, authority.Roles(), "role"))
	}
	s.Scopes = rapid.SliceOfN(rapid.SampledFrom(append(authority.Verbs(), unknown)), 0, 4).Draw(t, "scopes")
	return s
}

func drawObject(t *rapid.T, k authority.Kind) authority.Object {
	parties := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 3)
	return authority.Object{
		Kind: k, Customers: parties.Draw(t, "customers"), Partners: parties.Draw(t, "partners"),
		Owner: oneOf(t, []string{"kim", "lee"}, "owner"), Restricted: rapid.Bool().Draw(t, "restricted"),
		Involved: rapid.SliceOfN(rapid.SampledFrom([]string{"kim", "lee"}), 0, 2).Draw(t, "involved"),
	}
}

func drawCase(t *rapid.T) (authority.Subject, authority.Verb, authority.Object) {
	return drawSubject(t), oneOf(t, authority.Verbs(), "verb"), drawObject(t, oneOf(t, authority.Kinds(), "kind"))
}

func TestNarrowingNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v, o := drawCase(t)
		wide := s
		wide.Scopes = nil
		got, want := authority.May(s, v, o) == nil, authority.May(wide, v, o) == nil
		if len(s.Scopes) > 0 {
			want = want && slices.Contains(s.Scopes, v)
		}
		if got != want {
			t.Fatalf("narrowed to %v: may %s %s %t, want %t", s.Scopes, v, o.Kind, got, want)
		}
	})
}

// Roles add up, and none takes away what another gives.
func TestRolesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v, o := drawCase(t)
		want := slices.ContainsFunc(s.Roles, func(r authority.Role) bool {
			one := s
			one.Roles = []authority.Role{r}
			return authority.May(one, v, o) == nil
		})
		if got := authority.May(s, v, o) == nil; got != want {
			t.Fatalf("with %v: may %s %s %t, want %t", s.Roles, v, o.Kind, got, want)
		}
	})
}

// Of another party's incident or review, whoever is not of the provider may nothing.
func TestAnotherPartysIsClosed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v, o := drawCase(t)
		if s.Kind == authority.Provider || v == authority.ManageOwnTokens {
			return
		}
		named := o.Partners
		if s.Kind == authority.Customer {
			named = o.Customers
		}
		if !slices.Contains(named, s.Party) && authority.May(s, v, o) == nil {
			t.Fatalf("a %s of %q may %s %s of %v", s.Kind, s.Party, v, o.Kind, named)
		}
	})
}

// A list shows what may be read, and nothing else, but for restricted incidents in which somebody is involved.
func TestASightIsWhatMayBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, o := drawSubject(t), drawObject(t, authority.Incident)
		sight := authority.Sees(s)
		got := sight.All || sight.Partner != "" && slices.Contains(o.Partners, sight.Partner) ||
			slices.ContainsFunc(sight.Customers, func(c string) bool { return slices.Contains(o.Customers, c) })
		got = got && (!o.Restricted || sight.Restricted)
		if o.Restricted && !sight.Restricted && slices.Contains(o.Involved, s.Actor.ID) {
			return
		}
		if want := authority.May(s, authority.Read, o) == nil; got != want {
			t.Fatalf("%+v shows %+v: %t, but it may be read: %t", sight, o, got, want)
		}
	})
}

// A restriction never gives anything, and whoever is involved loses nothing by it.
func TestARestrictionOnlyTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v, o := drawCase(t)
		open := o
		open.Restricted = false
		without, with := authority.May(s, v, open) == nil, authority.May(s, v, o) == nil
		involved := s.Actor.Kind == timeline.Person && slices.Contains(o.Involved, s.Actor.ID)
		if with && !without || involved && with != without {
			t.Fatalf("%s %+v: %t, and %t without the restriction", v, o, with, without)
		}
	})
}

// Two things of a kind that are both denied are denied in the same words.
func TestADenialTellsNothingOfTheObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, v, o := drawCase(t)
		one, other := authority.May(s, v, o), authority.May(s, v, drawObject(t, o.Kind))
		if one != nil && other != nil && one.Error() != other.Error() {
			t.Fatalf("denied as %q, and as %q", one, other)
		}
	})
}
