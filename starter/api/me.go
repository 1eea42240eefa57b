package api

import (
	"net/http"

	"muster/internal/authority"
)

// A Me says who the token speaks for, and what they may.
type Me struct {
	ID     string              `json:"id"`
	Name   string              `json:"name,omitempty"`
	Kind   string              `json:"kind"`            // "person" or "source": a machine
	Party  string              `json:"party,omitempty"` // its ID; of the administrator of a data folder and of machines none
	Of     authority.PartyKind `json:"party_kind"`
	Roles  []authority.Role    `json:"roles"`
	Scopes []authority.Verb    `json:"scopes,omitempty"` // what the token is narrowed to; none: it is not
}

func (s *server) me(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	by := visiting(r.Context())
	return answer(w, Me{
		ID: by.Actor.ID, Name: by.Actor.Name, Kind: string(by.Actor.Kind), Party: by.Party, Of: by.Kind,
		Roles: append([]authority.Role{}, by.Roles...), Scopes: by.Scopes,
	})
}
