package org

import (
	"slices"

	"muster/internal/authority"
	"muster/internal/timeline"
)

// A Party is an organisation that has a part in the work.
type Party struct {
	ID   string
	Name string
	Kind authority.PartyKind
}

// Party returns a party: the organisation itself as the provider, a customer, a partner or a vendor.
func (o *Organisation) Party(id string) (Party, bool) {
	p, ok := o.parties[id]
	return p, ok
}

// Partners returns the IDs of the partners and vendors of a service, as the folder is now: none of a service that it does
// not have.
func (o *Organisation) Partners(service string) []string { return o.partners[service] }

// PartnerServices returns the IDs of the services of a partner or vendor, as the folder is now.
func (o *Organisation) PartnerServices(partner string) []string {
	var all []string
	for service, partners := range o.partners {
		if slices.Contains(partners, partner) {
			all = append(all, service)
		}
	}
	slices.Sort(all)
	return all
}

// Subject returns a person, or a customer's contact as customer/contact, as who acts: with a party, and the roles that they
// have there by this folder. It is narrowed to nothing.
func (o *Organisation) Subject(actor string) (authority.Subject, bool) {
	p, ok := o.people[actor]
	if !ok {
		return authority.Subject{}, false
	}
	return authority.Subject{
		Actor: timeline.Actor{Kind: timeline.Person, ID: p.ID, Name: p.Name},
		Party: p.party, Kind: o.parties[p.party].Kind, Roles: p.roles,
	}, true
}

// PersonByLogin returns the ID of the person whom a sign-in provider knows by a login, which must be exactly as it stands in
// the folder: what differs in its case may be somebody else.
func (o *Organisation) PersonByLogin(login string) (id string, ok bool) {
	id, ok = o.logins[login]
	return id, ok
}

// readParties reads parties.yaml.
func (b *builder) readParties(o *object) {
	o.entries("parties", party, anyNumber, func(o *object, id string) {
		p := Party{ID: id}
		p.Name, _ = need(o, "name", aName)
		p.Kind, _ = need(o, "kind", aPartyKind)
		b.parties[id] = p
		b.readSupport(o, p)
	})
}

// party is the kind of thing that all parties are, whichever file they stand in: no two have one ID.
const party = "party"

// addParty makes a party of what has its ID in an object of another file than parties.yaml.
func (b *builder) addParty(o *object, p Party) {
	b.define(o.field("id").place, o.about("id"), party, p.ID)
	b.parties[p.ID] = p
}

// knowsParty tells whether a party has been defined, and makes a fault of it when not.
func (b *builder) knowsParty(at place, subject, id string) bool {
	t := b.table(party)
	t.unread = t.unread || b.table("organisation").unread || b.table("customer").unread
	return b.knows(at, subject, party, id)
}

// readParty reads whom a person belongs to, and remembers who is never paged.
func (b *builder) readParty(o *object, id string) string {
	if !o.has("party") {
		return b.org.ID
	}
	p, ok := need(o, "party", anIDOf(party))
	if ok && b.knowsParty(o.field("party").place, o.about("party"), p) && b.parties[p].Kind == authority.Customer {
		b.table("person").barred[id] = "a person of customer " + p + ", and a customer's people are never paged; want somebody else"
	}
	return p
}

// readRoles reads what somebody is for their party.
func (b *builder) readRoles(o *object, party string) []authority.Role {
	if !o.has("roles") {
		if b.parties[party].Kind == authority.Provider {
			return []authority.Role{authority.Responder}
		}
		return []authority.Role{authority.Member}
	}
	var roles []authority.Role
	for _, n := range o.items("roles", some) {
		if r, ok := value(o.reader, n, o.about("roles"), aRole); ok {
			roles = append(roles, r)
		}
	}
	o.once("roles")
	return roles
}

// readLogin reads how a sign-in provider knows a person.
func (b *builder) readLogin(o *object, id string) {
	if login := maybe(o, "login", aLogin, ""); login != "" {
		b.define(o.field("login").place, o.about("login"), "login", login)
		b.logins[login] = id
	}
}

// readPartners reads the partners and vendors of a service.
func (b *builder) readPartners(o *object) []string {
	var partners []string
	for _, n := range o.items("partners", optional) {
		id, ok := value(o.reader, n, o.about("partners"), anIDOf(party))
		if !ok || !b.knowsParty(n.place, o.about("partners"), id) {
			continue
		}
		if k := b.parties[id].Kind; k != authority.Partner && k != authority.Vendor {
			o.fault(n.place, "%s %s: a %s; want a partner or vendor of %s", o.about("partners"), show(id), k, partiesFile)
		}
		partners = append(partners, id)
	}
	o.once("partners")
	return partners
}
