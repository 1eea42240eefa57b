// Package plan says what is to be done in an upgrade, a go-live, a readiness review or another piece of planned work: phases of
// tasks, who takes which part in each, when it is due, what it needs, and what must hold before it. It reads no files and no clock.
package plan

import (
	"slices"
	"strconv"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/raci"
	"muster/internal/runbook"
)

// A Kind says which workflow runs a plan. These strings begin workflow ids and stand in histories: add, never rename.
type Kind string

// The kinds.
const (
	Upgrade     Kind = "upgrade"
	GoLive      Kind = "go-live"
	Readiness   Kind = "readiness"
	Maintenance Kind = "maintenance" // every other planned work
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Upgrade, GoLive, Readiness, Maintenance} }

// A Text is what people read, in both languages.
type Text struct {
	En string `json:"en"`
	Ko string `json:"ko"`
}

// In returns the text in a language, English in any other than Korean.
func (t Text) In(language string) string {
	if language == "ko" {
		return t.Ko
	}
	return t.En
}

// Empty tells whether nothing is written.
func (t Text) Empty() bool { return t.En == "" && t.Ko == "" }

// A Definition is a plan as it is written down.
type Definition struct {
	ID          string `json:"id"`
	Kind        Kind   `json:"kind"`
	Name        Text   `json:"name"`
	Description Text   `json:"description,omitzero"`
	Source      string `json:"source,omitempty"` // of the plan as a whole
	// Apart says that it changes nothing: any number of its runs may go on in an environment, one for each choice of parameters, beside
	// whatever else has it.
	Apart bool `json:"apart,omitempty"`

	Parameters   []Parameter   `json:"parameters,omitempty"`
	Roles        []Role        `json:"roles"`
	Environments []Environment `json:"environments"` // the last one is its target: one run at a time may have it
	Lead         string        `json:"lead"`         // role that leads the run: halts, goes on, is told of everything that goes wrong
	RePlan       approval.Rule `json:"re_plan"`      // how a change to a running plan is approved
	Phases       []Phase       `json:"phases"`
}

// A Parameter is given at the start.
type Parameter struct {
	ID          string        `json:"id"`
	Type        ParameterType `json:"type"`
	Description Text          `json:"description"`
	Default     string        `json:"default,omitempty"`
	Optional    bool          `json:"optional,omitempty"` // may stay empty
	Values      []string      `json:"values,omitempty"`   // of a choice
}

// A ParameterType says what may be given.
type ParameterType string

// The types of parameters.
const (
	TextType    ParameterType = "text"
	IntegerType ParameterType = "integer"
	BooleanType ParameterType = "boolean"
	ChoiceType  ParameterType = "choice"
	DateType    ParameterType = "date"    // 2026-11-26, the beginning of that day in the zone of the run
	InstantType ParameterType = "instant" // RFC 3339
	ListType    ParameterType = "list"    // of texts, such as the hosts of a rollout
)

// ParameterTypes lists the types.
func ParameterTypes() []ParameterType {
	return []ParameterType{TextType, IntegerType, BooleanType, ChoiceType, DateType, InstantType, ListType}
}

// A Role is a part in the plan that somebody has to fill.
type Role struct {
	ID    string              `json:"id"`
	Party authority.PartyKind `json:"party"` // to which whoever fills it belongs
	Name  Text                `json:"name"`
	// FilledBy is a parameter that says who fills it in this run, such as group:noc; empty: the organisation folder says who.
	FilledBy string `json:"filled_by,omitempty"`
}

// An Environment is what tasks work on.
type Environment struct {
	ID         string `json:"id"`
	Name       Text   `json:"name"`
	Production bool   `json:"production,omitempty"`
}

// A Phase is a part of the plan. Its tasks wait for those of the phase before, unless they say what they need.
type Phase struct {
	ID    string `json:"id"`
	Name  Text   `json:"name"`
	Tasks []Task `json:"tasks"`
}

// A TaskKind says what a task is.
type TaskKind string

// The kinds of tasks.
const (
	Manual   TaskKind = "manual"   // a person does it
	Approval TaskKind = "approval" // people vote on what they are shown
	Decision TaskKind = "decision" // go or no-go
	Runbook  TaskKind = "runbook"  // a runbook is run
	Checking TaskKind = "check"    // something is measured
	Wait     TaskKind = "wait"     // time passes; with a check it is a bake
	Notify   TaskKind = "notify"   // people are told
	Report   TaskKind = "report"   // a document is written
)

// TaskKinds lists the kinds of tasks.
func TaskKinds() []TaskKind {
	return []TaskKind{Manual, Approval, Decision, Runbook, Checking, Wait, Notify, Report}
}

