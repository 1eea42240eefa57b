package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// Change writes what can be told apart: what it is about.
func (writer) ChangeNotice(t change.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.ChangeNotice, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}, nil
}

func (writer) Change(t change.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.Change, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}, nil
}

// planner knows plans as they stand in the folder, and starts them.
type planner struct {
	mu      sync.Mutex
	sha256  string // of the plan now
	busy    string // why none can be started
	away    int    // how often that cannot be asked
	started []planrun.Terms
}

func (p *planner) ChangePlan(change.Plan) (planrun.Terms, error) {
	if p.sha256 == "" {
		return planrun.Terms{}, errors.New("no such plan")
	}
	return planrun.Terms{Pinned: planrun.Pinned{SHA256: p.sha256, ParametersID: hash("parameters")}}, nil
}

func (p *planner) BeginForChange(_ context.Context, _ change.ID, terms planrun.Terms) (planrun.ID, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away--; p.away >= 0 {
		return "", "", errors.New("temporal does not answer")
	}
	if p.busy != "" {
		return "", p.busy, nil
	}
	p.started = append(p.started, terms)
	return "RUN-0000000007", "", nil
}

// starts are those of the planner that a test has set.
type starts struct{ r *rehearsal }

func (s starts) BeginForChange(ctx context.Context, id change.ID, terms planrun.Terms) (planrun.ID, string, error) {
	return s.r.planner.BeginForChange(ctx, id, terms)
}

const pooled = change.ID("CHG-7K3M9QX2PA")

func target(id string) []escalation.Target {
	return []escalation.Target{{Kind: escalation.Person, ID: id}}
}

// approval is by how many of some people something is approved.
func approvalBy(count int, people ...string) change.Approval {
	a := change.Approval{Rule: approval.Rule{Need: approval.Need{Count: count}, Exclude: approval.Exclusion{Requester: true}}}
	for _, p := range people {
		a.Rule.Voters = append(a.Rule.Voters, approval.Voter{Party: authority.Provider, Role: p})
		a.Approvers = append(a.Approvers, change.Approver{Role: p, Targets: target(p)})
	}
	return a
}

// pool is a change that kim asks for, choi owns, and park approves.
func pool() change.Terms {
	return change.Terms{
		ID: pooled, Request: "r", Requester: kim,
		Asked: change.Asked{
			Way: change.Normal, Kind: change.Changed, Title: "A larger pool", Text: "200.", Benefit: "No queue.", Reversible: true, Undo: "100.",
			Services: []string{"shop"}, Until: start.Add(10 * aDay),
		},
		Pinned: change.Pinned{
			Zone: "UTC", ServiceNames: []change.Named{{ID: "shop", Name: "Shop"}}, CustomerNames: []change.Named{{ID: "acme", Name: "Acme"}},
			Owners: target("choi"), OwnerNames: "Choi", Remind: change.Idle{Days: 2},
			Classes: []change.Class{{
				ID: "low", Name: "Low", Approval: approvalBy(1, "park", "kim"), Checks: []change.Check{{ID: "tried", Text: "The way back was tried.", By: target("park")}},
			}},
		},
	}
}

// planned is a change that becomes a plan by itself.
func becomesAPlan() change.Terms {
	t := pool()
	t.Classes[0].Checks = nil
	t.Auto = true
	t.Plan = &change.Plan{ID: "small", Customer: "acme", Lines: []approval.Line{{Name: "plan", SHA256: hash("plan")}, {Name: "parameters", SHA256: hash("parameters")}}}
	return t
}

// push asks something of a change when so much time has passed.
func push[C change.Command](r *rehearsal, after time.Duration, update string, by timeline.Actor, c C) *answer {
	a := &answer{}
	r.at(after, func() { tell(r, a, update+after.String()+by.ID, update, by, c) })
	return a
}

func (r *rehearsal) assesses(after time.Duration) *answer {
	return push(r, after, workflows.AssessUpdate, choi, change.Assess{Capacity: change.Capacity{Owner: true}, Class: "low", Note: "Small."})
}

