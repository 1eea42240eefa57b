package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/internal/bundle"
	"muster/internal/encryption"
	"muster/internal/timeline"
	"muster/workflows"
)

// Replayed is what the runs of one chain come to under the code of this program.
type Replayed struct {
	Workflow    string           `json:"workflow"`       // its id
	Type        string           `json:"type"`           // such as Incident
	ID          string           `json:"id,omitempty"`   // that people see, of the state
	Zone        string           `json:"zone,omitempty"` // in which its people read times
	Runs        int              `json:"runs"`
	Events      int              `json:"events"`
	Differences Differences      `json:"differences"`
	Compared    bool             `json:"state_compared"`     // with one that was kept
	Timeline    []timeline.Entry `json:"timeline,omitempty"` // of all runs
	State       json.RawMessage  `json:"state,omitempty"`    // at the end of the last run, derived anew
}

// A Kept is what somebody has kept of the runs of one chain.
type Kept struct {
	Runs  []*historypb.History // the oldest first
	State json.RawMessage      // at the end of the last one; nil where it was not kept

	Timeline json.RawMessage // of all runs; nil where it was not kept
	Keys     json.RawMessage // public ones, by which their signatures are checked; nil where they were not kept
}

// Open reads what a file holds: a bundle, which the keys decrypt where it is encrypted, or the histories that muster incident history
// writes, which keep no state.
func Open(file string, keys encryption.Keys) (Kept, error) {
	content, err := bundle.Load(file, bundle.MaxSize)
	if err != nil {
		return Kept{}, fmt.Errorf("open record: %w", err)
	}
	if start := bytes.TrimLeft(content, " \t\r\n"); len(start) > 0 && start[0] != '[' && start[0] != '{' {
		b, err := bundle.Read(file, content)
		if err == nil {
			b, err = b.Decrypted(file, keys)
		}
		if err != nil {
			return Kept{}, err
		}
		return KeptIn(file, b)
	}
	runs, err := Decode(bytes.NewReader(content))
	if err != nil {
		return Kept{}, fmt.Errorf("%s: %w", file, err)
	}
	return Kept{Runs: runs}, nil
}

// KeptIn is what a bundle holds, which is not encrypted.
func KeptIn(file string, b *bundle.Bundle) (Kept, error) {
	runs, err := Decode(bytes.NewReader(b.Parts[bundle.HistoriesPart]))
	if err != nil {
		return Kept{}, fmt.Errorf("%s: %s: %w", file, bundle.HistoriesPart, err)
	}
	return Kept{Runs: runs, State: b.Parts[bundle.StatePart], Timeline: b.Parts[bundle.TimelinePart], Keys: b.Parts[bundle.KeysPart]}, nil
}

// Replay replays the runs, and compares their end with the state and the timeline that were kept, if they were.
func (k Kept) Replay() (*Replayed, error) {
	all, err := Replay(k.Runs)
	if err != nil {
		return nil, err
	}
	if k.State != nil {
		all.compareState(k.State)
	}
	if k.Timeline != nil && all.Compared {
		derived, err := json.Marshal(all.Timeline)
		if err != nil {
			return nil, fmt.Errorf("write timeline: %w", err)
		}
		all.Differences.texts(Difference{Run: all.Runs, Kind: Timeline}, k.Timeline, derived)
	}
	return all, nil
}

// Replay runs the histories of one chain, or of its later runs, the oldest first, through the workflows of this program, and compares
// what this program asks for with what the record says it asked for. Temporal's own replayer compares the kinds of commands, their
// ids and the names of types. Beyond that, this one compares
//
//   - the length of every timer,
//   - the input of every activity, and what other workflows are told,
//   - the id and the input of every child workflow, what lists know of it, and whether it outlives its parent,
//   - the answer to every Update, and the refusal,
//   - what lists are told (search attributes, memo),
//   - the state that a run hands to the next one, with what the next one was given, and the result or failure of a run,
//   - that the events of a run are all there, and that its runs follow each other.
//
// The state of the end is derived anew; where somebody has kept it, Kept.Replay compares.
//
// What it takes from the record, it cannot judge: the input of a start, Signals and Updates (Actors checks their signatures),
// the results of activities and local activities, the versions of changes, and the instants of events. A change of these
// shows where something that is compared depends on it: a timer, a later input, an answer, the state. One on which nothing
// depends, such as the instant at which an activity was begun, the inputs of local activities, which Temporal does not record,
// or how an activity was to be retried, shows in no replay: the hash of a bundle and the log that holds it tell. The checks of
// Updates before they were taken are not made again: those that were refused there have left no trace. And a record that was cut off
// between two tasks looks like that of a run that goes on: only a list of what was closed tells.
//
// An error says that the histories are none of one chain. The histories must not be in use elsewhere meanwhile.
func Replay(runs []*historypb.History) (*Replayed, error) {
	all := &Replayed{}
	for n, h := range runs {
		start := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		if n > 0 { // a chain may have been kept from a later run on
			if err := follows(runs[:n], start); err != nil {
				return nil, fmt.Errorf("replay history %d: %w", n+1, err)
			}
			if before := runs[n-1].GetEvents(); handedOn(runs[n-1]) == nil {
				return nil, fmt.Errorf("replay history %d: run %s continues one whose end is not in its %d events",
					n+1, start.GetOriginalExecutionRunId(), len(before))
			}
		}
		all.Workflow, all.Type = start.GetWorkflowId(), start.GetWorkflowType().GetName()
		all.Runs, all.Events = all.Runs+1, all.Events+len(h.GetEvents())
	}
	w := &witness{found: &all.Differences}
	r, err := newReplayer(w)
	if err != nil {
		return nil, err
	}
	for n, h := range runs {
		w.run = n + 1
		if n > 0 {
			w.compareHandOver(runs[n-1], h)
		}
		w.replay(r, h)
		all.take(w.state)
	}
	return all, nil
}

