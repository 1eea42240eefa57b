package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/priority"
	"muster/internal/reach"
	"muster/internal/signature"
	"muster/internal/timeline"
)

var contacts *activities.Contacts

// ContactsInput opens the ledger of how everybody was reached, or hands it to the run that continues it.
type ContactsInput struct {
	State *reach.Ledger `json:"state,omitempty"`
}

// Tries are what has come of attempts, as one worker has seen them.
type Tries struct {
	Tries []reach.Try `json:"tries"`
}

// Contacts keeps how everybody was reached lately, over all workers, and sends test pages: when one is due, and when somebody asks for
// them. It never ends, and one history hands the ledger to the next.
func Contacts(ctx workflow.Context, in signature.Signed[ContactsInput]) error {
	r := &contactsRun{published: known(ctx)}
	if err := r.listen(ctx); err != nil {
		return err
	}
	if why := admitLedger(ctx, ContactsWorkflow, in, in.Body.State != nil); why != "" {
		return notOpened("contacts", why)
	}
	if r.ledger = in.Body.State; r.ledger == nil {
		r.ledger = &reach.Ledger{Ways: []reach.Record{}, Look: workflow.Now(ctx)}
	}
	r.ctx = unstopped(ctx, func(at time.Time) { r.ledger.Timeline.Add(at, timeline.CancelRefused, timeline.Muster()) })
	for {
		if r.continues() {
			if err := r.continueAsNew(); err != nil {
				return err
			}
		}
		if !r.busy && (r.ledger.Round != nil || r.looks()) {
			r.busy = true
			workflow.Go(r.ctx, r.test)
		}
		if err := r.publish(); err != nil {
			return err
		}
		if err := r.awaitNews(); err != nil {
			return err
		}
	}
}

type contactsRun struct {
	ctx       workflow.Context // cut off from Temporal's cancel
	ledger    *reach.Ledger
	published published
	asked     int  // Updates so far
	busy      bool // a lot of test pages is under way
	news      bool
}

const (
	// testPause is between two test pages, so that no receiver is flooded.
	testPause = 2 * time.Second
	// testLot is longer than a lot of test pages takes: until then the next look is not late.
	testLot = 30 * time.Minute
)

// listen registers every handler before the run blocks for the first time.
func (r *contactsRun) listen(ctx workflow.Context) error {
	// What comes with the first task of a run waits until it is proven who has started it.
	begun := func(ctx workflow.Context) error { return workflow.Await(ctx, func() bool { return r.ledger != nil }) }
	if err := takes(ctx, RecordTriesUpdate, "take in what has come of attempts",
		func(req signature.Signed[Tries]) error { return onlyMuster(RecordTriesUpdate, req.By) },
		func(ctx workflow.Context, req signature.Signed[Tries]) error {
			if err := begun(ctx); err != nil {
				return err
			}
			for _, t := range req.Body.Tries {
				r.ledger.Tried(t)
			}
			r.asked, r.news = r.asked+1, true
			return nil
		}); err != nil {
		return err
	}
	if err := takes(ctx, TestContactsUpdate, "send test pages now",
		func(req signature.Signed[reach.Ask]) error {
			if r.ledger == nil {
				return nil // it is asked again once there is one
			}
			return refused(req.Body.Check(r.ledger, req.By))
		},
		func(ctx workflow.Context, req signature.Signed[reach.Ask]) error {
			if err := begun(ctx); err != nil {
				return err
			}
			if err := req.Body.Check(r.ledger, req.By); err != nil {
				return refused(err)
			}
			r.asked, r.news = r.asked+1, true
			return refused(req.Body.Apply(r.ledger, req.By, workflow.Now(ctx)))
		}); err != nil {
		return err
	}
	return workflow.SetQueryHandlerWithOptions(ctx, StateQuery, func() (*reach.Ledger, error) {
		return r.ledger, nil
	}, workflow.QueryHandlerOptions{Description: "how everybody was reached lately"})
}

// looks tells whether it is time to look which test pages are due.
func (r *contactsRun) looks() bool { return !workflow.Now(r.ctx).Before(r.ledger.Look) }

// publish tells the self-watch whether some way fails, and when it is looked again.
func (r *contactsRun) publish() error {
	next := r.ledger.Look
	if r.busy && r.published.nextDue.Before(workflow.Now(r.ctx).Add(testLot/2)) {
		next = workflow.Now(r.ctx).Add(testLot)
	} else if r.busy {
		next = r.published.nextDue
	}
	return r.published.change(r.ctx, published{status: r.ledger.Status(), priority: r.published.priority, nextDue: next})
}

