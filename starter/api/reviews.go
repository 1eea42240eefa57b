package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/review"
	"muster/internal/timeline"
	"muster/starter"
)

// A reviewReceipt says where a review stands after it was asked something.
type reviewReceipt struct {
	ID     incident.ID   `json:"id"`
	Status review.Status `json:"status"`
}

// review answers with the state of the review of an incident, as the visitor may see it: what was written in it is for the
// inside.
func (s *server) review(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	state, err := s.Backend.Review(r.Context(), id(r))
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	if authority.May(by.Subject, authority.ReadInternal, authority.Object{Kind: authority.Review}) != nil {
		state.Timeline, state.Facts.Customers = timeline.Log{Entries: []timeline.Entry{}}, nil
	}
	return answer(w, state)
}

// onReview asks something of a review in the name of the visitor.
func (s *server) onReview(ask func(ctx context.Context, id incident.ID, r starter.Request, text string) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := keyOf(r)
		if err != nil {
			return err
		}
		w.Header().Set(keyHeader, key)
		body, err := s.body(w, r)
		if err != nil {
			return err
		}
		var words struct {
			Text string `json:"text"`
		}
		if err := readInto(reflect.ValueOf(&words).Elem(), body); err != nil {
			return err
		}
		by := visiting(r.Context())
		req := starter.Request{ID: requestID(key, by.Actor, r.URL.Path, words), By: by.Actor, Via: by.via}
		err = ask(r.Context(), id(r), req, words.Text)
		s.Log.Info("command", "review", id(r), "path", r.URL.Path, "actor", by.Actor.ID, "request", req.ID, "error", err)
		_, gone := errors.AsType[*starter.NotFoundError](err) // or it has ended
		if err != nil && !gone {
			return err
		}
		state, unknown := s.Backend.Review(r.Context(), id(r))
		switch {
		case unknown != nil:
			return unknown
		case gone:
			return &starter.RefusedError{Reason: "review of " + string(id(r)) + ": it is closed"}
		}
		return answer(w, reviewReceipt{id(r), state.Status})
	}
}
