package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// IncidentInput opens an incident, or hands its state to the run that continues it.
type IncidentInput struct {
	ID         incident.ID          `json:"id,omitempty"`
	Definition *incident.Definition `json:"definition,omitempty"`
	Notice     *incident.Notice     `json:"notice,omitempty"`  // how people have reported it, if they have
	Request    string               `json:"request,omitempty"` // the id under which they asked for it
	State      *incident.Incident   `json:"state,omitempty"`
	Signed     bool                 `json:"signed,omitempty"` // the run before took only what was signed
	Since      time.Time            `json:"since,omitzero"`   // when the first run was started
}

// Incident runs one incident from its first alert until it is closed: what is due now is begun, each in its own coroutine,
// and then the run waits for news. Temporal's own cancel does not end it: an incident ends by being closed.
func Incident(ctx workflow.Context, in signature.Signed[IncidentInput]) error {
	r, err := newIncidentRun(ctx, in)
	if err != nil {
		return err
	}
	if err := r.admitStart(in); err != nil {
		return err
	}
	for {
		r.receive()
		for _, s := range r.incident.Advance(workflow.Now(r.ctx)) {
			r.send(s)
		}
		if r.ended() {
			return r.finish()
		}
		r.withdraw()
		if r.settled() {
			if err := r.publish(r.ctx); err != nil {
				return err
			}
			if r.continues() {
				if err := r.continueAsNew(); err != nil {
					return err
				}
				continue // something has happened meanwhile
			}
		}
		if err := r.awaitNews(); err != nil {
			return err
		}
	}
}

// incidentRun is one run of an incident. Its context is cut off from Temporal's cancel.
type incidentRun struct {
	ctx       workflow.Context
	incident  *incident.Incident
	alerts    workflow.ReceiveChannel
	merges    workflow.ReceiveChannel
	tickets   workflow.ReceiveChannel
	signed    bool      // takes only what is signed: all runs but those from before there were signatures
	since     time.Time // when the first run was started
	unproven  bool      // who has started this run is still to be judged
	judging   int       // messages that have arrived and are being judged
	sends     []inFlight
	local     int  // sends that begin with a local activity and have not ended it: they do within the workflow task
	news      bool // something has happened since Advance
	alarm     alarm
	published published
}

// inFlight is a send whose outcome is awaited.
type inFlight struct {
	number    int
	cancel    workflow.CancelFunc
	cancelled bool
}

// alarm is the one timer of a run: it rings at the next deadline.
type alarm struct {
	at     time.Time
	timer  workflow.Future
	cancel workflow.CancelFunc
}

func newIncidentRun(ctx workflow.Context, in signature.Signed[IncidentInput]) (*incidentRun, error) {
	r := &incidentRun{
		alerts: workflow.GetSignalChannel(ctx, AlertsSignal), merges: workflow.GetSignalChannel(ctx, MergeSignal),
		tickets: workflow.GetSignalChannel(ctx, TicketChangedSignal), published: known(ctx),
	}
	if err := r.begin(ctx, in); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("open incident: "+err.Error(), RefusedError, err)
	}
	if d := &r.incident.Definition; d.Automatic != nil && !respondsItself(ctx) {
		d.Automatic = nil
	}
	r.ctx = unstopped(ctx, func(at time.Time) {
		r.incident.Timeline.Add(at, timeline.CancelRefused, timeline.Muster())
		r.news = true
	})
	return r, r.listen(ctx)
}

// unstopped is a context that Temporal's cancel does not reach: whoever cancels is not known, and what a workflow has
// promised ends by an Update. The cancel is noted.
func unstopped(ctx workflow.Context, cancelled func(at time.Time)) workflow.Context {
	cut, _ := workflow.NewDisconnectedContext(ctx)
	workflow.Go(cut, func(own workflow.Context) {
		ctx.Done().Receive(own, nil)
		cancelled(workflow.Now(own))
	})
	return cut
}

