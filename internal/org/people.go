package org

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/priority"
)

// A person can be paged; so can each of a customer's contacts be told.
type person struct {
	delivery.Recipient

	place   place // of the ID
	methods []method
	phone   string // in contact lists of plans, for all parties to see
	quiet   []quietHours
	away    []absence
	party   string // ID
	roles   []authority.Role
}

// A method is one way to reach somebody.
type method struct {
	name    string
	kind    delivery.ContactType
	address address
	secret  ref
	after   time.Duration       // how long after the method before it, 0 where that is left to the policy
	only    []priority.Priority // for which priorities, all when empty
}

// serves tells whether the method is for a priority.
func (m method) serves(p priority.Priority) bool {
	return len(m.only) == 0 || slices.Contains(m.only, p)
}

// A customer is whom an incident may touch, without its plan.
type customer struct {
	name     string
	plan     string
	contacts []delivery.Recipient

	engineers    engineers
	environments []Environment
}

func (b *builder) readPeople(o *object) {
	o.entries("people", "person", some, func(o *object, id string) {
		p := b.readPerson(o, id, true, func() string { l, _ := need(o, "language", aLanguage); return l })
		p.quiet, p.away = b.readQuiet(o, b.zoneOf(p)), b.readAway(o, b.zoneOf(p))
		p.party = b.readParty(o, id)
		p.roles = b.readRoles(o, p.party)
		b.readLogin(o, id)
		b.people[id] = p
	})
}

// readPerson reads what people and the contacts of other parties have in common.
func (b *builder) readPerson(o *object, id string, paged bool, language func() string) person {
	p := person{Recipient: delivery.Recipient{ID: id}, place: o.field("id").place}
	p.Name, _ = need(o, "name", aName)
	p.Language = language()
	if zone := maybe(o, "zone", aZone, nil); zone != nil {
		p.Zone = zone.String()
	}
	p.phone = maybe(o, "phone", aPhone, "")
	p.methods = b.readMethods(o, paged)
	p.Methods, p.Delays = tried(p.methods)
	return p
}

// readMethods reads how somebody is reached, in the order in which that is tried. Only a page waits for an answer, so only of
// whoever is paged the methods have delays.
func (b *builder) readMethods(o *object, paged bool) (methods []method) {
	subject, seen := o.subject, map[string]bool{}
	for i, n := range o.items("methods", some) {
		o.object(n, fmt.Sprintf("%s: method %d", subject, i+1), func(o *object) {
			name, ok := need(o, "name", anID)
			if ok {
				o.subject = subject + ": method " + name
			}
			if ok && seen[name] {
				o.fault(o.field("name").place, "%s: name %s: named twice", o.subject, show(name))
			}
			seen[name] = true
			m := b.readMethod(o, name)
			if paged {
				m.after = maybe(o, "after", aWait, 0)
			}
			if m.after > 0 && i == 0 {
				o.fault(o.field("after").place, "%s: want none, because no method is before it", o.about("after"))
			}
			methods = append(methods, m)
		})
	}
	return methods
}

// tried returns the names of methods in the order in which they are tried, and their delays where one has any.
func tried(methods []method) (names []string, delays []time.Duration) {
	for n, m := range methods {
		names = append(names, m.name)
		if m.after > 0 && n > 0 {
			delays = append(delays, make([]time.Duration, n-len(delays))...)
			delays = append(delays, m.after)
		}
	}
	return names, delays
}

// readMethod reads how somebody is reached.
func (b *builder) readMethod(o *object, name string) method {
	m := method{name: name}
	kind, ok := need(o, "type", aContactType)
	m.kind = kind
	switch kind {
	case delivery.File:
		plain, _ := need(o, "address", aFileName)
		m.address.plain = Secret(plain)
	case delivery.Email:
		m.address = o.address("address", aMail)
		if b.mail == nil && !b.table("organisation").unread {
			o.fault(o.field("type").place, "%s: type email: %s says nothing of mail; want mail there, with host and from", o.subject, settingsFile)
		}
	case delivery.Webhook:
		m.address = o.address("address", aHook)
		m.secret, _ = need(o, "secret", aRef)
	case delivery.SMS, delivery.Voice:
		m.address = b.readPhoneMethod(o, kind)
	case delivery.PagerDuty:
		m.address.ref, _ = need(o, "address", aRef)
		m.secret = maybe(o, "secret", aRef, ref{})
	case delivery.Console:
	default:
		b.readChatMethod(o, &m)
	}
	if n := o.field("address"); ok && kind == delivery.Console && n.kind != absent {
		o.fault(n.place, "%s: want none, because the type console has no address", o.about("address"))
	}
	if n := o.field("secret"); ok && !slices.Contains(withSecret(), kind) && n.kind != absent {
		o.fault(n.place, "%s: want none, because the type %s has none of its own", o.about("secret"), kind)
	}
	m.only = readPriorities(o, "for")
	return m
}

func (b *builder) readCustomers(o *object) {
	o.entries("customers", "customer", anyNumber, func(o *object, id string) {
		c := customer{}
		c.name, _ = need(o, "name", aName)
		if b.table("customer").places[id] == o.field("id").place { // else it is no id, or one of another customer
			b.addParty(o, Party{id, c.name, authority.Customer})
		}
		language, _ := need(o, "language", aLanguage)
		c.plan, _ = o.ref("support_plan", "support plan")
		c.engineers = b.readEngineers(o)
		c.contacts = b.readContacts(o, id, language)
		b.customers[id] = c
		b.readContract(o, id, c.plan)
		b.readEnvironments(o, id)
		b.customerRecords(o, id)
	})
}

// readContacts reads whom of another party we tell. They are that party's, and not paged as our own people are.
func (b *builder) readContacts(o *object, party string, language string) (all []delivery.Recipient) {
	o.entries("contacts", o.about("contact"), some, func(o *object, contact string) {
		p := b.readPerson(o, party+"/"+contact, false, func() string { return maybe(o, "language", aLanguage, language) })
		p.party, p.roles = party, b.readRoles(o, party)
		all = append(all, p.Recipient)
		b.people[p.ID] = p
	})
	return all
}

// Own tells whether a recipient is one of the provider's own people, or a group in which nobody else is.
func (o *Organisation) Own(recipient string) bool {
	own := func(id string) bool {
		p, known := o.people[id]
		return known && o.parties[p.party].Kind == authority.Provider
	}
	if group, is := strings.CutPrefix(recipient, string(escalation.Group)+":"); is {
		return !slices.ContainsFunc(o.groups[group].members, func(id string) bool { return !own(id) })
	}
	return own(recipient)
}
