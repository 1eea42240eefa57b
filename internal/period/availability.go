package period

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"

	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// A WindowLine is planned work that has changed environments of a customer.
type WindowLine struct {
	Run         string   `json:"run"`
	Title       Title    `json:"title"`
	Environment string   `json:"environment"`
	Services    []string `json:"services,omitempty"` // IDs
	Customer    string   `json:"customer"`           // ID
	Bundles     []string `json:"bundles"`
	Span
}

// A Title is what something is called, in both languages.
type Title struct {
	En string `json:"en"`
	Ko string `json:"ko"`
}

// In returns the title in a language, English in any other than Korean.
func (t Title) In(language string) string {
	if language == "ko" {
		return cmp.Or(t.Ko, t.En)
	}
	return cmp.Or(t.En, t.Ko)
}

// A used thing is a service of a customer, and what is known of it.
type used struct {
	customer, service string
	down, degraded    []Span
	planned           []Span
	seen              tally // the files that say so
}

// name is how figures call it in a part of the period.
func (u *used) name(part Period) string {
	return strings.TrimPrefix(u.customer+"/"+u.service+"/"+part.String(), "/")
}

// countAvailability counts for each service and customer, and each month, how long it could be used: what was agreed is the whole
// time without planned work, and it was down while an incident had a high impact on it.
func (c *counting) countAvailability() {
	var all []*used
	of := func(customer, service string) *used {
		for _, u := range all {
			if u.customer == customer && u.service == service {
				return u
			}
		}
		u := &used{customer: customer, service: service}
		all = append(all, u)
		return u
	}
	for _, s := range c.Services {
		if c.mine(s.Customer) {
			of(s.Customer, s.ID)
		}
	}
	for _, h := range c.incidents {
		c.impaired(h, of)
	}
	c.planned(of)
	slices.SortFunc(all, func(a, b *used) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.service, b.service))
	})
	for _, u := range all {
		for _, part := range c.period.Parts() {
			c.available(u, part)
		}
	}
}

// impaired adds the times in which an incident had an impact.
func (c *counting) impaired(h held[*incident.Incident], of func(customer, service string) *used) {
	i := h.state
	end, files := resolved(i), h.files
	if merged(i) {
		end = i.Times.Closed
		if n := slices.IndexFunc(c.incidents, func(o held[*incident.Incident]) bool { return o.state.ID == i.MergedInto.ID }); n >= 0 {
			end = cmp.Or(resolved(c.incidents[n].state), end) // it is over when that one is
			files = append(slices.Clone(files), c.incidents[n].files...)
		}
	}
	if end.IsZero() || end.After(c.span.To) {
		end = c.span.To
	}
	lasting := Span{i.Times.Started, end}
	if lasting.within(c.span).empty() {
		return
	}
	customers := []string{c.Customer}
	if c.Customer == "" {
		customers = nil
		for _, x := range i.Definition.Customers {
			customers = append(customers, x.ID)
		}
		if len(customers) == 0 {
			customers = []string{""}
		}
	}
	high, low := impacts(h, lasting)
	for _, customer := range customers {
		u := of(customer, i.Definition.Service.ID)
		u.down, u.degraded = append(u.down, high...), append(u.degraded, low...)
		u.seen.see(files...)
	}
}

// impacts are the times of an incident with a high impact, and those with a lower one, as it was recorded. What was found out first
// counts from the beginning; while it was resolved there was none.
func impacts(h held[*incident.Incident], lasting Span) (high, low []Span) {
	level, since := priority.Level(""), lasting.From
	until := func(at time.Time) {
		s := Span{since, at}
		if level == priority.High {
			high = append(high, s)
		} else {
			low = append(low, s)
		}
		since = at
	}
	for _, e := range h.log.Entries {
		if e.Kind != timeline.IncidentOpened && e.Kind != timeline.PriorityChanged || e.Fact("impact") == "" {
			continue
		}
		if level != "" {
			until(e.At)
		}
		level = priority.Level(e.Fact("impact"))
	}
	if level == "" {
		level = h.state.Impact
	}
	until(lasting.To)
	in := []Span{lasting}
	return without(common(high, in), away(h)), without(common(low, in), away(h))
}

