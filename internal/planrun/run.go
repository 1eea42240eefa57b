// Package planrun decides what happens in a run of a plan: which tasks may begin, who is told, what is late, what the votes have come
// to, when nothing may be changed, and what is rolled back. It reads no clock and reaches nobody.
package planrun

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/calendar"
	"muster/internal/escalation"
	"muster/internal/freeze"
	"muster/internal/incident"
	"muster/internal/plan"
	"muster/internal/priority"
	"muster/internal/runbook"
	"muster/internal/timeline"
)

// Priority is that of the messages of a run.
const Priority = priority.P3

// ID is the identity of a run that people see, such as RUN-7K3M9QX2PA.
type ID string

const prefix = "RUN-"

// NewID makes an identity of some random bits.
func NewID(random uint64) ID { return ID(incident.WriteID(prefix, random)) }

// Valid tells whether a text can be an identity.
func (id ID) Valid() bool { return incident.IsID(prefix, string(id)) }

// Status is where a run stands.
type Status string

// The statuses of a run. These strings are in histories: add, never rename.
const (
	Running     Status = "running"
	Halted      Status = "halted"       // nothing new begins until it is continued
	RollingBack Status = "rolling-back" // what was changed in an environment is being undone
	Completed   Status = "completed"
	Cancelled   Status = "cancelled"
)

// Statuses lists the statuses.
func Statuses() []Status { return []Status{Running, Halted, RollingBack, Completed, Cancelled} }

// Final tells whether nothing more can happen.
func (s Status) Final() bool { return s == Completed || s == Cancelled }

// A Value is a parameter as it was given.
type Value struct {
	ID    string    `json:"id"`
	Value string    `json:"value,omitempty"`
	List  []string  `json:"list,omitempty"`
	At    time.Time `json:"at,omitzero"` // of a date or an instant
}

// A Bound is an environment of the plan with the one of the organisation that it stands for.
type Bound struct {
	ID          string       `json:"id"`          // in the plan
	Environment string       `json:"environment"` // in the organisation folder, of the customer
	Name        string       `json:"name"`
	Production  bool         `json:"production,omitempty"`
	Services    []string     `json:"services,omitempty"` // that run there
	Alerts      bool         `json:"alerts,omitempty"`   // theirs are known by their labels, and held back while a task changes it
	Rules       freeze.Rules `json:"rules"`              // when it may be changed
}

// A Filled is a role with whoever fills it. Who that is is found anew at each message and decision.
type Filled struct {
	Role    string              `json:"role"`
	Targets []escalation.Target `json:"targets"`
}

// An Absent task is one that does not belong to the run, because its condition did not hold at the start.
type Absent struct {
	ID   string    `json:"id"`
	Name plan.Text `json:"name"`
	When string    `json:"when"`
}

// A Book is a runbook as it stood at the start.
type Book struct {
	ID      string          `json:"id"`
	SHA256  string          `json:"sha256"`
	Runbook runbook.Runbook `json:"runbook"`
}

// Terms are what a run begins with: the plan with its parameters filled in, and what the organisation folder had to say.
type Terms struct {
	ID      ID             `json:"id"`
	Request string         `json:"request"` // that has started it: whoever repeats it finds the same one
	Starter timeline.Actor `json:"starter"`

	Notice  *Noticed  `json:"notice,omitempty"`  // of a provider, that has started it; nil: none has
	Routine *ComeBack `json:"routine,omitempty"` // that has started it; nil: none has

	ForChange *ForChange `json:"for_change,omitempty"` // that has become this run; nil: none

	Customer     string  `json:"customer"` // ID
	CustomerName string  `json:"customer_name"`
	Environments []Bound `json:"environments"` // in the order of the plan: the last one is its target

	Pinned
}

// ComeBack names a routine at one of its times.
type ComeBack struct {
	ID      string    `json:"id"`
	Planned time.Time `json:"planned"`
}

// Noticed names what a provider has announced.
type Noticed struct {
	Source string `json:"source"` // ID
	ID     string `json:"id"`     // of the notice there
	Key    string `json:"key"`    // both in one, for the workflow id: hexadecimal
	SHA256 string `json:"sha256"` // of what it said at the start, in hexadecimal
}

// ForChange names the change request that has become a run.
type ForChange struct {
	ID        string         `json:"id"`
	Requester timeline.Actor `json:"requester"`
}

// asker is who asks for what the run does: whoever has asked for the change that it is, or has started it.
func (t *Terms) asker() timeline.Actor {
	if t.ForChange != nil {
		return t.ForChange.Requester
	}
	return t.Starter
}

// StartedBy says who has started it, or for which change of whom it was.
func (t *Terms) StartedBy() string {
	if t.ForChange != nil {
		return t.ForChange.ID + ", " + t.asker().Shown()
	}
	return t.Starter.Shown()
}

