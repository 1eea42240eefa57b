package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"muster/internal/approval"
	"muster/internal/authority"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/timeline"
)

// A PlanAsk is the body of one command of a run: what whoever gives it may say. Who they are, and in which roles they act, is never in it.
type PlanAsk interface {
	command(s *server, about asking) (planrun.Command, error)
}

// asking is what a command is about, besides what its body says.
type asking struct {
	run     *planrun.Run
	in      planrun.Capacity
	request string
}

// PlanShown is the SHA-256 of what somebody was shown who votes.
type PlanShown string

// The bodies of the commands of a run. The fields of each are those of the command of package planrun.
type (
	// PlanAssign asks a person to do a task.
	PlanAssign struct {
		Task   string `json:"task"`
		Person string `json:"person"` // ID
		Note   string `json:"note,omitempty"`
	}
	// PlanBegin begins a task.
	PlanBegin struct {
		Task string `json:"task"`
	}
	// PlanEvidence is one piece of evidence: where it is and what its bytes are.
	PlanEvidence struct {
		Item   string `json:"item"`
		Ref    string `json:"ref"`
		SHA256 string `json:"sha256,omitempty"`
		Note   string `json:"note,omitempty"`
	}
	// PlanComplete says that a task, or one target of it, is done.
	PlanComplete struct {
		Task     string         `json:"task"`
		Target   string         `json:"target,omitempty"`
		Evidence []PlanEvidence `json:"evidence,omitempty"`
		Note     string         `json:"note,omitempty"`
	}
	// PlanFail says that a task, or one target of it, cannot be done.
	PlanFail struct {
		Task   string `json:"task"`
		Target string `json:"target,omitempty"`
		Reason string `json:"reason"`
	}
	// PlanCheck says whether evidence shows that a task was done.
	PlanCheck struct {
		Task string `json:"task"`
		OK   bool   `json:"ok"`
		Note string `json:"note,omitempty"`
	}
	// PlanAddEvidence shows more of a task, or newer.
	PlanAddEvidence struct {
		Task     string         `json:"task"`
		Evidence []PlanEvidence `json:"evidence"`
	}
	// PlanSkip asks for a waiver.
	PlanSkip struct {
		Task    string    `json:"task"`
		Reason  string    `json:"reason"`
		Control string    `json:"control"` // what is done instead
		Until   time.Time `json:"until,omitzero"`
	}
	// PlanWaive grants a waiver, or refuses it.
	PlanWaive struct {
		Task  string `json:"task"`
		Grant bool   `json:"grant"`
		Note  string `json:"note,omitempty"`
		// Asked is when what is decided was asked for; zero: whatever waits.
		Asked time.Time `json:"asked,omitzero"`
	}
	// PlanRetry lets a task that has failed be done anew.
	PlanRetry struct {
		Task   string `json:"task"`
		Reason string `json:"reason"`
	}
	// PlanSettle says what has become of what is unclear.
	PlanSettle struct {
		Task   string             `json:"task"`
		Status planrun.TaskStatus `json:"status"`
		Reason string             `json:"reason"`
	}
	// PlanStep says that a step of a runbook is done.
	PlanStep struct {
		Task string `json:"task"`
		Step int    `json:"step"`
		Note string `json:"note,omitempty"`
	}
	// PlanVote votes on what was shown.
	PlanVote struct {
		Task   string          `json:"task,omitempty"` // empty: a change of the plan
		For    string          `json:"for,omitempty"`  // ID of the person in whose place it is cast
		Choice approval.Choice `json:"choice"`
		Reason string          `json:"reason,omitempty"`
		Shown  PlanShown       `json:"shown"`
	}
	// PlanDelegate lets a substitute vote.
	PlanDelegate struct {
		Task  string    `json:"task,omitempty"` // empty: a change of the plan
		To    string    `json:"to"`             // ID of a person of the same party
		Until time.Time `json:"until"`
	}
	// PlanHalt lets nothing new begin.
	PlanHalt struct {
		Reason string `json:"reason"`
	}
	// PlanContinue ends a halt.
	PlanContinue struct {
		Reason string `json:"reason"`
	}
	// PlanRollBack undoes what was changed in an environment.
	PlanRollBack struct {
		Environment string `json:"environment"` // in the plan
		Reason      string `json:"reason"`
	}
	// PlanSettleRollback says what has become of the rollback of a task.
	PlanSettleRollback struct {
		Task  string            `json:"task"`
		State planrun.UndoState `json:"state"`
		Note  string            `json:"note"`
	}
	// PlanOverride asks to change an environment although it may not be.
	PlanOverride struct {
		Environment string    `json:"environment"`
		Freeze      string    `json:"freeze,omitempty"` // ID; empty: outside every window
		Reason      string    `json:"reason"`
		Until       time.Time `json:"until"`
	}
	// PlanConfirmOverride agrees to that, or does not.
	PlanConfirmOverride struct {
		Environment string `json:"environment"`
		Grant       bool   `json:"grant"`
		Note        string `json:"note,omitempty"`
		// Asked is when what is decided was asked for; zero: whatever waits.
		Asked time.Time `json:"asked,omitzero"`
	}
	// PlanReplan asks to go on under another revision of the plan.
	PlanReplan struct {
		File       string            `json:"file,omitempty"`
		Content    PlanText          `json:"content"` // YAML
		Parameters map[string]string `json:"parameters,omitempty"`
		Reason     string            `json:"reason"`
	}
	// PlanCancel ends the run.
	PlanCancel struct {
		Reason string `json:"reason"`
	}
	// PlanNote writes into the timeline.
	PlanNote struct {
		Task string `json:"task,omitempty"`
		Text string `json:"text"`
	}
)

