package workflows

import (
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/internal/alert"
	"muster/internal/incident"
	"muster/internal/signature"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

type admittedKey struct{}

// Admit marks the context of an Update whose seal a worker has verified. A worker that does not verify admits nothing.
func Admit(ctx workflow.Context) workflow.Context {
	return workflow.WithValue(ctx, admittedKey{}, true)
}

// wantAdmitted refuses an Update that no worker has verified.
func wantAdmitted(ctx workflow.Context, name string) error {
	if ok, _ := ctx.Value(admittedKey{}).(bool); !ok {
		return temporal.NewApplicationError(name+": not verified: this worker admits nobody", RefusedError)
	}
	return nil
}

// claim is a message that has arrived. Of signals and starts the sender does not know the run.
func claim[T any](ctx workflow.Context, name string, m signature.Signed[T], fresh signature.Freshness) Claim {
	by, digest, seal := m.Proof()
	return Claim{
		Statement: signature.Statement{Workflow: workflow.GetInfo(ctx).WorkflowExecution.ID, Message: name, Digest: digest, By: by},
		Freshness: fresh, Seal: seal,
	}
}

// admit asks which messages are to be taken and hands each its verdict, why not or "": nothing is taken on trust, and nothing
// is lost. A message whose key is not known waits for it, and keeps no other waiting.
func admit(ctx workflow.Context, claims []Claim, verdict func(n int, why string)) {
	const patience = 20 * time.Second
	out := judge(ctx, claims, false)
	if len(out.Unknown) == 0 {
		for n, why := range out.Refused {
			verdict(n, why)
		}
		return
	}
	known := make([]bool, len(claims))
	var later []Claim
	for n := range claims {
		if known[n] = !slices.Contains(out.Unknown, n); known[n] {
			verdict(n, out.Refused[n])
		} else {
			later = append(later, claims[n])
		}
	}
	_ = workflow.Sleep(ctx, patience)
	last := judge(ctx, later, true).Refused
	for n := range claims {
		if !known[n] {
			verdict(n, last[0])
			last = last[1:]
		}
	}
}

// admitStart takes the start of an incident, or the state of the run before, with the alerts that came with it. However long
// it has waited for a worker, it was signed just before Temporal took it: a start that was copied from an old history was
// not.
func (r *incidentRun) admitStart(in signature.Signed[IncidentInput]) error {
	if !r.unproven {
		return nil
	}
	info := workflow.GetInfo(r.ctx)
	start := claim(r.ctx, IncidentWorkflow, in, signature.Freshness{Around: info.WorkflowStartTime, Within: Tolerance})
	var heard []signature.Signed[alert.Batch]
	if in.Body.State != nil {
		start.FirstRun = info.FirstRunID
		if start.By != timeline.Muster() { // what nobody else may hand on
			start.Seal = nil
		}
	}
	if r.signed {
		heard = r.hear()
	}
	claims := append([]Claim{start}, r.claims(heard)...)
	var refused error
	judged := false
	r.admit(claims, func(n int, why string) {
		switch {
		case n > 0:
			r.take(heard[n-1], why)
		case why != "":
			refused = temporal.NewNonRetryableApplicationError("open incident: "+why, RefusedError, nil)
			fallthrough
		default:
			judged = true
		}
	})
	err := workflow.Await(r.ctx, func() bool { return judged })
	return errors.Join(err, refused)
}

// receive takes in every batch of alerts that has arrived, as soon as it is proven that an intake of this installation has
// sent it.
func (r *incidentRun) receive() {
	r.receiveMerges()
	r.receiveTickets()
	heard := r.hear()
	switch {
	case len(heard) == 0:
	case r.signed:
		r.admit(r.claims(heard), func(n int, why string) { r.take(heard[n], why) })
	default:
		for _, m := range heard {
			r.take(m, "")
		}
	}
}

// admit judges messages beside the run.
func (r *incidentRun) admit(claims []Claim, verdict func(n int, why string)) {
	r.judging++
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		admit(ctx, claims, func(n int, why string) {
			verdict(n, why)
			r.news = true
		})
		r.judging--
		r.news = true
	})
}

func (r *incidentRun) hear() []signature.Signed[alert.Batch] { return drained[alert.Batch](r.alerts) }

// drained are all messages that have arrived.
func drained[T any](ch workflow.ReceiveChannel) (heard []signature.Signed[T]) {
	var m signature.Signed[T]
	for ch.ReceiveAsync(&m) {
		heard = append(heard, m)
		m = signature.Signed[T]{}
	}
	return heard
}

// receiveMerges takes in what other incidents tell, as soon as it is proven that they do.
func (r *incidentRun) receiveMerges() {
	heard := drained[incident.MergeMessage](r.merges)
	if len(heard) == 0 {
		return
	}
	fresh := signature.Freshness{Not: r.since, Within: Tolerance}
	claims := make([]Claim, len(heard))
	for n, m := range heard {
		claims[n] = claim(r.ctx, MergeSignal, m, fresh)
		if m.By != timeline.Muster() { // an incident speaks for nobody else
			claims[n].Seal = nil
		}
	}
	r.admit(claims, func(n int, why string) {
		if why != "" {
			r.refuse(MergeSignal, why)
			return
		}
		r.incident.ReceiveMerge(heard[n].Body, workflow.Now(r.ctx))
	})
}

// receiveTickets takes in what was done to the ticket in its own system, as soon as it is proven that a server of this installation has heard
// so.
func (r *incidentRun) receiveTickets() {
	heard := drained[ticket.Told](r.tickets)
	if len(heard) == 0 || !hearsTickets(r.ctx) {
		return
	}
	claims := make([]Claim, len(heard))
	for n, m := range heard {
		claims[n] = claim(r.ctx, TicketChangedSignal, m, signature.Freshness{Not: r.since, Within: Tolerance})
		if m.By.Kind != timeline.Source { // nobody is a ticket system
			claims[n].Seal = nil
		}
	}
	r.admit(claims, func(n int, why string) {
		if why != "" {
			r.refuse(TicketChangedSignal, why)
			return
		}
		r.incident.ReceiveTicket(heard[n].Body, heard[n].By, workflow.Now(r.ctx))
	})
}

func (r *incidentRun) refuse(message, why string) {
	r.incident.Timeline.Repeat(workflow.Now(r.ctx), timeline.MessageRefused, timeline.Muster(),
		timeline.F("message", message), timeline.F("detail", why))
}

// claims are those of batches. One that was signed before this incident was started was copied from another; since then,
// it may have waited for hours.
func (r *incidentRun) claims(heard []signature.Signed[alert.Batch]) []Claim {
	fresh := signature.Freshness{Not: r.since, Within: Tolerance}
	claims := make([]Claim, len(heard))
	for n, m := range heard {
		claims[n] = claim(r.ctx, AlertsSignal, m, fresh)
	}
	return claims
}

// take takes a batch in, or records why it is not taken.
func (r *incidentRun) take(m signature.Signed[alert.Batch], why string) {
	if why != "" {
		r.refuse(AlertsSignal, why)
		return
	}
	r.incident.Receive(readable(r.ctx, m.Body), workflow.Now(r.ctx))
}
