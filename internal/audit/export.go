package audit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"muster/internal/bundle"
	"muster/internal/signature"
	"muster/internal/timeline"
	"muster/workflows"
)

// An Exporter makes bundles of runs. Its fields must be set.
type Exporter struct {
	Source Source
	// Earlier returns the bundle of an earlier run that the source does not have any more, nil when there is none.
	Earlier func(ctx context.Context, run string) (*bundle.Bundle, error)
	// Keys are the public keys of the installation, as DecodeKeys reads them.
	Keys func() []byte
	// Reports writes what people read of the last state of a run, which has told all this until an instant: files by their names.
	Reports func(kind string, state json.RawMessage, told []timeline.Entry, at time.Time) (map[string][]byte, error)
	// Document reads a report that a run has written, by the name under which it was put on the shelf.
	Document func(ctx context.Context, name string) ([]byte, error)
	// Remark is told what is not as it should be with a run that is kept all the same.
	Remark func(run string, err error)
}

// Bundle puts everything of a run into one bundle, with all earlier runs of its chain: of one that still runs, as it stands now. What this
// program does otherwise than the record says, and what else is not as it should be, is no reason not to keep it.
func (x *Exporter) Bundle(ctx context.Context, workflowID, runID string) (*bundle.Bundle, error) {
	b, err := x.bundle(ctx, workflowID, runID)
	if err != nil {
		return nil, fmt.Errorf("export run %s of %s: %w", runID, workflowID, err)
	}
	return b, nil
}

func (x *Exporter) bundle(ctx context.Context, workflowID, runID string) (*bundle.Bundle, error) {
	runs, err := x.chain(ctx, workflowID, runID)
	if err != nil {
		return nil, err
	}
	var histories bytes.Buffer
	if err := Encode(&histories, runs); err != nil {
		return nil, err
	}
	facts, keyIDs := chainFacts(runs)
	derived, err := Replay(runs)
	if err != nil {
		return nil, err
	}
	if err := derived.Differences.Err(); err != nil {
		x.Remark(runID, err)
	}
	state := cmp.Or(string(derived.State), "null")
	found := lookInto(json.RawMessage(state))
	found.facts(&facts)
	b := &bundle.Bundle{Facts: facts, Parts: map[string][]byte{bundle.HistoriesPart: histories.Bytes()}}
	parts := map[string]any{
		bundle.StatePart: json.RawMessage(state), bundle.TimelinePart: derived.Timeline, bundle.EvidencePart: found.evidence,
		bundle.KeysPart: usedKeys(x.Keys(), keyIDs),
	}
	for name, definition := range found.definitions {
		parts[bundle.DefinitionsFolder+name+".json"] = definition
	}
	for name, v := range parts {
		if b.Parts[name], err = bundle.Canonical(v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	documents, err := x.documents(ctx, facts.ID, runs)
	if err != nil {
		x.Remark(runID, err)
	}
	for name, content := range documents {
		b.Parts[bundle.ReportsFolder+name] = content
	}
	if state != "null" { // else it was refused at its start, or does not replay
		reports, err := x.Reports(facts.Kind, derived.State, derived.Timeline, lastOf(runs).GetEventTime().AsTime())
		if err != nil {
			x.Remark(runID, err)
		}
		for name, text := range reports {
			b.Parts[bundle.ReportsFolder+name] = text
		}
	}
	return b, nil
}

// chain reads a run and those that it continues, the oldest first. Those before one that is nowhere any more are left out.
func (x *Exporter) chain(ctx context.Context, workflowID, runID string) (runs []*historypb.History, err error) {
	for id := runID; id != ""; {
		h, err := x.Source.History(ctx, workflowID, id)
		if errors.Is(err, ErrGone) {
			before, err := x.earlier(ctx, id)
			if errors.Is(err, ErrGone) && len(runs) > 0 {
				x.Remark(runID, err)
				return runs, nil
			}
			return append(before, runs...), err
		}
		if err != nil {
			return nil, err
		}
		runs = append([]*historypb.History{h}, runs...)
		id = h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
	}
	return runs, nil
}

// earlier returns the histories of a chain up to a run that only a bundle has.
func (x *Exporter) earlier(ctx context.Context, runID string) ([]*historypb.History, error) {
	b, err := x.Earlier(ctx, runID)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, fmt.Errorf("run %s: %w, and in no bundle", runID, ErrGone)
	}
	runs, err := Decode(bytes.NewReader(b.Parts[bundle.HistoriesPart]))
	if n := slices.Index(b.Runs, runID); err == nil && n >= 0 && n < len(runs) {
		return runs[:n+1], nil
	}
	return runs, err
}

// chainFacts are what the histories themselves say, and the ids of the keys that have signed what is in them.
func chainFacts(runs []*historypb.History) (f bundle.Facts, keyIDs map[string]bool) {
	keyIDs = map[string]bool{}
	for _, h := range runs {
		start := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		f.Workflow, f.Kind = start.GetWorkflowId(), start.GetWorkflowType().GetName()
		f.Runs = append(f.Runs, start.GetOriginalExecutionRunId())
		for _, e := range h.GetEvents() {
			if t := e.GetWorkflowTaskCompletedEventAttributes(); t != nil {
				//lint:ignore SA1019 of a worker that is not versioned a history names the program here alone
				if id := t.GetWorkerVersion().GetBuildId(); id != "" {
					f.Code = append(f.Code, id)
				}
			}
			if m := e.GetMarkerRecordedEventAttributes(); m != nil && m.GetMarkerName() == "Version" {
				var id string
				if converter.GetDefaultDataConverter().FromPayloads(m.GetDetails()["change-id"], &id) == nil {
					f.Changes = append(f.Changes, id)
				}
			}
			if input := sent(e, start, &signature.Statement{}); len(input.GetPayloads()) == 1 {
				var m signature.Signed[json.RawMessage]
				if json.Unmarshal(input.GetPayloads()[0].GetData(), &m) == nil && m.Seal != nil {
					keyIDs[m.Seal.Key] = true
				}
			}
		}
	}
	first := runs[0].GetEvents()[0]
	f.FirstRun, f.Started = f.Runs[0], first.GetEventTime().AsTime()
	f.ID, f.Outcome = f.Workflow, "running"
	if end := lastOf(runs); closes(end) {
		f.Closed = end.GetEventTime().AsTime()
		f.Outcome = strings.ToLower(strings.TrimPrefix(end.GetEventType().String(), "WorkflowExecution"))
	}
	return f, keyIDs
}

func lastOf(runs []*historypb.History) *historypb.HistoryEvent {
	events := runs[len(runs)-1].GetEvents()
	return events[len(events)-1]
}

// closes tells whether an event is the last one of a run.
func closes(e *historypb.HistoryEvent) bool {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return true
	default:
		return false
	}
}

