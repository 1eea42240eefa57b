package api

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"muster/internal/authority"
	"muster/internal/org"
	"muster/internal/plan"
	"muster/internal/planrun"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/starter"
)

// A PlanRunSummary is one row of a list of runs of plans; filters narrow the list.
type (
	PlanRunSummary = starter.PlanRunSummary
	PlanRunFilter  = starter.PlanRunFilter
)

// A PlanRunPage is a part of a list, the newest run first.
type PlanRunPage struct {
	PlanRuns []PlanRunSummary `json:"plan_runs"`
	Next     string           `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string           `json:"language"`       // in which the organisation reads …
	Zone     string           `json:"zone"`           // … and its IANA zone
}

// Bounds of a plan that comes along.
const (
	MaxPlan     = 1 << 20          // bytes of its YAML
	MaxPlanBody = 2*MaxPlan + 4096 // of the request that has it
)

// PlanText is the YAML of a plan.
type PlanText string

// A NewPlanRun is what a run is started with: the ID of a plan of the organisation folder or a shipped one, or a plan that comes along.
type NewPlanRun struct {
	Plan         string            `json:"plan,omitempty"`    // ID
	File         string            `json:"file,omitempty"`    // name of the content, for what is wrong with it
	Content      PlanText          `json:"content,omitempty"` // YAML
	Customer     string            `json:"customer"`          // ID
	Environments map[string]string `json:"environments"`      // of the plan, and the one of the customer that it stands for
	Parameters   map[string]string `json:"parameters,omitempty"`
}

// A PlanRunReceipt says where a run stands after it was asked something, and its task if that was about one.
type PlanRunReceipt struct {
	ID         planrun.ID         `json:"id"`
	Status     planrun.Status     `json:"status"`
	Task       string             `json:"task,omitempty"`
	TaskStatus planrun.TaskStatus `json:"task_status,omitempty"`
}

func planRunOf(r *http.Request) planrun.ID { return planrun.ID(r.PathValue("id")) }

func (s *server) aboutRun(r *planrun.Run) authority.Object { return starter.AboutRun(s.Directory(), r) }

// listPlanRuns answers with the runs that the visitor may read. Which ones concern a partner or vendor only they themselves know, so a
// page of theirs may be short.
func (s *server) listPlanRuns(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := PlanRunFilter{Open: q.truth("open"), Limit: q.limit(), After: q.after()}
	if v := q.Get("kind"); v != "" {
		if f.Kind = plan.Kind(v); !slices.Contains(plan.Kinds(), f.Kind) {
			q.fault("kind", oneOf(words(plan.Kinds())))
		}
	}
	if v := q.Get("status"); v != "" {
		if f.Status = planrun.Status(v); !slices.Contains(planrun.Statuses(), f.Status) {
			q.fault("status", oneOf(words(planrun.Statuses())))
		}
	}
	if v := q.Get("customer"); v != "" {
		f.Customers = []string{v}
	}
	if err := queryFaults(q.Values, q.faults, "kind", "status", "open", "customer", "limit", "after"); err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind == authority.Customer {
		f.Customers = []string{by.Party}
	}
	own := authority.Object{Kind: authority.PlanRun, Customers: []string{by.Party}, Partners: []string{by.Party}}
	if err := s.denied(r, authority.Read, authority.May(by.Subject, authority.Read, own)); err != nil {
		return err
	}
	rows, after, err := s.Backend.PlanRuns(r.Context(), f)
	if err != nil {
		return err
	}
	if by.Kind == authority.Partner || by.Kind == authority.Vendor {
		if rows, err = concerning(by.Subject, rows, func(row PlanRunSummary) (authority.Object, error) {
			run, err := s.Backend.PlanRun(r.Context(), row.ID)
			if err != nil {
				return authority.Object{}, err
			}
			return s.aboutRun(run), nil
		}); err != nil {
			return err
		}
	}
	return answer(w, PlanRunPage{PlanRuns: append([]PlanRunSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// concerning are the rows of which somebody may read what they are about.
func concerning[Row any](who authority.Subject, rows []Row, about func(Row) (authority.Object, error)) ([]Row, error) {
	hidden, faults := make([]bool, len(rows)), make([]error, len(rows))
	each(len(rows), func(n int) {
		o, err := about(rows[n])
		if _, gone := errors.AsType[*starter.NotFoundError](err); err != nil && !gone {
			faults[n] = err
		}
		hidden[n] = err != nil || authority.May(who, authority.Read, o) != nil
	})
	var seen []Row
	for n, row := range rows {
		if !hidden[n] {
			seen = append(seen, row)
		}
	}
	return seen, cmp.Or(faults...)
}

// each does something for the numbers below n, some at once.
func each(n int, do func(int)) {
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			do(i)
		})
	}
	all.Wait()
}

// startPlanRun starts a run. What it works on and who takes part comes from the organisation folder as it is now.
func (s *server) startPlanRun(w http.ResponseWriter, r *http.Request) error {
	var given NewPlanRun
	req, err := s.requestIn(w, r, &given, MaxPlanBody)
	if err != nil {
		return err
	}
	if (given.Plan == "") == (given.Content == "") {
		return fault("plan", "want the id of a plan, or content: one of them")
	}
	terms, err := s.Directory().StartPlan(org.PlanStart{
		Plan: given.Plan, File: cmp.Or(given.File, "content"), Content: []byte(given.Content), Customer: given.Customer,
		Environments: given.Environments, Parameters: given.Parameters,
	})
	if err != nil {
		return planFault(err)
	}
	run, err := s.Backend.StartPlanRun(r.Context(), req, terms)
	s.Log.Info("command", "plan", terms.Plan.ID, "customer", given.Customer, "command", "start", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, run)
}

// planFault says in a problem what is wrong with a plan: each fault with its place.
func planFault(err error) error {
	bad, ok := errors.AsType[*org.PlanRefusal](err)
	if !ok || len(bad.Faults) == 0 {
		return &starter.RefusedError{Reason: err.Error()}
	}
	const most = 50
	var faults []refusal.Fault
	for n, f := range bad.Faults {
		if n == most {
			faults = append(faults, refusal.Fault{Field: "plan", Detail: fmt.Sprintf("and %d more", len(bad.Faults)-most)})
			break
		}
		faults = append(faults, refusal.Fault{Field: "plan", Detail: f.String()})
	}
	return refusal.Of(http.StatusUnprocessableEntity, faults...)
}

func (s *server) showPlanRun(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	run, err := s.Backend.PlanRun(r.Context(), planRunOf(r))
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	return answer(w, starter.RunAsSeen(s.Directory(), s.itemsOf(r.Context(), by, run), by.Subject, s.Now()))
}

// planRunReport writes a report as of now, of what the visitor may see.
func (s *server) planRunReport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	kind := cmp.Or(q.Get("kind"), plan.CompletionReport)
	if !slices.Contains(report.PlanReports(), kind) {
		faults = append(faults, refusal.Fault{Field: "kind", Detail: fmt.Sprintf("%q; want %s", clip(kind), oneOf(report.PlanReports()))})
	}
	if err := queryFaults(q, append(s.langFault(q), faults...), "kind", "format", "lang"); err != nil {
		return err
	}
	run, err := s.Backend.PlanRun(r.Context(), planRunOf(r))
	if err != nil {
		return err
	}
	e := report.Edition{Language: s.language(q, nil), Format: format, At: s.Now()}
	by := visiting(r.Context())
	if by.Kind == authority.Provider { // others have the contacts in the work plan that was written for them
		e.Contacts = s.Directory().PlanContacts(run.Roles)
	}
	body, err := s.Texts.PlanReport(starter.RunAsSeen(s.Directory(), s.itemsOf(r.Context(), by, run), by.Subject, s.Now()), kind, e)
	if err != nil {
		return err
	}
	return sendReport(w, string(run.ID)+"-"+kind, format, body)
}

// capacity is in which roles a visitor acts.
func (s *server) capacity(by visitor, run *planrun.Run) planrun.Capacity {
	return starter.CapacityIn(s.Directory(), run, by.Actor, s.Now())
}

func (s *server) planRunHistory(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.Backend.PlanRunHistory(r.Context(), planRunOf(r), &b); err != nil {
		return err
	}
	return send(w, "application/json", b.Bytes())
}

// onPlanRun asks something of a run in the name of the visitor.
func onPlanRun[A PlanAsk](s *server, name string, most int64) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var a A
		req, err := s.requestIn(w, r, &a, most)
		if err != nil {
			return err
		}
		id, by := planRunOf(r), visiting(r.Context())
		run, err := s.Backend.PlanRun(r.Context(), id)
		if err != nil {
			return err
		}
		c, err := a.command(s, asking{run: run, in: s.capacity(by, run), request: req.ID})
		if err != nil {
			return err
		}
		if err = starter.Proven(r.Context(), run, c, s.Backend.PlanRun); err == nil {
			err = s.Backend.AskPlanRun(r.Context(), id, req, c)
		}
		s.Log.Info("command", "run", id, "command", name, "actor", req.By.ID, "request", req.ID, "error", err)
		run, err = afterwards(err, func() (*planrun.Run, error) { return s.Backend.PlanRun(r.Context(), id) },
			func(run *planrun.Run) error { return c.Check(run, req.By) })
		if refused, ok := errors.AsType[*starter.RefusedError](err); ok && run != nil && by.Kind != authority.Provider {
			err = &starter.RefusedError{Reason: run.Refusal(starter.PlanViewer(s.Directory(), run, by.Subject, s.Now()), c, req.By, refused.Reason)}
		}
		if err != nil {
			return err
		}
		receipt := PlanRunReceipt{ID: id, Status: run.Status}
		if about := reflect.ValueOf(a).FieldByName("Task"); about.IsValid() {
			receipt.Task = about.String()
		}
		if t, _, ok := run.Task(receipt.Task); ok {
			receipt.TaskStatus = t.Status
		}
		return answer(w, receipt)
	}
}
