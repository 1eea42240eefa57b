package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/runbook"
)

// MaxEvents is how many events of a history a run may be expected to need: a run is one history from its start to its end.
const MaxEvents = 10_000

// MaxTasks is how many tasks a plan may have.
const MaxTasks = 500

// A Fault is one thing that is wrong with a plan, and where.
type Fault struct {
	Task  string // ID; empty: the plan itself
	Field string // as it is written
	Text  string
}

// Error says it.
func (f Fault) Error() string {
	where := f.Field
	if f.Task != "" {
		where = "task " + f.Task
		if f.Field != "" {
			where += ": " + f.Field
		}
	}
	if where == "" {
		return f.Text
	}
	return where + ": " + f.Text
}

// Check says all that is wrong with a plan whose words have been read: what it names is there, the order can be gone through, whoever
// decides is not who does, and what changes production can be undone.
func (d *Definition) Check() []Fault { return d.CheckBut(nil) }

// CheckBut is Check where some tasks are loose: nobody can say what they are or what they need. Where a task stands in the order is
// judged only as far as no such task, and none that has no place in it, comes before it.
func (d *Definition) CheckBut(loose map[string]bool) []Fault {
	c := &checker{d: d, tasks: d.All()}
	c.frame()
	for n := range c.tasks {
		c.task(&c.tasks[n])
	}
	lost := map[string]bool{}
	for _, f := range c.faults {
		lost[f.Task] = lost[f.Task] || f.Field == "needs"
	}
	g, circled := d.graph(), map[string]bool{}
	for circle := d.cycle(circled); circle != nil; circle = d.cycle(circled) {
		c.fault(circle[0], "needs", "they wait for each other: %s", strings.Join(append(circle, circle[0]), " → "))
		for _, id := range circle {
			circled[id] = true
		}
	}
	placed := func(id string) bool { return !loose[id] && !lost[id] && !circled[id] }
	for n := range c.tasks {
		if placed(c.tasks[n].ID) && !slices.ContainsFunc(g.before(n), func(id string) bool { return !placed(id) }) {
			c.order(&c.tasks[n], g, n)
		}
	}
	if len(c.faults) > 0 { // what is counted has to be there
		return c.faults
	}
	if events := d.Events(); events > MaxEvents {
		c.fault("", "phases", "about %d events of a history; want %d at most: split the plan, or remind less often", events, MaxEvents)
	}
	return c.faults
}

type checker struct {
	d      *Definition
	tasks  []Task
	faults []Fault
}

func (c *checker) fault(task, field, format string, args ...any) {
	c.faults = append(c.faults, Fault{task, field, fmt.Sprintf(format, args...)})
}

// frame checks what stands around the tasks.
func (c *checker) frame() {
	d := c.d
	if len(d.Environments) == 0 {
		c.fault("", "environments", "none; want at least the one that is worked on")
	}
	if len(c.tasks) == 0 {
		c.fault("", "phases", "no tasks; want at least one")
	}
	if len(c.tasks) > MaxTasks {
		c.fault("", "phases", "%d tasks; want %d at most", len(c.tasks), MaxTasks)
	}
	for _, r := range d.Roles {
		if r.FilledBy != "" {
			c.param("", "roles", r.FilledBy, TextType)
		}
	}
	c.role("", "lead", d.Lead)
	c.vote("", "re_plan", &d.RePlan)
}

func (c *checker) role(task, field, id string) {
	if _, ok := c.d.Role(id); !ok {
		c.fault(task, field, "no such role %q", id)
	}
}

func (c *checker) roles(task, field string, ids []string) {
	for _, id := range ids {
		if id != "" { // that one is missing, which is a fault of its own
			c.role(task, field, id)
		}
	}
}

func (c *checker) param(task, field, id string, types ...ParameterType) {
	n := slices.IndexFunc(c.d.Parameters, func(p Parameter) bool { return p.ID == id })
	switch {
	case n < 0:
		c.fault(task, field, "no such parameter %q", id)
	case !slices.Contains(types, c.d.Parameters[n].Type):
		c.fault(task, field, "parameter %q is a %s; want a %s", id, c.d.Parameters[n].Type, types[0])
	case c.d.Parameters[n].Optional && c.d.Parameters[n].Default == "":
		c.fault(task, field, "parameter %q may be empty; want one that is always given", id)
	}
}

