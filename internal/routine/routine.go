// Package routine decides about work that comes back, such as preventive checks, visits and reviews: when a run of its plan begins, what
// people have moved or left out, what was missed, and who hears of it. It reads no clock and no calendar, and reaches nobody.
package routine

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// Priority is that of the messages on routines.
const Priority = priority.P4

// Bounds of the state.
const (
	MostAhead   = 6  // occurrences that are known before their time
	MostAtOnce  = 50 // occurrences that are seen at one look, those of an outage with them
	mostKept    = 24 // that are over
	mostRunning = 20 // whose runs go on: what would begin beside them is missed
	maxTimeline = 128 << 10
	MaxText     = 2_000 // bytes that a person writes at once
)

// When it is looked again what has become of a run, and attempted again to begin one: after a part of the time that is left, and within
// these bounds.
const (
	lookPart   = 4
	lookOften  = time.Second
	lookSeldom = 30 * time.Minute
)

// Status is how a routine stands.
type Status string

// The statuses. These strings are in histories and on the wire: add, never rename.
const (
	Waiting Status = "waiting" // for its next time
	Running Status = "running" // a run of its plan goes on
	Overdue Status = "overdue" // one was missed, and what was missed is not done yet
	Retired Status = "retired" // the organisation folder has it no more
)

// Statuses lists them.
func Statuses() []Status { return []Status{Waiting, Running, Overdue, Retired} }

// A Definition is what the organisation folder says of a routine.
type Definition struct {
	ID           string              `json:"id"`
	Asset        string              `json:"asset,omitempty"` // ID of the one of which it is a deadline
	Name         string              `json:"name"`
	Customer     string              `json:"customer"` // ID
	CustomerName string              `json:"customer_name"`
	Plan         string              `json:"plan"` // ID
	Tell         []escalation.Target `json:"tell"` // who hears of what was missed
	Organisation string              `json:"organisation"`
	Zone         string              `json:"zone"`            // IANA name, for the instants in messages
	Visit        bool                `json:"visit,omitempty"` // somebody comes to the customer for it
}

// A Slot is a time for which a routine is planned: its run begins at its beginning, and has to be over by the time that it is due.
type Slot struct {
	Begins time.Time `json:"begins"`
	Due    time.Time `json:"due"`
}

// Fate is what has become of an occurrence.
type Fate string

// The fates. These strings are in histories and on the wire: add, never rename.
const (
	Planned  Fate = "planned"
	Starting Fate = "starting" // its run is being started
	Started  Fate = "started"  // its run goes on
	Done     Fate = "done"     // its run was completed
	Missed   Fate = "missed"   // it was over without that
	Skipped  Fate = "skipped"  // somebody has left it out
)

// Fates lists them.
func Fates() []Fate { return []Fate{Planned, Starting, Started, Done, Missed, Skipped} }

// An Occurrence is a routine at one of its times. It goes by the instant for which the folder has planned it.
type Occurrence struct {
	Planned time.Time      `json:"planned"`
	Begins  time.Time      `json:"begins"` // Planned, unless somebody has moved it
	Due     time.Time      `json:"due"`
	Fate    Fate           `json:"fate"`
	Late    bool           `json:"late,omitempty"`   // it was not over when it was due
	Run     string         `json:"run,omitempty"`    // of its plan
	Ended   time.Time      `json:"ended,omitzero"`   // the run, or the occurrence that had none
	By      timeline.Actor `json:"by,omitzero"`      // who has moved it or left it out
	Reason  string         `json:"reason,omitempty"` // of theirs
	Detail  string         `json:"detail,omitempty"` // why it could not begin, or how its run has ended
	Visits  string         `json:"visits,omitempty"` // ID of the customer to whom somebody comes for it; empty: it is no visit

	Next  time.Time `json:"next,omitzero"` // when it is looked again what has become of it
	Under bool      `json:"under,omitempty"`
}

// A Routine is the state of one.
type Routine struct {
	Definition

	Status  Status       `json:"status"`
	Opened  time.Time    `json:"opened"`
	After   time.Time    `json:"after"`             // all planned until then was seen to
	Look    time.Time    `json:"look,omitzero"`     // when the folder is asked again
	Ahead   []Occurrence `json:"ahead,omitempty"`   // whose time is still to come, in their order
	Running []Occurrence `json:"running,omitempty"` // in the order in which they have begun
	Past    []Occurrence `json:"past,omitempty"`    // the newest ones, in the order in which they were over
	// Uncounted are visits that were done and that the ledger of the customer does not have yet. They stand in Past too.
	Uncounted []Occurrence `json:"uncounted,omitempty"`
	Sends     int          `json:"sends"`

	Timeline timeline.Log `json:"timeline"`

	looking bool
	fresh   []Work
}

