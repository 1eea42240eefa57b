package devserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// prepareNamespace waits for the namespace and brings its retention and search attributes up to date.
func prepareNamespace(ctx context.Context, dial client.Options, opts Options) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("prepare namespace %s: %w", opts.Namespace, err)
		}
	}()
	dial.Logger = sdklog.NewStructuredLogger(opts.Logger)
	c, err := client.NewLazyClient(dial)
	if err != nil {
		return err
	}
	defer c.Close()

	var now *workflowservice.DescribeNamespaceResponse
	err = until(ctx, func(ctx context.Context) error {
		now, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: opts.Namespace})
		return err
	})
	if err != nil {
		return err
	}
	if err := setRetention(ctx, c, now.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), opts); err != nil {
		return err
	}
	if err := addSearchAttributes(ctx, c, opts); err != nil {
		return err
	}
	return until(ctx, func(ctx context.Context) error {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Namespace: opts.Namespace,
			Query:     existsQuery(opts.SearchAttributes),
		})
		return err
	})
}

func setRetention(ctx context.Context, c client.Client, now time.Duration, opts Options) error {
	if now == opts.Retention {
		return nil
	}
	_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: opts.Namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(opts.Retention)},
	})
	if err != nil {
		return fmt.Errorf("set retention to %s: %w", opts.Retention, err)
	}
	return nil
}

// addSearchAttributes adds what is missing. The server accepts an attribute that exists under another type without
// a word, and every workflow that sets it then fails: that is refused here.
func addSearchAttributes(ctx context.Context, c client.Client, opts Options) error {
	if len(opts.SearchAttributes) == 0 {
		return nil
	}
	there, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: opts.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing := make(map[string]enumspb.IndexedValueType)
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(opts.SearchAttributes)) {
		want := opts.SearchAttributes[name]
		switch has, ok := there.GetCustomAttributes()[name]; {
		case !ok:
			missing[name] = want
		case has != want:
			faults = append(faults, fmt.Errorf("search attribute %s: is %s in this database, should be %s: "+
				"use another name, or start on a new folder", name, has, want))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        opts.Namespace,
		SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("add search attributes %v: %w", slices.Sorted(maps.Keys(missing)), err)
	}
	return nil
}

// existsQuery names every attribute, so that visibility answers only when it knows all of them.
func existsQuery(attributes map[string]enumspb.IndexedValueType) string {
	query := ""
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if query != "" {
			query += " OR "
		}
		query += "`" + name + "` IS NOT NULL"
	}
	return query
}

// until calls try until it succeeds or the context ends: services that start together do not see each other at once.
func until(ctx context.Context, try func(context.Context) error) error {
	for {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := try(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
