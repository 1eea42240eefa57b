package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	updatepb "go.temporal.io/api/update/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"pgregory.net/rapid"

	"muster/internal/audit"
)

// of is a file that this code has recorded.
func of(name string) string {
	return filepath.Join("../../workflows/testdata/histories/unreleased", name+".json")
}

func open(t testing.TB, file string) []*historypb.History {
	t.Helper()
	k, err := audit.Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k.Runs
}

func replay(t testing.TB, k audit.Kept) *audit.Replayed {
	t.Helper()
	all, err := k.Replay()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// nth is the event of a kind that is the nth of those, from 1 on.
func nth(t testing.TB, h *historypb.History, kind enumspb.EventType, n int) *historypb.HistoryEvent {
	t.Helper()
	for _, e := range h.GetEvents() {
		if e.GetEventType() == kind {
			if n--; n == 0 {
				return e
			}
		}
	}
	t.Fatalf("no such event: %s", kind)
	return nil
}

// swap changes a text in a payload.
func swap(t testing.TB, p *commonpb.Payloads, from, to string) {
	t.Helper()
	data := p.GetPayloads()[0]
	if !bytes.Contains(data.GetData(), []byte(from)) {
		t.Fatalf("no %s in %s", from, data.GetData())
	}
	data.Data = bytes.Replace(data.GetData(), []byte(from), []byte(to), 1)
}

func TestAReplayDerivesStateAndTimeline(t *testing.T) {
	all := replay(t, audit.Kept{Runs: open(t, of("incident-continued"))})
	if err := all.Differences.Err(); err != nil {
		t.Fatal(err)
	}
	var state struct{ ID, Status string }
	if err := json.Unmarshal(all.State, &state); err != nil || state.Status != "closed" || state.ID != all.ID || all.Runs != 2 || all.Compared {
		t.Errorf("got %v, %+v of %s, %d runs, compared: %v; want the closed incident of two runs, compared with nothing", err, state, all.ID, all.Runs, all.Compared)
	}
	for n, e := range all.Timeline {
		if e.Seq != n+1 {
			t.Errorf("entry %d has number %d: want the timeline of both runs as one", n+1, e.Seq)
		}
	}
	if last := all.Timeline[len(all.Timeline)-1]; len(all.Timeline) < 20 || last.At.Before(all.Timeline[0].At) {
		t.Errorf("got %d entries, the last %+v", len(all.Timeline), last)
	}
}

// Replaying twice gives the same: a replay leaves the histories as they were.
func TestAReplayLeavesTheHistoriesAlone(t *testing.T) {
	runs := open(t, of("upgrade-happy"))
	first, second := replay(t, audit.Kept{Runs: runs}), replay(t, audit.Kept{Runs: runs})
	if err := second.Differences.Err(); err != nil || !bytes.Equal(first.State, second.State) {
		t.Errorf("the second replay of the same: %v", err)
	}
}

func TestAKeptStateIsCompared(t *testing.T) {
	k := audit.Kept{Runs: open(t, of("upgrade-happy"))}
	state := replay(t, k).State
	var same bytes.Buffer // other bytes, which say the same
	if err := json.Indent(&same, state, "", "\t"); err != nil {
		t.Fatal(err)
	}
	k.State = same.Bytes()
	if all := replay(t, k); all.Differences.Err() != nil || !all.Compared {
		t.Errorf("its own state: %v, compared: %v", all.Differences.Err(), all.Compared)
	}
	k.State = bytes.Replace(state, []byte(`"status":"completed"`), []byte(`"status":"cancelled"`), 1)
	const want = `run 1: state $.status: the record has "cancelled", this program "completed"`
	if err := replay(t, k).Differences.Err(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAKeptTimelineIsCompared(t *testing.T) {
	k := audit.Kept{Runs: open(t, of("incident-continued"))}
	all := replay(t, k)
	told, err := json.Marshal(all.Timeline)
	if err != nil {
		t.Fatal(err)
	}
	k.State, k.Timeline = all.State, told
	if err := replay(t, k).Differences.Err(); err != nil {
		t.Errorf("its own timeline: %v", err)
	}
	k.Timeline = bytes.Replace(told, []byte(`"kind":"role.assigned"`), []byte(`"kind":"role.left"`), 1)
	if bytes.Equal(k.Timeline, told) {
		t.Fatal("nothing is changed")
	}
	const want = `the record has "role.left", this program "role.assigned"`
	if err := replay(t, k).Differences.Err(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "timeline $[") {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAChangedRecordIsToldFromWhatThisProgramDoes(t *testing.T) {
	answered := func(h *historypb.History, n int) *updatepb.Outcome {
		return nth(t, h, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, n).GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome()
	}
	for name, tc := range map[string]struct {
		file   string
		change func(runs []*historypb.History)
		want   []string // in what is told
	}{
		"a timer of another length": {"upgrade-happy", func(runs []*historypb.History) {
			nth(t, runs[0], enumspb.EVENT_TYPE_TIMER_STARTED, 1).GetTimerStartedEventAttributes().StartToFireTimeout = durationpb.New(time.Hour)
		}, []string{"timer length", "the record has 1h0m0s, this program 4"}},
		"an activity of another type": {"upgrade-happy", func(runs []*historypb.History) {
			nth(t, runs[0], enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 3).GetActivityTaskScheduledEventAttributes().ActivityType.Name = "Forget"
		}, []string{"decision: the record has activity Forget, this program activity Deliver"}},
		"an activity that was given something else": {"incident-happy", func(runs []*historypb.History) {
			swap(t, nth(t, runs[0], enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 2).GetActivityTaskScheduledEventAttributes().GetInput(), `"revision":1`, `"revision":7`)
		}, []string{"run 1, event 8: activity input SyncTicket $.revision: the record has 7, this program 1"}},
		"a local activity with another result": {"incident-happy", func(runs []*historypb.History) {
			for _, e := range runs[0].GetEvents() {
				details := e.GetMarkerRecordedEventAttributes().GetDetails()
				if p := details["result"].GetPayloads(); len(p) == 1 && bytes.Contains(p[0].GetData(), []byte(`"subject"`)) {
					p[0].Data = bytes.Replace(p[0].Data, []byte(`"subject":"`), []byte(`"subject":"Re: `), 1)
					return
				}
			}
			t.Fatal("no local activity has written a message")
		}, []string{"activity input Deliver $.message.subject", `this program "Re: `}},
		"another answer to an Update": {"usage", func(runs []*historypb.History) {
			swap(t, answered(runs[0], 1).GetSuccess(), `"taken":true`, `"taken":false`)
		}, []string{"run 1, event 10: update answer Claim REQ-1/left $.taken: the record has false, this program true"}},
		"a refusal where there was an answer": {"usage", func(runs []*historypb.History) {
			answered(runs[0], 1).Value = &updatepb.Outcome_Failure{Failure: &failurepb.Failure{Message: "none left"}}
		}, []string{`update answer Claim REQ-1/left $.message: the record has "none left", this program nothing`}},
		"another vote than was cast": {"upgrade-happy", func(runs []*historypb.History) {
			nth(t, runs[0], enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 1).GetWorkflowExecutionUpdateAcceptedEventAttributes().AcceptedRequest.Input.Name = "Note"
		}, []string{"decision"}},
		"lists that were told otherwise": {"incident-happy", func(runs []*historypb.History) {
			e := nth(t, runs[0], enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, 1)
			e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields()["MusterStatus"].Data = []byte(`"closed"`)
		}, []string{`search attributes $.MusterStatus: the record has "closed", this program "acknowledged"`}},
		"lists from which nothing was taken away": {"incident-happy", func(runs []*historypb.History) {
			for _, e := range runs[0].GetEvents() {
				for name, p := range e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields() {
					if len(p.GetData()) == 0 {
						delete(e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().IndexedFields, name)
						return
					}
				}
			}
			t.Fatal("nothing is taken away")
		}, []string{"number of fields taken away: the record has 0, this program 1"}},
		"another child": {"incident-reopened", func(runs []*historypb.History) {
			nth(t, runs[0], enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, 1).GetStartChildWorkflowExecutionInitiatedEventAttributes().WorkflowId = "review/INC-1"
		}, []string{"child workflow Review $.id: the record has review/INC-1, this program review/INC-"}},
		"a child that was given something else": {"incident-reopened", func(runs []*historypb.History) {
			swap(t, nth(t, runs[0], enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, 1).GetStartChildWorkflowExecutionInitiatedEventAttributes().GetInput(), `"title":"`, `"title":"No `)
		}, []string{"child workflow input Review $.body.", `the record has "No `}},
		"a child that lists know otherwise": {"incident-reopened", func(runs []*historypb.History) {
			e := nth(t, runs[0], enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, 1).GetStartChildWorkflowExecutionInitiatedEventAttributes()
			e.GetSearchAttributes().GetIndexedFields()["MusterService"].Data = []byte(`"mill"`)
		}, []string{`search attributes Review $.MusterService: the record has "mill", this program "till"`}},
		"a signal that said something else": {"incident-merged", func(runs []*historypb.History) {
			swap(t, nth(t, runs[0], enumspb.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, 1).GetSignalExternalWorkflowExecutionInitiatedEventAttributes().GetInput(), "incident/", "accident/")
		}, []string{"signal Merge to incident/reported/", "$.body.from.workflow_id", `the record has "accident/`}},
		"another state that is handed on": {"incident-continued", func(runs []*historypb.History) {
			last := runs[0].GetEvents()[len(runs[0].GetEvents())-1]
			swap(t, last.GetWorkflowExecutionContinuedAsNewEventAttributes().GetInput(), `"status":"triggered"`, `"status":"acknowledged"`)
		}, []string{
			`state handed on $.body.state.status: the record has "acknowledged", this program "triggered"`,
			`run 2, event 1: input against what was handed on $.body.state.status: the record has "triggered", this program "acknowledged"`,
		}},
		"another state that is taken over": {"incident-continued", func(runs []*historypb.History) {
			swap(t, runs[1].GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput(), `"status":"triggered"`, `"status":"acknowledged"`)
		}, []string{`run 2, event 1: input against what was handed on $.body.state.status: the record has "acknowledged", this program "triggered"`}},
		"another result": {"certificates", func(runs []*historypb.History) {
			last := runs[0].GetEvents()[len(runs[0].GetEvents())-1]
			swap(t, last.GetWorkflowExecutionCompletedEventAttributes().GetResult(), `"undelivered":0`, `"undelivered":3`)
		}, []string{"result $.undelivered: the record has 3, this program 0"}},
		"an event that was dropped": {"upgrade-happy", func(runs []*historypb.History) {
			runs[0].Events = slices.Delete(runs[0].Events, 20, 21)
		}, []string{"run 1, event 22: event number: the record has 22, this program 21"}},
		"an event that was dropped, and the others renumbered": {"incident-happy", func(runs []*historypb.History) {
			e := nth(t, runs[0], enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 2)
			runs[0].Events = slices.Delete(runs[0].Events, int(e.GetEventId())-1, int(e.GetEventId()))
			for n, e := range runs[0].GetEvents() {
				e.EventId = int64(n + 1)
			}
		}, []string{"run 1: decision: "}},
		"the end of a run cut off": {"incident-happy", func(runs []*historypb.History) {
			runs[0].Events = runs[0].Events[:len(runs[0].Events)-1]
		}, []string{": decision: the record has event WorkflowTaskCompleted, this program the end of the run"}},
		"a workflow of another type": {"usage", func(runs []*historypb.History) {
			runs[0].Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowType.Name = "Handover"
		}, []string{"run 1, event 9: decision: the record has WorkflowExecutionUpdateAccepted"}},
		"a workflow that this program does not have": {"usage", func(runs []*historypb.History) {
			runs[0].Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowType.Name = "Ledger"
		}, []string{"run 1, event 1: workflow type: the record has Ledger, this program nothing"}},
		"a run on another environment": {"upgrade-happy", func(runs []*historypb.History) {
			runs[0].Events[0].GetWorkflowExecutionStartedEventAttributes().WorkflowId = "upgrade/globex/staging"
		}, []string{"decision"}},
	} {
		t.Run(name, func(t *testing.T) {
			runs := open(t, of(tc.file))
			tc.change(runs)
			err := replay(t, audit.Kept{Runs: runs}).Differences.Err()
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
		})
	}
}

// The first runs of a long chain may be past their retention.
func TestAChainMayBeReplayedFromALaterRunOn(t *testing.T) {
	all := replay(t, audit.Kept{Runs: open(t, of("incident-continued"))[1:]})
	if err := all.Differences.Err(); err != nil || all.Runs != 1 || all.ID == "" || len(all.Timeline) < 20 {
		t.Errorf("got %v, %d runs of %q, %d entries", err, all.Runs, all.ID, len(all.Timeline))
	}
}

func TestRunsOfTwoChainsAreAnError(t *testing.T) {
	_, err := audit.Replay([]*historypb.History{open(t, of("incident-happy"))[0], open(t, of("incident-reopened"))[0]})
	if err == nil || !strings.Contains(err.Error(), "replay history 2: run ") {
		t.Errorf("got %v, want that the second does not continue the first", err)
	}
}

// What was cut off between two tasks replays like a run that goes on, but nothing goes on from there.
func TestARunThatIsContinuedHasItsEnd(t *testing.T) {
	runs := open(t, of("incident-continued"))
	first := nth(t, runs[0], enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, 2)
	runs[0].Events = runs[0].GetEvents()[:first.GetEventId()]
	if _, err := audit.Replay(runs); err == nil || !strings.Contains(err.Error(), "continues one whose end is not in its") {
		t.Errorf("got %v, want that the end is missing", err)
	}
	if err := replay(t, audit.Kept{Runs: runs[:1]}).Differences.Err(); err != nil {
		t.Errorf("by itself: %v", err)
	}
}

// One difference at the beginning brings many after it: so many are listed, and all are counted.
// What somebody hands in may lack anything. It is no crash; and what a run depends on does not go missing unseen.
func TestEventsWithoutTheirContentAreDifferences(t *testing.T) {
	for n := range open(t, of("incident-happy"))[0].GetEvents() {
		runs := open(t, of("incident-happy"))
		e := runs[0].GetEvents()[n]
		e.Attributes = nil
		all, err := audit.Replay(runs)
		if err != nil {
			t.Fatal(err)
		}
		nothing := []enumspb.EventType{ // depends on their content
			enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, // it has no result
		}
		if all.Differences.Err() == nil && !slices.Contains(nothing, e.GetEventType()) {
			t.Errorf("event %d, %s, without its content: no difference", n+1, e.GetEventType())
		}
	}
}

func TestDifferencesAreBounded(t *testing.T) {
	runs := open(t, of("upgrade-happy"))
	changed := 0
	for _, e := range runs[0].GetEvents() {
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			a.GetInput().GetPayloads()[0].Data = []byte(`{"` + strings.Repeat("롤백", 200) + `":1}`)
			changed++
		}
	}
	d := replay(t, audit.Kept{Runs: runs}).Differences
	if len(d.Listed) != 20 || d.More+20 != d.Kinds[audit.ActivityIn] || d.Kinds[audit.ActivityIn] <= changed {
		t.Errorf("got %d listed, %d more, %v; want 20 and all of them counted", len(d.Listed), d.More, d.Kinds)
	}
	if err := d.Err(); !strings.HasSuffix(err.Error(), fmt.Sprintf("\nand %d more", d.More)) {
		t.Errorf("got %v", err)
	}
}

// Whatever leaf of what was asked for or answered is changed, the difference names its event.
func TestAnyChangedLeafIsFound(t *testing.T) {
	files, err := filepath.Glob(of("*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("histories: %v, %v", files, err)
	}
	texts := map[string][]byte{}
	for _, file := range files {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(files).Draw(t, "file")
		runs, err := audit.Decode(bytes.NewReader(texts[file]))
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, len(runs)-1).Draw(t, "run")
		var edits []edit
		for _, e := range runs[n].GetEvents() {
			edits = append(edits, editsOf(e)...)
		}
		if len(edits) == 0 {
			t.Skip("it has asked for nothing")
		}
		x := edits[rapid.IntRange(0, len(edits)-1).Draw(t, "edit")]
		if !x.make(t) {
			t.Skip("it has no leaf")
		}
		all, err := audit.Replay(runs)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(all.Differences.Listed, func(d audit.Difference) bool { return d.Run == n+1 && d.Event == x.event }) {
			t.Fatalf("%s, run %d, event %d: it was changed, and got %v", file, n+1, x.event, all.Differences.Err())
		}
	})
}

// An edit changes what an event says.
type edit struct {
	event int64
	make  func(*rapid.T) bool
}

// editsOf are the edits that a replay must find.
func editsOf(e *historypb.HistoryEvent) (all []edit) {
	if timer := e.GetTimerStartedEventAttributes(); timer != nil {
		all = append(all, edit{e.GetEventId(), func(t *rapid.T) bool {
			by := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "longer"))
			timer.StartToFireTimeout = durationpb.New(timer.GetStartToFireTimeout().AsDuration() + by)
			return true
		}})
	}
	for _, given := range []*commonpb.Payloads{
		e.GetActivityTaskScheduledEventAttributes().GetInput(),
		e.GetWorkflowExecutionUpdateCompletedEventAttributes().GetOutcome().GetSuccess(),
		e.GetSignalExternalWorkflowExecutionInitiatedEventAttributes().GetInput(),
		e.GetStartChildWorkflowExecutionInitiatedEventAttributes().GetInput(),
		e.GetWorkflowExecutionContinuedAsNewEventAttributes().GetInput(),
	} {
		for _, p := range given.GetPayloads() {
			all = append(all, edit{e.GetEventId(), func(t *rapid.T) bool { return changeLeaf(t, p) }})
		}
	}
	for name, p := range e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes().GetIndexedFields() {
		if name != "TemporalChangeVersion" && len(p.GetData()) > 0 { // which says what the marker of the change says
			all = append(all, edit{e.GetEventId(), func(t *rapid.T) bool { return changeLeaf(t, p) }})
		}
	}
	return all
}

// changeLeaf changes one value in the JSON of a payload. It tells whether there is one.
func changeLeaf(t *rapid.T, p *commonpb.Payload) bool {
	d := json.NewDecoder(bytes.NewReader(p.GetData()))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	var leaves []func()
	collect(v, func(to any) { v = to }, &leaves)
	if len(leaves) == 0 {
		return false
	}
	leaves[rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf")]()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	p.Data = text
	return true
}

func collect(v any, set func(any), into *[]func()) {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			collect(x[k], func(to any) { x[k] = to }, into)
		}
	case []any:
		for n := range x {
			collect(x[n], func(to any) { x[n] = to }, into)
		}
	case json.Number:
		*into = append(*into, func() { set(json.Number("1" + strings.TrimPrefix(x.String(), "-"))) })
	case string:
		*into = append(*into, func() { set(x + "x") })
	case bool:
		*into = append(*into, func() { set(!x) })
	default:
		*into = append(*into, func() { set(false) })
	}
}