func (r *rehearsal) decides(after time.Duration, by timeline.Actor, choice approval.Choice) *answer {
	a := &answer{}
	r.at(after, func() {
		v := change.Vote{ID: by.ID + after.String(), Choice: choice, Reason: "because", Shown: r.changing().Ballot.Shown.SHA256}
		tell(r, a, v.ID, workflows.VoteUpdate, by, v)
	})
	return a
}

// changing reads the state of the change.
func (r *rehearsal) changing() *change.Change {
	v, err := r.env.QueryWorkflow(workflows.StateQuery)
	if err != nil {
		r.Fatalf("query: %v", err)
	}
	c := &change.Change{}
	if err := v.Get(&c); err != nil {
		r.Fatalf("query: %v", err)
	}
	return c
}

// carry runs a change to its end and returns it.
func (r *rehearsal) carry(terms change.Terms) *change.Change {
	r.Helper()
	r.env.ExecuteWorkflow(workflows.ChangeWorkflow, sealed(r, workflows.ChangeWorkflow, "", terms.Requester, terms))
	if err := r.env.GetWorkflowError(); err != nil || !r.env.IsWorkflowCompleted() {
		r.Fatalf("the workflow: %v", err)
	}
	return r.changing()
}

func TestAChangeFromItsAskingToItsEnd(t *testing.T) {
	r := rehearse(t)
	r.assesses(time.Hour)
	own := r.decides(2*time.Hour, kim, approval.Approve)
	r.decides(3*time.Hour, park, approval.Approve)
	early := push(r, 4*time.Hour, workflows.BeginUpdate, kim, change.Begin{})
	push(r, 5*time.Hour, workflows.AnswerCheckUpdate, park, change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Holds: true, Evidence: "https://files/log"})
	push(r, 6*time.Hour, workflows.BeginUpdate, kim, change.Begin{})
	push(r, 7*time.Hour, workflows.NoteUpdate, park, change.Note{Text: "half way"})
	push(r, 8*time.Hour, workflows.CompleteUpdate, kim, change.Complete{Note: "200 since noon"})
	c := r.carry(pool())
	r.wantTold("requested choi", "vote park", "decided kim", "decided choi", "check park", "over kim", "over choi")
	if c.Status != change.Done || !c.Ended.Equal(start.Add(8*time.Hour)) || count(c.Timeline, timeline.ChangeRefused) != 2 || c.Reason != "200 since noon" {
		t.Errorf("got %+v", c)
	}
	for want, a := range map[string]*answer{"has asked for it": own, "nobody has said that it holds": early} {
		if a.failed == nil || !strings.Contains(a.failed.Error(), want) {
			t.Errorf("got %+v, want %q", a, want)
		}
	}
}

// Whoever has to move a change is reminded, and it lapses when nobody does.
func TestAChangeThatNobodyDecides(t *testing.T) {
	r := rehearse(t)
	c := r.carry(pool())
	r.wantTold("requested choi", "stale choi", "stale choi", "stale choi", "stale choi", "over kim", "over choi")
	if c.Status != change.Lapsed || !c.Ended.Equal(start.Add(10*aDay)) {
		t.Errorf("it is %s since %s", c.Status, c.Ended)
	}
	r = rehearse(t)
	r.assesses(time.Hour)
	r.decides(2*time.Hour, park, approval.Reject)
	if c := r.carry(pool()); c.Status != change.Rejected || c.Reason != "because" || !c.Ended.Equal(start.Add(2*time.Hour)) {
		t.Errorf("it is %s: %s", c.Status, c.Reason)
	}
	r = rehearse(t)
	push(r, time.Hour, workflows.WithdrawUpdate, kim, change.Withdraw{Reason: "not needed"})
	if c := r.carry(pool()); c.Status != change.Withdrawn || c.Reason != "not needed" {
		t.Errorf("it is %s: %s", c.Status, c.Reason)
	}
}