// Open begins to keep a routine. What was planned before it was opened is nothing that was missed.
func Open(id string, now time.Time) *Routine {
	return &Routine{
		Definition: Definition{ID: id, Name: id, Tell: []escalation.Target{}}, Status: Waiting, Opened: now, After: now, Look: now,
		Timeline: timeline.Log{Entries: []timeline.Entry{}},
	}
}

// Do is what is to be done outside.
type Do string

// What is to be done.
const (
	Look  Do = "look"  // ask the folder what is planned
	Start Do = "start" // start the run of an occurrence
	Check Do = "check" // ask what has become of its run
	Count Do = "count" // count it among the customer's visits
	Tell  Do = "tell"  // write a message
)

// A Work is one thing to be done outside.
type Work struct {
	Do         Do
	Occurrence Occurrence
	Telling    Telling
}

// About is what a message says.
type About string

// What messages say. These strings are in histories: add, never rename.
const (
	WasMissed   About = "missed"    // it is due, and its run is not over
	WasNotBegun About = "not-begun" // its time is over, and no run could be started
	IsBlocked   About = "blocked"   // its run cannot be started, and it is tried again
	CaughtUp    About = "caught-up" // Muster was out: some were missed at once
	EndedBadly  About = "ended"     // its run was cancelled
	OneTooMany  About = "too-many"  // it was one visit more than the customer has bought
)

// Abouts lists what messages say.
func Abouts() []About {
	return []About{WasMissed, WasNotBegun, IsBlocked, CaughtUp, EndedBadly, OneTooMany}
}

// A Telling is a message about a routine.
type Telling struct {
	Number     int        `json:"number"`
	About      About      `json:"about"`
	Definition Definition `json:"definition"`
	Occurrence Occurrence `json:"occurrence"`
	Count      int        `json:"count,omitempty"` // of those that were missed at once
	Last       time.Time  `json:"last,omitzero"`   // for which the last of them was planned
	Visit      Visit      `json:"visit,omitzero"`  // of OneTooMany
}

// Seen is what the folder says of a routine now.
type Seen struct {
	Folder     incident.Folder `json:"folder"`
	Gone       bool            `json:"gone,omitempty"` // it has it no more
	Definition Definition      `json:"definition"`
	// Slots are all after the ones that were seen to, until now and MostAhead beyond: MostAtOnce at most. What has one time only has it
	// here before that too, for as long as it is not due: whoever writes down a deadline may be late.
	Slots []Slot `json:"slots,omitempty"`
	More  int    `json:"more,omitempty"` // which lie between those seen to and the slots: too many for one look
}

// Advance brings the routine to now, and returns what has to be done since it was last asked.
func (r *Routine) Advance(now time.Time) []Work {
	if !r.looking && r.Status != Retired && !now.Before(r.Look) {
		r.looking = true
		r.fresh = append(r.fresh, Work{Do: Look})
	}
	if !r.looking { // else the folder may just say that it is not planned any more
		r.begin(now)
	}
	for n := range r.Running {
		o := &r.Running[n]
		if o.Under || now.Before(o.Next) {
			continue
		}
		o.Under = true
		do := Check
		if o.Fate == Starting {
			do = Start
		}
		r.fresh = append(r.fresh, Work{Do: do, Occurrence: *o})
	}
	r.count(now)
	r.stand()
	fresh := r.fresh
	r.fresh = nil
	return fresh
}

// begin sees to the occurrences whose time has come.
func (r *Routine) begin(now time.Time) {
	var missed []Occurrence
	for len(r.Ahead) > 0 && !now.Before(r.Ahead[0].Begins) {
		o := r.Ahead[0]
		r.Ahead = r.Ahead[1:]
		if o.Planned.After(r.After) {
			r.After = o.Planned
		}
		switch {
		case o.Fate == Skipped:
			r.over(o, Skipped, now)
		case !now.Before(o.Due): // nobody was there to begin it
			o.Late = true
			missed = append(missed, o)
			r.record(now, timeline.RoutineMissed, timeline.Muster(), at("planned", o.Planned), at("due", o.Due), timeline.F("why", string(CaughtUp)))
			r.over(o, Missed, now)
		case len(r.Running) >= mostRunning: // nobody works on them, so one more would be no use
			o.Late, o.Detail = true, fmt.Sprintf("%d runs of it are not over", len(r.Running))
			r.record(now, timeline.RoutineMissed, timeline.Muster(), at("planned", o.Planned), at("due", o.Due), timeline.F("why", string(WasNotBegun)),
				timeline.F("detail", o.Detail))
			r.tell(Telling{About: WasNotBegun, Occurrence: o})
			r.over(o, Missed, now)
		default:
			o.Fate, o.Next = Starting, now
			r.Running = append(r.Running, o)
		}
		r.Look = now // for what comes after it
	}
	if len(missed) > 0 {
		r.tell(Telling{About: CaughtUp, Occurrence: missed[0], Count: len(missed), Last: missed[len(missed)-1].Planned})
	}
}

