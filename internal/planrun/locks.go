package planrun

import (
	"slices"
	"time"

	"muster/internal/plan"
	"muster/internal/timeline"
)

// A Lock is the right to change an environment, which one run at a time has, whatever the kinds of their plans.
type Lock struct {
	Environment string    `json:"environment"` // in the plan
	Held        bool      `json:"held,omitempty"`
	Holder      string    `json:"holder,omitempty"` // the run that has it instead, where that is known
	Tries       int       `json:"tries,omitempty"`  // in a row that have not got it
	Next        time.Time `json:"next,omitzero"`    // when it is tried again
	Work        int       `json:"work,omitempty"`   // that is trying
}

// refused tells whether it was tried and not got.
func (l *Lock) refused() bool { return !l.Held && l.Tries > 0 }

// lock returns what is known of the lock of an environment, nil where it was never asked for or was given back.
func (r *Run) lock(environment string) *Lock {
	for n := range r.Locks {
		if r.Locks[n].Environment == environment {
			return &r.Locks[n]
		}
	}
	return nil
}

// lockUp takes the lock of every environment that a task is about to change, and gives back what is needed no more.
func (r *Run) lockUp(now time.Time) {
	for _, b := range r.Environments {
		l := r.lock(b.ID)
		switch {
		case l != nil && l.Held && !r.inUse(b.ID):
			r.Locks = slices.DeleteFunc(r.Locks, func(l Lock) bool { return l.Environment == b.ID })
			r.record(now, timeline.LockFreed, timeline.Muster(), timeline.F("environment", b.ID))
			r.begin(Work{Do: FreeLock, Environment: b.ID})
		case l != nil && (l.Held || l.Work != 0 || now.Before(l.Next)) || !r.wantsLock(b.ID):
		case l != nil:
			l.Work = r.begin(Work{Do: TakeLock, Environment: b.ID})
		default:
			r.Locks = append(r.Locks, Lock{Environment: b.ID, Work: r.begin(Work{Do: TakeLock, Environment: b.ID})})
		}
	}
}

// wantsLock tells whether only the lock keeps a task from changing an environment.
func (r *Run) wantsLock(environment string) bool {
	if !r.goes() || !r.open(environment) {
		return false
	}
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if !def.Changes || def.Environment != environment || t.Waiver.Open() || r.needs(def) != "" {
			continue
		}
		if s := t.Status; s == Waiting || s == Held || s == Ready || s == Begun {
			return true
		}
	}
	return false
}

// inUse tells whether an environment must stay as this run leaves it: from the first change, or from when somebody was told to make
// it, until all that the plan does there has ended or what was changed is rolled back.
func (r *Run) inUse(environment string) bool {
	if r.Over() { // a step that is under way has no outcome yet
		return slices.ContainsFunc(r.Tasks, func(t Task) bool {
			def, _ := r.Plan.Task(t.ID)
			return def.Environment == environment && t.Steps != nil && t.Work != 0
		})
	}
	if r.Status == RollingBack && r.Undoing.Environment == environment {
		return true
	}
	touched, open := false, false
	for n := range r.Tasks {
		t, def := &r.Tasks[n], r.def(n)
		if def.Environment != environment {
			continue
		}
		s := t.Status
		if def.Changes && (s == Ready || s == Begun || s == InCheck || s == Unclear) {
			return true
		}
		touched, open = touched || !t.Touched.IsZero(), open || !s.Ended()
	}
	return touched && open
}

// LockTaken takes in what has come of trying to take a lock: it is this run's, or that of a holder. With a detail that is not known.
func (r *Run) LockTaken(number int, held bool, holder, detail string, now time.Time) {
	n := slices.IndexFunc(r.Locks, func(l Lock) bool { return l.Work == number })
	if n < 0 {
		return
	}
	l := &r.Locks[n]
	was := *l
	*l = Lock{Environment: l.Environment, Held: held}
	if held {
		r.record(now, timeline.LockTaken, timeline.Muster(), timeline.F("environment", l.Environment))
		return
	}
	l.Holder, l.Tries = holder, was.Tries+1
	l.Next = now.Add(min(firstWait<<min(l.Tries-1, 12), longestWait))
	if was.Tries == 0 || was.Holder != holder {
		r.record(now, timeline.LockRefused, timeline.Muster(), timeline.F("environment", l.Environment), timeline.F("run", holder), timeline.F("detail", detail))
	}
}

// How long a run waits before it asks again for a lock that another one has: twice as long each time, up to the longest. So it waits
// at most about twice as long as it has to, and for months if it must: one try takes some 17 events of its history.
const (
	firstWait   = 15 * time.Second
	longestWait = 4 * time.Hour
)

// LockLost takes in that a lock was taken from outside. What is under way goes on, and it is asked for again.
func (r *Run) LockLost(environment string, now time.Time) {
	if l := r.lock(environment); l != nil && l.Held {
		*l = Lock{Environment: environment, Tries: 1, Next: now.Add(later(1))}
		r.record(now, timeline.LockLost, timeline.Muster(), timeline.F("environment", environment))
	}
}

// mayChange tells whether a task may work on its environment now, and whether that is known.
func (r *Run) mayChange(def plan.Task, now time.Time) (open, known bool) {
	open, known = r.inWindow(def, now)
	if !open || !known || !def.Changes {
		return open, known
	}
	l := r.lock(def.Environment)
	return l != nil && l.Held, l != nil && (l.Held || l.refused())
}

// obstacle names what keeps an environment from being changed.
func (r *Run) obstacle(environment string) string {
	if look := r.look(environment); !look.Open {
		return heldBy(look)
	}
	holder := "another run"
	if l := r.lock(environment); l != nil && l.Holder != "" {
		holder = l.Holder
	}
	return holder + " is changing it"
}
