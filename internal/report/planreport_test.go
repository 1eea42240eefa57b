package report_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/report"
	"muster/internal/timeline"
)

// reached is how some of those are reached who fill roles of the run: one by phone, one by mail, one in no way that all may know.
func reached() []report.PlanContact {
	return []report.PlanContact{
		{Role: "lead", Name: "이서연", Phone: "+82 2 555 0141"},
		{Role: "deployer", Name: "김민수", Of: "1차 당직", Mail: "kim@mirnet.example"},
		{Role: "deployer", Name: "Park", Of: "1차 당직"},
	}
}

func TestPlanReports(t *testing.T) {
	all := texts(t)
	before, after := started(t), completed(t)
	for _, language := range all.Languages() {
		for _, format := range []report.Format{report.Markdown, report.HTML} {
			for _, row := range []struct {
				kind string
				*launch
			}{{plan.WorkPlan, before}, {plan.CompletionReport, after}, {report.RACIMatrix, after}, {report.DecisionRecord, after}} {
				e := report.Edition{Language: language, Format: format, At: row.now.Add(time.Hour)}
				if row.kind == plan.WorkPlan {
					e.Contacts = reached()
				}
				got, err := all.PlanReport(row.run, row.kind, e)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, row.kind+"."+language+"."+string(format), string(got))
				// What an activity is given is enough for it.
				slim, err := all.PlanReport(row.run.ForReport(), row.kind, e)
				if err != nil || string(slim) != string(got) {
					t.Errorf("%s.%s.%s: another report from what is made for it (%v)", row.kind, language, format, err)
				}
			}
		}
	}
	for _, language := range all.Languages() {
		for _, row := range []struct {
			kind string
			*launch
		}{{plan.WorkPlan, before}, {plan.CompletionReport, after}} {
			run := row.run.ForReport()
			if row.closing != nil {
				run = row.closing
			}
			got, err := all.PlanReport(forCustomer(run), row.kind, report.Edition{Language: language, Format: report.Markdown, At: row.now})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, row.kind+".customer."+language+".md", string(got))
			for _, secret := range []string{lena.Name, dora.Name, mark.Name, "The log ends too early.", "A cache was not emptied.", "4.1 answers", "its disk is full"} {
				if strings.Contains(string(got), secret) {
					t.Errorf("%s in %s: the customer reads %q", row.kind, language, secret)
				}
			}
		}
	}
	for _, wrong := range []struct {
		kind   string
		format report.Format
	}{{"poem", report.Markdown}, {plan.WorkPlan, "docx"}} {
		if _, err := all.PlanReport(before.run, wrong.kind, report.Edition{Language: "en", Format: wrong.format, At: monday()}); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s as %s: got %v", wrong.kind, wrong.format, err)
		}
	}
}

// forCustomer is a run as the customer's edition of a report is written of it.
func forCustomer(r *planrun.Run) *planrun.Run {
	v := planrun.Viewer{Kind: authority.Customer, Roles: []string{"owner"}}
	v.Party, v.Instead = r.Customer, timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: r.Organisation}
	v.Own = func(a timeline.Actor) bool { return a.ID == carol.ID }
	return r.Shown(v)
}

