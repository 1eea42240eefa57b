package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/supportplan"
	"muster/starter"
)

// A RequestSummary is one row of a list of requests; filters narrow the list.
type (
	RequestSummary = starter.RequestSummary
	RequestFilter  = starter.RequestFilter
)

// A RequestPage is a part of a list, the newest request first.
type RequestPage struct {
	Requests []RequestSummary `json:"requests"`
	Next     string           `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string           `json:"language"`       // in which the organisation reads …
	Zone     string           `json:"zone"`           // … and its IANA zone
}

// A NewRequest is what a customer's request is recorded with. What is promised for it is in the organisation folder.
type NewRequest struct {
	Customer string              `json:"customer,omitempty"` // ID; of a customer's people, their own
	Kind     string              `json:"kind"`               // one that the support plan names, or the ID of a feature
	Feature  string              `json:"feature,omitempty"`  // ID
	Channel  supportplan.Channel `json:"channel,omitempty"`
	Received string              `json:"received,omitempty"` // RFC 3339; empty: now
	Number   string              `json:"number,omitempty"`   // by which whoever took it knows it
	Text     string              `json:"text"`
	Begun    request.Begun       `json:"begun,omitempty"` // with whom an issue began of which the customer is told
}

// A NewRequestOwner is to whom a request is given.
type NewRequestOwner struct {
	Person string `json:"person"` // ID
	Note   string `json:"note"`
}

// A RequestIncident is what an incident is opened with that a request has become. It counts from the receipt of the request.
type RequestIncident struct {
	Service string         `json:"service"` // ID
	Title   string         `json:"title"`
	Impact  priority.Level `json:"impact,omitempty"` // the service's when empty, and so is the urgency
	Urgency priority.Level `json:"urgency,omitempty"`
}

// A NewRequestCase is what a vendor was asked, and when to ask again.
type NewRequestCase struct {
	Vendor string    `json:"vendor"` // ID
	Ref    string    `json:"ref"`
	Chase  time.Time `json:"chase"`
}

// A RequestReceipt says where a request stands after it was asked something.
type RequestReceipt struct {
	ID       request.ID     `json:"id"`
	Status   request.Status `json:"status"`
	Incident string         `json:"incident,omitempty"` // that it has become
	Already  bool           `json:"already,omitempty"`  // it was that incident before: nothing is opened
	Owner    string         `json:"owner,omitempty"`    // name of who works on it, for the provider
	Chase    time.Time      `json:"chase,omitzero"`     // when its vendor is asked again, for the provider
	Zone     string         `json:"zone,omitempty"`     // IANA zone in which the organisation reads
}

// Bounds of what is recorded.
const (
	mostNumber = 64                  // bytes of a receipt number
	longAgo    = 31 * 24 * time.Hour // since a request came that is recorded now
)

func requestOf(r *http.Request) request.ID { return request.ID(r.PathValue("id")) }

// listRequests answers with the requests that the visitor may read.
func (s *server) listRequests(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := RequestFilter{Open: q.truth("open"), Customer: q.Get("customer"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = request.Status(v); !slices.Contains(request.Statuses(), f.Status) {
			q.fault("status", oneOf(words(request.Statuses())))
		}
	}
	if err := queryFaults(q.Values, q.faults, "status", "open", "customer", "limit", "after"); err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind != authority.Provider {
		f.Customer = by.Party
	}
	if err := s.mayAbout(r, authority.Read, f.Customer); err != nil {
		return err
	}
	rows, after, err := s.Backend.Requests(r.Context(), f)
	if err != nil {
		return err
	}
	return answer(w, RequestPage{Requests: append([]RequestSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// mayAbout tells whether the visitor may do something to the requests of a customer.
func (s *server) mayAbout(r *http.Request, v authority.Verb, customer string) error {
	o := authority.Object{Kind: authority.Request, Customers: []string{customer}}
	return s.denied(r, v, authority.May(visiting(r.Context()).Subject, v, o))
}

// openRequest records what a customer asks for. What was promised for it comes from the organisation folder as it is now.
func (s *server) openRequest(w http.ResponseWriter, r *http.Request) error {
	var given NewRequest
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind == authority.Customer {
		given.Customer = cmp.Or(given.Customer, by.Party)
	}
	if err := s.mayAbout(r, authority.Record, given.Customer); err != nil {
		return err
	}
	a, err := s.asks(given, by.Kind == authority.Provider)
	if err != nil {
		return err
	}
	a, pinned, err := s.Directory().Request(a)
	if bad, ok := errors.AsType[*request.Fault](err); ok {
		return fault(bad.Field, bad.Detail)
	}
	if err != nil {
		return err
	}
	q, err := s.Backend.StartRequest(r.Context(), req, request.Terms{Asked: a, Pinned: pinned})
	s.Log.Info("command", "request", a.Customer, "command", "record", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, s.shownRequest(r, q))
}

// asks reads what is asked for. When it came, and by which number it is known, only the provider says.
func (s *server) asks(given NewRequest, provider bool) (request.Asked, error) {
	a := request.Asked{
		Customer: given.Customer, Kind: given.Kind, Feature: given.Feature, Channel: given.Channel, Received: s.Now(),
		Number: given.Number, Text: given.Text, Begun: given.Begun,
	}
	switch {
	case !provider && given.Received != "":
		return a, fault("received", "want it from the provider alone")
	case given.Begun != "" && !slices.Contains(request.Begins(), given.Begun):
		return a, fault("begun", oneOf(words(request.Begins())))
	case !provider && given.Begun != "":
		return a, fault("begun", "want it from the provider alone")
	case !provider && given.Number != "":
		return a, fault("number", "want it from the provider alone")
	case len(given.Number) > mostNumber:
		return a, fault("number", fmt.Sprintf("%d bytes; want %d at most", len(given.Number), mostNumber))
	case given.Received == "":
		return a, nil
	}
	at, err := time.Parse(time.RFC3339, given.Received)
	if err != nil || at.After(a.Received) || at.Before(a.Received.Add(-longAgo)) {
		return a, fault("received", fmt.Sprintf("%q; want an instant such as 2026-11-30T09:00:00+09:00 in the last 31 days", clip(given.Received)))
	}
	a.Received = at.UTC()
	return a, nil
}

func (s *server) showRequest(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	q, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	return answer(w, s.shownRequest(r, q))
}

// requestReport writes the report on a request, as the visitor may see it.
func (s *server) requestReport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	if err := queryFaults(q, append(s.langFault(q), faults...), "format", "lang"); err != nil {
		return err
	}
	x, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	body, err := s.Texts.RequestReport(s.shownRequest(r, x), report.Edition{Language: cmp.Or(q.Get("lang"), s.Language), Format: format, At: s.Now()})
	if err != nil {
		return err
	}
	return sendReport(w, string(x.ID), format, body)
}

// minutes writes those of a meeting, the newest where no number says which.
func (s *server) minutes(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	number := 0
	if v := q.Get("number"); v != "" {
		var err error
		if number, err = strconv.Atoi(v); err != nil || number < 1 {
			faults = append(faults, refusal.Fault{Field: "number", Detail: fmt.Sprintf("%q; want that of a meeting, from 1", clip(v))})
		}
	}
	if err := queryFaults(q, append(s.langFault(q), faults...), "number", "format", "lang"); err != nil {
		return err
	}
	x, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	if number = cmp.Or(number, len(x.Meetings)); number == 0 || number > len(x.Meetings) {
		return &starter.NotFoundError{What: fmt.Sprintf("meeting %d on request %s", number, x.ID)}
	}
	body, err := s.Texts.Minutes(s.shownRequest(r, x), number, report.Edition{Language: cmp.Or(q.Get("lang"), s.Language), Format: format, At: s.Now()})
	if err != nil {
		return err
	}
	return sendReport(w, fmt.Sprintf("%s-minutes-%d", x.ID, number), format, body)
}

// shownRequest is a request as the visitor may see it.
func (s *server) shownRequest(r *http.Request, q *request.Request) *request.Request {
	by := visiting(r.Context())
	if by.Kind == authority.Provider {
		return q
	}
	return q.Shown(s.viewer(by, q.Organisation))
}

// onRequest asks something of a request in the name of the visitor.
func onRequest[C request.Command](s *server) handler { return onCommand[C](s, s.askRequest) }

// askRequest asks something of a request. Who of the provider was faster is no customer's business.
func (s *server) askRequest(w http.ResponseWriter, r *http.Request, req starter.Request, c request.Command) error {
	id := requestOf(r)
	err := s.Backend.AskRequest(r.Context(), id, req, c)
	s.Log.Info("command", "request", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
	q, err := afterwards(err, func() (*request.Request, error) { return s.Backend.Request(r.Context(), id) },
		func(q *request.Request) error { return c.Check(q, req.By) })
	if _, refused := errors.AsType[*starter.RefusedError](err); refused && q != nil && visiting(r.Context()).Kind != authority.Provider {
		err = &starter.RefusedError{Reason: fmt.Sprintf("request %s: it is %s", id, q.Status)}
	}
	if err != nil {
		return err
	}
	receipt := RequestReceipt{ID: id, Status: q.Status, Incident: q.Incident, Zone: s.Zone}
	if visiting(r.Context()).Kind == authority.Provider {
		receipt.Owner = q.Owner.Shown()
		if q.Case != nil && !q.Case.Chased {
			receipt.Chase = q.Case.Chase
		}
	}
	return answer(w, receipt)
}

// answerRequest answers a customer. What somebody works on is theirs to answer: whoever answers instead takes it first.
func (s *server) answerRequest(w http.ResponseWriter, r *http.Request) error {
	var c request.Answer
	req, err := s.request(w, r, &c)
	if err != nil {
		return err
	}
	q, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	if q.Owner.ID != "" && q.Owner.ID != req.By.ID && c.Check(q, req.By) == nil {
		return &starter.RefusedError{Reason: fmt.Sprintf("answer request %s: %s works on it: take it first, muster request take %s", q.ID, q.Owner.Shown(), q.ID)}
	}
	return s.askRequest(w, r, req, c)
}

// caseRequest says what a vendor was asked that the organisation folder knows.
func (s *server) caseRequest(w http.ResponseWriter, r *http.Request) error {
	var given NewRequestCase
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	v, err := s.vendor(given.Vendor)
	if err != nil {
		return err
	}
	return s.askRequest(w, r, req, request.RecordCase{Vendor: given.Vendor, Name: v.Name, Ref: given.Ref, Chase: given.Chase})
}

// vendor is one that the organisation folder knows.
func (s *server) vendor(id string) (incident.VendorSupport, error) {
	v, known := s.Directory().VendorSupport(id)
	if !known {
		return v, fault("vendor", fmt.Sprintf("%q; want the id of a vendor with a support record in the organisation folder: %s", clip(id), cmp.Or(oneOf(s.Directory().Vendors()), "there is none")))
	}
	return v, nil
}

// handOverRequest gives a request to somebody of the provider. An engineer of the customer takes it only with what that needs.
func (s *server) handOverRequest(w http.ResponseWriter, r *http.Request) error {
	var given NewRequestOwner
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	q, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	who, known := s.Directory().Subject(given.Person)
	if !known || authority.May(who, authority.Work, authority.Object{Kind: authority.Request}) != nil {
		return fault("person", fmt.Sprintf("%q; want the id of one of the provider's people who may work on it", clip(given.Person)))
	}
	return s.askRequest(w, r, req, request.HandOver{
		Person: given.Person, Name: who.Actor.Name, Note: given.Note, Engineer: s.Directory().Answers(given.Person, q.Customer),
	})
}

// judgeRequest says whether an answer is enough. How content a customer is, only the customer says.
func (s *server) judgeRequest(w http.ResponseWriter, r *http.Request) error {
	var c request.Judge
	req, err := s.request(w, r, &c)
	if err != nil {
		return err
	}
	switch {
	case c.Score != 0 && visiting(r.Context()).Kind != authority.Customer:
		return fault("score", "want it from the customer alone")
	case c.Score < 0 || c.Score > request.MaxScore || c.Score > 0 && c.Result != request.Complete:
		return fault("score", fmt.Sprintf("%d; want 1 to %d, of what is complete", c.Score, request.MaxScore))
	case c.Result == request.Complete && visiting(r.Context()).Kind == authority.Provider && strings.TrimSpace(c.Note) == "":
		return fault("note", "missing; want who of the customer says so, and where")
	case c.Result == request.Incomplete && strings.TrimSpace(c.Note) == "":
		return fault("note", "missing; want what is still to be done")
	}
	return s.askRequest(w, r, req, c)
}

// promoteRequest opens the incident that a request has become. What was promised for it runs from the receipt of the request.
func (s *server) promoteRequest(w http.ResponseWriter, r *http.Request) error {
	var given RequestIncident
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	q, err := s.Backend.Request(r.Context(), requestOf(r))
	if err != nil {
		return err
	}
	if q.Incident != "" {
		return answer(w, RequestReceipt{ID: q.ID, Status: q.Status, Incident: q.Incident, Already: true, Zone: s.Zone})
	}
	if err := (request.Promote{Incident: "the one to come"}).Check(q, req.By); err != nil {
		return &starter.RefusedError{Reason: err.Error()} // before there is an incident
	}
	once := req
	once.ID = "incident of " + string(q.ID) // one request is one incident, whoever asks
	opened, err := s.opens(r, once, NewIncident{
		Service: given.Service, Title: given.Title, Text: q.Text, Customer: q.Customer, Impact: given.Impact, Urgency: given.Urgency, Channel: q.Channel,
		Receipt: cmp.Or(q.Number, string(q.ID)), Received: q.Received,
	})
	if err != nil {
		return err
	}
	return s.askRequest(w, r, req, request.Promote{Incident: string(opened.ID)})
}
