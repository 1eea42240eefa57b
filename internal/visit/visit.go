// Package visit holds the visits at a customer against what it has bought: those that were used or done, and those that are planned. It reads no
// clock and no calendar, and asks nobody.
package visit

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/routine"
	"muster/internal/usage"
)

// State is how a visit stands.
type State string

// The states. These strings are on the wire: add, never rename.
const (
	Planned State = "planned"
	Moved   State = "moved"   // planned, for another time than that of the folder
	Started State = "started" // its run goes on
	Done    State = "done"    // of a routine
	Missed  State = "missed"  // its run was not completed, or could not begin
	Skipped State = "skipped" // somebody has left it out
	Used    State = "used"    // by a request
)

// States lists them.
func States() []State { return []State{Planned, Moved, Started, Done, Missed, Skipped, Used} }

// Terms are what a customer has bought for a year of the calendar, and what is planned.
type Terms struct {
	Customer string // ID
	Name     string
	Year     int
	From, To time.Time // until just before To
	Bought   int       // 0: no number stands in the support plan or the contract
	Routines []Routine
}

// A Routine is one that is a visit.
type Routine struct {
	ID, Name string
	Slots    []routine.Slot   // of the year that nobody has seen to yet
	State    *routine.Routine // nil: nobody keeps it yet
}

// A Year is what has become of the visits of a customer in a year of the calendar.
type Year struct {
	Customer string    `json:"customer"` // ID
	Name     string    `json:"name"`
	Year     int       `json:"year"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"` // the first instant of the next one
	Bought   int       `json:"bought,omitempty"`
	Counts   *Counts   `json:"counts,omitempty"` // nil: nobody knows how many were used
	Visits   []Visit   `json:"visits,omitempty"` // in the order of their times
	Detail   string    `json:"detail,omitempty"` // why nobody knows
}

// Counts are how many visits there are.
type Counts struct {
	Used    int  `json:"used"`            // by requests and routines
	Done    int  `json:"done"`            // of these by routines
	Planned int  `json:"planned"`         // still to come, and those that go on
	Moved   int  `json:"moved"`           // of these, to another time
	Left    *int `json:"left,omitempty"`  // of those bought; nil: no number was
	After   *int `json:"after,omitempty"` // left once what is planned is done; below 0: that is more than was bought
}

// A Visit is one of them.
type Visit struct {
	At      time.Time `json:"at"` // when it begins or was counted
	State   State     `json:"state"`
	Planned time.Time `json:"planned,omitzero"`  // of a routine: for when the folder has planned it, if that is another time
	Routine string    `json:"routine,omitempty"` // ID
	Name    string    `json:"name,omitempty"`    // of the routine
	Run     string    `json:"run,omitempty"`     // of its plan
	Request string    `json:"request,omitempty"` // by which it was used
	Late    bool      `json:"late,omitempty"`
}

// Of counts the visits of a year from the uses of the customer's ledger and the states of its routines. What is done and not counted yet is used.
func Of(t Terms, uses []usage.Use) Year {
	y := Year{Customer: t.Customer, Name: t.Name, Year: t.Year, From: t.From, To: t.To, Bought: t.Bought}
	holds := func(at time.Time) bool { return !at.Before(t.From) && at.Before(t.To) }
	var all []Visit
	for _, u := range uses {
		if !u.Visit {
			continue
		}
		v := Visit{At: u.At, State: Used, Request: u.Request}
		if id, planned, ok := u.Routine(); ok {
			v = Visit{At: u.At, State: Done, Planned: planned, Routine: id}
		}
		all = append(all, v)
	}
	routines := slices.Clone(t.Routines)
	for n := range routines {
		r := &routines[n]
		if r.State == nil {
			r.State = &routine.Routine{}
		}
		all = append(all, r.visits(t.Customer, all)...)
	}
	for n := range all {
		all[n].about(routines)
	}
	all = slices.DeleteFunc(all, func(v Visit) bool { return !holds(v.At) })
	slices.SortStableFunc(all, func(a, b Visit) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Routine, b.Routine)) })
	y.Visits, y.Counts = all, count(all, t.Bought)
	return y
}

// visits are those of a routine that stand in no ledger.
func (r *Routine) visits(customer string, counted []Visit) (all []Visit) {
	add := func(o *routine.Occurrence, s State) {
		all = append(all, Visit{At: o.Begins, State: s, Planned: o.Planned, Routine: r.ID, Run: o.Run, Late: o.Late})
	}
	for _, o := range slices.Concat(r.State.Past, r.State.Uncounted) {
		in := func(v Visit) bool { return v.Routine == r.ID && v.Planned.Equal(o.Planned) }
		switch {
		case o.Visits != customer || slices.ContainsFunc(counted, in) || slices.ContainsFunc(all, in):
		case o.Fate == routine.Missed:
			add(&o, Missed)
		case o.Fate == routine.Skipped:
			add(&o, Skipped)
		default: // it is about to be counted
			add(&o, Done)
		}
	}
	for _, o := range r.State.Running {
		switch {
		case o.Visits != customer:
		case o.Fate == routine.Started:
			add(&o, Started)
		default:
			add(&o, planned(&o))
		}
	}
	theirs := func(o routine.Occurrence) bool { return o.By.ID != "" }
	for _, o := range r.State.Ahead {
		switch {
		case o.Visits != customer || !theirs(o):
		case o.Fate == routine.Skipped:
			add(&o, Skipped)
		default:
			add(&o, Moved)
		}
	}
	for _, s := range r.Slots {
		if !slices.ContainsFunc(r.State.Ahead, func(o routine.Occurrence) bool { return theirs(o) && o.Planned.Equal(s.Begins) }) {
			add(&routine.Occurrence{Planned: s.Begins, Begins: s.Begins}, Planned)
		}
	}
	return all
}

// planned is how one stands that has not begun.
func planned(o *routine.Occurrence) State {
	if o.Begins.Equal(o.Planned) {
		return Planned
	}
	return Moved
}

// about fills in what the routine of a visit knows of it.
func (v *Visit) about(routines []Routine) {
	n := slices.IndexFunc(routines, func(r Routine) bool { return r.ID == v.Routine })
	if n >= 0 {
		v.Name = routines[n].Name
		past := routines[n].State.Past
		if k := slices.IndexFunc(past, func(o routine.Occurrence) bool { return o.Planned.Equal(v.Planned) }); k >= 0 {
			v.Run, v.Late = past[k].Run, past[k].Late
		}
	}
	if v.Planned.Equal(v.At) {
		v.Planned = time.Time{}
	}
}

func count(all []Visit, bought int) *Counts {
	c := &Counts{}
	for _, v := range all {
		switch v.State {
		case Used:
			c.Used++
		case Done:
			c.Used++
			c.Done++
		case Planned, Started:
			c.Planned++
		case Moved:
			c.Planned++
			c.Moved++
		case Missed, Skipped:
		}
	}
	if bought > 0 {
		left := max(bought-c.Used, 0)
		after := bought - c.Used - c.Planned
		c.Left, c.After = &left, &after
	}
	return c
}
