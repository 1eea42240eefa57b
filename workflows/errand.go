package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// An errand is a run that ends when people have decided. It writes and sends messages, and waits for none. Its context is cut off
// from Temporal's cancel.
type errand struct {
	ctx       workflow.Context
	open      workflow.Context // of messages that matter only while it waits for people
	withdraw  workflow.CancelFunc
	log       *timeline.Log
	folder    incident.Folder // newest one that has named somebody
	telling   int             // messages, and other work, without an outcome yet
	news      bool            // something has happened since Advance
	heard     func() bool     // tells whether messages have arrived; nil where none do
	published published
}

// begins proves a start that was signed just now, for such an id is used again and an old start must begin nothing. It returns
// why not.
func begins[T any](ctx workflow.Context, name string, in signature.Signed[T]) (why string) {
	fresh := signature.Freshness{Around: workflow.GetInfo(ctx).WorkflowStartTime, Within: Tolerance}
	return admitOne(ctx, claim(ctx, name, in, fresh))
}

// A subject is what an errand is about: what is begun when it is asked, when it has to be asked again, and whether people still decide.
type subject[W any] interface {
	Advance(now time.Time) []W
	NextDue() time.Time
	Over() bool
}

// attend does what its subject wants until that is over, and everything that was begun has an outcome. Messages that matter only while
// it waits for people are taken back when it is moot.
func attend[W any](e *errand, s subject[W], do func(W), moot func() bool, publish func() error) error {
	for {
		for _, w := range s.Advance(workflow.Now(e.ctx)) {
			do(w)
		}
		if moot() {
			e.withdraw()
		}
		if err := publish(); err != nil {
			return err
		}
		if s.Over() && e.telling == 0 && workflow.AllHandlersFinished(e.ctx) {
			return nil
		}
		if err := e.awaitNews(s.NextDue()); err != nil {
			return err
		}
	}
}

// keep gives the run its timeline, which also says that somebody has tried to cancel it.
func (e *errand) keep(ctx workflow.Context, log *timeline.Log) {
	e.log = log
	e.ctx = unstopped(ctx, func(at time.Time) {
		log.Add(at, timeline.CancelRefused, timeline.Muster())
		e.news = true
	})
	e.open, e.withdraw = workflow.WithCancel(e.ctx)
}

// A letter is one message to be written to everybody whom it concerns.
type letter struct {
	kind    delivery.Kind
	id      string                   // begins the ids of its deliveries
	options workflow.ActivityOptions // of a delivery by the last contact method
	status  func() string            // why it matters no more, should it be taken back
	compose func(ctx workflow.Context, to *incident.Composition, last bool) error
}

// post writes and sends a letter. It is taken back when its context ends.
func (e *errand) post(ctx workflow.Context, l letter) {
	e.begin(ctx, func(ctx workflow.Context) {
		var to incident.Composition
		err := patiently(ctx, workflow.Sleep, func(last bool) error { return l.compose(ctx, &to, last) })
		switch {
		case ctx.Err() != nil: // it does not matter any more
			return
		case err != nil:
			to = incident.Composition{Detail: cause(err)}
		default:
			e.saw(to.Folder)
		}
		if len(to.To) == 0 || to.Detail != "" {
			e.record(timeline.Undetermined, timeline.F("what", string(l.kind)), timeline.F("detail", to.Detail))
		}
		for _, a := range to.To {
			e.begin(ctx, func(ctx workflow.Context) { e.deliver(ctx, l, a) })
		}
	})
}

// saw keeps the newest folder: an older one that was taken for want of another must not become the measure.
func (e *errand) saw(f incident.Folder) {
	if e.folder.Revision == "" || f.Changed.After(e.folder.Changed) {
		e.folder = f
	}
}

func (e *errand) begin(ctx workflow.Context, do func(workflow.Context)) {
	e.telling++
	workflow.Go(ctx, func(ctx workflow.Context) {
		do(ctx)
		e.telling--
		e.news = true
	})
}

// deliver tells one recipient.
func (e *errand) deliver(ctx workflow.Context, l letter, a incident.Addressed) {
	deliver(ctx, l.options, l.id, a, func(in activities.DeliverInput, out delivery.Outcome) {
		facts := []timeline.Fact{
			timeline.F("what", string(l.kind)), timeline.F("delivery", string(in.ID)), timeline.F("to", a.To.Name), timeline.F("method", in.Method),
		}
		switch out.Result {
		case delivery.Withdrawn:
			e.record(timeline.Withdrawn, append(facts, timeline.F("cause", l.status()))...)
		case delivery.Delivered:
			e.record(timeline.Delivered, append(facts, timeline.F("attempts", fmt.Sprint(out.Attempts)))...)
		case delivery.Refused:
			e.record(timeline.Refused, append(facts, timeline.F("detail", out.Detail))...)
		}
	})
}

func (e *errand) record(k timeline.Kind, facts ...timeline.Fact) {
	e.log.Add(workflow.Now(e.ctx), k, timeline.Muster(), facts...)
}

// awaitNews waits for a message, an outcome or the next deadline; the zero one never comes.
func (e *errand) awaitNews(next time.Time) error {
	ctx, cancel := workflow.WithCancel(e.ctx)
	defer cancel()
	var due workflow.Future
	if !next.IsZero() {
		due = workflow.NewTimer(ctx, next.Sub(workflow.Now(ctx)))
	}
	e.news = false
	return workflow.Await(ctx, func() bool { return e.news || e.heard != nil && e.heard() || due != nil && due.IsReady() })
}

// takes registers the handler of one command. The handler asks the same question as the validator: something may have come
// between.
func takes[C any](
	ctx workflow.Context, name, description string, check func(signature.Signed[C]) error,
	do func(workflow.Context, signature.Signed[C]) error,
) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, req signature.Signed[C]) error {
		if err := check(req); err != nil {
			return err
		}
		return do(ctx, req)
	}, workflow.UpdateHandlerOptions{
		Description: description,
		Validator: func(ctx workflow.Context, req signature.Signed[C]) error {
			if err := wantAdmitted(ctx, name); err != nil {
				return err
			}
			return check(req)
		},
	})
}

// A command is something that a person asks of what an errand is about.
type command[S any] interface {
	Check(about *S, by timeline.Actor) error
	Apply(about *S, by timeline.Actor, now time.Time) error
}

// asked registers the handler of one command of an errand. There is nothing to ask as long as it is not proven who has started it.
func asked[C command[S], S any](ctx workflow.Context, e *errand, what, name, description string, about func() *S) error {
	return takes(ctx, name, description, func(req signature.Signed[C]) error {
		s := about()
		if s == nil {
			return temporal.NewApplicationError(name+" "+what+": it has not begun", RefusedError)
		}
		return refused(req.Body.Check(s, req.By))
	}, func(ctx workflow.Context, req signature.Signed[C]) error {
		e.news = true
		return refused(req.Body.Apply(about(), req.By, workflow.Now(ctx)))
	})
}
