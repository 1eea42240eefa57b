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
	// Skew is how far the clocks of two servers may differ that hear one job: within it, what arrives later was said later.
	Skew = time.Minute
	// What still fires is told again after another interval, but neither sooner nor later than so: somebody may have closed its incident.
	AgainLeast = time.Hour
	AgainMost  = 24 * time.Hour
)

// Test begins what is said in the name of a job to see whom its alerts reach. It is no sign of life.
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
	Again      time.Time  `json:"again,omitzero"`    // when what fires is told again; zero: nothing does, or it is not computed yet
	Said       time.Time  `json:"said,omitzero"`     // when it was told last
	Alerted    time.Time  `json:"alerted,omitzero"`  // since when its newest alert fires, or fired
	Spans      []Span     `json:"spans,omitempty"`   // which are to be computed before it is known what is due: the earliest end counts
	Spared     time.Time  `json:"spared,omitzero"`   // since when it has its grace anew after an outage; zero: it has beaten since, or there was none
	Detail     string     `json:"detail,omitempty"`  // why its calendar does not count
	Trouble    *Telling   `json:"trouble,omitempty"` // that fires
	Trial      *Telling   `json:"trial,omitempty"`   // that fires to see whom it reaches
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
	// Spares says that nothing is due before its end that began before it: it is the grace that an outage has given anew.
	Spares bool `json:"spares,omitempty"`
}

// Open begins to listen for a heartbeat.
func Open(d Definition, now time.Time) *Heartbeat {
	h := &Heartbeat{Definition: d, Since: now, Status: New}
	h.expect()
	return h
}

// expect says from what the next beat is counted. A job that was not heard of, or has failed, is waited for and not missed again, but
// what fires is told again.
func (h *Heartbeat) expect() {
	d := &h.Definition
	h.Due, h.Again, h.Spans = time.Time{}, time.Time{}, nil
	switch h.Status {
	case New:
		if d.FirstWithin > 0 {
			h.count(h.Since, d.FirstWithin)
		}
	case Beating:
		h.count(h.Last, d.Every+d.Grace)
	case Missed, Failing:
		h.count(h.Said, min(max(d.Every, AgainLeast), AgainMost))
		return
	case Retired, Unknown:
		return
	}
	if !h.Started.IsZero() && d.Lasts > 0 {
		h.count(h.Started, d.Lasts)
	}
	if !h.Spared.IsZero() && len(h.Spans) > 0 {
		h.Spans = append(h.Spans, Span{From: h.Spared, For: d.Grace, Spares: true})
	}
}

func (h *Heartbeat) count(from time.Time, lasts time.Duration) {
	h.Spans = append(h.Spans, Span{From: from, For: lasts})
}

// Computed takes in when the spans end. The detail says why the calendar does not count.
func (h *Heartbeat) Computed(ends []time.Time, detail string) {
	next := &h.Due
	if h.Trouble != nil {
		next = &h.Again
	}
	spared := slices.IndexFunc(h.Spans, func(s Span) bool { return s.Spares })
	for n, end := range ends {
		if n == spared {
			continue
		}
		if spared >= 0 && h.Spans[n].From.Before(h.Spared) && end.Before(ends[spared]) {
			end = ends[spared]
		}
		if next.IsZero() || end.Before(*next) {
			*next = end
		}
	}
	h.Spans, h.Detail = nil, detail
}

// Next is when it has to be looked at again, unless something comes before; zero: never.
func (h *Heartbeat) Next() time.Time {
	if h.Trouble != nil {
		return h.Again
	}
	return h.Due
}

// Define takes a definition that is not older than its own. One that says something else counts for the beat that is waited for, too.
func (h *Heartbeat) Define(d Definition, now time.Time) {
	if d.Folder.Changed.Before(h.Definition.Folder.Changed) {
		return
	}
	same := h.Definition.Same(d)
	h.Definition = d
	if h.Status == Retired { // and is back before it has ended
		*h = Heartbeat{Definition: d, Since: now, Status: New, Heard: h.Heard, Alerted: h.Alerted, Untold: h.Untold}
		same = false
	}
	if !same {
		h.expect()
	}
}

// Resume says that from an instant on beats are heard again after an outage of Muster itself. What would be missed before the grace is over
// from then gets it anew, once until the next beat: an intake that comes and goes hides no job for ever.
func (h *Heartbeat) Resume(at time.Time) {
	if h.Due.IsZero() || !h.Spared.IsZero() || !h.Due.Before(at.Add(h.Definition.Grace)) {
		return
	}
	h.Spared = at
	h.expect()
}

