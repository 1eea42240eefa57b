package trace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// ids names spans. A workflow is read again from its history, on another machine or years later: its spans have the same names then, so
// that what goes on belongs to what has been told.
type ids struct{}

type seedKey struct{}

// seeded has the next span named by a seed.
func seeded(ctx context.Context, seed string) context.Context {
	if seed == "" {
		return ctx
	}
	return context.WithValue(ctx, seedKey{}, seed)
}

// NewIDs names a trace and its first span.
func (ids) NewIDs(ctx context.Context) (t oteltrace.TraceID, s oteltrace.SpanID) {
	random := seedOf(ctx)
	copy(t[:], random[:16])
	copy(s[:], random[16:24])
	return t, s
}

// NewSpanID names one more span of a trace.
func (ids) NewSpanID(ctx context.Context, _ oteltrace.TraceID) (s oteltrace.SpanID) {
	random := seedOf(ctx)
	copy(s[:], random[16:24])
	return s
}

// seedOf returns bytes that depend on the seed alone, or on nothing.
func seedOf(ctx context.Context) (out [sha256.Size]byte) {
	if seed, ok := ctx.Value(seedKey{}).(string); ok {
		return sha256.Sum256([]byte(seed))
	}
	_, _ = rand.Read(out[:]) // it never fails
	return out
}
