package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"muster/internal/heartbeat"
	"muster/starter"
)

// A HeartbeatList is every heartbeat of the organisation folder: what fires first, else in the order of the folder.
type HeartbeatList struct {
	Heartbeats []HeartbeatRow `json:"heartbeats"`
	Language   string         `json:"language"` // in which the organisation reads …
	Zone       string         `json:"zone"`     // … and its IANA zone
}

// A HeartbeatRow is one heartbeat and how it stands.
type HeartbeatRow struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Source   string           `json:"source"`
	Status   heartbeat.Status `json:"status"`
	Every    time.Duration    `json:"every"`
	Grace    time.Duration    `json:"grace"`
	Calendar string           `json:"calendar,omitempty"` // ID of the one in whose hours it is expected
	Last     time.Time        `json:"last,omitzero"`      // its newest beat
	Started  time.Time        `json:"started,omitzero"`   // when the job began that is not done yet
	Due      time.Time        `json:"due,omitzero"`       // when the next one is missed; none where none is expected
	Firing   time.Time        `json:"firing,omitzero"`    // since when its alert fires
	Detail   string           `json:"detail,omitempty"`   // why its calendar does not count, or why it is not known how it stands
}

// listHeartbeats asks every heartbeat of the folder how it stands.
func (s *server) listHeartbeats(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	only := heartbeat.Status(q.Get("status"))
	if only != "" && !slices.Contains(heartbeat.Statuses(), only) {
		q.fault("status", oneOf(words(heartbeat.Statuses())))
	}
	if err := queryFaults(q.Values, q.faults, "status"); err != nil {
		return err
	}
	defined := s.Directory().Heartbeats()
	ids := make([]string, len(defined))
	for n, d := range defined {
		ids[n] = d.ID
	}
	list := HeartbeatList{Heartbeats: []HeartbeatRow{}, Language: s.Language, Zone: s.Zone}
	for n, stands := range s.Backend.Heartbeats(r.Context(), ids) {
		row := beatRow(defined[n], stands.State)
		if _, unheard := errors.AsType[*starter.NotFoundError](stands.Err); stands.Err != nil && !unheard { // which hides no other
			row.Status, row.Detail = heartbeat.Unknown, stands.Err.Error()
		}
		if only == "" || row.Status == only {
			list.Heartbeats = append(list.Heartbeats, row)
		}
	}
	slices.SortStableFunc(list.Heartbeats, func(a, b HeartbeatRow) int {
		switch af, bf := a.Firing.IsZero(), b.Firing.IsZero(); {
		case af == bf:
			return 0
		case af:
			return 1
		}
		return -1
	})
	return answer(w, list)
}

// beatRow is a heartbeat as the folder has it and as it stands. One that nobody listens for yet is as good as new.
func beatRow(d heartbeat.Definition, h *heartbeat.Heartbeat) HeartbeatRow {
	row := HeartbeatRow{ID: d.ID, Name: d.Name, Source: d.Source, Status: heartbeat.New, Every: d.Every, Grace: d.Grace}
	if d.Calendar != nil {
		row.Calendar = d.Calendar.ID
	}
	if h != nil {
		row.Status, row.Last, row.Started, row.Due, row.Detail = h.Status, h.Last, h.Started, h.Due, h.Detail
		if h.Trouble != nil {
			row.Firing = h.Trouble.Alert.StartsAt
		}
	}
	return row
}