// Customers hear of it before, when it begins and when it ends, and so do those whose services need it; not what goes on between those who
// decide. Moved, it is voted on anew.
func TestAChangeIsAnnounced(t *testing.T) {
	r := rehearse(t)
	terms := pool()
	terms.Classes[0].Checks = nil
	terms.From, terms.Effect = start.Add(5*aDay), plan.Text{En: "A minute of errors."}
	terms.Announce, terms.Neighbours, terms.Patient = []time.Duration{3 * aDay, aDay}, target("yoon"), true
	r.assesses(time.Hour)
	r.decides(2*time.Hour, park, approval.Approve)
	stranger := push(r, 60*time.Hour, workflows.MoveUpdate, carol, change.Move{From: start.Add(6 * aDay), Until: start.Add(10 * aDay), Reason: "x"})
	push(r, 61*time.Hour, workflows.MoveUpdate, kim, change.Move{From: start.Add(6 * aDay), Until: start.Add(10 * aDay), Reason: "a sale"})
	r.decides(62*time.Hour, park, approval.Approve)
	push(r, 6*aDay+time.Hour, workflows.BeginUpdate, kim, change.Begin{})
	push(r, 6*aDay+2*time.Hour, workflows.CompleteUpdate, kim, change.Complete{Note: "200 since noon"})
	c := r.carry(terms)
	r.wantTold("requested choi", "vote park", "decided kim", "decided choi", "coming acme/desk", "coming yoon", "rescheduled acme/desk", "rescheduled yoon",
		"vote park", "decided kim", "decided choi", "coming acme/desk", "coming yoon", "coming acme/desk", "coming yoon", "beginning acme/desk", "beginning yoon",
		"over kim", "over choi", "ending acme/desk", "ending yoon")
	if stranger.failed == nil || !strings.Contains(stranger.failed.Error(), "want whoever has asked for it, or an owner") {
		t.Errorf("got %+v", stranger)
	}
	if c.Status != change.Done || count(c.Timeline, timeline.ChangeMoved) != 1 || count(c.Timeline, timeline.ChangeAnnounced) != 6 || count(c.Timeline, timeline.VoteVoided) != 1 {
		t.Errorf("it is %s with %+v", c.Status, c.Timeline.Entries)
	}
}

// Nobody can say who votes or what a working day is: that is asked again, and every day counts.
func TestAChangeWhenTheFolderIsAway(t *testing.T) {
	r := rehearse(t)
	terms := pool()
	terms.Remind.Calendar = "gone"
	terms.Classes[0].Approvers[0].Targets = []escalation.Target{{Kind: escalation.Group, ID: "broken"}}
	r.assesses(time.Hour)
	c := r.carry(terms)
	if c.Status != change.Lapsed || c.Ballot != nil || count(c.Timeline, timeline.VotersUnknown) == 0 || c.Tries < 5 || count(c.Timeline, timeline.ChangeStale) != 4 {
		t.Errorf("it is %s with %+v", c.Status, c.Timeline.Entries)
	}
}