// A Task is one thing to be done.
type Task struct {
	ID     string   `json:"id"`
	Kind   TaskKind `json:"kind"`
	Name   Text     `json:"name"`
	Detail Text     `json:"detail,omitzero"`
	Source string   `json:"source,omitempty"` // "ours", or where it comes from
	SHA256 string   `json:"sha256,omitempty"` // of all that is written of it

	raci.Assignment

	Needs       []string      `json:"needs,omitempty"` // tasks that must have ended before it
	When        string        `json:"when,omitempty"`  // condition in CEL on parameters, answered at the start
	Due         *Due          `json:"due,omitempty"`
	Typical     time.Duration `json:"typical,omitempty"`     // how long it takes once it has begun, for previews
	Environment string        `json:"environment,omitempty"` // that it works on
	Changes     bool          `json:"changes,omitempty"`     // it changes the environment: windows and freezes hold for it
	Overrun     Overrun       `json:"overrun,omitempty"`     // what becomes of it when its window ends
	ByHand      bool          `json:"by_hand,omitempty"`     // a person starts what would begin by itself

	Evidence []Evidence `json:"evidence,omitempty"`
	// ActionItems says that its outcome is action items: it is not done before one has come of the run, unless whoever does it says
	// why there is none.
	ActionItems bool            `json:"action_items,omitempty"`
	Remind      []time.Duration `json:"remind,omitempty"` // so long before it is due
	Escalate    *Escalate       `json:"escalate,omitempty"`
	Skip        *Skip           `json:"skip,omitempty"` // nil: it may not be skipped
	Rollback    *Rollback       `json:"rollback,omitempty"`

	Vote    *approval.Rule `json:"vote,omitempty"`   // of an approval or a decision
	Shows   []string       `json:"shows,omitempty"`  // tasks whose evidence is voted on and must be fresh
	Runs    string         `json:"runs,omitempty"`   // ID of a runbook
	Check   *Check         `json:"check,omitempty"`  // of a check, and of a wait that is a bake
	For     time.Duration  `json:"for,omitempty"`    // of a wait
	Until   string         `json:"until,omitempty"`  // of a wait: a parameter that is a date or an instant
	Window  bool           `json:"window,omitempty"` // of a wait: until its environment may be changed
	Tell    []string       `json:"tell,omitempty"`   // of a notification: roles
	Message Text           `json:"message,omitzero"` // of a notification
	Writes  string         `json:"writes,omitempty"` // of a report
	Waves   *Waves         `json:"waves,omitempty"`
}

// Worked tells whether people spend time on a task: they do it, vote on it, or go through its runbook.
func (t *Task) Worked() bool {
	switch t.Kind {
	case Manual, Approval, Decision, Runbook:
		return true
	case Checking, Wait, Notify, Report:
	}
	return false
}

// A Length is how long a task takes once it has begun: a time, or working days.
type Length struct {
	Within time.Duration `json:"within,omitempty"`
	Days   int           `json:"days,omitempty"` // instead of Within
}

// A Due says when a task has to be done: so long after the start, the end of another task, or a date that is given, or before it.
type Due struct {
	Within time.Duration `json:"within,omitempty"`
	Days   int           `json:"days,omitempty"`   // working days, instead of Within
	After  string        `json:"after,omitempty"`  // a task; empty: the start of the run
	Date   string        `json:"date,omitempty"`   // a parameter, instead of After
	Before bool          `json:"before,omitempty"` // Date: so long before it
}

// String returns "3d after approval", "12h before launch".
func (d *Due) String() string {
	if d == nil {
		return ""
	}
	length := d.Within.String()
	if d.Days > 0 {
		length = strconv.Itoa(d.Days) + "d"
	}
	switch {
	case d.Before:
		return length + " before " + d.Date
	case d.Date != "":
		return length + " after " + d.Date
	case d.After != "":
		return length + " after " + d.After
	}
	return length + " after the start"
}

// An Overrun is what becomes of a task that is still running when its environment may no longer be changed.
type Overrun string

// What may become of it.
const (
	Finish   Overrun = "finish"    // it goes on, and its people are told
	Hold     Overrun = "hold"      // it goes no further than the step or wave that is under way, until the environment may be changed again
	RollBack Overrun = "roll-back" // what was changed is rolled back
)

// An Evidence shows that a task was done.
type Evidence struct {
	ID        string        `json:"id"`
	What      Text          `json:"what"`
	CheckedBy string        `json:"checked_by,omitempty"` // role; the one who has done the task may not check it
	Fresh     time.Duration `json:"fresh,omitempty"`      // older than this it counts no more
	Plan      string        `json:"plan,omitempty"`       // ID of a plan, of which it has to be a completed run of the same customer
}