func newReplayer(w *witness) (worker.WorkflowReplayer, error) {
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors: []interceptor.WorkerInterceptor{w}, DataConverter: &w.encoder, EnableLoggingInReplay: true,
	})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	for _, known := range workflows.All() {
		r.RegisterWorkflowWithOptions(known.Function, workflow.RegisterOptions{Name: known.Name})
	}
	return r, nil
}

// take adds what a run has come to: its state is the newest, and its timeline goes on from where the one before was cut.
func (all *Replayed) take(state json.RawMessage) {
	var known struct {
		ID         string                `json:"id"`
		Timeline   timeline.Log          `json:"timeline"`
		Zone       string                `json:"zone"`
		Definition struct{ Zone string } `json:"definition"` // of an incident
		Facts      struct{ Zone string } `json:"facts"`      // of a review
	}
	all.State = state
	if json.Unmarshal(state, &known) != nil { // a workflow that keeps none
		return
	}
	all.ID, all.Zone = known.ID, cmp.Or(known.Zone, known.Definition.Zone, known.Facts.Zone)
	all.Timeline = append(all.Timeline[:min(known.Timeline.Dropped, len(all.Timeline))], known.Timeline.Entries...)
}

// compareState compares the state at the end of the last run. What no replay has reached is no other state.
func (all *Replayed) compareState(kept json.RawMessage) {
	if all.Compared = all.State != nil; all.Compared {
		all.Differences.texts(Difference{Run: all.Runs, Kind: State}, kept, all.State)
	}
}

// replay runs one history, and says in what it differs.
func (w *witness) replay(r worker.WorkflowReplayer, h *historypb.History) {
	began := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	w.record, w.state, w.query = newRecord(h), nil, nil
	if name := began.GetWorkflowType().GetName(); !slices.ContainsFunc(workflows.All(), func(k workflows.Registered) bool { return k.Name == name }) {
		w.found.add(Difference{Run: w.run, Event: 1, Kind: WorkflowType, Recorded: name})
		return
	}
	if !w.complete(h) {
		return
	}
	// The SDK writes what a run tells lists into the attributes that it was started with.
	attributes, memo := maps.Clone(began.GetSearchAttributes().GetIndexedFields()), maps.Clone(began.GetMemo().GetFields())
	// A run of a plan goes by the id that it has: under any other it would not begin.
	was := worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: began.GetWorkflowId(), RunID: began.GetOriginalExecutionRunId()}}
	err := w.replayed(r, h, was)
	if began.SearchAttributes != nil {
		began.SearchAttributes.IndexedFields = attributes
	}
	if began.Memo != nil {
		began.Memo.Fields = memo
	}
	if err != nil {
		w.diverged(err)
		return
	}
	if w.state == nil && w.query != nil { // it goes on
		w.state = w.query()
	}
	w.unseen()
}

// replayed is the SDK's replay. It trusts a history to be one that Temporal has written, and panics at what is missing in another:
// a file that somebody hands in may be anything.
func (w *witness) replayed(r worker.WorkflowReplayer, h *historypb.History, o worker.ReplayWorkflowHistoryOptions) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("nothing: an event lacks what Temporal writes into it, so the run cannot be replayed")
		}
	}()
	return r.ReplayWorkflowHistoryWithOptions(&w.listener, h, o)
}

// complete tells whether the events of a run are all there: Temporal numbers them 1, 2, 3 …
func (w *witness) complete(h *historypb.History) bool {
	for n, e := range h.GetEvents() {
		if want := int64(n + 1); e.GetEventId() != want {
			w.found.add(Difference{Run: w.run, Event: e.GetEventId(), Kind: EventNumber, Recorded: fmt.Sprint(e.GetEventId()), Replayed: fmt.Sprint(want)})
			return false
		}
	}
	return true
}

