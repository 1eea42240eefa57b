package workflows_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/escalation"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
	"muster/workflows"
)

// shipped are the terms of a plan that comes with Muster, started by park for a customer of the example. Each role is filled by the people who
// are named for it.
func shipped(t *testing.T, id string, parameters map[string]string, fill map[string][]timeline.Actor) planrun.Terms {
	t.Helper()
	o, err := org.Load("../examples/org")
	if err != nil {
		t.Fatal(err)
	}
	terms, err := o.StartPlan(org.PlanStart{Plan: id, Customer: "garam", Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	terms.ID, terms.Request, terms.Starter, terms.Revision = planrun.NewID(7), "1", park, "r1"
	for n := range terms.Roles {
		f := &terms.Roles[n]
		f.Targets = nil
		for _, a := range fill[f.Role] {
			f.Targets = append(f.Targets, escalation.Target{Kind: escalation.Person, ID: a.ID})
		}
	}
	return terms
}

// inPart is in which roles of a run somebody acts.
func inPart(fill map[string][]timeline.Actor, who timeline.Actor) planrun.Capacity {
	c := planrun.Capacity{Revision: "r1"}
	for role, people := range fill {
		if slices.Contains(people, who) {
			c.Roles = append(c.Roles, role)
		}
	}
	slices.Sort(c.Roles)
	return c
}

func proof(item string) []planrun.Given {
	return []planrun.Given{{Item: item, Ref: "https://wiki/" + item}}
}

var lee = timeline.Actor{Kind: timeline.Person, ID: "lee", Name: "이하나"}

// Nobody is through with a pre-mortem that has left nothing behind, and who has held it does not say that enough is done.
func TestAPreMortemFromStartToEnd(t *testing.T) {
	fill := map[string][]timeline.Actor{"service-engineer": {kim}, "change-manager": {yoon}, "operations-manager": {park, lee}}
	in := func(a timeline.Actor) planrun.Capacity { return inPart(fill, a) }
	r := rehearse(t)
	does(r, time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "causes", Evidence: proof("causes")})
	does(r, 2*time.Hour, workflows.CompleteUpdate, yoon, planrun.Complete{Capacity: in(yoon), Task: "table-top", Evidence: proof("rollback")})
	refuses(r, false, 3*time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "items"}, "no action item has come of it yet")
	does(r, 4*time.Hour, workflows.AddActionUpdate, kim, planrun.AddAction{Capacity: in(kim), ID: "ACT-0000000001", Title: "Alert on full pools"})
	does(r, 5*time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "items"})
	r.stands(6*time.Hour, "causes done, table-top done, items done, enough begun")
	refused(r, true, 6*time.Hour, workflows.VoteUpdate, kim, func() planrun.Vote { return r.vote("enough", kim, approval.Approve) }, "kim implements it: want another person")
	r.votes(7*time.Hour, "enough", lee, approval.Approve)
	run := r.execute(shipped(t, "pre-mortem", map[string]string{"subject": "the new pool", "change": "CHG-7K3M9QX2PA"}, fill))
	if run.Status != planrun.Completed || run.Ending() != planrun.EndedDone || !run.Ended.Equal(start.Add(7*time.Hour)) {
		t.Errorf("it is %s (%s) at %s", run.Status, run.Ending(), run.Ended)
	}
	if len(run.Actions) != 1 || run.Actions[0].ID != "ACT-0000000001" || run.Actions[0].By != kim || count(run.Timeline, timeline.ActionAdded) != 1 {
		t.Errorf("it keeps %+v", run.Actions)
	}
}

// Where nothing is to be done better, a word says so; and everybody hears how it goes on a month later.
func TestARetrospectiveFromStartToEnd(t *testing.T) {
	fill := map[string][]timeline.Actor{"service-engineer": {kim}, "change-manager": {yoon}, "release-manager": {park}, "operations-manager": {lee}}
	in := func(a timeline.Actor) planrun.Capacity { return inPart(fill, a) }
	r := rehearse(t)
	refuses(r, false, time.Hour, workflows.CompleteUpdate, park, planrun.Complete{Capacity: in(park), Task: "gather"}, "evidence notes: missing")
	does(r, 2*time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "gather", Evidence: proof("notes")})
	refuses(r, false, 3*time.Hour, workflows.CompleteUpdate, park, planrun.Complete{Capacity: in(park), Task: "items"}, "no action item has come of it yet")
	does(r, 4*time.Hour, workflows.CompleteUpdate, park, planrun.Complete{Capacity: in(park), Task: "items", Note: "all of it is to be kept"})
	late := 50 * aDay // it has 30 working days
	r.wasTold(late, 1, "overdue status → park", "escalated status → lee")
	does(r, late+time.Hour, workflows.CompleteUpdate, park, planrun.Complete{Capacity: in(park), Task: "status", Evidence: proof("update")})
	run := r.execute(shipped(t, "retrospective", map[string]string{"subject": "6.5"}, fill))
	if run.Status != planrun.Completed || !run.Ended.Equal(start.Add(late+time.Hour)) || len(run.Actions) != 0 {
		t.Errorf("it is %s at %s with %+v", run.Status, run.Ended, run.Actions)
	}
}

