package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/raci"
	"muster/internal/report"
	"muster/internal/runbook"
	"muster/starter"
	"muster/starter/api"
)

func both(en, ko string) plan.Text { return plan.Text{En: en, Ko: ko} }

// shopUpgrade is a plan of few tasks. kim leads it, park deploys, choi manages changes, and the customer's lead owns the shop.
func shopUpgrade() plan.Definition {
	do := func(role string) raci.Assignment { return raci.Assignment{Accountable: role} }
	party := func(id string, p authority.PartyKind) approval.Voter { return approval.Voter{Party: p, Role: id} }
	d := plan.Definition{
		ID: "shop", Kind: plan.Upgrade, Name: both("Shop upgrade", "쇼핑몰 업그레이드"), Lead: "lead",
		Roles: []plan.Role{
			{ID: "lead", Party: authority.Provider, Name: both("Release manager", "릴리스 관리자")},
			{ID: "deployer", Party: authority.Provider, Name: both("Deployer", "배포 담당자")},
			{ID: "changes", Party: authority.Provider, Name: both("Change manager", "변경 관리자")},
			{ID: "owner", Party: authority.Customer, Name: both("Shop owner", "쇼핑몰 책임자")},
		},
		RePlan:       approval.Rule{Voters: []approval.Voter{party("changes", authority.Provider)}, Need: approval.Need{Count: 1}},
		Environments: []plan.Environment{{ID: "staging", Name: both("Staging", "검증")}, {ID: "production", Name: both("Production", "운영"), Production: true}},
		Phases: []plan.Phase{
			{ID: "prepare", Name: both("Prepare", "준비"), Tasks: []plan.Task{
				{
					ID: "rehearse", Kind: plan.Manual, Name: both("Rehearse the upgrade", "업그레이드 예행 연습"), Assignment: do("deployer"), Environment: "staging", Changes: true,
					Overrun: plan.Finish, Due: &plan.Due{Days: 2}, Rollback: &plan.Rollback{Component: "shop", Detail: both("put it back", "되돌리기"), Within: time.Hour},
					Evidence: []plan.Evidence{{ID: "log", What: both("log of the rehearsal", "예행 연습 기록"), CheckedBy: "changes"}},
				},
				{ID: "backup", Kind: plan.Runbook, Name: both("Back up", "백업"), Assignment: do("deployer"), Runs: "backup"},
				{
					ID: "approve", Kind: plan.Approval, Name: both("Approve the upgrade", "업그레이드 승인"), Assignment: do("changes"), Needs: []string{"rehearse"},
					Shows: []string{"rehearse"}, Due: &plan.Due{Within: 48 * time.Hour, After: "approve"},
					Vote: &approval.Rule{
						Voters: []approval.Voter{party("changes", authority.Provider), party("owner", authority.Customer)}, Need: approval.Need{Count: 2},
						Exclude: approval.Exclusion{Requester: true, Implementers: true},
					},
				},
			}},
			{ID: "launch", Name: both("Launch", "적용"), Tasks: []plan.Task{
				{
					ID: "switch", Kind: plan.Manual, Name: both("Switch over", "전환"), Assignment: do("deployer"), Needs: []string{"approve"}, Environment: "production", Changes: true,
					Overrun: plan.Finish, Rollback: &plan.Rollback{
						Component: "shop", Detail: both("switch back", "원래대로 전환"), Within: time.Hour, Rehearsed: "rehearse", FixForward: true,
					},
				},
				{
					ID: "watch", Kind: plan.Checking, Name: both("Watch it", "관찰"), Assignment: do("deployer"), Needs: []string{"switch"}, Environment: "production",
					Check: &plan.Check{HTTP: "https://shop.example", Timeout: time.Second, OnFail: plan.FailTask, OnUnclear: plan.AskPerson},
				},
				{
					ID: "tidy", Kind: plan.Manual, Name: both("Tidy up", "정리"), Assignment: do("deployer"), Needs: []string{"watch"},
					Skip: &plan.Skip{Approver: "changes", Longest: 30 * 24 * time.Hour},
				},
			}},
		},
	}
	for p := range d.Phases {
		for n := range d.Phases[p].Tasks {
			d.Phases[p].Tasks[n].SHA256 = sum(d.Phases[p].Tasks[n].ID)
		}
	}
	return d
}

