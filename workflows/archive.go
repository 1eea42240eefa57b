package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
)

var archives *activities.Archives

// Archived is what one run of the archive has done.
type Archived struct {
	Until   time.Time `json:"until"`   // whatever had ended before is in the archive, but for what is missing
	Passes  int       `json:"passes"`  // that it took
	Kept    int       `json:"kept"`    // bundles
	Logged  int       `json:"logged"`  // entries of the log
	Missing int       `json:"missing"` // runs of which no bundle could be made
}

// mostPasses bounds one run: what is left then is for the next one.
const mostPasses = 500

// Archive keeps what has ended, pass by pass. A schedule starts it, and Temporal can sign nothing, so it takes no body: whoever starts it by
// hand makes no more happen than what is due. The schedule starts none while one is under way; of two that are, one finds that the other
// has written the log, and tries again.
func Archive(ctx workflow.Context) (Archived, error) {
	var done Archived
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: ArchiveTaskQueue, StartToCloseTimeout: time.Hour, HeartbeatTimeout: activities.ArchiveHeartbeat,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
	})
	at := workflow.Now(ctx)
	for more := true; more && done.Passes < mostPasses; done.Passes++ {
		var p activities.ArchivedPass
		if err := workflow.ExecuteActivity(ctx, archives.ArchivePass, at).Get(ctx, &p); err != nil {
			return done, err
		}
		done.Kept, done.Logged, done.Missing, more = done.Kept+p.Kept, done.Logged+p.Logged, p.Missing, p.More
		done.Until = p.Until
		if more {
			done.Until = p.From
		}
	}
	return done, nil
}
