package outbound

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// spanned tells of a request in the trace of whoever makes it, if there is one: its method, the host and the status, for the rest of a
// URL may be secret. The request itself does not say to which trace it belongs: whoever receives it is somebody else.
type spanned struct{ next http.RoundTripper }

// CloseIdleConnections gives up what is open and not in use, as after a failure.
func (s spanned) CloseIdleConnections() { (&http.Client{Transport: s.next}).CloseIdleConnections() }

// RoundTrip makes the request.
func (s spanned) RoundTrip(req *http.Request) (*http.Response, error) {
	parent := trace.SpanFromContext(req.Context())
	if !parent.IsRecording() {
		return s.next.RoundTrip(req)
	}
	ctx, span := parent.TracerProvider().Tracer("muster").Start(req.Context(), req.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", req.Method), attribute.String("server.address", req.URL.Hostname()),
	))
	defer span.End()
	resp, err := s.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		span.SetStatus(codes.Error, "")
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return resp, nil
}