// task checks a task by itself.
func (c *checker) task(t *Task) {
	for _, err := range t.Assignment.Check() {
		c.fault(t.ID, "raci", "%s", err)
	}
	c.roles(t.ID, "raci", t.Assignment.Roles())
	for _, id := range t.Needs {
		if _, ok := c.d.Task(id); !ok {
			c.fault(t.ID, "needs", "no such task %q", id)
		}
	}
	if t.Environment != "" && !slices.ContainsFunc(c.d.Environments, func(e Environment) bool { return e.ID == t.Environment }) {
		c.fault(t.ID, "environment", "no such environment %q", t.Environment)
	}
	switch {
	case t.Changes && c.d.Apart:
		c.fault(t.ID, "changes", "the plan stands apart, so nothing of it changes an environment")
	case t.Changes && t.Environment == "":
		c.fault(t.ID, "environment", "missing: it changes one")
	case t.Changes && t.Kind != Manual && t.Kind != Runbook:
		c.fault(t.ID, "changes", "a %s changes nothing; want a manual task or a runbook", t.Kind)
	case !t.Changes && t.Overrun != "":
		c.fault(t.ID, "overrun", "it changes no environment, so no window holds for it")
	case !t.Changes && t.Rollback != nil:
		c.fault(t.ID, "rollback", "it changes no environment, so there is nothing to roll back")
	}
	c.due(t)
	c.evidence(t)
	if e := t.Escalate; e != nil {
		if len(e.To) == 0 {
			c.fault(t.ID, "escalate", "nobody; want at least one role")
		}
		c.roles(t.ID, "escalate", e.To)
	}
	if (t.Escalate != nil || len(t.Remind) > 0) && t.Due == nil {
		c.fault(t.ID, "due", "missing: reminders and the escalation count from it")
	}
	if s := t.Skip; s != nil {
		c.role(t.ID, "skip", s.Approver)
		if t.Kind == Approval || t.Kind == Decision {
			c.fault(t.ID, "skip", "an approval is given or not, and never skipped")
		}
		if slices.Contains(t.Doers(), s.Approver) {
			c.fault(t.ID, "skip", "%s does the task and may not let it be skipped", s.Approver)
		}
	}
	if w := t.Waves; w != nil {
		c.waves(t, w)
	}
	c.content(t)
}

func (c *checker) due(t *Task) {
	d := t.Due
	if d == nil {
		return
	}
	switch {
	case (d.Within > 0) == (d.Days > 0) && (d.Date == "" || d.Within < 0 || d.Days < 0 || d.Within > 0):
		c.fault(t.ID, "due", "want either a time or a number of working days")
	case d.After != "" && d.Date != "":
		c.fault(t.ID, "due", "after a task and from a date; want one of them")
	case d.Before && d.Date == "":
		c.fault(t.ID, "due", "before, and no date; want one")
	}
	if d.Date != "" {
		c.param(t.ID, "due", d.Date, DateType, InstantType)
	}
	if d.After != "" {
		if _, ok := c.d.Task(d.After); !ok {
			c.fault(t.ID, "due", "no such task %q", d.After)
		}
	}
}

func (c *checker) evidence(t *Task) {
	for n, e := range t.Evidence {
		if slices.ContainsFunc(t.Evidence[:n], func(x Evidence) bool { return x.ID == e.ID }) {
			c.fault(t.ID, "evidence", "%q is named twice", e.ID)
		}
		if e.CheckedBy == "" {
			continue
		}
		c.role(t.ID, "evidence", e.CheckedBy)
		if slices.Contains(t.Doers(), e.CheckedBy) {
			c.fault(t.ID, "evidence", "%s does the task and may not check its evidence", e.CheckedBy)
		}
	}
	if t.ActionItems && (t.Kind != Manual || t.Waves != nil) {
		c.fault(t.ID, "action_items", "want a manual task without waves, which somebody completes")
	}
	if len(t.Evidence) > 0 && t.Kind != Manual && t.Kind != Runbook {
		c.fault(t.ID, "evidence", "a %s shows itself what came of it; want it on a manual task or a runbook", t.Kind)
	}
}

