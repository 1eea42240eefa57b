package workflows

import (
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var environments *activities.Environments

// HolderMemo is the name of the run that has a lock in the lock's memo. It is on the wire: never renamed.
const HolderMemo = "run"

// EnvironmentInput says for which run something is kept of an environment.
type EnvironmentInput struct {
	Run         planrun.ID `json:"run"`
	Parent      string     `json:"parent"`      // run id of its workflow
	Environment string     `json:"environment"` // in its plan

	State *SilenceState `json:"state,omitempty"` // of a silence that goes on in a new run
}

// SilenceState is what the next run of a silence goes on with.
type SilenceState struct {
	Groups []HeldGroup `json:"groups"`
	Heard  int         `json:"heard"` // batches
	Names  []string    `json:"names"` // of alerts of which the run of the plan was told
	Since  time.Time   `json:"since"` // when the first run was started
}

// admitEnvironment takes a start that a run of a plan has signed for a child of its own: a copy would be a child of nobody. A state comes from
// the run before.
func admitEnvironment(ctx workflow.Context, name string, in signature.Signed[EnvironmentInput]) error {
	c, info := claim(ctx, name, in, signature.Freshness{}), workflow.GetInfo(ctx)
	if in.Body.State != nil {
		c.FirstRun = info.FirstRunID
	}
	why := admitOne(ctx, c)
	if why == "" && in.Body.State != nil && info.ContinuedExecutionRunID == "" {
		why = "a state comes from the run before, and from nobody else"
	}
	if parent := info.ParentWorkflowExecution; why == "" && (in.By != timeline.Muster() || parent == nil || parent.RunID != in.Body.Parent) {
		why = in.By.Shown() + " asks for it; want the run of a plan for which it was signed"
	}
	if why != "" {
		return temporal.NewNonRetryableApplicationError("start "+name+": "+why, RefusedError, nil)
	}
	return nil
}

// EnvironmentLock is the right of one run to change an environment: the server lets only one of them exist. It ends when that run
// gives it back, and with the run whatever that one's end is.
func EnvironmentLock(ctx workflow.Context, in signature.Signed[EnvironmentInput]) error {
	if err := admitEnvironment(ctx, EnvironmentLockWorkflow, in); err != nil {
		return err
	}
	ctx.Done().Receive(ctx, nil)
	return ctx.Err()
}

// AlertHeld tells a run that an alert of an environment that it changes is held back.
type AlertHeld struct {
	Environment string            `json:"environment"` // in its plan
	Alert       planrun.HeldAlert `json:"alert"`
}

// Silence holds back the alerts of an environment while a task changes it. What still fires at its end opens its incidents, and the
// run hears what was held back. When there are more than a change explains, it ends by itself.
func Silence(ctx workflow.Context, in signature.Signed[EnvironmentInput]) (planrun.HeldAlerts, error) {
	s := environmentSilence{in: in.Body, holding: holding{since: workflow.Now(ctx), batches: workflow.GetSignalChannel(ctx, HeldAlertsSignal)}}
	s.fired = s.hear
	if err := admitEnvironment(ctx, SilenceWorkflow, in); err != nil {
		return planrun.HeldAlerts{}, err
	}
	if before := in.Body.State; before != nil {
		s.groups, s.heard, s.names, s.since = before.Groups, before.Heard, before.Names, before.Since
	}
	s.ctx, _ = workflow.NewDisconnectedContext(ctx) // what was held is let go after its end was asked for
	calm := func() bool { return s.batches.Len() == 0 && s.telling == 0 && ctx.Err() == nil }
	large := false
	for {
		s.receive()
		if ctx.Err() != nil || s.full() {
			break
		}
		if calm() && workflow.GetInfo(s.ctx).GetContinueAsNewSuggested() && goesOn(s.ctx) {
			if large = s.bytes() > mostHeldBytes; large { // no new run could be given it
				break
			}
			if err := handOn(s.ctx, SilenceWorkflow, s.next(), calm); err != nil {
				return planrun.HeldAlerts{}, err
			}
			continue // something has happened meanwhile
		}
		if err := workflow.Await(s.ctx, func() bool { return s.batches.Len() > 0 || ctx.Err() != nil }); err != nil {
			return planrun.HeldAlerts{}, err
		}
	}
	full := s.full() || large
	s.expire()
	for s.batches.Len() > 0 || s.unsent() || s.leaving > 0 || s.telling > 0 { // to its very end the server takes alerts for it
		s.receive()
		var err error
		if s.unsent() && !letsAbreast(s.ctx) {
			err = s.letInTurn()
		} else {
			s.let()
		}
		if err == nil {
			err = workflow.Await(s.ctx, func() bool { return s.batches.Len() > 0 || s.left || s.telling == 0 && s.leaving == 0 })
		}
		if err != nil {
			return planrun.HeldAlerts{}, err
		}
	}
	if s.failed != nil {
		return planrun.HeldAlerts{}, s.failed
	}
	held := s.held()
	held.Full = full
	return held, nil
}

type environmentSilence struct {
	holding

	in      EnvironmentInput
	names   []string // of alerts of which the run was told
	telling int
}

// next is what a new run goes on with.
func (s *environmentSilence) next() EnvironmentInput {
	in := s.in
	in.State = &SilenceState{Groups: s.groups, Heard: s.heard, Names: s.names, Since: s.since}
	return in
}

// hear takes in that an alert that began to fire is held back.
func (s *environmentSilence) hear(def *incident.Definition, a alert.Alert, at time.Time) {
	if slices.Contains(s.names, a.Name) {
		return
	}
	s.names = append(s.names, a.Name)
	s.tell(planrun.HeldAlert{Name: a.Name, Service: def.Service.ID, Summary: a.Summary(), Times: 1, First: at, Last: at})
}

// tell tells the run of an alert at once: whoever works there should know what the change does.
func (s *environmentSilence) tell(a planrun.HeldAlert) {
	s.telling++
	workflow.Go(s.ctx, func(ctx workflow.Context) {
		defer func() { s.telling-- }()
		run := workflow.GetInfo(ctx).ParentWorkflowExecution
		m, err := sealed(ctx, signature.Statement{Workflow: run.ID, Message: AlertHeldSignal}, AlertHeld{Environment: s.in.Environment, Alert: a})
		if err == nil {
			err = workflow.SignalExternalWorkflow(ctx, run.ID, run.RunID, AlertHeldSignal, m).Get(ctx, nil)
		}
		if err != nil { // the run is over
			workflow.GetLogger(ctx).Warn("run not told of an alert that is held back", "error", err)
		}
	})
}

// held lists what was held back, in the order in which it came.
func (s *environmentSilence) held() (all planrun.HeldAlerts) {
	for n := range s.groups {
		g := &s.groups[n]
		for _, a := range g.Alerts.Full {
			if len(all.Alerts) == mostHeldAlerts {
				all.More++
				continue
			}
			all.Alerts = append(all.Alerts, planrun.HeldAlert{
				Name: a.Name, Service: g.Definition.Service.ID, Summary: a.Summary(), Times: a.Times, First: a.First, Last: a.Last,
				Resolved: a.State == alert.Resolved,
			})
		}
		all.More += len(g.Alerts.Brief) + g.Alerts.Unnamed
		for _, t := range g.Alerts.Rest {
			all.More += t.Times
		}
	}
	return all
}

// keeping is what a run has in an environment: a lock or a silence.
type keeping struct {
	environment string
	work        planrun.Doing
	end         workflow.CancelFunc
	ended       bool
}

// keepEnvironment starts the child by which a run keeps something of an environment, and returns it with whom to call when it is needed no more.
func (r *planRun) keepEnvironment(
	ctx workflow.Context, w planrun.Work, name, id string, policy enumspb.ParentClosePolicy,
) (workflow.ChildWorkflowFuture, *keeping, error) {
	k := &keeping{environment: w.Environment, work: w.Do}
	ctx, k.end = workflow.WithCancel(ctx)
	r.keeps = append(r.keeps, k)
	m, err := sealed(ctx, signature.Statement{Workflow: id, Message: name}, EnvironmentInput{
		Run: r.run.ID, Parent: workflow.GetInfo(ctx).WorkflowExecution.RunID, Environment: w.Environment,
	})
	if err != nil {
		return nil, nil, err
	}
	child := workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: id, TaskQueue: TaskQueue, ParentClosePolicy: policy, WaitForCancellation: true,
		Memo:     map[string]any{HolderMemo: string(r.run.ID)},
		Priority: temporal.Priority{PriorityKey: int(planrun.Priority)},
	}), name, m)
	return child, k, nil
}

