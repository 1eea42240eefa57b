package org

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/reach"
)

// contactTests are how often it is tried whether pages arrive, by which types of contact methods, and who mends what does not work.
type contactTests struct {
	every    time.Duration
	types    []delivery.ContactType
	calendar string // in whose open time test pages go; empty: on the working days of whoever gets them
	owner    string // ID of a person
	group    string // ID
}

// The hours of test pages where no calendar says otherwise, on the clock of whoever gets them.
const testsFrom, testsUntil = 10, 17

// aTestTerm leaves out what would flood people.
var aTestTerm = in("a time of at least 1d, such as 30d or 7d, at most 366d", func(s string) (time.Duration, bool) {
	d, ok := duration(s)
	return d, ok && d >= 24*time.Hour
})

func (b *builder) readContactTests(o *object) {
	n := o.field("contact_tests")
	if n.kind == absent {
		return
	}
	b.object(n, o.about("contact_tests"), func(o *object) {
		t := &contactTests{types: testedTypes()}
		t.every, _ = need(o, "every", aTestTerm)
		if o.has("types") {
			t.types = nil
			for _, n := range o.items("types", some) {
				kind, _ := value(o.reader, n, o.about("types"), aContactType)
				t.types = append(t.types, kind)
			}
			o.once("types")
		}
		if o.has("calendar") {
			t.calendar, _ = o.ref("calendar", "calendar")
		}
		owner, ok := o.ref("owner", "person")
		if ok && b.parties[b.people[owner].party].Kind != authority.Provider {
			o.fault(o.field("owner").place, "%s: owner %s: want one of the provider's people", o.subject, show(owner))
		}
		t.owner = owner
		t.group, _ = o.ref("group", "group")
		b.tests = t
	})
}

// testedTypes are those by which test pages go where nobody says otherwise: nobody reads a console or a file, and what rings or costs
// is named.
func testedTypes() []delivery.ContactType {
	return slices.DeleteFunc(delivery.ContactTypes(), func(t delivery.ContactType) bool {
		return t == delivery.Console || t == delivery.File || t == delivery.SMS || t.PagesAlone()
	})
}

// contactTests are the rules of test pages; where the folder says nothing, those of what a person asks for.
func (o *Organisation) contactTests() contactTests {
	if o.tests == nil {
		return contactTests{types: testedTypes()}
	}
	return *o.tests
}

// ContactTests returns by which contact methods test pages may go, in the order of their names: those of people and of channels of groups,
// but not of customers and contacts of other parties, whom a test would only disturb. It returns also how often they go by themselves, 0 when not.
func (o *Organisation) ContactTests(at time.Time) (all []reach.Candidate, every time.Duration) {
	t := o.contactTests()
	for _, p := range o.reached() {
		held := o.testHeld(p, t, at)
		for _, m := range slices.SortedFunc(slices.Values(p.methods), func(a, b method) int { return cmp.Compare(a.name, b.name) }) {
			if slices.Contains(t.types, m.kind) {
				all = append(all, reach.Candidate{To: p.Recipient, Method: m.name, Held: held})
			}
		}
	}
	return all, t.every
}

// reached are the people, but for those of customers, and the channels of groups, in the order of their IDs.
func (o *Organisation) reached() (all []person) {
	for _, id := range slices.Sorted(maps.Keys(o.people)) {
		if _, own := o.Person(id); own && o.parties[o.people[id].party].Kind != authority.Customer {
			all = append(all, o.people[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(o.groups)) {
		if g := o.groups[id]; len(g.methods) > 0 {
			all = append(all, person{Recipient: g.Recipient, methods: g.methods})
		}
	}
	slices.SortFunc(all, func(a, b person) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// testHeld says why no test page goes to somebody at an instant, empty when one may.
func (o *Organisation) testHeld(p person, t contactTests, at time.Time) string {
	for _, a := range p.away {
		if a.lasts(at) {
			return reach.HeldByAbsence
		}
	}
	for _, q := range p.quiet {
		if q.hours.Open(at) {
			return reach.HeldByQuietHours
		}
	}
	if !o.testTime(p, t, at) {
		return reach.HeldByHours
	}
	return ""
}

func (o *Organisation) testTime(p person, t contactTests, at time.Time) bool {
	if t.calendar != "" {
		c, err := o.opening(t.calendar)
		return err == nil && c.Open(at)
	}
	local := at.In(o.Zone)
	if z, ok := zone(p.Zone); ok {
		local = at.In(z)
	}
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	return !weekend && local.Hour() >= testsFrom && local.Hour() < testsUntil
}

// HasContact tells whether somebody has a contact method.
func (o *Organisation) HasContact(w reach.Way) bool {
	methods, _ := o.methods(w.To)
	return slices.ContainsFunc(methods, func(m method) bool { return m.name == w.Method })
}

// ContactItem is what an action item for a contact method that fails begins with. It says no where none is wanted: the folder has no rules
// of test pages, or not that method any more.
func (o *Organisation) ContactItem(w reach.Way) (action.Asked, bool) {
	t := o.contactTests()
	return action.Asked{
		Owner: t.owner, Group: t.group, Origin: action.Origin{Kind: action.OfContact, ID: w.To + "/" + w.Method},
	}, t.owner != "" && o.HasContact(w)
}

// House returns the name of the organisation, its own language and its zone.
func (o *Organisation) House() (name, language, zone string) {
	return o.Name, o.Languages[0], o.Zone.String()
}

// People returns everybody who can be reached, and the channels of groups, with all their contact methods, in the order of their IDs. Those
// answer whom an escalation policy means, or who are on call at an instant.
func (o *Organisation) People(at time.Time) (all []reach.Person) {
	answers := o.answering(at)
	types := o.contactTests().types
	for _, p := range o.reached() {
		x := reach.Person{ID: p.ID, Name: p.Name, Answers: slices.Contains(answers, p.ID)}
		for _, m := range p.methods {
			x.Methods = append(x.Methods, reach.Method{Name: m.name, Type: m.kind, Tested: slices.Contains(types, m.kind)})
		}
		all = append(all, x)
	}
	return all
}

// answering are those who are on call at an instant, or whom a policy means.
func (o *Organisation) answering(at time.Time) (ids []string) {
	var targets []escalation.Target
	for _, id := range o.rosters {
		targets = append(targets, escalation.Target{Kind: escalation.Schedule, ID: id})
	}
	for _, p := range o.policies {
		targets = append(targets, p.Targets()...)
	}
	for _, t := range targets {
		if !slices.Contains([]escalation.TargetKind{escalation.Schedule, escalation.Group, escalation.Person}, t.Kind) {
			continue // it depends on an incident, or is of another party
		}
		to, err := o.Recipients(t, at)
		if err != nil {
			continue // who answers to it cannot be found now: nobody is in it
		}
		for _, r := range to {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
