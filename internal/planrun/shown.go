package planrun

import (
	"cmp"
	"slices"
	"strings"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A Viewer is a party beside the provider that reads a run which concerns it.
type Viewer struct {
	incident.Viewer

	Kind  authority.PartyKind // of the party
	Roles []string            // of the plan that the reader fills now

	own, votes, judged []string // tasks that are its own, those on which it votes, and those whose evidence is voted on there
	changes            bool     // it votes on changes of the plan
}

// Shown is the run as a party beside the provider may see it: where every task stands and when it is due, what came of the votes, and
// the reports; its own tasks in full, and all that it votes on. Nothing that was written for others is in it, and no name of a person
// who is not its own: what is not named here is not shown.
func (r *Run) Shown(v Viewer) *Run {
	v.look(r)
	s := &Run{
		Terms: Terms{
			ID: r.ID, Starter: v.who(r.Starter), Customer: r.Customer, CustomerName: r.CustomerName, Pinned: v.pinned(r, &r.Pinned),
		},
		Status: r.Status, Opened: r.Opened, Ended: r.Ended, Since: r.Since, By: v.who(r.By), Reason: r.Reason, Revised: r.Revised, Partial: true,
		Timeline: timeline.Log{Entries: []timeline.Entry{}},
	}
	for _, b := range r.Environments {
		s.Environments = append(s.Environments, Bound{ID: b.ID, Environment: b.Environment, Name: b.Name, Production: b.Production})
	}
	for n := range r.Tasks {
		s.Tasks = append(s.Tasks, v.task(r, &r.Tasks[n]))
	}
	for _, l := range r.Windows {
		s.Windows = append(s.Windows, Look{Environment: l.Environment, At: l.At, Open: l.Open, Until: l.Until, Next: l.Next})
	}
	for _, o := range r.Override {
		s.Override = append(s.Override, v.override(r, o))
	}
	s.Undoing, s.Change = v.undoing(r.Undoing), v.change(r)
	for _, e := range r.Timeline.Entries {
		facts, ok := v.facts(e)
		if !ok {
			continue
		}
		e.Facts = slices.DeleteFunc(slices.Clone(e.Facts), func(f timeline.Fact) bool { return !slices.Contains(facts, f.Name) })
		e.Actor = v.who(e.Actor)
		s.Timeline.Entries = append(s.Timeline.Entries, e)
	}
	return s
}

// Refusal is why a command was refused, as a party beside the provider may read it: in the words that what it may see gives it, or in
// those of the run without the names of others who have voted.
func (r *Run) Refusal(v Viewer, c Command, by timeline.Actor, why string) string {
	if err := c.Check(r.Shown(v), by); err != nil {
		return err.Error()
	}
	ballots := make([]*approval.Ballot, 0, len(r.Tasks)+1)
	for _, t := range r.Tasks {
		ballots = append(ballots, t.Ballot)
	}
	if r.Change != nil {
		ballots = append(ballots, r.Change.Ballot)
	}
	for _, b := range ballots {
		if b == nil {
			continue
		}
		for _, c := range b.Votes {
			if name := cmp.Or(c.Name, c.By); !v.mine(timeline.Actor{Kind: timeline.Person, ID: c.By}) {
				why = strings.ReplaceAll(why, " "+name+" ", " "+v.Instead.Name+" ")
			}
		}
	}
	return why
}

// look finds the tasks in which the party has a part. A customer has those of all its people, for there is one; of the others one may
// not see what another one of its kind does.
func (v *Viewer) look(r *Run) {
	part := func(roles ...string) bool {
		return slices.ContainsFunc(roles, func(id string) bool {
			role, _ := r.Plan.Role(id)
			return slices.Contains(v.Roles, id) || v.Kind == authority.Customer && role.Party == authority.Customer
		})
	}
	for _, def := range r.Plan.All() {
		if def.Vote != nil && part(voters(*def.Vote)...) {
			v.votes = append(v.votes, def.ID)
			v.judged = append(v.judged, def.Shows...)
		}
		if t := r.task(def.ID); part(append(def.Doers(), def.Accountable)...) || part(checkers(def)...) || t != nil && v.mine(t.Person) {
			v.own = append(v.own, def.ID)
		}
	}
	v.changes = part(voters(r.Plan.RePlan)...)
}

func (v *Viewer) mine(a timeline.Actor) bool { return a.ID != "" && v.Own(a) }

// who is an actor, behind the organisation where it is a person of another party.
func (v *Viewer) who(a timeline.Actor) timeline.Actor {
	if a.ID == "" || a.Kind == timeline.Engine || v.Own(a) {
		return a
	}
	return v.Instead
}

func (v *Viewer) owns(task string) bool { return slices.Contains(v.own, task) }

// pinned is what a run holds on to. Whoever votes on parameters sees them.
func (v *Viewer) pinned(r *Run, p *Pinned) Pinned {
	shown := Pinned{
		Plan: v.plan(&p.Plan), SHA256: p.SHA256, ParametersID: p.ParametersID, Roles: []Filled{}, Absent: p.Absent, Organisation: p.Organisation,
		Zone: p.Zone,
	}
	if len(v.votes) > 0 || v.changes || v.Kind == authority.Customer {
		shown.Parameters = p.Parameters
	}
	return shown
}

func (v *Viewer) plan(d *plan.Definition) plan.Definition {
	shown := plan.Definition{
		ID: d.ID, Kind: d.Kind, Name: d.Name, Description: d.Description, Source: d.Source, Parameters: d.Parameters, Roles: d.Roles,
		Environments: d.Environments, Lead: d.Lead,
	}
	if v.changes {
		shown.RePlan = d.RePlan
	}
	for _, p := range d.Phases {
		phase := plan.Phase{ID: p.ID, Name: p.Name}
		for _, t := range p.Tasks {
			if !v.owns(t.ID) && !slices.Contains(v.judged, t.ID) {
				whole, undo := t, t.Rollback
				t = plan.Task{
					ID: t.ID, Kind: t.Kind, Name: t.Name, Source: t.Source, SHA256: t.SHA256, Assignment: t.Assignment, Needs: t.Needs, When: t.When,
					Due: t.Due, Typical: t.Typical, Environment: t.Environment, Changes: t.Changes, ByHand: t.ByHand, Writes: t.Writes,
					Skip: t.Skip,
				}
				if undo != nil {
					t.Rollback = &plan.Rollback{Component: undo.Component, Within: undo.Within, Rehearsed: undo.Rehearsed, FixForward: undo.FixForward}
				}
				if slices.Contains(v.votes, t.ID) {
					t.Detail, t.Vote, t.Shows = whole.Detail, whole.Vote, whole.Shows
				}
			}
			phase.Tasks = append(phase.Tasks, t)
		}
		shown.Phases = append(shown.Phases, phase)
	}
	return shown
}

func (v *Viewer) task(r *Run, t *Task) Task {
	shown := Task{
		ID: t.ID, Status: t.Status, Since: t.Since, Attempt: t.Attempt, Begun: t.Begun, Ended: t.Ended, DueAsked: t.DueAsked, Due: t.Due,
		Overdue: t.Overdue, Ballot: v.ballot(t.Ballot, slices.Contains(v.votes, t.ID)), Until: t.Until, Wave: t.Wave,
	}
	if w := t.Waiver; w != nil {
		shown.Waiver = &Waiver{
			Until: w.Until, By: v.who(w.By), Asked: w.Asked, Before: w.Before, Approver: v.who(w.Approver), Granted: w.Granted, Refused: w.Refused, Expired: w.Expired,
		}
	}
	def, _ := r.Plan.Task(t.ID)
	grants := def.Skip != nil && slices.Contains(v.Roles, def.Skip.Approver)
	if shown.Waiver != nil && (grants || v.owns(t.ID)) {
		shown.Waiver.Reason, shown.Waiver.Control = t.Waiver.Reason, t.Waiver.Control
	}
	if !v.owns(t.ID) {
		if def.Kind == plan.Report || slices.Contains(v.judged, t.ID) {
			shown.Evidence = v.evidence(def, t.Evidence)
		}
		return shown
	}
	shown.Person, shown.By, shown.Reason, shown.DecideBy, shown.Measures = v.who(t.Person), v.who(t.By), t.Reason, t.DecideBy, t.Measures
	shown.Evidence, shown.Steps, shown.Targets = v.evidence(def, t.Evidence), v.steps(t.Steps), slices.Clone(t.Targets)
	for n := range shown.Targets {
		shown.Targets[n].By = "" // it stands there by name
	}
	return shown
}

// evidence is what shows that a task was done: of a report no edition but that of the party.
func (v *Viewer) evidence(def plan.Task, all []Given) (shown []Given) {
	for _, g := range all {
		if def.Kind == plan.Report && g.Item == def.Writes && g.For != v.Kind {
			continue
		}
		g.By, g.Checker = v.who(g.By), v.who(g.Checker)
		shown = append(shown, g)
	}
	return shown
}

func (v *Viewer) steps(e *runbook.Execution) *runbook.Execution {
	if e == nil {
		return nil
	}
	shown := *e
	shown.Steps = slices.Clone(e.Steps)
	for n := range shown.Steps {
		shown.Steps[n].By = v.who(shown.Steps[n].By)
	}
	return &shown
}

// ballot is what has come of a vote. Whoever votes sees besides what it is about, and what its own people have said.
func (v *Viewer) ballot(b *approval.Ballot, votes bool) *approval.Ballot {
	if b == nil {
		return nil
	}
	mine := func(id string) bool { return v.mine(timeline.Actor{Kind: timeline.Person, ID: id}) }
	o := b.Outcome
	if !mine(o.By) {
		o.By, o.Name, o.For = "", "", ""
	}
	o.Unmet = nil
	shown := &approval.Ballot{Due: b.Due, Round: approval.Round{Outcome: o, Shown: approval.Shown{Lines: []approval.Line{}}}}
	shown.Electors = []approval.Elector{}
	if !votes {
		return shown
	}
	shown.Rule, shown.Shown, shown.Voided, shown.Changes = b.Rule, b.Shown, b.Voided, b.Changes
	for _, e := range b.Electors {
		if mine(e.Person) {
			shown.Electors = append(shown.Electors, e)
		}
	}
	for _, d := range b.Delegations {
		if mine(d.For) && mine(d.Person) {
			shown.Delegations = append(shown.Delegations, d)
		}
	}
	for _, c := range b.Votes {
		if mine(c.By) && mine(c.For) {
			shown.Votes = append(shown.Votes, c)
		}
	}
	return shown
}

// override is one without its reason, but for those who may have to confirm it.
func (v *Viewer) override(r *Run, o Override) Override {
	o.Asked.By, o.Asked.Approver = v.who(o.Asked.By), v.who(o.Asked.Approver)
	if !slices.ContainsFunc(r.overseers(), func(role string) bool { return slices.Contains(v.Roles, role) }) {
		o.Asked.Reason, o.Asked.Freeze = "", ""
	}
	return o
}

func (v *Viewer) undoing(u *Undoing) *Undoing {
	if u == nil {
		return nil
	}
	shown := *u
	shown.By, shown.Items = v.who(u.By), slices.Clone(u.Items)
	for n := range shown.Items {
		i := &shown.Items[n]
		i.By, i.Steps = v.who(i.By), v.steps(i.Steps)
		if !v.owns(i.Task) {
			i.Note, i.Steps = "", nil
		}
	}
	return &shown
}

func (v *Viewer) change(r *Run) *Change {
	c := r.Change
	if c == nil {
		return nil
	}
	shown := &Change{By: v.who(c.By), Asked: c.Asked, Next: v.pinned(r, &c.Next), Diff: []plan.Change{}, Ballot: v.ballot(c.Ballot, v.changes)}
	if v.changes {
		shown.Reason = c.Reason
		for _, d := range c.Diff {
			if d.Kind == plan.Altered && !v.owns(d.Task) {
				d.Was, d.Is = "", "" // how others do their tasks is not shown
			}
			if !slices.Contains(shown.Diff, d) {
				shown.Diff = append(shown.Diff, d)
			}
		}
	}
	return shown
}

// facts names the facts of an entry that a party may read, and tells whether it may read the entry.
func (v *Viewer) facts(e timeline.Entry) (names []string, ok bool) {
	own, judged := v.owns(e.Fact("task")), slices.Contains(v.judged, e.Fact("task"))
	with := func(more string, names ...string) []string {
		if own {
			return append(names, more)
		}
		return names
	}
	switch e.Kind {
	case timeline.PlanStarted:
		return []string{"run", "plan", "sha256", "customer", "environment", "tasks"}, true
	case timeline.PlanMoved: // everybody with a part was told why
		return []string{"from", "to", "reason"}, true
	case timeline.TaskMoved:
		return with("reason", "task", "from", "to", "attempt"), true
	case timeline.TaskAbsent, timeline.TaskDue, timeline.TaskOverdue, timeline.WaiverGranted, timeline.WaiverExpired, timeline.VoteOpened,
		timeline.VoteDecided, timeline.WaveBegun, timeline.WaveEnded, timeline.RollbackLate, timeline.ChangeLeft, timeline.DocumentWritten:
		return []string{"task", "when", "due", "until", "sha256", "voters", "outcome", "wave", "waves", "component", "environment", "report"}, true
	case timeline.WindowLooked, timeline.OverrideEnded, timeline.RollbackEnded, timeline.LockTaken, timeline.LockFreed:
		return []string{"environment", "state", "until", "since"}, true
	case timeline.OverrideAsked, timeline.OverrideGiven, timeline.OverrideRefused: // whose environment it is knows that it was changed all the same
		return []string{"environment", "freeze", "until"}, true
	case timeline.RollbackBegun:
		return []string{"environment", "reason", "components"}, true
	case timeline.RollbackMoved:
		return with("note", "task", "component", "from", "to"), true
	case timeline.ChangeDecided:
		return []string{"result", "outcome", "sha256"}, true
	case timeline.EvidenceGiven, timeline.EvidenceChecked:
		return []string{"task", "item", "ref", "sha256", "result"}, own || judged
	case timeline.TargetEnded, timeline.StepBegun, timeline.StepEnded, timeline.TaskRetried, timeline.TaskSettled:
		return []string{"task", "target", "state", "wave", "step", "rollback", "reason", "outcome"}, own
	case timeline.VoteCast:
		return []string{"task", "choice", "reason", "late"}, v.Own(e.Actor)
	case timeline.WaiverAsked:
		return []string{"task", "reason", "control", "until"}, v.Own(e.Actor)
	case timeline.Noted:
		return []string{"task", "text"}, v.Own(e.Actor)
	default:
		return nil, false
	}
}
