package api

import (
	"errors"
	"net/http"
	"reflect"

	"muster/internal/authority"
	"muster/internal/refusal"
	"muster/starter"
)

// A NewIncident is what people report, and a RespondBy until when a customer was promised a response.
type (
	NewIncident = starter.NewIncident
	RespondBy   = starter.RespondBy
)

// An Opened incident is the answer to a NewIncident, with how the organisation reads.
type Opened struct {
	starter.Opened

	Language string `json:"language"` // in which the organisation reads …
	Zone     string `json:"zone"`     // … and its IANA zone
}

// open opens an incident that people report.
func (s *server) open(w http.ResponseWriter, r *http.Request) error {
	key, err := keyOf(r)
	if err != nil {
		return err
	}
	w.Header().Set(keyHeader, key)
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	var asked NewIncident
	if err := readInto(reflect.ValueOf(&asked).Elem(), body); err != nil {
		return err
	}
	by := visiting(r.Context())
	req := starter.Request{ID: requestID(key, by.Actor, string(authority.Open), asked), By: by.Actor, Via: by.via}
	opened, err := s.opens(r, req, asked)
	if err != nil {
		return err
	}
	return answer(w, Opened{opened, s.Language, s.Zone})
}

// opens opens an incident in the name of the visitor, and says what keeps them from it.
func (s *server) opens(r *http.Request, req starter.Request, asked NewIncident) (starter.Opened, error) {
	by := visiting(r.Context())
	desk := starter.Desk{Incidents: s.Backend, Directory: s.Directory(), Now: s.Now}
	opened, err := desk.Open(r.Context(), by.Subject, req, asked)
	s.Log.Info("open", "incident", opened.ID, "service", asked.Service, "actor", by.Actor.ID, "request", req.ID, "error", err)
	if denied, ok := errors.AsType[*authority.DeniedError](err); ok {
		return opened, s.denied(r, authority.Open, denied)
	}
	if faulty, ok := errors.AsType[*starter.FaultyError](err); ok {
		var faults []refusal.Fault
		for _, f := range faulty.Faults {
			faults = append(faults, refusal.Fault{Field: f.Field, Detail: f.Detail})
		}
		return opened, refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	return opened, err
}