// Hear takes in a sign of life. Several servers may hear a job, each by its own clock: of signs that are near each other the one that
// arrives later is the later one. An older one says nothing new: it was on its way for longer, or somebody repeats it.
func (h *Heartbeat) Hear(b Beat, now time.Time) {
	if b.At.After(now) { // by a clock that is ahead
		b.At = now
	}
	if h.Status == Retired || b.At.Before(h.Heard.Add(-Skew)) {
		return
	}
	if strings.HasPrefix(b.Text, Test) {
		h.try(b)
		return
	}
	if !b.At.After(h.Heard) {
		b.At = h.Heard.Add(time.Millisecond)
	}
	h.Heard = b.At
	switch b.Kind {
	case Started:
		h.Started = b.At
	case Failed:
		h.Started, h.Status = time.Time{}, Failing
		h.fire(b.At, now, h.failed(b.At), b.Text)
	default:
		h.Last, h.Started, h.Spared, h.Status = b.At, time.Time{}, time.Time{}, Beating
		h.resolve(b.At)
	}
	h.expect()
}

// try begins or ends a test: an alert of its own, whatever else fires. One at a time, so that no more than that waits to be told.
func (h *Heartbeat) try(b Beat) {
	switch {
	case b.Kind == Failed && h.Trial == nil && !slices.ContainsFunc(h.Untold, Telling.trial):
		summary := alert.TrialMark + alert.TrialWords + ": " + h.Definition.Name
		h.Trial = &Telling{h.Definition.Source, h.Definition.Alert(b.At, summary, b.Text)}
		h.Untold = append(h.Untold, *h.Trial)
	case b.Kind == Done:
		h.endTrial(b.At)
	}
}

func (h *Heartbeat) endTrial(at time.Time) {
	if h.Trial != nil {
		h.Untold = append(h.Untold, h.Trial.over(at))
	}
	h.Trial = nil
}

// Advance notices what is missed by now, or still fires and is to be told again.
func (h *Heartbeat) Advance(now time.Time) {
	switch next := h.Next(); {
	case next.IsZero() || now.Before(next):
	case h.Trouble != nil:
		if len(h.Untold) == 0 { // else its incident has yet to hear of it
			h.Untold = append(h.Untold, *h.Trouble)
		}
		h.Said = now
		h.expect()
	case now.Sub(h.Due) > Late && h.Spared.IsZero():
		h.Resume(now)
	default:
		h.fire(h.Due, now, h.missed(), "")
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
	h.endTrial(now)
	h.expect()
}

// Over tells whether nothing is to be done any more.
func (h *Heartbeat) Over() bool { return h.Status == Retired && len(h.Untold) == 0 }

// fire begins an alert, unless one fires. It begins later than the one before, for else it would be taken for that one.
func (h *Heartbeat) fire(at, now time.Time, summary, text string) {
	if h.Trouble != nil {
		return
	}
	if !at.After(h.Alerted) {
		at = h.Alerted.Add(time.Millisecond)
	}
	h.Alerted, h.Said = at, now
	h.Trouble = &Telling{h.Definition.Source, h.Definition.Alert(at, summary, text)}
	h.Untold = append(h.Untold, *h.Trouble)
}

// resolve ends the alert that fires.
func (h *Heartbeat) resolve(at time.Time) {
	if h.Trouble == nil {
		return
	}
	h.Untold = append(h.Untold, h.Trouble.over(at))
	h.Trouble = nil
	const most = 4
	trials, all := []Telling{}, []Telling{}
	for _, t := range h.Untold {
		if t.trial() {
			trials = append(trials, t)
		} else {
			all = append(all, t)
		}
	}
	if len(all) <= most {
		return
	}
	// The incident of the first may be told of it just now, and what has come and gone since is no news.
	kept := []Telling{all[0]}
	if all[0].Alert.State == alert.Firing {
		kept = append(kept, all[len(all)-1])
	}
	if h.Untold[0].trial() {
		h.Untold = append(trials, kept...)
	} else {
		h.Untold = append(kept, trials...)
	}
}

// trial tells whether it is of a test.
func (t Telling) trial() bool { return alert.Trial(t.Alert.Summary()) }

// over is that an alert has ended.
func (t Telling) over(at time.Time) Telling {
	t.Alert.State, t.Alert.EndsAt = alert.Resolved, at.UTC()
	if at.Before(t.Alert.StartsAt) { // the beat was on its way when it was missed
		t.Alert.EndsAt = t.Alert.StartsAt
	}
	return t
}

// Told takes in that the incident knows the first of what it did not.
func (h *Heartbeat) Told() { h.Untold = h.Untold[1:] }
