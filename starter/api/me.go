package api

import (
	"cmp"
	"net/http"

	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/timeline"
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

	Language string `json:"language"` // of the person, else of the organisation
	Zone     string `json:"zone"`     // of the organisation, an IANA name: in it times are shown, and read where they say none
}

func (s *server) me(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	by := visiting(r.Context())
	return answer(w, Me{
		ID: by.Actor.ID, Name: by.Actor.Name, Kind: string(by.Actor.Kind), Party: by.Party, Of: by.Kind,
		Roles: append([]authority.Role{}, by.Roles...), Scopes: by.Scopes, Language: cmp.Or(s.ownLanguage(by.Subject), s.Language), Zone: s.Zone,
	})
}

// languageHeader says with every answer in which language whoever asks reads.
const languageHeader = "Muster-Language"

// ownLanguage is that of a person, empty where the organisation folder says none.
func (s *server) ownLanguage(by authority.Subject) string {
	if by.Actor.Kind == timeline.Person {
		kind := escalation.Person
		if by.Kind == authority.Customer {
			kind = escalation.Contact
		}
		to, err := s.Directory().Recipients(escalation.Target{Kind: kind, ID: by.Actor.ID}, s.Now())
		if err == nil && len(to) == 1 && to[0].Language != "" {
			return to[0].Language
		}
	}
	return ""
}
