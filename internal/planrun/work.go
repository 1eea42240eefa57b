package planrun

import (
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/freeze"
	"muster/internal/plan"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// A Doing is what has to be done outside.
type Doing string

// What has to be done outside.
const (
	Tell        Doing = "tell"
	ComputeDue  Doing = "compute-due"  // when a task is due
	LookWindow  Doing = "look-window"  // whether an environment may be changed
	FindVoters  Doing = "find-voters"  // who may vote now
	MeasureOnce Doing = "measure"      // a check
	RunStep     Doing = "run-step"     // of a runbook: one attempt
	WriteReport Doing = "write-report" // a document
	TakeLock    Doing = "take-lock"    // of an environment
	FreeLock    Doing = "free-lock"
	HoldAlerts  Doing = "hold-alerts" // of an environment, until they are let go
	LetAlerts   Doing = "let-alerts"
)

// A Work is one thing that has to be done outside. Its outcome names its number.
type Work struct {
	Number  int
	Do      Doing
	Task    string
	Telling Telling           // of Tell
	Due     DueOf             // of ComputeDue
	Window  WindowOf          // of LookWindow
	Roles   []string          // of FindVoters
	Check   plan.Check        // of MeasureOnce
	Step    runbook.Automatic // of RunStep …
	Book    string            // … of the runbook with this ID …
	Page    int               // … and its number there
	Writes  string            // of WriteReport

	Environment string // in the plan: of a lock, and of alerts
}

// A DueOf asks when something is due.
type DueOf struct {
	From   time.Time     `json:"from"`
	Within time.Duration `json:"within,omitempty"`
	Days   int           `json:"days,omitempty"` // working days, instead of Within
	Before bool          `json:"before,omitempty"`
}

// A WindowOf asks whether an environment may be changed at an instant.
type WindowOf struct {
	Environment string            `json:"environment"` // in the plan
	Rules       freeze.Rules      `json:"rules"`
	Overrides   []freeze.Override `json:"overrides,omitempty"`
	At          time.Time         `json:"at"`
}

// A Look is whether an environment may be changed, as it was looked up.
type Look struct {
	Environment string          `json:"environment"` // in the plan
	At          time.Time       `json:"at"`
	Open        bool            `json:"open"`
	Until       time.Time       `json:"until,omitzero"` // when that changes; zero: not within sight
	Next        time.Time       `json:"next,omitzero"`  // when it may be changed next, where it may not; zero: never
	Why         []freeze.Reason `json:"why,omitempty"`
	Detail      string          `json:"detail,omitempty"` // why it is not known
	Tries       int             `json:"tries,omitempty"`  // in a row that have not found it out
	Work        int             `json:"work,omitempty"`   // that is finding it out
}

// An About says which message of a run it is. These strings name texts and stand in histories: add, never rename.
type About string

// The messages.
const (
	RunStarted     About = "started"
	RunHalted      About = "halted"
	RunContinued   About = "continued"
	RunCompleted   About = "completed"
	RunCancelled   About = "cancelled"
	TaskReady      About = "ready"     // somebody may begin it
	AdviceWanted   About = "advice"    // whoever is consulted: it is about to begin
	TaskHeld       About = "held"      // nothing may be changed now
	TaskLocked     About = "locked"    // another run changes its environment
	AlertKept      About = "alert"     // it is held back while the task changes its environment
	TaskDue        About = "due"       // soon
	TaskOverdue    About = "overdue"   // now
	TaskEscalated  About = "escalated" // for a while
	TaskDone       About = "done"
	TaskFailed     About = "failed"
	TaskUnclear    About = "unclear"
	StepWanted     About = "step-wanted" // a step of a runbook waits for a person
	CheckWanted    About = "check"       // of evidence
	CheckFailed    About = "check-failed"
	VoteWanted     About = "vote"
	VoteVoided     About = "vote-voided"
	VoteImpossible About = "vote-impossible" // too few could ever approve it
	VoteDecided    About = "vote-decided"
	WaiverWanted   About = "waiver"
	WaiverDecided  About = "waiver-decided"
	WaiverExpired  About = "waiver-expired"
	OverrideAsked  About = "override"
	WindowEnding   About = "window-ending" // latest time to decide on a rollback
	WindowEnded    About = "window-ended"  // with something under way
	UndoBegun      About = "rollback"
	UndoWanted     About = "rollback-wanted" // a person has to undo something
	UndoLate       About = "rollback-late"
	UndoFailed     About = "rollback-failed"
	UndoDone       About = "rollback-done"
	ChangeWanted   About = "change" // of the plan
	ChangeDecided  About = "change-decided"
	Said           About = "said" // what the plan says
	News           About = "news" // what the provider says now whose notice has started it
)

// Abouts lists the messages.
func Abouts() []About {
	return []About{
		RunStarted, RunHalted, RunContinued, RunCompleted, RunCancelled, TaskReady, AdviceWanted, TaskHeld, TaskLocked, AlertKept, TaskDue, TaskOverdue, TaskEscalated, TaskDone,
		TaskFailed, TaskUnclear, StepWanted, CheckWanted, CheckFailed, VoteWanted, VoteVoided, VoteImpossible, VoteDecided, WaiverWanted, WaiverDecided, WaiverExpired, OverrideAsked,
		WindowEnding, WindowEnded, UndoBegun, UndoWanted, UndoLate, UndoFailed, UndoDone, ChangeWanted, ChangeDecided, Said, News,
	}
}

// Pressing tells whether the message must not wait for anything: something has gone wrong that only people can put right.
func (a About) Pressing() bool {
	switch a {
	case News, AlertKept, TaskFailed, TaskUnclear, WindowEnding, WindowEnded, UndoBegun, UndoWanted, UndoLate, UndoFailed, RunHalted:
		return true
	default:
		return false
	}
}

// Lasting tells whether the message still matters when the run is over: it says what has become of something.
func (a About) Lasting() bool {
	switch a {
	case RunCompleted, RunCancelled, TaskDone, VoteDecided, WaiverDecided, ChangeDecided, Said:
		return true
	default:
		return false
	}
}

// A Telling is one message to be written: to whom it goes is found at the same moment.
type Telling struct {
	Number int      `json:"number"` // 1, 2, 3 … within the run
	About  About    `json:"about"`
	Roles  []string `json:"roles,omitempty"`  // that are told
	Person string   `json:"person,omitempty"` // ID, instead of roles
	For    []Part   `json:"for,omitempty"`    // the roles by their names

	Run         ID             `json:"run"`
	Plan        plan.Text      `json:"plan"` // name
	Customer    string         `json:"customer"`
	Environment string         `json:"environment"` // name of the one that it is about, or of the target
	Where       string         `json:"where"`       // its ID in the plan
	Zone        string         `json:"zone"`
	Page        string         `json:"-"` // where whoever may sign in sees the run, as it is known when the message is written
	Status      Status         `json:"status"`
	Task        string         `json:"task,omitempty"`
	Name        plan.Text      `json:"name,omitzero"` // of the task
	Detail      plan.Text      `json:"detail,omitzero"`
	Kind        plan.TaskKind  `json:"kind,omitempty"`
	State       TaskStatus     `json:"state,omitempty"`
	Changes     bool           `json:"changes,omitempty"` // the task changes its environment
	Overrun     plan.Overrun   `json:"overrun,omitempty"` // what becomes of it when its window ends
	Skips       bool           `json:"skips,omitempty"`   // it may be skipped by a waiver
	Waves       bool           `json:"waves,omitempty"`   // it is done on one target after the other
	Wanted      []Item         `json:"wanted,omitempty"`  // evidence
	Given       []Given        `json:"given,omitempty"`   // evidence to be checked
	Targets     []string       `json:"targets,omitempty"` // of the wave that is on its way
	Step        int            `json:"step,omitempty"`    // of a runbook
	Freeze      string         `json:"freeze,omitempty"`  // ID, of an override; empty: outside every window
	Then        []plan.Text    `json:"then,omitempty"`    // tasks that wait for it
	By          timeline.Actor `json:"by,omitzero"`
	Reason      string         `json:"reason,omitempty"`
	Control     string         `json:"control,omitempty"` // of a waiver
	Due         time.Time      `json:"due,omitzero"`
	Until       time.Time      `json:"until,omitzero"`
	Outcome     string         `json:"outcome,omitempty"` // of a vote, a waiver or an override

	Choices  []approval.Choice `json:"choices,omitempty"`  // of a vote
	Shown    string            `json:"shown,omitempty"`    // SHA-256 of what whoever votes is shown
	Silence  approval.Expiry   `json:"silence,omitempty"`  // what becomes of a vote that is undecided when it is due
	Revision []plan.Change     `json:"revision,omitempty"` // what a change of the plan would do
}

// A Part is a role that is told.
type Part struct {
	Role  string              `json:"role"`
	Name  plan.Text           `json:"name"`
	Party authority.PartyKind `json:"party"`
}

// An Item is evidence that is wanted.
type Item struct {
	ID   string    `json:"id"`
	What plan.Text `json:"what"`
}

// To is the telling as one of its roles reads it.
func (t Telling) To(role string) Telling {
	t.Roles = []string{role}
	t.For = slices.DeleteFunc(slices.Clone(t.For), func(p Part) bool { return p.Role != role })
	return t
}

// most bounds what a telling lists of anything.
const most = 20

func (r *Run) begin(w Work) int {
	r.Works++
	w.Number = r.Works
	r.fresh = append(r.fresh, w)
	return w.Number
}

// tell begins one message to some roles, about a task or the run as a whole.
func (r *Run) tell(a About, task string, roles []string) { r.write(a, task, roles, "", nil) }

// write begins one message, whose facts may be changed before it goes.
func (r *Run) write(a About, task string, roles []string, person string, change func(*Telling)) {
	r.Sends++
	t := Telling{
		Number: r.Sends, About: a, Roles: roles, Person: person, Run: r.ID, Plan: r.Plan.Name, Customer: r.CustomerName, Zone: r.Zone,
		Status: r.Status, By: r.By, Reason: r.Reason,
	}
	target := r.Target()
	t.in(&target)
	for _, id := range roles {
		role, _ := r.Plan.Role(id)
		t.For = append(t.For, Part{id, role.Name, role.Party})
	}
	if s, def, ok := r.Task(task); ok {
		t.describe(s, def)
		t.in(r.Bound(def.Environment))
		for _, o := range r.Plan.All() {
			if slices.Contains(o.Needs, task) && len(t.Then) < most {
				t.Then = append(t.Then, o.Name)
			}
		}
	}
	if change != nil {
		change(&t)
	}
	r.begin(Work{Do: Tell, Task: task, Telling: t})
}

// in says which environment it is about.
func (t *Telling) in(b *Bound) {
	if b != nil {
		t.Environment, t.Where = b.Name, b.ID
	}
}

// describe says what a task is and where it stands.
func (t *Telling) describe(s *Task, def plan.Task) {
	t.Task, t.Name, t.Detail, t.Kind, t.State = def.ID, def.Name, def.Detail, def.Kind, s.Status
	t.Changes, t.Overrun, t.Skips, t.Waves = def.Changes, def.Overrun, def.Skip != nil, def.Waves != nil
	t.Due, t.By, t.Reason = s.Due, s.By, s.Reason
	for _, e := range def.Evidence {
		t.Wanted = append(t.Wanted, Item{e.ID, e.What})
	}
	if s.Status == InCheck {
		for _, g := range s.Evidence[max(0, len(s.Evidence)-most):] {
			if g.open() {
				t.Given = append(t.Given, Given{Item: g.Item, Ref: g.Ref, SHA256: g.SHA256, By: g.By, At: g.At})
			}
		}
	}
	for _, x := range s.Targets {
		if x.Wave == s.Wave && !x.Status.Ended() && x.Status != Failed && s.Until.IsZero() && len(t.Targets) < most {
			t.Targets = append(t.Targets, x.Name)
		}
	}
	if def.Vote != nil {
		t.Choices, t.Silence = def.Vote.Choices(), def.Vote.OnExpiry
	}
}
