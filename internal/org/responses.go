package org

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/runbook"
)

const kindOfResponse = "automatic response"

// The most that an automatic response may ask for.
const (
	maxHold    = 30 * time.Minute
	maxPerHour = 60
	maxInARow  = 20
)

// An automatic is an automatic response of the folder. Its parameters are as they are written, with the names of labels.
type automatic struct {
	incident.AutomaticResponse

	place  place
	until  calendar.Date // of a pre-approval: its last day
	values []pair[string]
}

var (
	aHold = in("a time of more than 0s, and of 30m at most, such as 3m", func(s string) (time.Duration, bool) {
		d, ok := duration(s)
		return d, ok && d > 0 && d <= maxHold
	})
	aSettle = in("a time of more than 0s, such as 3m, or none where alerts never say that they are over", func(s string) (time.Duration, bool) {
		if s == "none" {
			return 0, true
		}
		d, ok := duration(s)
		return d, ok && d > 0
	})
	aRate    = in(fmt.Sprintf("a whole number from 1 to %d", maxPerHour), between(1, maxPerHour))
	aRow     = in(fmt.Sprintf("a whole number from 1 to %d", maxInARow), between(1, maxInARow))
	aFilling = in("text on one line, in which {name} stands for the value of the label", aLabelValue.read)
)

// readAutomatic reads automatic-responses.yaml.
func (b *builder) readAutomatic(o *object) {
	o.entries("automatic_responses", kindOfResponse, some, func(o *object, id string) {
		a := automatic{place: o.place}
		a.ID = id
		a.Name = maybe(o, "name", aName, id)
		a.Look, a.Act = b.ownSteps(o, "enrich", incident.CheckLooking), b.ownSteps(o, "runbook", incident.CheckAutomatic)
		a.Hold, _ = need(o, "hold", aHold)
		a.PerHour, _ = need(o, "per_hour", aRate)
		a.values = pairs(o, "parameters", aFilling, optional)
		if !o.has("enrich") && !o.has("runbook") {
			o.fault(o.place, "%s: does nothing; want enrich, a runbook or both", o.subject)
		}
		if o.has("runbook") {
			b.readActing(o, &a)
		}
		b.checkParameters(o, &a)
		b.automatics = append(b.automatics, a)
	})
}

// ownSteps reads the runbook of an automatic response: no step of it may need a person.
func (b *builder) ownSteps(o *object, key string, check func(runbook.Runbook) error) *incident.Procedure {
	if !o.has(key) {
		return nil
	}
	id, ok := o.ref(key, kindOfRunbook)
	if !ok {
		return nil
	}
	w, ok := b.runbooks[id]
	if !ok {
		return nil
	}
	if w.Kind != runbook.Procedure {
		b.wantKind(o.field(key).place, o.about(key), id, runbook.Procedure)
		return nil
	}
	if err := check(w.Runbook); err != nil {
		o.fault(o.field(key).place, "%s %s: %s", o.about(key), show(id), err)
		return nil
	}
	return &incident.Procedure{SHA256: w.sha256, Runbook: runbook.Runbook{
		ID: w.ID, Kind: w.Kind, Title: w.Title, Parameters: w.Parameters, Steps: w.Steps,
	}}
}

// readActing reads what only a response has that changes something.
func (b *builder) readActing(o *object, a *automatic) {
	a.Settle, _ = need(o, "settle", aSettle)
	if a.Settle >= a.Hold && a.Hold > 0 {
		o.fault(o.field("settle").place, "%s: want less than hold, after which people are paged whatever comes of it", o.about("settle"))
	}
	a.Failures, _ = need(o, "failures", aRow)
	a.Tell = b.targets(o, "tell", aLastTarget)
	switch pre, asked := o.has("pre_approved"), o.has("approval"); {
	case b.asking:
	case pre == asked:
		o.fault(o.place, "%s: want pre_approved with who answers for it, or approval with who is asked", o.subject)
		return
	}
	if o.has("pre_approved") {
		o.object(o.field("pre_approved"), o.about("pre_approved"), func(o *object) {
			a.PreApproved = &incident.PreApproval{}
			a.PreApproved.By, _ = o.ref("by", "person")
			a.PreApproved.Name = cmp.Or(b.people[a.PreApproved.By].Name, a.PreApproved.By)
			a.until, _ = need(o, "until", aDate)
			if b.org.Zone != nil {
				day, _ := time.ParseInLocation(time.DateOnly, a.until.String(), b.org.Zone)
				a.PreApproved.Until = day.AddDate(0, 0, 1)
			}
		})
	}
	if o.has("approval") {
		o.object(o.field("approval"), o.about("approval"), func(o *object) {
			a.Approval = &incident.ResponseVotes{Approvers: b.targets(o, "approvers", aLastTarget)}
			a.Approval.Within, _ = need(o, "within", aHold)
		})
	}
}