func (c *checker) waves(t *Task, w *Waves) {
	c.param(t.ID, "waves", w.Over, ListType)
	switch {
	case t.Kind != Manual && t.Kind != Runbook:
		c.fault(t.ID, "waves", "want a manual task or a runbook")
	case (w.Size > 0) == (w.Percent > 0) || w.Percent > 100:
		c.fault(t.ID, "waves", "want either a size of at least 1 or a percentage of 1 to 100")
	case w.MaxErrors < 0 || w.Bake < 0:
		c.fault(t.ID, "waves", "want no less than 0 errors, and no negative time")
	}
}

// content checks what belongs to the kind of a task.
func (c *checker) content(t *Task) {
	want := func(field string, has bool, kinds ...TaskKind) {
		switch right := slices.Contains(kinds, t.Kind); {
		case has && !right:
			c.fault(t.ID, field, "a %s has none", t.Kind)
		case !has && right:
			c.fault(t.ID, field, "missing")
		}
	}
	want("vote", t.Vote != nil, Approval, Decision)
	want("runs", t.Runs != "", Runbook)
	want("tell", len(t.Tell) > 0, Notify)
	want("message", !t.Message.Empty(), Notify)
	want("writes", t.Writes != "", Report)
	if t.Vote != nil {
		c.vote(t.ID, "vote", t.Vote)
	}
	for _, id := range t.Shows {
		if _, ok := c.d.Task(id); !ok {
			c.fault(t.ID, "shows", "no such task %q", id)
		}
	}
	if len(t.Shows) > 0 && t.Vote == nil {
		c.fault(t.ID, "shows", "nobody votes on it")
	}
	c.roles(t.ID, "tell", t.Tell)
	if t.Check != nil {
		c.check(t, t.Check)
	}
	switch lengths := truths(t.For > 0, t.Until != "", t.Window); {
	case t.Kind == Checking && t.Check == nil:
		c.fault(t.ID, "check", "missing")
	case t.Kind != Checking && t.Kind != Wait && t.Check != nil:
		c.fault(t.ID, "check", "a %s has none", t.Kind)
	case t.Kind == Wait && lengths != 1:
		c.fault(t.ID, "wait", "want exactly one of a time, a date and the next window")
	case t.Kind != Wait && lengths > 0:
		c.fault(t.ID, "wait", "a %s does not wait", t.Kind)
	case t.Until != "":
		c.param(t.ID, "until", t.Until, DateType, InstantType)
	case t.Window && t.Environment == "":
		c.fault(t.ID, "environment", "missing: it waits until one may be changed")
	}
}

func truths(all ...bool) int {
	n := 0
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}

func (c *checker) check(t *Task, k *Check) {
	switch {
	case truths(k.HTTP != "", len(k.Command) > 0, k.Query != "", k.Documents != "") != 1:
		c.fault(t.ID, "check", "want exactly one of an address, a command, a query and documents of a service")
	case k.Documents != "" && (t.Kind != Checking || k.Timeout != 0):
		c.fault(t.ID, "check", "documents are looked at once, and at once; want a task of kind check, without timeout")
	case (k.Query == "") != (k.Passes == nil):
		c.fault(t.ID, "check", "a query and what its value must be belong together")
	case k.Documents == "" && k.Timeout < time.Second || k.Timeout > runbook.MaxTimeout:
		c.fault(t.ID, "check", "timeout: %s; want 1s to %s", k.Timeout, runbook.MaxTimeout)
	case t.Kind == Wait && k.Every <= 0:
		c.fault(t.ID, "check", "every: missing: it is repeated while the time passes")
	case t.Kind == Wait && t.For == 0:
		c.fault(t.ID, "check", "want a wait of a set time")
	case t.Kind == Checking && k.Every > 0:
		c.fault(t.ID, "check", "every: it measures once; want a wait")
	case k.OnFail == GoOn && t.Kind == Wait:
		c.fault(t.ID, "check", "on_fail: a bake that nothing stops shows nothing")
	}
	if (k.OnFail == RollBackAll || k.OnUnclear == RollBackAll) && t.Environment == "" {
		c.fault(t.ID, "environment", "missing: what was changed in it is rolled back")
	}
}