// endEnvironment ends what the run keeps of an environment.
func (r *planRun) endEnvironment(environment string, work planrun.Doing) {
	for _, k := range r.keeps {
		if k.environment == environment && k.work == work && !k.ended {
			k.ended = true
			k.end()
		}
	}
	r.keeps = slices.DeleteFunc(r.keeps, func(k *keeping) bool { return k.ended })
}

// takeLock tries to get the lock of an environment.
func (r *planRun) takeLock(ctx workflow.Context, w planrun.Work) {
	id := EnvironmentLockWorkflowID(r.run.Customer, r.run.Bound(w.Environment).Environment)
	child, k, err := r.keepEnvironment(ctx, w, EnvironmentLockWorkflow, id, enumspb.PARENT_CLOSE_POLICY_TERMINATE)
	if err == nil {
		err = child.GetChildWorkflowExecution().Get(ctx, nil)
	}
	if err == nil {
		r.run.LockTaken(w.Number, true, "", "", workflow.Now(ctx))
		workflow.Go(ctx, func(ctx workflow.Context) {
			_ = child.Get(ctx, nil)
			if !k.ended {
				r.endEnvironment(k.environment, k.work)
				r.run.LockLost(k.environment, workflow.Now(ctx))
				r.news = true
			}
		})
		return
	}
	holder, detail := planrun.ID(""), ""
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		looking := workflow.WithActivityOptions(ctx, sending(looking, planrun.Priority))
		err = workflow.ExecuteActivity(looking, environments.FindHolder, id).Get(ctx, &holder)
	}
	if err != nil {
		detail = cause(err)
	}
	r.endEnvironment(w.Environment, w.Do)
	r.run.LockTaken(w.Number, false, string(holder), detail, workflow.Now(ctx))
}

