package planrun

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/approval"
	"muster/internal/plan"
	"muster/internal/timeline"
)

// MaxText bounds what a person writes at once, in bytes.
const MaxText = 4_000

const (
	maxTimeline = 1 << 20 // bytes of a timeline that still takes notes
	maxRefusals = 200     // that are recorded
	maxEvidence = 50      // of one task
)

// A Capacity is in which roles of the plan somebody acts, as it was found when they asked: it is never what they say of themselves.
type Capacity struct {
	Roles    []string `json:"roles"`
	Revision string   `json:"revision"` // of the organisation folder that says so
}

// In returns the capacity.
func (c Capacity) In() Capacity { return c }

func (c Capacity) has(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(c.Roles, role) })
}

// A Command is something that a person asks of a run. Check refuses what cannot be done and changes nothing; Apply does what Check
// allows, and what it refuses stands in the timeline.
type Command interface {
	In() Capacity
	Check(r *Run, by timeline.Actor) error
	Apply(r *Run, by timeline.Actor, now time.Time) error
}

// The commands.
type (
	// Assign asks a person to do a task.
	Assign struct {
		Capacity
		Task   string         `json:"task"`
		Person timeline.Actor `json:"person"`
		Note   string         `json:"note,omitempty"`
	}
	// Begin begins a task.
	Begin struct {
		Capacity
		Task string `json:"task"`
	}
	// Complete says that a task, or one target of it, is done.
	Complete struct {
		Capacity
		Task     string  `json:"task"`
		Target   string  `json:"target,omitempty"`
		Evidence []Given `json:"evidence,omitempty"`
		Note     string  `json:"note,omitempty"`
	}
	// Fail says that a task, or one target of it, cannot be done.
	Fail struct {
		Capacity
		Task   string `json:"task"`
		Target string `json:"target,omitempty"`
		Reason string `json:"reason"`
	}
	// CheckEvidence says whether the evidence of a task shows that it was done.
	CheckEvidence struct {
		Capacity
		Task string `json:"task"`
		OK   bool   `json:"ok"`
		Note string `json:"note,omitempty"`
	}
	// AddEvidence shows more of a task that has ended, or newer.
	AddEvidence struct {
		Capacity
		Task     string  `json:"task"`
		Evidence []Given `json:"evidence"`
	}
	// Skip asks for a waiver: the task is not done for the time being.
	Skip struct {
		Capacity
		Task    string    `json:"task"`
		Reason  string    `json:"reason"`
		Control string    `json:"control"`
		Until   time.Time `json:"until,omitzero"`
	}
	// Waive grants or refuses a waiver.
	Waive struct {
		Capacity
		Task  string `json:"task"`
		Grant bool   `json:"grant"`
		Note  string `json:"note,omitempty"`
		// Asked is when what is decided was asked for; zero: whatever waits.
		Asked time.Time `json:"asked,omitzero"`
	}
	// Retry lets a task that has failed be done anew.
	Retry struct {
		Capacity
		Task   string `json:"task"`
		Reason string `json:"reason"`
	}
	// Settle says what has become of something of which only a person can know.
	Settle struct {
		Capacity
		Task   string     `json:"task"`
		Status TaskStatus `json:"status"` // done, failed, or begun: it is tried again
		Reason string     `json:"reason"`
	}
	// Halt lets nothing new begin.
	Halt struct {
		Capacity
		Reason string `json:"reason"`
	}
	// Continue ends a halt. After a rollback, what was rolled back is done anew.
	Continue struct {
		Capacity
		Reason string `json:"reason"`
	}
	// RollBack undoes what was changed in an environment.
	RollBack struct {
		Capacity
		Environment string `json:"environment"`
		Reason      string `json:"reason"`
	}
	// SettleUndo says what has become of the rollback of a component.
	SettleUndo struct {
		Capacity
		Task  string    `json:"task"`
		State UndoState `json:"state"` // done, failed, running: it is tried again, fixed-forward
		Note  string    `json:"note"`
	}
	// AskOverride asks that an environment may be changed although it may not.
	AskOverride struct {
		Capacity
		Environment string    `json:"environment"`
		Freeze      string    `json:"freeze,omitempty"` // ID; empty: outside every window
		Reason      string    `json:"reason"`
		Until       time.Time `json:"until"`
	}
	// ConfirmOverride agrees to that, or does not.
	ConfirmOverride struct {
		Capacity
		Environment string `json:"environment"`
		Grant       bool   `json:"grant"`
		Note        string `json:"note,omitempty"`
		// Asked is when what is decided was asked for; zero: whatever waits.
		Asked time.Time `json:"asked,omitzero"`
	}
	// Cancel ends the run.
	Cancel struct {
		Capacity
		Reason string `json:"reason"`
	}
	// Note writes into the timeline.
	Note struct {
		Capacity
		Task string `json:"task,omitempty"`
		Text string `json:"text"`
	}
)

