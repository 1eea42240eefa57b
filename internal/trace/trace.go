// Package trace tells an OpenTelemetry collector the way of a request: over HTTP into Muster, to Temporal, through workflows and
// activities, and out again. It tells who called whom, when, and whether it went well; no payload, no text, no address of a person, and of
// a URL its host alone.
package trace

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Traces are what this process tells. Nil tells nothing, and costs nothing.
type Traces struct {
	provider *sdktrace.TracerProvider
	tracer   oteltrace.Tracer
	root     context.Context
}

// Open reads the OTEL_* settings through getenv, which is os.Getenv but for what the exporter and the SDK of OpenTelemetry read themselves.
// It returns nil where nothing asks for traces. What it cannot do as it was asked to is warned of, and no reason not to start: an
// installation that pages people does so without traces too.
func Open(ctx context.Context, version string, getenv func(string) string, log *slog.Logger) *Traces {
	on, err := wanted(getenv)
	if err == nil && !on {
		return nil
	}
	var to sdktrace.SpanExporter
	if err == nil {
		to, err = otlptracehttp.New(ctx)
	}
	if err != nil {
		log.Warn("no traces are sent", "error", err)
		return nil
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "muster"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv(), // the last one wins
	)
	if err != nil {
		log.Warn("traces do not say all of where they come from", "error", err)
	}
	p := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&sender{SpanExporter: to, log: log}), sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}),
	)
	return &Traces{provider: p, tracer: p.Tracer("muster"), root: context.WithoutCancel(ctx)}
}

// wanted tells whether the settings ask for traces. An empty variable is one that is not set, as the specification wants it.
func wanted(getenv func(string) string) (bool, error) {
	const prefix = "OTEL_EXPORTER_OTLP_"
	if getenv("OTEL_SDK_DISABLED") == "true" {
		return false, nil
	}
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "otlp":
	case "none":
		return false, nil
	case "": // it would be otlp, and everybody would send to a collector on their own machine
		if getenv(prefix+"ENDPOINT") == "" && getenv(prefix+"TRACES_ENDPOINT") == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER %q: want otlp or none", exporter)
	}
	if p := cmp.Or(getenv(prefix+"TRACES_PROTOCOL"), getenv(prefix+"PROTOCOL")); p != "" && p != "http/protobuf" {
		return false, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL %q: want http/protobuf, and a collector's port for it, which is mostly 4318", p)
	}
	return true, nil
}

// Close sends what was not sent yet, for at most a few seconds: a collector that is away must not keep a process from ending.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// A sender warns once when a collector takes nothing any more, and not with each batch. One batch at a time is sent.
type sender struct {
	sdktrace.SpanExporter

	log   *slog.Logger
	fails bool
}

// ExportSpans sends a batch. What cannot be sent is dropped.
func (s *sender) ExportSpans(ctx context.Context, batch []sdktrace.ReadOnlySpan) error {
	err := s.SpanExporter.ExportSpans(ctx, batch)
	switch {
	case err != nil && !s.fails:
		s.log.Warn("traces are not taken, and are dropped until they are", "error", err)
	case err == nil && s.fails:
		s.log.Info("traces are taken again")
	}
	s.fails = err != nil
	return nil
}