// infectedRun is the completed run with s wherever people can write.
func infectedRun(t testing.TB, s string) *planrun.Run {
	t.Helper()
	r := completed(t).run
	d := &r.Plan
	put := func(texts ...any) {
		for _, x := range texts {
			infect(reflect.ValueOf(x).Elem(), s)
		}
	}
	put(&d.Name, &d.Description, &r.CustomerName, &r.Organisation, &r.Starter.Name, &r.Reason)
	for n := range d.Roles {
		put(&d.Roles[n].Name)
	}
	for n := range d.Parameters {
		put(&d.Parameters[n].Description, &r.Parameters[n].Value, &r.Parameters[n].List)
	}
	for p := range d.Phases {
		put(&d.Phases[p].Name)
		for n := range d.Phases[p].Tasks {
			x := &d.Phases[p].Tasks[n]
			put(&x.Name, &x.Detail, &x.Message)
			for e := range x.Evidence {
				put(&x.Evidence[e].What)
			}
			if x.Rollback != nil {
				put(&x.Rollback.Component, &x.Rollback.Detail)
			}
		}
	}
	for n := range r.Environments {
		b := &r.Environments[n]
		put(&b.Name)
		for w := range b.Rules.Windows {
			put(&b.Rules.Windows[w].Name)
		}
		for f := range b.Rules.Freezes {
			x := &b.Rules.Freezes[f]
			put(&x.Name, &x.Reason, &x.Owner.Name)
		}
	}
	for n := range r.Tasks {
		x := &r.Tasks[n]
		put(&x.Reason, &x.By.Name, &x.Measures.LastSeen)
		for e := range x.Evidence {
			put(&x.Evidence[e].Ref, &x.Evidence[e].Note, &x.Evidence[e].By.Name, &x.Evidence[e].Checker.Name)
		}
		for e := range x.Targets {
			put(&x.Targets[e].Name, &x.Targets[e].Reason, &x.Targets[e].By)
		}
	}
	put(&r.Books[0].Runbook.Title, &r.Absent[0].Name, &r.Absent[0].When)
	free := []string{"reason", "note", "ref", "control", "text", "detail", "target", "component", "seen", "person", "customer", "why"}
	for n := range r.Timeline.Entries {
		e := &r.Timeline.Entries[n]
		e.Actor.Name = s
		for f := range e.Facts {
			if slices.Contains(free, e.Facts[f].Name) {
				e.Facts[f].Value = s
			}
		}
	}
	return r
}

// Whatever people have written in a run: its reports keep their shape, and its pages need nothing else.
func TestPlanReportsKeepTheirShape(t *testing.T) {
	all := texts(t)
	quotation := regexp.MustCompile(`Blockquote( Paragraph)+`)
	shape := func(s string) string {
		var whole []byte
		for _, kind := range report.PlanReports() {
			out, err := all.PlanReport(infectedRun(t, s), kind, report.Edition{
				Language: "en", Format: report.Markdown, At: monday(), Contacts: []report.PlanContact{{Role: "lead", Name: s, Of: s, Phone: s}},
			})
			if err != nil {
				t.Fatal(err)
			}
			whole = append(append(whole, "\n\n"...), out...)
		}
		return quotation.ReplaceAllString(shapeOf(whole), "Blockquote")
	}
	want := shape("plain")
	for _, s := range attacks() {
		if got := shape(s); got != want {
			t.Errorf("%q changes the shape of a report:\n%s\nwant\n%s", s, got, want)
		}
		for _, kind := range report.PlanReports() {
			out, err := all.PlanReport(infectedRun(t, s), kind, report.Edition{
				Language: "ko", Format: report.HTML, At: monday(), Contacts: []report.PlanContact{{Role: "lead", Name: s, Of: s, Mail: s}},
			})
			if err != nil {
				t.Fatal(err)
			}
			selfContained(t, string(out), "ko", s)
		}
	}
}

