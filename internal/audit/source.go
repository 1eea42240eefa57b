package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"muster/internal/bundle"
	"muster/workflows"
)

// A Source is where runs are before they are archived.
type Source interface {
	// Retention is how long a run is kept after its end.
	Retention(ctx context.Context) (time.Duration, error)
	// List lists the runs that a visibility query finds, but not those of the archive itself: the one that ended first comes first.
	List(ctx context.Context, query string) ([]bundle.Counted, error)
	// History returns the history of a run. Of one that is not there any more, the error is ErrGone.
	History(ctx context.Context, workflow, run string) (*historypb.History, error)
}

// ErrGone says that a run is not there any more.
var ErrGone = errors.New("its history is past its retention")

// Temporal is the usual source. It is ready when Client is set.
type Temporal struct {
	Client    client.Client
	Namespace string
}

// Retention asks for that of the namespace.
func (t *Temporal) Retention(ctx context.Context) (time.Duration, error) {
	r, err := t.Client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace})
	if err != nil {
		return 0, fmt.Errorf("ask for the retention of namespace %s: %w", t.Namespace, err)
	}
	return r.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

// List reads all pages.
func (t *Temporal) List(ctx context.Context, query string) (all []bundle.Counted, err error) {
	const page = 1000
	for next := []byte(nil); ; {
		r, err := t.Client.WorkflowService().ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: t.Namespace, PageSize: page, NextPageToken: next,
			Query: query + fmt.Sprintf(" AND WorkflowType != '%s'", workflows.ArchiveWorkflow),
		})
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		for _, e := range r.GetExecutions() {
			run := bundle.Counted{Workflow: e.GetExecution().GetWorkflowId(), Run: e.GetExecution().GetRunId(), Kind: e.GetType().GetName()}
			if e.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				run.Closed = e.GetCloseTime().AsTime()
			}
			all = append(all, run)
		}
		if next = r.GetNextPageToken(); len(next) == 0 {
			slices.SortFunc(all, func(a, b bundle.Counted) int {
				return cmp.Or(a.Closed.Compare(b.Closed), strings.Compare(a.Run, b.Run))
			})
			return all, nil
		}
	}
}

// History reads all events.
func (t *Temporal) History(ctx context.Context, workflow, run string) (*historypb.History, error) {
	h := &historypb.History{}
	for events := t.Client.GetWorkflowHistory(ctx, workflow, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
			return nil, fmt.Errorf("run %s: %w", run, ErrGone)
		}
		if err != nil {
			return nil, fmt.Errorf("read history of run %s: %w", run, err)
		}
		h.Events = append(h.Events, e)
	}
	if len(h.GetEvents()) == 0 {
		return nil, fmt.Errorf("read history of run %s: it is empty", run)
	}
	return h, nil
}