// planned adds the times in which runs of plans have changed environments in which services run. When the window had ended, it was
// not planned any more, and what was changed under an override never was.
func (c *counting) planned(of func(customer, service string) *used) {
	for _, h := range c.runs {
		r := h.state
		for n := range r.Environments {
			b := &r.Environments[n]
			if !b.Production {
				continue
			}
			for _, s := range changing(h, b.ID, c.span.To) {
				s = s.within(c.span)
				if s.empty() {
					continue
				}
				for _, service := range b.Services {
					u := of(r.Customer, service)
					u.planned = append(u.planned, s)
					u.seen.see(h.files...)
				}
				c.Maintenance = append(c.Maintenance, WindowLine{
					Run: string(r.ID), Title: titleOf(r), Environment: b.Name, Services: b.Services, Customer: r.Customer, Bundles: h.files,
					Span: Span{s.From.UTC(), s.To.UTC()},
				})
			}
		}
	}
	slices.SortStableFunc(c.Maintenance, func(a, b WindowLine) int { return a.From.Compare(b.From) })
}

func titleOf(r *planrun.Run) Title { return Title{r.Plan.Name.En, r.Plan.Name.Ko} }

// changing are the times in which tasks of a run have changed an environment or rolled it back, and its window had not ended.
func changing(h held[*planrun.Run], environment string, until time.Time) []Span {
	var all, late []Span
	begun := map[string]time.Time{}
	var undoing time.Time
	for _, e := range h.log.Entries {
		switch e.Kind {
		case timeline.TaskMoved:
			task := e.Fact("task")
			def, _ := h.state.Plan.Task(task)
			if def.Environment != environment || !def.Changes {
				continue
			}
			switch planrun.TaskStatus(e.Fact("to")) {
			case planrun.Begun:
				if !overridden(h.state, environment, e.At) {
					begun[task] = e.At
				}
			case planrun.InCheck, planrun.Unclear: // it may go on
			default:
				if since := begun[task]; !since.IsZero() {
					all = append(all, Span{since, e.At})
					delete(begun, task)
				}
			}
		case timeline.WindowOverrun:
			def, _ := h.state.Plan.Task(e.Fact("task"))
			if def.Environment == environment {
				late = append(late, Span{e.At, until})
			}
		case timeline.WindowLooked:
			if n := len(late); n > 0 && e.Fact("environment") == environment && e.Fact("state") == "open" && late[n-1].To.Equal(until) {
				late[n-1].To = e.At // the next window
			}
		case timeline.RollbackBegun:
			if e.Fact("environment") == environment {
				undoing = e.At
			}
		case timeline.RollbackEnded:
			if e.Fact("environment") == environment && !undoing.IsZero() {
				all = append(all, Span{undoing, e.At})
				undoing = time.Time{}
			}
		default:
		}
	}
	for _, since := range begun {
		all = append(all, Span{since, until})
	}
	if !undoing.IsZero() {
		all = append(all, Span{undoing, until})
	}
	return without(all, late)
}

// available puts the figures of a service in a part of the period.
func (c *counting) available(u *used, part Period) {
	from, to := part.Bounds(c.zone)
	in := Span{from, to}.within(c.span)
	if in.empty() {
		return
	}
	whole, name, files := []Span{in}, u.name(part), u.seen.files
	planned := common(u.planned, whole)
	down := without(common(u.down, whole), planned)
	agreed, lost := lasted(whole)-lasted(planned), lasted(down)
	c.put("availability", name, Percent, share(int64((agreed-lost)/time.Second), int64(agreed/time.Second), 4), files)
	c.put("downtime", name, Seconds, seconds(lost), files)
	c.put("downtime.planned", name, Seconds, seconds(lasted(planned)), files)
	c.put("degraded", name, Seconds, seconds(lasted(without(common(u.degraded, whole), append(down, planned...)))), files)
	if percent, promised := c.promised(u.customer); promised {
		c.put("availability.target", name, Percent, float(percent), files)
		c.put("downtime.left", name, Seconds, seconds(allowed(agreed, percent)-lost), files)
	}
}

// promised is the availability that a customer was promised: the one of applications where there is one, for that is what an
// incident is about, and the highest where there are several.
func (c *counting) promised(customer string) (*big.Rat, bool) {
	var best *big.Rat
	application := false
	for _, t := range c.Promised {
		p, ok := new(big.Rat).SetString(t.Percent)
		if t.Customer != customer || !ok {
			continue
		}
		if of := t.Of == "application"; best == nil || of && !application || of == application && p.Cmp(best) > 0 {
			best, application = p, of
		}
	}
	return best, best != nil
}

// allowed is how long something may be down in an agreed time.
func allowed(agreed time.Duration, percent *big.Rat) time.Duration {
	down := new(big.Rat).Sub(big.NewRat(100, 1), percent)
	down.Mul(down, big.NewRat(int64(agreed), 100))
	return time.Duration(new(big.Int).Quo(down.Num(), down.Denom()).Int64())
}

func float(r *big.Rat) *float64 {
	v, _ := r.Float64()
	return &v
}
