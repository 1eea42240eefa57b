package node_test

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"

	"muster/workflows"
)

// A temporal stands in for a Temporal service that other people run. It has no work for anybody.
type temporal struct {
	workflowservice.UnimplementedWorkflowServiceServer

	operator operator
	polled   chan struct{} // closed at the first poll
	poll     sync.Once
	describe func() error // the answer to DescribeNamespace, if it is not fine
	list     func()       // what a list waits for

	uncounted  error       // the answer to a count, if it is not fine
	deployment *deployment // of workers; nil: it knows none
}

// An operator answers about search attributes.
type operator struct {
	operatorservice.UnimplementedOperatorServiceServer

	mu         sync.Mutex
	attributes map[string]enumspb.IndexedValueType
	list, add  error // the answers, if they are not fine
}

// complete are the search attributes that Muster wants.
func complete() map[string]enumspb.IndexedValueType {
	all := map[string]enumspb.IndexedValueType{}
	for _, k := range workflows.SearchAttributes() {
		all[k.GetName()] = k.GetValueType()
	}
	return all
}

func newTemporal() *temporal {
	return &temporal{polled: make(chan struct{}), operator: operator{attributes: complete()}}
}

// start answers on an address, which the standard settings name from then on. The address may end in port 0.
func (s *temporal) start(t *testing.T, address string, options ...grpc.ServerOption) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(append(options, grpc.UnaryInterceptor(asStatus))...)
	workflowservice.RegisterWorkflowServiceServer(server, s)
	operatorservice.RegisterOperatorServiceServer(server, &s.operator)
	healthgrpc.RegisterHealthServer(server, serving())
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	settings(t, l.Addr().String())
}

func serving() *health.Server {
	s := health.NewServer()
	s.SetServingStatus("temporal.api.workflowservice.v1.WorkflowService", healthgrpc.HealthCheckResponse_SERVING)
	return s
}

// settings names a Temporal as the standard settings do, and keeps those of this machine out.
func settings(t *testing.T, address string) {
	t.Helper()
	t.Setenv("TEMPORAL_ADDRESS", address)
	t.Setenv("TEMPORAL_NAMESPACE", "acme")
	t.Setenv("TEMPORAL_CONFIG_FILE", t.TempDir()+"/none.toml")
}

// asStatus sends Temporal's own errors as a Temporal does.
func asStatus(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	resp, err := next(ctx, req)
	return resp, serviceerror.ToStatus(err).Err()
}

func (s *temporal) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{ServerVersion: "1.32.1", Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

func (s *temporal) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if s.describe != nil {
		if err := s.describe(); err != nil {
			return nil, err
		}
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

func (s *temporal) PollWorkflowTaskQueue(ctx context.Context, _ *workflowservice.PollWorkflowTaskQueueRequest) (*workflowservice.PollWorkflowTaskQueueResponse, error) {
	s.poll.Do(func() { close(s.polled) })
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *temporal) PollActivityTaskQueue(ctx context.Context, _ *workflowservice.PollActivityTaskQueueRequest) (*workflowservice.PollActivityTaskQueueResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *temporal) ListWorkflowExecutions(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	kept := []string{workflows.HeartbeatWorkflow, workflows.AlertSilenceWorkflow, workflows.RoutineWorkflow}
	own := slices.ContainsFunc(kept, func(w string) bool { return strings.Contains(r.GetQuery(), w) })
	if s.list != nil && !own { // whose runs nobody asks for, but the node itself
		s.list()
	}
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

func (s *temporal) CountWorkflowExecutions(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	s.operator.mu.Lock()
	defer s.operator.mu.Unlock()
	for name := range complete() {
		if _, ok := s.operator.attributes[name]; !ok && strings.Contains(r.GetQuery(), name) {
			return nil, serviceerror.NewInvalidArgument("column name '" + name + "' is not a valid search attribute")
		}
	}
	return &workflowservice.CountWorkflowExecutionsResponse{}, s.uncounted
}

func (o *operator) ListSearchAttributes(_ context.Context, r *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.GetNamespace() != "acme" {
		return nil, serviceerror.NewNamespaceNotFound(r.GetNamespace())
	}
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: maps.Clone(o.attributes)}, o.list
}

func (o *operator) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.add != nil {
		return nil, o.add
	}
	maps.Copy(o.attributes, r.GetSearchAttributes())
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

// has tells whether the namespace has all search attributes.
func (o *operator) has(want map[string]enumspb.IndexedValueType) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Equal(o.attributes, want)
}
