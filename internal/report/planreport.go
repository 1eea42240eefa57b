package report

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// The reports on a run of a plan besides plan.Reports: parts of those that also stand by themselves.
const (
	RACIMatrix     = "raci"
	DecisionRecord = "decisions"
)

// PlanReports lists the reports on a run of a plan.
func PlanReports() []string { return append(plan.Reports(), RACIMatrix, DecisionRecord) }

// A PlanContact is how somebody is reached who may fill a role of a plan. All parties read it.
type PlanContact struct {
	Role  string // ID
	Name  string
	Of    string // the group or schedule for which they stand; may be empty
	Phone string
	Mail  string
}

// PlanReport writes a report on a run of a plan as of an instant: the work plan (작업계획서), the completion report
// (작업완료보고서), the RACI matrix or the decision record. The same run and edition give the same bytes. Of a whole run it
// is the provider's own, which names everybody who has taken part; for other parties it is written of what the run shows to them.
func (t *Texts) PlanReport(r *planrun.Run, kind string, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	text, known := l.plans[kind]
	err := fmt.Errorf("no such report; want one of %q", PlanReports())
	var out []byte
	if known {
		closed := closing(r, kind, e.At)
		view := l.planView(closed, e)
		view.Closing = closed != r
		out, err = document(l, clean(view), text, e, l.frame(r.Organisation, string(r.ID), r.Zone, "", e))
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s in %s: %w", kind, r.ID, l.code, err)
	}
	return out, nil
}

// closing is the run as this report ends it when nothing but the report is left to do, and the run as it is otherwise.
func closing(r *planrun.Run, kind string, at time.Time) *planrun.Run {
	last := -1
	for n := range r.Tasks {
		if r.Tasks[n].Status.Ended() {
			continue
		}
		if last >= 0 {
			return r
		}
		last = n
	}
	if last < 0 || r.Status != planrun.Running || r.Tasks[last].Status != planrun.Begun {
		return r
	}
	if def, _ := r.Plan.Task(r.Tasks[last].ID); def.Kind != plan.Report || def.Writes != kind {
		return r
	}
	closed := *r
	closed.Tasks = slices.Clone(r.Tasks)
	t := &closed.Tasks[last]
	t.Status, t.By, t.Ended = planrun.Done, timeline.Muster(), at
	closed.Status, closed.Reason, closed.Ended = planrun.Completed, "", at
	return &closed
}

// planReportWords lists the words that reports on runs need.
func planReportWords(add func(axis, value string)) {
	for _, k := range plan.Kinds() {
		add("plan-kind", string(k))
	}
	for _, k := range plan.TaskKinds() {
		add("task-kind", string(k))
	}
	for _, w := range []string{"weekday", "first", "second", "third", "fourth", "last", "last-day", "day", "yearly"} {
		add("when", w)
	}
	for _, o := range []string{"open", "granted", "refused", "expired"} {
		add("waiver", o)
	}
	for _, v := range []planrun.Verdict{planrun.Pass, planrun.Miss, planrun.Inconclusive} {
		add("measured", string(v))
	}
	for _, kind := range plan.Reports() {
		add("report", kind)
	}
	add("plan-change", "name")
	for _, p := range authority.PartyKinds() {
		add("party", string(p))
	}
}