// usedKeys are those of a list that have signed something.
func usedKeys(list []byte, ids map[string]bool) any {
	var all struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(list, &all); err != nil {
		return map[string]any{"keys": []any{}}
	}
	used := []map[string]any{}
	for _, k := range all.Keys {
		if id, _ := k["id"].(string); ids[id] {
			key := map[string]any{"id": id, "public": k["public"]}
			if revoked := k["revoked"]; revoked != nil {
				key["revoked"] = revoked
			}
			used = append(used, key)
		}
	}
	return map[string]any{"keys": used}
}

// An insight is what a state tells of itself. States of all kinds write alike what they have in common.
type insight struct {
	state struct {
		ID           string `json:"id"`
		Status       string `json:"status"`
		Priority     int    `json:"priority"`
		Customer     any    `json:"customer"`
		Service      any    `json:"service"`
		Definition   about  `json:"definition"`
		Environments []struct {
			Services any `json:"services"`
		} `json:"environments"`
		Origin struct { // of an action item
			Customer any `json:"customer"`
		} `json:"origin"`
		Facts struct { // of a review
			Incident string `json:"incident"`
			Priority int    `json:"priority"`
			Record   about  `json:"record"`
		} `json:"facts"`
	}
	people      []string
	evidence    []evidence
	definitions map[string]json.RawMessage
}

// about is whom and what something is about, as ids or as objects with ids.
type about struct {
	Customers any `json:"customers"`
	Service   any `json:"service"`
	ServiceID any `json:"service_id"`
}

// Evidence is something outside that a state refers to, and by which hash it is known again.
type evidence struct {
	At     string `json:"at"` // where in the state
	SHA256 string `json:"sha256"`
	Ref    string `json:"ref,omitempty"`
}

// The fields of states that hold what a run has pinned.
func pinned() []string {
	return []string{"definition", "plan", "books", "calendars", "rules", "entitlement"}
}

func lookInto(state json.RawMessage) insight {
	found := insight{definitions: map[string]json.RawMessage{}, evidence: []evidence{}}
	_ = json.Unmarshal(state, &found.state) // what is written otherwise is left out
	var all any
	if json.Unmarshal(state, &all) == nil {
		found.walk("$", all)
	}
	slices.SortFunc(found.evidence, func(a, b evidence) int { return strings.Compare(a.At, b.At) })
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(state, &fields)
	for _, name := range pinned() {
		if v := fields[name]; len(v) > 0 {
			found.definitions[name] = v
		}
	}
	return found
}

func (i *insight) walk(at string, v any) {
	switch v := v.(type) {
	case []any:
		for n, x := range v {
			i.walk(at+"["+strconv.Itoa(n)+"]", x)
		}
	case map[string]any:
		i.object(at, v)
		for k, x := range v {
			i.walk(at+"."+k, x)
		}
	}
}

func (i *insight) object(at string, v map[string]any) {
	text := func(key string) string { s, _ := v[key].(string); return s }
	if text("kind") == "person" && text("id") != "" {
		i.people = append(i.people, text("id"))
	}
	const digest = 64
	if sha := text("sha256"); len(sha) == digest {
		i.evidence = append(i.evidence, evidence{at, sha, cmp.Or(text("ref"), text("url"), text("file"), text("name"), text("path"))})
	}
}

// idsOf are the ids in a field: one, that of an object, or those of a list.
func idsOf(v any) (ids []string) {
	switch v := v.(type) {
	case string:
		if v != "" {
			ids = append(ids, v)
		}
	case map[string]any:
		ids = idsOf(v["id"])
	case []any:
		for _, x := range v {
			ids = append(ids, idsOf(x)...)
		}
	}
	return ids
}

// facts completes what the histories say.
func (i insight) facts(f *bundle.Facts) {
	f.ID = cmp.Or(i.state.ID, i.state.Facts.Incident, f.ID)
	if i.state.Status != "" {
		f.Outcome = i.state.Status
	}
	if p := cmp.Or(i.state.Priority, i.state.Facts.Priority); p > 0 {
		f.Priority = "P" + strconv.Itoa(p)
	}
	f.People = i.people
	of := i.state
	f.Customers = slices.Concat(idsOf(of.Customer), idsOf(of.Origin.Customer), idsOf(of.Definition.Customers), idsOf(of.Facts.Record.Customers))
	if c := workflows.CustomerIn(f.Workflow); len(f.Customers) == 0 && c != "" {
		f.Customers = []string{c}
	}
	f.Services = slices.Concat(idsOf(of.Service), idsOf(of.Definition.Service), idsOf(of.Facts.Record.ServiceID))
	for _, e := range of.Environments {
		f.Services = append(f.Services, idsOf(e.Services)...)
	}
}