func (r *Run) refuse(action, format string, args ...any) error {
	return fmt.Errorf("%s %s: %s", action, r.ID, fmt.Sprintf(format, args...))
}

func (r *Run) refuseTask(action, task, format string, args ...any) error {
	return fmt.Errorf("%s task %s of %s: %s", action, task, r.ID, fmt.Sprintf(format, args...))
}

// stands tells the loser of a race where the run stands and who has brought it there.
func (r *Run) stands(action string) error {
	return r.refuse(action, "it is %s since %s by %s", r.Status, at(r.Since), r.By.Shown())
}

func (r *Run) wantRun(action string, statuses ...Status) error {
	if !slices.Contains(statuses, r.Status) {
		return r.stands(action)
	}
	return nil
}

// wantTask finds a task that stands where it must for an action.
func (r *Run) wantTask(action, id string, statuses ...TaskStatus) (*Task, plan.Task, error) {
	if r.Over() {
		return nil, plan.Task{}, r.stands(action)
	}
	t, def, ok := r.Task(id)
	if !ok {
		for _, a := range r.Absent {
			if a.ID == id {
				return nil, def, r.refuseTask(action, id, "it does not belong to this run, because %s does not hold", a.When)
			}
		}
		return nil, def, r.refuseTask(action, id, "there is none")
	}
	if !slices.Contains(statuses, t.Status) {
		since := ""
		if t.By.ID != "" {
			since = " by " + t.By.Shown()
		}
		more := ""
		if t.Status == Held {
			more = ": " + r.obstacle(def.Environment)
			if next := r.look(def.Environment).Next; !next.IsZero() {
				more += "; it may be changed next at " + at(next)
			}
		}
		return t, def, r.refuseTask(action, id, "it is %s since %s%s%s", t.Status, at(t.Since), since, more)
	}
	return t, def, nil
}

func (r *Run) wantText(action, name, text string, required bool) error {
	switch {
	case required && strings.TrimSpace(text) == "":
		return r.refuse(action, "%s: missing", name)
	case len(text) > MaxText:
		return r.refuse(action, "%s: %d bytes; want %d at most", name, len(text), MaxText)
	}
	return nil
}

// wantRole refuses whoever fills none of the roles.
func (r *Run) wantRole(action, task string, by timeline.Actor, c Capacity, roles ...string) error {
	if c.has(roles...) {
		return nil
	}
	names := make([]string, len(roles))
	for n, id := range roles {
		role, _ := r.Plan.Role(id)
		names[n] = fmt.Sprintf("%s (%s)", role.Name.En, id)
	}
	if task == "" {
		return r.refuse(action, "%s may not; want %s", by.Shown(), strings.Join(names, " or "))
	}
	return r.refuseTask(action, task, "%s may not; want %s", by.Shown(), strings.Join(names, " or "))
}

// wantDoer refuses whoever does not do a task: when a person was asked to, it is that person, and no machine of that name.
func (r *Run) wantDoer(action string, t *Task, def plan.Task, by timeline.Actor, c Capacity) error {
	if t.Person.ID != "" {
		if t.Person.ID == by.ID && by.Kind == timeline.Person {
			return nil
		}
		return r.refuseTask(action, t.ID, "%s was asked to do it, not %s", t.Person.Shown(), by.Shown())
	}
	return r.wantRole(action, t.ID, by, c, def.Doers()...)
}

// deny records that somebody has tried what they may not: what another person has to do, or what may not be done now.
func (r *Run) deny(action, task string, by timeline.Actor, why error, now time.Time) error {
	if r.Refusals++; r.Refusals <= maxRefusals {
		r.Timeline.Repeat(now, timeline.ActionRefused, by, timeline.F("action", action), timeline.F("task", task), timeline.F("reason", why.Error()))
	}
	return why
}

