package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"muster/starter/api"
	"muster/worker"
	"muster/workflows"
)

// deploy finds out again and again whether this worker has work, and says so when that changes.
func (n *Node) deploy(ctx context.Context) {
	const between = 5 * time.Second
	var warned seldom
	look := n.unversioned
	if n.cfg.Deployment != (worker.Deployment{}) {
		look = n.versioned()
	}
	for said := ""; ; {
		line, why, err := look(ctx)
		switch _, unregistered := errors.AsType[*serviceerror.NotFound](err); {
		case unregistered: // a moment after its first start
		case err != nil && ctx.Err() == nil && warned.again():
			n.cfg.Log.Warn("not known whether this worker has work", "deployment", n.cfg.Deployment.Name, "version", n.cfg.Deployment.BuildID, "error", err)
		case err == nil:
			if why != "" {
				line = "muster worker waits: " + why
			}
			if line != said && line != "" {
				fmt.Fprintln(n.cfg.Out, line)
			}
			said, warned = line, seldom{}
			n.waits.Store(&why)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(between):
		}
	}
}

// versioned makes the version of this worker the current one where the deployment has never had one and nobody works without a version: the
// first worker of all needs nobody's word. Where others have the work, or it was taken from all of them, this worker waits to be promoted,
// and is not ready meanwhile.
func (n *Node) versioned() func(context.Context) (line, why string, err error) {
	d, worked := n.cfg.Deployment, false
	return func(ctx context.Context) (line, why string, err error) {
		now, err := standing(ctx, n.temporal, d.Name)
		if err != nil {
			return "", "", err
		}
		q, err := queue(ctx, n.temporal, n.namespace)
		if err != nil {
			return "", "", err
		}
		has := "no version has the work of deployment " + d.Name
		other := holder(q)
		switch {
		case other.Name != "" && other.Name != d.Name:
			has = fmt.Sprintf("version %s of deployment %s has the work", other.BuildID, other.Name)
			if now.current == d.BuildID { // Temporal lets the deployment have it that changed last
				return "", has + fmt.Sprintf(", which %s of %s had before: muster worker promote --deployment %s --unversioned gives it back", d.BuildID, d.Name, other.Name), nil
			}
		case now.current != "":
			has = fmt.Sprintf("version %s has the work of deployment %s", now.current, d.Name)
		case now.never:
			without := withoutVersion(q)
			if without == "" {
				if err := promote(ctx, n.temporal, d, now.token); err != nil {
					return "", "", err
				}
				now.current = d.BuildID
			}
			has = "workers without a version have the work, such as " + without
		}
		switch {
		case now.current == d.BuildID:
			worked = true
			return fmt.Sprintf("muster worker takes the work of deployment %s as version %s", d.Name, d.BuildID), "", nil
		case worked:
			return "", has + fmt.Sprintf(", which %s had before: this worker can be stopped", d.BuildID), nil
		}
		return "", has + fmt.Sprintf(": muster worker promote --deployment %s --build-id %s gives it to this one", d.Name, d.BuildID), nil
	}
}

// unversioned tells whether a deployment has taken the work from workers without a version, such as this one.
func (n *Node) unversioned(ctx context.Context) (line, why string, err error) {
	q, err := queue(ctx, n.temporal, n.namespace)
	if h := holder(q); err == nil && h.Name != "" {
		why = fmt.Sprintf("version %s of deployment %s has the work, and this worker has no version: start it with --deployment, or muster worker promote --deployment %[2]s --unversioned takes the work back",
			h.BuildID, h.Name)
	}
	return "", why, err
}

// queue asks for the queue of workflows: whose the work is, and who asks for it.
func queue(ctx context.Context, c client.Client, namespace string) (*workflowservice.DescribeTaskQueueResponse, error) {
	return c.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: workflows.TaskQueue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
}

// holder is the version, of whatever deployment, that has the work of a queue. One without a name: workers without a version have it.
func holder(q *workflowservice.DescribeTaskQueueResponse) worker.Deployment {
	v := q.GetVersioningInfo().GetCurrentDeploymentVersion()
	return worker.Deployment{Name: v.GetDeploymentName(), BuildID: v.GetBuildId()}
}

