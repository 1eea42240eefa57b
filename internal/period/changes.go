package period

import (
	"slices"
	"time"

	changes "muster/internal/change"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A ChangeLine is one run of a plan that has begun to change something in the period.
type ChangeLine struct {
	Run         string    `json:"run"`
	Title       Title     `json:"title"`
	Kind        string    `json:"kind"`
	Customer    string    `json:"customer"` // name
	Environment string    `json:"environment"`
	Began       time.Time `json:"began"` // to change something
	Ended       time.Time `json:"ended,omitzero"`
	Status      string    `json:"status"`
	Failed      bool      `json:"failed,omitempty"`
	RolledBack  int       `json:"rolled_back,omitempty"`
	Emergency   bool      `json:"emergency,omitempty"`
	Bundles     []string  `json:"bundles"`
}

// a change is what a run has done to environments.
type change struct {
	began     time.Time
	failed    bool
	emergency bool
	rollbacks []time.Time
}

func changeOf(h held[*planrun.Run]) (x change) {
	for _, e := range h.log.Entries {
		switch e.Kind {
		case timeline.RollbackBegun:
			x.failed, x.rollbacks = true, append(x.rollbacks, e.At)
		case timeline.TaskMoved:
			def, _ := h.state.Plan.Task(e.Fact("task"))
			if !def.Changes {
				continue
			}
			switch e.Fact("to") {
			case string(planrun.Begun):
				if x.began.IsZero() {
					x.began = e.At
				}
				x.emergency = x.emergency || overridden(h.state, def.Environment, e.At)
			case string(planrun.Failed):
				x.failed = true
			}
		default:
		}
	}
	return x
}

// overridden tells whether an environment was changed at an instant only because two people had said so.
func overridden(r *planrun.Run, environment string, at time.Time) bool {
	return slices.ContainsFunc(r.Override, func(o planrun.Override) bool {
		return o.Environment == environment && o.Asked.Approver.ID != "" && !at.Before(o.Asked.From) && at.Before(o.Asked.Until)
	})
}

func planKinds() (all []string) {
	for _, k := range plan.Kinds() {
		all = append(all, string(k))
	}
	return all
}

// countChanges counts the runs of plans that have changed something, in the period in which they began to. One has failed when what
// it changed was rolled back or a task that changes something has failed, whatever came of it in the end.
func (c *counting) countChanges() {
	kinds := tallies{}
	var good, failed, rollbacks, emergency, freezes, windows tally
	for _, h := range c.runs {
		r, x := h.state, changeOf(h)
		for _, o := range r.Override {
			switch {
			case o.Asked.Approver.ID == "" || !c.span.holds(o.Asked.From):
			case o.Asked.Freeze != "":
				freezes.add(1, h.files...)
			default:
				windows.add(1, h.files...)
			}
		}
		for _, at := range x.rollbacks {
			if c.span.holds(at) {
				rollbacks.add(1, h.files...)
			}
		}
		if !c.span.holds(x.began) {
			continue
		}
		kinds.of(string(r.Plan.Kind)).add(1, h.files...)
		if x.failed {
			failed.add(1, h.files...)
		} else {
			good.add(1, h.files...)
		}
		if x.emergency {
			emergency.add(1, h.files...)
		}
		l := ChangeLine{
			Run: string(r.ID), Title: titleOf(r), Kind: string(r.Plan.Kind), Customer: r.CustomerName, Environment: r.Target().Name,
			Began: x.began.UTC(), Status: string(r.Status), Failed: x.failed, RolledBack: len(x.rollbacks), Emergency: x.emergency, Bundles: h.files,
		}
		if r.Over() {
			l.Ended = r.Ended.UTC()
		}
		c.Changes = append(c.Changes, l)
	}
	slices.SortStableFunc(c.Changes, func(a, b ChangeLine) int { return a.Began.Compare(b.Began) })
	c.counts("changes", kinds, planKinds()...)
	c.count("changes.failed", "", &failed)
	c.share("changes.failure-rate", "", &failed, &good)
	c.count("changes.rollbacks", "", &rollbacks)
	c.count("changes.emergency", "", &emergency)
	c.count("overrides.freeze", "", &freezes)
	c.count("overrides.window", "", &windows)
}

// countRequested counts the change requests by what was asked for and how they come to be approved, and the emergencies that became
// exceptions. A use of a standard change that was refused is none.
func (c *counting) countRequested() {
	kinds := map[changes.Kind]*tally{changes.Addition: {}, changes.Changed: {}, changes.Exception: {}}
	var standard, emergency, exceptions tally
	for _, h := range c.requested {
		x := h.state
		exceptions.add(len(h.entries(c.span, timeline.ChangeExcepted)), h.files...)
		if !c.span.holds(x.Opened) || x.Way == changes.Standard && x.Status == changes.Rejected {
			continue
		}
		if k := kinds[x.Kind]; k != nil {
			k.add(1, h.files...)
		}
		switch x.Way {
		case changes.Standard:
			standard.add(1, h.files...)
		case changes.Emergency:
			emergency.add(1, h.files...)
		case changes.Normal:
		}
	}
	for _, k := range changes.Kinds() {
		c.count("change-requests."+string(k), "", kinds[k])
	}
	c.count("change-requests.standard", "", &standard)
	c.count("change-requests.emergency", "", &emergency)
	c.count("change-requests.exceptions", "", &exceptions)
}
