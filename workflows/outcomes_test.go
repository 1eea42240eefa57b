package workflows_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"muster/internal/action"
	"muster/internal/audit"
	"muster/internal/change"
	"muster/internal/handover"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/request"
	"muster/internal/review"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/timeline"
	"muster/workflows"
)

// shown is what a recorded history shows.
type shown struct {
	file, workflow, status string
	ended                  []string // how Temporal says that its runs have ended: Completed, ContinuedAsNew
	timeline               []timeline.Entry
}

// histories are all that this code may have to replay, and what they show.
var histories = sync.OnceValues(func() (all []shown, err error) {
	files, err := filepath.Glob("testdata/histories/*/*.json")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		kept, err := audit.Open(file, nil)
		if err != nil {
			return nil, err
		}
		replayed, err := kept.Replay()
		if err != nil {
			return nil, err
		}
		s := shown{file: file, workflow: replayed.Type, timeline: replayed.Timeline}
		var state struct{ Status string }
		if json.Unmarshal(replayed.State, &state) == nil {
			s.status = state.Status
		}
		for _, h := range kept.Runs {
			last := h.GetEvents()[len(h.GetEvents())-1].GetEventType().String()
			s.ended = append(s.ended, strings.TrimPrefix(last, "WorkflowExecution"))
		}
		all = append(all, s)
	}
	return all, nil
})

// shows tells whether a history that this code has recorded shows something.
func shows(t *testing.T, ok func(shown) bool) bool {
	t.Helper()
	all, err := histories()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(s shown) bool { return strings.Contains(s.file, "/unreleased/") && ok(s) })
}

const how = "play it in internal/acceptance/outcomerecord_test.go or beside it, then make histories"

// final are the statuses with which something is over.
func final[S ~string](all []S, over func(S) bool) (names []string) {
	for _, s := range all {
		if over(s) {
			names = append(names, string(s))
		}
	}
	return names
}

// outcomes are the statuses with which each workflow ends. Those without a status end as Temporal says.
func outcomes() map[string][]string {
	runs := final(planrun.Statuses(), planrun.Status.Final)
	return map[string][]string{
		workflows.IncidentWorkflow: final(incident.Statuses(), func(s incident.Status) bool { return (&incident.Incident{Status: s}).Ended() }),
		workflows.ReviewWorkflow:   final(review.Statuses(), func(s review.Status) bool { return s != review.Open }),
		workflows.HandoverWorkflow: final(handover.Statuses(), func(s handover.Status) bool { return (&handover.Handover{Status: s, Passed: true}).Over() }),
		workflows.RequestWorkflow:  final(request.Statuses(), request.Status.Final),
		workflows.ActionItemWorkflow: final(action.Statuses(), func(s action.Status) bool {
			return (&action.Action{Status: s}).Over()
		}),
		workflows.EscalationWorkflow:   final(risk.Statuses(), func(s risk.Status) bool { return (&risk.Escalation{Status: s}).Over() }),
		workflows.AlertSilenceWorkflow: final(silence.Statuses(), func(s silence.Status) bool { return (&silence.Silence{Status: s}).Over() }),
		workflows.ProblemWorkflow:      final(problem.Statuses(), func(s problem.Status) bool { return (&problem.Problem{Status: s}).Over() }),
		workflows.ChangeWorkflow:       final(change.Statuses(), change.Status.Final),
		workflows.UpgradeWorkflow:      runs, workflows.GoLiveWorkflow: runs, workflows.ReadinessWorkflow: runs, workflows.MaintenanceWorkflow: runs,

		workflows.CertificateRemindersWorkflow: nil, workflows.ArchiveWorkflow: nil, workflows.UsageWorkflow: nil, workflows.ContactsWorkflow: nil, workflows.AutomaticResponseWorkflow: nil,
		workflows.EnvironmentLockWorkflow: nil, workflows.SilenceWorkflow: nil,
		workflows.HeartbeatWorkflow: {string(heartbeat.Retired)}, workflows.RoutineWorkflow: {string(routine.Retired)},
	}
}

