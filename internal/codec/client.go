package codec

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	querypb "go.temporal.io/api/query/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"muster/internal/encryption"
)

// DialOption has a client of Temporal encrypt every payload that it sends, and what failures say, and decrypt all that it gets: whatever
// is asked through it, also whole histories, is as it was before. Search attributes stay in clear: Temporal looks for them.
func (c Codec) DialOption() (grpc.DialOption, error) {
	in := &proxy.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: c.incoming}
	if c.Keys == nil { // what is encrypted is an error all the same
		payloads, err := proxy.NewPayloadVisitorInterceptor(proxy.PayloadVisitorInterceptorOptions{Inbound: in})
		return grpc.WithChainUnaryInterceptor(explained, payloads), err
	}
	failures, err := proxy.NewFailureVisitorInterceptor(proxy.FailureVisitorInterceptorOptions{
		Outbound: &proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		}},
		Inbound: &proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			converter.DecodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
			if !isEncrypted(f.GetEncodedAttributes()) { // else they are all that is known of it
				f.EncodedAttributes = nil // a record looks the same, whether its payloads were encrypted or not
			}
			return nil
		}},
	})
	if err != nil {
		return nil, err
	}
	payloads, err := proxy.NewPayloadVisitorInterceptor(proxy.PayloadVisitorInterceptorOptions{
		Outbound: &proxy.VisitPayloadsOptions{SkipSearchAttributes: true, Visitor: c.outgoing}, Inbound: in,
	})
	// What failures say becomes a payload before payloads are encrypted, and the other way round.
	return grpc.WithChainUnaryInterceptor(explained, cloned, failures, payloads), err
}

func (c Codec) outgoing(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return c.Encode(all)
}

// incoming decrypts what this installation has written. Of what others can send, what its keys have not encrypted, although it says so,
// stays as it is: whoever gets it takes it for none of ours, and one such message does not keep a run from going on. A key that is not there
// may come.
func (c Codec) incoming(v *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	switch v.Parent.(type) {
	case *historypb.WorkflowExecutionStartedEventAttributes, *historypb.WorkflowExecutionSignaledEventAttributes, *updatepb.Input,
		*querypb.WorkflowQuery, *commonpb.Header, *commonpb.Memo:
		return c.decodeOwn(all)
	}
	return c.Decode(all)
}

// decodeOwn decrypts what our keys have encrypted, and leaves what they have not.
func (c Codec) decodeOwn(all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	for n, p := range all {
		plain, err := c.Decode(all[n : n+1])
		switch {
		case err == nil:
			out[n] = plain[0]
		case errors.Is(err, encryption.ErrChanged):
			out[n] = p
		default:
			return nil, err
		}
	}
	return out, nil
}

// explained gives the errors of the codec a code with which the SDK does not ask again and again.
func explained(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := next(ctx, method, req, reply, cc, opts...)
	if e, ok := errors.AsType[*Error](err); ok {
		return status.Error(codes.FailedPrecondition, e.Error())
	}
	if h, ok := reply.(*workflowservice.GetWorkflowExecutionHistoryResponse); ok && len(h.GetRawHistory()) > 0 {
		return status.Error(codes.FailedPrecondition, "temporal sends histories as blobs, in which nothing is decrypted: want its setting frontend.sendRawWorkflowHistory off")
	}
	return err
}

// cloned leaves the request of the caller as it is. The SDK repeats a request that was not answered: what was encrypted the first time
// would be encrypted once more.
func cloned(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if m, ok := req.(proto.Message); ok {
		req = proto.Clone(m)
	}
	return next(ctx, method, req, reply, cc, opts...)
}
