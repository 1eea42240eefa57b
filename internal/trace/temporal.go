package trace

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Interceptors are for the options of a Temporal client, whose workers have them too. A trace goes along in the headers of inputs and
// messages, which a history keeps and a replay does not compare.
func (t *Traces) Interceptors() []interceptor.ClientInterceptor {
	if t == nil {
		return nil
	}
	spans := tracer{tracer: t.tracer, root: t.root}
	return []interceptor.ClientInterceptor{&intercepts{Interceptor: interceptor.NewTracingInterceptor(spans), spans: spans}}
}

// intercepts is the SDK's own interceptor, with spans that know whether their workflow is only read again.
type intercepts struct {
	interceptor.Interceptor

	spans tracer
}

// InterceptWorkflow stands before every workflow.
func (i *intercepts) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	spans := i.spans
	spans.replays = func() bool { return workflow.IsReplaying(ctx) }
	return interceptor.NewTracingInterceptor(spans).InterceptWorkflow(ctx, next)
}

// A tracer makes the spans of the SDK's interceptor. That of OpenTelemetry's own module would tell the texts of errors.
type tracer struct {
	interceptor.BaseTracer

	tracer  oteltrace.Tracer
	root    context.Context // of spans that have no other
	replays func() bool     // whether what happens has happened before; nil: never
}

type spanKey struct{}

// Options says in which header a trace goes along: where the SDKs of all languages look for it.
func (tracer) Options() interceptor.TracerOptions {
	return interceptor.TracerOptions{SpanContextKey: spanKey{}, HeaderKey: "_tracer-data", AllowInvalidParentSpans: true}
}

// UnmarshalSpan reads what MarshalSpan has written.
func (t tracer) UnmarshalSpan(header map[string]string) (interceptor.TracerSpanRef, error) {
	ctx := propagation.TraceContext{}.Extract(t.root, propagation.MapCarrier(header))
	if s := oteltrace.SpanContextFromContext(ctx); s.IsValid() {
		return s, nil
	}
	return nil, nil
}

// MarshalSpan writes which span it is.
func (t tracer) MarshalSpan(s interceptor.TracerSpan) (map[string]string, error) {
	if s.(*span).ends {
		return nil, nil
	}
	header := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(oteltrace.ContextWithSpan(t.root, s.(*span).Span), header)
	return header, nil
}

// SpanFromContext returns the span that a context has, or nil.
func (tracer) SpanFromContext(ctx context.Context) interceptor.TracerSpan {
	if s := oteltrace.SpanFromContext(ctx); s.SpanContext().IsValid() {
		return &span{Span: s}
	}
	return nil
}

// ContextWithSpan gives a context a span.
func (tracer) ContextWithSpan(ctx context.Context, s interceptor.TracerSpan) context.Context {
	return oteltrace.ContextWithSpan(ctx, s.(*span).Span)
}

// Operations as the SDK calls them.
const (
	createSchedule = "CreateSchedule"
	runWorkflow    = "RunWorkflow"
	handleUpdate   = "HandleUpdate"
)

// seed is what a span is named by that is made again whenever its workflow is read again; empty for all others. The SDK has a key for it,
// which counts the signals that came before it only as long as nothing is read again.
func seed(o *interceptor.TracerStartSpanOptions) string {
	if o.Operation != runWorkflow && o.Operation != handleUpdate {
		return ""
	}
	return o.Operation + "\x00" + o.Tags["temporalRunID"] + "\x00" + o.Tags["temporalUpdateID"]
}

// StartSpan begins a span. What a workflow has told before is not told again: such a span stands for the one that was.
//
// A workflow lives for weeks, and nobody would see its span before it has ended: it ends as soon as a worker has taken the workflow up, so
// that it says how long the workflow has waited for that.
func (t tracer) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	ctx := seeded(t.root, seed(o))
	switch parent := o.Parent.(type) {
	case oteltrace.SpanContext:
		ctx = oteltrace.ContextWithRemoteSpanContext(ctx, parent)
	case *span:
		ctx = oteltrace.ContextWithSpanContext(ctx, parent.SpanContext())
	}
	kind := oteltrace.SpanKindServer
	if o.ToHeader {
		kind = oteltrace.SpanKindClient
	}
	var tags []attribute.KeyValue
	for _, name := range []string{"temporalWorkflowID", "temporalRunID", "temporalActivityID"} {
		if v := o.Tags[name]; v != "" {
			tags = append(tags, attribute.String(name, v))
		}
	}
	_, s := t.tracer.Start(ctx, t.SpanName(o), oteltrace.WithTimestamp(o.Time), oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(tags...))
	told := t.replays != nil && t.replays()
	if o.Operation == runWorkflow && !told {
		s.End()
	}
	return &span{Span: s, told: told, ends: o.Operation == createSchedule}, nil
}

// A span is one of OpenTelemetry's.
type span struct {
	oteltrace.Span

	told bool // before
	ends bool // the trace: what a schedule starts in the next years does not belong to it
}

// Finish ends it. Of an error it says which kind it is: its text may name people, or quote what was sent.
func (s *span) Finish(o *interceptor.TracerFinishSpanOptions) {
	if s.told {
		return
	}
	if kind := kindOf(o.Error); kind != "" {
		s.SetStatus(codes.Error, "")
		s.SetAttributes(attribute.String("error.type", kind))
	}
	s.End()
}

// kindOf names the kind of an error; empty for none, and for what only ends otherwise.
func kindOf(err error) string {
	if err == nil || temporal.IsCanceledError(err) || errors.Is(err, context.Canceled) || workflow.IsContinueAsNewError(err) {
		return ""
	}
	if a, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		if a.Category() == temporal.ApplicationErrorCategoryBenign {
			return ""
		}
		if a.Type() != "" {
			return a.Type()
		}
	}
	return fmt.Sprintf("%T", err)
}