// voted are the people who have voted on a change that a task makes, or in whose place somebody has.
func (r *Run) voted(def plan.Task) (people []string) {
	if !def.Changes {
		return nil
	}
	for _, id := range r.Plan.Gates(def.ID) {
		g := r.task(id)
		if g == nil || g.Ballot == nil {
			continue
		}
		for _, v := range g.Ballot.Votes {
			if v.Fate == approval.Counted {
				people = append(people, v.By, v.For)
			}
		}
	}
	return people
}

func (r *Run) wantSeparate(action string, t *Task, def plan.Task, by timeline.Actor) error {
	if slices.Contains(r.voted(def), by.ID) {
		return r.refuseTask(action, t.ID, "%s has voted on it: want another person", by.Shown())
	}
	return nil
}

// wantNeeds refuses a task that waits once more for what has ended before: a waiver has expired, or evidence is checked anew.
func (r *Run) wantNeeds(action string, def plan.Task) error {
	if id := r.needs(def); id != "" {
		return r.refuseTask(action, def.ID, "it needs %s, which is %s", id, r.task(id).Status)
	}
	return nil
}

// Check refuses it from whoever does not answer for the task.
func (c Assign) Check(r *Run, by timeline.Actor) error {
	_, def, err := r.wantTask("assign", c.Task, Waiting, Held, Ready, Begun, InCheck, Unclear, Failed, RolledBack)
	if err != nil {
		return err
	}
	if c.Person.ID == "" {
		return r.refuseTask("assign", c.Task, "person: missing")
	}
	if def.Vote != nil {
		return r.refuseTask("assign", c.Task, "people vote on it: a voter names a substitute instead")
	}
	if err := r.wantText("assign", "note", c.Note, false); err != nil {
		return err
	}
	return r.wantRole("assign", c.Task, by, c.Capacity, r.with(def.Accountable)...)
}

// Apply asks that person.
func (c Assign) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	t.Person = c.Person
	r.record(now, timeline.TaskAssigned, by, timeline.F("task", c.Task), timeline.F("person", c.Person.Shown()), timeline.F("note", c.Note))
	if t.Status == Ready || t.Status == Begun {
		r.tellDoers(TaskReady, t, def)
	}
	return nil
}

// Check refuses it before the task is ready, while its environment may not be changed, and from whoever does not do it.
func (c Begin) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("begin", c.Task, Ready)
	if err == nil {
		err = r.wantRun("begin", Running)
	}
	if err == nil {
		err = r.wantNeeds("begin", def)
	}
	if err != nil {
		return err
	}
	return r.wantDoer("begin", t, def, by, c.Capacity)
}

// Apply begins it.
func (c Begin) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if err := r.wantSeparate("begin", t, def, by); err != nil {
		return r.deny("begin", c.Task, by, err, now)
	}
	if def.Changes {
		lock, l := r.lock(def.Environment), r.look(def.Environment)
		if lock == nil || !lock.Held || !l.Open || !l.Until.IsZero() && !now.Before(l.Until) {
			return r.deny("begin", c.Task, by, r.refuseTask("begin", c.Task, "its environment may not be changed now"), now)
		}
	}
	r.put(t, Begun, by, "", now)
	t.hand(by)
	r.set(t, def, now)
	return nil
}

// Check refuses it from whoever does not do the task, and without the evidence that is wanted.
func (c Complete) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("complete", c.Task, Ready, Begun)
	if err != nil {
		return err
	}
	switch {
	case def.Kind != plan.Manual:
		return r.refuseTask("complete", c.Task, "it is a %s: nobody completes it by hand", def.Kind)
	case t.Status == Ready && r.Status != Running:
		return r.stands("complete")
	case t.Status == Ready && (def.Changes || def.Waves != nil):
		return r.refuseTask("complete", c.Task, "it has not begun")
	}
	if t.Status == Ready {
		if err := r.wantNeeds("complete", def); err != nil {
			return err
		}
	}
	if err := r.wantText("complete", "note", c.Note, false); err != nil {
		return err
	}
	if err := r.wantDoer("complete", t, def, by, c.Capacity); err != nil {
		return err
	}
	if def.Waves != nil || c.Target != "" {
		return r.wantTarget("complete", t, c.Target)
	}
	if err := r.wantEvidence("complete", t, def, c.Evidence); err != nil {
		return err
	}
	for _, e := range def.Evidence {
		has := func(g Given) bool { return g.Item == e.ID && g.Returned.IsZero() }
		if !slices.ContainsFunc(c.Evidence, has) && !slices.ContainsFunc(t.Evidence, has) {
			return r.refuseTask("complete", c.Task, "evidence %s: missing; want: %s", e.ID, e.What.En)
		}
	}
	return r.wantItems("complete", t, def, c.Note)
}

