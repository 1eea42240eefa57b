package org

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/supportplan"
)

// entitled is what customers may ask for, by ID.
type entitled struct {
	entitlements map[string]supportplan.Table
	terms        map[string]supportplan.Terms // of support plans
	contracts    map[string]contract          // of customers
}

// A contract knows where its certificates stand.
type contract struct {
	supportplan.Contract

	certificates []place
}

func nobodyEntitled() entitled {
	return entitled{map[string]supportplan.Table{}, map[string]supportplan.Terms{}, map[string]contract{}}
}

// The forms of what stands in entitlement tables, terms and contracts.
var (
	aGrant      = in(supportplan.GrantForms(), by(supportplan.ParseGrant))
	aPreventive = oneOf(supportplan.Preventives()...)
	anEngineer  = oneOf(supportplan.Engineers()...)
	aBurden     = oneOf(supportplan.Burdens()...)
	aPercent    = in("a percentage with at most four decimals in quotes, such as \"99.95\"", matches(`^(100|[1-9]?[0-9](\.[0-9]{1,4})?)$`))
	aDaysBefore = in("a number of days from 1d to 366d, such as 30d", daysBefore)
	aProse      = in("text of at most 1000 characters", prose)
	aYearly     = in("a whole number from 1 to 1000", between(1, 1000))
	someDays    = in("a number of working days from 1 to 366", between(1, 366))
)

func daysBefore(s string) (int, bool) {
	number, ok := strings.CutSuffix(s, "d")
	days, whole := between(1, 366)(number)
	return days, ok && whole
}

// prose is a line, or text of several lines that becomes one.
func prose(s string) (string, bool) {
	const most = 1000
	s = strings.Join(strings.Fields(s), " ")
	return s, s != "" && len([]rune(s)) <= most && !strings.ContainsFunc(s, unprintable)
}

// entitlementTable is the kind of thing that entitlements.yaml defines.
const entitlementTable = "entitlement table"

// readEntitlements reads entitlements.yaml.
func (b *builder) readEntitlements(o *object) {
	o.entries("entitlement_tables", entitlementTable, anyNumber, func(o *object, id string) {
		t := supportplan.Table{ID: id, Name: o.words("name", aName), Source: maybe(o, "source", aProse, "")}
		kind := cmp.Or(id, o.subject)
		o.entries("columns", kind+" column", some, func(o *object, column string) {
			t.Columns = append(t.Columns, supportplan.Column{ID: column, Name: o.words("name", aName), Extra: maybe(o, "extra", aTrue, false)})
		})
		for i, n := range o.items("groups", some) {
			o.object(n, fmt.Sprintf("%s: group %d", o.subject, i+1), func(o *object) {
				g := supportplan.Group{Name: o.words("name", aName)}
				o.entries("features", kind+" feature", some, func(o *object, feature string) {
					g.Features = append(g.Features, readFeature(o, feature, t.Columns))
				})
				t.Groups = append(t.Groups, g)
			})
		}
		t.Limits = o.limits(kind)
		b.entitlements[id] = t
	})
}

// readFeature reads one row of an entitlement table.
func readFeature(o *object, id string, columns []supportplan.Column) supportplan.Feature {
	f := supportplan.Feature{ID: id, Name: o.words("name", aName), OnSite: maybe(o, "on_site", aTrue, false), Note: o.maybeWords("note")}
	for _, n := range o.items("in", some) {
		g, _ := value(o.reader, n, o.about("in"), aGrant)
		f.In = append(f.In, g)
	}
	if n := o.field("in"); len(columns) > 0 && len(f.In) > 0 && len(f.In) != len(columns) {
		var ids []string
		for _, c := range columns {
			ids = append(ids, c.ID)
		}
		o.fault(n.place, "%s: a list of %d; want %d, one for each column: %s", o.about("in"), len(f.In), len(columns), strings.Join(ids, ", "))
	}
	return f
}

// words reads a text in all languages: {en: …, ko: …}, or one that is the same in each.
func (o *object) words(key string, f form[string]) (t supportplan.Text) {
	n := o.field(key)
	if !n.is(mapping) {
		same, _ := value(o.reader, n, o.about(key), in(f.want+", or {en: …, ko: …}", f.read))
		return supportplan.Text{English: same, Korean: same}
	}
	o.object(n, o.about(key), func(o *object) {
		t.English, _ = need(o, "en", f)
		t.Korean, _ = need(o, "ko", f)
	})
	return t
}

// maybeWords is words of a text that may be left out.
func (o *object) maybeWords(key string) supportplan.Text {
	if !o.has(key) {
		return supportplan.Text{}
	}
	return o.words(key, aProse)
}

