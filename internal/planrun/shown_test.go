package planrun_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// inside marks what no party beside the provider may read.
const inside = "INSIDE"

// viewed is the run as a party sees it whose only person is given.
func viewed(t *testing.T, r *planrun.Run, kind authority.PartyKind, id string, roles ...string) (*planrun.Run, string) {
	t.Helper()
	s := r.Shown(planrun.Viewer{
		Viewer: incident.Viewer{
			Party: "mine", Own: func(a timeline.Actor) bool { return a.ID == id },
			Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: "Hanbit"},
		},
		Kind: kind, Roles: roles,
	})
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, string(text)
}

// busy is a run in which everything has happened that can be said inside.
func busy(t *testing.T) *world {
	t.Helper()
	d := upgrade()
	d.Phases[1].Tasks[2].Detail = text(inside)
	d.Phases[1].Tasks[1].Check.HTTP = "https://" + inside
	d.Phases[1].Tasks[0].Detail = text(inside)
	d.RePlan = approval.Rule{Voters: []approval.Voter{{Party: authority.Provider, Role: "change-manager"}}, Need: approval.Need{Count: 1}, Required: []approval.Who{{Person: "mark"}}}
	w := begun(t, d)
	r := w.run
	r.Revision, r.Calendar = inside, inside
	r.Environments[1].Rules = freeze.Rules{Freezes: []freeze.Freeze{{ID: "year-end", Name: inside}}}
	r.Environments[1].Services = []string{inside}
	w.do(planrun.Note{Capacity: as(dora), Text: inside}, dora)
	w.do(planrun.Assign{Capacity: as(lena), Task: "rehearse", Person: dora, Note: inside}, lena)
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	given := evidence("log")
	given[0].Note = "as it was voted on"
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: given}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true, Note: inside}, mark)
	w.do(w.votes(mark, approval.Approve, inside), mark)
	w.do(w.votes(carol, approval.Approve, "we agree"), carol)
	w.do(planrun.Begin{Capacity: as(dora), Task: "deploy"}, dora)
	w.do(planrun.DoStep{Capacity: as(dora), Task: "deploy", Step: 2, Note: inside}, dora)
	w.do(planrun.Skip{Capacity: as(lena), Task: "report", Reason: "to be granted by the customer", Control: "notes"}, lena)
	w.do(planrun.RollBack{Capacity: as(lena), Environment: "production", Reason: "everybody was told"}, lena)
	next := terms(d).Pinned
	next.SHA256 = hash("next")
	w.do(planrun.RePlan{Capacity: as(lena), Next: next, Reason: inside}, lena)
	return w
}

func TestACustomerIsShownItsRun(t *testing.T) {
	w := busy(t)
	s, shown := viewed(t, w.run, authority.Customer, "carol", "customer")
	for _, secret := range []string{inside, "Lena", "Dora", "Mark", "lena", "dora", "mark", `"books":`} {
		if strings.Contains(shown, secret) {
			t.Errorf("it shows %q: %s", secret, shown)
		}
	}
	for _, want := range []string{
		"Carol", "we agree", "everybody was told", "as it was voted on", "to be granted by the customer", hash("log"), `"partial":true`, hash("parameters"),
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("it does not show %q: %s", want, shown)
		}
	}
	if len(s.Tasks) != len(w.run.Tasks) || s.Status != planrun.Halted || s.Undoing.Items[0].State != planrun.Undone || s.Change.Reason != "" {
		t.Errorf("got %+v", s)
	}
	approve, def, _ := s.Task("approve")
	if approve.Ballot.Outcome.Verdict != approval.Approved || len(approve.Ballot.Votes) != 1 || def.Vote == nil || len(def.Shows) != 1 || approve.Ballot.Shown.SHA256 == "" {
		t.Errorf("of the vote: %+v", approve.Ballot)
	}
	deploy, def, _ := s.Task("deploy")
	if deploy.Status != planrun.RolledBack || def.Runs != "" || len(def.Needs) != 2 {
		t.Errorf("of the deployment: %+v, %+v", deploy, def)
	}
}

// What a partner does it sees in full, and no more of the rest than where it stands.
func TestAPartnerIsShownItsTasks(t *testing.T) {
	d := upgrade()
	d.Roles[1].Party = authority.Partner
	w := begun(t, d)
	w.do(planrun.Begin{Capacity: as(dora), Task: "rehearse"}, dora)
	w.do(planrun.Complete{Capacity: as(dora), Task: "rehearse", Evidence: evidence("log"), Note: "own words"}, dora)
	w.do(planrun.CheckEvidence{Capacity: as(mark), Task: "rehearse", OK: true}, mark)
	w.do(w.votes(carol, approval.Reject, inside), carol)
	s, shown := viewed(t, w.run, authority.Partner, "dora", "deployer")
	for _, secret := range []string{inside, "Lena", "Mark", "Carol", `"parameters":[`} {
		if strings.Contains(shown, secret) {
			t.Errorf("it shows %q: %s", secret, shown)
		}
	}
	if t1, _, _ := s.Task("rehearse"); len(t1.Evidence) != 1 || t1.Evidence[0].By != dora || t1.Evidence[0].Checker.ID != "muster" {
		t.Errorf("of its own task: %+v", t1)
	}
	if t2, def, _ := s.Task("approve"); t2.Ballot.Outcome.Verdict != approval.Rejected || t2.Ballot.Shown.SHA256 != "" || len(t2.Ballot.Votes) > 0 || def.Vote != nil {
		t.Errorf("of the vote of others: %+v", t2.Ballot)
	}
	_, other := viewed(t, w.run, authority.Partner, "nobody") // another partner of the same service
	for _, secret := range []string{"own words", "Dora", hash("log")} {
		if strings.Contains(other, secret) {
			t.Errorf("another partner is shown %q: %s", secret, other)
		}
	}
}

