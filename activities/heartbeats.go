package activities

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/heartbeat"
)

// An Intake takes the alerts that Muster itself has, as if their source had posted them.
type Intake interface {
	// Take makes an alert of a source durable.
	Take(ctx context.Context, source string, a alert.Alert) error
}

// Heartbeats has the effects of heartbeats.
type Heartbeats struct{ Intake Intake }

// TellHeartbeat brings an alert of a heartbeat to the incident that it belongs to.
func (h *Heartbeats) TellHeartbeat(ctx context.Context, in heartbeat.Telling) error {
	if err := h.Intake.Take(ctx, in.Source, in.Alert); err != nil {
		return fmt.Errorf("tell of heartbeat %s: %w", in.Alert.Name, err)
	}
	return nil
}

// ComputeBeatInput asks when times end that run in the hours of a calendar.
type ComputeBeatInput struct {
	Calendar calendar.Rules   `json:"calendar"`
	Spans    []heartbeat.Span `json:"spans"`
}

// ComputeBeat returns when they end.
func (*Heartbeats) ComputeBeat(_ context.Context, in ComputeBeatInput) ([]time.Time, error) {
	fail := func(err error) ([]time.Time, error) { // nor will it be another time
		return nil, temporal.NewNonRetryableApplicationError(fmt.Sprintf("calendar %s: %v", in.Calendar.ID, err), "Calendar", err)
	}
	zone, err := time.LoadLocation(in.Calendar.Zone)
	if err != nil {
		return fail(err)
	}
	c, err := calendar.New(in.Calendar, zone)
	if err != nil {
		return fail(err)
	}
	ends := make([]time.Time, len(in.Spans))
	for n, s := range in.Spans {
		if ends[n], err = c.Add(s.From, s.For); err != nil {
			return fail(err)
		}
		ends[n] = ends[n].UTC()
	}
	return ends, nil
}