// A planAsk is a command of a run as it is called over HTTP.
type planAsk struct {
	name   string // in the path
	body   PlanAsk
	verb   authority.Verb
	handle func(*server) handler
}

func takes[A PlanAsk](name string, v authority.Verb, most int64) planAsk {
	var a A
	return planAsk{name, a, v, func(s *server) handler { return onPlanRun[A](s, name, most) }}
}

// planAsks are the commands of a run. Who decides is a person; all others are work.
func planAsks() []planAsk {
	const work, decide = authority.Work, authority.Decide
	return []planAsk{
		takes[PlanAssign]("assign", work, MaxBody),
		takes[PlanBegin]("begin", work, MaxBody),
		takes[PlanComplete]("complete", work, MaxBody),
		takes[PlanFail]("fail", work, MaxBody),
		takes[PlanCheck]("check", work, MaxBody),
		takes[PlanAddEvidence]("add-evidence", work, MaxBody),
		takes[PlanSkip]("skip", work, MaxBody),
		takes[PlanWaive]("waive", decide, MaxBody),
		takes[PlanRetry]("retry", work, MaxBody),
		takes[PlanSettle]("settle", work, MaxBody),
		takes[PlanStep]("step", work, MaxBody),
		takes[PlanVote]("vote", decide, MaxBody),
		takes[PlanDelegate]("delegate", decide, MaxBody),
		takes[PlanHalt]("halt", work, MaxBody),
		takes[PlanContinue]("continue", work, MaxBody),
		takes[PlanRollBack]("rollback", work, MaxBody),
		takes[PlanSettleRollback]("settle-rollback", work, MaxBody),
		takes[PlanOverride]("override", work, MaxBody),
		takes[PlanConfirmOverride]("confirm-override", decide, MaxBody),
		takes[PlanReplan]("replan", work, MaxPlanBody),
		takes[PlanCancel]("cancel", work, MaxBody),
		takes[PlanNote]("note", work, MaxBody),
	}
}

// command finds the person in the organisation folder, who must be somebody that may work in this run.
func (a PlanAssign) command(s *server, about asking) (planrun.Command, error) {
	who, err := s.concerned("person", a.Person, authority.Work, about.run)
	return planrun.Assign{Capacity: about.in, Task: a.Task, Person: who.Actor, Note: a.Note}, err
}

// concerned is a person who may do something in a run.
func (s *server) concerned(field, id string, v authority.Verb, run *planrun.Run) (authority.Subject, error) {
	who, known := s.Directory().Subject(id)
	if !known || who.Actor.Kind != timeline.Person || authority.May(who, v, s.aboutRun(run)) != nil {
		return who, fault(field, fmt.Sprintf("%q; want the id of a person in the organisation folder whose party the run concerns", clip(id)))
	}
	return who, nil
}

func (a PlanBegin) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Begin{Capacity: about.in, Task: a.Task}, nil
}

func (a PlanComplete) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Complete{Capacity: about.in, Task: a.Task, Target: a.Target, Evidence: given(a.Evidence), Note: a.Note}, nil
}

// given is evidence as a run takes it. Who has given it, and when, the run says.
func given(all []PlanEvidence) (evidence []planrun.Given) {
	for _, e := range all {
		evidence = append(evidence, planrun.Given{Item: e.Item, Ref: e.Ref, SHA256: e.SHA256, Note: e.Note})
	}
	return evidence
}

