package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/timeline"
	"muster/workflows"
)

// Responses asks the ledgers of automatic responses. A ledger is opened when it is first asked.
type Responses struct{ of *Incidents }

// Responses are those of the same installation, which may be connected later.
func (s *Incidents) Responses() *Responses { return &Responses{s} }

// Claim asks whether an incident may run a response, in Muster's name. The same claim twice is one; the one after an approval is another.
func (s *Responses) Claim(ctx context.Context, c response.Claim) (response.Answer, error) {
	var is response.Answer
	id := c.Incident + "/claim"
	if c.Approved {
		id += "/approved"
	}
	err := askResponse(ctx, s, c.Response, workflows.ClaimUpdate, byItself(id), c, &is)
	return is, err
}

// End tells what has come of a run, in Muster's name. The same end twice is one; that it has come back after it had worked is another.
func (s *Responses) End(ctx context.Context, e response.End) (response.Ended, error) {
	var is response.Ended
	err := askResponse(ctx, s, e.Response, workflows.EndUpdate, byItself(e.Incident+"/end/"+string(e.Outcome)), e, &is)
	return is, err
}

func byItself(id string) Request { return Request{ID: id, By: timeline.Muster(), Via: byWorkflow} }

// A StillRunningError says for which incidents a response is running that was switched off.
type StillRunningError struct {
	Response  string
	Incidents []string
	Cause     error
}

// Error says what to do.
func (e *StillRunningError) Error() string {
	return fmt.Sprintf("automatic response %s is switched off, and could not be stopped in %s: stop it there: %s", e.Response, strings.Join(e.Incidents, ", "), e.Cause)
}

// Unwrap returns the cause.
func (e *StillRunningError) Unwrap() error { return e.Cause }

// Ask switches a response off or on. Off, it is also stopped wherever it has not ended, in the name of whoever asks; a *StillRunningError says
// where it could not be. The same request id twice is one decision.
func (s *Responses) Ask(ctx context.Context, id string, req Request, c response.Command) error {
	name := ""
	switch c.(type) {
	case response.SwitchOff:
		name = workflows.SwitchOffUpdate
	case response.SwitchOn:
		name = workflows.SwitchOnUpdate
	}
	if err := askResponse(ctx, s, id, name, req, c, nil); err != nil {
		return err
	}
	off, ok := c.(response.SwitchOff)
	if !ok {
		return nil
	}
	l, err := s.State(ctx, id)
	if err != nil {
		return err
	}
	still := &StillRunningError{Response: id}
	for _, running := range l.Unended() {
		own := req
		own.ID += "/" + running
		_, err := s.of.Command(ctx, incident.ID(running), own, incident.StopResponse{Reason: off.Reason})
		_, over := errors.AsType[*RefusedError](err)
		if _, gone := errors.AsType[*NotFoundError](err); err == nil || over || gone && !slices.Contains(l.Running(time.Now()), running) {
			continue
		}
		still.Incidents, still.Cause = append(still.Incidents, running), errors.Join(still.Cause, err)
	}
	if still.Cause != nil {
		return still
	}
	return nil
}

// State returns how a response stands. One that has never run and was never switched off is not found.
func (s *Responses) State(ctx context.Context, id string) (*response.Ledger, error) {
	return stateOf[response.Ledger](ctx, s.of.Temporal, responseOf(id), Ref{WorkflowID: workflows.AutomaticResponseWorkflowID(id)})
}

// A StandingResponse is how a response stands.
type StandingResponse = Standing[response.Ledger]

// States asks responses how they stand, some at a time. One that has never run is not found.
func (s *Responses) States(ctx context.Context, ids []string) []StandingResponse {
	return eachState(ctx, ids, s.State)
}

func askResponse[T any](ctx context.Context, s *Responses, id, name string, req Request, body T, answer any) error {
	workflowID := workflows.AutomaticResponseWorkflowID(id)
	first, err := openLedger(ctx, s.of, responseOf(id), workflows.AutomaticResponseWorkflow, workflows.AutomaticResponseInput{ID: id},
		client.StartWorkflowOptions{ID: workflowID})
	if err == nil {
		err = ask(ctx, s.of.Temporal, s.of.Keys, workflowID, first, name, req, body, answer)
	}
	return unanswered(ctx, s.of.Temporal, responseOf(id), workflowID, "", err)
}

func responseOf(id string) string { return "automatic response " + id }
