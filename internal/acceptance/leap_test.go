package acceptance_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// leaps let days pass in workflows on an engine that has none to spare, as in an outage: a timer that would have rung before an instant
// rings at once, and from then on it is that instant. Worker and history see the same: the length that the workflow asked for, and events
// whose instants are as far ahead. A workflow that leaps has one run.
type leaps struct {
	mu    sync.Mutex
	of    map[string]*leap  // by workflow id
	tasks map[string]string // workflow ids by the tokens of their tasks
}

// leap is that of one workflow.
type leap struct {
	to    []time.Time                     // the instants that have to come, one after another
	asked map[string]*durationpb.Duration // the lengths of the timers that were shortened, by their ids
	now   time.Time                       // of the newest task
	seen  int64                           // events
	done  []landed
}

// landed says how far events from one on are ahead of the engine's clock.
type landed struct {
	event int64
	ahead time.Duration
}

// toward lets instants come in a workflow, each by the next timer that it sets.
func (l *leaps) toward(workflow string, at []time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of, l.tasks = map[string]*leap{}, map[string]string{}
	}
	if l.of[workflow] == nil {
		l.of[workflow] = &leap{asked: map[string]*durationpb.Duration{}}
	}
	l.of[workflow].to = at
}

// come tells whether all have come.
func (l *leaps) come(workflow string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if left := l.of[workflow].to; len(left) > 0 {
		return fmt.Errorf("no timer has rung before %s", left[0])
	}
	return nil
}

// leap lets instants come in a workflow, which sets a timer when it is nudged.
func (b *bare) leap(t *testing.T, l *leaps, workflow string, nudge func(), at ...time.Time) {
	t.Helper()
	l.toward(workflow, at)
	nudge()
	must(t, until(t.Context(), workflow+" leaps", func() error { return l.come(workflow) }))
}

func (l *leaps) intercept(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if r, ok := req.(*workflowservice.RespondWorkflowTaskCompletedRequest); ok {
		l.shorten(string(r.GetTaskToken()), r.GetCommands())
	}
	if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
		return err
	}
	switch r := reply.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		l.task(r)
	case *workflowservice.RespondWorkflowTaskCompletedResponse: // may carry the next task with it
		l.task(r.GetWorkflowTask())
	case *workflowservice.GetWorkflowExecutionHistoryResponse:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.of[req.(*workflowservice.GetWorkflowExecutionHistoryRequest).GetExecution().GetWorkflowId()].see(r.GetHistory())
	}
	return nil
}

func (l *leaps) task(r *workflowservice.PollWorkflowTaskQueueResponse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := r.GetWorkflowExecution().GetWorkflowId()
	if p := l.of[id]; p != nil {
		l.tasks[string(r.GetTaskToken())] = id
		p.see(r.GetHistory())
	}
}

// shorten lets timers ring at once that would have rung before the instant that has to come.
func (l *leaps) shorten(task string, commands []*commandpb.Command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.of[l.tasks[task]]
	delete(l.tasks, task)
	if p == nil || len(p.to) == 0 {
		return
	}
	for _, c := range commands {
		if a := c.GetStartTimerCommandAttributes(); a != nil && !p.now.Add(a.GetStartToFireTimeout().AsDuration()).After(p.to[0]) {
			p.asked[a.GetTimerId()] = a.GetStartToFireTimeout()
			a.StartToFireTimeout = durationpb.New(time.Millisecond)
		}
	}
}

// see makes of events what the workflow and its history are to see.
func (p *leap) see(h *historypb.History) {
	if p == nil {
		return
	}
	for _, e := range h.GetEvents() {
		at, n := e.GetEventTime().AsTime(), e.GetEventId()
		if n > p.seen && p.asked[e.GetTimerFiredEventAttributes().GetTimerId()] != nil && len(p.to) > 0 {
			p.done, p.to = append(p.done, landed{n, p.to[0].Sub(at)}), p.to[1:]
		}
		p.seen = max(p.seen, n)
		for _, d := range slices.Backward(p.done) {
			if n >= d.event {
				at = at.Add(d.ahead)
				break
			}
		}
		e.EventTime = timestamppb.New(at)
		if a := e.GetTimerStartedEventAttributes(); p.asked[a.GetTimerId()] != nil {
			a.StartToFireTimeout = p.asked[a.GetTimerId()]
		}
		if e.GetWorkflowTaskStartedEventAttributes() != nil && at.After(p.now) {
			p.now = at
		}
	}
}
