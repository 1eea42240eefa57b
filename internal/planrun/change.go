package planrun

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// A Change is a new revision of the plan of a running run, on its way to being approved.
type Change struct {
	By      timeline.Actor   `json:"by"`
	Reason  string           `json:"reason"`
	Asked   time.Time        `json:"asked"`
	Next    Pinned           `json:"next"`
	Diff    []plan.Change    `json:"diff"`
	Ballot  *approval.Ballot `json:"ballot"`
	Polling bool             `json:"polling,omitempty"`
	PollAt  time.Time        `json:"poll_at,omitzero"`
	Tries   int              `json:"tries,omitempty"` // in a row that have not found out who may vote
}

// RePlan asks that the run goes on under a new revision of its plan.
type RePlan struct {
	Capacity
	Next   Pinned `json:"next"`
	Reason string `json:"reason"`
}

// Check refuses a revision that does not fit what has been done.
func (c RePlan) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("re-plan", Running, Halted); err != nil {
		return err
	}
	if r.Change != nil {
		return r.refuse("re-plan", "%s has asked for a change already, and it is being voted on", r.Change.By.Shown())
	}
	if err := r.wantText("re-plan", "reason", c.Reason, true); err != nil {
		return err
	}
	if err := r.wantRole("re-plan", "", by, c.Capacity, r.Plan.Lead); err != nil {
		return err
	}
	if wrong := r.fits(&c.Next); len(wrong) > 0 {
		return r.refuse("re-plan", "%s", strings.Join(wrong, "; "))
	}
	return nil
}

// fits says all that keeps a revision from being applied to what has been done.
func (r *Run) fits(next *Pinned) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if next.SHA256 == r.SHA256 && next.ParametersID == r.ParametersID {
		add("nothing differs from the plan that runs")
	}
	if next.Plan.Kind != r.Plan.Kind || next.Plan.ID != r.Plan.ID {
		add("it is the plan %s (%s); want %s (%s)", next.Plan.ID, next.Plan.Kind, r.Plan.ID, r.Plan.Kind)
	}
	if !slices.EqualFunc(next.Plan.Environments, r.Plan.Environments, func(a, b plan.Environment) bool {
		return a.ID == b.ID && a.Production == b.Production
	}) {
		add("environments: they stay as they are")
	}
	faults := next.Plan.Check()
	for _, f := range faults {
		wrong = append(wrong, f.Error())
	}
	if len(faults) == 0 {
		wrong = append(wrong, next.lacks()...)
	}
	for _, t := range r.Tasks {
		was, _ := r.Plan.Task(t.ID)
		is, there := next.Plan.Task(t.ID)
		switch begun := !t.Begun.IsZero() || t.Status.Ended(); {
		case !begun && !t.Touched.IsZero() && (!there || was.Rollback != nil && is.Rollback == nil):
			add("task %s: it has changed %s and stays in the plan, with its rollback", t.ID, was.Environment)
		case !begun:
		case !there:
			add("task %s: it is %s and stays in the plan", t.ID, t.Status)
		case is.SHA256 != was.SHA256:
			add("task %s: it is %s and stays as it is", t.ID, t.Status)
		}
	}
	for _, is := range next.Plan.All() {
		for _, id := range is.Needs {
			if t := r.task(is.ID); t != nil && t.Status.Ended() && r.task(id) == nil {
				add("task %s: it is %s and cannot need the new task %s", is.ID, t.Status, id)
			}
		}
	}
	return wrong
}

// Apply lets those vote on it whom the plan names for that.
func (c RePlan) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.Change = &Change{By: by, Reason: c.Reason, Asked: now, Next: c.Next, Diff: plan.Diff(&r.Plan, &c.Next.Plan)}
	r.record(now, timeline.ChangeAsked, by, timeline.F("reason", c.Reason), timeline.F("sha256", c.Next.SHA256),
		timeline.F("changes", shownDiff(r.Change.Diff)))
	r.pollChange()
	return nil
}

// ChangeLines are what the voters on a change are shown: the new revision, and the one that it replaces.
func (r *Run) ChangeLines() []approval.Line {
	n := &r.Change.Next
	return []approval.Line{{Name: "plan", SHA256: n.SHA256}, {Name: "parameters", SHA256: n.ParametersID}, {Name: "plan so far", SHA256: r.SHA256}}
}

