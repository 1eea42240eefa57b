package org

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/plan"
	"muster/internal/planrun"
)

// A noticeRule says which plan is started for what a provider announces: of a source the first one that fits.
type noticeRule struct {
	place   place
	subject string // of what is wrong with it
	match   []pair[string]
	start   PlanStart
}

const maxNoticeRules = 100

// readNoticeRules reads which plans a source starts.
func readNoticeRules(o *object) (rules []noticeRule) {
	for i, n := range o.few("planned", maxNoticeRules) {
		o.object(n, fmt.Sprintf("%s: planned %d", o.subject, i+1), func(o *object) {
			r := noticeRule{place: o.place, subject: o.subject, match: pairs(o, "match", aLabelValue, optional)}
			r.start.Plan, _ = need(o, "plan", anID)
			r.start.Customer, _ = need(o, "customer", anID)
			r.start.Environments, r.start.Parameters = given(o, "environments"), given(o, "parameters")
			rules = append(rules, r)
		})
	}
	return rules
}

// given reads texts under names.
func given(o *object, key string) map[string]string {
	all := map[string]string{}
	for _, p := range pairs(o, key, aLabelValue, optional) {
		all[p.key] = p.value
	}
	return all
}

// tryNoticeRules starts every plan for a notice: no notice must find one wanting. What is said of something that could not be read
// would only confuse.
func (b *builder) tryNoticeRules() {
	at := b.org.LoadedAt
	sample := alert.Notice{ID: "x", Title: "x", Text: "x", Link: "https://example.com", Begins: at, Ends: at.Add(time.Hour)}
	for _, s := range b.sources {
		for _, r := range s.planned {
			b.tryStart(r.place, r.subject, b.org.announced(r, sample))
		}
	}
}

// tryStart starts a plan for a moment, and says what keeps it from that, unless that may come of something that could not be read.
func (b *builder) tryStart(at place, subject string, s PlanStart) planrun.Terms {
	terms, err := b.org.StartPlan(s)
	if refused, is := errors.AsType[*PlanRefusal](err); is {
		for _, f := range refused.Faults {
			if !b.unclear(s, f.File) {
				b.fault(at, "%s: %s", subject, f)
			}
		}
	} else if err != nil {
		b.fault(at, "%s: %v", subject, err)
	}
	return terms
}

// unclear tells whether a fault in a field of a start may come of something that could not be read.
func (b *builder) unclear(s PlanStart, field string) bool {
	lost := func(what, id string) bool { return b.table(what).unread || b.table(what).vague[id] }
	field, id, _ := strings.Cut(field, ".")
	switch {
	case lost("plan", s.Plan) || s.Plan == "" || s.Customer == "":
		return true
	case field == "customer":
		return b.table("customer").unread
	case field == "environments":
		return lost("customer", s.Customer)
	case field == "roles":
		return lost("customer", s.Customer) || lost("organisation", b.org.ID)
	case field == "runbooks":
		return lost(kindOfRunbook, id)
	}
	return false
}

// PlanFor returns what is started for a notice of a source, and whether there is anything. Of what does not say when it begins, it counts
// as beginning now.
func (o *Organisation) PlanFor(id string, n alert.Notice, now time.Time) (PlanStart, bool) {
	if n.Begins.IsZero() {
		n.Begins = now
	}
	i := slices.IndexFunc(o.sources, func(s source) bool { return s.ID == id })
	if i < 0 {
		return PlanStart{}, false
	}
	for _, r := range o.sources[i].planned {
		if !slices.ContainsFunc(r.match, func(m pair[string]) bool { return n.Labels.Value(m.key) != m.value }) {
			return o.announced(r, n), true
		}
	}
	return PlanStart{}, false
}

// announced gives a plan those of its parameters that a notice knows.
func (o *Organisation) announced(r noticeRule, n alert.Notice) PlanStart {
	s := r.start
	s.Parameters = map[string]string{}
	for key, v := range r.start.Parameters {
		s.Parameters[key] = v
	}
	p, err := o.PlanOf(s.Plan)
	if err != nil { // StartPlan says so
		return s
	}
	ends := n.Ends
	if ends.Before(n.Begins) {
		ends = n.Begins
	}
	for id, v := range map[string]string{
		"event": cmp.Or(n.Title, n.ID), "detail": cmp.Or(n.Text, n.Title, n.ID), "reference": cmp.Or(n.Reference, n.ID), "link": n.Link,
		"begins": n.Begins.UTC().Format(time.RFC3339), "ends": ends.UTC().Format(time.RFC3339),
	} {
		if i := slices.IndexFunc(p.Definition.Parameters, func(x plan.Parameter) bool { return x.ID == id }); i >= 0 && s.Parameters[id] == "" {
			s.Parameters[id] = strings.Join(strings.Fields(clip(v, maxAnnounced)), " ")
		}
	}
	return s
}

// maxAnnounced is how much of a provider's text goes into a plan, in characters.
const maxAnnounced = 1_000
