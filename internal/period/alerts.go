package period

import (
	"cmp"
	"slices"

	"muster/internal/incident"
)

// An AlertLine is one alert by its name and service, in the incidents that began in the period. Sources: find the alerts that fire all the
// time and mean nothing, and change them or take them out (operational excellence, OPS03-BP04, OPS08-BP04); every alert has a process, with
// an owner (OPS10-BP02).
type AlertLine struct {
	Name      string   `json:"name"`
	Service   string   `json:"service"`
	Incidents int      `json:"incidents"`           // in which it was
	Times     int      `json:"times"`               // it came in them, at least
	Alone     int      `json:"alone,omitempty"`     // of these incidents, how many were resolved and nobody had acknowledged them
	Reopened  int      `json:"reopened,omitempty"`  // of these, how many were reopened
	Unplanned int      `json:"unplanned,omitempty"` // of these, how many had no response plan
	Bundles   []string `json:"bundles"`
}

// mostAlertLines is how many a report has: the ones beyond say little.
const mostAlertLines = 100

// countAlerts counts which alerts are in how many incidents, the loudest first. Security incidents are not counted: what their alerts are
// called is not for everybody.
func (c *counting) countAlerts() {
	type key struct{ name, service string }
	lines := map[key]*AlertLine{}
	var order []key
	for _, h := range c.incidents {
		i := h.state
		if i.Definition.Restricted() || !c.span.holds(i.Times.Alerted) {
			continue
		}
		for _, a := range namesIn(i) {
			k := key{a.Name, i.Definition.Service.Name}
			l := lines[k]
			if l == nil {
				l = &AlertLine{Name: k.name, Service: k.service}
				lines[k], order = l, append(order, k)
			}
			l.Incidents, l.Times = l.Incidents+1, l.Times+a.Times
			if !merged(i) && c.before(resolved(i)) && i.Times.Engaged.IsZero() {
				l.Alone++
			}
			if !i.Planned() {
				l.Unplanned++
			}
			if len(c.reopenings(h)) > 0 {
				l.Reopened++
			}
			l.Bundles = append(l.Bundles, h.files...)
		}
	}
	for _, k := range order {
		l := lines[k]
		slices.Sort(l.Bundles)
		l.Bundles = slices.Compact(l.Bundles)
		c.Alerts = append(c.Alerts, *l)
	}
	slices.SortFunc(c.Alerts, func(a, b AlertLine) int {
		return cmp.Or(cmp.Compare(b.Incidents, a.Incidents), cmp.Compare(b.Times, a.Times), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Service, b.Service))
	})
	c.Alerts = c.Alerts[:min(len(c.Alerts), mostAlertLines)]
}

// A named alert came so often.
type named struct {
	Name  string
	Times int
}

// namesIn are the names of the alerts of an incident, each with how often it came.
func namesIn(i *incident.Incident) (all []named) {
	add := func(name string, times int) {
		n := slices.IndexFunc(all, func(a named) bool { return a.Name == name })
		if n < 0 {
			n, all = len(all), append(all, named{Name: name})
		}
		all[n].Times += times
	}
	for _, a := range i.Alerts.Full {
		add(a.Name, a.Times)
	}
	for _, a := range i.Alerts.Brief {
		add(a.Name, a.Times)
	}
	for _, a := range i.Alerts.Rest {
		add(a.Name, a.Times)
	}
	return all
}
