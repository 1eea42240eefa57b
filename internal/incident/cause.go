package incident

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A CauseDomain says where the cause lies, which decides who handles the incident (source 004, lines 65–68).
type CauseDomain string

// The domains. These strings are in histories: add, never rename.
const (
	CauseOurs     CauseDomain = "ours"     // our own people handle it by the runbook
	CauseVendor   CauseDomain = "vendor"   // a vendor's platform: a case is opened with it
	CauseCustomer CauseDomain = "customer" // something that the customer runs or has changed
)

// CauseDomains lists the domains.
func CauseDomains() []CauseDomain { return []CauseDomain{CauseOurs, CauseVendor, CauseCustomer} }

// A Cause is what is known of why it happened.
type Cause struct {
	Domain CauseDomain    `json:"domain"`
	Vendor string         `json:"vendor,omitempty"` // its name
	Text   string         `json:"text"`
	By     timeline.Actor `json:"by"`
	At     time.Time      `json:"at"`
}

// A VendorSupport is what a vendor has promised to us, pinned when a case is opened with it.
type VendorSupport struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Plan      string              `json:"plan"`               // what we bought from it
	OpenCase  string              `json:"open_case"`          // how to request support
	Escalate  string              `json:"escalate"`           // how to escalate a case
	Notify    []escalation.Target `json:"notify,omitempty"`   // whom of ours to tell when a case is filed
	Reachable bool                `json:"reachable"`          // Muster can tell its contacts itself
	Respond   []VendorResponse    `json:"respond,omitempty"`  // its clock
	Calendar  *calendar.Rules     `json:"calendar,omitempty"` // in which that runs; nil: around the clock
}

// A VendorResponse is how soon a vendor has promised to answer.
type VendorResponse struct {
	Priority priority.Priority `json:"priority"`
	Within   time.Duration     `json:"within"`
}

// A VendorCase is support that was asked of a vendor, until it has answered.
type VendorCase struct {
	Support   VendorSupport      `json:"support"`
	Opened    time.Time          `json:"opened"`
	Clock     *supportplan.Clock `json:"clock,omitempty"`     // of the vendor's answer; nil: none was promised at this priority
	Reference string             `json:"reference,omitempty"` // the vendor's number of the case
	Answered  time.Time          `json:"answered,omitzero"`
}

// SetCause says why it happened, as far as it is known. What is said later replaces it; all of it stays in the timeline.
type SetCause struct {
	Domain  CauseDomain    `json:"domain"`
	Vendor  string         `json:"vendor,omitempty"` // ID, with the domain vendor
	Text    string         `json:"text"`
	Support *VendorSupport `json:"support,omitempty"` // filled in by the API from the organisation folder
}

// Check refuses a cause without a domain or words.
func (c SetCause) Check(i *Incident) error {
	const action = "set cause of"
	switch {
	case !slices.Contains(CauseDomains(), c.Domain):
		return i.refuse(action, "domain %q: want %s", c.Domain, listed(CauseDomains()))
	case c.Domain == CauseVendor && c.Vendor == "":
		return i.refuse(action, "vendor: missing; want the ID of the vendor whose platform it is")
	case c.Domain != CauseVendor && c.Vendor != "":
		return i.refuse(action, "vendor %q: want none with the domain %s", c.Vendor, c.Domain)
	case c.Domain == CauseVendor && (c.Support == nil || c.Support.ID != c.Vendor):
		return i.refuse(action, "vendor %q: its support record is missing", c.Vendor)
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "text", c.Text, true))
}

// Apply records the cause, and brings in who handles it: of a vendor a case is opened, for a customer the support manager is told.
func (c SetCause) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.Cause = &Cause{Domain: c.Domain, Text: c.Text, By: by, At: now}
	if c.Support != nil {
		i.Cause.Vendor = c.Support.Name
	}
	i.record(now, timeline.CauseSet, by, timeline.F("domain", string(c.Domain)), timeline.F("vendor", i.Cause.Vendor), timeline.F("text", c.Text))
	i.Ticket.Wanted++
	if !i.Status.Open() {
		return
	}
	switch c.Domain {
	case CauseVendor:
		i.openCase(*c.Support, c.Text, by, now)
	case CauseCustomer:
		s := Send{Work: Remind, About: AboutCauseCustomer, Role: SupportManager, Targets: i.standsFor(SupportManager), Text: c.Text, Author: &by}
		if len(i.Definition.Customers) == 1 { // else nobody has said which
			s.Customer = i.Definition.Customers[0].ID
		}
		i.begin(s, now)
	case CauseOurs:
	}
}

// openCase asks a vendor for support, once: its contacts are told, and whoever of ours the vendor's record names is told how to
// file the case.
func (i *Incident) openCase(v VendorSupport, text string, by timeline.Actor, now time.Time) {
	if i.caseOf(v.ID) != nil {
		return
	}
	k := VendorCase{Support: v, Opened: now}
	for _, r := range v.Respond {
		if r.Priority == i.Priority {
			p := supportplan.Promise{Target: supportplan.Respond, Within: r.Within}
			if v.Calendar != nil {
				p.Calendar = v.Calendar.ID
			}
			clock := supportplan.Start(vendorClock+v.ID, p, now)
			k.Clock = &clock
		}
	}
	i.Cases = append(i.Cases, k)
	i.record(now, timeline.CaseOpened, by, timeline.F("vendor", v.Name), timeline.F("plan", v.Plan), timeline.F("open_case", v.OpenCase))
	if v.Reachable {
		i.begin(Send{Work: CallVendor, Targets: []escalation.Target{{Kind: escalation.Vendor, ID: v.ID}}, Text: text, Author: &by}, now)
	}
	i.begin(Send{Work: Remind, About: AboutVendorCase, Role: IncidentManager, Targets: v.Notify, Vendor: v.ID, Text: text, Author: &by}, now)
	i.computeClocks(now)
}

