package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var heartbeats *activities.Heartbeats

// HeartbeatInput begins to listen for a heartbeat, or hands it to the run that continues it.
type HeartbeatInput struct {
	Definition *heartbeat.Definition `json:"definition,omitempty"`
	State      *heartbeat.Heartbeat  `json:"state,omitempty"`
	Since      time.Time             `json:"since,omitzero"` // when the first run was started
}

// HeartbeatDefined is what the organisation folder says of a heartbeat now.
type HeartbeatDefined struct {
	Definition heartbeat.Definition `json:"definition"`
	Hears      time.Time            `json:"hears,omitzero"` // since when the intake hears beats; zero: it has said so before
}

// HeartbeatPriority is how pressing it is that a heartbeat goes on. Its incident has a priority of its own.
const HeartbeatPriority = priority.P2

// Heartbeat listens for a job until the organisation folder has it no more. One timer rings when the next beat is missed, or what still fires
// is told again: it is set once and, when it rings, anew, for beats that come in time move no timer. Temporal's own cancel does not end it.
func Heartbeat(ctx workflow.Context, in signature.Signed[HeartbeatInput]) error {
	r := &heartbeatRun{
		beats: workflow.GetSignalChannel(ctx, BeatSignal), defined: workflow.GetSignalChannel(ctx, DefinedSignal),
		retired: workflow.GetSignalChannel(ctx, RetiredSignal),
	}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if err := r.admitStart(ctx, in); err != nil {
		return err
	}
	r.ctx = unstopped(ctx, func(time.Time) {}) // it has no timeline to say so in
	for {
		r.receive()
		r.compute()
		r.state.Advance(workflow.Now(r.ctx))
		r.compute()
		r.tell()
		if err := r.publish(); err != nil {
			return err
		}
		if r.state.Over() && !r.heard() {
			return nil
		}
		if r.continues() {
			if err := r.continueAsNew(); err != nil {
				return err
			}
			continue // something has come meanwhile
		}
		if err := r.awaitNews(); err != nil {
			return err
		}
	}
}

type heartbeatRun struct {
	ctx                     workflow.Context
	state                   *heartbeat.Heartbeat
	since                   time.Time // when the first run was started
	beats, defined, retired workflow.ReceiveChannel
	taken                   int  // messages so far
	telling                 bool // the first alert that is untold is on its way
	news                    bool // it has arrived
	alarm                   alarm
	status                  heartbeat.Status // that lists know
}

// mostBeats is how many messages a run takes before the next one goes on: each costs about seven events.
const mostBeats = 500

// admitStart takes a start that was signed just now in Muster's name, or the state of the run before.
func (r *heartbeatRun) admitStart(ctx workflow.Context, in signature.Signed[HeartbeatInput]) error {
	refuse := func(why string) error {
		return temporal.NewNonRetryableApplicationError("listen for heartbeat: "+why, RefusedError, nil)
	}
	info := workflow.GetInfo(ctx)
	c := claim(ctx, HeartbeatWorkflow, in, signature.Freshness{Around: info.WorkflowStartTime, Within: Tolerance})
	given := in.Body
	if given.State != nil {
		if info.ContinuedExecutionRunID == "" {
			return refuse("a state comes from the run before, and from nobody else")
		}
		c.FirstRun = info.FirstRunID
	}
	switch why := admitOne(ctx, c); {
	case why != "":
		return refuse(why)
	case in.By != timeline.Muster():
		return refuse(in.By.Shown() + " asks for it; want Muster itself")
	case given.State != nil:
		r.state, r.since = given.State, given.Since
	case given.Definition == nil || HeartbeatWorkflowID(given.Definition.ID) != info.WorkflowExecution.ID:
		return refuse(fmt.Sprintf("want the definition of %s", info.WorkflowExecution.ID))
	default:
		r.state, r.since = heartbeat.Open(*given.Definition, workflow.Now(ctx)), info.WorkflowStartTime
	}
	r.status = heartbeat.Status(known(ctx).status)
	return nil
}

func (r *heartbeatRun) listen(ctx workflow.Context) error {
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*heartbeat.Heartbeat, error) {
		return r.state, nil
	}, workflow.QueryHandlerOptions{Description: "how the heartbeat stands"})
}

func (r *heartbeatRun) heard() bool {
	return r.beats.Len() > 0 || r.defined.Len() > 0 || r.retired.Len() > 0
}

