package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"muster/internal/keyring"
	"muster/internal/refusal"
)

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
	if errors.Is(err, keyring.ErrFixed) {
		return refusal.Body{Title: "Refused", Status: http.StatusConflict, Detail: err.Error()}
	}
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
		return refusal.Body{Title: "Refused", Status: http.StatusConflict, Detail: err.Error()}
	}
	s.Log.Warn("key revoked", "key", name, "by", visiting(r.Context()).Actor.ID)
	for _, k := range s.Keys.Keys() {
		if k.ID == name {
			return answer(w, keyOut(k))
		}
	}
	return fmt.Errorf("revoke key %s: it has gone", name)
}
