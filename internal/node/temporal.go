package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
)

// reach connects to the Temporal that the standard TEMPORAL_* settings describe, and returns when workflows can run there.
func (n *Node) reach(ctx context.Context) error {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("read TEMPORAL_ settings: %w", err)
	}
	if err := n.connect(ctx, o); err != nil {
		return err
	}
	return n.await(ctx, func(ctx context.Context) error { return n.declare(ctx, o.HostPort) })
}

// connect makes the client of a Temporal that answers.
func (n *Node) connect(ctx context.Context, o client.Options) error {
	o.Logger = log.NewStructuredLogger(n.cfg.Log.With("part", "temporal"))
	o.MetricsHandler = n.metrics.SDK()
	o.Interceptors = append(o.Interceptors, n.traces.Interceptors()...)
	with := n.codec()
	with.Missed = func(err error) { n.missed.Store(&missedKey{err, time.Now()}) }
	encrypts, err := with.DialOption()
	if err != nil {
		return err
	}
	o.ConnectionOptions.DialOptions = append(o.ConnectionOptions.DialOptions, encrypts)
	return n.await(ctx, func(ctx context.Context) error {
		c, err := client.DialContext(ctx, o)
		if err != nil {
			return fmt.Errorf("connect to temporal at %s: %w", cmp.Or(o.HostPort, client.DefaultHostPort), err)
		}
		n.temporal, n.namespace = c, cmp.Or(o.Namespace, client.DefaultNamespace)
		n.incidents.Temporal, n.incidents.Namespace = n.temporal, n.namespace
		n.onStop(c.Close)
		return nil
	})
}

// await makes attempts until one succeeds: whoever is started before Temporal waits for it. Only what waiting cannot mend
// is an error, and the end of ctx.
func (n *Node) await(ctx context.Context, attempt func(context.Context) error) error {
	const longest = 30 * time.Second
	for wait := time.Second; ; wait = min(2*wait, longest) {
		err := attempt(ctx)
		if err == nil || !away(err) {
			return err
		}
		n.cfg.Log.Warn("waiting for temporal", "again", wait, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// away tells whether Temporal may answer better a little later.
func away(err error) bool {
	_, unreachable := errors.AsType[*serviceerror.Unavailable](err)
	_, late := errors.AsType[*serviceerror.DeadlineExceeded](err)
	_, busy := errors.AsType[*serviceerror.ResourceExhausted](err)
	_, broken := errors.AsType[*serviceerror.Internal](err)
	return unreachable || late || busy || broken || errors.Is(err, context.DeadlineExceeded)
}
