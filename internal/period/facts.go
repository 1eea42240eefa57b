package period

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"muster/internal/action"
	changes "muster/internal/change"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/supportplan"
	"muster/internal/timeline"
	"muster/internal/usage"
)

// Form is the number of the form in which facts are written down.
const Form = 1

// Asked is what is to be counted. Everything that a figure depends on besides the bundles stands in it.
type Asked struct {
	Period   string    `json:"period"`
	Zone     string    `json:"zone"`               // IANA name
	Until    time.Time `json:"until"`              // what happened from then on is not counted: the end of the period, or when it was asked
	Customer string    `json:"customer,omitempty"` // ID; empty: the report is the provider's own, on everybody
	// Restricted says that security incidents are in the report of a customer too.
	Restricted bool      `json:"restricted,omitempty"`
	Customers  []Name    `json:"customers,omitempty"` // whose names are known beforehand
	Services   []Service `json:"services,omitempty"`  // that are in the report even when nothing has happened to them
	Promised   []Target  `json:"promised,omitempty"`
	Bought     []Visits  `json:"bought,omitempty"`
}

// A Service is one that a customer uses.
type Service struct {
	Customer string `json:"customer,omitempty"` // ID
	ID       string `json:"id"`
	Name     string `json:"name"`
}

// A Target is the availability that a customer was promised for its services.
type Target struct {
	Customer string `json:"customer"`
	Of       string `json:"of"`      // "application"
	Percent  string `json:"percent"` // as it is written
}

// Visits are how many a customer has bought for a year of the calendar.
type Visits struct {
	Customer string `json:"customer"`
	PerYear  int    `json:"per_year"`
}

// Facts are what was counted for a period.
type Facts struct {
	Form int `json:"form"`
	Asked
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Organisation string    `json:"organisation,omitempty"` // as the records have it
	Bundles      []Bundle  `json:"bundles"`                // every one that a figure or a line was taken from
	Incomplete   []string  `json:"incomplete,omitempty"`   // files of runs whose oldest entries are missing in the archive
	LeftOut      int       `json:"-"`                      // security incidents that are not in it

	Figures       []Figure       `json:"figures"`
	CustomerNames []Name         `json:"customer_names,omitempty"` // of the customers in figures …
	ServiceNames  []Name         `json:"service_names,omitempty"`  // … and of the services
	Incidents     []IncidentLine `json:"incidents,omitempty"`
	Alerts        []AlertLine    `json:"alerts,omitempty"`
	Changes       []ChangeLine   `json:"changes,omitempty"`
	Maintenance   []WindowLine   `json:"maintenance,omitempty"`
	Actions       []ActionLine   `json:"actions,omitempty"`
	Requests      []RequestLine  `json:"requests,omitempty"`
	Imports       []Import       `json:"imports,omitempty"`
}

// A Name is what people call something that has an ID.
type Name struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Called is the name of something in a list, its ID where there is none.
func Called(all []Name, id string) string {
	for _, n := range all {
		if n.ID == id {
			return n.Name
		}
	}
	return id
}

// Interim tells whether the period was not over when it was counted.
func (f *Facts) Interim() bool { return f.Until.Before(f.To) }

// Eventful tells whether there was an incident or a change.
func (f *Facts) Eventful() bool { return len(f.Incidents) > 0 || len(f.Changes) > 0 }

// Zones looks a zone up by its IANA name, as time.LoadLocation does.
type Zones func(string) (*time.Location, error)

// counting counts.
type counting struct {
	*Facts
	period Period
	zones  Zones
	zone   *time.Location
	span   Span // from the beginning of the period until nothing more is counted

	incidents []held[*incident.Incident]
	reviews   []held[*review.Review]
	actions   []held[*action.Action]
	problems  []held[*problem.Problem]
	requested []held[*changes.Change]
	runs      []held[*planrun.Run]
	requests  []held[*request.Request]
	ledgers   []held[*usage.Ledger]
}

// Compute counts a period from records, the older ones first.
func Compute(records []Record, a Asked, zones Zones) (*Facts, error) {
	p, err := Parse(a.Period)
	if err != nil {
		return nil, err
	}
	zone, err := zones(a.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone %q: want an IANA name such as Asia/Seoul", a.Zone)
	}
	c := &counting{Facts: &Facts{Form: Form, Asked: a, Bundles: []Bundle{}, Figures: []Figure{}}, period: p, zone: zone, zones: zones}
	c.From, c.To = p.Bounds(zone)
	if a.Until.IsZero() || a.Until.After(c.To) {
		c.Until = c.To
	}
	c.From, c.To, c.Until = c.From.UTC(), c.To.UTC(), c.Until.UTC()
	if !c.From.Before(c.Until) {
		return nil, fmt.Errorf("period %s: it begins at %s; want one that has begun", a.Period, c.From.In(zone).Format(time.RFC3339))
	}
	c.span = Span{c.From, c.Until}
	c.hold(records)
	c.countIncidents()
	c.countClocks()
	c.countUpdates()
	c.countAvailability()
	c.countChanges()
	c.countActions()
	c.countRequests()
	c.countVisits()
	if a.Customer == "" { // how the provider works is its own affair
		c.countAlerts()
		c.countProblems()
		c.countRequested()
		c.countReviews()
		c.countPages()
		c.countDeliveries()
	}
	c.bundles(records)
	return c.Facts, nil
}

