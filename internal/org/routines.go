package org

import (
	"iter"
	"slices"
	"time"

	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/oncall"
	"muster/internal/routine"
)

const (
	maxRoutines  = 500
	leastRoutine = time.Second // between two of its occurrences
)

// A comeback is a routine of the folder: which plan, and when.
type comeback struct {
	place   place
	subject string // of what is wrong with it

	id, name string
	start    PlanStart
	tell     []escalation.Target
	visit    bool          // somebody comes to the customer for it
	times    *freeze.Times // nil: every and first say when
	every    time.Duration
	first    time.Time
	within   span               // until it is due; zero: until the hours end
	calendar *calendar.Calendar // a beginning outside of its hours waits until they open; nil: around the clock

	// Of a deadline of an asset, which has one time.
	asset  string // ID
	once   *routine.Slot
	bindTo string // ID of the environment of the asset

	bound []string // IDs of the environments in which its plan runs
}

// anInterval is the form of how often something comes back.
var anInterval = in("a time of at least 1s, such as 1d or 14d, where a day begins at the same time on the wall", func(s string) (time.Duration, bool) {
	d, ok := duration(s)
	return d, ok && d >= leastRoutine
})

// readRoutines reads routines.yaml.
func (b *builder) readRoutines(o *object) {
	o.entries("routines", "routine", some, func(o *object, id string) {
		r := comeback{place: o.place, subject: o.subject, id: id}
		r.name = maybe(o, "name", aName, id)
		r.start.Plan, _ = need(o, "plan", anID)
		r.start.Customer, _ = need(o, "customer", anID)
		r.start.Environments, r.start.Parameters = given(o, "environments"), given(o, "parameters")
		r.tell = b.targets(o, "tell", aLastTarget)
		r.visit = maybe(o, "visit", aTrue, false)
		before := len(b.faults)
		b.readComingBack(o, &r)
		if len(b.faults) == before {
			b.routines = append(b.routines, r)
		}
		if len(b.routines) == maxRoutines+1 {
			o.fault(o.place, "%s: want at most %d routines", o.subject, maxRoutines)
		}
	})
}

// readComingBack reads when a routine comes back: at hours of days as windows have them, or again after a time.
func (b *builder) readComingBack(o *object, r *comeback) {
	r.within = maybe(o, "within", in("a time such as 4h, or working days such as 5d", aTimeOrDays), span{})
	if o.has("calendar") {
		id, _ := need(o, "calendar", anIDOf("calendar"))
		if b.knows(o.field("calendar").place, o.about("calendar"), "calendar", id) {
			hours := b.calendars[id]
			if zone, err := time.LoadLocation(hours.Zone); err == nil {
				r.calendar, _ = calendar.New(hours, zone) // it has no fault: it was read
			}
		}
	}
	if r.within.days > 0 && !o.has("calendar") {
		o.fault(o.field("within").place, "%s: working days without a calendar; want one that says which days those are", o.about("within"))
	}
	r.every = maybe(o, "every", anInterval, 0)
	first := maybe(o, "first", aWallTime, oncall.WallTime{})
	if !o.has("every") || b.asking {
		r.times = b.readOwnTimes(o)
		return
	}
	switch {
	case !o.has("first"):
		o.fault(o.place, "%s: first: missing; want when it begins for the first time, such as 2026-12-01 10:00", o.subject)
	case b.org.Zone != nil:
		r.first = first.In(b.org.Zone)
	}
	if r.within == (span{}) {
		o.fault(o.place, "%s: within: missing; want the time in which it has to be done, such as 4h or 5d", o.subject)
	}
}

// tryRoutines starts the plan of every routine: none must find its plan wanting. Whether it ever has a time is asked when all else is
// as it should be.
func (b *builder) tryRoutines() {
	sound := len(b.faults) == 0
	for n := range b.routines {
		r := &b.routines[n]
		b.bind(r)
		for _, e := range b.tryStart(r.place, r.subject, r.start).Environments {
			r.bound = append(r.bound, e.Environment)
		}
		if !sound || r.once != nil { // a deadline may lie in the past, or far ahead
			continue
		}
		if slots, _ := r.slots(b.org.LoadedAt.Add(-time.Second), b.org.LoadedAt); len(slots) == 0 {
			b.fault(r.place, "%s: it has no time in the next two years; want other hours or dates, or take it out", r.subject)
		}
	}
}

// Routines lists the ids of the routines, in the order of the folder.
func (o *Organisation) Routines() []string {
	all := make([]string, len(o.routines))
	for n := range o.routines {
		all[n] = o.routines[n].id
	}
	return all
}

// RoutineStart is what the plan of a routine is started with.
func (o *Organisation) RoutineStart(id string) (PlanStart, bool) {
	if r := o.routineOf(id); r != nil {
		return r.start, true
	}
	return PlanStart{}, false
}

