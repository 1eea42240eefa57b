package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"muster/internal/authority"
	"muster/internal/routine"
	"muster/starter"
)

// A RoutineList is every routine of the organisation folder, in its order.
type RoutineList struct {
	Routines []RoutineRow `json:"routines"`
	Language string       `json:"language"` // in which the organisation reads …
	Zone     string       `json:"zone"`     // … and its IANA zone
}

// A RoutineRow is one routine and how it stands.
type RoutineRow struct {
	ID       string         `json:"id"`
	Name     string         `json:"name,omitempty"`
	Asset    string         `json:"asset,omitempty"`    // ID of the one of which it is a deadline
	Customer string         `json:"customer,omitempty"` // its name
	Plan     string         `json:"plan,omitempty"`     // ID
	Status   routine.Status `json:"status,omitempty"`   // empty: it is not known, or not kept yet
	Next     time.Time      `json:"next,omitzero"`      // when it begins again
	Runs     []string       `json:"runs,omitempty"`     // that go on
	Last     *RoutineLast   `json:"last,omitempty"`     // that is over
	Detail   string         `json:"detail,omitempty"`   // why it is not known how it stands
}

// A RoutineLast is the newest occurrence that is over.
type RoutineLast struct {
	Planned time.Time    `json:"planned"`
	Fate    routine.Fate `json:"fate"`
	Late    bool         `json:"late,omitempty"`
}

// A RoutineReceipt says where a routine stands after it was asked something.
type RoutineReceipt struct {
	ID     string         `json:"id"`
	Status routine.Status `json:"status"`
}

func (s *server) routineRoutes() []route {
	const all, one = "routines", "routines/{id}"
	return []route{
		{http.MethodGet, all, authority.Read, authority.Routine, inTurn(2)(s.listRoutines)}, // asks all of them
		{http.MethodGet, "visits", "", "", inTurn(2)(s.listVisits)},                         // asks them, and all ledgers
		{http.MethodGet, one, authority.Read, authority.Routine, s.showRoutine},
		{http.MethodPost, one + "/move", authority.Work, authority.Routine, onRoutine[routine.Move](s)},
		{http.MethodPost, one + "/skip", authority.Work, authority.Routine, onRoutine[routine.Skip](s)},
	}
}

// listRoutines asks every routine of the folder how it stands.
func (s *server) listRoutines(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	ids := s.Directory().Routines()
	list := RoutineList{Routines: []RoutineRow{}, Language: s.Language, Zone: s.Zone}
	for n, stands := range s.Backend.Routines(r.Context(), ids) {
		row := RoutineRow{ID: ids[n], Asset: s.Directory().AssetOf(ids[n])}
		_, unkept := errors.AsType[*starter.NotFoundError](stands.Err)
		switch {
		case unkept:
		case stands.Err != nil: // which hides no other
			row.Detail = stands.Err.Error()
		default:
			row.is(stands.State)
		}
		list.Routines = append(list.Routines, row)
	}
	return answer(w, list)
}

func (row *RoutineRow) is(r *routine.Routine) {
	row.Name, row.Customer, row.Plan, row.Status = r.Name, cmp.Or(r.CustomerName, r.Customer), r.Plan, r.Status
	for _, o := range r.Running {
		if o.Run != "" {
			row.Runs = append(row.Runs, o.Run)
		}
	}
	for _, o := range r.Ahead {
		if o.Fate == routine.Planned {
			row.Next = o.Begins
			break
		}
	}
	if n := len(r.Past); n > 0 {
		row.Last = &RoutineLast{Planned: r.Past[n-1].Planned, Fate: r.Past[n-1].Fate, Late: r.Past[n-1].Late}
	}
}

func (s *server) showRoutine(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	x, err := s.Backend.Routine(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, x)
}

// onRoutine asks one thing of a routine.
func onRoutine[C routine.Command](s *server) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		var c C
		req, err := s.request(w, r, &c)
		if err != nil {
			return err
		}
		id := r.PathValue("id")
		err = s.Backend.AskRoutine(r.Context(), id, req, c)
		s.Log.Info("command", "routine", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
		x, err := afterwards(err, func() (*routine.Routine, error) { return s.Backend.Routine(r.Context(), id) },
			func(x *routine.Routine) error { return c.Check(x, req.By) })
		if err != nil {
			return err
		}
		return answer(w, RoutineReceipt{ID: x.ID, Status: x.Status})
	}
}
