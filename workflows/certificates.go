package workflows

import (
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/calendar"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/priority"
)

var certificates *activities.Certificates

// CertificatesReminded is what one run of the reminders has done, and where the next one begins.
type CertificatesReminded struct {
	Until       *calendar.Date  `json:"until"`       // the last day whose reminders have gone out
	Folder      incident.Folder `json:"folder"`      // that they were read from
	Delivered   int             `json:"delivered"`   // reminders that a contact method has taken
	Undelivered int             `json:"undelivered"` // reminders that nobody has got
	Refused     int             `json:"refused"`     // contact methods that have not taken one
}

// CertificateReminders reminds customers of the certificates that they have to renew: of all that has fallen due since the last
// run that was completed, today when there was none. So an outage loses none and doubles none, and a run that fails leaves its
// days to the next.
//
// A schedule starts it, and Temporal can sign nothing, so it takes no body: it does what the worker's own folder says, and
// whoever starts it by hand makes no more happen than that what is due is sent once more, under the same delivery ids. The
// result of an earlier run, which such a start can feign, reaches back so many days and no further.
func CertificateReminders(ctx workflow.Context) (CertificatesReminded, error) {
	var done CertificatesReminded
	if workflow.HasLastCompletionResult(ctx) {
		if err := workflow.GetLastCompletionResult(ctx, &done); err != nil {
			return done, err
		}
	}
	r := certificatesRun{CertificatesReminded: CertificatesReminded{Until: done.Until, Folder: done.Folder}}
	due, err := r.due(ctx)
	if err != nil {
		return r.CertificatesReminded, err
	}
	sent := workflow.NewWaitGroup(ctx)
	for _, d := range due {
		sent.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer sent.Done()
			r.remind(ctx, d)
		})
	}
	sent.Wait(ctx)
	return r.CertificatesReminded, ctx.Err()
}

type certificatesRun struct{ CertificatesReminded }

// due asks for all reminders that are due, page by page.
func (r *certificatesRun) due(ctx workflow.Context) (all []activities.DueReminder, err error) {
	in := activities.RemindersDueInput{Done: r.Until, At: workflow.Now(ctx), Seen: r.Folder}
	for {
		var page activities.RemindersDue
		err := patiently(ctx, workflow.Sleep, func(last bool) error {
			in.Anyway = last
			return locally(ctx, &page, certificates.DueReminders, in)
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Reminders...)
		r.Folder, r.Until = page.Folder, &page.Until
		if !page.More {
			return all, nil
		}
		in.Seen, in.After = page.Folder, page.Reminders[len(page.Reminders)-1].ID
	}
}

// remind sends one reminder. What nobody gets is for people to see in the log and in the result: nothing is overdue, and nobody is
// alarmed.
func (r *certificatesRun) remind(ctx workflow.Context, d activities.DueReminder) {
	log := workflow.GetLogger(ctx)
	if d.Detail != "" {
		log.Error("certificate reminder is not as it should be", "reminder", d.ID, "error", d.Detail)
	}
	got := false
	deliver(ctx, sending(messaging, priority.P5), d.ID, d.To, func(in activities.DeliverInput, out delivery.Outcome) {
		if got = out.Result == delivery.Delivered; !got {
			r.Refused++
			log.Warn("certificate reminder not taken", "delivery", in.ID, "result", out.Result, "error", out.Detail)
		}
	})
	if got {
		r.Delivered++
		return
	}
	r.Undelivered++
	log.Error("certificate reminder not delivered", "reminder", d.ID)
}
