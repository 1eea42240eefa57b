package acceptance_test

import (
	"fmt"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

// A wanted change is one whose people ask the engine themselves: bob asks for it, ann owns it, cat approves it and says whether what has to
// hold does.
type wanted struct {
	*ends
	changes *starter.Changes
	id      change.ID
}

// changeTerms are those of a change of the shop.
func changeTerms() change.Terms {
	person := func(id string) []escalation.Target { return []escalation.Target{{Kind: escalation.Person, ID: id}} }
	return change.Terms{
		Asked: change.Asked{
			Way: change.Normal, Kind: change.Changed, Title: "A larger pool", Text: "200 connections.", Benefit: "No queue.", Reversible: true, Undo: "100 again.",
			UndoWithin: 5 * time.Minute, Services: []string{"shop"}, Until: time.Now().Add(10 * 24 * time.Hour).Truncate(time.Second),
		},
		Pinned: change.Pinned{
			Organisation: "Night", Zone: "UTC", ServiceNames: []change.Named{{ID: "shop", Name: "Shop"}}, CustomerNames: []change.Named{{ID: "acme", Name: "Acme"}},
			Owners: person("ann"), OwnerNames: "Ann", Remind: change.Idle{Within: 2 * 24 * time.Hour},
			Classes: []change.Class{
				{ID: "low", Name: "Low", Approval: changeApproval()},
				{ID: "high", Name: "High", Approval: changeApproval(), Checks: []change.Check{{ID: "tried", Text: "The way back was tried.", By: person("cat")}}},
			},
		},
	}
}

func changeApproval() change.Approval {
	return change.Approval{
		Rule: approval.Rule{
			Voters: []approval.Voter{{Party: authority.Provider, Role: "person:cat"}}, Need: approval.Need{Count: 1}, Exclude: approval.Exclusion{Requester: true},
		},
		Approvers: []change.Approver{{Role: "person:cat", Targets: []escalation.Target{{Kind: escalation.Person, ID: "cat"}}}},
	}
}

// asksFor asks for a change in bob's name.
func (e *ends) asksFor(terms change.Terms) *wanted {
	e.Helper()
	c := &wanted{ends: e, changes: e.incidents.Changes()}
	x, err := c.changes.Start(e.Context(), e.request("bob"), terms)
	must(e.T, err)
	c.id = x.ID
	return c
}

func (c *wanted) workflow() string { return workflows.ChangeWorkflowID(c.id) }

func (c *wanted) ask(by string, x change.Command) {
	c.Helper()
	must(c.T, c.changes.Ask(c.Context(), c.id, c.request(by), x))
}

// denied asks what is refused, which the timeline says.
func (c *wanted) denied(by string, x change.Command) {
	c.Helper()
	if err := c.changes.Ask(c.Context(), c.id, c.request(by), x); err == nil {
		c.Errorf("%T was taken", x)
	}
}

func (c *wanted) is(what string, ok func(*change.Change) bool) *change.Change {
	c.Helper()
	return becomes(c.ends, c.workflow(), what, ok)
}

// assesses says how risky it is and waits until there is a vote.
func (c *wanted) assesses(class string) {
	c.Helper()
	c.ask("ann", change.Assess{Capacity: change.Capacity{Owner: true}, Class: class, Note: "All orders go through it."})
	c.is("there is a vote", func(x *change.Change) bool { return x.Ballot != nil && x.Risk == class && len(x.Ballot.Electors) > 0 })
}

func (c *wanted) votes(choice approval.Choice) {
	c.Helper()
	x := c.is("cat may vote", func(x *change.Change) bool { return x.Ballot != nil && len(x.Ballot.Electors) > 0 })
	c.ask("cat", change.Vote{ID: fmt.Sprintf("vote-%d", c.asks), Choice: choice, Reason: "Seen.", Shown: x.Ballot.Shown.SHA256})
}

// changeDone is assessed twice, approved, checked, started and done, and is refused what nobody may.
func (e *ends) changeDone() []*historypb.History {
	c := e.asksFor(changeTerms())
	c.denied("cat", change.Assess{Class: "low", Note: "Small."})
	c.assesses("low")
	c.assesses("high")
	c.denied("bob", change.Vote{ID: "own", Choice: approval.Approve, Shown: c.is("it is assessed", func(x *change.Change) bool { return x.Ballot != nil }).Ballot.Shown.SHA256})
	c.votes(approval.Approve)
	c.denied("bob", change.Begin{})
	check := change.AnswerCheck{Capacity: change.Capacity{Checks: []string{"tried"}}, Name: "tried", Evidence: "https://files.example/log", Note: "Not yet."}
	c.ask("cat", check)
	check.Holds = true
	c.ask("cat", check)
	c.ask("bob", change.Begin{})
	c.ask("bob", change.Note{Text: "Half way."})
	c.ask("bob", change.Complete{Note: "200 since noon."})
	return e.run(e.T, c.workflow())
}

func (e *ends) changeRejected() []*historypb.History {
	c := e.asksFor(changeTerms())
	c.assesses("low")
	c.votes(approval.Reject)
	return e.run(e.T, c.workflow())
}

// changeAnnounced is told to a customer, moved, told again, begun and done.
func (e *ends) changeAnnounced() []*historypb.History {
	terms := changeTerms()
	terms.From, terms.Effect, terms.Action = time.Now().Add(24*time.Hour).Truncate(time.Second), plan.Text{En: "A minute of errors.", Ko: "1분간 오류"}, plan.Text{En: "Try again."}
	terms.Announce, terms.Neighbours = []time.Duration{72 * time.Hour}, []escalation.Target{{Kind: escalation.Person, ID: "gus"}}
	c := e.asksFor(terms)
	c.assesses("low")
	c.votes(approval.Approve)
	told := func(n int) func(*change.Change) bool {
		return func(x *change.Change) bool {
			return len(entriesOf(x.Timeline.Entries, timeline.ChangeAnnounced, "", "")) == n && len(entriesOf(x.Timeline.Entries, timeline.Delivered, "", "")) >= 2*n
		}
	}
	c.is("it is announced", told(1))
	c.ask("bob", change.Move{From: time.Now().UTC().Truncate(time.Second), Until: terms.Until, Reason: "Nobody works tonight."})
	c.is("it has another time", told(2))
	c.votes(approval.Approve)
	c.is("it is approved anew", func(x *change.Change) bool { return x.Status == change.Approved })
	c.ask("bob", change.Begin{})
	c.is("it begins", told(3))
	c.ask("bob", change.Complete{Note: "200 since noon."})
	return e.run(e.T, c.workflow())
}

func (e *ends) changeWithdrawn() []*historypb.History {
	c := e.asksFor(changeTerms())
	c.ask("bob", change.Withdraw{Reason: "The vendor has mended it."})
	return e.run(e.T, c.workflow())
}

// changeLapsed is moved by nobody.
func (e *ends) changeLapsed() []*historypb.History {
	terms := changeTerms()
	c := e.asksFor(terms)
	x := c.is("its owner will be reminded", func(x *change.Change) bool { return !x.RemindAt.IsZero() })
	e.comes(c.workflow(), func() { c.ask("cat", change.Note{Text: "Who has the time?"}) }, x.RemindAt.Add(24*time.Hour), x.Until)
	return e.run(e.T, c.workflow())
}

// changePlanned is a use of a standard change, whose plan cannot be started at first and then ends it.
func (e *ends) changePlanned() []*historypb.History {
	terms := changeTerms()
	terms.Way, terms.Standard = change.Standard, "look"
	terms.PreApproved = &change.PreApproved{
		ID: "look", Name: "Look", Scenario: "Somebody looks.", Class: "low", Services: []string{"shop"}, Plan: "look", ApprovedBy: "Cat", ApprovedOn: "2026-11-02",
		Until: "2199-12-31", Ends: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	plan := change.Plan{ID: "look", Customer: "globex", Environments: []change.Given{{ID: "lab", Value: "lab"}}}
	run, err := e.live.Current().ChangePlan(plan)
	must(e.T, err)
	plan.Lines = (&planrun.Run{Terms: run}).Lines("")
	other := plan
	other.Lines = plan.Lines[:1]
	terms.Plan = &other
	c := e.asksFor(terms)
	c.ask("bob", change.Begin{})
	c.is("it could not be started", func(x *change.Change) bool {
		return len(entriesOf(x.Timeline.Entries, timeline.ChangeUnstarted, "", "")) == 1
	})
	c.ask("bob", change.Withdraw{Reason: "It is another plan by now."})
	keep(e.T, "change-unstarted", e.run(e.T, c.workflow()))

	terms.Plan, terms.Auto = &plan, true
	c = e.asksFor(terms)
	x := c.is("its plan runs", func(x *change.Change) bool { return x.Run != "" })
	runs := e.incidents.PlanRuns()
	p := &played{bare: e.bare, T: e.T, runs: runs, id: x.Run}
	p.becomes("look", planrun.Ready)
	p.ask("ann", planrun.Begin{Capacity: p.in("ann"), Task: "look"})
	p.ask("ann", planrun.Complete{Capacity: p.in("ann"), Task: "look"})
	keep(e.T, "readiness-of-a-change", p.over(planrun.Completed))
	return e.run(e.T, c.workflow())
}

// changeOutOfScope is a use of a standard change for another service.
func (e *ends) changeOutOfScope() []*historypb.History {
	terms := changeTerms()
	terms.Way, terms.Standard = change.Standard, "look"
	terms.PreApproved = &change.PreApproved{ID: "look", Name: "Look", Class: "low", Services: []string{"plant"}, ApprovedBy: "Cat", ApprovedOn: "2026-11-02", Ends: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	return e.run(e.T, e.asksFor(terms).workflow())
}

// emergencyTerms are those of a change that bob begins, who manages an incident.
func emergencyTerms() change.Terms {
	t := changeTerms()
	t.Way, t.Incident, t.Benefit = change.Emergency, "INC-7K3M9QX2PA", ""
	t.Manager = &change.Manager{Person: "bob", Name: "Bob", Since: time.Now().UTC(), Status: incident.Acknowledged}
	t.Afterwards = &change.Afterwards{Approval: changeApproval(), Within: 8 * time.Hour, Escalate: []escalation.Target{{Kind: escalation.Person, ID: "ann"}}}
	return t
}

// changeEmergency is approved after it has failed.
func (e *ends) changeEmergency() []*historypb.History {
	c := e.asksFor(emergencyTerms())
	c.ask("bob", change.Fail{Note: "It is worse.", Outage: 20 * time.Minute})
	c.votes(approval.Approve)
	return e.run(e.T, c.workflow())
}

// changeExcepted is approved by nobody in time.
func (e *ends) changeExcepted() []*historypb.History {
	c := e.asksFor(emergencyTerms())
	x := c.is("it is to be approved", func(x *change.Change) bool { return !x.RiskAt.IsZero() && x.Ballot != nil })
	e.comes(c.workflow(), func() { c.ask("cat", change.Note{Text: "Who has the time?"}) }, x.RiskAt, x.Due)
	c.is("it is an exception", func(x *change.Change) bool { return x.Exception == change.TooLate })
	c.ask("bob", change.Complete{Note: "Mended."})
	return e.run(e.T, c.workflow())
}
