package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"muster/worker"
)

// deploy makes the version of this worker the current one where the deployment has none: the first worker of all needs nobody's word.
// Where another version is current, it says that this one waits to be promoted.
func (n *Node) deploy(ctx context.Context) {
	const between = 5 * time.Second
	d := n.cfg.Deployment
	for waits := false; ; {
		current, token, err := current(ctx, n.temporal, d.Name)
		if err == nil && current == "" {
			err = promote(ctx, n.temporal, d, token)
			current = d.BuildID
		}
		switch {
		case err == nil && current == d.BuildID:
			fmt.Fprintf(n.cfg.Out, "muster worker takes the work of deployment %s as version %s\n", d.Name, d.BuildID)
			return
		case err == nil && !waits:
			waits = true
			fmt.Fprintf(n.cfg.Out, "muster worker waits: version %s of deployment %s has the work, and this is %s: muster worker promote gives it to this one\n",
				current, d.Name, d.BuildID)
		case err != nil && ctx.Err() == nil:
			n.cfg.Log.Warn("waiting for the deployment to be known", "deployment", d.Name, "version", d.BuildID, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(between):
		}
	}
}

// current is the version of a deployment that has the work, empty where none has, and what a change of it must show.
func current(ctx context.Context, c client.Client, name string) (buildID string, token []byte, err error) {
	now, err := c.WorkerDeploymentClient().GetHandle(name).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return "", nil, err
	}
	if v := now.Info.RoutingConfig.CurrentVersion; v != nil {
		buildID = v.BuildID
	}
	return buildID, now.ConflictToken, nil
}

func promote(ctx context.Context, c client.Client, d worker.Deployment, token []byte) error {
	_, err := c.WorkerDeploymentClient().GetHandle(d.Name).SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: d.BuildID, ConflictToken: token,
	})
	return err
}

// Promote gives all work of a deployment to the workers of one version, on the Temporal that the TEMPORAL_* settings describe. Temporal
// refuses a version of which no worker has come yet, and one whose workers do not ask for all kinds of work.
func Promote(ctx context.Context, d worker.Deployment, cfg Config) error {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("read TEMPORAL_ settings: %w", err)
	}
	o.Logger = log.NewStructuredLogger(cfg.Log)
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return fmt.Errorf("connect to temporal at %s: %w", o.HostPort, err)
	}
	defer c.Close()
	before, token, err := current(ctx, c, d.Name)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return fmt.Errorf("promote deployment %s: temporal does not know it: start a worker with --deployment %[1]s first", d.Name)
	}
	if err == nil && before != d.BuildID {
		err = promote(ctx, c, d, token)
	}
	if err != nil {
		return fmt.Errorf("promote version %s of deployment %s: %w", d.BuildID, d.Name, err)
	}
	out := cfg.Out
	switch before {
	case d.BuildID:
		fmt.Fprintf(out, "deployment %s: version %s has the work already\n", d.Name, d.BuildID)
	case "":
		fmt.Fprintf(out, "deployment %s: version %s has the work now\n", d.Name, d.BuildID)
	default:
		fmt.Fprintf(out, "deployment %s: version %s has the work now, %s had it before\n", d.Name, d.BuildID, before)
	}
	return nil
}
