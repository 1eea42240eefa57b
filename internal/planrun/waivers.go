package planrun

import (
	"time"

	"muster/internal/timeline"
)

// Check refuses a task that may not be skipped, and a waiver without what it needs.
func (c Skip) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("skip", c.Task, Waiting, Held, Ready, Begun, Failed, RolledBack)
	if err != nil {
		return err
	}
	switch {
	case def.Skip == nil:
		return r.refuseTask("skip", c.Task, "the plan does not let it be skipped")
	case t.Waiver.Open():
		return r.refuseTask("skip", c.Task, "%s has asked for it already", t.Waiver.By.Shown())
	case t.Status == Begun && def.Changes:
		return r.refuseTask("skip", c.Task, "it has begun to change %s: complete it, fail it, or roll it back", def.Environment)
	}
	for _, text := range []struct{ name, text string }{{"reason", c.Reason}, {"control", c.Control}} {
		if err := r.wantText("skip", text.name, text.text, true); err != nil {
			return err
		}
	}
	return r.wantRole("skip", c.Task, by, c.Capacity, r.with(append(def.Doers(), def.Accountable)...)...)
}

// Apply asks for the waiver.
func (c Skip) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if longest := def.Skip.Longest; longest > 0 {
		switch most := now.Add(longest); {
		case c.Until.IsZero():
			c.Until = most
		case c.Until.After(most):
			return r.deny("skip", c.Task, by, r.refuseTask("skip", c.Task, "until %s; want %s at the latest", at(c.Until), at(most)), now)
		}
	}
	if !c.Until.IsZero() && !c.Until.After(now) {
		return r.deny("skip", c.Task, by, r.refuseTask("skip", c.Task, "until %s: that is past", at(c.Until)), now)
	}
	t.Waiver = &Waiver{Reason: c.Reason, Control: c.Control, Until: c.Until, By: by, Asked: now, Before: t.Status}
	r.record(now, timeline.WaiverAsked, by, timeline.F("task", c.Task), timeline.F("reason", c.Reason), timeline.F("control", c.Control),
		timeline.F("until", maybe(c.Until)))
	r.write(WaiverWanted, c.Task, []string{def.Skip.Approver}, "", func(x *Telling) {
		x.By, x.Reason, x.Control, x.Until = by, c.Reason, c.Control, c.Until
	})
	return nil
}

// Check refuses it from whoever may not grant it.
func (c Waive) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("waive", c.Task, Waiting, Held, Ready, Begun, Failed, RolledBack)
	if err != nil {
		return err
	}
	if !t.Waiver.Open() {
		return r.refuseTask("waive", c.Task, "nobody has asked for it")
	}
	if !c.Asked.IsZero() && !c.Asked.Equal(t.Waiver.Asked) {
		return r.refuseTask("waive", c.Task, "another one was asked for at %s: look again", at(t.Waiver.Asked))
	}
	if err := r.wantText("waive", "note", c.Note, !c.Grant); err != nil {
		return err
	}
	return r.wantRole("waive", c.Task, by, c.Capacity, def.Skip.Approver)
}

// Apply grants the waiver or refuses it. Whoever has asked for it may not.
func (c Waive) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, _, _ := r.Task(c.Task)
	w := t.Waiver
	if w.By.ID == by.ID {
		return r.deny("waive", c.Task, by, r.refuseTask("waive", c.Task, "%s has asked for it: want another person", by.Shown()), now)
	}
	w.Approver = by
	if c.Grant {
		w.Granted = now
		r.record(now, timeline.WaiverGranted, by, timeline.F("task", c.Task), timeline.F("note", c.Note), timeline.F("until", maybe(w.Until)))
		r.put(t, Skipped, by, w.Reason, now)
	} else {
		w.Refused = now
		r.record(now, timeline.WaiverRefused, by, timeline.F("task", c.Task), timeline.F("note", c.Note))
	}
	r.write(WaiverDecided, c.Task, nil, w.By.ID, func(x *Telling) { x.By, x.Reason, x.Outcome = by, c.Note, either(c.Grant, "granted", "refused") })
	return nil
}