// over puts an occurrence to those that are.
func (r *Routine) over(o Occurrence, f Fate, now time.Time) {
	o.Fate, o.Next, o.Under = f, time.Time{}, false
	if o.Ended.IsZero() {
		o.Ended = now
	}
	r.Past = append(r.Past, o)
	if n := len(r.Past) - mostKept; n > 0 {
		r.Past = slices.Delete(r.Past, 0, n)
	}
}

// stand says how it stands.
func (r *Routine) stand() {
	switch late := func(o Occurrence) bool { return o.Late }; {
	case r.Status == Retired:
	case slices.ContainsFunc(r.Running, late) || len(r.Past) > 0 && r.Past[len(r.Past)-1].Fate == Missed:
		r.Status = Overdue
	case len(r.Running) > 0:
		r.Status = Running
	default:
		r.Status = Waiting
	}
}

// Seen takes in what the folder says now, and when it is to be asked again at the latest. What people have moved or left out stays so
// while the folder still plans it.
func (r *Routine) Seen(s Seen, again, now time.Time) {
	r.looking, r.Look = false, again
	if s.Gone {
		r.Status, r.Ahead = Retired, nil
		r.record(now, timeline.RoutineRetired, timeline.Muster())
		return
	}
	r.Definition = s.Definition
	if s.More > 0 {
		r.record(now, timeline.RoutineUnseen, timeline.Muster(), timeline.F("count", fmt.Sprint(s.More)))
	}
	before := r.Ahead
	r.Ahead = nil
	for _, slot := range s.Slots {
		if !slot.Begins.After(r.After) && r.seenTo(slot.Begins) {
			continue
		}
		o := Occurrence{Planned: slot.Begins, Begins: slot.Begins, Due: slot.Due, Fate: Planned}
		if n := slices.IndexFunc(before, func(o Occurrence) bool { return o.Planned.Equal(slot.Begins) }); n >= 0 && before[n].By.ID != "" {
			o = before[n]
		}
		if o.Visits = ""; s.Definition.Visit {
			o.Visits = s.Definition.Customer
		}
		r.Ahead = append(r.Ahead, o)
	}
}

// seenTo tells whether a time that is not after the newest one has been seen to: of a deadline only one that stands there, for another day
// may have come into the folder that begins before.
func (r *Routine) seenTo(planned time.Time) bool {
	all := slices.Concat(r.Running, r.Past)
	if r.Asset == "" {
		return len(all) > 0
	}
	return slices.ContainsFunc(all, func(o Occurrence) bool { return o.Planned.Equal(planned) })
}

// Unseen takes in that the folder could not be asked: it is asked again.
func (r *Routine) Unseen(again time.Time) { r.looking, r.Look = false, again }

// Started takes in the run of an occurrence, or why it could not be started: then it is tried until it is due.
func (r *Routine) Started(planned time.Time, run, detail string, now time.Time) {
	o := r.running(planned)
	if o == nil {
		return
	}
	o.Under = false
	switch {
	case run != "":
		o.Run, o.Fate, o.Detail, o.Next = run, Started, "", soon(now, o.Due)
		r.record(now, timeline.RoutineBegun, timeline.Muster(), at("planned", o.Planned), at("due", o.Due), timeline.F("run", run))
	case !now.Before(o.Due):
		o.Late, o.Detail = true, detail
		r.record(now, timeline.RoutineMissed, timeline.Muster(), at("planned", o.Planned), at("due", o.Due), timeline.F("why", string(WasNotBegun)),
			timeline.F("detail", detail))
		r.tell(Telling{About: WasNotBegun, Occurrence: *o})
		r.drop(*o, Missed, now)
	default:
		if o.Detail == "" {
			o.Detail = detail
			r.record(now, timeline.RoutineBlocked, timeline.Muster(), at("planned", o.Planned), timeline.F("detail", detail))
			r.tell(Telling{About: IsBlocked, Occurrence: *o})
		}
		o.Next = soon(now, o.Due)
	}
}

// Begun is the run that was started for an occurrence, or why none could be as things are.
type Begun struct {
	Run     string `json:"run,omitempty"`
	Refused string `json:"refused,omitempty"`
}

