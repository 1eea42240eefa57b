package cli_test

import (
	"context"
	"time"

	"muster/internal/heartbeat"
	"muster/starter"
)

// Heartbeats are two jobs.
func (people) Heartbeats() []heartbeat.Definition {
	return []heartbeat.Definition{
		{ID: "backup", Name: "Nightly backup", Source: "jobs", Every: 24 * time.Hour, Grace: time.Minute},
		{ID: "sync", Name: "재고 동기화", Source: "jobs", Every: time.Hour, Grace: time.Minute},
	}
}

// Heartbeats says that the first one is awaited for 20 more minutes, and that the other one is missed.
func (h *house) Heartbeats(_ context.Context, ids []string) (all []starter.HeardHeartbeat) {
	last := now().Add(-24 * time.Hour)
	for _, id := range ids {
		s := heartbeat.Heartbeat{Status: heartbeat.Beating, Last: last, Due: now().Add(20 * time.Minute)}
		if id == "sync" {
			s = heartbeat.Heartbeat{Status: heartbeat.Missed, Last: last, Trouble: &heartbeat.Telling{Alert: heartbeat.Definition{ID: id}.Alert(last.Add(time.Hour), "", "")}}
		}
		all = append(all, starter.HeardHeartbeat{State: &s})
	}
	return all
}