// routineOf finds a routine, nil where the folder has none of that ID.
func (o *Organisation) routineOf(id string) *comeback {
	if n := slices.IndexFunc(o.routines, func(r comeback) bool { return r.id == id }); n >= 0 {
		return &o.routines[n]
	}
	return nil
}

// Routine is what the folder says of a routine at an instant: its occurrences after one that was seen to.
func (o *Organisation) Routine(id string, after, now time.Time) routine.Seen {
	r := o.routineOf(id)
	if r == nil {
		return routine.Seen{Folder: o.Folder(), Gone: true}
	}
	s := routine.Seen{Folder: o.Folder(), Definition: routine.Definition{
		ID: r.id, Asset: r.asset, Name: r.name, Customer: r.start.Customer, CustomerName: o.parties[r.start.Customer].Name, Plan: r.start.Plan, Tell: r.tell,
		Organisation: o.Name, Zone: o.Zone.String(), Visit: r.visit,
	}}
	s.Slots, s.More = r.slots(after, now)
	return s
}

// slots are the occurrences after an instant: those until now, and some beyond. Of too many until now the newest ones stay.
func (r *comeback) slots(after, now time.Time) (all []routine.Slot, more int) {
	if r.once != nil { // it is late, but not too late, where it should have begun before somebody wrote it down
		if r.once.Begins.After(after) || r.once.Due.After(now) {
			all = append(all, *r.once)
		}
		return all, 0
	}
	from, last := after.Add(-longestWait), now.Add(freeze.Horizon)
	if now.Sub(from) > freeze.Horizon {
		from = now.Add(-freeze.Horizon)
	}
	if r.times == nil && r.calendar == nil { // then none waits, and what is too much need not be counted one by one
		if from = after; r.first.After(after) {
			from = r.first.Add(-1) // before it there was none
		}
		if n := int(now.Sub(from)/r.every) - routine.MostAtOnce; n > 0 {
			from, more = from.Add(time.Duration(n)*r.every), n
		}
	}
	for s := range r.between(from, last) {
		if !s.Begins.After(after) {
			continue
		}
		if all = append(all, s); !s.Begins.After(now) && len(all) > routine.MostAtOnce {
			all, more = all[1:], more+1
		}
		if len(all) >= routine.MostAhead && all[len(all)-routine.MostAhead].Begins.After(now) {
			break
		}
	}
	return all, more
}

const longestWait = 31 * 24 * time.Hour // of a beginning, until its hours open

// between goes through the occurrences whose hours or interval come in a while, in the order in which they begin.
func (r *comeback) between(from, last time.Time) iter.Seq[routine.Slot] {
	return func(yield func(routine.Slot) bool) {
		var newest time.Time
		goesOn := func(begins, ends time.Time) bool {
			s, ok := r.slot(begins, ends)
			if !ok || !s.Begins.After(newest) { // two may wait for the same opening
				return true
			}
			newest = s.Begins
			return yield(s)
		}
		if r.once != nil {
			if !r.once.Begins.Before(from) && r.once.Begins.Before(last) {
				yield(*r.once)
			}
			return
		}
		if r.times == nil {
			for at := r.from(from); at.Before(last) && goesOn(at, time.Time{}); at = r.after(at) {
			}
			return
		}
		for _, s := range r.times.Between(from, last) {
			if !s.From.Equal(from) && !goesOn(s.From, s.To) { // else it may have begun before
				return
			}
		}
	}
}

// slot is one occurrence: it begins when the hours are open, and is due after its time.
func (r *comeback) slot(begins, ends time.Time) (s routine.Slot, ok bool) {
	if r.calendar != nil {
		open, found := r.calendar.NextOpen(begins)
		if !found {
			return s, false
		}
		if begins = open; !ends.IsZero() && !ends.After(begins) {
			ends = time.Time{}
		}
	}
	due, err := ends, error(nil)
	switch {
	case r.within.days > 0:
		due, err = r.calendar.AddDays(begins, r.within.days)
	case r.within.within > 0 && r.calendar != nil:
		due, err = r.calendar.Add(begins, r.within.within)
	case r.within.within > 0:
		due = begins.Add(r.within.within)
	}
	if err != nil || !due.After(begins) {
		return s, false
	}
	return routine.Slot{Begins: begins.UTC(), Due: due.UTC()}, true
}

const oneDay = 24 * time.Hour

// from is the first time at or after an instant.
func (r *comeback) from(at time.Time) time.Time {
	if !at.After(r.first) {
		return r.first
	}
	n := int(at.Sub(r.first) / r.every)
	for n = max(0, n-1); ; n++ { // a change of the clocks shifts days by an hour
		if t := r.nth(n); !t.Before(at) {
			return t
		}
	}
}

func (r *comeback) after(at time.Time) time.Time { return r.from(at.Add(time.Nanosecond)) }

// nth counts whole days on the wall.
func (r *comeback) nth(n int) time.Time {
	if r.every%oneDay == 0 {
		return r.first.AddDate(0, 0, n*int(r.every/oneDay))
	}
	return r.first.Add(time.Duration(n) * r.every)
}
