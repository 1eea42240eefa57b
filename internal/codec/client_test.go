package codec_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"muster/internal/codec"
)

// server keeps what it is sent, and does not answer the first time.
type server struct {
	workflowservice.UnimplementedWorkflowServiceServer

	mu      sync.Mutex
	signals []*workflowservice.SignalWorkflowExecutionRequest
	failed  []*workflowservice.RespondActivityTaskFailedRequest
	started []*workflowservice.StartWorkflowExecutionRequest
	asked   int
	raw     []*commonpb.DataBlob
}

func (*server) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, nil
}

// times answers from the second time on.
func times[R, A any](s *server, all *[]R, r R, answer A) (A, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*all = append(*all, r)
	if len(*all) < 2 {
		return answer, status.Error(codes.Unavailable, "busy")
	}
	return answer, nil
}

func (s *server) SignalWorkflowExecution(_ context.Context, r *workflowservice.SignalWorkflowExecutionRequest) (*workflowservice.SignalWorkflowExecutionResponse, error) {
	return times(s, &s.signals, r, &workflowservice.SignalWorkflowExecutionResponse{})
}

func (s *server) RespondActivityTaskFailed(_ context.Context, r *workflowservice.RespondActivityTaskFailedRequest) (*workflowservice.RespondActivityTaskFailedResponse, error) {
	return times(s, &s.failed, r, &workflowservice.RespondActivityTaskFailedResponse{})
}

func (s *server) StartWorkflowExecution(_ context.Context, r *workflowservice.StartWorkflowExecutionRequest) (*workflowservice.StartWorkflowExecutionResponse, error) {
	return times(s, &s.started, r, &workflowservice.StartWorkflowExecutionResponse{RunId: "run"})
}

// GetWorkflowExecutionHistory returns what it was sent.
func (s *server) GetWorkflowExecutionHistory(context.Context, *workflowservice.GetWorkflowExecutionHistoryRequest) (*workflowservice.GetWorkflowExecutionHistoryResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.raw != nil {
		return &workflowservice.GetWorkflowExecutionHistoryResponse{RawHistory: s.raw}, nil
	}
	return &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{Events: []*historypb.HistoryEvent{
		{EventId: 1, Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
			WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{Input: s.signals[1].GetInput()},
		}},
		{EventId: 2, Attributes: &historypb.HistoryEvent_ActivityTaskFailedEventAttributes{
			ActivityTaskFailedEventAttributes: &historypb.ActivityTaskFailedEventAttributes{Failure: s.failed[1].GetFailure()},
		}},
	}}}, nil
}

