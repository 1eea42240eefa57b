package org

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/runbook"
	"muster/internal/supportplan"
)

// A service is the part of a definition that it decides, and what there is to do when one of its alerts fires.
type service struct {
	incident.Definition

	plans    []responsePlan
	problems *problemRule // nil: nothing is said of them
}

// A responsePlan leads to what is done about an alert.
type responsePlan struct {
	alert             string        // its name; empty: every alert that no other plan names
	runbook, playbook incident.Link // one of them at least leads somewhere
}

// The forms of what only services have.
var (
	aPrivacy       = oneOf(incident.Privacies()...)
	aSecurityClass = oneOf(incident.Securities()...)
	aTier          = form[int]{
		want: "1 (most important), 2, 3 or 4", read: between(1, 4), is: Schema{"type": "integer", "minimum": 1, "maximum": 4},
	}
	aContact = in("group:ID or person:ID", func(s string) (escalation.Target, bool) {
		t, err := escalation.ParseTarget(s)
		return t, err == nil && (t.Kind == escalation.Group || t.Kind == escalation.Person)
	})
)

// The most that one service may have of each: all but the plans stand in the state of every incident.
const (
	maxComponents   = 30
	maxContacts     = 10
	maxDependencies = 30
	maxPlans        = 500
)

// A Service is what can break, and the customers that use it.
type Service struct {
	incident.Service

	Customers []incident.Customer
}