// diverged says what Temporal's replayer has found, which ends there.
func (w *witness) diverged(err error) {
	w.state = nil
	d := Difference{Run: w.run, Kind: Decision, Replayed: err.Error()}
	if _, told, ok := strings.Cut(err.Error(), "nondeterministic workflow: "); ok {
		was, is, both := strings.Cut(told, ", replay command is ")
		extra, more := strings.CutPrefix(told, "extra replay command for ")
		switch {
		case both:
			d.Recorded, d.Replayed = strings.TrimPrefix(was, "history event is "), is
		case more:
			d.Replayed = extra
		default:
			d.Recorded, d.Replayed = strings.TrimPrefix(told, "missing replay command for "), ""
		}
		if _, id, ok := strings.Cut(d.Recorded, "(EventId:"); ok {
			id, _, _ = strings.Cut(id, ",")
			d.Event, _ = strconv.ParseInt(id, 10, 64)
		}
	}
	w.found.add(d)
}

// compareHandOver compares what a run was given with what the one before has handed on, as both are in the record.
func (w *witness) compareHandOver(before, h *historypb.History) {
	was := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput()
	w.found.payloads(Difference{Run: w.run, Event: 1, Kind: TakenOver}, was, handedOn(before).GetInput())
}

// handedOn is the end of a run that another continues, nil where it has no such end.
func handedOn(h *historypb.History) *historypb.WorkflowExecutionContinuedAsNewEventAttributes {
	return h.GetEvents()[len(h.GetEvents())-1].GetWorkflowExecutionContinuedAsNewEventAttributes()
}

// A record holds the events of one run that this program must answer to, by how they are found again. What has been answered to
// is taken out.
type record struct {
	timers, activities map[string]*historypb.HistoryEvent // by the ids that the SDK has given them
	updates            map[string]*historypb.HistoryEvent // by the ids of the Updates
	// In the order in which they were asked for.
	signals, children, upserts, memos []*historypb.HistoryEvent
	last                              *historypb.HistoryEvent
}

func newRecord(h *historypb.History) record {
	r := record{
		timers: map[string]*historypb.HistoryEvent{}, activities: map[string]*historypb.HistoryEvent{}, updates: map[string]*historypb.HistoryEvent{},
		last: h.GetEvents()[len(h.GetEvents())-1],
	}
	for _, e := range h.GetEvents() {
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_TIMER_STARTED:
			r.timers[e.GetTimerStartedEventAttributes().GetTimerId()] = e
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			r.activities[e.GetActivityTaskScheduledEventAttributes().GetActivityId()] = e
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
			r.updates[e.GetWorkflowExecutionUpdateCompletedEventAttributes().GetMeta().GetUpdateId()] = e
		case enumspb.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
			r.signals = append(r.signals, e)
		case enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
			r.children = append(r.children, e)
		case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
			if !ofVersion(e.GetUpsertWorkflowSearchAttributesEventAttributes().GetSearchAttributes()) {
				r.upserts = append(r.upserts, e)
			}
		case enumspb.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
			r.memos = append(r.memos, e)
		default: // answers to nothing that is asked for
		}
	}
	return r
}

// take takes the event out that has this id.
func take(of map[string]*historypb.HistoryEvent, id string) *historypb.HistoryEvent {
	e := of[id]
	delete(of, id)
	return e
}

// next takes the first event out, for what Temporal keeps in the order in which it is asked for.
func next(of *[]*historypb.HistoryEvent) *historypb.HistoryEvent {
	if len(*of) == 0 {
		return nil
	}
	e := (*of)[0]
	*of = (*of)[1:]
	return e
}

// ofVersion tells whether the SDK has told lists of a change id, which no workflow asks for.
func ofVersion(told *commonpb.SearchAttributes) bool {
	_, is := told.GetIndexedFields()["TemporalChangeVersion"]
	return is
}

// unseen says which events nothing of this program has answered to, although the replayer is content: then this comparison is
// not complete, and must not pass for one.
func (w *witness) unseen() {
	r := w.record
	all := slices.Concat(slices.Collect(maps.Values(r.timers)), slices.Collect(maps.Values(r.activities)), slices.Collect(maps.Values(r.updates)),
		r.signals, r.children, r.upserts, r.memos)
	slices.SortFunc(all, func(a, b *historypb.HistoryEvent) int { return cmp.Compare(a.GetEventId(), b.GetEventId()) })
	for _, e := range all {
		w.found.add(Difference{Run: w.run, Event: e.GetEventId(), Kind: Unanswered, Recorded: eventName(e)})
	}
}

// eventName is the kind of an event, as Temporal's own pages show it.
func eventName(e *historypb.HistoryEvent) string { return e.GetEventType().String() }