// begin opens the incident, or takes over the state of the run before. Whether that run has handed it on, and who has started
// this one, is judged before anything follows from it.
func (r *incidentRun) begin(ctx workflow.Context, in signature.Signed[IncidentInput]) (err error) {
	info, now, given := workflow.GetInfo(ctx), workflow.Now(ctx), in.Body
	sealed := in.Seal != nil || wantsSignatures(ctx)
	if given.State != nil {
		if info.ContinuedExecutionRunID == "" {
			return errors.New("a state comes from the run before, and from nobody else")
		}
		r.incident, r.signed, r.unproven, r.since = given.State, given.Signed, sealed, given.Since
		if !given.State.Alerts.Look.IsZero() {
			knowsTimeOuts(ctx) // a worker that does not cannot go on with such a run
		}
		r.incident.Resend(info.ContinuedExecutionRunID, now)
		return nil
	}
	r.signed, r.unproven, r.since = sealed, sealed, info.WorkflowStartTime
	if given.ID == "" || given.Definition == nil {
		return errors.New("id or definition: missing")
	}
	if given.Notice != nil {
		r.incident, err = incident.OpenNoticed(given.ID, *given.Definition, *given.Notice, in.By, now)
		return err
	}
	r.incident, err = incident.Open(given.ID, *given.Definition, now)
	return err
}

// listen registers every handler before the run blocks for the first time.
func (r *incidentRun) listen(ctx workflow.Context) error {
	for _, register := range []func(workflow.Context, *incidentRun) error{
		on[incident.Acknowledge](AcknowledgeUpdate, "stop paging: I have taken it"),
		on[incident.Assign](AssignUpdate, "give a role to a person, or hand it over"),
		on[incident.Note](NoteUpdate, "write into the timeline"),
		on[incident.Escalate](EscalateUpdate, "page the next step at once"),
		on[incident.SetPriority](SetPriorityUpdate, "judge impact and urgency anew"),
		on[incident.PauseClock](PauseClockUpdate, "stop the time of a promise"),
		on[incident.ResumeClock](ResumeClockUpdate, "let the time of a promise run on"),
		on[incident.Mitigate](MitigateUpdate, "say that the mitigation has begun"),
		on[incident.Resolve](ResolveUpdate, "say that normal operation is back"),
		on[incident.Reopen](ReopenUpdate, "say that it was not"),
		on[incident.Close](CloseUpdate, "end the incident"),
		on[incident.SendUpdate](SendUpdateUpdate, "tell the customers how it goes"),
		on[incident.Repin](RepinUpdate, "take over the promises and procedures of a newer organisation folder"),
		on[incident.AddResponder](AddResponderUpdate, "ask somebody to help"),
		on[incident.SetCause](SetCauseUpdate, "say why it happened, and so who handles it"),
		on[incident.RecordCase](RecordCaseUpdate, "say what has become of a vendor's case"),
		on[incident.SetTime](SetTimeUpdate, "say when something really was"),
		on[incident.SendReport](SendReportUpdate, "send the customers their incident result report"),
		on[incident.Answer](AnswerUpdate, "say for a customer whether it is fixed"),
		on[incident.StartRunbook](StartRunbookUpdate, "say that somebody works by a runbook"),
		on[incident.EndRunbook](EndRunbookUpdate, "say what has come of a runbook"),
		on[incident.Merge](MergeUpdate, "make it a part of another incident"),
		on[incident.Split](SplitUpdate, "take that back"),
		on[incident.ApproveUpdate](ApproveUpdateUpdate, "send what somebody else has written to those outside"),
		on[incident.RejectUpdate](RejectUpdateUpdate, "take back what waits for an approval"),
		on[incident.ApproveResponse](ApproveResponseUpdate, "let the automatic response act"),
		on[incident.StopResponse](StopResponseUpdate, "stop the automatic response"),
		on[incident.Relate](RelateUpdate, "relate it to another incident"),
	} {
		if err := register(ctx, r); err != nil {
			return err
		}
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*incident.Incident, error) {
		return r.incident, nil
	}, workflow.QueryHandlerOptions{Description: "the whole state of the incident with its timeline"})
}

