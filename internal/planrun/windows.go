package planrun

import (
	"slices"
	"strings"
	"time"

	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// An Override lets an environment be changed although it may not: two people have said so, until a set time.
type Override struct {
	Environment string          `json:"environment"` // in the plan
	Asked       freeze.Override `json:"asked"`       // without an approver until another person has confirmed it
	Refused     bool            `json:"refused,omitempty"`
	Over        bool            `json:"over,omitempty"`
}

func (o *Override) confirmed() bool { return o.Asked.Approver.ID != "" }

func (o *Override) open() bool { return !o.confirmed() && !o.Refused && !o.Over }

func (o *Override) due() time.Time {
	if o.Over || o.Refused {
		return time.Time{}
	}
	return o.Asked.Until
}

// look returns what is known of an environment.
func (r *Run) look(environment string) *Look {
	for n := range r.Windows {
		if r.Windows[n].Environment == environment {
			return &r.Windows[n]
		}
	}
	r.Windows = append(r.Windows, Look{Environment: environment})
	return &r.Windows[len(r.Windows)-1]
}

// inWindow tells whether an environment may be changed now by its windows and freezes, and whether that is known.
func (r *Run) inWindow(def plan.Task, now time.Time) (open, known bool) {
	if !def.Changes {
		return true, true
	}
	l := r.look(def.Environment)
	r.ask(l, now)
	return l.Open, l.Work == 0 && !l.At.IsZero()
}

// open tells whether an environment may be changed by what is known of its windows and freezes.
func (r *Run) open(environment string) bool {
	return slices.ContainsFunc(r.Windows, func(l Look) bool { return l.Environment == environment && l.Open })
}

// ask looks again when what is known counts no more.
func (r *Run) ask(l *Look, now time.Time) {
	if l.Work != 0 || !l.At.IsZero() && (l.Until.IsZero() || now.Before(l.Until)) {
		return
	}
	b := r.Bound(l.Environment)
	in := WindowOf{Environment: l.Environment, Rules: b.Rules, At: now}
	for _, o := range r.Override {
		if o.Environment == l.Environment && o.confirmed() && !o.Over {
			in.Overrides = append(in.Overrides, o.Asked)
		}
	}
	l.Work = r.begin(Work{Do: LookWindow, Window: in})
}

// lookAround looks again where something depends on it.
func (r *Run) lookAround(now time.Time) {
	for n := range r.Windows {
		if l := &r.Windows[n]; r.watched(l.Environment) {
			r.ask(l, now)
		}
	}
}

// watched tells whether something depends on when an environment may be changed.
func (r *Run) watched(environment string) bool {
	for n := range r.Tasks {
		def := r.def(n)
		if def.Environment != environment || !def.Changes && !def.Window {
			continue
		}
		if s := r.Tasks[n].Status; s == Held || s == Ready || s == Begun || s == Waiting && r.goes() && r.needs(def) == "" {
			return true
		}
	}
	return false
}

// Looked takes in whether an environment may be changed. With a detail it is not known, and it may not until it is.
func (r *Run) Looked(number int, l Look, detail string, now time.Time) {
	known := r.look(l.Environment)
	if known.Work != number {
		return
	}
	was, first := known.Open, known.At.IsZero()
	if l.Tries = 0; detail != "" {
		tries := known.Tries + 1
		l = Look{Environment: l.Environment, At: now, Detail: detail, Tries: tries, Until: now.Add(later(tries))}
	}
	l.Work = 0
	*known = l
	if first || was != l.Open || detail != "" {
		r.record(now, timeline.WindowLooked, timeline.Muster(), timeline.F("environment", l.Environment), timeline.F("state", either(l.Open, "open", "closed")),
			timeline.F("until", maybe(l.Until)), timeline.F("why", heldBy(known)), timeline.F("detail", detail))
	}
	for n := range r.Tasks {
		t := &r.Tasks[n]
		if def := r.def(n); def.Environment == l.Environment && t.Status == Begun {
			r.decideBy(t, def)
		}
	}
}

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// heldBy names what keeps an environment from being changed.
func heldBy(l *Look) string {
	var names []string
	for _, why := range l.Why {
		if !why.Holds() {
			continue
		}
		name := why.Name
		if name == "" {
			name = string(why.Kind)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// decideBy says when it must be decided at the latest whether a task that is under way is rolled back: later the rollback no longer
// fits into the window.
func (r *Run) decideBy(t *Task, def plan.Task) {
	t.DecideBy, t.Warned = time.Time{}, false
	if !def.Changes || def.Rollback == nil {
		return
	}
	if l := r.look(def.Environment); l.Open && !l.Until.IsZero() {
		t.DecideBy = l.Until.Add(-def.Rollback.Within)
	}
}

// overrun does what the plan says of a task that is under way when its window ends.
func (r *Run) overrun(t *Task, def plan.Task, now time.Time) {
	if !def.Changes {
		return
	}
	if !t.DecideBy.IsZero() && !t.Warned && !now.Before(t.DecideBy) {
		t.Warned = true
		until := r.look(def.Environment).Until
		r.record(now, timeline.RollbackDecideBy, timeline.Muster(), timeline.F("task", t.ID), timeline.F("until", maybe(until)))
		r.write(WindowEnding, t.ID, r.with(append(def.Doers(), def.Accountable)...), "", func(x *Telling) { x.Until = until })
	}
	open, known := r.inWindow(def, now)
	if open && known {
		t.Overran = false
	}
	if open || !known || r.look(def.Environment).Detail != "" || t.Overran {
		return
	}
	t.Overran = true
	r.record(now, timeline.WindowOverrun, timeline.Muster(), timeline.F("task", t.ID), timeline.F("policy", string(def.Overrun)))
	r.tell(WindowEnded, t.ID, r.with(append(def.Doers(), def.Accountable)...))
	if def.Overrun == plan.RollBack {
		r.rollBack(def.Environment, timeline.Muster(), "the window has ended while "+t.ID+" was under way", now)
	}
}

// holds tells whether a task that is under way goes no further until its environment may be changed again.
func (r *Run) holds(def plan.Task) bool {
	if !def.Changes || def.Overrun != plan.Hold {
		return false
	}
	l := r.look(def.Environment)
	return !l.Open || l.Work != 0
}

// expire ends what counts for a time only.
func (r *Run) expire(now time.Time) {
	for n := range r.Override {
		o := &r.Override[n]
		if o.Over || o.Refused || now.Before(o.Asked.Until) {
			continue
		}
		o.Over = true
		r.record(now, timeline.OverrideEnded, timeline.Muster(), timeline.F("environment", o.Environment))
	}
	for n := range r.Tasks {
		t := &r.Tasks[n]
		w := t.Waiver
		if w == nil || t.Status != Skipped || w.Until.IsZero() || now.Before(w.Until) {
			continue
		}
		w.Expired = true
		r.record(now, timeline.WaiverExpired, timeline.Muster(), timeline.F("task", t.ID))
		kept := *w
		r.reset(t, "its waiver has expired", now)
		t.Waiver = &kept
		def, _ := r.Plan.Task(t.ID)
		r.tell(WaiverExpired, t.ID, r.with(append(def.Doers(), def.Accountable)...))
	}
}

// Check refuses it without what it needs, and from whoever neither leads nor works there.
func (c AskOverride) Check(r *Run, by timeline.Actor) error {
	if r.Over() {
		return r.stands("override")
	}
	if r.Bound(c.Environment) == nil {
		return r.refuse("override", "no such environment %q", c.Environment)
	}
	if slices.ContainsFunc(r.Override, func(o Override) bool { return o.Environment == c.Environment && o.open() }) {
		return r.refuse("override", "somebody has asked for it already")
	}
	if err := r.wantText("override", "reason", c.Reason, true); err != nil {
		return err
	}
	return r.wantRole("override", "", by, c.Capacity, r.doersIn(c.Environment)...)
}

// doersIn are whoever leads and whoever changes an environment.
func (r *Run) doersIn(environment string) []string {
	roles := []string{r.Plan.Lead}
	for _, t := range r.Plan.All() {
		if t.Changes && t.Environment == environment {
			roles = append(roles, t.Doers()...)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// Apply asks another person to confirm it.
func (c AskOverride) Apply(r *Run, by timeline.Actor, now time.Time) error {
	o := Override{Environment: c.Environment}
	o.Asked.Freeze, o.Asked.By, o.Asked.Reason, o.Asked.From, o.Asked.Until = c.Freeze, by, c.Reason, now, c.Until
	anyone := o.Asked
	anyone.Approver = timeline.Actor{Kind: timeline.Person, ID: "another"} // who confirms it is checked then
	if err := anyone.Check(r.Bound(c.Environment).Rules, now); err != nil {
		return r.deny("override", "", by, r.refuse("override", "%s", err), now)
	}
	r.Override = append(r.Override, o)
	r.record(now, timeline.OverrideAsked, by, timeline.F("environment", c.Environment), timeline.F("freeze", c.Freeze), timeline.F("reason", c.Reason),
		timeline.F("until", at(c.Until)))
	r.write(OverrideAsked, "", r.overseers(), "", func(x *Telling) {
		x.By, x.Reason, x.Until, x.Freeze = by, c.Reason, c.Until, c.Freeze
		x.in(r.Bound(c.Environment))
	})
	return nil
}

// overseers are whoever leads and whoever votes in this plan: one of them confirms an override.
func (r *Run) overseers() []string {
	roles := []string{r.Plan.Lead}
	for _, t := range r.Plan.All() {
		if t.Vote != nil {
			for _, v := range t.Vote.Voters {
				roles = append(roles, v.Role)
			}
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// Check refuses it when nobody has asked, and from whoever neither leads nor votes.
func (c ConfirmOverride) Check(r *Run, by timeline.Actor) error {
	if r.Over() {
		return r.stands("confirm override of")
	}
	n := slices.IndexFunc(r.Override, func(o Override) bool { return o.Environment == c.Environment && o.open() })
	if n < 0 {
		return r.refuse("confirm override of", "nobody has asked for one of %s", c.Environment)
	}
	if asked := r.Override[n].Asked.From; !c.Asked.IsZero() && !c.Asked.Equal(asked) {
		return r.refuse("confirm override of", "another one was asked for at %s: look again", at(asked))
	}
	if err := r.wantText("confirm override of", "note", c.Note, !c.Grant); err != nil {
		return err
	}
	return r.wantRole("confirm override of", "", by, c.Capacity, r.overseers()...)
}

// Apply opens the environment until the instant that was asked for.
func (c ConfirmOverride) Apply(r *Run, by timeline.Actor, now time.Time) error {
	n := slices.IndexFunc(r.Override, func(o Override) bool { return o.Environment == c.Environment && o.open() })
	o := &r.Override[n]
	if o.Asked.By.ID == by.ID {
		return r.deny("confirm override", "", by, r.refuse("confirm override of", "%s has asked for it: want another person", by.Shown()), now)
	}
	if !c.Grant {
		o.Refused = true
		r.record(now, timeline.OverrideRefused, by, timeline.F("environment", c.Environment), timeline.F("note", c.Note))
		return nil
	}
	confirmed := o.Asked
	confirmed.Approver, confirmed.From = by, now
	if err := confirmed.Check(r.Bound(c.Environment).Rules, now); err != nil {
		return r.deny("confirm override", "", by, r.refuse("confirm override of", "%s", err), now)
	}
	o.Asked = confirmed
	r.record(now, timeline.OverrideGiven, by, timeline.F("environment", c.Environment), timeline.F("reason", o.Asked.Reason),
		timeline.F("until", at(o.Asked.Until)))
	l := r.look(c.Environment)
	l.At, l.Work = time.Time{}, 0 // what was known counts no more
	return nil
}