// limits reads where a service ends. The features that they name are those of a table, which may be none.
func (o *object) limits(table string) (all []supportplan.Limit) {
	for i, n := range o.items("limits", optional) {
		o.object(n, fmt.Sprintf("%s: limit %d", o.subject, i+1), func(o *object) {
			all = append(all, supportplan.Limit{
				Item: o.words("item", aName), Customer: maybe(o, "customer", aBurden, ""), Note: o.words("note", aProse),
				Features: o.features(table),
			})
		})
	}
	return all
}

// features reads IDs of the rows of a table.
func (o *object) features(table string) (ids []string) {
	if n := o.field("features"); n.kind != absent && table == "" && !o.asking {
		o.fault(n.place, "%s: want none, because the support plan names no entitlements", o.about("features"))
		return nil
	}
	ids = o.refs("features", table+" feature", optional)
	o.once("features")
	return ids
}

// readTerms reads what a support plan says beside the targets of incidents.
func (b *builder) readTerms(o *object, id string) {
	t := supportplan.Terms{
		Source: maybe(o, "source", aProse, ""), Ours: o.maybeWords("ours"),
		Coverage: supportplan.Hours(o.field("coverage").text), Requests: b.readRequests(o),
		Engineer: maybe(o, "engineer", anEngineer, ""),
	}
	if n := o.field("channels"); n.kind != absent {
		o.object(n, o.about("channels"), func(o *object) { t.Channels = b.readChannels(o) })
	}
	if n := o.field("visits"); n.kind != absent {
		o.object(n, o.about("visits"), func(o *object) { t.Visits = readVisits(o) })
	}
	if o.has("entitlements") || o.has("column") {
		t.Table, t.Column = b.readColumn(o)
	}
	for i, n := range o.items("availability", optional) {
		o.object(n, fmt.Sprintf("%s: availability %d", o.subject, i+1), func(o *object) {
			of, _ := need(o, "of", anID)
			percent, _ := need(o, "percent", aPercent)
			t.Availability = append(t.Availability, supportplan.Availability{Of: of, Percent: percent, OnTop: maybe(o, "on_top", aTrue, false)})
		})
	}
	t.Limits = o.limits(t.Table)
	b.terms[id] = t
}

// readColumn reads which column of which entitlement table a support plan is.
func (b *builder) readColumn(o *object) (table, column string) {
	table, ok := o.ref("entitlements", entitlementTable)
	if !ok {
		o.field("column")
		b.table(table + " feature").unread = true // nobody can say what is missing in it
		return table, ""
	}
	column, _ = o.ref("column", table+" column")
	t := b.entitlements[table]
	if n, found := t.Column(column); found && t.Columns[n].Extra {
		o.fault(o.field("column").place, "%s %s: it has add-ons; want a level", o.about("column"), show(column))
	}
	return table, column
}

// readRequests reads the targets of requests, in the order of the file.
func (b *builder) readRequests(o *object) (all []supportplan.RequestTarget) {
	o.each("requests", "kind of request", func(o *object, kind string) {
		before := len(all)
		for _, t := range []supportplan.Target{supportplan.Respond, supportplan.Resolve} {
			if o.has(string(t)) {
				within, _ := need(o, string(t), aWait)
				all = append(all, supportplan.RequestTarget{Kind: kind, Target: t, Within: within})
			}
		}
		if len(all) == before {
			o.fault(o.place, "%s: none; want what is promised, such as {respond: 15m}", o.subject)
		}
	})
	return all
}

// readChannels reads the hours of channels.
func (b *builder) readChannels(o *object) (all []supportplan.ChannelHours) {
	for _, c := range supportplan.Channels() {
		if !o.has(string(c)) {
			continue
		}
		s, ok := need(o, string(c), aCoverage)
		h, t := supportplan.Hours(s), b.table("calendar")
		if at, taken := t.places[s]; ok && h == supportplan.UnknownHours && taken {
			o.fault(at, "calendar %s: id %s: it means that nobody knows the hours; want another name", s, show(s))
		}
		if id, named := h.Calendar(); ok && named {
			if _, known := t.places[id]; !known && !t.unread {
				o.fault(o.field(string(c)).place, "%s %s: want %s, %s or a calendar; %s", o.about(string(c)), show(id),
					supportplan.AroundTheClock, supportplan.UnknownHours, b.hint(id, t.ids))
			}
		}
		all = append(all, supportplan.ChannelHours{Channel: c, Hours: h})
	}
	return all
}

// readVisits reads how often somebody comes.
func readVisits(o *object) *supportplan.Visits {
	v := &supportplan.Visits{
		PerYear: maybe(o, "per_year", aYearly, 0), ByAgreement: maybe(o, "by_agreement", aTrue, false),
		Preventive: maybe(o, "preventive", aPreventive, supportplan.UnknownCheck),
	}
	if o.has("per_year") == o.has("by_agreement") {
		o.fault(o.place, "%s: want per_year: 12, or by_agreement: true where the number stands in each contract", o.subject)
	}
	return v
}

