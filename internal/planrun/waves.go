package planrun

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/plan"
	"muster/internal/timeline"
)

// parcel divides the targets of a task into waves.
func (r *Run) parcel(t *Task, def plan.Task, now time.Time) {
	all := r.value(def.Waves.Over).List
	size := def.Waves.Size
	if size == 0 {
		size = max(1, (len(all)*def.Waves.Percent+99)/100)
	}
	t.Targets, t.Wave = nil, 1
	for n, name := range all {
		t.Targets = append(t.Targets, Target{Name: name, Wave: n/size + 1, Status: Waiting})
	}
	r.record(now, timeline.WaveBegun, timeline.Muster(), timeline.F("task", t.ID), timeline.F("wave", "1"),
		timeline.F("waves", fmt.Sprint((len(all)+size-1)/size)))
}

// nextWave begins the next wave when the bake of the one before is over.
func (r *Run) nextWave(t *Task, def plan.Task, now time.Time) {
	if def.Waves == nil || t.Steps != nil || t.Until.IsZero() || now.Before(t.Until) || !r.goes() || r.holds(def) {
		return
	}
	t.Until = time.Time{}
	t.Wave++
	r.record(now, timeline.WaveBegun, timeline.Muster(), timeline.F("task", t.ID), timeline.F("wave", fmt.Sprint(t.Wave)))
	if def.Kind == plan.Runbook {
		r.openBook(t, def, now)
		return
	}
	r.tellDoers(TaskReady, t, def)
}

// next is the target of the wave on its way that comes next, -1 when none is left.
func (t *Task) next() int {
	return slices.IndexFunc(t.Targets, func(x Target) bool { return x.Wave == t.Wave && x.Status == Waiting })
}

// wantTarget refuses a target that is not in the wave on its way.
func (r *Run) wantTarget(action string, t *Task, name string) error {
	n := slices.IndexFunc(t.Targets, func(x Target) bool { return x.Name == name })
	switch {
	case n < 0:
		return r.refuseTask(action, t.ID, "no such target %q", name)
	case t.Targets[n].Wave > t.Wave || !t.Until.IsZero():
		return r.refuseTask(action, t.ID, "target %s belongs to wave %d, which has not begun", name, t.Targets[n].Wave)
	case t.Targets[n].Status != Waiting && t.Targets[n].Status != Begun:
		return r.refuseTask(action, t.ID, "target %s is %s already", name, t.Targets[n].Status)
	}
	return nil
}

// targetEnds takes in what came of one target. Too many failures stop the task; a wave that is through lets the next begin after its
// bake.
func (r *Run) targetEnds(t *Task, def plan.Task, name string, s TaskStatus, by timeline.Actor, reason string, now time.Time) {
	n := slices.IndexFunc(t.Targets, func(x Target) bool { return x.Name == name })
	x := &t.Targets[n]
	x.Status, x.By, x.At, x.Reason = s, by.Shown(), now, reason
	r.record(now, timeline.TargetEnded, by, timeline.F("task", t.ID), timeline.F("target", name), timeline.F("state", string(s)),
		timeline.F("wave", fmt.Sprint(x.Wave)), timeline.F("reason", reason))
	failed, left, leftNow := 0, 0, 0
	for _, o := range t.Targets {
		switch {
		case o.Status == Failed:
			failed++
		case o.Status != Done:
			left++
			if o.Wave == t.Wave {
				leftNow++
			}
		}
	}
	switch {
	case failed > def.Waves.MaxErrors:
		r.fail(t, def, by, fmt.Sprintf("%d targets have failed; the plan lets %d", failed, def.Waves.MaxErrors), now)
	case left == 0:
		r.checkOrFinish(t, def, by, "", now)
	case leftNow == 0:
		t.Until = now.Add(def.Waves.Bake)
		r.record(now, timeline.WaveEnded, timeline.Muster(), timeline.F("task", t.ID), timeline.F("wave", fmt.Sprint(t.Wave)),
			timeline.F("until", at(t.Until)))
	}
}
