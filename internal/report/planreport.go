package report

import (
	"fmt"

	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/planrun"
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
// (작업완료보고서), the RACI matrix or the decision record. The same run and edition give the same bytes. It is the
// provider's own: it names everybody who has taken part.
func (t *Texts) PlanReport(r *planrun.Run, kind string, e Edition) ([]byte, error) {
	l := t.in(e.Language)
	text, known := l.plans[kind]
	err := fmt.Errorf("no such report; want one of %q", PlanReports())
	var out []byte
	if known {
		out, err = document(l, clean(l.planView(r, e)), text, e, l.frame(r.Organisation, string(r.ID), r.Zone, "", e))
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s in %s: %w", kind, r.ID, l.code, err)
	}
	return out, nil
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