// readContract reads what a customer has bought beyond its plan, and its certificates.
func (b *builder) readContract(o *object, id, plan string) {
	c := contract{Contract: supportplan.Contract{Customer: id, Plan: plan}}
	if n := o.field("contract"); n.kind != absent {
		o.object(n, o.about("contract"), func(o *object) {
			c.VisitsPerYear = maybe(o, "visits_per_year", aYearly, 0)
			if t, ok := b.terms[plan]; o.has("features") && ok { // else a fault of the plan has been told
				c.Features = o.features(t.Table)
			}
		})
	}
	contact := o.about("contact")
	for i, n := range o.items("certificates", optional) {
		o.object(n, fmt.Sprintf("%s: certificate %d", o.subject, i+1), func(o *object) {
			c.Certificates = append(c.Certificates, readCertificate(o, contact))
			c.certificates = append(c.certificates, n.place)
		})
	}
	b.contracts[id] = c
}

// readCertificate reads a certificate that a customer owns, of whose contacts one is reminded.
func readCertificate(o *object, contact string) supportplan.Certificate {
	c := supportplan.Certificate{}
	c.Name, _ = need(o, "name", aName)
	c.Expires, _ = need(o, "expires", aDate)
	c.Contact, _ = o.ref("contact", contact)
	if !o.has("remind") {
		c.Remind = []int{60, 30, 7}
	}
	for _, n := range o.items("remind", optional) {
		if days, ok := value(o.reader, n, o.about("remind"), aDaysBefore); ok {
			c.Remind = append(c.Remind, days)
		}
	}
	o.once("remind")
	slices.SortFunc(c.Remind, func(a, b int) int { return b - a })
	return c
}

// Plan returns what was promised for incidents.
func (o *Organisation) Plan(id string) (supportplan.Plan, error) {
	p, ok := o.plans[id]
	if !ok {
		return supportplan.Plan{}, o.missing("support plan", id)
	}
	return p, nil
}

// Terms returns what a support plan says beside the targets of incidents.
func (o *Organisation) Terms(plan string) (supportplan.Terms, error) {
	t, ok := o.terms[plan]
	if !ok {
		return supportplan.Terms{}, o.missing("support plan", plan)
	}
	return t, nil
}

// Entitlements returns an entitlement table.
func (o *Organisation) Entitlements(id string) (supportplan.Table, error) {
	t, ok := o.entitlements[id]
	if !ok {
		return supportplan.Table{}, o.missing(entitlementTable, id)
	}
	return t, nil
}

// Contract returns what a customer has bought.
func (o *Organisation) Contract(customer string) (supportplan.Contract, error) {
	c, ok := o.contracts[customer]
	if !ok {
		return supportplan.Contract{}, o.missing("customer", customer)
	}
	return c.Contract, nil
}

// Contracts returns what every customer has bought, in the order of the customers' IDs.
func (o *Organisation) Contracts() []supportplan.Contract {
	all := make([]supportplan.Contract, 0, len(o.contracts))
	for _, id := range slices.Sorted(maps.Keys(o.contracts)) {
		all = append(all, o.contracts[id].Contract)
	}
	return all
}

// Today returns which day it is in the organisation's zone at an instant.
func (o *Organisation) Today(at time.Time) calendar.Date { return calendar.DateOf(at.In(o.Zone)) }

// Entitlement returns all that decides what a customer may ask for.
func (o *Organisation) Entitlement(customer string) (supportplan.Entitlement, error) {
	c, err := o.Contract(customer)
	if err != nil {
		return supportplan.Entitlement{}, err
	}
	t := o.terms[c.Plan]
	return supportplan.Entitlement{Terms: t, Table: o.entitlements[t.Table], Contract: c}, nil
}

// Open returns whether something with these hours is served at an instant.
func (o *Organisation) Open(h supportplan.Hours, at time.Time) (supportplan.Open, error) {
	id, named := h.Calendar()
	if !named {
		served := h == supportplan.AroundTheClock
		return supportplan.Open{Known: served, Now: served}, nil
	}
	c, err := o.opening(id)
	if err != nil {
		return supportplan.Open{}, err
	}
	return supportplan.OpenAt(c, at), nil
}

// expiringCertificates warns of certificates that customers have to renew now, or should have.
func (b *builder) expiringCertificates(w *reader, now time.Time) {
	const soon = 30 // days
	today := b.org.Today(now)
	for id, c := range b.contracts {
		for i, cert := range c.Certificates {
			left := int(cert.Expires - today)
			subject := "customer " + id + ": certificate " + clip(cert.Name, 60)
			switch {
			case left < 0:
				w.fault(c.certificates[i], "%s: it has expired on %s; want the date of the one that has replaced it", subject, cert.Expires)
			case left <= soon:
				w.fault(c.certificates[i], "%s: it expires on %s, in %s; the customer has to renew it", subject, cert.Expires, days(left))
			}
		}
	}
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}