// holdAlerts holds the alerts of an environment back until they are let go.
func (r *planRun) holdAlerts(ctx workflow.Context, w planrun.Work) {
	id := SilenceWorkflowID(r.run.Customer, r.run.Bound(w.Environment).Environment)
	child, _, err := r.keepEnvironment(ctx, w, SilenceWorkflow, id, enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL)
	var held planrun.HeldAlerts
	if err == nil {
		if child.GetChildWorkflowExecution().Get(ctx, nil) == nil {
			r.run.SilenceBegun(w.Number, workflow.Now(ctx))
			r.news = true
		}
		err = child.Get(ctx, &held)
	}
	detail := ""
	switch {
	case temporal.IsWorkflowExecutionAlreadyStartedError(err):
		detail = "those of the change before are still being let go"
	case err != nil && !temporal.IsCanceledError(err): // else it was not needed any more before it had begun
		detail = cause(err)
	}
	r.endEnvironment(w.Environment, w.Do)
	r.run.Silenced(w.Number, held, detail, workflow.Now(ctx))
}

// hearAlerts takes in which alerts are held back, as soon as it is proven that a silence says so.
func (r *planRun) hearAlerts() {
	start := workflow.Now(r.ctx)
	said := workflow.GetSignalChannel(r.ctx, AlertHeldSignal)
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for {
			var m signature.Signed[AlertHeld]
			said.Receive(ctx, &m)
			c := claim(ctx, AlertHeldSignal, m, signature.Freshness{Not: start, Within: Tolerance})
			if m.By != timeline.Muster() { // what nobody else may say
				c.Seal = nil
			}
			if why := admitOne(ctx, c); why != "" {
				r.record(timeline.MessageRefused, timeline.F("message", AlertHeldSignal), timeline.F("detail", why))
			} else {
				r.run.AlertHeld(m.Body.Environment, m.Body.Alert, workflow.Now(ctx))
			}
			r.news = true
		}
	})
}
