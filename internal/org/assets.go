package org

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/routine"
)

// The most that one asset may have of each.
const (
	maxAssetServices = 30
	maxDeadlines     = 20
)

// deadlineHour is when the plan of a deadline begins, and on its day is due: in the morning, as the reminders of certificates are.
const deadlineHour = 9 * time.Hour

var (
	aShortWord = in("a word in lower-case letters, digits and hyphens, at most 63, such as database", anID.read)
	aTagValue  = in("the value of a tag on one line, of at most 200 characters", aLine)
	aVersion   = in("a version on one line, such as 16.4, of at most 200 characters", aLine)
)

// An owned asset is one of the folder, with what only the folder needs of it.
type ownedAsset struct {
	asset.Asset

	place place
}

// Assets lists the assets in the order of the folder.
func (o *Organisation) Assets() []asset.Asset {
	all := make([]asset.Asset, len(o.assets))
	for n := range o.assets {
		all[n] = o.assets[n].Asset
	}
	return all
}

// Asset returns an asset.
func (o *Organisation) Asset(id string) (asset.Asset, bool) {
	n := slices.IndexFunc(o.assets, func(a ownedAsset) bool { return a.ID == id })
	if n < 0 {
		return asset.Asset{}, false
	}
	return o.assets[n].Asset, true
}

// readAssets reads assets.yaml. Where an asset stands is judged when all is there that it refers to.
func (b *builder) readAssets(o *object) {
	o.entries("assets", "asset", anyNumber, func(o *object, id string) {
		a := ownedAsset{Asset: asset.Asset{ID: id}, place: o.field("id").place}
		a.Name, _ = need(o, "name", aName)
		a.Kind, _ = need(o, "kind", aShortWord)
		a.Customer.ID, _ = o.ref("customer", "customer")
		a.Customer.Name = b.customers[a.Customer.ID].name
		a.Environment.ID, _ = need(o, "environment", anIDOf("environment"))
		services := map[string]place{}
		o.eachRef("services", "service", some, func(at place, id string) {
			services[id] = at
			a.Services = append(a.Services, asset.Named{ID: id, Name: b.services[id].Service.Name})
		})
		o.few("services", maxAssetServices)
		o.once("services")
		a.Tags, a.Alerts = tagsOf(pairs(o, "tags", aTagValue, optional)), tagsOf(pairs(o, "alerts", aLabelValue, optional))
		a.Vendor = b.readVendorOf(o)
		a.Product, a.Version = maybe(o, "product", aName, ""), maybe(o, "version", aVersion, "")
		if o.has("owner") {
			if c, ok := b.contact(o.reader, o.field("owner"), o.about("owner")); ok {
				a.Owner = &asset.Owner{Target: c.Target, Name: c.Name}
			}
		}
		a.Deadlines = b.readDeadlines(o, &a)
		where, subject := o.field("environment").place, o.subject
		n := len(b.assets)
		b.assets = append(b.assets, a)
		b.later = append(b.later, func() { b.placeAsset(&b.assets[n].Asset, where, subject, services) })
	})
}

func tagsOf(all []pair[string]) (tags []asset.Tag) {
	for _, p := range all {
		tags = append(tags, asset.Tag{Key: p.key, Value: p.value})
	}
	return tags
}

// readVendorOf reads which vendor an asset comes from.
func (b *builder) readVendorOf(o *object) *asset.Named {
	if !o.has("vendor") {
		return nil
	}
	id, ok := need(o, "vendor", anIDOf(party))
	at := o.field("vendor").place
	if !ok || !b.knowsParty(at, o.about("vendor"), id) {
		return nil
	}
	if k := b.parties[id].Kind; k != authority.Vendor && !b.asking {
		o.fault(at, "%s %s: a %s; want a vendor of %s", o.about("vendor"), show(id), k, partiesFile)
	}
	return &asset.Named{ID: id, Name: b.parties[id].Name}
}

// placeAsset finds the environment in which an asset stands, and whether its services run there.
func (b *builder) placeAsset(a *asset.Asset, at place, subject string, services map[string]place) {
	customer, known := b.customers[a.Customer.ID]
	if !known || a.Environment.ID == "" || b.table("customer").unread {
		return
	}
	e, ok := b.org.Environment(a.Customer.ID, a.Environment.ID)
	if !ok {
		if b.table("customer").vague[a.Customer.ID] {
			return
		}
		var ids []string
		for _, x := range customer.environments {
			ids = append(ids, x.ID)
		}
		b.fault(at, "%s: environment %s: customer %s has no such environment; %s", subject, show(a.Environment.ID), a.Customer.ID, b.hint(a.Environment.ID, ids))
		return
	}
	a.Environment.Name = e.Name
	for _, s := range a.Services {
		if !slices.Contains(e.Services, s.ID) {
			b.fault(services[s.ID], "%s: services %s: it does not run in environment %s of customer %s; %s", subject, show(s.ID), e.ID, a.Customer.ID, b.hint(s.ID, e.Services))
		}
	}
}