// An OpenCase is a vendor case for which somebody has to do something.
type OpenCase struct {
	Support VendorSupport
	Since   time.Time
	Due     time.Time           // when the vendor has to have answered; zero: nobody has promised that
	Late    bool                // it has not: somebody has to escalate the case; else it is to be filed
	Who     []escalation.Target // who has to
}

// OpenCases are the vendor cases that are to be filed, and those that are filed and late.
func (i *Incident) OpenCases() (all []OpenCase) {
	if !i.Status.Open() {
		return nil
	}
	for n := range i.Cases {
		k := &i.Cases[n]
		x := OpenCase{Support: k.Support, Since: k.Opened, Who: i.resolved(k.Support.Notify)}
		if k.Clock != nil {
			x.Due, x.Late = k.Clock.Due, k.Clock.State == supportplan.Missed
		}
		if x.Late || len(x.Who) == 0 {
			x.Who = i.resolved(i.standsFor(IncidentManager))
		}
		if k.Answered.IsZero() && (x.Late || k.Reference == "") {
			all = append(all, x)
		}
	}
	return all
}

// vendorClock begins the customer of a clock that is a vendor's. No customer has such an ID.
const vendorClock = "vendor:"

func (i *Incident) caseOf(vendor string) *VendorCase {
	for n := range i.Cases {
		if i.Cases[n].Support.ID == vendor {
			return &i.Cases[n]
		}
	}
	return nil
}

// settleCases says which vendors have not answered in time. Whoever leads is told how to escalate the case.
func (i *Incident) settleCases(now time.Time) {
	for n := range i.Cases {
		k := &i.Cases[n]
		c := k.Clock
		if c == nil || !c.Open() || c.State != supportplan.Running || c.Due.IsZero() || now.Before(c.Due) {
			continue
		}
		c.Miss()
		i.record(now, timeline.CaseLate, timeline.Muster(), timeline.F("vendor", k.Support.Name), at("due", c.Due), timeline.F("escalate", k.Support.Escalate))
		i.begin(Send{
			Work: Remind, About: AboutVendorLate, Role: IncidentManager, Targets: i.standsFor(IncidentManager), Vendor: k.Support.ID, Due: c.Due,
		}, now)
	}
}

// RecordCase says under which number a vendor has our case, or what it has answered: with a text it has answered.
type RecordCase struct {
	Vendor    string `json:"vendor"` // ID
	Reference string `json:"reference,omitempty"`
	Text      string `json:"text,omitempty"`
}

// Check refuses a vendor of which nothing was asked.
func (c RecordCase) Check(i *Incident) error {
	const action, most = "record case of", 100
	var open []string
	for _, k := range i.Cases {
		open = append(open, k.Support.ID)
	}
	switch {
	case i.caseOf(c.Vendor) == nil && len(open) == 0:
		return i.refuse(action, "vendor %q: no case is open; the cause of domain vendor opens one", c.Vendor)
	case i.caseOf(c.Vendor) == nil:
		return i.refuse(action, "vendor %q: no case is open; want %s", c.Vendor, listed(open))
	case c.Reference == "" && c.Text == "":
		return i.refuse(action, "reference, text: want one of them at least")
	case len(c.Reference) > most:
		return i.refuse(action, "reference: %d bytes; want %d at most", len(c.Reference), most)
	}
	return firstOf(i.wantNotClosed(action), i.wantText(action, "text", c.Text, false))
}

// Apply records it. The vendor's clock ends with its first answer.
func (c RecordCase) Apply(i *Incident, by timeline.Actor, now time.Time) {
	k := i.caseOf(c.Vendor)
	k.Reference = cmp.Or(c.Reference, k.Reference)
	if c.Text == "" {
		i.record(now, timeline.CaseFiled, by, timeline.F("vendor", k.Support.Name), timeline.F("reference", k.Reference))
		return
	}
	if k.Answered.IsZero() {
		k.Answered = now
		if k.Clock != nil {
			k.Clock.Keep(now)
		}
	}
	i.record(now, timeline.CaseAnswered, by, timeline.F("vendor", k.Support.Name), timeline.F("reference", k.Reference), timeline.F("text", c.Text))
}

// Calendars are those in which any clock of the incident runs: those of its customers and of the vendors of its cases.
func (i *Incident) Calendars() []calendar.Rules {
	all := i.Definition.Calendars
	for n := range i.Cases {
		r := i.Cases[n].Support.Calendar
		if r != nil && !slices.ContainsFunc(all, func(x calendar.Rules) bool { return x.ID == r.ID }) {
			all = append(slices.Clip(all), *r)
		}
	}
	return all
}
