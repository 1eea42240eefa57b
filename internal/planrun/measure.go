package planrun

import (
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// Measured takes in what a check has shown.
func (r *Run) Measured(number int, task string, v Verdict, seen string, now time.Time) {
	t, def, ok := r.Task(task)
	if !ok || t.Work != number || t.Status != Begun {
		return
	}
	t.Work = 0
	m := &t.Measures
	m.Last, m.LastAt, m.LastSeen = v, now, seen
	k := def.Check
	once := def.Kind == plan.Checking // it is not repeated, so nothing follows in a row
	if t.NextAt = now.Add(k.Every); once {
		t.NextAt = time.Time{}
	}
	record := func() {
		r.Timeline.Repeat(now, timeline.Measured, timeline.Muster(), timeline.F("task", task), timeline.F("verdict", string(v)), timeline.F("seen", seen))
	}
	switch v {
	case Pass:
		m.Passed++
		m.InARow, m.Blind = 0, 0
		r.Timeline.Repeat(now, timeline.Measured, timeline.Muster(), timeline.F("task", task), timeline.F("verdict", string(v)))
		if once {
			r.finish(t, def, timeline.Muster(), seen, now)
		}
	case Miss:
		m.Failed++
		m.InARow, m.Blind = m.InARow+1, 0
		record()
		if once || m.InARow >= max(1, k.Failures) {
			r.react(t, def, k.OnFail, seen, now)
		}
	case Inconclusive:
		m.Unclear++
		m.Blind++
		record()
		if once || m.Blind >= max(1, k.Inconclusive) {
			r.react(t, def, k.OnUnclear, seen, now)
		}
	}
}

// react does what the plan says of a check that did not pass.
func (r *Run) react(t *Task, def plan.Task, to plan.Reaction, seen string, now time.Time) {
	switch to {
	case plan.AskPerson:
		r.put(t, Unclear, timeline.Muster(), seen, now)
		t.NextAt = time.Time{}
		r.tell(TaskUnclear, t.ID, r.with(append(def.Doers(), def.Accountable)...))
	case plan.FailTask:
		r.fail(t, def, timeline.Muster(), seen, now)
	case plan.RollBackAll:
		r.fail(t, def, timeline.Muster(), seen, now)
		r.rollBack(def.Environment, timeline.Muster(), t.ID+": "+seen, now)
	case plan.GoOn:
		if def.Kind == plan.Checking {
			r.finish(t, def, timeline.Muster(), seen, now)
		}
	}
}

// A Document is a report that was written.
type Document struct {
	Name   string              `json:"name"`
	SHA256 string              `json:"sha256"`
	For    authority.PartyKind `json:"for,omitempty"` // empty: the provider's own edition
}

// Written takes in what became of a report. With a detail it could not be written, and a person says how it goes on.
func (r *Run) Written(number int, task string, files []Document, detail string, now time.Time) {
	t, def, ok := r.Task(task)
	if !ok || t.Work != number || t.Status != Begun {
		return
	}
	t.Work = 0
	if detail != "" {
		r.put(t, Unclear, timeline.Muster(), detail, now)
		r.tell(TaskUnclear, t.ID, r.with(append(def.Doers(), def.Accountable)...))
		return
	}
	var names []string
	for _, f := range files {
		t.Evidence = append(t.Evidence, Given{Item: def.Writes, Ref: f.Name, SHA256: f.SHA256, For: f.For, By: timeline.Muster(), At: now})
		if f.For == "" {
			names = append(names, f.Name)
		}
	}
	r.record(now, timeline.DocumentWritten, timeline.Muster(), timeline.F("task", task), timeline.F("report", def.Writes),
		timeline.F("paths", strings.Join(names, ", ")))
	r.finish(t, def, timeline.Muster(), "", now)
}
