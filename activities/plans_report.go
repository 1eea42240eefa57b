package activities

import (
	"context"
	"fmt"
	"path"
	"time"

	"muster/internal/planrun"
	"muster/internal/report"
)

// A PlanReportWriter renders the reports on runs of plans.
type PlanReportWriter interface {
	PlanReport(r *planrun.Run, kind string, e report.Edition) ([]byte, error)
}

// PlanContacts knows how those are reached who fill the roles of a plan, as far as all parties may know.
type PlanContacts interface {
	PlanContacts(roles []planrun.Filled) []report.PlanContact
}

// PlanReports writes the documents of runs of plans, and keeps them.
type PlanReports struct {
	Writer    PlanReportWriter
	Shelf     Shelf
	Languages func() []string // of the organisation's reports
	Contacts  func() PlanContacts
}

// WritePlanReportInput asks for a document of a run. The run is as planrun.Run.ForReport makes it: a whole one has no room in an
// activity's input.
type WritePlanReportInput struct {
	Run    *planrun.Run `json:"run"`
	Writes string       `json:"writes"` // work-plan, completion-report
	Task   string       `json:"task"`
	At     time.Time    `json:"at"`
}

// WritePlanReport renders a document in every language of the organisation, as Markdown, page and PDF. Each attempt at its task has files
// of its own: an earlier one may have been handed out, and stays.
func (p *PlanReports) WritePlanReport(ctx context.Context, in WritePlanReportInput) ([]planrun.Document, error) {
	t, _, ok := in.Run.Task(in.Task)
	if !ok {
		return nil, refused(fmt.Errorf("write %s of %s: task %q: there is none", in.Writes, in.Run.ID, in.Task))
	}
	reports := Reports{Shelf: p.Shelf}
	contacts := p.Contacts().PlanContacts(in.Run.Roles)
	var files []planrun.Document
	for _, language := range p.Languages() {
		for _, f := range report.Formats() {
			content, err := p.Writer.PlanReport(in.Run, in.Writes, report.Edition{Language: language, Format: f, At: in.At, Contacts: contacts})
			if err != nil {
				return nil, refused(fmt.Errorf("render %s of %s: %w", in.Writes, in.Run.ID, err))
			}
			name := path.Join(string(in.Run.ID), fmt.Sprintf("%s-%s-%d.%s.%s", in.Writes, in.Task, t.Attempt, language, f))
			_, sum, err := reports.keep(ctx, name, content)
			if err != nil {
				return nil, err
			}
			files = append(files, planrun.Document{Name: name, SHA256: sum})
		}
	}
	return files, nil
}