// shownDiff names what a revision changes, in few words.
func shownDiff(diff []plan.Change) string {
	var parts []string
	for _, d := range diff {
		if part := string(d.Kind) + " " + d.Task; !slices.Contains(parts, part) { // several fields of one task
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// describeChange says what is voted on when the plan is to be changed.
func (r *Run) describeChange(x *Telling) {
	c, rule := r.Change, r.Plan.RePlan
	x.By, x.Reason, x.Revision = c.By, c.Reason, c.Diff[:min(len(c.Diff), most)]
	x.Choices, x.Silence = rule.Choices(), rule.OnExpiry
}

func (r *Run) pollChange() {
	r.Change.Polling = true
	r.begin(Work{Do: FindVoters, Roles: voters(r.Plan.RePlan)})
}

// ElectedChange takes in who may vote on a change of the plan. With a detail it is not known.
func (r *Run) ElectedChange(people []approval.Elector, detail string, now time.Time) {
	c := r.Change
	if c == nil || !c.Polling {
		return
	}
	c.Polling = false
	e := approval.Electorate{Requester: c.By.ID, Electors: people}
	var err error
	switch {
	case detail != "":
		err = errors.New(detail)
	case c.Ballot != nil:
		were := c.Ballot.Electors
		if err = c.Ballot.Resolve(e, now); err == nil {
			r.askNewcomers(ChangeWanted, "", were, c.Ballot)
		}
	default:
		if c.Ballot, err = approval.Open(r.Plan.RePlan, e, shown(r.ChangeLines()), now); err == nil {
			r.askVotes(ChangeWanted, "", voters(r.Plan.RePlan), "")
		}
	}
	if err != nil {
		c.Tries++
		c.PollAt = now.Add(later(c.Tries))
		r.Timeline.Repeat(now, timeline.VotersUnknown, timeline.Muster(), timeline.F("detail", err.Error()))
		return
	}
	c.PollAt, c.Tries = now.Add(pollEvery), 0
}

func (r *Run) changeDue(due func(time.Time)) {
	if c := r.Change; c != nil && !c.Polling {
		due(c.PollAt)
	}
}

// decideChange goes on under the new revision once it is approved.
func (r *Run) decideChange(now time.Time) {
	c := r.Change
	if c == nil {
		return
	}
	if !c.Polling && !c.PollAt.IsZero() && !now.Before(c.PollAt) {
		r.pollChange()
	}
	if c.Ballot == nil {
		return
	}
	// Where too few may vote it is refused: the plan can be written so that more may.
	if v := c.Ballot.Outcome.Verdict; !v.Final() && v != approval.Impossible {
		return
	}
	approved, outcome := c.Ballot.Outcome.Verdict.Approves(), string(c.Ballot.Outcome.Verdict)
	if wrong := r.fits(&c.Next); approved && len(wrong) > 0 { // something was done while they voted
		approved, outcome = false, "it no longer fits: "+strings.Join(wrong, "; ")
	}
	rule := r.Plan.RePlan
	r.record(now, timeline.ChangeDecided, decider(c.Ballot), timeline.F("result", either(approved, "applied", "refused")),
		timeline.F("outcome", outcome), timeline.F("sha256", c.Next.SHA256))
	r.Change = nil
	if approved {
		r.apply(c, now)
	}
	r.write(ChangeDecided, "", r.with(voters(rule)...), "", func(x *Telling) { x.By, x.Outcome = decider(c.Ballot), outcome })
}

// apply goes on under another revision: what was done stays done.
func (r *Run) apply(c *Change, now time.Time) {
	r.Pinned, r.defs = c.Next, nil
	r.Revised++
	var tasks []Task
	for _, def := range r.Plan.All() {
		if t := r.task(def.ID); t != nil {
			tasks = append(tasks, *t)
			continue
		}
		tasks = append(tasks, Task{ID: def.ID, Status: Waiting, Since: now, Attempt: 1})
	}
	r.Tasks = tasks
	for n := range r.Tasks { // when those are due that have not begun may have changed
		if t := &r.Tasks[n]; t.Begun.IsZero() && !t.Status.Ended() {
			t.DueAsked, t.Due, t.Reminded, t.Overdue, t.Escalated = false, time.Time{}, 0, false, false
			if t.Status == Ready || t.Status == Held {
				def, _ := r.Plan.Task(t.ID)
				if r.needs(def) != "" {
					r.put(t, Waiting, timeline.Muster(), "the plan has changed", now)
				}
			}
		}
	}
	r.reshow(now)
}
