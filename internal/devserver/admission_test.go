package devserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"go.temporal.io/server/api/adminservice/v1"
	"go.temporal.io/server/api/historyservice/v1"
	"go.temporal.io/server/api/matchingservice/v1"

	"muster/internal/devserver"
)

const refusal = "refused: want the token of the file engine.token in the data folder"

func connect(t *testing.T, address string, as credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(as))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// method is one method of a gRPC service.
type method struct {
	path            string
	request, answer protoreflect.MessageDescriptor
	streams         bool
}

// methodsOf returns every method that a service has, including those that a later Temporal adds.
func methodsOf(t *testing.T, service grpc.ServiceDesc) []method {
	t.Helper()
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service.ServiceName))
	if err != nil {
		t.Fatal(err)
	}
	var all []method
	methods := d.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		m := methods.Get(i)
		all = append(all, method{
			path:    "/" + service.ServiceName + "/" + string(m.Name()),
			request: m.Input(), answer: m.Output(), streams: m.IsStreamingClient() || m.IsStreamingServer(),
		})
	}
	return all
}

// call calls a method on the namespace default.
func (m method) call(ctx context.Context, conn *grpc.ClientConn) error {
	request, answer := dynamicpb.NewMessage(m.request), dynamicpb.NewMessage(m.answer)
	if f := m.request.Fields().ByName("namespace"); f != nil && f.Kind() == protoreflect.StringKind {
		request.Set(f, protoreflect.ValueOfString("default"))
	}
	if !m.streams {
		return conn.Invoke(ctx, m.path, request, answer)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, m.path)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) { // which says that the answer has the reason
		return err
	}
	return stream.RecvMsg(answer)
}

// presented is a context that carries the values as headers, the way clients send an API key.
func presented(ctx context.Context, values ...string) context.Context {
	for _, v := range values {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", v)
	}
	return ctx
}

// otherCase makes the capital letters small and the small ones capital.
func otherCase(t devserver.Token) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, string(t))
}

func TestFrontendAdmitsOnlyTheToken(t *testing.T) {
	opts := devserver.Options{UIPort: devserver.Off, MetricsPort: devserver.Off, NormalSync: true}
	opts.Folder = t.TempDir()
	other := start(t, opts)
	stop(t, other)
	opts.Folder = t.TempDir()
	s := start(t, opts, refusal)
	defer stop(t, s)
	conn := connect(t, s.HostPort, insecure.NewCredentials())

	all := slices.Concat(
		methodsOf(t, workflowservice.WorkflowService_ServiceDesc), methodsOf(t, operatorservice.OperatorService_ServiceDesc),
		methodsOf(t, adminservice.AdminService_ServiceDesc), methodsOf(t, grpc_reflection_v1.ServerReflection_ServiceDesc),
	)
	// What Muster itself calls; the rest is refused because there is no list of what is.
	for _, name := range []string{
		"StartWorkflowExecution", "SignalWithStartWorkflowExecution", "SignalWorkflowExecution", "UpdateWorkflowExecution",
		"PollWorkflowExecutionUpdate", "QueryWorkflow", "TerminateWorkflowExecution", "RequestCancelWorkflowExecution",
		"ListWorkflowExecutions", "CountWorkflowExecutions", "DescribeWorkflowExecution", "GetWorkflowExecutionHistory",
		"PollWorkflowTaskQueue", "RespondWorkflowTaskCompleted", "PollActivityTaskQueue", "RespondActivityTaskCompleted",
		"RecordActivityTaskHeartbeat", "ExecuteMultiOperation", "DescribeNamespace", "UpdateNamespace", "GetSystemInfo",
		"GetClusterInfo", "DescribeTaskQueue", "AddSearchAttributes", "ListSearchAttributes", "DescribeCluster",
		"StreamWorkflowReplicationMessages", "ServerReflectionInfo",
	} {
		if !slices.ContainsFunc(all, func(m method) bool { return strings.HasSuffix(m.path, "/"+name) }) {
			t.Errorf("%s is not among the methods that are tried", name)
		}
	}
	for _, row := range []struct {
		name   string
		header []string
	}{
		{"nothing", nil},
		{"an empty header", []string{""}},
		{"an empty token", []string{"Bearer "}},
		{"a wrong token", []string{"Bearer " + strings.Repeat("A", 43)}},
		{"the token of another folder", []string{"Bearer " + string(other.Token)}},
		{"the token in other letters", []string{"Bearer " + otherCase(s.Token)}},
		{"a part of the token", []string{"Bearer " + string(s.Token)[:42]}},
		{"more than the token", []string{"Bearer " + string(s.Token) + "A"}},
		{"the token alone", []string{string(s.Token)}},
		{"the token as a password", []string{"Basic " + string(s.Token)}},
		{"the token second", []string{"Bearer wrong", "Bearer " + string(s.Token)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			// What is let in by mistake may wait for news; a refusal does not.
			ctx, cancel := context.WithTimeout(presented(t.Context(), row.header...), time.Minute)
			defer cancel()
			for _, m := range all {
				err := m.call(ctx, conn)
				if status.Code(err) != codes.PermissionDenied || !strings.Contains(status.Convert(err).Message(), refusal) {
					t.Errorf("%s: got %v, want it refused", m.path, err)
				}
			}
		})
	}
	t.Run("the token", func(t *testing.T) {
		for _, m := range all {
			switch name := m.path[strings.LastIndex(m.path, "/")+1:]; name {
			case "DescribeCluster", "GetSystemInfo", "ListNamespaces", "ListSearchAttributes", "CountWorkflowExecutions":
				if err := m.call(presented(t.Context(), "Bearer "+string(s.Token)), conn); err != nil {
					t.Errorf("%s: got %v", m.path, err)
				}
			}
		}
	})
	t.Run("health is open", func(t *testing.T) {
		got, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{
			Service: workflowservice.WorkflowService_ServiceDesc.ServiceName,
		})
		if err != nil || got.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("got %s, %v", got.GetStatus(), err)
		}
	})
	t.Run("clients", func(t *testing.T) { testClients(t, s) })
}

