package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/calendar"
	"muster/internal/heartbeat"
	"muster/starter"
	"muster/starter/api"
)

// Heartbeats are four jobs, of which one is missed, one was never listened for and one does not answer.
func (people) Heartbeats() (all []heartbeat.Definition) {
	for _, id := range []string{"backup", "sync", "mirror", "ghost"} {
		all = append(all, heartbeat.Definition{ID: id, Name: strings.ToUpper(id), Source: "jobs", Every: time.Hour, Grace: time.Minute})
	}
	all[1].Calendar = &calendar.Rules{ID: "office"}
	return all
}

func (h *house) Heartbeats(_ context.Context, ids []string) (all []starter.HeardHeartbeat) {
	for _, id := range ids {
		switch id {
		case "backup":
			all = append(all, starter.HeardHeartbeat{Err: &starter.NotFoundError{What: "heartbeat " + id}})
		case "ghost":
			all = append(all, starter.HeardHeartbeat{Err: &starter.StuckError{What: "heartbeat " + id}})
		case "sync":
			all = append(all, starter.HeardHeartbeat{State: &heartbeat.Heartbeat{Status: heartbeat.Beating, Last: instant(), Started: instant(), Due: instant().Add(time.Hour), Detail: "calendar office: it ends"}})
		default:
			d := heartbeat.Definition{ID: id, Source: "jobs"}
			all = append(all, starter.HeardHeartbeat{State: &heartbeat.Heartbeat{
				Status: heartbeat.Missed, Last: instant(), Trouble: &heartbeat.Telling{Source: "jobs", Alert: d.Alert(instant(), "not heard of", "")},
			}})
		}
	}
	return all
}

func TestHeartbeatsAreListed(t *testing.T) {
	p := newPlace(t)
	for _, tc := range []struct{ query, want string }{
		{"", "mirror missed, backup new, sync beating, ghost unknown"},
		{"?status=beating", "sync beating"},
		{"?status=failed", ""},
	} {
		var list api.HeartbeatList
		answer := p.ask(http.MethodGet, "/api/v1/heartbeats"+tc.query, "")
		if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil || answer.Code != 200 {
			t.Fatalf("%s: got %d %s", tc.query, answer.Code, answer.Body)
		}
		var got []string
		for _, h := range list.Heartbeats {
			got = append(got, fmt.Sprint(h.ID, " ", h.Status))
			if (h.Status == heartbeat.Missed) == h.Firing.IsZero() || (h.ID == "sync") != (h.Calendar == "office") {
				t.Errorf("got %+v", h)
			}
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: got %v, want %s", tc.query, got, tc.want)
		}
	}
	if answer := p.ask(http.MethodGet, "/api/v1/heartbeats?status=late", ""); answer.Code != 422 {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
}