// wantEvidence refuses evidence of something that is not wanted, and what says nothing.
func (r *Run) wantEvidence(action string, t *Task, def plan.Task, given []Given) error {
	if len(t.Evidence)+len(given) > maxEvidence {
		return r.refuseTask(action, t.ID, "evidence: %d pieces; want %d at most", len(t.Evidence)+len(given), maxEvidence)
	}
	for _, g := range given {
		switch {
		case !slices.ContainsFunc(def.Evidence, func(e plan.Evidence) bool { return e.ID == g.Item }):
			return r.refuseTask(action, t.ID, "evidence %q: not wanted; want %s", g.Item, strings.Join(items(def), ", "))
		case strings.TrimSpace(g.Ref) == "" || len(g.Ref) > MaxText || len(g.Note) > MaxText:
			return r.refuseTask(action, t.ID, "evidence %s: want where it is, in %d bytes at most", g.Item, MaxText)
		case g.SHA256 != "" && (len(g.SHA256) != 64 || strings.Trim(g.SHA256, "0123456789abcdef") != ""):
			return r.refuseTask(action, t.ID, "evidence %s: sha256: want 64 hexadecimal digits", g.Item)
		}
	}
	return nil
}

func items(def plan.Task) []string {
	ids := make([]string, len(def.Evidence))
	for n, e := range def.Evidence {
		ids[n] = e.ID
	}
	return ids
}

// Apply takes the evidence, and ends the task unless somebody has to check it.
func (c Complete) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if err := r.wantSeparate("complete", t, def, by); err != nil {
		return r.deny("complete", c.Task, by, err, now)
	}
	t.hand(by)
	if def.Waves != nil {
		r.targetEnds(t, def, c.Target, Done, by, c.Note, now)
		return nil
	}
	if t.Begun.IsZero() {
		t.Begun = now
	}
	r.show(t, c.Evidence, by, now)
	r.checkOrFinish(t, def, by, c.Note, now)
	return nil
}

// checkOrFinish ends a task, or asks whoever checks its evidence.
func (r *Run) checkOrFinish(t *Task, def plan.Task, by timeline.Actor, note string, now time.Time) {
	if roles := checkers(def); len(roles) > 0 {
		r.put(t, InCheck, by, note, now)
		r.tell(CheckWanted, t.ID, roles)
		return
	}
	r.finish(t, def, by, note, now)
}

// checkers are the roles that check evidence of a task.
func checkers(def plan.Task) []string {
	var roles []string
	for _, e := range def.Evidence {
		if e.CheckedBy != "" && !slices.Contains(roles, e.CheckedBy) {
			roles = append(roles, e.CheckedBy)
		}
	}
	return roles
}

// show takes evidence in. A newer piece stands beside the older one.
func (r *Run) show(t *Task, given []Given, by timeline.Actor, now time.Time) {
	for _, g := range given {
		g.By, g.At, g.Checker, g.Checked, g.Returned = by, now, timeline.Actor{}, time.Time{}, time.Time{}
		t.Evidence = append(t.Evidence, g)
		r.record(now, timeline.EvidenceGiven, by, timeline.F("task", t.ID), timeline.F("item", g.Item), timeline.F("ref", g.Ref),
			timeline.F("sha256", g.SHA256), timeline.F("note", g.Note))
	}
}

// Check refuses it from whoever does not do the task.
func (c Fail) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("fail", c.Task, Ready, Begun)
	if err != nil {
		return err
	}
	if def.Kind != plan.Manual {
		return r.refuseTask("fail", c.Task, "it is a %s: nobody ends it by hand", def.Kind)
	}
	if err := r.wantText("fail", "reason", c.Reason, true); err != nil {
		return err
	}
	if err := r.wantDoer("fail", t, def, by, c.Capacity); err != nil {
		return err
	}
	if c.Target != "" {
		return r.wantTarget("fail", t, c.Target)
	}
	return nil
}

// Apply ends the task, or one target of it.
func (c Fail) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	t.hand(by)
	if c.Target != "" {
		r.targetEnds(t, def, c.Target, Failed, by, c.Reason, now)
		return nil
	}
	r.fail(t, def, by, c.Reason, now)
	return nil
}

