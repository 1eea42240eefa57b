package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"muster/internal/runbook"
)

// A StepRunner does what an automatic step says, once, and measures. It ends soon after ctx does, and its answer says what is known
// then.
type StepRunner interface {
	Run(ctx context.Context, a *runbook.Automatic) runbook.Result
	Measure(ctx context.Context, m runbook.Measurement) runbook.Reading
}

// Runbooks has the effects of runbooks.
type Runbooks struct{ Runner StepRunner }

// How long a worker may be silent about a step before it counts as lost, and how long it is waited for beyond the time that
// the step itself may take. A caller that hears nothing takes the outcome as unknown and asks a person.
const (
	StepHeartbeat = time.Minute
	stepMargin    = 30 * time.Second
	stepBeat      = 10 * time.Second
	stepStop      = 8 * time.Second // shorter than a worker waits for what is under way when it stops
)

// StepTimeout is how long the one attempt at a step may take.
func StepTimeout(a *runbook.Automatic) time.Duration { return a.Timeout + stepMargin }

// RunStepInput is one automatic step, whose parameters are in their places. Secrets stand in it by name.
type RunStepInput struct {
	Runbook   string             `json:"runbook"` // ID
	Number    int                `json:"number"`
	Automatic *runbook.Automatic `json:"automatic"`
}

// RunStep makes the one attempt at a step. It has to be started with one attempt, StepTimeout and StepHeartbeat: a step whose
// worker is lost may have happened, so it never runs again by itself. What goes wrong is a result and no error.
func (r *Runbooks) RunStep(ctx context.Context, in RunStepInput) (runbook.Result, error) {
	if activity.GetInfo(ctx).Attempt > 1 {
		return runbook.Result{State: runbook.Unknown, Detail: "an earlier attempt was lost, and may have done it"}, nil
	}
	// Whoever takes a step back takes back what no worker has begun: what is under way goes on, and says what has come of it.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	go keepAlive(running, cancel)
	return r.Runner.Run(running, in.Automatic), nil
}

// Measure measures once. What cannot be measured is a reading that says nothing, and no error.
func (r *Runbooks) Measure(ctx context.Context, m runbook.Measurement) (runbook.Reading, error) {
	return r.Runner.Measure(ctx, m), nil
}

// keepAlive says that the step is under way, and cancels it when its worker stops before it has ended.
func keepAlive(ctx context.Context, cancel func()) {
	beat := time.NewTicker(stepBeat)
	defer beat.Stop()
	stopping := activity.GetWorkerStopChannel(ctx)
	var last <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			activity.RecordHeartbeat(ctx)
		case <-stopping:
			stopping, last = nil, time.After(stepStop)
		case <-last:
			cancel()
			return
		}
	}
}
