package starter

import (
	"context"

	"go.temporal.io/sdk/client"

	"muster/internal/timeline"
	"muster/internal/usage"
	"muster/workflows"
)

// Usages asks the ledgers of what customers have used, in Muster's name. A ledger is opened when it is first asked.
type Usages struct{ of *Incidents }

// Usages are those of the same installation, which may be connected later.
func (s *Incidents) Usages() *Usages { return &Usages{s} }

// byWorkflow is how whatever a workflow asks was authenticated.
const byWorkflow = "workflow"

// Claim asks for a use. The same claim twice is one.
func (s *Usages) Claim(ctx context.Context, c usage.Claim) (usage.Counts, error) {
	var counts usage.Counts
	err := askUsage(ctx, s, c.Customer, workflows.ClaimUpdate, c.Request+"/"+string(c.Take), c, &counts)
	return counts, err
}

// Return gives back what was counted for a request of a customer, if anything was.
func (s *Usages) Return(ctx context.Context, customer, request string) error {
	return askUsage(ctx, s, customer, workflows.ReturnUpdate, request+"/return", workflows.UsageReturn{Request: request}, nil)
}

// A KeptUsage is what a customer has used, as its ledger says.
type KeptUsage = Standing[usage.Ledger]

// States asks the ledgers of customers, some at a time. Who has used nothing has none, which is not found.
func (s *Usages) States(ctx context.Context, customers []string) []KeptUsage {
	return eachState(ctx, customers, func(ctx context.Context, customer string) (*usage.Ledger, error) {
		return stateOf[usage.Ledger](ctx, s.of.Temporal, usesOf(customer), Ref{WorkflowID: workflows.UsageWorkflowID(customer)})
	})
}

func usesOf(customer string) string { return "uses of customer " + customer }

func askUsage[T any](ctx context.Context, s *Usages, customer, name, id string, body T, answer any) error {
	what, workflowID := usesOf(customer), workflows.UsageWorkflowID(customer)
	first, err := s.open(ctx, customer, workflowID)
	if err == nil {
		err = ask(ctx, s.of.Temporal, s.of.Keys, workflowID, first, name, Request{ID: id, By: timeline.Muster(), Via: byWorkflow}, body, answer)
	}
	return unanswered(ctx, s.of.Temporal, what, workflowID, "", err)
}

// open returns the first run of the ledger of a customer.
func (s *Usages) open(ctx context.Context, customer, workflowID string) (first string, err error) {
	return openLedger(ctx, s.of, usesOf(customer), workflows.UsageWorkflow, workflows.UsageInput{Customer: customer},
		client.StartWorkflowOptions{ID: workflowID})
}