// An Escalate says who is told, and when, that a task is overdue.
type Escalate struct {
	After time.Duration `json:"after"` // it was due
	To    []string      `json:"to"`    // roles
}

// A Skip says who may let a task be skipped, and for how long at most.
type Skip struct {
	Approver string        `json:"approver"`          // role; never who asks for it
	Longest  time.Duration `json:"longest,omitempty"` // 0: as long as the run
}

// A Rollback undoes what a task has changed.
type Rollback struct {
	Component  string        `json:"component"`
	Runs       string        `json:"runs,omitempty"`        // ID of a runbook; empty: the people of the task do it
	Detail     Text          `json:"detail,omitzero"`       // how they do it
	Within     time.Duration `json:"within"`                // it must be done, once it is needed
	Rehearsed  string        `json:"rehearsed,omitempty"`   // the task that has tried it
	FixForward bool          `json:"fix_forward,omitempty"` // it may be mended instead
}

// A Check measures something.
type Check struct {
	HTTP    string   `json:"http,omitempty"`    // an address that must answer
	Status  int      `json:"status,omitempty"`  // with this status; 0: 200 to 299
	Has     string   `json:"has,omitempty"`     // and this text
	Command []string `json:"command,omitempty"` // a program that must end with 0
	Query   string   `json:"query,omitempty"`   // asked of the organisation's Prometheus
	// Documents is the ID of a service of which the organisation folder has to have all that whoever takes it over works by.
	Documents string        `json:"documents,omitempty"`
	Passes    *Comparison   `json:"passes,omitempty"`  // what its value must be
	Timeout   time.Duration `json:"timeout,omitempty"` // none for documents
	Every     time.Duration `json:"every,omitempty"`   // of a bake
	// Failures in a row that make it fail, and measurements in a row that say nothing; 1 where it is not said.
	Failures     int      `json:"failures,omitempty"`
	Inconclusive int      `json:"inconclusive,omitempty"`
	OnFail       Reaction `json:"on_fail"`
	OnUnclear    Reaction `json:"on_unclear"`
}

// Measurement is the question that the check asks.
func (c *Check) Measurement() runbook.Measurement {
	m := runbook.Measurement{HTTP: c.HTTP, Status: c.Status, Has: c.Has, Command: c.Command, Query: c.Query, Timeout: c.Timeout}
	if c.Passes != nil {
		m.Compare = runbook.Comparison{Operator: c.Passes.Is, Value: c.Passes.Value}
	}
	return m
}

// A Comparison is what a number is compared with.
type Comparison struct {
	Is    string  `json:"is"` // < <= > >= == !=
	Value float64 `json:"value"`
}

// A Reaction is what follows from a check that does not pass.
type Reaction string

// The reactions.
const (
	AskPerson   Reaction = "ask"       // a person says how it goes on
	FailTask    Reaction = "fail"      // the task has failed
	RollBackAll Reaction = "roll-back" // what was changed in its environment is rolled back
	GoOn        Reaction = "go-on"     // it is recorded, and that is all
)

// Waves let a task be done on one target after the other.
type Waves struct {
	Over      string        `json:"over"`              // a parameter that is a list
	Size      int           `json:"size,omitempty"`    // targets at once
	Percent   int           `json:"percent,omitempty"` // instead of Size, rounded up
	MaxErrors int           `json:"max_errors"`        // targets that may fail; one more stops it
	Bake      time.Duration `json:"bake,omitempty"`    // between two waves
}

// Reports are the documents that a task can write.
func Reports() []string { return []string{WorkPlan, CompletionReport} }

// The documents.
const (
	WorkPlan         = "work-plan"
	CompletionReport = "completion-report"
)

// All returns the tasks in the order of the plan.
func (d *Definition) All() []Task {
	var all []Task
	for _, p := range d.Phases {
		all = append(all, p.Tasks...)
	}
	return all
}

// Task returns a task.
func (d *Definition) Task(id string) (Task, bool) {
	for p := range d.Phases {
		tasks := d.Phases[p].Tasks
		for n := range tasks { // not by value: a run looks for tasks all the time
			if tasks[n].ID == id {
				return tasks[n], true
			}
		}
	}
	return Task{}, false
}

// Role returns a role.
func (d *Definition) Role(id string) (Role, bool) {
	n := slices.IndexFunc(d.Roles, func(r Role) bool { return r.ID == id })
	if n < 0 {
		return Role{}, false
	}
	return d.Roles[n], true
}

// Target is the environment that one run at a time may have.
func (d *Definition) Target() Environment { return d.Environments[len(d.Environments)-1] }
