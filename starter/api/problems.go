package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/problem"

	"muster/internal/report"
	"muster/starter"
)

// A ProblemSummary is one row of a list of problems; filters narrow the list.
type (
	ProblemSummary = starter.ProblemSummary
	ProblemFilter  = starter.ProblemFilter
)

// A ProblemPage is a part of a list, the newest problem first.
type ProblemPage struct {
	Problems []ProblemSummary `json:"problems"`
	Next     string           `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string           `json:"language"`       // in which the organisation reads …
	Zone     string           `json:"zone"`           // … and its IANA zone
}

// A NewProblem is what a person opens a problem with. What its incidents have in common brings the next ones to it: one of alert,
// runbook and cause, or nothing.
type NewProblem struct {
	Service   string               `json:"service"` // ID
	Title     string               `json:"title"`
	Alert     string               `json:"alert,omitempty"`     // its name
	Runbook   string               `json:"runbook,omitempty"`   // as incidents name it
	Cause     incident.CauseDomain `json:"cause,omitempty"`     // where it lies …
	Vendor    string               `json:"vendor,omitempty"`    // … and with which vendor, by name
	Incidents []string             `json:"incidents,omitempty"` // IDs of those that are known
}

// A ProblemLink names an incident.
type ProblemLink struct {
	Incident incident.ID `json:"incident"`
}

// A ProblemAssignment names an owner, such as person:kim or group:noc.
type ProblemAssignment struct {
	Owner string `json:"owner"`
}

// A ProblemReceipt says where a problem stands after it was asked something.
type ProblemReceipt struct {
	ID     problem.ID     `json:"id"`
	Status problem.Status `json:"status"`
}

// problemRoutes are those of problems.
func (s *server) problemRoutes() []route {
	const one = "problems/{id}"
	post := func(name string, v authority.Verb, h handler) route {
		return route{http.MethodPost, one + "/" + name, v, authority.Problem, h}
	}
	return []route{
		{http.MethodGet, "problems", authority.Read, authority.Problem, s.listProblems},
		{http.MethodPost, "problems", authority.Open, authority.Problem, s.openProblem},
		{http.MethodGet, one, authority.Read, authority.Problem, s.showProblem},
		{http.MethodGet, one + "/report", authority.Read, authority.Problem, s.problemReport},
		post("link", authority.Link, onProblem(s, s.linkProblem)),
		post("unlink", authority.Link, onProblem(s, asIs[problem.UnlinkIncident])),
		post("known-error", authority.SetKnownError, onProblem(s, asIs[problem.SetKnownError])),
		post("cause", authority.SetCause, onProblem(s, asIs[problem.SetCause])),
		post("fix", authority.Fix, s.fixProblem),
		post("assign", authority.Assign, onProblem(s, s.assignProblem)),
		post("close", authority.Close, onProblem(s, asIs[problem.Close])),
		post("note", authority.Note, onProblem(s, asIs[problem.Note])),
	}
}

func problemOf(r *http.Request) problem.ID { return problem.ID(r.PathValue("id")) }

func (s *server) listProblems(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := ProblemFilter{Open: q.truth("open"), Service: q.Get("service"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = problem.Status(v); !slices.Contains(problem.Statuses(), f.Status) {
			q.fault("status", oneOf(words(problem.Statuses())))
		}
	}
	if err := queryFaults(q.Values, q.faults, "status", "open", "service", "limit", "after"); err != nil {
		return err
	}
	rows, after, err := s.Backend.Problems(r.Context(), f)
	if err != nil {
		return err
	}
	return answer(w, ProblemPage{Problems: append([]ProblemSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// openProblem opens one. Who owns it and how long its fix is watched comes from the organisation folder as it is now.
func (s *server) openProblem(w http.ResponseWriter, r *http.Request) error {
	var given NewProblem
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	terms := problem.Terms{Title: given.Title}
	if len(given.Title) > problem.MaxTitle {
		return fault("title", fmt.Sprintf("%d bytes; want %d at most", len(given.Title), problem.MaxTitle))
	}
	if terms.Key, err = keyOfProblem(given, req.ID); err != nil {
		return err
	}
	if terms.Pinned, err = s.Directory().Problem(given.Service); err != nil {
		return fault("service", fmt.Sprintf("%q; want the ID of a service in the organisation folder", clip(given.Service)))
	}
	for _, id := range given.Incidents {
		o, err := s.occurrence(r.Context(), incident.ID(id))
		if _, none := errors.AsType[*starter.NotFoundError](err); none {
			return fault("incidents", fmt.Sprintf("%q; want IDs of incidents", clip(id)))
		}
		if err != nil {
			return err
		}
		terms.Incidents = append(terms.Incidents, o)
	}
	if err := s.alone(r.Context(), req, terms); err != nil {
		return err
	}
	p, err := s.Backend.OpenProblem(r.Context(), req, terms)
	s.Log.Info("command", "service", given.Service, "command", "open problem", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, p)
}

// alone refuses a problem of incidents behind which another open one is, but the one that the same request has opened.
func (s *server) alone(ctx context.Context, req starter.Request, terms problem.Terms) error {
	if len(terms.Incidents) == 0 {
		return nil
	}
	rows, _, err := s.Backend.Problems(ctx, ProblemFilter{Open: true, Service: terms.Service.ID, Limit: mostOpen})
	if err != nil {
		return err
	}
	for _, row := range rows {
		p, err := s.Backend.Problem(ctx, row.ID)
		if err != nil || p.Over() || p.Request == req.ID {
			continue
		}
		for _, o := range terms.Incidents {
			if slices.ContainsFunc(p.Links, func(l problem.Link) bool { return l.Incident == o.Incident }) {
				return &starter.RefusedError{Reason: fmt.Sprintf("open problem of %s: %s is linked to %s, which is %s: want that one", terms.Service.Name, o.Incident, p.ID, p.Status)}
			}
		}
	}
	return nil
}

// fixProblem says what ends a problem for good. What is in place is done: an action item that is still open is none.
func (s *server) fixProblem(w http.ResponseWriter, r *http.Request) error {
	return onProblem(s, func(ctx context.Context, x problem.SetFix) (problem.Command, error) {
		if x.Planned {
			return x, nil
		}
		by := x.Actions
		if p, err := s.Backend.Problem(ctx, problemOf(r)); err == nil && len(by) == 0 {
			by = p.Actions
		}
		for _, id := range by {
			if !action.ID(id).Valid() {
				continue // the problem says what is wrong with it
			}
			a, err := s.Backend.Action(ctx, action.ID(id))
			if _, none := errors.AsType[*starter.NotFoundError](err); none {
				continue // it is over for so long that nobody knows it any more
			}
			if err != nil {
				return nil, err
			}
			if a.Status == action.Open {
				return nil, &starter.RefusedError{Reason: fmt.Sprintf("fix: action item %s is open: want it done, or say that the fix is planned", a.ID)}
			}
		}
		return x, nil
	})(w, r)
}

// keyOfProblem is what the incidents of a new problem have in common.
func keyOfProblem(given NewProblem, request string) (k problem.Key, err error) {
	k = problem.Key{By: incident.SameHand, Value: request}
	for _, x := range []problem.Key{
		{By: incident.SameAlert, Value: given.Alert},
		{By: incident.SameRunbook, Value: given.Runbook},
		{By: incident.SameCause, Value: string(given.Cause)},
	} {
		switch {
		case x.Value == "":
		case k.By != incident.SameHand:
			return k, fault(string(x.By), "want one of alert, runbook and cause")
		default:
			k = x
		}
	}
	switch {
	case given.Vendor != "" && given.Cause != incident.CauseVendor:
		return k, fault("vendor", "want it with the cause vendor alone")
	case given.Cause == incident.CauseVendor:
		k.Value = problem.CauseValue(given.Cause, given.Vendor)
	}
	return k, nil
}

// occurrence is what problems may know of an incident.
func (s *server) occurrence(ctx context.Context, id incident.ID) (problem.Occurrence, error) {
	i, err := s.Backend.State(ctx, id)
	if err != nil {
		return problem.Occurrence{}, err
	}
	o, ok := problem.OccurrenceOf(i)
	switch {
	case i.Definition.Restricted(): // nobody learns that it is there
		return o, &starter.NotFoundError{What: "incident " + string(id)}
	case !ok:
		return o, &starter.RefusedError{Reason: fmt.Sprintf("link %s: it is merged into %s: want that one", id, i.MergedInto.ID)}
	}
	return o, nil
}

func (s *server) showProblem(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	p, err := s.Backend.Problem(r.Context(), problemOf(r))
	if err != nil {
		return err
	}
	return answer(w, p)
}

func (s *server) problemReport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	if err := queryFaults(q, append(s.langFault(q), faults...), "format", "lang"); err != nil {
		return err
	}
	p, err := s.Backend.Problem(r.Context(), problemOf(r))
	if err != nil {
		return err
	}
	body, err := s.Texts.ProblemReport(p, report.Edition{Language: cmp.Or(q.Get("lang"), s.Language), Format: format, At: s.Now()})
	if err != nil {
		return err
	}
	return sendReport(w, string(p.ID), format, body)
}

// asIs takes a command as it stands in the body.
func asIs[C problem.Command](_ context.Context, c C) (problem.Command, error) { return c, nil }

func (s *server) linkProblem(ctx context.Context, x ProblemLink) (problem.Command, error) {
	o, err := s.occurrence(ctx, incident.ID(strings.TrimSpace(string(x.Incident))))
	return problem.LinkIncident{Occurrence: o}, err
}

func (s *server) assignProblem(_ context.Context, x ProblemAssignment) (problem.Command, error) {
	owner, err := s.Directory().ProblemOwner(x.Owner)
	if err != nil {
		return nil, fault("owner", err.Error())
	}
	return problem.Assign{Owner: owner}, nil
}

// onProblem asks something of a problem in the name of the visitor.
func onProblem[B any](s *server, command func(context.Context, B) (problem.Command, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var given B
		req, err := s.request(w, r, &given)
		if err != nil {
			return err
		}
		c, err := command(r.Context(), given)
		if err != nil {
			return err
		}
		id := problemOf(r)
		err = s.Backend.AskProblem(r.Context(), id, req, c)
		s.Log.Info("command", "problem", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
		p, err := afterwards(err, func() (*problem.Problem, error) { return s.Backend.Problem(r.Context(), id) },
			func(p *problem.Problem) error { return c.Check(p, req.By) })
		if err != nil {
			return err
		}
		return answer(w, ProblemReceipt{ID: id, Status: p.Status})
	}
}

// problems are those that the visitor has to move.
func (l search) problems(ctx context.Context) finding {
	if authority.May(l.by.Subject, authority.Fix, authority.Object{Kind: authority.Problem}) != nil {
		return finding{}
	}
	rows, after, err := l.Backend.Problems(ctx, ProblemFilter{Open: true, Limit: mostOpen})
	return among(rows, after != "", err, func(row ProblemSummary) ([]InboxItem, error) {
		p, err := l.Backend.Problem(ctx, row.ID)
		if err != nil || p.Over() || p.Status == problem.Fixed || !l.means(p.Owner.Targets) {
			return nil, err
		}
		return []InboxItem{{
			Kind: InboxProblem, ID: string(p.ID), Want: WantSolve, Title: p.Service.Name + ": " + p.Title, Since: p.Moved, Due: p.RemindAt,
			Command: l.solving(p),
		}}, nil
	})
}

// solving is the command that brings a problem on: what goes wrong is said first, then why, and then what ends it.
func (l search) solving(p *problem.Problem) string {
	next := "fix"
	switch {
	case p.KnownError == "":
		next = "known-error"
	case p.Cause == "":
		next = "cause"
	}
	return fmt.Sprintf("muster problem %s %s %s", next, p.ID, l.blank("TEXT", "내용"))
}

// Problems returns a page of problems. The filter's After is what the page before said is next.
func (c *Client) Problems(ctx context.Context, f ProblemFilter) (ProblemPage, error) {
	q := queryOf("status", string(f.Status), "service", f.Service, "open", yes(f.Open))
	setPage(q, f.Limit, f.After)
	var p ProblemPage
	err := c.read(ctx, Path+"problems", q, &p)
	return p, err
}

// Problem returns a problem.
func (c *Client) Problem(ctx context.Context, id problem.ID) (problem.Problem, error) {
	var p problem.Problem
	err := c.read(ctx, ofProblem(id), nil, &p)
	return p, err
}

// ProblemReport returns the report on a problem.
func (c *Client) ProblemReport(ctx context.Context, id problem.ID, f report.Format, language string) ([]byte, error) {
	q := url.Values{"format": {string(f)}}
	if language != "" {
		q.Set("lang", language)
	}
	return c.get(ctx, ofProblem(id)+"/report", q)
}

// OpenProblem opens a problem, under a key; an empty key means a new one.
func (c *Client) OpenProblem(ctx context.Context, given NewProblem, key string) (problem.Problem, error) {
	var p problem.Problem
	err := c.post(ctx, Path+"problems", given, key, &p)
	return p, err
}

// AskProblem asks something of a problem, by the name and the body of the route, under a key; an empty key means a new one.
func (c *Client) AskProblem(ctx context.Context, id problem.ID, name string, body any, key string) (ProblemReceipt, error) {
	var r ProblemReceipt
	err := c.post(ctx, ofProblem(id)+"/"+name, body, key, &r)
	return r, err
}

func ofProblem(id problem.ID) string { return Path + "problems/" + url.PathEscape(string(id)) }
