package worker

import (
	"encoding/json"
	"fmt"
	"time"

	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/workflows"
)

// ArchivedReports writes what people read of the last state of a run, in every language: for whoever has the archive and no Muster. Of
// some kinds nothing is written; their timeline tells all.
func ArchivedReports(t *report.Texts) func(kind string, state json.RawMessage, told []timeline.Entry, at time.Time) (map[string][]byte, error) {
	return func(kind string, state json.RawMessage, told []timeline.Entry, at time.Time) (map[string][]byte, error) {
		name, write, err := archivedReport(t, kind, state, told)
		if err != nil || write == nil {
			return nil, err
		}
		all := map[string][]byte{}
		for _, language := range t.Languages() {
			for _, format := range []report.Format{report.Markdown, report.HTML} {
				text, err := write(report.Edition{Language: language, Format: format, At: at})
				if err != nil {
					return nil, fmt.Errorf("write %s in %s: %w", name, language, err)
				}
				all[fmt.Sprintf("%s.%s.%s", name, language, format)] = text
			}
		}
		return all, nil
	}
}

func archivedReport(t *report.Texts, kind string, state json.RawMessage, told []timeline.Entry) (name string, write func(report.Edition) ([]byte, error), err error) {
	read := func(into any, log *timeline.Log) error {
		if err := json.Unmarshal(state, into); err != nil {
			return fmt.Errorf("read state of %s: %w", kind, err)
		}
		log.Entries, log.Dropped = told, 0
		return nil
	}
	switch kind {
	case workflows.IncidentWorkflow:
		var i incident.Incident
		err = read(&i, &i.Timeline)
		return "incident-report", func(e report.Edition) ([]byte, error) { return t.Incident(&i, e) }, err
	case workflows.ReviewWorkflow:
		var r review.Review
		if err = read(&r, &r.Timeline); r.Rules == nil { // its incident is from before there were any
			return "", nil, err
		}
		return "review", func(e report.Edition) ([]byte, error) { return t.ReviewReport(&r, e) }, err
	case workflows.ProblemWorkflow:
		var p problem.Problem
		err = read(&p, &p.Timeline)
		return "problem", func(e report.Edition) ([]byte, error) { return t.ProblemReport(&p, e) }, err
	case workflows.RequestWorkflow:
		var r request.Request
		err = read(&r, &r.Timeline)
		return "request", func(e report.Edition) ([]byte, error) { return t.RequestReport(&r, e) }, err
	case workflows.UpgradeWorkflow, workflows.GoLiveWorkflow, workflows.ReadinessWorkflow, workflows.MaintenanceWorkflow:
		var r planrun.Run
		err = read(&r, &r.Timeline)
		return "completion-report", func(e report.Edition) ([]byte, error) { return t.PlanReport(&r, plan.CompletionReport, e) }, err
	default:
		return "", nil, nil
	}
}