func dial(t *testing.T, s *server, c codec.Codec) client.Client {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(g, s)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	option, err := c.DialOption()
	if err != nil {
		t.Fatal(err)
	}
	to, err := client.DialContext(t.Context(), client.Options{
		HostPort: l.Addr().String(), Logger: quiet{}, ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{option}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(to.Close)
	return to
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// What the SDK sends again, because nobody answered, is encrypted once all the same.
func TestWhatIsSentAgainIsEncryptedOnce(t *testing.T) {
	s, ctx := &server{}, t.Context()
	keys := ring{key("a")}
	c := dial(t, s, codec.Codec{Keys: keys})
	if err := c.SignalWorkflow(ctx, "incident", "", "Alert", "disk full"); err != nil {
		t.Fatal(err)
	}
	refused := temporal.NewNonRetryableApplicationError("no such person: park", "Refused", errors.New("park left"), "the details")
	if err := c.CompleteActivity(ctx, []byte("token"), nil, refused); err != nil {
		t.Fatal(err)
	}
	_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "id", TaskQueue: "queue", Memo: map[string]any{"memo": "park's memo"}, StaticSummary: "park's summary",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("Customer").ValueSet("garam")),
	}, "Incident", "park's input")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		for what, m := range map[string]proto.Message{"signal": s.signals[n], "failure": s.failed[n], "start": s.started[n]} {
			wire, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"disk", "park", "details"} {
				if strings.Contains(string(wire), word) {
					t.Errorf("%s, time %d: %q is in clear in %q", what, n+1, word, wire)
				}
			}
		}
		var customer string
		if err := converter.GetDefaultDataConverter().FromPayload(s.started[n].GetSearchAttributes().GetIndexedFields()["Customer"], &customer); err != nil || customer != "garam" {
			t.Errorf("the search attribute is %q, %v: Temporal cannot look for it", customer, err)
		}
	}
	events := c.GetWorkflowHistory(ctx, "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	signal, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	var text string
	if err := converter.GetDefaultDataConverter().FromPayloads(signal.GetWorkflowExecutionSignaledEventAttributes().GetInput(), &text); err != nil || text != "disk full" {
		t.Errorf("the signal is %q, %v", text, err)
	}
	failed, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	// As it would be without encryption, and no more.
	if d := failed.GetActivityTaskFailedEventAttributes().GetFailure(); !proto.Equal(d, temporal.GetDefaultFailureConverter().ErrorToFailure(refused)) {
		t.Errorf("the failure is %v", d)
	}
	if encoded := s.failed[1].GetFailure(); encoded.GetApplicationFailureInfo().GetType() != "Refused" || encoded.GetMessage() != "Encoded failure" {
		t.Errorf("the server sees %v", encoded)
	}
	// Whoever has no key, or another, is told which, and does not ask again and again.
	for _, other := range []codec.Codec{{}, {Keys: ring{key("b")}}} {
		before := s.asked
		_, err := dial(t, s, other).GetWorkflowHistory(ctx, "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
		if _, ok := errors.AsType[*serviceerror.FailedPrecondition](err); !ok || !strings.Contains(err.Error(), `encrypted with payload key "a"`) || s.asked != before+1 {
			t.Errorf("got %v, asked %d time(s)", err, s.asked-before)
		}
	}
}

// Without keys a client does what it did before.
func TestWithoutKeysAllIsInClear(t *testing.T) {
	s := &server{}
	c := dial(t, s, codec.Codec{})
	if err := c.SignalWorkflow(t.Context(), "incident", "", "Alert", "disk full"); err != nil {
		t.Fatal(err)
	}
	if got := string(s.signals[1].GetInput().GetPayloads()[0].GetData()); got != `"disk full"` {
		t.Errorf("got %s", got)
	}
}

// What says that our key has encrypted it, and is none of ours, keeps nobody from reading the rest.
func TestForgedPayloadsStayAsTheyAre(t *testing.T) {
	forged := encode(t, ring{{ID: "a", Secret: key("b").Secret}}, plain("x"))[0]
	s := &server{
		signals: make([]*workflowservice.SignalWorkflowExecutionRequest, 2), failed: make([]*workflowservice.RespondActivityTaskFailedRequest, 2),
	}
	s.signals[1] = &workflowservice.SignalWorkflowExecutionRequest{
		Input: &commonpb.Payloads{Payloads: append(encode(t, ring{key("a")}, plain("x")), forged, plain("y"))},
	}
	signal, err := dial(t, s, codec.Codec{Keys: ring{key("a")}}).GetWorkflowHistory(t.Context(), "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []*commonpb.Payload{plain("x"), forged, plain("y")} {
		if got := signal.GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads()[n]; !proto.Equal(got, want) {
			t.Errorf("payload %d is %v, want %v", n, got, want)
		}
	}
}

// What only we write, and our key has not encrypted, is no such thing: nothing is decided on it.
func TestAResultThatIsNotAsItWasEncryptedIsAnError(t *testing.T) {
	forged := encode(t, ring{{ID: "a", Secret: key("b").Secret}}, plain("x"))
	s := &server{
		signals: []*workflowservice.SignalWorkflowExecutionRequest{nil, {}},
		failed: []*workflowservice.RespondActivityTaskFailedRequest{nil, {Failure: &failurepb.Failure{
			Message: "Encoded failure", EncodedAttributes: forged[0],
		}}},
	}
	events := dial(t, s, codec.Codec{Keys: ring{key("a")}}).GetWorkflowHistory(t.Context(), "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	if _, err := events.Next(); err == nil || !strings.Contains(err.Error(), "payload key a: ") {
		t.Errorf("got %v", err)
	}
}

// Temporal can be told to send histories as blobs: a reader must not take them for what is in clear.
func TestBlobsAreRefused(t *testing.T) {
	s := &server{raw: []*commonpb.DataBlob{{EncodingType: enumspb.ENCODING_TYPE_PROTO3, Data: []byte("x")}}}
	_, err := dial(t, s, codec.Codec{Keys: ring{key("a")}}).GetWorkflowHistory(t.Context(), "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err == nil || !strings.Contains(err.Error(), "want its setting frontend.sendRawWorkflowHistory off") {
		t.Errorf("got %v", err)
	}
}

// What was written before the switch, and by another program, is read as it stands.
func TestPlainFailuresPass(t *testing.T) {
	s := &server{
		signals: make([]*workflowservice.SignalWorkflowExecutionRequest, 2),
		failed:  []*workflowservice.RespondActivityTaskFailedRequest{nil, {Failure: &failurepb.Failure{Message: "timed out"}}},
	}
	s.signals[1] = &workflowservice.SignalWorkflowExecutionRequest{Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{plain("x")}}}
	events := dial(t, s, codec.Codec{Keys: ring{key("a")}}).GetWorkflowHistory(t.Context(), "incident", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	signal, err := events.Next()
	if err != nil || !proto.Equal(signal.GetWorkflowExecutionSignaledEventAttributes().GetInput().GetPayloads()[0], plain("x")) {
		t.Errorf("got %v, %v", signal, err)
	}
	failed, err := events.Next()
	if err != nil || failed.GetActivityTaskFailedEventAttributes().GetFailure().GetMessage() != "timed out" {
		t.Errorf("got %v, %v", failed, err)
	}
}
