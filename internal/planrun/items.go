package planrun

import (
	"slices"
	"strings"
	"time"

	"muster/internal/plan"
	"muster/internal/timeline"
)

// maxItems is how many action items one run takes.
const maxItems = 50

// An ActionItem is an action item that came of a run. It lives on by itself when the run is over.
type ActionItem struct {
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	By     timeline.Actor `json:"by"`
	At     time.Time      `json:"at"`
	Status string         `json:"status,omitempty"` // where it stands, as whoever shows the run has found it: the run itself does not know
}

// AddAction records an action item that was opened. That whoever has opened it may, was asked before.
type AddAction struct {
	Capacity
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Check refuses an action item that stands there already.
func (c AddAction) Check(r *Run, _ timeline.Actor) error {
	const action = "add an action item to"
	switch {
	case r.Over():
		return r.stands(action)
	case c.ID == "" || len(c.ID) > 100:
		return r.refuse(action, "id: missing, or longer than 100 bytes")
	case len(r.Actions) >= maxItems:
		return r.refuse(action, "it has %d", maxItems)
	case slices.ContainsFunc(r.Actions, func(i ActionItem) bool { return i.ID == c.ID }):
		return r.refuse(action, "%s: it stands there already", c.ID)
	}
	return r.wantText(action, "title", c.Title, true)
}

// Apply records it.
func (c AddAction) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.Actions = append(r.Actions, ActionItem{ID: c.ID, Title: c.Title, By: by, At: now})
	r.record(now, timeline.ActionAdded, by, timeline.F("action", c.ID), timeline.F("title", c.Title))
	return nil
}

// wantItems refuses to end a task whose outcome is action items before there is one, or a word why there is none. Of a run of which they
// see a part, others are told nothing of that.
func (r *Run) wantItems(action string, t *Task, def plan.Task, note string) error {
	if !def.ActionItems || len(r.Actions) > 0 || r.Partial || strings.TrimSpace(note) != "" {
		return nil
	}
	return r.refuseTask(action, t.ID, "no action item has come of it yet; want one (muster action open … --of %s), or a note that says why there is none", r.ID)
}