// A workflow that ends as no history shows may not replay in the next version.
func TestEveryOutcomeHasAHistory(t *testing.T) {
	all := outcomes()
	for _, w := range workflows.All() {
		statuses, known := all[w.Name]
		if !known {
			t.Errorf("workflow %s: say in outcomes how it ends", w.Name)
		}
		for _, want := range statuses {
			if !shows(t, func(s shown) bool {
				return s.workflow == w.Name && s.status == want && s.ended[len(s.ended)-1] == "Completed"
			}) {
				t.Errorf("no recorded history of workflow %s ends as %s: %s", w.Name, want, how)
			}
		}
	}
}

// How Temporal says that runs end, and which workflows end so.
func TestEveryEndHasAHistory(t *testing.T) {
	ends := map[string][]string{
		"Completed":      {workflows.CertificateRemindersWorkflow, workflows.ArchiveWorkflow, workflows.SilenceWorkflow},
		"Canceled":       {workflows.EnvironmentLockWorkflow}, // given back
		"Terminated":     {workflows.EnvironmentLockWorkflow}, // from outside, or because the run that had it was
		"ContinuedAsNew": continued(t),
	}
	for _, w := range workflows.All() {
		if reflect.TypeOf(w.Function).NumIn() > 1 { // whose start is signed, so that somebody else's is refused
			ends["Failed"] = append(ends["Failed"], w.Name)
		}
	}
	for end, names := range ends {
		for _, name := range names {
			if !shows(t, func(s shown) bool { return s.workflow == name && slices.Contains(s.ended, end) }) {
				t.Errorf("no recorded history of workflow %s has a run that ends as %s: %s", name, end, how)
			}
		}
	}
}

// continued are the workflows that continue as new, as the code of this package says.
func continued(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants, called := map[string]string{}, []string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						constants[n.Names[i].Name], _ = strconv.Unquote(lit.Value)
					}
				}
			case *ast.CallExpr:
				selected, _ := n.Fun.(*ast.SelectorExpr)
				plain, _ := n.Fun.(*ast.Ident)
				sdk := selected != nil && selected.Sel.Name == "NewContinueAsNewError" && file != "notary.go" // there is handOn, which is given the name
				if (sdk || plain != nil && plain.Name == "handOn") && len(n.Args) > 1 {
					name, ok := n.Args[1].(*ast.Ident)
					if !ok {
						t.Fatalf("%s: the workflow that goes on has no name", file)
					}
					called = append(called, name.Name)
				}
			}
			return true
		})
	}
	for _, c := range called {
		if constants[c] == "" {
			t.Fatalf("%s goes on as a workflow of no constant name", c)
		}
		names = append(names, constants[c])
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		t.Fatal("no workflow continues as new: want that this test still finds those that do")
	}
	return names
}

// What has come of a run stands in its timeline too: a problem that was reopened, a lock that was lost. Every kind of entry has a
// history, but for those that follow from an outage or a mistake around Muster, and those that nobody has played yet.
func TestEveryKindOfEntryHasAHistory(t *testing.T) {
	for _, k := range timeline.Kinds() {
		has := shows(t, func(s shown) bool {
			return slices.ContainsFunc(s.timeline, func(e timeline.Entry) bool { return e.Kind == k })
		})
		switch not := slices.Contains(unplayed(), k); {
		case has && not:
			t.Errorf("%s has a history now: take it out of unplayed", k)
		case !has && !not:
			t.Errorf("no recorded history has an entry %s: %s", k, how)
		}
	}
}

// unplayed are the kinds of entries that no history has. It only grows shorter.
func unplayed() []timeline.Kind {
	return []timeline.Kind{
		timeline.TicketFailed, timeline.ReportFailed, timeline.ReviewFailed, timeline.ResultFailed, timeline.PageFailed, // something around Muster is out
		timeline.TaskDueUnknown, timeline.VotersUnknown, timeline.RequestUncounted, // the same
		timeline.HeldBack, timeline.PagePosted, timeline.ChangeFound,
	}
}
