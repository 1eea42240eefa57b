package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"muster/workflows"
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
	return n.await(ctx, n.declare)
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

// declare makes sure that the namespace has the search attributes, without which no incident starts. Those that are
// missing are added where that is allowed.
func (n *Node) declare(ctx context.Context) error {
	there, err := n.temporal.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{
		Namespace: n.namespace,
	})
	if unanswered(err) {
		n.cfg.Log.Warn("search attributes not checked: without them no workflow runs", "namespace", n.namespace, "error", err)
		return nil
	}
	if _, none := errors.AsType[*serviceerror.NamespaceNotFound](err); none {
		return fmt.Errorf("namespace %s: temporal does not know it: make it with\n"+
			"  temporal operator namespace create --namespace %[1]s --retention 30d", n.namespace)
	}
	if err != nil {
		return fmt.Errorf("list search attributes of namespace %s: %w", n.namespace, err)
	}
	var faults, commands []string
	for _, k := range workflows.SearchAttributes() {
		name, want := k.GetName(), k.GetValueType()
		command := func(verb, more string) {
			commands = append(commands,
				fmt.Sprintf("\n  temporal operator search-attribute %s --namespace %s --name %s%s", verb, n.namespace, name, more))
		}
		has, ok := there.GetCustomAttributes()[name]
		var err error
		if !ok {
			err = n.add(ctx, name, want)
		}
		switch {
		case ok && has != want:
			faults = append(faults, fmt.Sprintf("%s is of type %s, not %s", name, has, want))
			command("remove", "")
		case away(err):
			return err
		case err != nil:
			faults = append(faults, fmt.Sprintf("%s is missing (%s)", name, err))
		default:
			continue
		}
		command("create", " --type "+want.String())
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("search attributes of namespace %s: %s; no workflow can run there before this is done:%s",
		n.namespace, strings.Join(faults, ", "), strings.Join(commands, ""))
}

// add adds a search attribute, which somebody else may have done meanwhile.
func (n *Node) add(ctx context.Context, name string, kind enumspb.IndexedValueType) error {
	_, err := n.temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: n.namespace, SearchAttributes: map[string]enumspb.IndexedValueType{name: kind},
	})
	if _, there := errors.AsType[*serviceerror.AlreadyExists](err); there {
		return nil
	}
	return err
}

// unanswered tells whether Temporal refuses the question, and not us.
func unanswered(err error) bool {
	_, denied := errors.AsType[*serviceerror.PermissionDenied](err)
	_, unknown := errors.AsType[*serviceerror.Unimplemented](err)
	return denied || unknown
}
