package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"muster/internal/keyring"
	"muster/internal/problem"
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

// A Key is one with which the installation signs, without its private half.
type Key struct {
	ID      string    `json:"id"`
	Public  []byte    `json:"public"` // Ed25519
	From    time.Time `json:"from"`   // signs from this instant, until a newer one does
	Revoked time.Time `json:"revoked,omitzero"`
}

// KeyList are the keys of the installation, the oldest first.
type KeyList struct {
	Keys []Key `json:"keys"`
}

func (s *server) listKeys(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	list := KeyList{Keys: []Key{}}
	for _, k := range s.Keys.Keys() {
		list.Keys = append(list.Keys, keyOut(k))
	}
	return answer(w, list)
}

func keyOut(k keyring.Key) Key {
	return Key{ID: k.ID, Public: k.Public, From: k.From, Revoked: k.Revoked}
}

// rotateKeys adds a key, which signs as soon as every process has read it.
func (s *server) rotateKeys(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.body(w, r); err != nil {
		return err
	}
	k, err := s.Keys.Rotate()
	if err != nil {
		return err
	}
	s.Log.Warn("key made", "key", k.ID, "by", visiting(r.Context()).Actor.ID)
	return answer(w, keyOut(k))
}

// revokeKey makes what a key has signed, and nobody has taken yet, worthless.
func (s *server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	name := r.PathValue("id")
	if err := s.Keys.Revoke(name); err != nil {
		return problem.Problem{Title: "Refused", Status: http.StatusConflict, Detail: err.Error()}
	}
	s.Log.Warn("key revoked", "key", name, "by", visiting(r.Context()).Actor.ID)
	for _, k := range s.Keys.Keys() {
		if k.ID == name {
			return answer(w, keyOut(k))
		}
	}
	return fmt.Errorf("revoke key %s: it has gone", name)
}
