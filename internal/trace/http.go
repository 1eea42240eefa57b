package trace

import (
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Handler tells of each request that next answers: its method, the pattern of its route and the status of the answer, and nothing of its
// path, which may be a secret. It goes on with the trace of whoever asks, as W3C Trace Context says.
func (t *Traces) Handler(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if !slices.Contains(methods, method) {
			method = "_OTHER"
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		if from := oteltrace.SpanContextFromContext(ctx); from.IsValid() { // what they say besides would stay in histories for years
			ctx = oteltrace.ContextWithRemoteSpanContext(ctx, from.WithTraceState(oteltrace.TraceState{}))
		}
		ctx, span := t.tracer.Start(ctx, method+" "+r.Pattern, oteltrace.WithSpanKind(oteltrace.SpanKindServer), oteltrace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("http.route", r.Pattern),
		))
		defer span.End()
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r.WithContext(ctx))
		span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
		if answer.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	})
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// An answer sees which status it has.
type answer struct {
	http.ResponseWriter

	status int
}

// WriteHeader sends the status.
func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK { // others come before the answer
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