// readDeadlines reads by when something has to be done about an asset. One with a plan is a routine with one time.
func (b *builder) readDeadlines(o *object, a *ownedAsset) (all []asset.Deadline) {
	named := map[string]bool{}
	for n, item := range o.few("deadlines", maxDeadlines) {
		o.object(item, fmt.Sprintf("%s: deadline %d", o.subject, n+1), func(d *object) {
			x := asset.Deadline{}
			var ok bool
			if x.What, ok = need(d, "what", aShortWord); ok {
				d.subject = o.subject + ": deadline " + x.What
				if named[x.What] {
					d.fault(d.field("what").place, "%s: named twice", d.subject)
				}
				named[x.What] = true
			}
			x.Name = maybe(d, "name", aName, x.What)
			x.On, _ = need(d, "on", aDate)
			b.readDeadlinePlan(d, a, &x)
			all = append(all, x)
		})
	}
	return all
}

// readDeadlinePlan reads what begins before a deadline, when, and who hears of it when it is not done in time.
func (b *builder) readDeadlinePlan(o *object, a *ownedAsset, x *asset.Deadline) {
	r := comeback{place: o.place, subject: o.subject, asset: a.ID, name: a.Name + ": " + x.Name}
	r.start = PlanStart{Customer: a.Customer.ID, Environments: given(o, "environments"), Parameters: given(o, "parameters")}
	x.Lead = maybe(o, "lead", aDaysBefore, 0)
	if o.has("tell") {
		r.tell = b.targets(o, "tell", aLastTarget)
	} else if a.Owner != nil {
		r.tell = []escalation.Target{a.Owner.Target}
	}
	if !o.has("plan") && !b.asking {
		for _, key := range []string{"lead", "parameters", "environments", "tell"} {
			if o.has(key) {
				o.fault(o.field(key).place, "%s: without a plan; want the plan that begins before it", o.about(key))
			}
		}
		return
	}
	x.Plan = maybe(o, "plan", anID, "")
	if !o.has("lead") {
		o.fault(o.place, "%s: lead: missing; want how many days before it the plan begins, such as 90d", o.subject)
	}
	if len(r.tell) == 0 && !o.has("tell") {
		o.fault(o.place, "%s: tell: missing; want who hears of it when it is not done in time, or an owner of the asset", o.subject)
	}
	if a.ID == "" || x.What == "" || x.Plan == "" || x.On == 0 || b.org.Zone == nil {
		return
	}
	x.Routine = a.ID + "-" + x.What
	if _, short := anID.read(x.Routine); !short {
		o.fault(o.field("what").place, "%s: its routine would be %s; want shorter ids, of at most 63 characters together", o.subject, show(x.Routine))
		return
	}
	o.define(o.field("what").place, o.subject+": its routine", "routine", x.Routine)
	r.id, r.start.Plan = x.Routine, x.Plan
	r.once = &routine.Slot{Begins: morning(x.On-calendar.Date(x.Lead), b.org.Zone), Due: morning(x.On, b.org.Zone)}
	r.bindTo = a.Environment.ID
	if b.routines = append(b.routines, r); len(b.routines) == maxRoutines+1 {
		o.fault(o.place, "%s: want at most %d routines, those of deadlines with them", o.subject, maxRoutines)
	}
}

// morning is when the work of a day begins.
func morning(d calendar.Date, zone *time.Location) time.Time {
	day, _ := time.ParseInLocation(time.DateOnly, d.String(), zone) // a Date is one
	return time.Date(day.Year(), day.Month(), day.Day(), int(deadlineHour/time.Hour), 0, 0, 0, zone).UTC()
}

// bind gives the plan of a deadline the environment of its asset, where the plan has only one and nobody has said which it is.
func (b *builder) bind(r *comeback) {
	if r.bindTo == "" || len(r.start.Environments) > 0 {
		return
	}
	if p, err := b.org.PlanOf(r.start.Plan); err == nil && len(p.Definition.Environments) == 1 {
		r.start.Environments = map[string]string{p.Definition.Environments[0].ID: r.bindTo}
	}
}

// doubtfulAssets warns of assets that nobody answers for, and of deadlines that nobody hears of.
func (b *builder) doubtfulAssets(w *reader, now time.Time) {
	today, tried := b.org.Today(now), map[string]bool{}
	for _, a := range b.assets {
		if a.Owner == nil {
			w.fault(a.place, "asset %s: it has no owner; want a group or person who answers for it", a.ID)
		}
		for _, d := range a.Deadlines {
			subject := fmt.Sprintf("asset %s: deadline %s", a.ID, d.What)
			if d.On < today {
				w.fault(a.place, "%s: it was on %s; want the next date, or take it out when it is done", subject, d.On)
			}
			if d.Plan == "" {
				w.fault(a.place, "%s: it has no plan, so nothing begins before it and nobody is told", subject)
			}
		}
		if a.Product == "" || tried[a.Customer.ID] {
			continue
		}
		tried[a.Customer.ID] = true
		sample := asset.Notice{Vendor: "x", Reference: "x", Kind: asset.Patch, Product: a.Product, Title: "x", By: today + 1}
		if _, err := b.org.StartPlan(b.org.noticed(&sample, a.Customer.ID, []asset.Asset{a.Asset})); err != nil {
			w.fault(a.place, "asset %s: what its vendor says of it could not be seen to: %v", a.ID, err)
		}
	}
}

// RoutinesIn are the routines whose plans run in an environment of a customer, those of its assets with them.
func (o *Organisation) RoutinesIn(customer, environment string) (ids []string) {
	for n := range o.routines {
		if r := &o.routines[n]; r.start.Customer == customer && slices.Contains(r.bound, environment) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// AssetOf is the asset of which a routine is a deadline, empty for any other.
func (o *Organisation) AssetOf(id string) string {
	if r := o.routineOf(id); r != nil {
		return r.asset
	}
	return ""
}
