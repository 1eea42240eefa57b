package review

import (
	"time"

	"muster/internal/incident"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// A Stage is a part of a review that has to be done until an instant.
type Stage string

// The stages. These strings are in histories: add, never rename.
const (
	Draft   Stage = "draft"   // a person has submitted it
	Meet    Stage = "meeting" // it was held
	Publish Stage = "publish" // every text that was written is published
	Finish  Stage = "close"   // a person has closed the review
)

// Stages lists the stages in the order in which they are due.
func Stages() []Stage { return []Stage{Draft, Meet, Publish, Finish} }

// Notice is how pressing a deadline is.
type Notice string

// The notices of a deadline, each pressing more than the one before. These strings are in histories: add, never rename.
const (
	Soon      Notice = "soon"      // its owner is reminded
	Late      Notice = "late"      // its owner is told that it is missed
	Escalated Notice = "escalated" // so is the owner's lead
)

// A Deadline is when a stage is due, and what has become of it.
type Deadline struct {
	Stage      Stage     `json:"stage"`
	Days       int       `json:"days,omitempty"` // working days, of which its instants come
	RemindAt   time.Time `json:"remind_at,omitzero"`
	Due        time.Time `json:"due,omitzero"` // zero: not computed yet, or nobody can say
	EscalateAt time.Time `json:"escalate_at,omitzero"`
	Told       Notice    `json:"told,omitempty"`
	Done       time.Time `json:"done,omitzero"`
}

// Missed tells whether a stage was not done in time, as far as that is known.
func (d Deadline) Missed() bool {
	return d.Told == Late || d.Told == Escalated || !d.Done.IsZero() && !d.Due.IsZero() && !d.Done.Before(d.Due)
}

// next is the next notice and when it is due. Of a stage that is done, or of which everything is told, there is none.
func (d *Deadline) next() (Notice, time.Time) {
	switch {
	case !d.Done.IsZero() || d.Due.IsZero():
	case d.Told == "" && !d.RemindAt.IsZero():
		return Soon, d.RemindAt
	case d.Told == "" || d.Told == Soon:
		return Late, d.Due
	case d.Told == Late && !d.EscalateAt.IsZero():
		return Escalated, d.EscalateAt
	}
	return "", time.Time{}
}

// atRisk is the percentage of its working time after which a deadline is reminded of.
const atRisk = 75

// escalateAfter is how long after the instant by which the review was to be closed its owner's lead is told.
const escalateAfter = 24 * time.Hour

// deadlines begins the deadlines anew. What is done stays done.
func (r *Review) deadlines(now time.Time) {
	days := map[Stage]int{Draft: r.Rules.Draft, Meet: r.Rules.Meeting, Publish: r.Rules.Publish}
	before := r.Deadlines
	r.Deadlines = nil
	for _, s := range Stages() {
		d := Deadline{Stage: s, Days: days[s]}
		switch {
		case s == Finish:
			d.RemindAt, d.Due, d.EscalateAt = now.Add(r.Due.Sub(now)*atRisk/100), r.Due, r.Due.Add(escalateAfter)
		case d.Days == 0:
			continue
		}
		for _, b := range before {
			if b.Stage == s && s != Publish {
				d.Done = b.Done
			}
		}
		r.Deadlines = append(r.Deadlines, d)
	}
	if len(r.Clocks()) > 0 {
		r.begin(Work{Do: ComputeDeadlines, Round: r.Extended})
	}
}

// Clocks are those of which the instants of the deadlines are computed, two of each: the second one says when the lead is told,
// a working day later.
func (r *Review) Clocks() (all []supportplan.Clock) {
	for _, d := range r.Deadlines {
		if d.Days > 0 {
			for more := range 2 {
				all = append(all, supportplan.Start("", supportplan.Promise{Days: d.Days + more, Calendar: r.Rules.Calendar}, r.Since))
			}
		}
	}
	return all
}

// AtRisk is the percentage of a clock after which somebody is reminded.
func (r *Review) AtRisk() int { return atRisk }

// Computed takes in the instants of the clocks of a round, in their order. With a detail nobody knows them.
func (r *Review) Computed(round int, at []incident.Instants, detail string, now time.Time) {
	if round != r.Extended {
		return // overtaken by a later computation
	}
	for n := range r.Deadlines {
		d := &r.Deadlines[n]
		if d.Days == 0 {
			continue
		}
		why := detail
		var due, escalate incident.Instants
		if len(at) > 1 {
			due, escalate, at = at[0], at[1], at[2:]
			why = due.Fault
		}
		if due.Due.IsZero() {
			r.record(now, timeline.ReviewUndated, timeline.Muster(), timeline.F("stage", string(d.Stage)), timeline.F("detail", why))
			continue
		}
		d.RemindAt, d.Due, d.EscalateAt = due.RiskAt, due.Due, escalate.Due
		r.record(now, timeline.ReviewDated, timeline.Muster(), timeline.F("stage", string(d.Stage)), timeline.F("due", instant(d.Due)))
	}
}

// Advance brings the review to now, and returns what has to be done since it was last asked.
func (r *Review) Advance(now time.Time) []Work {
	for n := range r.Deadlines {
		d := &r.Deadlines[n]
		var say Notice
		for notice, due := d.next(); r.Status == Open && notice != "" && !now.Before(due); notice, due = d.next() {
			d.Told, say = notice, notice
			switch {
			case notice == Late && d.Stage == Finish:
				r.Overdue = true
				r.record(now, timeline.ReviewOverdue, timeline.Muster())
			case notice == Late:
				r.record(now, timeline.ReviewLate, timeline.Muster(), timeline.F("stage", string(d.Stage)), timeline.F("due", instant(d.Due)))
			case notice == Escalated:
				r.record(now, timeline.ReviewEscalated, timeline.Muster(), timeline.F("stage", string(d.Stage)), timeline.F("due", instant(d.Due)))
			}
		}
		if say == "" {
			continue
		}
		t := Telling{About: Reminder, Stage: d.Stage, Notice: say, Due: d.Due, Targets: r.Rules.Owner}
		r.tell(t)
		if say == Escalated {
			t.Targets = r.Rules.Lead
			r.tell(t)
		}
	}
	fresh := r.fresh
	r.fresh = nil
	return fresh
}

// NextDue returns the next instant at which Advance has something to do, zero when there is none.
func (r *Review) NextDue() (next time.Time) {
	if r.Status != Open {
		return next
	}
	for n := range r.Deadlines {
		if notice, at := r.Deadlines[n].next(); notice != "" && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// done says that a stage is done. The first time counts.
func (r *Review) done(s Stage, now time.Time) {
	for n := range r.Deadlines {
		if d := &r.Deadlines[n]; d.Stage == s && d.Done.IsZero() {
			d.Done = now
		}
	}
}
