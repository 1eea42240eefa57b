package org

import (
	"muster/internal/delivery"
	"muster/internal/escalation"
)

// A group is people who answer for something together, with a channel of its own or without.
type group struct {
	delivery.Recipient // the channel: without methods there is none

	methods []method
	members []string // IDs of people
	phone   string   // as of a person
}

// readGroups reads groups.yaml.
func (b *builder) readGroups(o *object) {
	o.entries("groups", "group", anyNumber, func(o *object, id string) {
		g := group{Recipient: delivery.Recipient{ID: escalation.Target{Kind: escalation.Group, ID: id}.String(), Shared: true}}
		g.Name, _ = need(o, "name", aName)
		g.phone = maybe(o, "phone", aPhone, "")
		g.Language = maybe(o, "language", aLanguage, b.language())
		g.members = o.refs("members", "person", optional)
		o.once("members")
		g.Along = len(g.members) > 0
		if o.has("methods") {
			g.methods = b.readMethods(o, true)
			g.Methods, g.Delays = tried(g.methods)
		}
		if len(o.field("members").items) == 0 && !o.has("methods") {
			o.fault(o.place, "%s: nobody is in it, and it has no channel; want members, methods or both", o.subject)
		}
		b.groups[id] = g
	})
}

// language is the organisation's own.
func (b *builder) language() string {
	if len(b.org.Languages) == 0 {
		return "" // a fault has been told
	}
	return b.org.Languages[0]
}

// Group returns whom a group means: its channel, if it has one, and then its members.
func (o *Organisation) Group(id string) ([]delivery.Recipient, error) {
	g, ok := o.groups[id]
	if !ok {
		return nil, o.missing("group", id)
	}
	var all []delivery.Recipient
	if len(g.Methods) > 0 {
		all = append(all, g.Recipient)
	}
	for _, m := range g.members {
		all = append(all, o.people[m].Recipient)
	}
	return all, nil
}