// Check refuses it from whoever may not check the evidence.
func (c CheckEvidence) Check(r *Run, by timeline.Actor) error {
	_, def, err := r.wantTask("check", c.Task, InCheck)
	if err != nil {
		return err
	}
	if err := r.wantText("check", "note", c.Note, !c.OK); err != nil {
		return err
	}
	return r.wantRole("check", c.Task, by, c.Capacity, checkers(def)...)
}

// Apply says so of everything that this person may check. The task ends when all is checked.
func (c CheckEvidence) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if slices.Contains(t.Hands, by.ID) {
		return r.deny("check", c.Task, by, r.refuseTask("check", c.Task, "%s has worked on it: want another person", by.Shown()), now)
	}
	r.record(now, timeline.EvidenceChecked, by, timeline.F("task", c.Task), timeline.F("result", either(c.OK, "accepted", "returned")), timeline.F("note", c.Note))
	if !c.OK {
		for n := range t.Evidence {
			if g := &t.Evidence[n]; g.open() && c.checks(def, g.Item) {
				g.Checker, g.Returned = by, now
			}
		}
		r.put(t, Begun, by, c.Note, now)
		r.tellDoers(CheckFailed, t, def)
		return nil
	}
	left := false
	for _, e := range def.Evidence {
		for n := range t.Evidence {
			if g := &t.Evidence[n]; g.Item == e.ID && g.open() && e.CheckedBy != "" {
				if !c.has(e.CheckedBy) {
					left = true
					continue
				}
				g.Checker, g.Checked = by, now
			}
		}
	}
	if !left {
		r.finish(t, def, by, c.Note, now)
	}
	return nil
}

// checks tells whether evidence of an item is theirs to check.
func (c CheckEvidence) checks(def plan.Task, item string) bool {
	return slices.ContainsFunc(def.Evidence, func(e plan.Evidence) bool { return e.ID == item && c.has(e.CheckedBy) })
}

// Check refuses it from whoever does not do the task.
func (c AddEvidence) Check(r *Run, by timeline.Actor) error {
	t, def, err := r.wantTask("add evidence to", c.Task, Begun, InCheck, Done, Unclear)
	if err != nil {
		return err
	}
	if len(c.Evidence) == 0 {
		return r.refuseTask("add evidence to", c.Task, "none")
	}
	if err := r.wantEvidence("add evidence to", t, def, c.Evidence); err != nil {
		return err
	}
	return r.wantDoer("add evidence to", t, def, by, c.Capacity)
}

// Apply takes it in. Evidence that somebody has to check is checked anew.
func (c AddEvidence) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	t.hand(by)
	r.show(t, c.Evidence, by, now)
	if t.Status == Done && len(checkers(def)) > 0 {
		r.checkOrFinish(t, def, by, "", now)
	}
	return nil
}

// Check refuses it from whoever neither answers for the task nor leads.
func (c Retry) Check(r *Run, by timeline.Actor) error {
	_, def, err := r.wantTask("retry", c.Task, Failed)
	if err == nil {
		err = r.wantRun("retry", Running, Halted)
	}
	if err == nil {
		err = r.wantText("retry", "reason", c.Reason, true)
	}
	if err != nil {
		return err
	}
	return r.wantRole("retry", c.Task, by, c.Capacity, r.with(def.Accountable)...)
}

// Apply lets it be done anew.
func (c Retry) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.record(now, timeline.TaskRetried, by, timeline.F("task", c.Task), timeline.F("reason", c.Reason))
	t, _, _ := r.Task(c.Task)
	r.reset(t, c.Reason, now)
	return nil
}

// Check refuses it when nothing is unclear.
func (c Settle) Check(r *Run, by timeline.Actor) error {
	_, def, err := r.wantTask("settle", c.Task, Unclear)
	if err == nil {
		err = r.wantText("settle", "reason", c.Reason, true)
	}
	if err != nil {
		return err
	}
	if c.Status != Done && c.Status != Failed && c.Status != Begun {
		return r.refuseTask("settle", c.Task, "%q: want done, failed, or begun to try again", c.Status)
	}
	return r.wantRole("settle", c.Task, by, c.Capacity, r.with(append(def.Doers(), def.Accountable)...)...)
}

