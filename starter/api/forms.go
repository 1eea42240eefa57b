package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/link"
	"muster/internal/refusal"
)

// Links makes signed links.
type Links interface {
	// Link returns the URL at which a link is answered, empty when people cannot reach this installation.
	Link(l link.Link) (string, error)
}

// How many days a form is good for.
const (
	maxFormDays     = 366
	defaultFormDays = 90
)

// A NewForm asks for a form by which somebody reports incidents without signing in.
type NewForm struct {
	Person string `json:"person"`         // ID of a person, or of a customer's contact
	Days   int    `json:"days,omitempty"` // for which it is good: 90 when left out
}

// A Form is where somebody reports incidents. The URL is a secret: whoever has it reports in the person's name.
type Form struct {
	URL      string    `json:"url"`
	Person   string    `json:"person"`
	Expires  time.Time `json:"expires"`
	Language string    `json:"language"` // in which the organisation reads …
	Zone     string    `json:"zone"`     // … and its IANA zone
}

// makeForm makes the link of a form. It is kept nowhere: it ends with its time, with its person in the folder, or with the key that
// has signed it.
func (s *server) makeForm(w http.ResponseWriter, r *http.Request) error {
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	asked := NewForm{Days: defaultFormDays}
	if err := readInto(reflect.ValueOf(&asked).Elem(), body); err != nil {
		return err
	}
	var faults []refusal.Fault
	who, known := s.Directory().Subject(asked.Person)
	about := authority.Object{Kind: authority.Incident, Customers: []string{who.Party}, Partners: []string{who.Party}}
	if !known {
		faults = append(faults, refusal.Fault{Field: "person", Detail: fmt.Sprintf(
			"%q; want the id of a person in the organisation folder, such as park, or of a customer's contact, such as acme/desk", clip(asked.Person))})
	} else if err := authority.May(who, authority.Open, about); err != nil {
		faults = append(faults, refusal.Fault{Field: "person", Detail: fmt.Sprintf("%q may report no incident: %v", asked.Person, err)})
	}
	if asked.Days < 1 || asked.Days > maxFormDays {
		faults = append(faults, refusal.Fault{Field: "days", Detail: fmt.Sprintf("%d; want 1 to %d", asked.Days, maxFormDays)})
	}
	if len(faults) > 0 {
		return refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	l := link.Link{
		ID: "form/" + strings.ToLower(rand.Text()[:10]), Person: asked.Person, Actions: []link.Action{link.Report},
		Expires: s.Now().AddDate(0, 0, asked.Days).UTC().Truncate(time.Second),
	}
	url := ""
	if s.Links != nil {
		if url, err = s.Links.Link(l); err != nil {
			return err
		}
	}
	if url == "" {
		return refusal.Body{Title: "Refused", Status: http.StatusConflict, Detail: "make form: people cannot reach this server; want public_url in organisation.yaml"}
	}
	s.Log.Info("form made", "link", l.ID, "for", l.Person, "expires", l.Expires, "by", visiting(r.Context()).Actor.ID)
	return answer(w, Form{URL: url, Person: l.Person, Expires: l.Expires, Language: s.Language, Zone: s.Zone})
}
