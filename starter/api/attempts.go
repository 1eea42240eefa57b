package api

import (
	"net/http"
	"strconv"
	"time"

	"muster/internal/store"
)

// An Attempt is something that was refused at the door.
type Attempt struct {
	Seq     int64             `json:"seq"`
	At      time.Time         `json:"at"`
	Kind    store.AttemptKind `json:"kind"`
	Actor   string            `json:"actor,omitempty"`   // whom it claims to come from
	Remote  string            `json:"remote,omitempty"`  // network address
	Subject string            `json:"subject,omitempty"` // path, or workflow
	Message string            `json:"message,omitempty"` // what was tried
	Detail  string            `json:"detail,omitempty"`  // why it was refused
	Hash    string            `json:"hash"`              // over this entry and the hash of the one before
}

// Attempts are a part of the log of what was refused, the oldest first.
type Attempts struct {
	Attempts []Attempt `json:"attempts"`
	Next     int64     `json:"next,omitempty"` // asks for what comes after, as after; none at the end
}

func (s *server) listAttempts(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	limit := q.limit()
	var after int64
	if v := q.Get("after"); v != "" {
		var err error
		if after, err = strconv.ParseInt(v, 10, 64); err != nil || after < 0 {
			q.fault("after", "the number of an entry")
		}
	}
	if err := queryFaults(q.Values, q.faults, "limit", "after"); err != nil {
		return err
	}
	found, err := s.Store.Attempts(r.Context(), after, limit)
	if err != nil {
		return err
	}
	page := Attempts{Attempts: []Attempt{}}
	for _, a := range found {
		page.Attempts = append(page.Attempts, Attempt(a))
	}
	if len(found) == limit {
		page.Next = found[limit-1].Seq
	}
	return answer(w, page)
}
