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

// testing makes sure that there is who sends test pages. Whatever is delivered opens it too.
func (n *Node) testing(ctx context.Context) {
	n.beside(ctx, func(ctx context.Context) {
		if err := n.await(ctx, n.incidents.Contacts().Open); err != nil && ctx.Err() == nil {
			n.cfg.Log.Error("no test page goes out before a message does: the ledger of contacts cannot be opened", "error", err)
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