// Clients of any make come in with the token as their API key, and those without learn where it is.
func testClients(t *testing.T, s *devserver.Server) {
	_, err := client.Dial(client.Options{HostPort: s.HostPort, Namespace: s.Namespace})
	if _, denied := errors.AsType[*serviceerror.PermissionDenied](err); !denied || !strings.Contains(err.Error(), refusal) {
		t.Errorf("dial without the token: got %v", err)
	}
	for name, value := range map[string]string{
		"TEMPORAL_ADDRESS": s.HostPort, "TEMPORAL_NAMESPACE": s.Namespace, "TEMPORAL_CONFIG_FILE": t.TempDir() + "/none.toml",
		"TEMPORAL_API_KEY": string(s.Token), "TEMPORAL_TLS": "false",
	} {
		t.Setenv(name, value)
	}
	opts, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(opts)
	if err != nil {
		t.Fatalf("dial with TEMPORAL_API_KEY: %v", err)
	}
	defer c.Close()
	counts(t, c, "WorkflowType = 'Wait'", 0)
}

// In memory there is no file; the token is another at every start.
func TestMemoryHasItsOwnToken(t *testing.T) {
	opts := devserver.Options{Memory: true, UIPort: devserver.Off, MetricsPort: devserver.Off}
	first, second := start(t, opts), start(t, opts, refusal)
	if first.Token == second.Token {
		t.Error("two engines in memory have one token")
	}
	o := second.ClientOptions()
	o.HeadersProvider = first.Token
	if _, err := client.Dial(o); err == nil || !strings.Contains(err.Error(), refusal) {
		t.Errorf("the token of another engine: got %v", err)
	}
}

// testServicesAreClosed dials the listeners behind the frontend. They answer nobody who has not their certificate.
func testServicesAreClosed(t *testing.T, listeners []netip.AddrPort) {
	// The internal frontend, history, matching and the system workers.
	if len(listeners) != 4 {
		t.Fatalf("listeners behind the frontend: got %v, want 4", listeners)
	}
	plain := insecure.NewCredentials()
	// No connection takes no time; a service that answers may make the caller wait.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	noCertificate, otherCertificate := intruder(), intruder(ownCertificate(t))
	for _, listener := range listeners {
		for want, config := range map[string]*tls.Config{
			"certificate required": noCertificate, "unknown certificate authority": otherCertificate,
		} {
			if err := shakeHands(t, listener.String(), config); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("TLS with %s: got %v, want %s", listener, err, want)
			}
		}
		for name, as := range map[string]credentials.TransportCredentials{
			"plain": plain, "without a certificate": credentials.NewTLS(noCertificate), "with another": credentials.NewTLS(otherCertificate),
		} {
			conn := connect(t, listener.String(), as)
			for _, m := range slices.Concat(
				methodsOf(t, healthpb.Health_ServiceDesc), methodsOf(t, workflowservice.WorkflowService_ServiceDesc)[:1],
				methodsOf(t, adminservice.AdminService_ServiceDesc)[:1], methodsOf(t, historyservice.HistoryService_ServiceDesc)[:1],
				methodsOf(t, matchingservice.MatchingService_ServiceDesc)[:1],
			) {
				if err := m.call(ctx, conn); status.Code(err) != codes.Unavailable {
					t.Errorf("%s %s at %s: got %v, want no connection", name, m.path, listener, err)
				}
			}
		}
	}
}

// intruder is TLS that trusts anybody, perhaps with a certificate.
func intruder(own ...tls.Certificate) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, Certificates: own, NextProtos: []string{"h2"}} //nolint:gosec // that is the test
}

// shakeHands returns what the server says to the caller's certificate: in TLS 1.3 it does so after the client is done.
func shakeHands(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	d := tls.Dialer{Config: config}
	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // For a server that says nothing.
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// ownCertificate looks like that of the services, but is not theirs.
func ownCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"muster-engine"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
