package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"muster/internal/authority"
	"muster/internal/priority"
	"muster/internal/refusal"
	"muster/internal/risk"
	"muster/starter"
)

// An EscalationSummary is one row of a list of escalations; filters narrow the list.
type (
	EscalationSummary = starter.EscalationSummary
	EscalationFilter  = starter.EscalationFilter
)

// An EscalationPage is a part of a list, the newest escalation first.
type EscalationPage struct {
	Escalations []EscalationSummary `json:"escalations"`
	Next        string              `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language    string              `json:"language"`       // in which the organisation reads …
	Zone        string              `json:"zone"`           // … and its IANA zone
}

// A NewEscalation is what a risk is escalated with: six parts, each of which those need who decide.
type NewEscalation struct {
	Situation  string `json:"situation"`          // and what the risk is
	Importance string `json:"importance"`         // of the situation
	Affected   string `json:"affected"`           // who or what
	Scale      string `json:"scale"`              // of the impact
	Urgency    string `json:"urgency"`            // should the impact occur
	Remedy     string `json:"remedy"`             // proposed, and what would lessen it
	Priority   int    `json:"priority,omitempty"` // of the messages, 1 to 5; empty: 3
	Service    string `json:"service,omitempty"`  // ID
}

// A NewOriginator is who says from now on that a risk is in hand.
type NewOriginator struct {
	Person string `json:"person"` // ID
	Reason string `json:"reason"`
}

// An EscalationReceipt says where an escalation stands after it was asked something.
type EscalationReceipt struct {
	ID     risk.ID     `json:"id"`
	Status risk.Status `json:"status"`
	Level  int         `json:"level"` // 1 is the first …
	Levels int         `json:"levels"`
}

func (s *server) escalationRoutes() []route {
	const all, one = "escalations", "escalations/{id}"
	return []route{
		{http.MethodGet, all, authority.Read, authority.Risk, s.listEscalations},
		{http.MethodPost, all, authority.Open, authority.Risk, s.openEscalation},
		{http.MethodGet, one, authority.Read, authority.Risk, s.showEscalation},
		{http.MethodPost, one + "/take", authority.Acknowledge, authority.Risk, onEscalation[risk.Take](s)},
		{http.MethodPost, one + "/answer", authority.Answer, authority.Risk, onEscalation[risk.Answer](s)},
		{http.MethodPost, one + "/in-hand", authority.Confirm, authority.Risk, onEscalation[risk.Confirm](s)},
		{http.MethodPost, one + "/raise", authority.Escalate, authority.Risk, onEscalation[risk.Raise](s)},
		{http.MethodPost, one + "/originator", authority.Assign, authority.Risk, s.succeedOriginator},
		{http.MethodPost, one + "/note", authority.Note, authority.Risk, onEscalation[risk.Note](s)},
	}
}

func escalationOf(r *http.Request) risk.ID { return risk.ID(r.PathValue("id")) }

func (s *server) listEscalations(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := EscalationFilter{Open: q.truth("open"), Service: q.Get("service"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = risk.Status(v); !slices.Contains(risk.Statuses(), f.Status) {
			q.fault("status", oneOf(words(risk.Statuses())))
		}
	}
	if err := queryFaults(q.Values, q.faults, "status", "open", "service", "limit", "after"); err != nil {
		return err
	}
	rows, after, err := s.Backend.Escalations(r.Context(), f)
	if err != nil {
		return err
	}
	return answer(w, EscalationPage{Escalations: append([]EscalationSummary{}, rows...), Next: next(after), Language: s.Language, Zone: s.Zone})
}

// openEscalation escalates a risk in the name of the visitor. Whom it climbs to comes from the organisation folder as it is now.
func (s *server) openEscalation(w http.ResponseWriter, r *http.Request) error {
	var given NewEscalation
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	a := risk.Asked{
		Situation: given.Situation, Importance: given.Importance, Affected: given.Affected, Scale: given.Scale, Urgency: given.Urgency,
		Remedy: given.Remedy, Priority: priority.Priority(cmp.Or(given.Priority, int(priority.P3))), Service: given.Service,
	}
	var faults []refusal.Fault
	for _, f := range a.Faults() {
		faults = append(faults, refusal.Fault{Field: f.Field, Detail: f.Detail})
	}
	if len(faults) > 0 {
		return refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	pinned, err := s.Directory().Risk(a)
	if bad, ok := errors.AsType[*risk.Fault](err); ok {
		return fault(bad.Field, bad.Detail)
	}
	if err != nil {
		return err
	}
	e, err := s.Backend.StartEscalation(r.Context(), req, risk.Terms{Asked: a, Pinned: pinned})
	s.Log.Info("command", "escalation", a.Service, "command", "open", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, e)
}

func (s *server) showEscalation(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	e, err := s.Backend.Escalation(r.Context(), escalationOf(r))
	if err != nil {
		return err
	}
	return answer(w, e)
}

// onEscalation asks something of an escalation in the name of the visitor.
func onEscalation[C risk.Command](s *server) handler { return onCommand[C](s, s.askEscalation) }

func (s *server) askEscalation(w http.ResponseWriter, r *http.Request, req starter.Request, c risk.Command) error {
	id := escalationOf(r)
	err := s.Backend.AskEscalation(r.Context(), id, req, c)
	s.Log.Info("command", "escalation", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
	e, err := afterwards(err, func() (*risk.Escalation, error) { return s.Backend.Escalation(r.Context(), id) },
		func(e *risk.Escalation) error { return c.Check(e, req.By) })
	if err != nil {
		return err
	}
	return answer(w, EscalationReceipt{ID: id, Status: e.Status, Level: e.Level + 1, Levels: len(e.Levels)})
}

// succeedOriginator names another originator, where the one that there is has left.
func (s *server) succeedOriginator(w http.ResponseWriter, r *http.Request) error {
	var given NewOriginator
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	e, err := s.Backend.Escalation(r.Context(), escalationOf(r))
	if err != nil {
		return err
	}
	if _, there := s.Directory().Subject(e.Originator.ID); there {
		return &starter.RefusedError{Reason: fmt.Sprintf("assign escalation %s: %s has escalated it and is still there", e.ID, e.Originator.Shown())}
	}
	who, known := s.Directory().Subject(given.Person)
	if !known || authority.May(who, authority.Confirm, authority.Object{Kind: authority.Risk}) != nil {
		return fault("person", fmt.Sprintf("%q; want the id of one of the provider's people in the organisation folder", clip(given.Person)))
	}
	return s.askEscalation(w, r, req, risk.Succeed{Person: given.Person, Name: who.Actor.Name, Reason: given.Reason})
}

// escalations are those that wait for the visitor: to take one, to answer one that they have taken, or to say whether an answer is
// enough.
func (l search) escalations(ctx context.Context) finding {
	if authority.May(l.by.Subject, authority.Acknowledge, authority.Object{Kind: authority.Risk}) != nil {
		return finding{}
	}
	rows, after, err := l.Backend.Escalations(ctx, starter.EscalationFilter{Open: true, Limit: mostOpen})
	return among(rows, after != "", err, func(row EscalationSummary) ([]InboxItem, error) {
		e, err := l.Backend.Escalation(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		return l.escalation(e), nil
	})
}

func (l search) escalation(e *risk.Escalation) []InboxItem {
	item := InboxItem{Kind: InboxRisk, ID: string(e.ID), Title: e.Title(), Since: e.Since, Due: e.Deadline}
	mine := e.Originator.ID == l.by.Actor.ID
	switch {
	case e.Status == risk.Answered && mine:
		item.Want, item.Command = WantJudge, "muster escalation show "+item.ID
	case e.Status == risk.Taken && e.Taker.ID == l.by.Actor.ID:
		item.Want, item.Command = WantAnswer, "muster escalation answer "+item.ID
	case !mine && l.means(e.Waits()):
		item.Want, item.Command = WantTake, "muster escalation take "+item.ID
	default:
		return nil
	}
	return []InboxItem{item}
}