// hold takes the newest states of what concerns the report.
func (c *counting) hold(records []Record) {
	concerns := func(customer string) bool { return c.Customer == "" || customer == c.Customer }
	c.incidents = newest(records, func(s *State) (i *incident.Incident, id string, log timeline.Log, ok bool) {
		if i = s.Incident; i == nil || i.Partial {
			return nil, "", log, false
		}
		affected := c.Customer == "" || slices.ContainsFunc(i.Definition.Customers, func(x incident.Customer) bool { return x.ID == c.Customer })
		return i, string(i.ID), i.Timeline, affected
	})
	if c.Customer != "" && !c.Restricted {
		all := len(c.incidents)
		c.incidents = slices.DeleteFunc(c.incidents, func(h held[*incident.Incident]) bool { return h.state.Definition.Restricted() })
		c.LeftOut = all - len(c.incidents)
	}
	c.reviews = newest(records, func(s *State) (r *review.Review, id string, log timeline.Log, ok bool) {
		if r = s.Review; r == nil || r.Partial {
			return nil, "", log, false
		}
		return r, string(r.Facts.Incident), r.Timeline, true
	})
	c.actions = newest(records, func(s *State) (x *action.Action, id string, log timeline.Log, ok bool) {
		if x = s.Action; x == nil || x.Partial {
			return nil, "", log, false
		}
		return x, string(x.ID), x.Timeline, c.Customer == "" || slices.Contains(x.VisibleTo(), c.Customer)
	})
	c.requested = newest(records, func(s *State) (x *changes.Change, id string, log timeline.Log, ok bool) {
		if x = s.Change; x == nil {
			return nil, "", log, false
		}
		return x, string(x.ID), x.Timeline, true
	})
	c.problems = newest(records, func(s *State) (p *problem.Problem, id string, log timeline.Log, ok bool) {
		if p = s.Problem; p == nil {
			return nil, "", log, false
		}
		return p, string(p.ID), p.Timeline, true
	})
	c.runs = newest(records, func(s *State) (r *planrun.Run, id string, log timeline.Log, ok bool) {
		if r = s.Plan; r == nil || r.Partial {
			return nil, "", log, false
		}
		return r, string(r.ID), r.Timeline, concerns(r.Customer)
	})
	c.requests = newest(records, func(s *State) (r *request.Request, id string, log timeline.Log, ok bool) {
		if r = s.Request; r == nil || r.Partial {
			return nil, "", log, false
		}
		return r, string(r.ID), r.Timeline, concerns(r.Customer)
	})
	c.ledgers = newest(records, func(s *State) (u *usage.Ledger, id string, log timeline.Log, ok bool) {
		if u = s.Usage; u == nil {
			return nil, "", log, false
		}
		return u, u.Customer, log, concerns(u.Customer)
	})
	c.names()
}

// names takes the names of the organisation, of customers and of services from the first record that has them.
func (c *counting) names() {
	take := func(all *[]Name, id, name string) {
		if id != "" && name != "" && !slices.ContainsFunc(*all, func(n Name) bool { return n.ID == id }) {
			*all = append(*all, Name{id, name})
		}
	}
	of := func(organisation string) { c.Organisation = cmp.Or(c.Organisation, organisation) }
	for _, x := range c.Customers {
		take(&c.CustomerNames, x.ID, x.Name)
	}
	for _, s := range c.Services {
		take(&c.ServiceNames, s.ID, s.Name)
	}
	for _, h := range c.incidents {
		of(h.state.Definition.Organisation)
		take(&c.ServiceNames, h.state.Definition.Service.ID, h.state.Definition.Service.Name)
		for _, x := range h.state.Definition.Customers {
			if c.mine(x.ID) {
				take(&c.CustomerNames, x.ID, x.Name)
			}
		}
	}
	for _, h := range c.runs {
		of(h.state.Organisation)
		take(&c.CustomerNames, h.state.Customer, h.state.CustomerName)
	}
	for _, h := range c.requests {
		of(h.state.Organisation)
		take(&c.CustomerNames, h.state.Customer, h.state.CustomerName)
	}
	for _, all := range [][]Name{c.CustomerNames, c.ServiceNames} {
		slices.SortFunc(all, func(a, b Name) int { return cmp.Compare(a.ID, b.ID) })
	}
}

// bundles lists the bundles that were used, and those in which something is missing.
func (c *counting) bundles(records []Record) {
	var used tally
	for _, f := range c.Figures {
		used.see(f.Bundles...)
	}
	for _, l := range c.Incidents {
		used.see(l.Bundles...)
	}
	for _, l := range c.Alerts {
		used.see(l.Bundles...)
	}
	for _, l := range c.Changes {
		used.see(l.Bundles...)
	}
	for _, l := range c.Maintenance {
		used.see(l.Bundles...)
	}
	for _, l := range c.Actions {
		used.see(l.Bundles...)
	}
	for _, l := range c.Requests {
		used.see(l.Bundles...)
	}
	sums := map[string]string{}
	for _, r := range records {
		sums[r.File] = r.SHA256
	}
	for _, f := range used.files {
		c.Bundles = append(c.Bundles, Bundle{f, sums[f]})
	}
	var partial tally
	for _, h := range c.incidents {
		if h.partial {
			for _, f := range h.files {
				if _, counted := slices.BinarySearch(used.files, f); counted {
					partial.see(f)
				}
			}
		}
	}
	c.Incomplete = partial.files
}

// holds tells whether an instant lies in a span.
func (s Span) holds(at time.Time) bool { return !at.IsZero() && !at.Before(s.From) && at.Before(s.To) }

// before tells whether something has happened before nothing more is counted.
func (c *counting) before(at time.Time) bool { return !at.IsZero() && at.Before(c.span.To) }

// targets are what is promised in incidents, as figures name it.
func targets() (all []string) {
	for _, t := range supportplan.Targets() {
		all = append(all, string(t))
	}
	return all
}