// awaitNews waits until something was told, a lot has ended, or it is time to look.
func (r *contactsRun) awaitNews() error {
	ctx, cancel := workflow.WithCancel(r.ctx)
	defer cancel()
	var due workflow.Future
	if !r.busy {
		due = workflow.NewTimer(ctx, r.ledger.Look.Sub(workflow.Now(ctx)))
	}
	r.news = false
	return workflow.Await(ctx, func() bool { return r.news || due != nil && due.IsReady() || r.continues() })
}

// test sends one lot of test pages: of the round that somebody has asked for, else of those that are due.
func (r *contactsRun) test(ctx workflow.Context) {
	defer func() { r.busy, r.news = false, true }()
	l, now := r.ledger, workflow.Now(ctx)
	if l.Round == nil {
		l.Round = &reach.Round{By: timeline.Muster(), Begun: now}
	}
	in := activities.DueTestPagesInput{Round: *l.Round, Ways: l.Ways, At: now, Seen: l.Folder}
	var due activities.DueTestPages
	err := patiently(ctx, workflow.Sleep, func(last bool) error {
		in.Anyway = last
		return locally(ctx, &due, contacts.DueTestPages, in)
	})
	if err != nil {
		workflow.GetLogger(ctx).Error("nobody can say which test pages are due", "error", err)
		due = activities.DueTestPages{Folder: l.Folder, Next: time.Hour}
	}
	l.Folder = due.Folder
	l.Forget(due.Gone)
	for _, s := range due.Skipped {
		l.Skipped(s.Name, s.Cause, now)
	}
	l.Sending(len(due.Pages), now)
	sent := workflow.NewWaitGroup(ctx)
	for n := range due.Pages {
		if n > 0 && workflow.Sleep(ctx, testPause) != nil {
			break
		}
		sent.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer sent.Done()
			r.page(ctx, &due.Pages[n])
		})
	}
	sent.Wait(ctx)
	if l.Round.After = due.After; due.After != nil && l.Round.Asked() {
		return // the next lot of the round follows
	}
	l.Round, l.Look = nil, workflow.Now(ctx).Add(due.Next)
}

// page sends one test page, and takes in what has come of it.
func (r *contactsRun) page(ctx workflow.Context, p *reach.Page) {
	begun := workflow.Now(ctx)
	in := activities.DeliverInput{
		ID: delivery.ID(fmt.Sprintf("%s/%s/%s/%d", ContactsWorkflowID, p.To.ID, p.Method, begun.Unix())), To: p.To, Method: p.Method, Message: p.Message,
		Begun: begun,
	}
	o := sending(messaging, priority.P5)
	o.ScheduleToCloseTimeout = patience
	var out delivery.Outcome
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), deliveries.Deliver, in).Get(ctx, &out)
	t := reach.Test{Result: reach.Delivered, At: workflow.Now(ctx), Attempts: out.Attempts, Detail: out.Detail}
	switch {
	case err != nil:
		t.Result, t.Detail = reach.Unknown, cause(err)
	case out.Result != delivery.Delivered:
		t.Result = reach.Failed
	}
	r.ledger.Tested(p, t)
	r.news = true
	item := r.ledger.Find(p.Way()).Item
	if t.Result == reach.Delivered && item == "" {
		return
	}
	settle := activities.SettleTestPageInput{ID: string(in.ID), Page: *p, Test: t, Item: item}
	if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, sending(looking, priority.P5)), contacts.SettleTestPage, settle).Get(ctx, &item); err != nil {
		workflow.GetLogger(ctx).Error("no action item could be kept for a contact method that fails", "delivery", in.ID, "error", err)
		return // the next test page tries it again
	}
	r.ledger.Filed(p, item, workflow.Now(ctx))
}

// continues tells whether the history has grown so long that a new run should go on with the ledger. Test pages do not cross.
func (r *contactsRun) continues() bool {
	grown := r.asked >= mostAsked || workflow.GetInfo(r.ctx).GetContinueAsNewSuggested()
	return grown && !r.busy && workflow.AllHandlersFinished(r.ctx)
}

// continueAsNew hands the ledger over, unless something is asked while it is sealed: then it returns nil, and the run goes on. What its
// timeline has said stays in the history that ends.
func (r *contactsRun) continueAsNew() error {
	handed, asked := *r.ledger, r.asked
	handed.Timeline.Trim(0, 0)
	return handOn(r.ctx, ContactsWorkflow, ContactsInput{State: &handed}, func() bool { return r.asked == asked && r.continues() })
}

// ContactsAttributes are the search attributes of the ledger when it is opened.
func ContactsAttributes(now time.Time) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(StatusAttribute.ValueSet(reach.Well), NextDueAttribute.ValueSet(now))
}