// A service with documents missing is not taken over, whoever wants it to be; and who gives it does not say that it is taken.
func TestAServiceIsHandedOver(t *testing.T) {
	fill := map[string][]timeline.Actor{"giver": {kim}, "taker": {yoon, lee}, "operations-manager": {park}}
	in := func(a timeline.Actor) planrun.Capacity { return inPart(fill, a) }
	r := rehearse(t)
	r.office.lacks = []string{"no architecture", "no response to alert ShopDown"}
	give := planrun.Complete{Capacity: in(kim), Task: "hand-documents", Evidence: proof("documents")}
	does(r, time.Hour, workflows.CompleteUpdate, kim, give)
	refuses(r, false, 2*time.Hour, workflows.CheckEvidenceUpdate, kim, planrun.CheckEvidence{Capacity: in(kim), Task: "hand-documents", OK: true}, "may not; want Who takes it (taker)")
	does(r, 3*time.Hour, workflows.CheckEvidenceUpdate, yoon, planrun.CheckEvidence{Capacity: in(yoon), Task: "hand-documents", OK: true})
	waiting := "train waiting, accept waiting, side-by-side waiting, items waiting, release waiting"
	r.stands(4*time.Hour, "hand-documents done, documents-complete failed, "+waiting)
	r.at(4*time.Hour, func() {
		if x, _, _ := r.plan().Task("documents-complete"); x.Reason != "documents of garam-shop are not complete: no architecture; no response to alert ShopDown" {
			r.Errorf("it has failed because of %q", x.Reason)
		}
	})
	refused(r, false, 5*time.Hour, workflows.VoteUpdate, yoon, func() planrun.Vote { return r.vote("accept", yoon, approval.Approve) }, "it is waiting")
	refuses(r, false, 5*time.Hour+time.Minute, workflows.SettleUpdate, park,
		planrun.Settle{Capacity: in(park), Task: "documents-complete", Status: planrun.Done, Reason: "never mind"}, "it is failed")
	refuses(r, false, 5*time.Hour+2*time.Minute, workflows.SkipUpdate, kim,
		planrun.Skip{Capacity: in(kim), Task: "documents-complete", Reason: "no time", Control: "none"}, "the plan does not let it be skipped")
	again := planrun.Retry{Capacity: in(kim), Task: "documents-complete", Reason: "they are written"}
	does(r, 6*time.Hour, workflows.RetryUpdate, kim, again)
	r.stands(7*time.Hour, "hand-documents done, documents-complete failed, "+waiting)
	r.at(8*time.Hour, func() { r.office.change(func(o *office) { o.lacks = nil }) })
	does(r, 9*time.Hour, workflows.RetryUpdate, kim, again)
	r.stands(10*time.Hour, "hand-documents done, documents-complete done, train ready, accept waiting, side-by-side waiting, items waiting, release waiting")
	does(r, 11*time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "train", Evidence: proof("training")})
	refused(r, true, 12*time.Hour, workflows.VoteUpdate, kim, func() planrun.Vote { return r.vote("accept", kim, approval.Approve) }, "kim implements it: want another person")
	r.votes(13*time.Hour, "accept", lee, approval.Approve)
	does(r, 14*time.Hour, workflows.CompleteUpdate, yoon, planrun.Complete{Capacity: in(yoon), Task: "side-by-side", Evidence: proof("handled")})
	does(r, 15*time.Hour, workflows.CheckEvidenceUpdate, park, planrun.CheckEvidence{Capacity: in(park), Task: "side-by-side", OK: true})
	does(r, 16*time.Hour, workflows.CompleteUpdate, lee, planrun.Complete{Capacity: in(lee), Task: "items", Note: "nothing is missing"})
	does(r, 17*time.Hour, workflows.CompleteUpdate, kim, planrun.Complete{Capacity: in(kim), Task: "release", Evidence: proof("access")})
	run := r.execute(shipped(t, "service-handover", map[string]string{"service": "garam-shop", "from-team": "person:choi", "to-team": "group:noc"}, fill))
	if run.Status != planrun.Completed || !run.Ended.Equal(start.Add(17*time.Hour)) {
		t.Errorf("it is %s at %s: %s", run.Status, run.Ended, standing(run))
	}
	if x, _, _ := run.Task("accept"); len(x.Ballot.Shown.Lines) < 5 {
		t.Errorf("the vote is on %v", fmt.Sprint(x.Ballot.Shown.Lines))
	}
	if x, _, _ := run.Task("documents-complete"); x.Reason != "documents of garam-shop are complete in revision r1" || x.Attempt != 3 {
		t.Errorf("attempt %d says %q", x.Attempt, x.Reason)
	}
}

// Runs of plans that stand apart go on beside one another, one for each choice of parameters.
func TestRunsThatStandApart(t *testing.T) {
	ids := map[string]bool{workflows.PlanRunWorkflowID(plan.Maintenance, "garam", "production"): true}
	for _, subject := range []string{"6.5", "6.6", "6.5"} {
		terms := shipped(t, "retrospective", map[string]string{"subject": subject}, nil)
		ids[workflows.PlanRunWorkflowIDOf(&terms)] = true
	}
	if len(ids) != 3 {
		t.Errorf("two subjects, and what else has the environment, are %d ids: %v", len(ids), ids)
	}
}
