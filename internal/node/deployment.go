package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"muster/worker"
)

// deploy makes the version of this worker the current one where the deployment has never had one: the first worker of all needs nobody's
// word. Where another version has the work, or the work was taken from all of them, this worker waits to be promoted, and is not ready
// meanwhile.
func (n *Node) deploy(ctx context.Context) {
	const between = 5 * time.Second
	d := n.cfg.Deployment
	for said := ""; ; {
		now, err := standing(ctx, n.temporal, d.Name)
		if err == nil && now.never {
			if err = promote(ctx, n.temporal, d, now.token); err == nil {
				now.current = d.BuildID
			}
		}
		line := said
		switch {
		case err != nil && ctx.Err() == nil:
			n.cfg.Log.Warn("waiting for the deployment to be known", "deployment", d.Name, "version", d.BuildID, "error", err)
		case err == nil && now.current == d.BuildID:
			n.waits.Store(new(string))
			line = fmt.Sprintf("muster worker takes the work of deployment %s as version %s", d.Name, d.BuildID)
		case err == nil:
			has := "no version has the work of deployment " + d.Name
			if now.current != "" {
				has = fmt.Sprintf("version %s has the work of deployment %s", now.current, d.Name)
			}
			has += fmt.Sprintf(", and this is %s: muster worker promote gives it to this one", d.BuildID)
			n.waits.Store(&has)
			line = "muster worker waits: " + has
		}
		if line != said {
			said = line
			fmt.Fprintln(n.cfg.Out, line)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(between):
		}
	}
}

// promoted says why a worker of a deployment has no work.
func (n *Node) promoted() error {
	switch why := n.waits.Load(); {
	case why == nil:
		return fmt.Errorf("which version has the work of deployment %s is not known yet", n.cfg.Deployment.Name)
	case *why != "":
		return errors.New(*why)
	}
	return nil
}

// deployable tells whether this Temporal has worker deployments: a worker that says its version to one that has none gets no work.
func (n *Node) deployable(ctx context.Context) error {
	name := n.cfg.Deployment.Name
	_, err := standing(ctx, n.temporal, name)
	if _, first := errors.AsType[*serviceerror.NotFound](err); err == nil || first {
		return nil
	}
	_, old := errors.AsType[*serviceerror.Unimplemented](err)
	_, off := errors.AsType[*serviceerror.PermissionDenied](err)
	if old || off {
		return fmt.Errorf("ask for deployment %s: %w: a worker without --deployment needs none", name, err)
	}
	return fmt.Errorf("ask for deployment %s: %w", name, err)
}

// A stand is how a deployment stands.
type stand struct {
	current string // version that has the work; empty: none has
	never   bool   // none ever had
	token   []byte // what a change must show
}

func standing(ctx context.Context, c client.Client, name string) (stand, error) {
	now, err := c.WorkerDeploymentClient().GetHandle(name).Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	if err != nil {
		return stand{}, err
	}
	routing := now.Info.RoutingConfig
	s := stand{never: routing.CurrentVersion == nil && routing.CurrentVersionChangedTime.IsZero(), token: now.ConflictToken}
	if routing.CurrentVersion != nil {
		s.current = routing.CurrentVersion.BuildID
	}
	return s, nil
}

func promote(ctx context.Context, c client.Client, d worker.Deployment, token []byte) error {
	_, err := c.WorkerDeploymentClient().GetHandle(d.Name).SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: d.BuildID, ConflictToken: token,
	})
	return err
}

// Promote gives all work of a deployment to the workers of one version, on the Temporal that the TEMPORAL_* settings describe, and returns
// which version had it before, empty when none had. Temporal refuses a version of which no worker has come yet. A version whose workers
// do not ask for everything that those of the one before do, such as the archive, is refused here: nobody would do that work.
func Promote(ctx context.Context, d worker.Deployment, cfg Config) (before string, err error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return "", fmt.Errorf("read TEMPORAL_ settings: %w", err)
	}
	o.Logger = log.NewStructuredLogger(cfg.Log)
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return "", fmt.Errorf("connect to temporal at %s: %w", o.HostPort, err)
	}
	defer c.Close()
	now, err := standing(ctx, c, d.Name)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return "", fmt.Errorf("promote deployment %s: temporal does not know it: start a worker with --deployment %[1]s first", d.Name)
	}
	if err == nil && now.current != d.BuildID {
		if err = replaces(ctx, c, d, now.current); err == nil {
			err = promote(ctx, c, d, now.token)
		}
	}
	if err != nil {
		return "", fmt.Errorf("promote version %s of deployment %s: %w", d.BuildID, d.Name, err)
	}
	return now.current, nil
}

// replaces tells whether a version asks for everything that another one does.
func replaces(ctx context.Context, c client.Client, d worker.Deployment, before string) error {
	if before == "" {
		return nil
	}
	had, err := queuesOf(ctx, c, worker.Deployment{Name: d.Name, BuildID: before})
	if err != nil {
		return err
	}
	has, err := queuesOf(ctx, c, d)
	if err != nil {
		return err
	}
	had = slices.DeleteFunc(had, func(queue string) bool { return slices.Contains(has, queue) })
	if len(had) > 0 {
		return fmt.Errorf("its workers do not ask for task queue %s, as those of version %s do: start one that does first, such as the one with --archive",
			strings.Join(had, ", "), before)
	}
	return nil
}

func queuesOf(ctx context.Context, c client.Client, d worker.Deployment) (names []string, err error) {
	v, err := c.WorkerDeploymentClient().GetHandle(d.Name).DescribeVersion(ctx, client.WorkerDeploymentDescribeVersionOptions{BuildID: d.BuildID})
	if err != nil {
		return nil, fmt.Errorf("describe version %s: %w", d.BuildID, err)
	}
	for _, q := range v.Info.TaskQueuesInfos {
		if !slices.Contains(names, q.Name) {
			names = append(names, q.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
