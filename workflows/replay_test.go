package workflows_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"muster/internal/audit"
	"muster/workflows"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Whatever a version has ever recorded, this code would decide again, and ask for in the same words. internal/acceptance records
// the files. Where this code tells activities and the next run more than the code that recorded, a file beside the history has
// each difference; nothing else may differ. Whoever writes that file with -update has read it.
func TestRecordedHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("histories: %v, %v; want some", files, err)
	}
	for _, file := range files {
		version := filepath.Base(filepath.Dir(file))
		t.Run(version+"/"+filepath.Base(file), func(t *testing.T) {
			all, err := audit.Replay(recorded(t, file))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := all.Differences.Err(); err != nil {
				got = err.Error() + "\n"
			}
			for kind := range all.Differences.Kinds {
				if kind != audit.ActivityIn && kind != audit.HandedOn {
					t.Fatalf("it differs in its %s:\n%s", kind, got)
				}
			}
			golden := strings.TrimSuffix(file, ".json") + ".differences"
			if *update && got != "" && version != "unreleased" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// What has no history is not known to replay in the next version.
func TestEveryWorkflowHasAHistory(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/unreleased/*.json")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, file := range files {
		for _, h := range recorded(t, file) {
			has[h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()] = true
		}
	}
	for _, w := range workflows.All() {
		if !has[w.Name] {
			t.Errorf("workflow %s has no recorded history: add it to internal/acceptance, then make histories", w.Name)
		}
	}
}

// A history that this code would not have written is refused: what replays would otherwise prove nothing.
func TestTamperedHistoryDoesNotReplay(t *testing.T) {
	const incident, upgrade = "testdata/histories/unreleased/incident-happy.json", "testdata/histories/unreleased/upgrade-happy.json"
	tests := map[string]func(h *historypb.History) bool{ // each returns whether it has found what to change
		"an activity of another type": func(h *historypb.History) bool {
			e := first(h, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
			if e == nil {
				return false
			}
			e.GetActivityTaskScheduledEventAttributes().GetActivityType().Name = "Forget"
			return true
		},
		"a timer where there was an activity": func(h *historypb.History) bool {
			e := first(h, enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
			if e == nil {
				return false
			}
			e.EventType = enumspb.EVENT_TYPE_TIMER_STARTED
			e.Attributes = &historypb.HistoryEvent_TimerStartedEventAttributes{
				TimerStartedEventAttributes: &historypb.TimerStartedEventAttributes{
					TimerId: "5", StartToFireTimeout: durationpb.New(time.Second),
					WorkflowTaskCompletedEventId: e.GetActivityTaskScheduledEventAttributes().GetWorkflowTaskCompletedEventId(),
				},
			}
			return true
		},
		"a review that was never opened": func(h *historypb.History) bool {
			e := first(h, enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
			if e == nil {
				return false
			}
			e.GetStartChildWorkflowExecutionInitiatedEventAttributes().WorkflowId = "review/of-something-else"
			return true
		},
	}
	planned := map[string]func(h *historypb.History) bool{
		"a run on another environment": func(h *historypb.History) bool {
			h.Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowId = "upgrade/globex/staging"
			return true
		},
		"a step that only measures": func(h *historypb.History) bool {
			for _, e := range h.GetEvents() {
				if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == "RunStep" {
					a.ActivityType.Name = "Measure"
					return true
				}
			}
			return false
		},
		"a vote that nobody has cast": func(h *historypb.History) bool {
			for _, e := range h.GetEvents() {
				if a := e.GetWorkflowExecutionUpdateAcceptedEventAttributes(); a.GetAcceptedRequest().GetInput().GetName() == workflows.VoteUpdate {
					a.AcceptedRequest.Input.Name = workflows.NoteUpdate
					return true
				}
			}
			return false
		},
	}
	refused := func(t *testing.T, file string, tamper func(*historypb.History) bool) {
		t.Helper()
		runs := recorded(t, file)
		if !tamper(runs[0]) {
			t.Fatalf("%s has nothing to change", file)
		}
		if replay(runs) == nil {
			t.Error("it replays")
		}
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) { refused(t, incident, tamper) })
	}
	for name, tamper := range planned {
		t.Run(name, func(t *testing.T) { refused(t, upgrade, tamper) })
	}
}

func recorded(t *testing.T, file string) []*historypb.History {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	runs, err := audit.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func replay(runs []*historypb.History) error {
	all, err := audit.Replay(runs)
	if err != nil {
		return err
	}
	return all.Differences.Err()
}

func first(h *historypb.History, kind enumspb.EventType) *historypb.HistoryEvent {
	for _, e := range h.GetEvents() {
		if e.GetEventType() == kind {
			return e
		}
	}
	return nil
}
