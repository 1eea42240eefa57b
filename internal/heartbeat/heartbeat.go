// Package heartbeat says when a job that ought to be heard of has not been: a dead man's switch. It reads no clock and asks nobody.
package heartbeat

import (
	"slices"
	"strings"
	"time"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/incident"
)

// Bounds of a heartbeat.
const (
	Least   = time.Minute // between two beats that are expected
	MaxText = 4 << 10     // of what a beat says
	// Late is how long after its time a missed beat may be noticed. What is noticed later was noticed by nobody: Muster itself was out, and
	// beats may have been lost with it.
	Late = time.Minute
)

// Test begins what a job says of a failure that is none.
const Test = "[TEST]"

// The labels of its alerts by which a heartbeat is told from others.
const (
	NameLabel = "alertname"
	IDLabel   = "heartbeat"
)

// A Definition is what the organisation folder says of a heartbeat.
type Definition struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Source      string          `json:"source"`                 // ID of the alert source in whose name its alerts come
	Every       time.Duration   `json:"every"`                  // at least so often it beats …
	Grace       time.Duration   `json:"grace"`                  // … and may be late by so much
	FirstWithin time.Duration   `json:"first_within,omitempty"` // after its definition; 0: nothing is expected before its first beat
	Lasts       time.Duration   `json:"lasts,omitempty"`        // the longest that the job may take from its start to its beat; 0: it says no start
	Calendar    *calendar.Rules `json:"calendar,omitempty"`     // all times run in its hours alone; nil: around the clock
	Labels      alert.Labels    `json:"labels,omitempty"`       // sorted by name
	Language    string          `json:"language"`               // of what its alerts say
	Folder      incident.Folder `json:"folder"`                 // in which it stands so
}

// Same tells whether two definitions say the same, whatever folder they are from.
func (d Definition) Same(e Definition) bool {
	calendars := d.Calendar == nil && e.Calendar == nil || d.Calendar != nil && e.Calendar != nil && d.Calendar.Equal(*e.Calendar)
	return calendars && slices.Equal(d.Labels, e.Labels) && d.ID == e.ID && d.Name == e.Name && d.Source == e.Source && d.Every == e.Every &&
		d.Grace == e.Grace && d.FirstWithin == e.FirstWithin && d.Lasts == e.Lasts && d.Language == e.Language
}

// A Kind is what a job says.
type Kind string

// What a job says. These strings are in URLs and in histories: add, never rename.
const (
	Done    Kind = "beat"
	Started Kind = "start"
	Failed  Kind = "fail"
)

// A Beat is a sign of life.
type Beat struct {
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at"`             // when Muster has received it
	Text string    `json:"text,omitempty"` // what the job says of it
}

// A Status is how it stands.
type Status string

// The statuses. These strings are in histories and on the wire: add, never rename.
const (
	New     Status = "new"     // it has not beaten yet
	Beating Status = "beating" // as it should
	Missed  Status = "missed"  // it is not heard of
	Failing Status = "failed"  // the job has said that it failed
	Retired Status = "retired" // the organisation folder has it no more
	Unknown Status = "unknown" // whoever listens for it does not answer; no heartbeat says so of itself
)

// Statuses lists them.
func Statuses() []Status { return []Status{New, Beating, Missed, Failing, Retired, Unknown} }

// A Heartbeat is one that is listened for.
type Heartbeat struct {
	Definition Definition `json:"definition"`
	Since      time.Time  `json:"since"` // when it was first defined
	Status     Status     `json:"status"`
	Last       time.Time  `json:"last,omitzero"`     // its newest beat
	Started    time.Time  `json:"started,omitzero"`  // when the job began that has not beaten since
	Heard      time.Time  `json:"heard,omitzero"`    // the newest sign of any kind: none from before counts any more
	Due        time.Time  `json:"due,omitzero"`      // the next beat at the latest; zero: none is expected, or it is not computed yet
	Spans      []Span     `json:"spans,omitempty"`   // which are to be computed before it is known what is due: the earliest end counts
	Renewed    bool       `json:"renewed,omitempty"` // it got its grace anew after an outage, and has not beaten since
	Detail     string     `json:"detail,omitempty"`  // why its calendar does not count
	Trouble    *Telling   `json:"trouble,omitempty"` // that fires
	Untold     []Telling  `json:"untold,omitempty"`  // what its incident does not know yet, in order
}

// A Telling is an alert, and the source in whose name it comes: that of the definition when it began.
type Telling struct {
	Source string      `json:"source"`
	Alert  alert.Alert `json:"alert"`
}

// A Span is a time in the hours of the calendar.
type Span struct {
	From time.Time     `json:"from"`
	For  time.Duration `json:"for"`
}

// Open begins to listen for a heartbeat.
func Open(d Definition, now time.Time) *Heartbeat {
	h := &Heartbeat{Definition: d, Since: now, Status: New}
	h.expect()
	return h
}

