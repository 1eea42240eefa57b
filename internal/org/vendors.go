package org

import (
	"maps"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
)

// A Vendor is a party that supplies a part of what services run on, with what it has promised to us.
type Vendor struct {
	Party

	Plan     string               // what we bought from it
	OpenCase string               // how to request support: a URL or a line of text
	Notify   []escalation.Target  // whom of ours to tell when a case is filed
	Escalate string               // how to escalate a case in an incident
	Respond  []Response           // its clock, the most pressing priority first
	Calendar string               // ID of the calendar in which that clock runs
	Contacts []delivery.Recipient // whom of theirs a vendor target means
	Verified calendar.Date        // when the contacts were last tried; the zero Date for never
}

// A Response is how soon a vendor has promised to answer.
type Response struct {
	Priority priority.Priority
	Within   time.Duration // of open time
}

// Vendor returns a vendor with its support record, and whether there is one.
func (o *Organisation) Vendor(id string) (Vendor, bool) {
	v, ok := o.vendors[id]
	return v, ok
}

// VendorSupport returns what a vendor has promised, as an incident pins it when a case is opened. What it has not promised is left
// out, and a party without a record has no name of ours to tell.
func (o *Organisation) VendorSupport(id string) (incident.VendorSupport, bool) {
	v, ok := o.vendors[id]
	if !ok {
		return incident.VendorSupport{}, false
	}
	s := incident.VendorSupport{
		ID: v.ID, Name: v.Name, Plan: v.Plan, OpenCase: v.OpenCase, Escalate: v.Escalate, Notify: v.Notify, Reachable: len(v.Contacts) > 0,
	}
	for _, r := range v.Respond {
		s.Respond = append(s.Respond, incident.VendorResponse{Priority: r.Priority, Within: r.Within})
	}
	if rules, ok := o.calendars[v.Calendar]; ok {
		s.Calendar = &rules
	}
	return s, true
}

// Vendors lists the IDs of the vendors with a support record.
func (o *Organisation) Vendors() []string { return slices.Sorted(maps.Keys(o.vendors)) }

// readSupport reads what a vendor has promised.
func (b *builder) readSupport(o *object, p Party) {
	n := o.field("support")
	switch {
	case n.kind == absent:
		return
	case p.Kind != authority.Vendor:
		o.fault(n.place, "%s: want none, because only a vendor supports us by a contract of its own", o.about("support"))
	}
	o.object(n, o.about("support"), func(o *object) {
		v := Vendor{Party: p}
		v.Plan, _ = need(o, "plan", aName)
		v.OpenCase, _ = need(o, "open_case", aName)
		v.Escalate, _ = need(o, "escalate", aName)
		v.Notify = b.targetsLater(o, "notify", aLastTarget)
		v.Respond = b.readResponses(o)
		if o.has("calendar") || len(v.Respond) > 0 {
			v.Calendar, _ = o.ref("calendar", "calendar")
		}
		if o.has("contacts") {
			v.Contacts = b.readContacts(o, p.ID, b.language())
		}
		v.Verified = maybe(o, "verified", aDate, 0)
		b.vendors[p.ID] = v
	})
}

// readResponses reads the clock of a vendor. What is left out was not promised.
func (b *builder) readResponses(o *object) (all []Response) {
	n := o.field("respond")
	if n.kind == absent {
		return nil
	}
	o.object(n, o.about("respond"), func(o *object) {
		for _, p := range priority.All() {
			if o.has(p.String()) {
				within, _ := need(o, p.String(), aWait)
				all = append(all, Response{p, within})
			}
		}
		if len(o.fields) == 0 {
			o.fault(o.place, "%s: none; want what was promised, such as P1: 1h", o.subject)
		}
	})
	return all
}

// targetsLater reads a list of targets that are defined in files after this one.
func (b *builder) targetsLater(o *object, key string, f form[escalation.Target]) (all []escalation.Target) {
	subject := o.about(key)
	for _, n := range o.items(key, some) {
		if t, ok := value(o.reader, n, subject, f); ok {
			b.later = append(b.later, func() { b.knowsTarget(n.place, subject, t) })
			all = append(all, t)
		}
	}
	return all
}

// knowsVendor tells whether a vendor has somebody to tell, and makes a fault of it when not.
func (b *builder) knowsVendor(at place, subject, id string) bool {
	t := b.table(party)
	if _, known := t.places[id]; !known {
		return b.knowsParty(at, subject, id)
	}
	if len(b.vendors[id].Contacts) == 0 {
		b.fault(at, "%s %s: not a vendor with contacts; want contacts in the support of party %s in %s", subject, show(id), id, partiesFile)
		return false
	}
	return true
}

// staleVendors warns of contacts of vendors that nobody has tried for a while: they go out of date unseen.
func (b *builder) staleVendors(w *reader, now time.Time) {
	const most = 90 // days
	for id, v := range b.vendors {
		switch {
		case len(v.Contacts) == 0:
		case v.Verified == 0:
			w.fault(w.placeOf(party, id), "party %s: support: nobody has ever tried the contacts; want the date of it as verified", id)
		case calendar.DateOf(now.In(b.org.Zone))-v.Verified > most:
			w.fault(w.placeOf(party, id), "party %s: support: the contacts were last verified on %s, more than %d days ago", id, v.Verified, most)
		}
	}
}
