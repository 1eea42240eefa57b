package activities

import (
	"context"
	"fmt"

	"muster/internal/response"
)

// A ResponseLedger knows how automatic responses may run.
type ResponseLedger interface {
	// Claim asks whether an incident may run one. The same claim twice is one.
	Claim(ctx context.Context, c response.Claim) (response.Answer, error)
	// End tells what has come of it. The same end twice is one.
	End(ctx context.Context, e response.End) (response.Ended, error)
}

// Responses has the effects of automatic responses that are not steps of runbooks.
type Responses struct{ Ledger ResponseLedger }

// ClaimResponse asks whether an incident may run an automatic response.
func (r *Responses) ClaimResponse(ctx context.Context, c response.Claim) (response.Answer, error) {
	is, err := r.Ledger.Claim(ctx, c)
	if err != nil {
		return is, fmt.Errorf("claim automatic response %s for %s: %w", c.Response, c.Incident, err)
	}
	return is, nil
}

// EndResponse tells what has come of it.
func (r *Responses) EndResponse(ctx context.Context, e response.End) (response.Ended, error) {
	is, err := r.Ledger.End(ctx, e)
	if err != nil {
		return is, fmt.Errorf("end automatic response %s for %s: %w", e.Response, e.Incident, err)
	}
	return is, nil
}