func sum(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

// PlanContacts has a number for everybody.
func (people) PlanContacts(roles []planrun.Filled) (all []report.PlanContact) {
	for _, r := range roles {
		all = append(all, report.PlanContact{Role: r.Role, Name: r.Targets[0].ID, Phone: "+82 2 555 0100"})
	}
	return all
}

// PlanRoles of the plan, as people fill them.
func (people) PlanRoles(_ *planrun.Run, person string, _ time.Time) []string {
	return map[string][]string{"kim": {"lead"}, "park": {"deployer"}, "choi": {"changes"}, "acme/lead": {"owner"}}[person]
}

func (people) Folder() incident.Folder { return incident.Folder{Revision: "newer"} }

// StartPlan knows the plan of the shop, by its ID and as a file that says so.
func (people) StartPlan(s org.PlanStart) (planrun.Terms, error) {
	var faults []org.Fault
	if s.Plan != "shop" && !strings.HasPrefix(string(s.Content), "id: shop\n") {
		faults = append(faults, org.Fault{File: s.File, Line: 1, Column: 5, Text: fmt.Sprintf("plan %q: not in the organisation folder; want shop", s.Plan)})
	}
	if s.Customer != "acme" {
		faults = append(faults, org.Fault{File: s.File, Text: fmt.Sprintf("customer %q: not in the organisation folder", s.Customer)})
	}
	if len(faults) > 0 {
		return planrun.Terms{}, &org.PlanRefusal{Faults: faults}
	}
	d := shopUpgrade()
	t := planrun.Terms{
		Customer: "acme", CustomerName: "Acme", Pinned: planrun.Pinned{
			Plan: d, SHA256: sum("shop"), ParametersID: sum("parameters"), Revision: "newer", Organisation: "Mirnet", Zone: "Asia/Seoul",
			Books: []planrun.Book{{ID: "backup", SHA256: sum("backup"), Runbook: runbook.Runbook{ID: "backup", Updated: 20_000, Steps: []runbook.Step{
				{Number: 1, Text: "copy", Automatic: &runbook.Automatic{Runner: "command", Command: []string{"/bin/true"}, Timeout: time.Minute}}, {Number: 2, Text: "look"},
			}}}},
		},
	}
	for name, value := range s.Parameters {
		t.Parameters = append(t.Parameters, planrun.Value{ID: name, Value: value})
	}
	slices.SortFunc(t.Parameters, func(a, b planrun.Value) int { return strings.Compare(a.ID, b.ID) })
	for _, e := range d.Environments {
		t.Environments = append(t.Environments, planrun.Bound{ID: e.ID, Environment: s.Environments[e.ID], Name: e.Name.En, Production: e.Production})
	}
	yearEnd := freeze.Freeze{ID: "year-end", Name: "Year end", Reason: "the busiest weeks"}
	yearEnd.Zone = "Asia/Seoul"
	t.Environments[1].Rules.Freezes = []freeze.Freeze{yearEnd}
	for _, r := range d.Roles {
		t.Roles = append(t.Roles, planrun.Filled{Role: r.ID, Targets: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}})
	}
	return t, nil
}

func (people) RePlan(r *planrun.Run, s org.PlanStart) (planrun.Pinned, error) {
	if !strings.HasPrefix(string(s.Content), "id: shop\n") {
		return planrun.Pinned{}, &org.PlanRefusal{Faults: []org.Fault{{File: s.File, Line: 1, Column: 5, Text: "want the plan shop"}}}
	}
	next := r.Pinned
	next.SHA256 = sum("next")
	return next, nil
}

