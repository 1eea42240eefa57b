package node

import (
	"context"

	"muster/starter"
)

// schedule makes sure that Temporal starts what comes every day, and looks which silences there are. Incidents go on without it, so
// nothing waits for it but for a moment.
func (n *Node) schedule(ctx context.Context) {
	n.incidents.WatchSilences(ctx, n.cfg.Log, n.beside)
	zone := n.org.Current().Zone.String()
	n.beside(ctx, func(ctx context.Context) {
		err := n.await(ctx, func(ctx context.Context) error {
			return starter.ScheduleCertificateReminders(ctx, n.temporal.ScheduleClient(), zone)
		})
		if err != nil && ctx.Err() == nil {
			n.cfg.Log.Error("customers are not reminded of their certificates: the schedule of the reminders cannot be made", "error", err)
			n.unmade.Store(&err)
		}
	})
}

// scheduled says why the schedule of the reminders could not be made. The next start tries again.
func (n *Node) scheduled() error {
	if err := n.unmade.Load(); err != nil {
		return *err
	}
	return nil
}