// An Outcome is what has become of a run.
type Outcome struct {
	Over   bool      `json:"over"`
	Done   bool      `json:"done"`             // it was completed, and not cancelled
	Ended  time.Time `json:"ended,omitzero"`   // zero: it is not over
	Status string    `json:"status,omitempty"` // of the run
}

// Checked takes in what has become of the run of an occurrence. With a detail it is not known: it is asked again.
func (r *Routine) Checked(planned time.Time, out Outcome, detail string, now time.Time) {
	o := r.running(planned)
	if o == nil {
		return
	}
	o.Under, o.Next = false, soon(now, o.Due)
	if detail == "" && out.Over {
		o.Ended, o.Late = out.Ended, out.Ended.After(o.Due)
		facts := []timeline.Fact{at("planned", o.Planned), timeline.F("run", o.Run), at("ended", out.Ended)}
		if out.Done {
			r.record(now, timeline.RoutineDone, timeline.Muster(), append(facts, timeline.F("late", marked(o.Late)))...)
			if o.Visits != "" {
				visit := *o
				visit.Fate, visit.Next = Done, now
				r.Uncounted = append(r.Uncounted, visit)
			}
			r.drop(*o, Done, now)
			return
		}
		o.Detail = out.Status
		r.record(now, timeline.RoutineMissed, timeline.Muster(), append(facts, timeline.F("why", string(EndedBadly)), timeline.F("detail", out.Status))...)
		r.tell(Telling{About: EndedBadly, Occurrence: *o})
		r.drop(*o, Missed, now)
		return
	}
	if !o.Late && !now.Before(o.Due) {
		o.Late = true
		r.record(now, timeline.RoutineMissed, timeline.Muster(), at("planned", o.Planned), at("due", o.Due), timeline.F("run", o.Run),
			timeline.F("why", string(WasMissed)), timeline.F("detail", detail))
		r.tell(Telling{About: WasMissed, Occurrence: *o})
	}
}

func marked(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// soon is when it is looked again: after a part of the time that is left, or as much later as it is late.
func soon(now, due time.Time) time.Time {
	wait := now.Sub(due)
	if left := -wait; left > 0 {
		wait = min(max(left/lookPart, lookOften), left)
	}
	return now.Add(min(max(wait, lookOften), lookSeldom))
}

func (r *Routine) running(planned time.Time) *Occurrence {
	n := slices.IndexFunc(r.Running, func(o Occurrence) bool { return o.Planned.Equal(planned) })
	if n < 0 {
		return nil
	}
	return &r.Running[n]
}

func (r *Routine) drop(o Occurrence, f Fate, now time.Time) {
	r.Running = slices.DeleteFunc(r.Running, func(x Occurrence) bool { return x.Planned.Equal(o.Planned) })
	r.over(o, f, now)
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (r *Routine) NextDue() (next time.Time) {
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if !r.looking && r.Status != Retired {
		sooner(r.Look)
		if len(r.Ahead) > 0 {
			sooner(r.Ahead[0].Begins)
		}
	}
	for _, o := range r.Running {
		if !o.Under {
			sooner(o.Next)
		}
	}
	for _, o := range r.Uncounted {
		if !o.Under {
			sooner(o.Next)
		}
	}
	return next
}

// Over tells whether nothing is to be done any more: the runs of one that is retired are seen to their end, and its visits are counted.
func (r *Routine) Over() bool {
	return r.Status == Retired && len(r.Running) == 0 && len(r.Uncounted) == 0
}

// Resume says that a new run of the workflow goes on with the state: what was under way is begun again.
func (r *Routine) Resume() {
	r.looking = false
	for n := range r.Running {
		r.Running[n].Under = false
	}
	for n := range r.Uncounted {
		r.Uncounted[n].Under = false
	}
	r.Timeline.Trim(0, 0)
	if r.Timeline.Entries == nil {
		r.Timeline.Entries = []timeline.Entry{}
	}
}

func (r *Routine) tell(t Telling) {
	r.Sends++
	t.Number, t.Definition = r.Sends, r.Definition
	t.Occurrence.Under = false
	r.fresh = append(r.fresh, Work{Do: Tell, Telling: t})
}

func (r *Routine) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	if r.Timeline.Bytes > maxTimeline {
		r.Timeline.Trim(0, 0)
	}
	r.Timeline.Add(now, k, by, facts...)
}

func at(name string, t time.Time) timeline.Fact {
	if t.IsZero() {
		return timeline.F(name, "")
	}
	return timeline.F(name, t.UTC().Format(time.RFC3339))
}
