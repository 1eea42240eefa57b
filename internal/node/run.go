package node

import (
	"context"
	"fmt"
	"os"

	"go.temporal.io/sdk/client"
)

// Worker runs the workflows and activities against the Temporal that the TEMPORAL_* settings describe, until ctx ends.
func Worker(ctx context.Context, cfg Config) error {
	return outside(ctx, cfg, func(n *Node) error {
		n.look(ctx, &n.tracker.open)
		if cfg.Listen != "" {
			url, err := n.listen(ctx, n.healthOnly())
			if err != nil {
				return err
			}
			fmt.Fprintf(cfg.Out, "muster worker answers health and metrics on %s\n", url)
		}
		return n.work()
	})
}

// Serve answers the intake, the API and health against the Temporal that the TEMPORAL_* settings describe, until ctx ends.
func Serve(ctx context.Context, cfg Config) error {
	return outside(ctx, cfg, func(n *Node) error {
		n.look(ctx, nil) // when no worker lives, somebody must still see it
		url, err := n.serve(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(cfg.Out, "muster serve listens on %s\n", url)
		return nil
	})
}

func outside(ctx context.Context, cfg Config, start func(*Node) error) error {
	n, err := load(cfg)
	if err != nil {
		return err
	}
	defer n.stop()
	o, err := fromEnvironment()
	if err != nil {
		return err
	}
	if err := n.connect(ctx, o); err != nil {
		return err
	}
	if err := n.declare(ctx); err != nil {
		cfg.Log.Warn("search attributes could not be added; lists need them", "error", err)
	}
	n.follow(ctx)
	if err := start(n); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// DevConfig is what a node with its own engine needs.
type DevConfig struct {
	Config
	TemporalPort, UIPort int  // 0 takes a free port; UIPort -1: no web UI
	NormalSync           bool // do not wait for the disk: for tests and the demo
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
		return err
	}
	defer r.Stop()
	if err := os.WriteFile(r.node.urlFile(), []byte(r.URL+"\n"), 0o600); err != nil {
		return fmt.Errorf("write address for commands: %w", err)
	}
	r.greet()
	select {
	case <-ctx.Done():
		fmt.Fprintln(cfg.Out, "stopping")
		return nil
	case err := <-r.Failed:
		return fmt.Errorf("temporal: %w", err)
	}
}
