package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/runbook"
	"muster/internal/supportplan"
)

// A PlanWriter writes messages on runs of plans. With an error it still returns the bare facts.
type PlanWriter interface {
	PlanRun(t planrun.Telling, to delivery.Recipient) (delivery.Message, error)
}

// A Library knows which documents of a service stand in the organisation folder.
type Library interface {
	// Documents says what somebody would be missing who takes the service over.
	Documents(service string, at time.Time) (lacks []string, err error)
}

// Plans has the effects of runs of plans.
type Plans struct {
	Directory func() Directory
	Library   func() Library
	Writer    PlanWriter
	Now       func() time.Time
	Page      func(planrun.ID) string // where people see a run, empty when they cannot; nil: nobody knows
}

// RoleTargets are whom a role of a plan means.
type RoleTargets struct {
	Role    string              `json:"role"`
	Party   authority.PartyKind `json:"party"`
	Targets []escalation.Target `json:"targets"`
}

// ComposePlanInput asks for the messages of one telling.
type ComposePlanInput struct {
	Telling planrun.Telling `json:"telling"`
	Roles   []RoleTargets   `json:"roles,omitempty"`  // of the telling
	Seen    incident.Folder `json:"seen"`             // the newest folder that the run has had an answer from
	Anyway  bool            `json:"anyway,omitempty"` // takes an older folder too
}

// ComposePlan finds out who is told as of now and writes one message for each. What cannot be resolved becomes a detail.
func (p *Plans) ComposePlan(_ context.Context, in ComposePlanInput) (incident.Composition, error) {
	dir := p.Directory()
	out := incident.Composition{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, in.Anyway); err != nil {
		return out, err
	}
	if p.Page != nil {
		in.Telling.Page = p.Page(in.Telling.Run)
	}
	roles := in.Roles
	if in.Telling.Person != "" {
		roles = []RoleTargets{{Targets: []escalation.Target{{Kind: escalation.Person, ID: in.Telling.Person}}}}
	}
	var (
		to     []incident.Addressed
		as     []string // in which role each of them is told
		faults error
	)
	for _, role := range roles {
		people, err := p.people(dir, role.Targets)
		faults = errors.Join(faults, err)
		for _, r := range people {
			to, as = append(to, incident.Addressed{To: r}), append(as, role.Role)
		}
	}
	address(&out, to, faults, func(a incident.Addressed) (delivery.Message, error) {
		n := slices.IndexFunc(to, func(x incident.Addressed) bool { return x.To.ID == a.To.ID })
		if as[n] == "" { // asked by name
			return p.Writer.PlanRun(in.Telling, a.To)
		}
		return p.Writer.PlanRun(in.Telling.To(as[n]), a.To)
	})
	return out, nil
}

// people are those whom targets mean now. Of an engineer's list the first are meant.
func (p *Plans) people(dir Directory, targets []escalation.Target) (all []delivery.Recipient, faults error) {
	for _, t := range targets {
		lists, err := choices(dir, t, p.Now())
		faults = errors.Join(faults, err)
		for _, list := range lists {
			if len(list) > 0 {
				all = append(all, list...)
				break
			}
		}
	}
	return all, faults
}

// FindVotersInput asks who may vote.
type FindVotersInput struct {
	Roles []RoleTargets   `json:"roles"`
	Seen  incident.Folder `json:"seen"` // the newest folder that the run has had an answer from
}

// Voters are those who may vote, as the organisation folder has it now.
type Voters struct {
	Electors []approval.Elector `json:"electors"`
	Folder   incident.Folder    `json:"folder"`
}

// FindVoters returns the people of some roles, each once with all of them. A channel that several read has no vote.
func (p *Plans) FindVoters(_ context.Context, in FindVotersInput) (Voters, error) {
	dir := p.Directory()
	out := Voters{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, false); err != nil {
		return out, err
	}
	for _, role := range in.Roles {
		people, err := p.people(dir, role.Targets)
		if err != nil {
			return out, fmt.Errorf("find voters of role %s: %w", role.Role, err)
		}
		for _, to := range people {
			if to.Shared {
				continue
			}
			n := slices.IndexFunc(out.Electors, func(e approval.Elector) bool { return e.Person == to.ID })
			if n < 0 {
				out.Electors = append(out.Electors, approval.Elector{Person: to.ID, Name: to.Name, Party: role.Party})
				n = len(out.Electors) - 1
			}
			if e := &out.Electors[n]; !slices.Contains(e.Roles, role.Role) {
				e.Roles = append(e.Roles, role.Role)
			}
		}
	}
	return out, nil
}