// expect says from what the next beat is counted. A job that was not heard of, or has failed, is waited for and not missed again.
func (h *Heartbeat) expect() {
	d := &h.Definition
	h.Due, h.Spans = time.Time{}, nil
	switch h.Status {
	case New:
		if d.FirstWithin > 0 {
			h.Spans = append(h.Spans, Span{h.Since, d.FirstWithin})
		}
	case Beating:
		h.Spans = append(h.Spans, Span{h.Last, d.Every + d.Grace})
	case Missed, Failing, Retired, Unknown:
		return
	}
	if !h.Started.IsZero() && d.Lasts > 0 {
		h.Spans = append(h.Spans, Span{h.Started, d.Lasts})
	}
}

// Computed takes in when the spans end. The detail says why the calendar does not count.
func (h *Heartbeat) Computed(ends []time.Time, detail string) {
	for _, end := range ends {
		if h.Due.IsZero() || end.Before(h.Due) {
			h.Due = end
		}
	}
	h.Spans, h.Detail = nil, detail
}

// Define takes a definition that is not older than its own. One that says something else counts for the beat that is waited for, too.
func (h *Heartbeat) Define(d Definition, now time.Time) {
	if d.Folder.Changed.Before(h.Definition.Folder.Changed) {
		return
	}
	same := h.Definition.Same(d)
	h.Definition = d
	if h.Status == Retired { // and is back before it has ended
		*h = Heartbeat{Definition: d, Since: now, Status: New, Heard: h.Heard, Untold: h.Untold}
		same = false
	}
	if !same {
		h.expect()
	}
}

// Resume says that from an instant on beats are heard again after an outage of Muster itself. What would be missed before the grace is over
// from then gets it anew, once until the next beat: an intake that comes and goes hides no job for ever.
func (h *Heartbeat) Resume(at time.Time) {
	if h.Due.IsZero() || h.Renewed || !h.Due.Before(at.Add(h.Definition.Grace)) {
		return
	}
	h.Renewed, h.Due, h.Spans = true, time.Time{}, []Span{{at, h.Definition.Grace}}
}

// Hear takes in a sign of life. An older one than the newest says nothing new: it was on its way for longer, or somebody repeats it.
func (h *Heartbeat) Hear(b Beat, now time.Time) {
	if b.At.After(now) { // by a clock that is ahead
		b.At = now
	}
	if h.Status == Retired || !b.At.After(h.Heard) {
		return
	}
	h.Heard = b.At
	switch b.Kind {
	case Started:
		h.Started = b.At
	case Failed:
		h.Started, h.Status = time.Time{}, Failing
		summary := h.failed(b.At)
		if strings.HasPrefix(b.Text, Test) {
			summary = Test + " " + summary
		}
		h.fire(b.At, summary, b.Text)
	default:
		h.Last, h.Started, h.Renewed, h.Status = b.At, time.Time{}, false, Beating
		h.resolve(b.At)
	}
	h.expect()
}

// Advance notices what is missed by now.
func (h *Heartbeat) Advance(now time.Time) {
	switch {
	case h.Due.IsZero() || now.Before(h.Due):
	case now.Sub(h.Due) > Late && !h.Renewed:
		h.Resume(now)
	default:
		h.fire(h.Due, h.missed(), "")
		h.Status = Missed
		h.expect()
	}
}

// Retire ends it: the folder has it no more. Only a folder that is not older than its definition can say so.
func (h *Heartbeat) Retire(f incident.Folder, now time.Time) {
	if f.Changed.Before(h.Definition.Folder.Changed) {
		return
	}
	h.Status = Retired
	h.resolve(now)
	h.expect()
}

// Over tells whether nothing is to be done any more.
func (h *Heartbeat) Over() bool { return h.Status == Retired && len(h.Untold) == 0 }

// fire begins an alert, unless one fires.
func (h *Heartbeat) fire(at time.Time, summary, text string) {
	if h.Trouble != nil {
		return
	}
	h.Trouble = &Telling{h.Definition.Source, h.Definition.Alert(at, summary, text)}
	h.Untold = append(h.Untold, *h.Trouble)
}

// resolve ends the alert that fires.
func (h *Heartbeat) resolve(at time.Time) {
	if h.Trouble == nil {
		return
	}
	over := *h.Trouble
	over.Alert.State, over.Alert.EndsAt = alert.Resolved, at
	if at.Before(over.Alert.StartsAt) { // the beat was on its way when it was missed
		over.Alert.EndsAt = over.Alert.StartsAt
	}
	h.Trouble = nil
	h.Untold = append(h.Untold, over)
	const most = 4
	if len(h.Untold) <= most {
		return
	}
	if first := h.Untold[0]; first.Alert.State == alert.Resolved { // its incident may be told of it just now, and what has come and gone since is no news
		h.Untold = h.Untold[:1]
	} else {
		h.Untold = slices.Delete(h.Untold, 1, len(h.Untold)-1)
	}
}

// Told takes in that the incident knows the first of what it did not.
func (h *Heartbeat) Told() { h.Untold = h.Untold[1:] }