func (c *checker) vote(task, field string, r *approval.Rule) {
	for _, err := range r.Check() {
		c.fault(task, field, "%s", err)
	}
	for _, v := range r.Voters {
		c.role(task, field, v.Role)
		if role, ok := c.d.Role(v.Role); ok && role.Party != v.Party {
			c.fault(task, field, "%s belongs to the %s", v.Role, role.Party)
		}
	}
}

// order checks a task among those before it.
func (c *checker) order(t *Task, g graph, n int) {
	before := g.before(n)
	if t.Due != nil && t.Due.After != "" && t.Due.After != t.ID && !slices.Contains(before, t.Due.After) {
		c.fault(t.ID, "due", "%s does not come before it", t.Due.After)
	}
	for _, id := range t.Shows {
		if !slices.Contains(before, id) {
			c.fault(t.ID, "shows", "%s does not come before it", id)
		}
	}
	if t.Due != nil {
		c.present(t, "due", t.Due.After)
	}
	if t.Rollback != nil {
		c.present(t, "rollback", t.Rollback.Rehearsed)
	}
	if t.Changes {
		c.separate(t, g, n)
	}
	env := c.d.environment(t.Environment)
	if !t.Changes || !env.Production {
		return
	}
	switch r := t.Rollback; {
	case r == nil:
		c.fault(t.ID, "rollback", "missing: it changes production")
	case r.Within <= 0:
		c.fault(t.ID, "rollback", "within: missing")
	case r.Runs == "" && r.Detail.Empty():
		c.fault(t.ID, "rollback", "want a runbook, or what is to be done")
	case r.Rehearsed == "":
		c.fault(t.ID, "rollback", "rehearsed: missing: it must have been tried before production is changed")
	case !slices.Contains(before, r.Rehearsed):
		c.fault(t.ID, "rollback", "rehearsed: %q does not come before it", r.Rehearsed)
	default:
		tried, _ := c.d.Task(r.Rehearsed)
		if c.d.environment(tried.Environment).Production {
			c.fault(t.ID, "rollback", "rehearsed: %q is in production itself", r.Rehearsed)
		}
		if len(tried.Evidence) == 0 {
			c.fault(t.ID, "rollback", "rehearsed: %q leaves no evidence", r.Rehearsed)
		}
	}
	if !slices.ContainsFunc(before, func(id string) bool {
		g, _ := c.d.Task(id)
		return g.Kind == Approval || g.Kind == Decision
	}) {
		c.fault(t.ID, "needs", "nobody approves it: it changes production")
	}
}

// present asks that a task that another one counts on is not left out where that one stays.
func (c *checker) present(t *Task, field, id string) {
	if other, _ := c.d.Task(id); other.When != "" && other.When != t.When {
		c.fault(t.ID, field, "%s may be left out; want a task that is always there, or the same condition on both", id)
	}
}

// separate asks that whoever votes on a change is not who makes it: by role, for a party may own both. The vote is the last one
// before the change, whatever else stands between.
func (c *checker) separate(t *Task, g graph, n int) {
	votes := func(n int) bool { return g.tasks[n].Vote != nil }
	for m, seen := range g.back(n, votes) {
		if !seen || !votes(m) {
			continue
		}
		for _, v := range g.tasks[m].Vote.Voters {
			if slices.Contains(t.Doers(), v.Role) {
				c.fault(g.tasks[m].ID, "vote", "%s does %s and may not vote on it", v.Role, t.ID)
			}
		}
	}
}

func (d *Definition) environment(id string) Environment {
	for _, e := range d.Environments {
		if e.ID == id {
			return e
		}
	}
	return Environment{}
}