// CheckDocumentsInput asks whether the documents of a service are complete.
type CheckDocumentsInput struct {
	Service string          `json:"service"` // ID
	Seen    incident.Folder `json:"seen"`    // the newest folder that the run has had an answer from
}

// Documents are what was found of a service.
type Documents struct {
	Reading runbook.Reading `json:"reading"`
	Folder  incident.Folder `json:"folder"`
}

// mostLacks is how many missing documents are named.
const mostLacks = 20

// CheckDocuments looks in the organisation folder for all that whoever takes a service over works by. A service that is not there any more
// has none.
func (p *Plans) CheckDocuments(_ context.Context, in CheckDocumentsInput) (Documents, error) {
	dir := p.Directory()
	out := Documents{Folder: dir.Folder()}
	if err := recent(dir, in.Seen, false); err != nil {
		return out, err
	}
	lacks, err := p.Library().Documents(in.Service, p.Now())
	if len(lacks) > mostLacks {
		lacks = append(lacks[:mostLacks:mostLacks], fmt.Sprintf("and %d more", len(lacks)-mostLacks))
	}
	switch {
	case err != nil:
		out.Reading = runbook.Reading{Outcome: runbook.Fail, Seen: err.Error()}
	case len(lacks) > 0:
		out.Reading = runbook.Reading{Outcome: runbook.Fail, Seen: "documents of " + in.Service + " are not complete: " + strings.Join(lacks, "; ")}
	default:
		out.Reading = runbook.Reading{Outcome: runbook.Pass, Seen: "documents of " + in.Service + " are complete in revision " + out.Folder.Revision}
	}
	return out, nil
}

// ComputeDueInput asks when something is due.
type ComputeDueInput struct {
	planrun.DueOf

	Calendar  string           `json:"calendar,omitempty"`  // in which working time counts; empty: around the clock
	Calendars []calendar.Rules `json:"calendars,omitempty"` // those that the run has pinned
}

// ComputeDue returns when something is due. It is computed here and recorded, never again on replay.
func (p *Plans) ComputeDue(_ context.Context, in ComputeDueInput) (time.Time, error) {
	open, err := supportplan.OpenTimeOf(in.Calendar, in.Calendars, time.LoadLocation)
	if err != nil {
		return time.Time{}, fmt.Errorf("compute due: %w", err)
	}
	add := func(t time.Time) (time.Time, error) {
		if in.Days > 0 {
			return open.AddDays(t, in.Days)
		}
		return open.Add(t, in.Within)
	}
	if !in.Before {
		return add(in.From)
	}
	due, err := latest(in.From, add)
	if err != nil {
		return time.Time{}, fmt.Errorf("compute due: %w", err)
	}
	return due, nil
}

// latest returns the last minute from which what is added ends at an instant or before: adding never goes back in time. Where
// every instant before a minute would do and the minute itself would not, it is that minute: a day that ends at 18:00 lasts until
// 18:00, not until 17:59.
func latest(end time.Time, add func(time.Time) (time.Time, error)) (time.Time, error) {
	const horizon = 2 * 366 * 24 * 60 // minutes
	end = end.Truncate(time.Minute)
	inTime := func(from time.Time) bool {
		t, err := add(from)
		return err == nil && !t.After(end) // with an error the calendar ends before it is added: an earlier instant may do
	}
	n := sort.Search(horizon, func(minutes int) bool { return inTime(end.Add(-time.Duration(minutes) * time.Minute)) })
	if n == horizon {
		return time.Time{}, errors.New("not so much working time within two years before it")
	}
	due := end.Add(-time.Duration(n) * time.Minute)
	if over := due.Add(time.Minute); n > 0 && inTime(over.Add(-1)) {
		return over, nil
	}
	return due, nil
}

// LookWindow returns whether an environment may be changed, why, and until when that stays so.
func (p *Plans) LookWindow(_ context.Context, in planrun.WindowOf) (planrun.Look, error) {
	look := planrun.Look{Environment: in.Environment, At: in.At}
	times, err := freeze.New(in.Rules, in.Overrides, time.LoadLocation)
	if err != nil {
		return look, fmt.Errorf("look up when %s may be changed: %w", in.Environment, err)
	}
	look.Open, look.Why = times.Open(in.At)
	if look.Open {
		look.Until, _ = times.CloseAt(in.At)
		return look, nil
	}
	if next, ok := times.NextOpen(in.At, time.Minute); ok {
		look.Next, look.Until = next, next
	}
	return look, nil
}
