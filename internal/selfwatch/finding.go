package selfwatch

import (
	"errors"
	"fmt"
	"time"
)

// The checks, by the names that metrics, /readyz and messages share. Dashboards use them: add, never rename.
const (
	checkTemporal   = "temporal"
	checkOverdue    = "overdue-runs"
	checkProblems   = "workflow-problems"
	checkBacklog    = "backlog-" // and the name of the task queue
	checkDeliveries = "deliveries"
	checkReach      = "reach"
	checkWatch      = "self-watch"
)

// A finding is what one check saw in one round.
type finding struct {
	check   string
	bad     bool
	unknown bool // Temporal did not answer the question

	count      int64
	age        time.Duration
	queue      string
	taskType   string
	unattended bool // nobody polls the queue
	examples   []string
	err        error
}

// refused turns a finding bad: Temporal did not answer.
func (f *finding) refused(err error) {
	f.bad = true
	f.err = errors.Join(f.err, err)
}

// An alarm is what people were told about one check.
type alarm struct {
	since time.Time // first seen bad, without a good round in between that settled it
	good  time.Time // good again since; zero while it is bad
	told  time.Time // last message; zero if nobody was told
	about string    // whom the last message named, of a check that names somebody
}

// A news item is what a message says about one check.
type news struct {
	finding finding
	since   time.Time
	turn    turn
}

// A turn says what has happened to a check.
type turn int

const (
	begins turn = iota
	lasts
	ends
)

// judge moves the alarms on and returns what people should be told now. The caller holds the lock.
func (w *Watch) judge(found []finding, now time.Time) []news {
	if w.alarms == nil {
		w.alarms = map[string]*alarm{}
	}
	var due []news
	for _, f := range found {
		a := w.alarms[f.check]
		switch {
		case f.unknown: // what people know stays true until there is an answer
		case f.bad:
			if a == nil {
				a = &alarm{since: now}
				w.alarms[f.check] = a
			}
			a.good = time.Time{}
			switch {
			case a.told.IsZero() && now.Sub(a.since) >= w.patience(f.check):
				due = append(due, news{f, a.since, begins})
			case !a.told.IsZero() && (now.Sub(a.told) >= w.remindOf(f.check) || f.about() != a.about):
				due = append(due, news{f, a.since, lasts})
			}
		case a != nil && a.told.IsZero(): // over before anybody heard of it
			delete(w.alarms, f.check)
		case a != nil:
			if a.good.IsZero() {
				a.good = now
			}
			if now.Sub(a.good) >= w.settle() {
				due = append(due, news{f, a.since, ends})
			}
		}
	}
	return due
}

// about is whom a finding names: when that changes, people are told anew.
func (f *finding) about() string {
	if f.check != checkReach {
		return ""
	}
	return fmt.Sprint(f.count, f.examples)
}

// remindOf is after what time people are told again of the same thing. That nobody reaches somebody is for the working day to mend.
func (w *Watch) remindOf(check string) time.Duration {
	if check == checkReach {
		return max(w.remind(), 24*time.Hour)
	}
	return w.remind()
}

// patience is how long a check may be bad before people are told. The other limits are part of what bad means.
func (w *Watch) patience(check string) time.Duration {
	if check == checkTemporal {
		return or(w.Limits.Temporal, 30*time.Second)
	}
	return 0
}

// told notes that a message went out.
func (w *Watch) told(due []news, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range due {
		if n.turn == ends {
			delete(w.alarms, n.finding.check)
		} else if a := w.alarms[n.finding.check]; a != nil {
			a.told, a.about = now, n.finding.about()
		}
	}
}