// checkParameters holds the parameters against those of both runbooks.
func (b *builder) checkParameters(o *object, a *automatic) {
	wanted := map[string]bool{}
	for _, p := range []*incident.Procedure{a.Look, a.Act} {
		for n := 0; p != nil && n < len(p.Runbook.Parameters); n++ {
			x := p.Runbook.Parameters[n]
			if wanted[x.ID] = true; !slices.ContainsFunc(a.values, func(v pair[string]) bool { return v.key == x.ID }) {
				o.fault(o.place, "%s: parameters: %s: missing; want %s, for %s", o.subject, x.ID, x.Description, p.Runbook.Shown())
			}
		}
	}
	for _, v := range a.values {
		if !wanted[v.key] && (a.Look != nil || a.Act != nil) {
			o.fault(o.field("parameters").place, "%s: %s: not a parameter of its runbooks", o.about("parameters"), show(v.key))
		}
	}
}

// automatically is the response of a route to alerts that have some labels in common; nil where it has none.
func (o *Organisation) automatically(r *route, labels alert.Labels) *incident.AutomaticResponse {
	n := slices.IndexFunc(o.automatics, func(a automatic) bool { return a.ID == r.automatic })
	if n < 0 {
		return nil
	}
	a := o.automatics[n]
	is := a.AutomaticResponse
	var broken []error
	for _, p := range a.values {
		text, missing := placed(p.value, labels)
		if len(missing) > 0 {
			broken = append(broken, fmt.Errorf("parameter %s: its alerts have no label %s in common", p.key, strings.Join(missing, ", ")))
			continue
		}
		is.Parameters = append(is.Parameters, runbook.Value{ID: p.key, Value: text})
	}
	if len(broken) == 0 {
		for _, p := range []*incident.Procedure{is.Look, is.Act} {
			if p != nil {
				broken = append(broken, p.Runbook.CheckValues(is.ValuesFor(p))...)
			}
		}
	}
	if len(broken) > 0 {
		var all []string
		for _, err := range broken { // both runbooks may say the same of one value
			_, said, _ := strings.Cut(err.Error(), "parameter ")
			if said = "parameter " + said; !slices.Contains(all, said) {
				all = append(all, said)
			}
		}
		is.Parameters, is.Fault = nil, strings.Join(all, "; ")
	}
	return &is
}

// sharesLabels makes a fault of a parameter from a label that the alerts of one incident need not share.
func (b *builder) sharesLabels(o *object, r *route) {
	n := slices.IndexFunc(b.automatics, func(a automatic) bool { return a.ID == r.automatic })
	if n < 0 {
		return
	}
	for _, p := range b.automatics[n].values {
		for _, name := range placeholder.FindAllString(p.value, -1) {
			name = strings.Trim(name, "{}")
			if !slices.Contains(r.groupBy, name) && !slices.ContainsFunc(r.match, func(m pair[string]) bool { return m.key == name }) {
				o.fault(o.field("automatic").place, "%s %s: its parameter %s is from the label %s, which alerts of one incident need not share; want %s in group_by or match",
					o.about("automatic"), show(r.automatic), p.key, name, name)
			}
		}
	}
}

// AutomaticResponses lists the automatic responses, in the order of the folder.
func (o *Organisation) AutomaticResponses() []incident.AutomaticResponse {
	all := make([]incident.AutomaticResponse, len(o.automatics))
	for n := range o.automatics {
		all[n] = o.automatics[n].AutomaticResponse
	}
	return all
}

// endingApprovals warns of responses for which nobody answers any more, or soon will not, and of those to which no route leads.
func (b *builder) endingApprovals(w *reader, now time.Time) {
	const soon = 30 // days
	today := calendar.DateOf(now.In(b.org.Zone))
	for _, a := range b.automatics {
		switch p := a.PreApproved; {
		case p == nil:
		case a.until < today:
			w.fault(a.place, "%s %s: its pre-approval by %s ended on %s, so it does not run", kindOfResponse, a.ID, p.Name, a.until)
		case a.until <= today+soon:
			w.fault(a.place, "%s %s: its pre-approval by %s ends on %s", kindOfResponse, a.ID, p.Name, a.until)
		}
		if !slices.ContainsFunc(b.routes, func(r route) bool { return r.automatic == a.ID }) {
			w.fault(a.place, "%s %s: no route asks for it", kindOfResponse, a.ID)
		}
	}
}