// Services returns what can break, in the order of their names.
func (o *Organisation) Services() []Service {
	var all []Service
	for _, s := range o.services {
		all = append(all, Service{s.Service, s.Customers})
	}
	slices.SortFunc(all, func(a, b Service) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return all
}

// readServices reads services.yaml.
func (b *builder) readServices(o *object) {
	o.entries("services", "service", some, func(o *object, id string) {
		d := incident.Definition{Service: incident.Service{ID: id}}
		d.Service.Name, _ = need(o, "name", aName)
		var plans []supportplan.Plan
		for _, c := range o.refs("customers", "customer", optional) {
			plan := b.plans[b.customers[c].plan]
			d.Customers = append(d.Customers, incident.Customer{ID: c, Name: b.customers[c].name, Plan: plan})
			plans = append(plans, plan)
		}
		o.once("customers")
		b.partners[id] = b.readPartners(o)
		policy, _ := o.ref("escalation_policy", "policy")
		d.Policy = b.policies[policy]
		d.Impact, _ = need(o, "impact", aLevel)
		d.Urgency, _ = need(o, "urgency", aLevel)
		o.object(o.field("roles"), o.about("roles"), func(o *object) {
			for _, role := range incident.Roles() {
				d.Roles = append(d.Roles, incident.RoleTarget{Role: role, Targets: b.targets(o, string(role), aRoleTarget)})
			}
		})
		if n := o.field("lead"); n.kind != absent {
			d.Lead = &incident.LeadRule{}
			o.object(n, o.about("lead"), func(o *object) {
				d.Lead.FromPriority, _ = need(o, "from_priority", aPriority)
				d.Lead.Within, _ = need(o, "within", aWait)
			})
		}
		d.Quiet, _ = need(o, "quiet", aDuration)
		d.ReopenWithin, _ = need(o, "reopen_within", aDuration)
		d.Review.Stages = &incident.ReviewStages{}
		o.object(o.field("review"), o.about("review"), func(o *object) {
			d.Review.FromPriority, _ = need(o, "from_priority", aPriority)
			d.Review.Customers, _ = need(o, "customers", aBool)
			d.Review.DueWithin, _ = need(o, "due_within", aWait)
			d.Review.Owner, _ = need(o, "owner", oneOf(incident.Roles()...))
			d.Review.Stages = b.readReviewStages(o, d.Policy.LastResort)
		})
		d.Calendars = b.pinned(plans, d.Policy, d.Review.Stages.Calendar)
		for i, n := range o.items("links", optional) {
			o.object(n, fmt.Sprintf("%s: link %d", o.subject, i+1), func(o *object) {
				name, _ := need(o, "name", aName)
				url, _ := need(o, "url", aURL)
				d.Links = append(d.Links, incident.Link{Name: name, URL: url})
			})
		}
		d.TicketResolves = b.tickets.Resolves
		d.Follows, d.Room = b.follows(), b.room()
		d.Quotes, d.Around, d.Recall = true, true, time.Second // finding takes a fraction of it, and nobody misses a promise by it
		d.Communication = &incident.Communication{Pages: b.readOnPages(o), Approval: b.updateApproval, Settles: true}
		b.readOwnership(o, &d)
		b.readDependencies(o, id)
		b.services[id] = &service{d, b.readResponse(o), b.readProblems(o)}
	})
}

// readReviewStages reads until when the parts of a review are to be done, in working days of a calendar. Each may be left out, and
// then has no deadline of its own. Who is told when the owner is late is the last resort of the policy, unless somebody else is named.
func (b *builder) readReviewStages(o *object, lastResort []escalation.Target) *incident.ReviewStages {
	s := &incident.ReviewStages{
		Draft: maybe(o, "draft_days", someDays, 0), Meeting: maybe(o, "meeting_days", someDays, 0), Publish: maybe(o, "publish_days", someDays, 0),
		Lead: lastResort, Edition: review.Edition,
	}
	if o.has("calendar") {
		s.Calendar, _ = o.ref("calendar", "calendar")
	} else if s.Draft+s.Meeting+s.Publish > 0 {
		o.fault(o.place, "%s: calendar: missing; want a calendar that says what a working day is", o.subject)
	}
	before, least := "", 0
	for _, stage := range []struct {
		key  string
		days int
	}{{"draft_days", s.Draft}, {"meeting_days", s.Meeting}, {"publish_days", s.Publish}} {
		switch {
		case stage.days == 0:
			continue
		case stage.days < least:
			o.fault(o.place, "%s: %s: %d; want %d or more, for %s comes before it", o.subject, stage.key, stage.days, least, before)
		}
		before, least = stage.key, max(least, stage.days)
	}
	if o.has("lead") {
		s.Lead = b.targets(o, "lead", aRoleTarget)
	}
	return s
}

// readOwnership reads who answers for a service, how much it matters and what a responder needs first.
func (b *builder) readOwnership(o *object, d *incident.Definition) {
	if o.has("owner") {
		if owner, ok := b.contact(o.reader, o.field("owner"), o.about("owner")); ok {
			d.Owner = &owner
		}
	}
	d.Tier = maybe(o, "tier", aTier, 0)
	if !o.has("triage") {
		return
	}
	t := &incident.Triage{}
	d.Triage = t
	o.object(o.field("triage"), o.about("triage"), func(o *object) {
		t.Architecture = maybe(o, "architecture", aURL, "")
		for _, n := range o.few("components", maxComponents) {
			c, _ := value(o.reader, n, o.about("components"), aName)
			t.Components = append(t.Components, c)
		}
		o.once("components")
		t.Privacy = maybe(o, "privacy", aPrivacy, "")
		t.Security = maybe(o, "security", aSecurityClass, "")
		for _, n := range o.few("contacts", maxContacts) {
			if c, ok := b.contact(o.reader, n, o.about("contacts")); ok {
				t.Contacts = append(t.Contacts, c)
			}
		}
		o.once("contacts")
		t.AccessVerified = maybe(o, "access_verified", aDate, 0)
		if len(o.fields) == 0 {
			o.fault(o.place, "%s: nothing; want one of %s", o.subject, "architecture, components, privacy, security, contacts and access_verified")
		}
	})
}

// contact reads a group or person by name.
func (b *builder) contact(r *reader, n node, subject string) (incident.Contact, bool) {
	t, ok := value(r, n, subject, aContact)
	if !ok || !r.knows(n.place, subject, string(t.Kind), t.ID) {
		return incident.Contact{}, false
	}
	if t.Kind == escalation.Group {
		return incident.Contact{Target: t, Name: b.groups[t.ID].Name}, true
	}
	return incident.Contact{Target: t, Name: b.people[t.ID].Name}, true
}

// few returns the values of a list that may be left out and is short.
func (o *object) few(key string, most int) []node {
	all := o.items(key, optional)
	if len(all) > most {
		o.fault(o.field(key).place, "%s: a list of %d; want at most %d", o.about(key), len(all), most)
		return nil
	}
	return all
}

// readResponse reads what there is to do for each alert.
func (b *builder) readResponse(o *object) (plans []responsePlan) {
	named := map[string]bool{}
	for i, n := range o.few("response", maxPlans) {
		o.object(n, fmt.Sprintf("%s: response %d", o.subject, i+1), func(o *object) {
			var p responsePlan
			otherwise := maybe(o, "otherwise", aTrue, false)
			p.alert = maybe(o, "alert", aName, "")
			p.runbook, p.playbook = b.procedure(o, runbook.Procedure), b.procedure(o, runbook.Investigation)
			switch {
			case otherwise == o.has("alert"):
				o.fault(o.place, "%s: want alert with the name of an alert, or otherwise: true for every other one", o.subject)
			case named[p.alert]:
				o.fault(o.place, "%s: %s: named twice", o.subject, p.shown())
			case !o.has("runbook") && !o.has("playbook"):
				o.fault(o.place, "%s: %s: leads nowhere; want a runbook, a playbook or both", o.subject, p.shown())
			}
			named[p.alert] = true
			plans = append(plans, p)
		})
	}
	return plans
}

// shown is what a plan is for.
func (p responsePlan) shown() string {
	if p.alert == "" {
		return "otherwise"
	}
	return "alert " + show(p.alert)
}

// plan returns what there is to do about an alert.
func (s *service) plan(alert string) (responsePlan, bool) {
	for _, name := range []string{alert, ""} {
		if n := slices.IndexFunc(s.plans, func(p responsePlan) bool { return p.alert == name }); n >= 0 {
			return s.plans[n], true
		}
	}
	return responsePlan{}, false
}

// links are the plan's, for pages and whoever else asks.
func (p responsePlan) links() (links []incident.Link) {
	for _, l := range []incident.Link{p.runbook, p.playbook} {
		if l.Shown() != "" {
			l.Name = p.alert
			links = append(links, l)
		}
	}
	return links
}

// linksFor returns the links of an incident with alerts of these labels: first the response plans of the first few names
// among them, then those of the service that lead elsewhere.
func (s *service) linksFor(each []alert.Labels) []incident.Link {
	const most = 3
	var names []string
	var links []incident.Link
	add := func(more ...incident.Link) {
		for _, l := range more {
			if !slices.ContainsFunc(links, func(known incident.Link) bool { return known.Shown() == l.Shown() }) {
				links = append(links, l)
			}
		}
	}
	for _, labels := range each {
		name := labels.Value(nameLabel)
		if len(names) == most || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		if p, ok := s.plan(name); ok {
			add(p.links()...)
		}
	}
	add(s.Links...)
	return links
}
