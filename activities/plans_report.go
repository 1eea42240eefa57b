package activities

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/internal/timeline"
)

// A PlanReportWriter renders the reports on runs of plans.
type PlanReportWriter interface {
	PlanReport(r *planrun.Run, kind string, e report.Edition) ([]byte, error)
}

// PlanContacts knows how those are reached who fill the roles of a plan, as far as all parties may know, and to which party people
// belong.
type PlanContacts interface {
	PlanContacts(roles []planrun.Filled) []report.PlanContact
	Subject(actor string) (authority.Subject, bool)
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

// WritePlanReport renders a document in every language of the organisation, as Markdown, page and PDF: the provider's own edition, and
// one for each other kind of party that has a part in the plan. Each attempt at its task has files of its own: an earlier one may have
// been handed out, and stays.
func (p *PlanReports) WritePlanReport(ctx context.Context, in WritePlanReportInput) ([]planrun.Document, error) {
	t, _, ok := in.Run.Task(in.Task)
	if !ok {
		return nil, refused(fmt.Errorf("write %s of %s: task %q: there is none", in.Writes, in.Run.ID, in.Task))
	}
	reports := Reports{Shelf: p.Shelf}
	folder := p.Contacts()
	var files []planrun.Document
	for _, kind := range readers(in.Run) {
		run, contacts, suffix := in.Run, folder.PlanContacts(in.Run.Roles), ""
		if kind != "" {
			run, contacts, suffix = in.Run.Shown(reader(folder, in.Run, kind)), outside(in.Run, kind, contacts), "."+string(kind)
		}
		for _, language := range p.Languages() {
			for _, f := range report.Formats() {
				content, err := p.Writer.PlanReport(run, in.Writes, report.Edition{Language: language, Format: f, At: in.At, Contacts: contacts})
				if err != nil {
					return nil, refused(fmt.Errorf("render %s of %s: %w", in.Writes, in.Run.ID, err))
				}
				name := path.Join(string(in.Run.ID), fmt.Sprintf("%s-%s-%d%s.%s.%s", in.Writes, in.Task, t.Attempt, suffix, language, f))
				_, sum, err := reports.keep(ctx, name, content)
				if err != nil {
					return nil, err
				}
				files = append(files, planrun.Document{Name: name, SHA256: sum, For: kind})
			}
		}
	}
	return files, nil
}

// readers are the kinds of parties for which there is an edition: the provider, whose kind is left empty, the customer, and whoever else
// has a role in the plan.
func readers(r *planrun.Run) []authority.PartyKind {
	kinds := []authority.PartyKind{"", authority.Customer}
	for _, role := range r.Plan.Roles {
		if role.Party != authority.Provider && !slices.Contains(kinds, role.Party) {
			kinds = append(kinds, role.Party)
		}
	}
	return kinds
}

// reader is for whom an edition is written. There is one customer, with all its roles and people. Partners and vendors may be several
// who read the same edition, so it has in it what concerns all of them.
func reader(folder PlanContacts, r *planrun.Run, kind authority.PartyKind) planrun.Viewer {
	v := planrun.Viewer{Kind: kind}
	v.Instead = timeline.Actor{Kind: timeline.Engine, ID: timeline.Muster().ID, Name: r.Organisation}
	v.Own = func(timeline.Actor) bool { return false }
	if kind != authority.Customer {
		return v
	}
	v.Party = r.Customer
	v.Own = func(a timeline.Actor) bool {
		whose, ok := folder.Subject(a.ID)
		return a.Kind == timeline.Person && ok && whose.Party == r.Customer
	}
	for _, role := range r.Plan.Roles {
		if role.Party == kind {
			v.Roles = append(v.Roles, role.ID)
		}
	}
	return v
}

// outside is a contact list for a party beside the provider: its own people by name, and of all others the number to call.
func outside(r *planrun.Run, kind authority.PartyKind, contacts []report.PlanContact) (shown []report.PlanContact) {
	for _, c := range contacts {
		role, _ := r.Plan.Role(c.Role)
		if role.Party != kind || kind != authority.Customer {
			c = report.PlanContact{Role: c.Role, Name: r.Organisation, Phone: c.Phone}
			switch role.Party {
			case authority.Provider:
			case authority.Customer:
				c.Name = r.CustomerName
			default:
				c.Name = "–"
			}
		}
		if !slices.Contains(shown, c) {
			shown = append(shown, c)
		}
	}
	return shown
}