func TestAChangeBecomesAPlan(t *testing.T) {
	for name, tt := range map[string]struct {
		planner *planner
		says    planrun.Ending
		want    change.Status
		told    string
	}{
		"done":                     {&planner{sha256: hash("plan")}, planrun.EndedDone, change.Done, "over kim"},
		"rolled back":              {&planner{sha256: hash("plan"), away: 2}, planrun.EndedBack, change.Failed, "over kim"},
		"another plan by now":      {&planner{sha256: hash("other")}, "", change.Lapsed, "unstarted kim"},
		"no such plan any more":    {&planner{}, "", change.Lapsed, "unstarted kim"},
		"the environment is taken": {&planner{sha256: hash("plan"), busy: "RUN-0000000001 has it"}, "", change.Lapsed, "unstarted kim"},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t)
			r.planner = tt.planner
			r.assesses(time.Hour)
			r.decides(2*time.Hour, park, approval.Approve)
			if tt.says != "" {
				person := sealed(r, workflows.RunEndedSignal, "", kim, change.RunEnded{Run: "RUN-0000000007", How: planrun.EndedDone})
				r.at(aDay, func() { r.env.SignalWorkflow(workflows.RunEndedSignal, person) })
				r.at(2*aDay, func() {
					r.env.SignalWorkflow(workflows.RunEndedSignal, sealed(r, workflows.RunEndedSignal, "", timeline.Muster(), change.RunEnded{Run: "RUN-0000000007", How: tt.says}))
				})
			}
			c := r.carry(becomesAPlan())
			if c.Status != tt.want || c.How != tt.says || !slices.Contains(r.heard(), tt.told) {
				t.Errorf("it is %s, %s; told %q", c.Status, c.How, r.heard())
			}
			if tt.says != "" && (len(tt.planner.started) != 1 || *tt.planner.started[0].ForChange != planrun.ForChange{ID: string(pooled), Requester: kim} ||
				count(c.Timeline, timeline.MessageRefused) != 1 || !c.Ended.Equal(start.Add(2*aDay))) {
				t.Errorf("started %+v, %+v", tt.planner.started, c.Timeline.Entries)
			}
		})
	}
}

// A run of a plan that a change has become tells it how it has ended, and whoever has asked for the change does not vote in it.
func TestARunTellsItsChange(t *testing.T) {
	vote := plan.Task{ID: "approve", Kind: plan.Approval, Vote: voting(1), Assignment: done("manager"), Due: &plan.Due{Within: 48 * time.Hour}}
	for name, of := range map[string]*planrun.ForChange{"of a change": {ID: string(pooled), Requester: yoon}, "of none": nil} {
		r := rehearse(t)
		var heard []change.RunEnded
		r.env.OnSignalExternalWorkflow(anything, workflows.ChangeWorkflowID(pooled), "", workflows.RunEndedSignal, anything).Return(
			func(_, _, _, _ string, arg any) error {
				m, ok := arg.(signature.Signed[change.RunEnded])
				if !ok || m.By != timeline.Muster() || m.Seal == nil {
					t.Errorf("told %T by %+v", arg, m.By)
				}
				heard = append(heard, m.Body)
				return nil
			})
		own := r.votes(time.Hour, "approve", yoon, approval.Approve)
		r.votes(2*time.Hour, "approve", carol, approval.Approve)
		terms := planTerms(planned(vote))
		terms.ForChange = of
		run := r.execute(terms)
		if run.Status != planrun.Completed || (of != nil) != (len(heard) == 1) || (of != nil) != (own.failed != nil) {
			t.Errorf("%s: it is %s, told %+v, and yoon's vote: %+v", name, run.Status, heard, own)
		}
		if of != nil && heard[0] != (change.RunEnded{Run: run.ID, How: planrun.EndedDone}) {
			t.Errorf("%s: told %+v", name, heard)
		}
	}
}

// urgent is a change that kim, who manages an incident, begins before it is approved by park within 8 hours.
func urgent() change.Terms {
	t := pool()
	t.Way, t.Incident, t.Benefit = change.Emergency, "INC-0000000001", ""
	t.Manager = &change.Manager{Person: "kim", Since: start, Status: incident.Acknowledged}
	t.Afterwards = &change.Afterwards{Approval: approvalBy(1, "park"), Within: 8 * time.Hour, Escalate: target("yoon")}
	return t
}