// withoutVersion names a worker without a version that has asked for work lately; empty: there is none.
func withoutVersion(q *workflowservice.DescribeTaskQueueResponse) string {
	for _, p := range q.GetPollers() {
		if p.GetDeploymentOptions().GetWorkerVersioningMode() != enumspb.WORKER_VERSIONING_MODE_VERSIONED {
			return p.GetIdentity()
		}
	}
	return ""
}

// hasWork is the check of a worker that others may have the work.
func (n *Node) hasWork() api.Check {
	return api.Check{Name: "deployment", Func: func(context.Context) error { return n.promoted() }}
}

// promoted says why a worker has no work because others have.
func (n *Node) promoted() error {
	switch why := n.waits.Load(); {
	case why == nil && n.cfg.Deployment == (worker.Deployment{}):
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
	current  string   // version that has the work; empty: none has
	never    bool     // none ever had
	versions []string // of which workers have come
	token    []byte   // what a change must show
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
	for _, v := range now.Info.VersionSummaries {
		s.versions = append(s.versions, v.Version.BuildID)
	}
	slices.Sort(s.versions)
	return s, nil
}

func promote(ctx context.Context, c client.Client, d worker.Deployment, token []byte) error {
	_, err := c.WorkerDeploymentClient().GetHandle(d.Name).SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: d.BuildID, ConflictToken: token,
	})
	return err
}

// Promote gives all work of a deployment to the workers of one version, or without one to those without a version, on the Temporal that
// the TEMPORAL_* settings describe, and returns which version had it before, empty when none had; one of another deployment with its name
// before a full stop. A version of which no worker has come yet is refused, and so is one whose workers do not ask for everything that
// those of the one before do, such as the archive: nobody would do that work.
func Promote(ctx context.Context, d worker.Deployment, cfg Config) (before string, err error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return "", fmt.Errorf("read TEMPORAL_ settings: %w", err)
	}
	o.Logger = log.NewStructuredLogger(cfg.Log)
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return "", fmt.Errorf("connect to temporal at %s: %w", cmp.Or(o.HostPort, client.DefaultHostPort), err)
	}
	defer c.Close()
	now, err := standing(ctx, c, d.Name)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return "", fmt.Errorf("promote deployment %s: temporal does not know it: start a worker with --deployment %[1]s first", d.Name)
	}
	if err == nil && d.BuildID != "" && !slices.Contains(now.versions, d.BuildID) {
		err = fmt.Errorf("no worker of it has come; there are %s", strings.Join(now.versions, ", "))
	}
	had := worker.Deployment{Name: d.Name, BuildID: now.current}
	if err == nil {
		var q *workflowservice.DescribeTaskQueueResponse
		q, err = queue(ctx, c, cmp.Or(o.Namespace, client.DefaultNamespace))
		if h := holder(q); h.Name != "" && h.Name != d.Name {
			before, had = h.Name+"."+h.BuildID, h
		} else {
			before = now.current
		}
	}
	switch {
	case err != nil:
	case now.current != d.BuildID:
		if err = replaces(ctx, c, d, had); err == nil {
			err = promote(ctx, c, d, now.token)
		}
	case had.Name != d.Name: // Temporal takes it for done
		err = fmt.Errorf("version %s of deployment %s has the work: muster worker promote --deployment %[2]s --unversioned gives it back", had.BuildID, had.Name)
	}
	if err != nil {
		return "", fmt.Errorf("promote version %s of deployment %s: %w", cmp.Or(d.BuildID, "none"), d.Name, err)
	}
	return before, nil
}

// replaces tells whether a version asks for everything that another one does.
func replaces(ctx context.Context, c client.Client, d, before worker.Deployment) error {
	if before.BuildID == "" || d.BuildID == "" {
		return nil
	}
	had, err := queuesOf(ctx, c, before)
	if err != nil {
		return err
	}
	has, err := queuesOf(ctx, c, d)
	if err != nil {
		return err
	}
	had = slices.DeleteFunc(had, func(queue string) bool { return slices.Contains(has, queue) })
	if len(had) > 0 {
		return fmt.Errorf("its workers do not ask for task queue %s, as those of version %s do: start one that does first, such as the one with --archive; or, to do "+
			"without it from now on, muster worker promote --deployment %s --unversioned before this",
			strings.Join(had, ", "), before.BuildID, before.Name)
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
