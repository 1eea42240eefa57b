package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/response"
	"muster/internal/timeline"
	"muster/starter"
)

// A ResponseList is every automatic response of the organisation folder, in its order.
type ResponseList struct {
	Responses []ResponseRow `json:"responses"`
	Language  string        `json:"language"` // in which the organisation reads …
	Zone      string        `json:"zone"`     // … and its IANA zone
}

// A ResponseRow is one automatic response and how it stands.
type ResponseRow struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Enrich   string        `json:"enrich,omitempty"`  // the runbook by which it finds out
	Runbook  string        `json:"runbook,omitempty"` // the one by which it acts
	Asks     bool          `json:"asks,omitempty"`    // before it acts
	Approved string        `json:"approved,omitempty"`
	Until    time.Time     `json:"until,omitzero"` // just before which that ends
	PerHour  int           `json:"per_hour,omitempty"`
	Failures int           `json:"failures,omitempty"`
	Off      *response.Off `json:"off,omitempty"`
	Failed   int           `json:"failed,omitempty"`
	Running  []string      `json:"running,omitempty"` // incidents
	Last     *response.Run `json:"last,omitempty"`
	Gone     bool          `json:"gone,omitempty"`   // the organisation folder has it no more
	Detail   string        `json:"detail,omitempty"` // why it is not known how it stands
}

// A ResponseShown is one automatic response with its newest runs.
type ResponseShown struct {
	ResponseRow

	Runs     []response.Run `json:"runs,omitempty"` // the oldest first
	Timeline timeline.Log   `json:"timeline"`
	Language string         `json:"language"`
	Zone     string         `json:"zone"`
}

// A ResponseReceipt says how a response stands after it was asked something.
type ResponseReceipt struct {
	ID  string `json:"id"`
	Off bool   `json:"off"`
}

func (s *server) responseRoutes() []route {
	const all, one = "automatic-responses", "automatic-responses/{id}"
	return []route{
		{http.MethodGet, all, authority.Read, authority.Response, inTurn(2)(s.listResponses)}, // asks all of them
		{http.MethodGet, one, authority.Read, authority.Response, s.showResponse},
		{http.MethodPost, one + "/off", authority.Work, authority.Response, onResponse[response.SwitchOff](s)},
		{http.MethodPost, one + "/on", authority.Decide, authority.Response, onResponse[response.SwitchOn](s)},
	}
}

// listResponses asks every response of the folder how it stands.
func (s *server) listResponses(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	list := ResponseList{Responses: []ResponseRow{}, Language: s.Language, Zone: s.Zone}
	var ids []string
	for _, a := range s.Directory().AutomaticResponses() {
		ids = append(ids, a.ID)
		list.Responses = append(list.Responses, defined(&a))
	}
	for n, stands := range s.Backend.Responses(r.Context(), ids) {
		row := &list.Responses[n]
		_, never := errors.AsType[*starter.NotFoundError](stands.Err)
		switch {
		case never:
		case stands.Err != nil: // which hides no other
			row.Detail = stands.Err.Error()
		default:
			row.stands(s.readable(r.Context(), stands.State), s.Now())
		}
	}
	return answer(w, list)
}

// defined is what the folder says of a response.
func defined(a *incident.AutomaticResponse) ResponseRow {
	row := ResponseRow{ID: a.ID, Name: a.Name, PerHour: a.PerHour, Failures: a.Failures, Asks: a.Approval != nil}
	if a.Look != nil {
		row.Enrich = a.Look.Name()
	}
	if a.Act != nil {
		row.Runbook = a.Act.Name()
	}
	if p := a.PreApproved; p != nil {
		row.Approved, row.Until = p.Name, p.Until
	}
	return row
}

func (row *ResponseRow) stands(l *response.Ledger, now time.Time) {
	row.Off, row.Failed = l.Off, l.Failed
	row.Running = slices.DeleteFunc(l.Running(now), func(id string) bool { return id == "" }) // of what the visitor may not read
	if n := len(l.Runs); n > 0 {
		row.Last = &l.Runs[n-1]
	}
}

// readable is a ledger as the visitor may read it: without what it says of incidents that not everybody may read.
func (s *server) readable(ctx context.Context, l *response.Ledger) *response.Ledger {
	if authority.May(visiting(ctx).Subject, authority.Read, authority.Object{Kind: authority.Incident, Restricted: true}) == nil {
		return l
	}
	own, hidden := *l, []string{}
	own.Runs = slices.Clone(l.Runs)
	for n := range own.Runs {
		if r := &own.Runs[n]; r.Restricted {
			hidden = append(hidden, r.Incident)
			r.Incident, r.Service = "", ""
		}
	}
	own.Timeline.Entries = slices.DeleteFunc(slices.Clone(l.Timeline.Entries), func(e timeline.Entry) bool {
		return e.Kind == timeline.ResponseRan && slices.Contains(hidden, e.Fact("incident"))
	})
	return &own
}

func (s *server) showResponse(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	shown, err := s.response(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, shown)
}

// response is how one stands: one that has never run is as the folder says, and one that the folder has no more as it was.
func (s *server) response(ctx context.Context, id string) (ResponseShown, error) {
	shown := ResponseShown{ResponseRow: ResponseRow{ID: id, Name: id, Gone: true}, Language: s.Language, Zone: s.Zone}
	if a, ok := s.automatic(id); ok {
		shown.ResponseRow = defined(&a)
	}
	l, err := s.Backend.Response(ctx, id)
	if _, never := errors.AsType[*starter.NotFoundError](err); never && !shown.Gone {
		l, err = &response.Ledger{ID: id}, nil
	}
	if err != nil {
		return shown, err
	}
	l = s.readable(ctx, l)
	shown.stands(l, s.Now())
	shown.Runs, shown.Timeline = l.Runs, l.Timeline
	return shown, nil
}

func (s *server) automatic(id string) (incident.AutomaticResponse, bool) {
	all := s.Directory().AutomaticResponses()
	n := slices.IndexFunc(all, func(a incident.AutomaticResponse) bool { return a.ID == id })
	if n < 0 {
		return incident.AutomaticResponse{}, false
	}
	return all[n], true
}

// onResponse switches a response off or on. One that neither the folder nor anybody before knows is not found.
func onResponse[C response.Command](s *server) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var c C
		req, err := s.request(w, r, &c)
		if err != nil {
			return err
		}
		id := r.PathValue("id")
		if _, err := s.response(r.Context(), id); err != nil {
			return err
		}
		err = s.Backend.AskResponse(r.Context(), id, req, c)
		s.Log.Info("command", "automatic_response", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
		if _, still := errors.AsType[*starter.StillRunningError](err); still {
			return err
		}
		l, err := afterwards(err, func() (*response.Ledger, error) { return s.Backend.Response(r.Context(), id) },
			func(l *response.Ledger) error { return c.Check(l, req.By) })
		if err != nil {
			return err
		}
		return answer(w, ResponseReceipt{ID: id, Off: l.Off != nil})
	}
}

// approveResponse adds whether whoever approves was asked to.
func (s *server) approveResponse(r *http.Request, c incident.ApproveResponse) (incident.Command, error) {
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return nil, err
	}
	c.Approver = (search{server: s, by: visiting(r.Context())}).means(i.ResponseApprovers())
	return c, nil
}
