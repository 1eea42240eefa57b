package starter_test

import (
	"errors"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"muster/internal/signature"
	"muster/internal/ticket"
	"muster/internal/timeline"
	"muster/starter"
	"muster/workflows"
)

func TestAnIncidentHearsOfItsTicket(t *testing.T) {
	c, s := one(t)
	c.status = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	by := timeline.Actor{Kind: timeline.Source, ID: "jira", Name: "Jira"}
	what := ticket.Told{Delivery: "1", Key: string(open), Deed: ticket.Resolved, By: "Kim Minsu"}
	if err := s.TicketChanged(t.Context(), what, by); err != nil {
		t.Fatal(err)
	}
	m, signed := c.signals[1].(signature.Signed[ticket.Told])
	if !signed || c.signals[0] != workflows.TicketChangedSignal || m.Body != what || m.By != by {
		t.Errorf("told %v", c.signals)
	}
	proven(t, s, workflows.TicketChangedSignal, m)
}

// Nobody else hears what was meant for an incident that is over, or that there never was.
func TestAnIncidentThatIsOverHearsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		key    string
		status enumspb.WorkflowExecutionStatus
		first  string
	}{
		"closed":            {key: string(open), status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		"another took over": {key: string(open), status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, first: "run-9"},
		"no ID":             {key: "TEST", status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING},
	} {
		c, s := one(t)
		c.status, c.first = tt.status, tt.first
		err := s.TicketChanged(t.Context(), ticket.Told{Delivery: "1", Key: tt.key, Deed: ticket.Commented, Text: "x"}, timeline.Actor{Kind: timeline.Source, ID: "jira"})
		if _, gone := errors.AsType[*starter.NotFoundError](err); !gone || len(c.signals) != 0 {
			t.Errorf("%s: got %v, told %v", name, err, c.signals)
		}
	}
}