func (a PlanFail) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Fail{Capacity: about.in, Task: a.Task, Target: a.Target, Reason: a.Reason}, nil
}

func (a PlanCheck) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.CheckEvidence{Capacity: about.in, Task: a.Task, OK: a.OK, Note: a.Note}, nil
}

func (a PlanAddEvidence) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.AddEvidence{Capacity: about.in, Task: a.Task, Evidence: given(a.Evidence)}, nil
}

func (a PlanSkip) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Skip{Capacity: about.in, Task: a.Task, Reason: a.Reason, Control: a.Control, Until: a.Until.UTC()}, nil
}

func (a PlanWaive) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Waive{Capacity: about.in, Task: a.Task, Grant: a.Grant, Note: a.Note, Asked: a.Asked}, nil
}

func (a PlanRetry) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Retry{Capacity: about.in, Task: a.Task, Reason: a.Reason}, nil
}

func (a PlanSettle) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Settle{Capacity: about.in, Task: a.Task, Status: a.Status, Reason: a.Reason}, nil
}

func (a PlanStep) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.DoStep{Capacity: about.in, Task: a.Task, Step: a.Step, Note: a.Note}, nil
}

func (a PlanVote) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Vote{
		Capacity: about.in, ID: about.request, Task: a.Task, For: a.For, Choice: a.Choice, Reason: a.Reason, Shown: string(a.Shown),
	}, nil
}

// command finds the substitute in the organisation folder. A substitute is of the same party as whoever names them.
func (a PlanDelegate) command(s *server, about asking) (planrun.Command, error) {
	who, err := s.concerned("to", a.To, authority.Decide, about.run)
	to := approval.Substitute{Person: who.Actor.ID, Name: who.Actor.Name, Party: who.Kind, Until: a.Until.UTC()}
	return planrun.Delegate{Capacity: about.in, Task: a.Task, To: to}, err
}

func (a PlanHalt) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Halt{Capacity: about.in, Reason: a.Reason}, nil
}

func (a PlanContinue) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Continue{Capacity: about.in, Reason: a.Reason}, nil
}

func (a PlanRollBack) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.RollBack{Capacity: about.in, Environment: a.Environment, Reason: a.Reason}, nil
}

func (a PlanSettleRollback) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.SettleUndo{Capacity: about.in, Task: a.Task, State: a.State, Note: a.Note}, nil
}

func (a PlanOverride) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.AskOverride{Capacity: about.in, Environment: a.Environment, Freeze: a.Freeze, Reason: a.Reason, Until: a.Until.UTC()}, nil
}

func (a PlanConfirmOverride) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.ConfirmOverride{Capacity: about.in, Environment: a.Environment, Grant: a.Grant, Note: a.Note, Asked: a.Asked}, nil
}

// command reads the plan, if it is that of whoever leads the run: from anybody else the run takes none.
func (a PlanReplan) command(s *server, about asking) (planrun.Command, error) {
	c := planrun.RePlan{Capacity: about.in, Reason: a.Reason}
	if !slices.Contains(about.in.Roles, about.run.Plan.Lead) {
		return c, nil
	}
	next, err := s.Directory().RePlan(about.run, org.PlanStart{
		File: cmp.Or(a.File, "content"), Content: []byte(a.Content), Customer: about.run.Customer, Parameters: a.Parameters,
	})
	if err != nil {
		return c, planFault(err)
	}
	c.Next = next
	return c, nil
}

func (a PlanCancel) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Cancel{Capacity: about.in, Reason: a.Reason}, nil
}

func (a PlanNote) command(_ *server, about asking) (planrun.Command, error) {
	return planrun.Note{Capacity: about.in, Task: a.Task, Text: a.Text}, nil
}

// planRoutes are those of runs of plans.
func (s *server) planRoutes(heavy func(handler) handler) []route {
	const one = "plan-runs/{id}"
	all := []route{
		{http.MethodGet, "plan-runs", "", "", inTurn(8)(s.listPlanRuns)}, // for partners and vendors each asks many runs
		{http.MethodPost, "plan-runs", authority.StartPlan, authority.PlanRun, s.startPlanRun},
		{http.MethodGet, one, authority.Read, authority.PlanRun, s.showPlanRun},
		{http.MethodGet, one + "/report", authority.Read, authority.PlanRun, s.planRunReport},
		{http.MethodGet, one + "/history", authority.ReadHistory, authority.PlanRun, heavy(s.planRunHistory)},
	}
	for _, a := range planAsks() {
		all = append(all, route{http.MethodPost, one + "/" + a.name, a.verb, authority.PlanRun, a.handle(s)})
	}
	return all
}
