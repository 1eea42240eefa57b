package node

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"muster/internal/org"
)

// Worker runs the workflows and activities against the Temporal that the TEMPORAL_* settings describe, until ctx ends.
func Worker(ctx context.Context, cfg Config) error {
	n, err := load(ctx, cfg, false)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer n.stop()
	if err := n.share(); err != nil {
		return err
	}
	if err := n.secrets(true, false); err != nil {
		return err
	}
	if err := n.keep(ctx); err != nil {
		return err
	}
	effects, err := n.activities(ctx)
	if err != nil {
		return err
	}
	n.warnOfFiles()
	n.follow(ctx, workerParts()...)
	if cfg.Listen != "" {
		if err := n.take(ctx, "--listen"); err != nil {
			return err
		}
	}
	if err := n.reach(ctx); err != nil {
		return unlessEnded(ctx, err)
	}
	n.look(ctx, "worker", &n.tracker.open)
	if cfg.Listen != "" {
		n.open(ctx, n.healthOnly(n.hasWork()))
		fmt.Fprintf(cfg.Out, "muster worker answers health and metrics on %s\n", n.door.url)
	}
	n.incidents.WatchSilences(ctx, cfg.Log, n.beside) // of the alerts that it sends itself
	if err := n.work(ctx, effects); err != nil {
		return unlessEnded(ctx, err)
	}
	n.ready(ctx)
	fmt.Fprintf(cfg.Out, "muster worker takes work from namespace %s\n", n.namespace)
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.worker.Failed():
		return err
	case err := <-n.deaf:
		return err
	}
}

// Serve answers the intake, the API and health against the Temporal that the TEMPORAL_* settings describe, until ctx ends.
func Serve(ctx context.Context, cfg Config) error {
	n, err := load(ctx, cfg, true)
	if err != nil {
		return err
	}
	defer n.stop()
	if err := n.share(); err != nil {
		return err
	}
	if n.madeKeys {
		fmt.Fprintf(cfg.Out, "muster serve has made the keys that sign, %s: all other processes of this installation need them\n", n.cfg.Keys)
	}
	if err := n.secrets(false, true); err != nil {
		return err
	}
	if err := n.admit(ctx); err != nil {
		return err
	}
	if err := n.leaves(ctx); err != nil {
		return err
	}
	in, err := n.entrance()
	if err != nil {
		return err
	}
	n.follow(ctx, entranceParts()...)
	if err := n.take(ctx, "--listen"); err != nil {
		return err
	}
	post, err := n.takeMail(ctx)
	if err != nil {
		return err
	}
	if err := n.reach(ctx); err != nil {
		return unlessEnded(ctx, err)
	}
	n.look(ctx, "serve", nil) // when no worker lives, somebody must still see it
	n.schedule(ctx)
	n.testing(ctx)
	n.listen(ctx)
	n.keepRoutines(ctx)
	handler, err := n.everything(in)
	if err != nil {
		return err
	}
	n.open(ctx, handler)
	n.openMail(ctx, post, in)
	if err := n.tell(); err != nil {
		return err
	}
	n.ready(ctx)
	fmt.Fprintf(cfg.Out, "muster serve listens on %s\n", n.door.url)
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.deaf:
		return err
	}
}

// warnOfFiles says what this worker alone would have, where a shared store says that it is one of several.
func (n *Node) warnOfFiles() {
	if t, err := n.org.Current().Tickets(); n.cfg.Store != "" && err == nil && t.System == org.LocalTickets {
		n.cfg.Log.Warn("tickets are files of the data folder: workers with another one would not find them: name a ticket system, or share the folder", "folder", n.cfg.Data)
	}
}

// unlessEnded drops the error of what was told to stop.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// DevConfig is what a node with its own engine needs.
type DevConfig struct {
	Config
	TemporalPort, UIPort int    // 0 takes a free port; UIPort -1: no web UI
	NormalSync           bool   // do not wait for the disk: for tests and the demo
	Database             string // of PostgreSQL, in which engine and store keep everything; empty: in files of the data folder
}

// A Running node answers at its addresses until Stop.
type Running struct {
	URL         string // of the intake, the API, health and metrics
	UIURL       string // of Temporal's web UI, empty when it is off
	TemporalURL string // host and port for Temporal clients
	Temporal    client.Client
	Failed      <-chan error
	node        *Node
}

// Stop switches everything off and returns when the data folder is free again.
func (r *Running) Stop() { r.node.stop() }

// Dev runs everything in this process on a data folder that survives it, until ctx ends.
func Dev(ctx context.Context, cfg DevConfig) error {
	r, err := Start(ctx, cfg)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer r.Stop()
	if err := r.node.tell(); err != nil {
		return err
	}
	r.node.ready(ctx)
	r.greet()
	select {
	case <-ctx.Done():
		fmt.Fprintln(cfg.Out, "stopping")
		return nil
	case err := <-r.Failed:
		return fmt.Errorf("temporal: %w", err)
	case err := <-r.node.worker.Failed():
		return err
	case err := <-r.node.deaf:
		return err
	}
}