// receive takes in what has arrived, as soon as it is proven that this installation has sent it: what the folder says first, then beats.
func (r *heartbeatRun) receive() {
	defined, retired, beats := drained[HeartbeatDefined](r.defined), drained[incident.Folder](r.retired), drained[heartbeat.Beat](r.beats)
	fresh := signature.Freshness{Not: r.since, Within: Tolerance}
	var claims []Claim
	var apply []func()
	own := func(c Claim) Claim {
		if c.By != timeline.Muster() { // what nobody else may say
			c.Seal = nil
		}
		return c
	}
	for _, m := range defined {
		claims = append(claims, own(claim(r.ctx, DefinedSignal, m, fresh)))
		apply = append(apply, func() { r.define(m.Body) })
	}
	for _, m := range retired {
		claims = append(claims, own(claim(r.ctx, RetiredSignal, m, fresh)))
		apply = append(apply, func() { r.state.Retire(m.Body, workflow.Now(r.ctx)) })
	}
	for _, m := range beats {
		claims = append(claims, claim(r.ctx, BeatSignal, m, fresh))
		apply = append(apply, func() { r.state.Hear(m.Body, workflow.Now(r.ctx)) })
	}
	if len(claims) == 0 {
		return
	}
	r.taken += len(claims)
	admit(r.ctx, claims, func(n int, why string) { // what is refused stands in the log of refused messages
		if why == "" {
			apply[n]()
		}
	})
}

// define takes what the folder says now. Whoever hears beats from now on has not heard those before.
func (r *heartbeatRun) define(m HeartbeatDefined) {
	r.state.Define(m.Definition, workflow.Now(r.ctx))
	r.compute() // for the grace counts from what is due
	if !m.Hears.IsZero() {
		r.state.Resume(m.Hears)
	}
}

// compute ends the times that the rule has asked for. Those of a calendar are computed outside and recorded; where its calendar does
// not answer, they run around the clock, for a page too many is better than a job that nobody waits for.
func (r *heartbeatRun) compute() {
	s := r.state
	if len(s.Spans) == 0 {
		return
	}
	var ends []time.Time
	detail := ""
	if s.Definition.Calendar != nil {
		in := activities.ComputeBeatInput{Calendar: *s.Definition.Calendar, Spans: s.Spans}
		if err := locally(r.ctx, &ends, heartbeats.ComputeBeat, in); err != nil {
			ends, detail = nil, cause(err)
		}
	}
	if ends == nil {
		for _, span := range s.Spans {
			ends = append(ends, span.From.Add(span.For))
		}
	}
	s.Computed(ends, detail)
}

// tell brings the alerts to their incident, one after the other, for as long as it takes.
func (r *heartbeatRun) tell() {
	if r.telling || len(r.state.Untold) == 0 {
		return
	}
	r.telling = true
	options := sending(paging, HeartbeatPriority)
	options.TaskQueue = TaskQueue
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		ctx = workflow.WithActivityOptions(ctx, options)
		err := workflow.ExecuteActivity(ctx, heartbeats.TellHeartbeat, r.state.Untold[0]).Get(ctx, nil)
		if err != nil { // which is tried for ever, unless what is told cannot be read
			workflow.GetLogger(ctx).Error("alert of a heartbeat not told", "error", err)
		}
		r.state.Told()
		r.telling, r.news = false, true
	})
}

// publish tells lists how it stands. When the next beat is due they ask itself, for that changes with every beat.
func (r *heartbeatRun) publish() error {
	if r.status == r.state.Status {
		return nil
	}
	r.status = r.state.Status
	return workflow.UpsertTypedSearchAttributes(r.ctx, StatusAttribute.ValueSet(string(r.status)))
}

// awaitNews waits for a message, an outcome or the instant at which it has to be looked at again.
func (r *heartbeatRun) awaitNews() error {
	if r.alarm.rung() {
		r.alarm = alarm{}
	}
	if due := r.state.Next(); !due.IsZero() && (r.alarm.timer == nil || due.Before(r.alarm.at)) {
		r.alarm.set(r.ctx, due)
	}
	r.news = false
	return workflow.Await(r.ctx, func() bool { return r.news || r.heard() || r.alarm.rung() })
}

// continues tells whether the history has grown so long that a new run should go on.
func (r *heartbeatRun) continues() bool {
	grown := r.taken >= mostBeats || workflow.GetInfo(r.ctx).GetContinueAsNewSuggested()
	return grown && !r.heard() && !r.state.Over()
}

// continueAsNew hands the state over, unless something comes while it is sealed: then it returns nil, and the run goes on. An alert that is on
// its way is told once more by the new run, which the incident knows it by.
func (r *heartbeatRun) continueAsNew() error {
	r.news = false
	return handOn(r.ctx, HeartbeatWorkflow, HeartbeatInput{State: r.state, Since: r.since}, func() bool { return !r.news && r.continues() })
}
