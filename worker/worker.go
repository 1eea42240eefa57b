// Package worker runs Muster's workflows and activities on a Temporal: it registers them and gives each kind of work its
// own slots.
package worker

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/workflows"
)

// Activities are the effects that the workflows may have, ready to be used.
type Activities struct {
	Composition    *activities.Composition
	Deliveries     *activities.Deliveries
	FollowUps      *activities.FollowUps
	Tickets        *activities.Tickets
	Pages          *activities.Pages
	Reports        *activities.Reports
	Lookup         *activities.Lookup
	Handovers      *activities.Handovers
	Certificates   *activities.Certificates
	Contacts       *activities.Contacts
	Rooms          *activities.Rooms
	Routines       *activities.Routines
	Requests       *activities.Requests
	Problems       *activities.Problems
	ChangeRequests *activities.ChangeRequests
	Actions        *activities.Actions
	Risks          *activities.Risks
	Silences       *activities.Silences
	Reviews        *activities.Reviews
	Runbooks       *activities.Runbooks
	Responses      *activities.Responses
	Plans          *activities.Plans
	PlanReports    *activities.PlanReports
	Environments   *activities.Environments
	Heartbeats     *activities.Heartbeats
	Admission      *Admission
	Archives       *activities.Archives // nil: this worker keeps no archive
}

// A Worker runs everything, and pages and the steps of runbooks on task queues of their own.
type Worker struct {
	all      worker.Worker
	paging   worker.Worker
	runbooks worker.Worker
	archive  worker.Worker // nil: it keeps none
	failed   chan error
}

// stopTimeout lets an attempt that has begun end, so that its outcome is known: no attempt takes longer.
const stopTimeout = 16 * time.Second

// A Deployment says of which version a worker is, where workers of two versions run side by side (Temporal's Worker Deployment
// Versioning). What Temporal has for the deployment goes to the workers of its current version alone, runs that others have begun
// too: newer code goes on with them by the change ids of versions.go. The zero value is no version: whatever comes is taken.
type Deployment struct{ Name, BuildID string }

func (d Deployment) options() worker.DeploymentOptions {
	if d == (Deployment{}) {
		return worker.DeploymentOptions{}
	}
	return worker.DeploymentOptions{
		UseVersioning: true, Version: worker.WorkerDeploymentVersion{DeploymentName: d.Name, BuildID: d.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}
}

// New makes a worker. It does nothing before Start.
func New(c client.Client, a Activities, d Deployment) *Worker {
	cores := runtime.GOMAXPROCS(0)
	failed := make(chan error, 4) // one for each task queue
	fatal := func(err error) { failed <- fmt.Errorf("worker gave up: %w", err) }
	w := &Worker{
		failed: failed,
		all: worker.New(c, workflows.TaskQueue, worker.Options{
			// Temporal takes starts faster than it runs them. With few slots the queue stays in Temporal, where priority
			// acts; with many it would stand in this process, first come first served.
			MaxConcurrentWorkflowTaskExecutionSize:  4 * cores,
			DeploymentOptions:                       d.options(),
			WorkerStopTimeout:                       stopTimeout,
			OnFatalError:                            fatal,
			Interceptors:                            []interceptor.WorkerInterceptor{a.Admission.Interceptor()},
			MaxConcurrentActivityExecutionSize:      64,
			MaxConcurrentLocalActivityExecutionSize: 16 * cores,
			WorkflowTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
				InitialNumberOfPollers: 4, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 4 * cores,
			}),
			ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
				InitialNumberOfPollers: 2, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 16,
			}),
		}),
		paging: worker.New(c, workflows.PagingTaskQueue, worker.Options{
			// A page waits for its receiver, not for the processor: a receiver that hangs must not keep others waiting.
			DeploymentOptions:                  d.options(),
			WorkerStopTimeout:                  stopTimeout,
			OnFatalError:                       fatal,
			MaxConcurrentActivityExecutionSize: 256,
			DisableWorkflowWorker:              true,
			ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
				InitialNumberOfPollers: 4, MinimumNumberOfPollers: 2, MaximumNumberOfPollers: 32,
			}),
		}),
		runbooks: worker.New(c, workflows.RunbookTaskQueue, worker.Options{
			// A step may take hours, and there is no hurry: few pollers.
			DeploymentOptions:                  d.options(),
			WorkerStopTimeout:                  stopTimeout,
			OnFatalError:                       fatal,
			MaxConcurrentActivityExecutionSize: 64,
			DisableWorkflowWorker:              true,
			ActivityTaskPollerBehavior: worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
				InitialNumberOfPollers: 1, MinimumNumberOfPollers: 1, MaximumNumberOfPollers: 4,
			}),
		}),
	}
	if a.Archives != nil {
		w.archive = worker.New(c, workflows.ArchiveTaskQueue, worker.Options{
			// There is one pass at a time.
			DeploymentOptions:                  d.options(),
			WorkerStopTimeout:                  stopTimeout,
			OnFatalError:                       fatal,
			MaxConcurrentActivityExecutionSize: 1,
			DisableWorkflowWorker:              true,
			ActivityTaskPollerBehavior:         worker.NewPollerBehaviorSimpleMaximum(worker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: 1}),
		})
		w.archive.RegisterActivity(a.Archives)
	}
	for _, f := range workflows.All() {
		w.all.RegisterWorkflowWithOptions(f.Function, workflow.RegisterOptions{Name: f.Name})
	}
	for _, s := range []any{a.Composition, a.Deliveries, a.FollowUps, a.Tickets, a.Pages, a.Reports, a.Lookup, a.Handovers, a.Requests, a.Problems, a.ChangeRequests, a.Actions, a.Risks, a.Silences, a.Reviews, a.Certificates, a.Contacts, a.Rooms, a.Routines, a.Responses, a.Plans, a.PlanReports, a.Environments, a.Heartbeats} {
		w.all.RegisterActivity(s)
	}
	w.paging.RegisterActivity(a.Deliveries)
	w.runbooks.RegisterActivity(a.Runbooks)
	return w
}

// Start begins to poll. What runs workflows comes last: whatever they ask for, somebody does.
func (w *Worker) Start() error {
	for n, p := range w.parts() {
		if err := p.Start(); err != nil {
			for _, begun := range w.parts()[:n] {
				begun.Stop()
			}
			return fmt.Errorf("start worker: %w", err)
		}
	}
	return nil
}

func (w *Worker) parts() []worker.Worker {
	all := []worker.Worker{w.paging, w.runbooks}
	if w.archive != nil {
		all = append(all, w.archive)
	}
	return append(all, w.all)
}

// Failed delivers why the worker takes no more work, should Temporal refuse it for good.
func (w *Worker) Failed() <-chan error { return w.failed }

// Stop ends polling and lets what is being done end.
func (w *Worker) Stop() {
	var every sync.WaitGroup
	for _, p := range w.parts() {
		every.Go(p.Stop)
	}
	every.Wait()
}