// advance does what a run asks for. Production is frozen but for overrides, and what is measured says nothing.
func (h *house) advance(r *planrun.Run) {
	for works := r.Advance(now()); len(works) > 0; works = r.Advance(now()) {
		for _, w := range works {
			switch w.Do {
			case planrun.ComputeDue:
				r.DueComputed(w.Task, w.Due.From.Add(w.Due.Within+time.Duration(w.Due.Days)*24*time.Hour), "", now())
			case planrun.LookWindow:
				look := planrun.Look{Environment: w.Window.Environment, At: now(), Open: true}
				if w.Window.Environment == "production" && len(w.Window.Overrides) == 0 {
					look.Open, look.Next = false, now().AddDate(0, 1, 11)
					look.Why = []freeze.Reason{{Kind: freeze.Frozen, ID: "year-end", Name: "Year end", Reason: "the busiest weeks"}}
				}
				r.Looked(w.Number, look, "", now())
			case planrun.TakeLock:
				r.LockTaken(w.Number, true, "", "", now())
			case planrun.FindVoters:
				voters := []approval.Elector{{Person: "choi", Name: "최은영", Party: authority.Provider, Roles: []string{"changes"}}}
				if w.Task == "" {
					r.ElectedChange(voters, "", now())
					continue
				}
				voters = append(voters, approval.Elector{Person: "acme/lead", Name: "Acme lead", Party: authority.Customer, Roles: []string{"owner"}})
				r.Elected(w.Task, voters, "", now())
			case planrun.MeasureOnce:
				r.Measured(w.Number, w.Task, planrun.Inconclusive, "no answer", now())
			case planrun.RunStep:
				r.Ran(w.Number, w.Task, runbook.Result{State: runbook.Passed}, now())
			case planrun.Tell, planrun.WriteReport:
			}
		}
	}
}

func (h *house) PlanRuns(_ context.Context, f api.PlanRunFilter) (rows []api.PlanRunSummary, next string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range slices.Backward(h.planRuns) {
		if f.Open && r.Over() || f.Status != "" && f.Status != r.Status || f.Kind != "" && f.Kind != r.Plan.Kind ||
			len(f.Customers) > 0 && !slices.Contains(f.Customers, r.Customer) {
			continue
		}
		rows = append(rows, api.PlanRunSummary{
			ID: r.ID, Kind: r.Plan.Kind, Title: r.Plan.Name.En + ", " + r.Target().Name, Status: r.Status, Customer: r.Customer, OpenedAt: r.Opened,
			NextDue: r.NextDue(), EndedAt: r.Ended,
		})
	}
	return rows, "", nil
}

// running is called with the lock held.
func (h *house) running(id planrun.ID) (*planrun.Run, error) {
	n := slices.IndexFunc(h.planRuns, func(r *planrun.Run) bool { return r.ID == id })
	if n < 0 {
		return nil, &starter.NotFoundError{What: "run " + string(id)}
	}
	return h.planRuns[n], nil
}

// PlanRun returns a copy, as a query does.
func (h *house) PlanRun(_ context.Context, id planrun.ID) (*planrun.Run, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.running(id)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var seen planrun.Run
	return &seen, json.Unmarshal(text, &seen)
}

func (h *house) PlanRunHistory(ctx context.Context, id planrun.ID, w io.Writer) error {
	if _, err := h.PlanRun(ctx, id); err != nil {
		return err
	}
	_, err := io.WriteString(w, `[{"events":[]}]`+"\n")
	return err
}

func (h *house) StartPlanRun(_ context.Context, r starter.Request, terms planrun.Terms) (*planrun.Run, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, run := range h.planRuns {
		if run.Request == r.ID {
			return run, nil
		}
		if !run.Over() {
			return nil, &starter.RefusedError{Reason: fmt.Sprintf("start shop on Production of Acme: %s has it", run.ID)}
		}
	}
	if h.down > 0 {
		h.down--
		return nil, &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	terms.ID, terms.Request, terms.Starter = planrun.NewID(uint64(len(h.planRuns)+1)), r.ID, r.By
	run, err := planrun.Start(terms, now())
	if err != nil {
		return nil, err
	}
	h.planRuns = append(h.planRuns, run)
	h.advance(run)
	return run, nil
}

func (h *house) AskPlanRun(_ context.Context, id planrun.ID, r starter.Request, c planrun.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	run, err := h.running(id)
	switch {
	case err != nil:
		return err
	case run.Over(): // its workflow has ended
		return &starter.NotFoundError{What: "run " + string(id)}
	case h.down > 0:
		h.down--
		return &starter.UnavailableError{Cause: context.DeadlineExceeded}
	}
	if err = c.Check(run, r.By); err == nil {
		err = c.Apply(run, r.By, now())
	}
	h.advance(run)
	if err != nil {
		return &starter.RefusedError{Reason: err.Error()}
	}
	return nil
}

// Reviews is the one of the closed incident, and one that does not answer.
func (h *house) Reviews(context.Context, bool, int) ([]incident.ID, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return []incident.ID{over}, h.down > 0, nil
}

func (h *house) Handovers(context.Context, int) ([]string, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handover == nil {
		return nil, false, nil
	}
	return []string{h.handover.Schedule}, false, nil
}