// The largest run that may be: its reports are written, what they are written from fits into an activity's input, every decision is in
// it, and what is missing is said.
func TestTheReportsOfTheLargestRun(t *testing.T) {
	s := completed(t)
	r := s.run
	for n := range 190 {
		id := fmt.Sprintf("more-%d", n)
		x := plan.Task{ID: id, Kind: plan.Manual, Name: both("Task "+id, "작업 "+id), Detail: both(strings.Repeat("do it ", 150), strings.Repeat("수행 ", 150)), SHA256: digest(id)}
		x.Accountable = "lead"
		r.Plan.Phases[0].Tasks = append(r.Plan.Phases[0].Tasks, x)
		r.Tasks = append(r.Tasks, planrun.Task{ID: id, Status: planrun.Done, Attempt: 1})
	}
	for n := range 12_000 {
		r.Timeline.Add(s.now, timeline.Measured, timeline.Muster(), timeline.F("task", "watch"), timeline.F("verdict", "fail"), timeline.F("seen", fmt.Sprint("status ", n)))
	}
	for n := range 1_000 {
		r.Timeline.Add(s.now, timeline.VoteCast, mark, timeline.F("task", "approve"), timeline.F("choice", string(approval.Reject)), timeline.F("reason", fmt.Sprint(n, strings.Repeat("<", 150))))
	}
	slim := r.ForReport()
	raw, err := json.Marshal(slim)
	if err != nil || len(raw) > 1_500_000 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	if n := len(r.Timeline.Entries); n < 13_000 || r.Undoing == nil || r.Books[0].Runbook.Steps == nil {
		t.Error("the run was changed")
	}
	if last := slim.Timeline.Entries[len(slim.Timeline.Entries)-1]; last.Kind != timeline.VoteCast {
		t.Errorf("the newest decision is missing: %+v", last)
	}
	for language, want := range map[string][]string{"en": {"entries of the timeline were too many for this report", "rows of long tables"}, "ko": {"이 보고서에 싣지 않음", "행은 생략"}} {
		for _, format := range []report.Format{report.Markdown, report.HTML} {
			for _, kind := range report.PlanReports() {
				out, err := texts(t).PlanReport(slim, kind, report.Edition{Language: language, Format: format, At: s.now})
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range want {
					if (kind == plan.CompletionReport || kind == report.DecisionRecord) && !strings.Contains(string(out), w) {
						t.Errorf("%s.%s.%s does not say %q", kind, language, format, w)
					}
				}
			}
		}
	}
}

