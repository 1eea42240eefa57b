package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/planrun"
	"muster/internal/signature"
	"muster/internal/silence"
	"muster/internal/timeline"
)

var silences *activities.Silences

// HeldMemo and FiringMemo are the names of how many alerts a silence has held back, and how many of them fired at its end, in its memo.
// They are on the wire: never renamed.
const (
	HeldMemo   = "held"
	FiringMemo = "firing"
)

// AlertSilenceInput makes a silence, or hands it to the run that continues it.
type AlertSilenceInput struct {
	silence.Terms

	State *AlertSilenceState `json:"state,omitempty"`
}

// AlertSilenceState is what the next run goes on with.
type AlertSilenceState struct {
	Silence silence.Silence `json:"silence"`
	Groups  []HeldGroup     `json:"groups"`
	Folder  incident.Folder `json:"folder"`
	Since   time.Time       `json:"since"` // when the first run was started
}

// AlertSilence holds alerts back from when until when people, or the organisation folder, have said. A person may end it earlier, and
// it ends by itself when more comes than it explains. What still fires then opens its incidents, and whoever made it hears what was
// held back. Temporal's own cancel does not end it.
func AlertSilence(ctx workflow.Context, in signature.Signed[AlertSilenceInput]) error {
	r, err := newAlertSilence(ctx, in)
	if err != nil {
		return err
	}
	for !r.silence.Over() {
		r.hold.receive()
		if r.hold.full() {
			r.silence.Overflow(workflow.Now(r.ctx))
		}
		r.silence.Advance(workflow.Now(r.ctx))
		if err := r.publish(); err != nil {
			return err
		}
		if r.silence.Over() {
			break
		}
		if r.continues() {
			if err := r.continueAsNew(); err != nil {
				return err
			}
			continue // something has happened meanwhile
		}
		if err := r.awaitNews(r.silence.NextDue()); err != nil {
			return err
		}
	}
	return r.end()
}

// end brings what still fires to its incidents and says what was held back. To its very end the server takes alerts for it, which go
// the same way.
func (r *alertSilence) end() error {
	r.hold.expire()
	if err := r.publish(); err != nil { // a person has ended it
		return err
	}
	r.heard = func() bool { return r.hold.batches.Len() > 0 || r.hold.left }
	for {
		r.hold.receive()
		r.hold.let()
		if r.hold.leaving == 0 {
			if err := r.settle(); err != nil {
				return err
			}
		}
		if r.hold.batches.Len() == 0 && r.hold.leaving == 0 && r.telling == 0 && workflow.AllHandlersFinished(r.ctx) {
			return r.hold.failed
		}
		if err := r.awaitNews(time.Time{}); err != nil {
			return err
		}
	}
}

// alertSilence is the run of a silence.
type alertSilence struct {
	errand

	hold    holding
	silence *silence.Silence
	settled bool
}

// newAlertSilence takes a start that was signed just now by whoever makes the silence, of one of the folder by the intake, or the state
// of the run before. What came with a start that it refuses goes to its incidents.
func newAlertSilence(ctx workflow.Context, in signature.Signed[AlertSilenceInput]) (*alertSilence, error) {
	r := &alertSilence{errand: errand{published: known(ctx)}}
	r.hold = holding{
		batches: workflow.GetSignalChannel(ctx, HeldAlertsSignal), since: workflow.GetInfo(ctx).WorkflowStartTime, forgets: true,
		fired: func(*incident.Definition, alert.Alert, time.Time) {},
	}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	refuse := func(why string) (*alertSilence, error) {
		r.hold.ctx = unstopped(ctx, func(time.Time) {}) // the intake counts as held back what came with the start
		err := r.hold.giveBack()
		return nil, temporal.NewNonRetryableApplicationError("make silence: "+why, RefusedError, err)
	}
	if why := admitSilence(ctx, in); why != "" {
		return refuse(why)
	}
	s, err := in.Body.begin(workflow.GetInfo(ctx).WorkflowStartTime)
	if err != nil {
		return refuse(err.Error())
	}
	if before := in.Body.State; before != nil {
		r.hold.groups, r.folder, r.hold.since = before.Groups, before.Folder, before.Since
	}
	r.keep(ctx, &s.Timeline)
	r.hold.ctx, r.heard = r.ctx, func() bool { return r.hold.batches.Len() > 0 }
	r.hold.holder = &alert.Holder{ID: string(s.ID), Name: s.Title()}
	r.hold.fired = func(def *incident.Definition, a alert.Alert, at time.Time) {
		s.Hold(def.Service, a.Name, a.Summary(), at, workflow.Now(r.ctx))
	}
	r.silence = s
	return r, nil
}

// begin makes the silence, or takes it over.
func (in *AlertSilenceInput) begin(now time.Time) (*silence.Silence, error) {
	if in.State != nil {
		return &in.State.Silence, nil
	}
	return silence.Start(in.Terms, now)
}