func TestAnEmergencyAndItsApproval(t *testing.T) {
	ends := func(r *rehearsal) {
		push(r, time.Hour, workflows.FailUpdate, kim, change.Fail{Note: "worse", Outage: time.Hour})
	}
	r := rehearse(t)
	ends(r)
	r.decides(7*time.Hour, park, approval.Approve)
	c := r.carry(urgent())
	r.wantTold("emergency choi", "vote park", "over kim", "over choi", "due park", "decided kim", "decided choi")
	if c.Status != change.Failed || c.Exception != "" || !c.Counted || c.Outage != time.Hour {
		t.Errorf("got %+v", c)
	}

	r = rehearse(t)
	ends(r)
	c = r.carry(urgent())
	r.wantTold("emergency choi", "vote park", "over kim", "over choi", "due park", "exception yoon")
	if c.Exception != change.TooLate || !c.Due.Equal(start.Add(8*time.Hour)) || count(c.Timeline, timeline.ChangeExcepted) != 1 {
		t.Errorf("got %+v", c)
	}

	r = rehearse(t)
	r.decides(30*time.Minute, park, approval.Reject)
	ends(r)
	if c = r.carry(urgent()); c.Exception != change.Refused || !c.Ended.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v", c)
	}
}

// A use of a standard change outside of its scope is refused, with a record and without a message.
func TestAStandardChangeOutOfScope(t *testing.T) {
	terms := pool()
	terms.Way, terms.Standard = change.Standard, "restart"
	terms.PreApproved = &change.PreApproved{ID: "restart", Name: "Restart", Class: "low", Services: []string{"erp"}, ApprovedBy: "Choi", Ends: start.Add(20 * aDay)}
	r := rehearse(t)
	c := r.carry(terms)
	r.wantTold()
	if c.Status != change.Rejected || !strings.Contains(c.Reason, "service shop") || count(c.Timeline, timeline.ChangeRefused) != 1 {
		t.Errorf("got %+v", c)
	}
	terms.PreApproved.Services = nil
	r = rehearse(t)
	if c := r.carry(terms); c.Status != change.Lapsed || count(c.Timeline, timeline.ChangePreApproved) != 1 { // nobody has said that its check holds
		t.Errorf("got %+v", c)
	}
	r.wantTold("standard choi", "check park", "stale kim", "stale choi", "check park", "stale kim", "stale choi", "check park", "stale kim", "stale choi", "check park",
		"stale kim", "stale choi", "check park", "over kim", "over choi")
}

func TestACancelledChangeGoesOn(t *testing.T) {
	r := rehearse(t)
	r.at(time.Hour, r.env.CancelWorkflow)
	push(r, 2*time.Hour, workflows.WithdrawUpdate, kim, change.Withdraw{Reason: "x"})
	if c := r.carry(pool()); count(c.Timeline, timeline.CancelRefused) != 1 || c.Reason != "x" {
		t.Errorf("got %+v", c)
	}
}

func TestAChangeTakesOnlyWhatIsSigned(t *testing.T) {
	for name, tc := range map[string]struct {
		in   func(r *rehearsal) any
		want string
	}{
		"not signed":        {func(*rehearsal) any { return pool() }, "it is not signed"},
		"by a stranger":     {func(r *rehearsal) any { return as(r, r.stranger(), workflows.ChangeWorkflow, pool()) }, "none of this installation's"},
		"in another's name": {func(r *rehearsal) any { return sealed(r, workflows.ChangeWorkflow, "", park, pool()) }, "asks for it, and"},
		"of nothing": {func(r *rehearsal) any {
			return sealed(r, workflows.ChangeWorkflow, "", kim, change.Terms{Requester: kim})
		}, "want one such as"},
	} {
		r := rehearse(t)
		r.env.ExecuteWorkflow(workflows.ChangeWorkflow, tc.in(r))
		if err := r.env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), tc.want) || len(r.got()) > 0 {
			t.Errorf("%s: got %v and delivered %v, want %q", name, err, r.got(), tc.want)
		}
	}
	r := rehearse(t)
	unsigned := &answer{}
	r.at(time.Hour, func() { unsigned.to(r, "u1", workflows.WithdrawUpdate, change.Withdraw{Reason: "x"}) })
	if c := r.carry(pool()); c.Status != change.Lapsed || unsigned.rejected == nil || !strings.Contains(fmt.Sprint(unsigned.rejected), "it is not signed") {
		t.Errorf("it is %s, %+v", c.Status, unsigned)
	}
}