// Pinned is what a run holds on to until it is planned anew.
type Pinned struct {
	Plan         plan.Definition  `json:"plan"`              // tasks that belong to the run alone, with their texts filled in
	SHA256       string           `json:"sha256"`            // of the plan as it was written
	Brought      bool             `json:"brought,omitempty"` // by whoever has started the run; else it is one of the folder, or comes with Muster
	Parameters   []Value          `json:"parameters,omitempty"`
	ParametersID string           `json:"parameters_sha256"`
	Roles        []Filled         `json:"roles"`
	Absent       []Absent         `json:"absent,omitempty"`
	Books        []Book           `json:"books,omitempty"`
	Revision     string           `json:"revision"` // of the organisation folder
	Organisation string           `json:"organisation"`
	Zone         string           `json:"zone"`               // IANA name
	Calendar     string           `json:"calendar,omitempty"` // in which working time counts; empty: around the clock
	Calendars    []calendar.Rules `json:"calendars,omitempty"`
}

// Target is the environment that this run alone may have.
func (t *Terms) Target() Bound { return t.Environments[len(t.Environments)-1] }

// Bound returns the environment that one of the plan stands for, nil where the plan has none of that name.
func (t *Terms) Bound(id string) *Bound {
	for n := range t.Environments {
		if t.Environments[n].ID == id {
			return &t.Environments[n]
		}
	}
	return nil
}

func (p *Pinned) value(id string) Value {
	n := slices.IndexFunc(p.Parameters, func(v Value) bool { return v.ID == id })
	if n < 0 {
		return Value{ID: id}
	}
	return p.Parameters[n]
}

func (p *Pinned) book(id string) *Book {
	for n := range p.Books {
		if p.Books[n].ID == id {
			return &p.Books[n]
		}
	}
	return nil
}

// Filled returns whoever fills a role.
func (p *Pinned) Filled(role string) []escalation.Target {
	for _, f := range p.Roles {
		if f.Role == role {
			return f.Targets
		}
	}
	return nil
}