// on makes the handler of one command. The validator asks the same question as the handler, so that a refusal leaves no
// trace; the handler asks again, because something may have come between.
func on[C incident.Command](name, description string) func(workflow.Context, *incidentRun) error {
	return func(ctx workflow.Context, r *incidentRun) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, req signature.Signed[C]) (Receipt, error) {
			r.news = true
			err := r.incident.Do(workflow.GetCurrentUpdateInfo(ctx).ID, req.Body, req.By, workflow.Now(ctx))
			return r.receipt(), refused(err)
		}, workflow.UpdateHandlerOptions{
			Description: description,
			Validator: func(ctx workflow.Context, req signature.Signed[C]) error {
				if err := wantAdmitted(ctx, name); err != nil {
					return err
				}
				return refused(r.incident.May(workflow.GetCurrentUpdateInfo(ctx).ID, req.Body, workflow.Now(ctx)))
			},
		})
	}
}

func refused(err error) error {
	if err == nil {
		return nil
	}
	return temporal.NewApplicationError(err.Error(), RefusedError)
}

func (r *incidentRun) receipt() Receipt {
	i := r.incident
	out := Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: i.Timeline.Dropped + len(i.Timeline.Entries)}
	if i.Proposed != nil {
		out.Waits = i.Proposed.SHA256
	}
	return out
}

// ended tells whether the incident is over and nothing waits any more. An alert that arrives in the moment of closing
// keeps the run.
func (r *incidentRun) ended() bool {
	return r.incident.Ended() && len(r.sends) == 0 && !r.listening()
}

// listening tells whether messages have arrived that are not taken in yet.
func (r *incidentRun) listening() bool { return r.heard() || r.judging > 0 }

// heard tells whether messages have arrived.
func (r *incidentRun) heard() bool { return r.alerts.Len()+r.merges.Len()+r.tickets.Len() > 0 }

// settled tells whether no local activity is under way: what has changed is then told once, and the alarm set once.
func (r *incidentRun) settled() bool { return r.local == 0 }

// awaitNews waits for a message, an outcome or the next deadline.
func (r *incidentRun) awaitNews() error {
	if r.alarm.rung() {
		r.alarm = alarm{}
	}
	if r.settled() {
		r.alarm.set(r.ctx, r.incident.NextDue())
	}
	r.news = false
	return workflow.Await(r.ctx, func() bool { return r.news || r.heard() || r.alarm.rung() })
}

func (a alarm) rung() bool { return a.timer != nil && a.timer.IsReady() }

// set arms the alarm anew when the next deadline has moved.
func (a *alarm) set(ctx workflow.Context, due time.Time) {
	if due.Equal(a.at) {
		return
	}
	if a.timer != nil {
		a.cancel()
	}
	if *a = (alarm{at: due}); !due.IsZero() {
		ctx, a.cancel = workflow.WithCancel(ctx)
		a.timer = workflow.NewTimer(ctx, due.Sub(workflow.Now(ctx)))
	}
}

// What a new run carries of the timeline, and how large it may grow within one run. Temporal ends a run whose state is
// larger than 2 MB where it is handed on.
const (
	carriedEntries = 500
	carriedBytes   = 128 << 10
	heldBytes      = 512 << 10
)

// continues tells whether the history, or the timeline, has grown so long that a new run should go on with the state.
func (r *incidentRun) continues() bool {
	grown := workflow.GetInfo(r.ctx).GetContinueAsNewSuggested() || r.incident.Timeline.Bytes > heldBytes
	return grown && !r.incident.Stepping() && workflow.AllHandlersFinished(r.ctx) && !r.listening() && !r.incident.Ended()
}

// continueAsNew hands the state over, unless something happens while it is sealed: then it returns nil, and the run goes on.
// Sends in flight do not cross: the new run sends what has no outcome again under the same delivery id. Whatever older entries
// the state does not carry stand in the run that recorded them.
func (r *incidentRun) continueAsNew() error {
	next := *r.incident // this run keeps its whole timeline: whoever asks it later gets all of it
	next.Timeline.Trim(carriedEntries, carriedBytes)
	in := IncidentInput{State: &next, Signed: r.signed, Since: r.since}
	if !r.signed && !sealsState(r.ctx) {
		return workflow.NewContinueAsNewError(r.ctx, IncidentWorkflow, in)
	}
	r.news = false
	return handOn(r.ctx, IncidentWorkflow, in, func() bool { return !r.news && r.continues() })
}

func (r *incidentRun) finish() error {
	if err := workflow.Await(r.ctx, func() bool { return workflow.AllHandlersFinished(r.ctx) }); err != nil {
		return err
	}
	return r.publish(r.ctx)
}
