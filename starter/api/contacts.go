package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/reach"
	"muster/starter"
)

// A Contact is somebody who can be reached, or a channel of a group, and how that has gone lately.
type Contact struct {
	ID          string          `json:"id"` // "park", or "group:noc" of a channel
	Name        string          `json:"name"`
	Answers     bool            `json:"answers"`     // on call now, or meant by an escalation policy
	Unreachable bool            `json:"unreachable"` // the newest attempt by every contact method has failed
	Methods     []ContactMethod `json:"methods"`     // in the order in which they are tried
}

// A ContactMethod is one of their contact methods. Its address is nobody's business.
type ContactMethod struct {
	Name    string               `json:"name"`
	Type    delivery.ContactType `json:"type"`
	Tested  bool                 `json:"tested"`           // test pages go by it
	Result  reach.Result         `json:"result,omitempty"` // of the newest attempt; empty: none is known
	At      time.Time            `json:"at,omitzero"`      // when that was
	Arrived time.Time            `json:"arrived,omitzero"` // when a message that was no test has last arrived
	Test    *reach.Test          `json:"test,omitempty"`   // the newest one
	Item    string               `json:"item,omitempty"`   // the action item that its failing has opened
}

// ContactList is everybody whom the visitor may see: those first whom nothing reaches, then those of whom something fails.
type ContactList struct {
	Contacts []Contact    `json:"contacts"`
	Testing  *reach.Round `json:"testing,omitempty"` // test pages that are under way
	Every    string       `json:"every,omitempty"`   // how often each contact method is tested by itself, in Go's notation; empty: not
	Language string       `json:"language"`          // in which the organisation reads …
	Zone     string       `json:"zone"`              // … and its IANA zone
}

// A NewContactTest asks for test pages now.
type NewContactTest struct {
	Person string `json:"person,omitempty"` // ID of the only one to be tested, "group:noc" of a channel; empty: everybody
}

// A ContactTestReceipt says that test pages go out.
type ContactTestReceipt struct {
	Person  string `json:"person,omitempty"`
	Methods int    `json:"methods"` // by how many contact methods, unless somebody is away or in quiet hours
}

func (s *server) contactRoutes() []route {
	return []route{
		{http.MethodGet, "contacts", "", "", s.listContacts}, // asks itself: everybody sees their own
		{http.MethodPost, "contacts/test", authority.TestContacts, authority.Contact, s.testContacts},
	}
}

func (s *server) listContacts(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	if err := queryFaults(q.Values, q.faults, "person"); err != nil {
		return err
	}
	by := visiting(r.Context()).Subject
	sees := func(id string) error {
		if authority.May(by, authority.ReadOwn, authority.Object{Kind: authority.Contact, Owner: id}) == nil {
			return nil
		}
		return authority.May(by, authority.Read, authority.Object{Kind: authority.Contact})
	}
	person := q.Get("person")
	if err := sees(cmp.Or(person, by.Actor.ID)); err != nil {
		return s.denied(r, authority.Read, err)
	}
	ledger, err := s.Backend.Contacts(r.Context())
	if err != nil {
		return err
	}
	page := ContactList{Contacts: []Contact{}, Testing: ledger.Round, Language: s.Language, Zone: s.Zone}
	if _, every := s.Directory().ContactTests(s.Now()); every > 0 {
		page.Every = every.String()
	}
	for _, p := range s.Directory().People(s.Now()) {
		if (person == "" || p.ID == person) && sees(p.ID) == nil {
			page.Contacts = append(page.Contacts, contactOf(p, ledger))
		}
	}
	if person != "" && len(page.Contacts) == 0 {
		return &starter.NotFoundError{What: "person " + clip(person)}
	}
	slices.SortStableFunc(page.Contacts, func(a, b Contact) int { return cmp.Compare(a.rank(), b.rank()) })
	return answer(w, page)
}

func contactOf(p reach.Person, l *reach.Ledger) Contact {
	c := Contact{ID: p.ID, Name: p.Name, Answers: p.Answers, Unreachable: reach.Unreachable(p, l), Methods: []ContactMethod{}}
	for _, m := range p.Methods {
		shown := ContactMethod{Name: m.Name, Type: m.Type, Tested: m.Tested}
		if r := l.Find(reach.Way{To: p.ID, Method: m.Name}); r != nil {
			shown.Result, shown.At, shown.Arrived, shown.Test, shown.Item = r.Result, r.At, r.Arrived, r.Test, r.Item
		}
		c.Methods = append(c.Methods, shown)
	}
	return c
}

// rank orders those first about whom something has to be done.
func (c Contact) rank() int {
	failing := slices.ContainsFunc(c.Methods, func(m ContactMethod) bool { return m.Result != "" && m.Result != reach.Delivered })
	switch {
	case c.Unreachable && c.Answers:
		return 0
	case c.Unreachable:
		return 1
	case failing:
		return 2
	}
	return 3
}

// testContacts sends test pages now, in the name of the visitor.
func (s *server) testContacts(w http.ResponseWriter, r *http.Request) error {
	var given NewContactTest
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	ask, receipt := reach.Ask{Person: given.Person}, ContactTestReceipt{Person: given.Person}
	all, _ := s.Directory().ContactTests(s.Now())
	for _, c := range all {
		if given.Person == "" {
			receipt.Methods++
		} else if c.To.ID == given.Person {
			ask.Name = c.To.Name
			receipt.Methods++
		}
	}
	if receipt.Methods == 0 {
		return fault("person", fmt.Sprintf("%q; want the id of a person, or group:ID of a channel, with a contact method that is tested: muster contacts lists them", clip(given.Person)))
	}
	err = s.Backend.TestContacts(r.Context(), req, ask)
	s.Log.Info("command", "contacts", given.Person, "command", "test", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, receipt)
}