// Apply goes on from there.
func (c Settle) Apply(r *Run, by timeline.Actor, now time.Time) error {
	t, def, _ := r.Task(c.Task)
	if err := r.wantSeparate("settle", t, def, by); err != nil {
		return r.deny("settle", c.Task, by, err, now)
	}
	r.record(now, timeline.TaskSettled, by, timeline.F("task", c.Task), timeline.F("outcome", string(c.Status)), timeline.F("reason", c.Reason))
	if t.Steps != nil {
		r.put(t, Begun, by, c.Reason, now)
		t.hand(by)
		r.settleStep(t, def, c.Status, by, c.Reason, now)
		return nil
	}
	switch c.Status {
	case Done:
		r.finish(t, def, by, c.Reason, now)
	case Failed:
		r.fail(t, def, by, c.Reason, now)
	default:
		r.put(t, Begun, by, c.Reason, now)
		t.hand(by)
		if def.Kind == plan.Report {
			r.set(t, def, now)
			return nil
		}
		t.NextAt, t.Measures.InARow, t.Measures.Blind = now, 0, 0
	}
	return nil
}

// Check refuses it from whoever has no part in the plan.
func (c Halt) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("halt", Running); err != nil {
		return err
	}
	if err := r.wantText("halt", "reason", c.Reason, true); err != nil {
		return err
	}
	return r.wantRole("halt", "", by, c.Capacity, r.everybody()...)
}

// Apply lets nothing new begin.
func (c Halt) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.move(Halted, by, c.Reason, now)
	r.tell(RunHalted, "", r.everybody())
	return nil
}

// Check refuses it from whoever does not lead.
func (c Continue) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("continue", Halted); err != nil {
		return err
	}
	if err := r.wantText("continue", "reason", c.Reason, true); err != nil {
		return err
	}
	for _, id := range r.anew(r.rolledBack()) {
		if t := r.task(id); t.Steps != nil && t.Work != 0 {
			return r.refuse("continue", "a step of task %s is under way: wait until it has ended", id)
		}
	}
	return r.wantRole("continue", "", by, c.Capacity, r.Plan.Lead)
}

// Apply goes on. What was rolled back is done anew, and what failed with it.
func (c Continue) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.move(Running, by, c.Reason, now)
	r.again(r.rolledBack(), c.Reason, now)
	r.tell(RunContinued, "", r.everybody())
	return nil
}

// Check refuses it from whoever does not lead, and while something is being rolled back.
func (c Cancel) Check(r *Run, by timeline.Actor) error {
	if err := r.wantRun("cancel", Running, Halted); err != nil {
		return err
	}
	if err := r.wantText("cancel", "reason", c.Reason, true); err != nil {
		return err
	}
	return r.wantRole("cancel", "", by, c.Capacity, r.Plan.Lead)
}

// Apply ends the run. What was changed and stays is recorded.
func (c Cancel) Apply(r *Run, by timeline.Actor, now time.Time) error {
	for _, b := range r.Environments {
		for _, t := range r.changed(b.ID) {
			r.record(now, timeline.ChangeLeft, by, timeline.F("task", t.ID), timeline.F("environment", b.Name))
		}
	}
	r.end(Cancelled, by, c.Reason, now)
	r.tell(RunCancelled, "", r.everybody())
	return nil
}

// Check refuses an empty note, and one more than the timeline can hold.
func (c Note) Check(r *Run, by timeline.Actor) error {
	if r.Over() {
		return r.stands("note on")
	}
	if _, _, ok := r.Task(c.Task); c.Task != "" && !ok {
		return r.refuseTask("note on", c.Task, "there is none")
	}
	if r.Timeline.Bytes > maxTimeline {
		return r.refuse("note on", "its timeline is full")
	}
	if err := r.wantText("note on", "text", c.Text, true); err != nil {
		return err
	}
	if r.announcedBy(by) {
		return nil
	}
	return r.wantRole("note on", "", by, c.Capacity, r.everybody()...)
}

// announcedBy tells whether by is the source whose notice has started the run.
func (r *Run) announcedBy(by timeline.Actor) bool {
	return r.Notice != nil && by.Kind == timeline.Source && by.ID == r.Notice.Source
}

// Apply writes the note.
func (c Note) Apply(r *Run, by timeline.Actor, now time.Time) error {
	r.record(now, timeline.Noted, by, timeline.F("task", c.Task), timeline.F("text", c.Text))
	if r.announcedBy(by) {
		r.write(News, "", r.house(), "", func(x *Telling) { x.Reason = c.Text })
	}
	return nil
}