// What is not over yet, or went otherwise, stands in the report in words.
func TestWhatAPlanReportSays(t *testing.T) {
	frozen := func(t *testing.T) *launch {
		s := started(t)
		s.frozen = monday().Add(38 * 24 * time.Hour)
		s.do(planrun.Begin{Capacity: capacity(dora), Task: "rehearse"}, dora)
		s.do(planrun.Complete{Capacity: capacity(dora), Task: "rehearse", Evidence: []planrun.Given{{Item: "log", Ref: "x"}}}, dora)
		s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", OK: true}, mark)
		s.vote("approve", mark, approval.Approve, "")
		s.vote("approve", carol, approval.Approve, "")
		return s
	}
	for name, row := range map[string]struct {
		run  func(t *testing.T) *launch
		kind string
		says []string
	}{
		"a task that is late still": {
			func(t *testing.T) *launch { s := started(t); s.after(50 * time.Hour); return s }, plan.CompletionReport,
			[]string{"*Interim report: the run is not over yet.*", "| ready, 2 h late so far |", "- 1.1 Rehearse on staging: ready\n", "1 late, 0 done anew, 0 rollbacks, 0 overrides"},
		},
		"an environment that may not be changed": {
			frozen, plan.WorkPlan, []string{"it may not be changed (연말 성수기, outside every window); next at 2026-12-31 Thu 09:00 KST"},
		},
		"an override that is refused": {
			func(t *testing.T) *launch {
				s := frozen(t)
				s.do(planrun.AskOverride{Capacity: capacity(lena), Environment: "production", Reason: "urgent", Until: s.now.Add(time.Hour)}, lena)
				s.do(planrun.ConfirmOverride{Capacity: capacity(carol), Environment: "production", Note: "not now"}, carol)
				return s
			},
			report.DecisionRecord,
			[]string{"| Production | outside every window | urgent | 이서연, 2026-11-23 Mon 09:00:00 KST | 2026-11-23 Mon 10:00 KST | refused, 오하은, 2026-11-23 Mon 09:00:00 KST: not now |"},
		},
		"an override that is open": {
			func(t *testing.T) *launch {
				s := frozen(t)
				s.do(planrun.AskOverride{Capacity: capacity(lena), Environment: "production", Freeze: "season", Reason: "urgent", Until: s.now.Add(time.Hour)}, lena)
				s.do(planrun.ConfirmOverride{Capacity: capacity(mark), Environment: "production", Grant: true}, mark)
				return s
			},
			plan.CompletionReport,
			[]string{"- Production: an override is open until 2026-11-23 Mon 10:00 KST"},
		},
		"action items": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.AddAction{ID: "ACT-0000000001", Title: "Drill the *way* back"}, lena)
				s.do(planrun.AddAction{ID: "ACT-0000000002", Title: "Count the pools"}, lena)
				s.run.Actions[0].Status = "overdue" // as whoever shows the run has found it
				return s
			},
			plan.CompletionReport,
			[]string{"\nAction items that came of it:\n\n- ACT-0000000001: Drill the \\*way\\* back (overdue)\n- ACT-0000000002: Count the pools\n\n## 10. Timeline\n"},
		},
		"what a cancelled run leaves": {
			func(t *testing.T) *launch {
				s := frozen(t)
				s.frozen = time.Time{}
				s.run.Windows = nil
				s.settle()
				s.do(planrun.Begin{Capacity: capacity(dora), Task: "deploy"}, dora)
				s.do(planrun.Cancel{Capacity: capacity(lena), Reason: "not this year"}, lena)
				return s
			},
			plan.CompletionReport,
			[]string{"| Result | cancelled: not this year |", "- 2.1 Deploy 4.2: what it has changed stays as it is"},
		},
		"a waiver that is refused": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.Skip{Capacity: capacity(dora), Task: "scan", Reason: "later", Control: "nothing"}, dora)
				s.do(planrun.Waive{Capacity: capacity(carol), Task: "scan", Note: "scan first"}, carol)
				return s
			},
			report.DecisionRecord,
			[]string{"| 2026-12-07 Mon 09:00 KST | refused, 오하은, 2026-11-23 Mon 09:00:00 KST: scan first |"},
		},
		"a waiver that has expired": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.Skip{Capacity: capacity(dora), Task: "scan", Reason: "later", Control: "nothing", Until: s.now.Add(time.Hour)}, dora)
				s.do(planrun.Waive{Capacity: capacity(carol), Task: "scan", Grant: true}, carol)
				s.after(2 * time.Hour)
				return s
			},
			report.DecisionRecord,
			[]string{"expired, 오하은, 2026-11-23 Mon 09:00:00 KST (expired at 2026-11-23 Mon 10:00:00 KST) |"},
		},
		"a vote that comes too late": {
			func(t *testing.T) *launch {
				s := frozen(t)
				task, _, _ := s.run.Task("approve")
				late := planrun.Vote{Capacity: capacity(mark), ID: "late", Task: "approve", Choice: approval.Reject, Reason: "on second thought", Shown: task.Ballot.Shown.SHA256}
				if err := s.try(late, mark); err == nil {
					t.Fatal("it counts")
				}
				return s
			},
			report.DecisionRecord,
			[]string{"| reject, too late | on second thought |"},
		},
		"votes that count no more": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.Begin{Capacity: capacity(dora), Task: "rehearse"}, dora)
				shown := []planrun.Given{{Item: "log", Ref: "x"}}
				s.do(planrun.Complete{Capacity: capacity(dora), Task: "rehearse", Evidence: shown}, dora)
				s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", OK: true}, mark)
				s.vote("approve", mark, approval.Approve, "at first")
				s.vote("approve", mark, approval.Approve, "decided")
				s.do(planrun.AddEvidence{Capacity: capacity(dora), Task: "rehearse", Evidence: shown}, dora)
				s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", OK: true}, mark)
				s.vote("approve", mark, approval.Approve, "again")
				return s
			},
			report.DecisionRecord,
			[]string{"| approve, void | at first |", "| approve, void | decided |", "| approve | again |"},
		},
		"a change that is undecided": {
			func(t *testing.T) *launch {
				s := started(t)
				next := shopTerms().Pinned
				next.SHA256, next.Plan.Phases[1].Tasks[1].SHA256 = digest("second plan"), digest("watch longer")
				s.do(planrun.RePlan{Capacity: capacity(lena), Next: next, Reason: "longer"}, lena)
				return s
			},
			plan.CompletionReport,
			[]string{"- A change of the plan is undecided: longer\n", "| undecided |"},
		},
		"nothing at all": {
			func(t *testing.T) *launch { return started(t) }, plan.CompletionReport,
			[]string{
				"Everything went as planned.", "None was given.", "Nothing was measured.", "Nothing was done in waves.", "Nothing was rolled back.", "Nobody has voted.",
				"No task was to be skipped.", "Nobody has asked to change anything in a freeze or outside the windows.", "The plan was not to be changed.",
			},
		},
		"a vote that is given to a substitute": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.Begin{Capacity: capacity(dora), Task: "rehearse"}, dora)
				s.do(planrun.Complete{Capacity: capacity(dora), Task: "rehearse", Evidence: []planrun.Given{{Item: "log", Ref: "x"}}}, dora)
				s.do(planrun.CheckEvidence{Capacity: capacity(mark), Task: "rehearse", OK: true}, mark)
				jin := person("jin", "진하늘")
				to := approval.Substitute{Person: "jin", Name: jin.Name, Party: authority.Customer, Until: s.now.Add(time.Hour)}
				s.do(planrun.Delegate{Capacity: capacity(carol), Task: "approve", To: to}, carol)
				task, _, _ := s.run.Task("approve")
				s.do(planrun.Vote{Capacity: capacity(jin), ID: "jin", Task: "approve", Choice: approval.Approve, For: "carol", Shown: task.Ballot.Shown.SHA256}, jin)
				return s
			},
			report.DecisionRecord,
			[]string{"| 1.4 Approve the upgrade | 오하은 | 진하늘 | 2026-11-23 Mon 10:00 KST |", "| 진하늘, for 오하은 | approve |"},
		},
		"days of a freeze that concern the run, and when to decide": {
			func(t *testing.T) *launch {
				s := started(t)
				f := &s.run.Environments[1].Rules.Freezes[0]
				f.Yearly = nil
				for _, d := range []string{"2024-01-01", "2026-11-22", "2026-11-25", "2026-11-30", "2026-12-25"} {
					day, err := calendar.ParseDate(d)
					if err != nil {
						t.Fatal(err)
					}
					f.Holidays = append(f.Holidays, day)
				}
				s.run.Windows = []planrun.Look{{Environment: "production", At: s.now, Open: true, Until: s.now.Add(5 * time.Hour)}}
				return s
			},
			plan.WorkPlan,
			[]string{": 2026-11-25, 2026-11-30 (Asia/Seoul)", "| 1.1 Rehearse on staging | 2026-11-23 Mon 13:30 KST |"},
		},
		"a delivery that was refused": {
			func(t *testing.T) *launch {
				s := started(t)
				for _, k := range []timeline.Kind{timeline.Sending, timeline.Delivered, timeline.Refused} {
					s.run.Timeline.Add(s.now, k, timeline.Muster(), timeline.F("what", "plan"), timeline.F("to", string(k)), timeline.F("method", "app"))
				}
				return s
			},
			plan.CompletionReport,
			[]string{"to delivery.refused by app was refused"},
		},
		"why it was halted once": {
			func(t *testing.T) *launch {
				s := started(t)
				s.do(planrun.Halt{Capacity: capacity(lena), Reason: "wait"}, lena)
				s.do(planrun.Continue{Capacity: capacity(lena), Reason: "go on"}, lena)
				return s
			},
			plan.CompletionReport,
			[]string{"| Result | running |"},
		},
		"its last task": {
			func(t *testing.T) *launch { s := completed(t); s.run = s.closing; return s }, plan.CompletionReport,
			[]string{
				"*The last task of the run writes this report: the run is complete as of", "| Result | completed |", "| Tasks | 7 of 8 done, 1 skipped by a waiver, 0 left |",
				"| 2.4 | Completion report | – |", "| – | done | Muster |",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := row.run(t)
			out, err := texts(t).PlanReport(s.run, row.kind, report.Edition{Language: "en", Format: report.Markdown, At: s.now})
			for _, w := range row.says {
				if err != nil || !strings.Contains(string(out), w) || strings.Contains(string(out), "delivery.delivered") {
					t.Errorf("%v; %q is missing in\n%s", err, w, out)
				}
			}
		})
	}
}
