package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/alert"
	"muster/internal/calendar"
	"muster/internal/heartbeat"
)

// took is what an intake took, or why it does not.
type took struct {
	err    error
	source string
	alert  alert.Alert
}

func (i *took) Take(_ context.Context, source string, a alert.Alert) error {
	i.source, i.alert = source, a
	return i.err
}

func TestAHeartbeatIsTold(t *testing.T) {
	d := heartbeat.Definition{ID: "sync"}
	telling := heartbeat.Telling{Source: "jobs", Alert: d.Alert(time.Unix(0, 0), "not heard of", "")}
	i := &took{}
	h := &activities.Heartbeats{Intake: i}
	if err := h.TellHeartbeat(t.Context(), telling); err != nil || i.source != "jobs" || i.alert.Fingerprint != "sync" {
		t.Errorf("got %+v, %v", i, err)
	}
	i.err = errors.New("no connection")
	if err := h.TellHeartbeat(t.Context(), telling); !errors.Is(err, i.err) || !strings.HasPrefix(err.Error(), "tell of heartbeat sync: ") {
		t.Errorf("got %v", err)
	}
}

func TestBeatsRunInTheHoursOfACalendar(t *testing.T) {
	office := calendar.Rules{ID: "office", Zone: "Asia/Seoul", Weekly: []calendar.Weekly{{
		Days: []calendar.Weekday{"mon", "tue", "wed", "thu", "fri"}, Hours: calendar.Hours{From: 9 * 60, To: 18 * 60},
	}}}
	friday := time.Date(2026, 11, 27, 8, 30, 0, 0, time.UTC) // 17:30 in Seoul
	got, err := (&activities.Heartbeats{}).ComputeBeat(t.Context(), activities.ComputeBeatInput{
		Calendar: office, Spans: []heartbeat.Span{{From: friday, For: 10 * time.Minute}, {From: friday, For: 70 * time.Minute}},
	})
	if want := time.Date(2026, 11, 30, 0, 40, 0, 0, time.UTC); err != nil || len(got) != 2 || !got[0].Equal(friday.Add(10*time.Minute)) || !got[1].Equal(want) {
		t.Errorf("got %v, %v; want the second on Monday at 09:40 in Seoul", got, err)
	}
	office.Until = calendar.DateOf(friday)
	_, err = (&activities.Heartbeats{}).ComputeBeat(t.Context(), activities.ComputeBeatInput{Calendar: office, Spans: []heartbeat.Span{{From: friday, For: time.Hour}}})
	if err == nil || !strings.HasPrefix(err.Error(), "calendar office: ") {
		t.Errorf("got %v", err)
	}
}
