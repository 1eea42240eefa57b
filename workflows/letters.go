package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/timeline"
)

// A postman writes and sends the messages of a run, which waits for none of them.
type postman struct {
	ctx     workflow.Context
	log     *timeline.Log
	folder  incident.Folder // newest one that has named somebody
	telling int             // messages, and other work, without an outcome yet
	news    bool            // something has happened since Advance
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
func (p *postman) post(ctx workflow.Context, l letter) {
	p.begin(ctx, func(ctx workflow.Context) {
		var to incident.Composition
		err := patiently(ctx, workflow.Sleep, func(last bool) error { return l.compose(ctx, &to, last) })
		switch {
		case ctx.Err() != nil: // it does not matter any more
			return
		case err != nil:
			to = incident.Composition{Detail: cause(err)}
		default:
			p.folder = to.Folder
		}
		if len(to.To) == 0 || to.Detail != "" {
			p.record(timeline.Undetermined, timeline.F("what", string(l.kind)), timeline.F("detail", to.Detail))
		}
		for _, a := range to.To {
			p.begin(ctx, func(ctx workflow.Context) { p.deliver(ctx, l, a) })
		}
	})
}

func (p *postman) begin(ctx workflow.Context, do func(workflow.Context)) {
	p.telling++
	workflow.Go(ctx, func(ctx workflow.Context) {
		do(ctx)
		p.telling--
		p.news = true
	})
}

// deliver tells one recipient.
func (p *postman) deliver(ctx workflow.Context, l letter, a incident.Addressed) {
	deliver(ctx, l.options, l.id, a, func(in activities.DeliverInput, out delivery.Outcome) {
		facts := []timeline.Fact{
			timeline.F("what", string(l.kind)), timeline.F("delivery", string(in.ID)), timeline.F("to", a.To.Name), timeline.F("method", in.Method),
		}
		switch out.Result {
		case delivery.Withdrawn:
			p.record(timeline.Withdrawn, append(facts, timeline.F("cause", l.status()))...)
		case delivery.Delivered:
			p.record(timeline.Delivered, append(facts, timeline.F("attempts", fmt.Sprint(out.Attempts)))...)
		case delivery.Refused:
			p.record(timeline.Refused, append(facts, timeline.F("detail", out.Detail))...)
		}
	})
}

func (p *postman) record(k timeline.Kind, facts ...timeline.Fact) {
	p.log.Add(workflow.Now(p.ctx), k, timeline.Muster(), facts...)
}

// awaitNews waits for a message, an outcome or the next deadline; the zero one never comes.
func (p *postman) awaitNews(next time.Time) error {
	ctx, cancel := workflow.WithCancel(p.ctx)
	defer cancel()
	var due workflow.Future
	if !next.IsZero() {
		due = workflow.NewTimer(ctx, next.Sub(workflow.Now(ctx)))
	}
	p.news = false
	return workflow.Await(ctx, func() bool { return p.news || due != nil && due.IsReady() })
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
