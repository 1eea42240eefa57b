package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
)

// patience is how long a contact method has before the next one is tried.
const patience = 2 * time.Minute

// deliver tries the recipient's contact methods in their order until one has taken the message, or it is withdrawn, and says
// of each what has come of it. The last one has as long as the options say. Under an id a recipient gets one message.
func deliver(
	ctx workflow.Context, o workflow.ActivityOptions, id string, a incident.Addressed, tried func(activities.DeliverInput, delivery.Outcome),
) {
	longest := o.ScheduleToCloseTimeout
	for n, method := range a.To.Methods {
		o.ScheduleToCloseTimeout = longest
		if n+1 < len(a.To.Methods) {
			o.ScheduleToCloseTimeout = patience
		}
		in := activities.DeliverInput{
			ID: delivery.ID(id + "/" + a.To.ID + "/" + method), To: a.To, Method: method, Message: a.Message, Begun: workflow.Now(ctx),
		}
		var out delivery.Outcome
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), deliveries.Deliver, in).Get(ctx, &out)
		switch {
		case temporal.IsCanceledError(err) || err != nil && ctx.Err() != nil:
			out = delivery.Outcome{Result: delivery.Withdrawn}
		case err != nil:
			out = delivery.Outcome{Result: delivery.Refused, Detail: cause(err)}
		}
		tried(in, out)
		if out.Result != delivery.Refused {
			return
		}
	}
}