// lacks says what a plan without faults names and nothing was given for, or what makes it too long.
func (p *Pinned) lacks() (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, role := range p.Plan.Roles {
		if len(p.Filled(role.ID)) == 0 {
			add("role %s: nobody fills it", role.ID)
		}
	}
	for _, t := range p.Plan.All() {
		books, dates := []string{t.Runs}, []string{t.Until}
		if t.Rollback != nil {
			books = append(books, t.Rollback.Runs)
		}
		if t.Due != nil {
			dates = append(dates, t.Due.Date)
		}
		for _, id := range books {
			if id != "" && p.book(id) == nil {
				add("task %s: no such runbook %q", t.ID, id)
			}
		}
		for _, id := range dates {
			if id != "" && p.value(id).At.IsZero() {
				add("task %s: parameter %s: no date was given", t.ID, id)
			}
		}
		if t.Waves != nil && len(p.value(t.Waves.Over).List) == 0 {
			add("task %s: parameter %s: no targets were given", t.ID, t.Waves.Over)
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	if events := p.events(); events > plan.MaxEvents {
		add("about %d events of a history; want %d at most: split the plan, or remind less often", events, plan.MaxEvents)
	}
	return wrong
}

// events is about how many events of a history a run needs, with those who fill its roles, its runbooks and its targets.
func (p *Pinned) events() int {
	return p.Plan.EventsOf(plan.Size{
		People:  func(role string) int { return len(p.Filled(role)) },
		Steps:   func(id string) int { return len(p.book(id).Runbook.Steps) },
		Targets: func(id string) int { return len(p.value(id).List) },
	})
}

// A Run is the state of one run.
type Run struct {
	Terms

	Status   Status         `json:"status"`
	Opened   time.Time      `json:"opened"`
	Ended    time.Time      `json:"ended,omitzero"`
	Since    time.Time      `json:"since"`            // of its status
	By       timeline.Actor `json:"by,omitzero"`      // who has brought it there
	Reason   string         `json:"reason,omitempty"` // and why
	Tasks    []Task         `json:"tasks"`            // in the order of the plan
	Windows  []Look         `json:"windows,omitempty"`
	Override []Override     `json:"override,omitempty"`
	Locks    []Lock         `json:"locks,omitempty"`
	Silences []Silence      `json:"silences,omitempty"` // that are not over
	Alerts   []HeldAlert    `json:"alerts,omitempty"`   // that were held back while something was changed
	Actions  []ActionItem   `json:"actions,omitempty"`  // that came of it
	Undoing  *Undoing       `json:"undoing,omitempty"`  // the newest rollback
	Undos    []DueUndo      `json:"undos,omitempty"`    // that wait for it
	Change   *Change        `json:"change,omitempty"`   // of the plan, that is asked for
	Revised  int            `json:"revised,omitempty"`  // how often the plan was changed
	Sends    int            `json:"sends"`
	Works    int            `json:"works"` // begun so far
	Refusals int            `json:"refusals,omitempty"`
	Partial  bool           `json:"partial,omitempty"` // as a party beside the provider sees it

	Timeline timeline.Log `json:"timeline"`

	fresh []Work
	defs  []plan.Task // what the tasks are, in their order
}

// Start begins a run. Its error says what is wrong with the terms.
func Start(terms Terms, now time.Time) (*Run, error) {
	refuse := func(format string, args ...any) (*Run, error) {
		return nil, fmt.Errorf("start run %s: %s", terms.ID, fmt.Sprintf(format, args...))
	}
	switch {
	case !terms.ID.Valid():
		return nil, fmt.Errorf("start run %q: id: want one such as RUN-7K3M9QX2PA", terms.ID)
	case terms.Customer == "" || terms.Starter.ID == "":
		return refuse("customer or starter: missing")
	case len(terms.Environments) != len(terms.Plan.Environments) || len(terms.Environments) == 0:
		return refuse("environments: %d; the plan has %d", len(terms.Environments), len(terms.Plan.Environments))
	}
	if faults := terms.Plan.Check(); len(faults) > 0 {
		var wrong []error
		for _, f := range faults {
			wrong = append(wrong, f)
		}
		return refuse("plan: %s", errors.Join(wrong...))
	}
	if wrong := terms.lacks(); len(wrong) > 0 {
		return refuse("%s", strings.Join(wrong, "; "))
	}
	for n, e := range terms.Plan.Environments {
		if id := terms.Environments[n].ID; id != e.ID {
			return refuse("environments: %s stands where the plan has %s", id, e.ID)
		}
	}
	r := &Run{Terms: terms, Status: Running, Opened: now, Since: now, By: terms.Starter}
	for _, t := range terms.Plan.All() {
		r.Tasks = append(r.Tasks, Task{ID: t.ID, Status: Waiting, Since: now, Attempt: 1})
	}
	target := terms.Target()
	r.record(now, timeline.PlanStarted, terms.Starter, timeline.F("run", string(terms.ID)), timeline.F("plan", terms.Plan.ID),
		timeline.F("sha256", terms.SHA256), timeline.F("customer", terms.CustomerName), timeline.F("environment", target.Name),
		timeline.F("revision", terms.Revision), timeline.F("tasks", fmt.Sprint(len(r.Tasks))), timeline.F("change", changeOf(&terms)))
	for _, a := range terms.Absent {
		r.record(now, timeline.TaskAbsent, timeline.Muster(), timeline.F("task", a.ID), timeline.F("when", a.When))
	}
	told := r.everybody()
	if r.Notice != nil { // others hear of it when somebody has judged it
		told = r.house()
	}
	r.tell(RunStarted, "", told)
	return r, nil
}

func changeOf(t *Terms) string {
	if t.ForChange == nil {
		return ""
	}
	return t.ForChange.ID
}

// Over tells whether nothing more is decided.
func (r *Run) Over() bool { return r.Status.Final() }

// task returns the state of a task, nil where there is none.
func (r *Run) task(id string) *Task {
	for n := range r.Tasks {
		if r.Tasks[n].ID == id {
			return &r.Tasks[n]
		}
	}
	return nil
}

// def is what the nth task is. Of a run that has only a part of its tasks it is looked for.
func (r *Run) def(n int) plan.Task {
	if r.defs == nil {
		r.defs = r.Plan.All()
	}
	if id := r.Tasks[n].ID; n >= len(r.defs) || r.defs[n].ID != id {
		t, _ := r.Plan.Task(id)
		return t
	}
	return r.defs[n]
}

// Task returns the state of a task and what it is.
func (r *Run) Task(id string) (*Task, plan.Task, bool) {
	t := r.task(id)
	if t == nil {
		return nil, plan.Task{}, false
	}
	def, ok := r.Plan.Task(id)
	return t, def, ok
}

// everybody are all roles of the plan.
func (r *Run) everybody() []string {
	roles := make([]string, len(r.Plan.Roles))
	for n, role := range r.Plan.Roles {
		roles[n] = role.ID
	}
	return roles
}

// house are the roles that the provider's own people fill.
func (r *Run) house() (roles []string) {
	for _, role := range r.Plan.Roles {
		if role.Party == authority.Provider {
			roles = append(roles, role.ID)
		}
	}
	return roles
}

func (r *Run) move(s Status, by timeline.Actor, reason string, now time.Time) {
	r.record(now, timeline.PlanMoved, by, timeline.F("from", string(r.Status)), timeline.F("to", string(s)), timeline.F("reason", reason))
	r.Status, r.By, r.Reason, r.Since = s, by, reason, now
}

func (r *Run) record(now time.Time, k timeline.Kind, by timeline.Actor, facts ...timeline.Fact) {
	facts = slices.DeleteFunc(facts, func(f timeline.Fact) bool { return f.Value == "" })
	r.Timeline.Add(now, k, by, facts...)
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func maybe(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return at(t)
}