// Everything that can be asked of a shown run can be answered: nothing in it is missed.
func TestAShownRunIsReadable(t *testing.T) {
	for _, w := range []*world{begun(t, upgrade()), rehearsed(t), approved(t), deployed(t), inWaves(t), busy(t)} {
		for _, kind := range []authority.PartyKind{authority.Customer, authority.Partner, authority.Vendor} {
			s, _ := viewed(t, w.run, kind, "nobody")
			got, want := []string{}, []string{}
			for _, x := range s.Waits(w.now) {
				got = append(got, fmt.Sprint(x.Want, x.Task))
			}
			for _, x := range w.run.Waits(w.now) {
				want = append(want, fmt.Sprint(x.Want, x.Task))
			}
			for _, x := range got {
				if !slices.Contains(want, x) {
					t.Errorf("a %s sees that %s is wanted, which is not: %v", kind, x, want)
				}
			}
		}
	}
}

// Whatever is refused, a party is told why in words that it may read.
func TestARefusalNamesNobodyElse(t *testing.T) {
	carols := planrun.Capacity{Roles: []string{"customer"}}
	until := start.Add(48 * time.Hour)
	for _, w := range []*world{begun(t, upgrade()), rehearsed(t), approved(t), deployed(t), inWaves(t), busy(t)} {
		for _, task := range []string{"", "nothing", "rehearse", "announce", "approve", "deploy", "bake", "report"} {
			for _, c := range []planrun.Command{
				planrun.Assign{Capacity: carols, Task: task, Person: carol},
				planrun.Begin{Capacity: carols, Task: task},
				planrun.Complete{Capacity: carols, Task: task, Target: "a"},
				planrun.Complete{Capacity: carols, Task: task},
				planrun.Fail{Capacity: carols, Task: task, Reason: "r"},
				planrun.CheckEvidence{Capacity: carols, Task: task, OK: true},
				planrun.AddEvidence{Capacity: carols, Task: task, Evidence: evidence("log")},
				planrun.Skip{Capacity: carols, Task: task, Reason: "r", Control: "c"},
				planrun.Waive{Capacity: carols, Task: task, Grant: true},
				planrun.Retry{Capacity: carols, Task: task, Reason: "r"},
				planrun.Settle{Capacity: carols, Task: task, Status: planrun.Done, Reason: "r"},
				planrun.DoStep{Capacity: carols, Task: task, Step: 2},
				planrun.Vote{Capacity: carols, ID: "v", Task: task, Choice: approval.Approve, Shown: hash("old")},
				planrun.Delegate{Capacity: carols, Task: task, To: approval.Substitute{Person: "carl", Until: until}},
				planrun.Halt{Capacity: carols, Reason: "r"},
				planrun.Continue{Capacity: carols, Reason: "r"},
				planrun.Cancel{Capacity: carols, Reason: "r"},
				planrun.RollBack{Capacity: carols, Environment: "production", Reason: "r"},
				planrun.SettleUndo{Capacity: carols, Task: task, State: planrun.Forward, Note: "n"},
				planrun.AskOverride{Capacity: carols, Environment: "production", Reason: "r", Until: until},
				planrun.ConfirmOverride{Capacity: carols, Environment: "production", Grant: true},
				planrun.RePlan{Capacity: carols, Next: w.run.Pinned, Reason: "r"},
				planrun.Note{Capacity: carols, Task: task, Text: "t"},
			} {
				text, err := json.Marshal(w.run)
				if err != nil {
					t.Fatal(err)
				}
				var r planrun.Run
				if err := json.Unmarshal(text, &r); err != nil {
					t.Fatal(err)
				}
				if err = c.Check(&r, carol); err == nil {
					err = c.Apply(&r, carol, w.now)
				}
				if err == nil {
					continue
				}
				v := planrun.Viewer{
					Viewer: incident.Viewer{
						Party: "acme", Own: func(a timeline.Actor) bool { return a.ID == "carol" }, Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: "Hanbit"},
					},
					Kind: authority.Customer, Roles: carols.Roles,
				}
				why := r.Refusal(v, c, carol, err.Error())
				for _, name := range []string{"Lena", "Dora", "Mark", "Dave", inside} {
					if strings.Contains(why, name) || why == "" {
						t.Errorf("%T of %s: %s", c, task, why)
					}
				}
			}
		}
	}
}

// Every kind of entry is either inside, or a party reads no more of it than is meant for it.
func TestATimelineHoldsNothingOfTheInside(t *testing.T) {
	w := begun(t, upgrade())
	for _, k := range timeline.Kinds() {
		w.run.Timeline.Add(w.now, k, lena, timeline.F("task", "deploy"), timeline.F("reason", inside), timeline.F("note", inside), timeline.F("text", inside),
			timeline.F("detail", inside), timeline.F("why", inside), timeline.F("person", inside), timeline.F("control", inside), timeline.F("seen", inside),
			timeline.F("ref", inside), timeline.F("changes", inside), timeline.F("for", inside))
	}
	s, _ := viewed(t, w.run, authority.Customer, "carol", "customer")
	told := map[timeline.Kind]bool{timeline.PlanMoved: true, timeline.RollbackBegun: true} // everybody has heard the reason
	for _, e := range s.Timeline.Entries {
		for _, f := range e.Facts {
			if f.Value == inside && !told[e.Kind] {
				t.Errorf("%s shows %s", e.Kind, f.Name)
			}
		}
		if e.Actor.ID == "lena" {
			t.Errorf("%s shows who did it", e.Kind)
		}
	}
	if n := len(s.Timeline.Entries); n < 15 {
		t.Errorf("%d entries, want what a customer has to know", n)
	}
}
