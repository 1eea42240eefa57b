package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// A tally is what one run leaves behind.
type tally struct {
	events  int
	bytes   int            // of the history as protobuf
	actions int            // as Temporal Cloud bills them; queries leave no event and are not among them
	kinds   map[string]int // events by kind …
	weights map[string]int // … and their bytes
}

func (t *tally) add(u tally) {
	t.events, t.bytes, t.actions = t.events+u.events, t.bytes+u.bytes, t.actions+u.actions
	if t.kinds == nil {
		t.kinds, t.weights = map[string]int{}, map[string]int{}
	}
	for kind, n := range u.kinds {
		t.kinds[kind] += n
		t.weights[kind] += u.weights[kind]
	}
}

// tallyOf counts a history. Actions are counted from it by the public rules: a start with its first signal, each further
// signal, accepted update, timer, activity attempt and upsert are one each, all markers of a workflow task are one together, a child is two (counted in its parent).
func tallyOf(h *historypb.History) tally {
	t := tally{events: len(h.GetEvents()), bytes: h.Size(), kinds: map[string]int{}, weights: map[string]int{}}
	markers := map[int64]bool{}
	child := false
	for _, e := range h.GetEvents() {
		t.kinds[e.GetEventType().String()]++
		t.weights[e.GetEventType().String()] += e.Size()
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			child = e.GetWorkflowExecutionStartedEventAttributes().GetParentWorkflowExecution() != nil
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
			enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
			enumspb.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
			t.actions++
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED: // one event for all attempts
			t.actions += int(e.GetActivityTaskStartedEventAttributes().GetAttempt())
		case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			t.actions += 2
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			markers[e.GetMarkerRecordedEventAttributes().GetWorkflowTaskCompletedEventId()] = true
		default:
		}
	}
	t.actions += len(markers)
	if !child && t.kinds[enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED.String()] == 0 {
		t.actions++ // a start without a signal
	}
	return t
}

// steps counts the events without those of workflow tasks.
func (t tally) steps() int {
	return t.events - t.kinds[enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED.String()] -
		t.kinds[enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED.String()] - t.kinds[enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED.String()]
}

// shown lists the kinds of events, the most frequent first.
func (t tally) shown() string {
	kinds := slices.Sorted(maps.Keys(t.kinds))
	slices.SortStableFunc(kinds, func(a, b string) int { return t.kinds[b] - t.kinds[a] })
	var all []string
	for _, k := range kinds {
		all = append(all, fmt.Sprintf("%d %s (%d B)", t.kinds[k], k, t.weights[k]))
	}
	return strings.Join(all, ", ")
}

// finished tells whether a history has come to its end.
func finished(h *historypb.History) bool {
	n := len(h.GetEvents())
	return n > 0 && h.GetEvents()[n-1].GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
}