// admitSilence says why a start is not taken.
func admitSilence(ctx workflow.Context, in signature.Signed[AlertSilenceInput]) string {
	info := workflow.GetInfo(ctx)
	c := claim(ctx, AlertSilenceWorkflow, in, signature.Freshness{Around: info.WorkflowStartTime, Within: Tolerance})
	may := in.By == in.Body.By
	switch {
	case in.Body.State != nil:
		if info.ContinuedExecutionRunID == "" {
			return "a state comes from the run before, and from nobody else"
		}
		c.FirstRun, may = info.FirstRunID, in.By == timeline.Muster()
	case in.Body.Window != "":
		may = in.By.Kind == timeline.Source
	}
	if why := admitOne(ctx, c); why != "" {
		return why
	}
	if !may {
		return in.By.Shown() + " asks for it; want whoever makes it, or the intake for one of the organisation folder"
	}
	return ""
}

// listen registers every handler before the run blocks for the first time.
func (r *alertSilence) listen(ctx workflow.Context) error {
	if err := asked[silence.End](ctx, &r.errand, "silence", EndUpdate, "hold nothing back any more", func() *silence.Silence { return r.silence }); err != nil {
		return err
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*silence.Silence, error) {
		if r.silence == nil || r.settled {
			return r.silence, nil
		}
		now := *r.silence
		now.Held = slices.Clone(now.Held)
		r.count(&now)
		return &now, nil
	}, workflow.QueryHandlerOptions{Description: "the silence with what it holds back, and its timeline"})
}

// count says of what was held back what fires, and where it has gone.
func (r *alertSilence) count(s *silence.Silence) {
	for n := range r.hold.groups {
		g := &r.hold.groups[n]
		for _, a := range g.Alerts.Full {
			if a.State == alert.Firing {
				s.Fires(g.Definition.Service.ID, a.Name, g.incident)
			}
		}
		for _, b := range g.Alerts.Brief {
			if !b.Resolved {
				s.Fires(g.Definition.Service.ID, b.Name, g.incident)
			}
		}
	}
}

// settle tells once what was held back, and lists how much it was.
func (r *alertSilence) settle() error {
	if r.settled {
		return nil
	}
	r.settled = true
	r.count(r.silence)
	if t, wanted := r.silence.Settle(workflow.Now(r.ctx)); wanted {
		r.tell(t)
	}
	count, firing := silence.Counts(r.silence.Held)
	return workflow.UpsertMemo(r.ctx, map[string]any{HeldMemo: count + r.silence.More, FiringMemo: firing + r.silence.Rest})
}

// publish tells lists where it stands.
func (r *alertSilence) publish() error {
	return r.published.change(r.ctx, published{status: string(r.silence.Status), nextDue: r.silence.NextDue()})
}

// AlertSilenceAttributes are the search attributes of a silence that is made.
func AlertSilenceAttributes(t silence.Terms, now time.Time) temporal.SearchAttributes {
	status, due := silence.Waiting, t.From
	if t.In(now) {
		status, due = silence.Holding, t.Until
	}
	updates := []temporal.SearchAttributeUpdate{
		IDAttribute.ValueSet(string(t.ID)), StatusAttribute.ValueSet(string(status)), NextDueAttribute.ValueSet(due),
	}
	if len(t.Match.Services) == 1 {
		updates = append(updates, ServiceAttribute.ValueSet(t.Match.Services[0]))
	}
	return temporal.NewSearchAttributes(updates...)
}

// tell writes and sends what was held back.
func (r *alertSilence) tell(t silence.Telling) {
	in := activities.ComposeSilenceInput{Telling: t}
	r.post(r.ctx, letter{
		kind: delivery.Silence, id: fmt.Sprintf("%s/%d", AlertSilenceWorkflowID(t.Terms.ID), t.Number), options: sending(messaging, planrun.Priority),
		status: func() string { return "silence-" + string(r.silence.Status) },
		compose: func(ctx workflow.Context, to *incident.Composition, last bool) error {
			in.Seen, in.Anyway = r.folder, last
			return locally(ctx, to, silences.ComposeSilence, in)
		},
	})
}

// continues tells whether the history has grown so long that a new run should go on.
func (r *alertSilence) continues() bool {
	return workflow.GetInfo(r.ctx).GetContinueAsNewSuggested() && workflow.AllHandlersFinished(r.ctx) && r.hold.batches.Len() == 0
}

// continueAsNew hands the state over, unless something happens while it is sealed: then it returns nil, and the run goes on.
func (r *alertSilence) continueAsNew() error {
	r.news = false
	state := AlertSilenceState{Silence: *r.silence, Groups: r.hold.groups, Folder: r.folder, Since: r.hold.since}
	return handOn(r.ctx, AlertSilenceWorkflow, AlertSilenceInput{Terms: r.silence.Terms, State: &state}, func() bool { return !r.news && r.continues() })
}
