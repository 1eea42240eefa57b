package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/handover"
	"muster/internal/incident"
	"muster/internal/refusal"
	"muster/starter"
)

// A NewHandover is what a hand-over is started with.
type NewHandover struct {
	To     string `json:"to,omitempty"`     // ID of a person; empty: whoever is on call now, if that is somebody else
	Within string `json:"within,omitempty"` // in Go's notation; empty: 15m
	Note   string `json:"note"`
}

// A HandoverReceipt says where a hand-over stands after it was asked something.
type HandoverReceipt struct {
	Schedule string             `json:"schedule"`
	Status   handover.Status    `json:"status"`
	Roles    int                `json:"roles"`              // that whoever has confirmed it has now
	Failures []handover.Failure `json:"failures,omitempty"` // roles that have not gone over
}

// Bounds of the incidents that are looked at for a hand-over.
const (
	mostListed = 2_000
	mostLooked = 200
	lookTime   = 8 * time.Second // for all of them
	atOnce     = 8
)

// handover answers with the newest hand-over of a schedule.
func (s *server) handover(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	h, err := s.Backend.Handover(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.hide(r.Context(), h)
	return answer(w, h)
}

// hide takes the incidents out of a hand-over that the visitor may not read. All others may whoever may read the hand-over.
func (s *server) hide(ctx context.Context, h *handover.Handover) {
	all := len(h.Items)
	h.Items = slices.DeleteFunc(h.Items, func(item handover.Item) bool {
		if item.Kind == "" {
			return false
		}
		i, err := s.Backend.State(ctx, item.Incident)
		hidden := err != nil || !s.reads(visiting(ctx).Subject, i)
		if hidden {
			h.Failures = slices.DeleteFunc(h.Failures, func(f handover.Failure) bool { return f.Incident == string(item.Incident) })
		}
		return hidden
	})
	h.Unseen += all - len(h.Items)
}

// startHandover hands the schedule over from the visitor to somebody else.
func (s *server) startHandover(w http.ResponseWriter, r *http.Request) error {
	var asked NewHandover
	req, err := s.request(w, r, &asked)
	if err != nil {
		return err
	}
	terms, err := s.terms(r.PathValue("id"), req, asked)
	if err != nil {
		return err
	}
	terms.Items, terms.Unseen = s.items(r.Context(), terms.Schedule, req.By.ID, terms.Incoming.ID)
	h, err := s.Backend.StartHandover(r.Context(), req, terms)
	s.Log.Info("command", "handover", terms.Schedule, "command", "start", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, h)
}

// request reads the body of a request into a struct, and says who asks.
func (s *server) request(w http.ResponseWriter, r *http.Request, into any) (starter.Request, error) {
	return s.requestIn(w, r, into, MaxBody)
}

// requestIn is request for a body of so many bytes at most.
func (s *server) requestIn(w http.ResponseWriter, r *http.Request, into any, most int64) (starter.Request, error) {
	key, err := keyOf(r)
	if err != nil {
		return starter.Request{}, err
	}
	w.Header().Set(keyHeader, key)
	body, err := s.bodyOf(w, r, most)
	if err != nil {
		return starter.Request{}, err
	}
	if err := readInto(reflect.ValueOf(into).Elem(), body); err != nil {
		return starter.Request{}, err
	}
	by := visiting(r.Context())
	return starter.Request{ID: requestID(key, by.Actor, r.URL.Path, into), By: by.Actor, Via: by.via}, nil
}

// terms are those of a hand-over, but for what goes over.
func (s *server) terms(schedule string, req starter.Request, asked NewHandover) (handover.Terms, error) {
	terms := handover.Terms{
		Schedule: schedule, Outgoing: req.By, Note: asked.Note, Within: handover.Usual, Zone: s.Zone,
		LastResort: append([]escalation.Target{}, s.Directory().LastResorts(schedule)...),
	}
	onCall, err := s.Directory().Recipients(escalation.Target{Kind: escalation.Schedule, ID: schedule}, s.Now())
	if err != nil {
		return terms, &starter.NotFoundError{What: "schedule " + clip(schedule)}
	}
	if _, known := s.Directory().Person(req.By.ID); !known {
		return terms, &starter.RefusedError{Reason: "hand over " + schedule + ": want a person in the organisation folder, whom messages reach"}
	}
	to, err := incoming(asked.To, req.By.ID, onCall)
	if err != nil {
		return terms, err
	}
	who, known := s.Directory().Subject(to)
	if !known || authority.May(who, authority.Confirm, authority.Object{Kind: authority.Handover}) != nil {
		return terms, fault("to", fmt.Sprintf("%q; want the id of a person in the organisation folder who may confirm it", clip(to)))
	}
	terms.Incoming = who.Actor
	if asked.Within != "" {
		terms.Within, err = time.ParseDuration(asked.Within)
		if err != nil || terms.Within < handover.Least || terms.Within > handover.Most {
			return terms, fault("within", fmt.Sprintf("%q; want a time such as 15m or 1h30m, from %s to %s", clip(asked.Within), handover.Least, handover.Most))
		}
	}
	return terms, nil
}

func fault(field, detail string) error {
	return refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: field, Detail: detail})
}

// incoming is who takes the schedule over: who was named, else the one person who is on call now.
func incoming(to, outgoing string, onCall []delivery.Recipient) (string, error) {
	switch {
	case to == outgoing:
		return "", fault("to", "you hand it over: want somebody else")
	case to != "":
		return to, nil
	case len(onCall) == 1 && onCall[0].ID != outgoing:
		return onCall[0].ID, nil
	}
	return "", fault("to", "missing; want the id of a person, for nobody but you, or not one person alone, is on call now")
}

// items gathers what goes over: the most pressing first, and how many open incidents were not looked at or had no place.
// Whoever hands over is not kept waiting by an incident that does not answer. One that only the outgoing person may read counts
// among those, and one that the outgoing person may not read is not there.
func (s *server) items(ctx context.Context, schedule, person, incoming string) (items []handover.Item, unseen int) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	successor, _ := s.Directory().Subject(incoming)
	rows, more := s.openIncidents(ctx)
	found := make([]*handover.Item, len(rows))
	unread := make([]bool, len(rows))
	each(len(rows), func(n int) {
		i, err := s.Backend.State(ctx, rows[n].ID)
		if err != nil {
			unread[n] = true
			return
		}
		item, ok := handover.ItemOf(i, schedule, person)
		switch {
		case !ok || !s.reads(visiting(ctx).Subject, i):
		case s.reads(successor, i):
			found[n] = &item
		default:
			unread[n] = true
		}
	})
	var own []handover.Item
	for n := range rows {
		if found[n] != nil {
			own = append(own, *found[n])
		} else if unread[n] {
			more++
		}
	}
	items, left := handover.Sorted(own)
	return append([]handover.Item{}, items...), more + left
}

// openIncidents are those that are looked at, the most pressing first, and how many more there are. Lists change while they are
// read: one that stands on two pages counts once.
func (s *server) openIncidents(ctx context.Context) (rows []Summary, more int) {
	f := Filter{Open: true, Limit: MaxRows}
	seen := map[incident.ID]bool{}
	for before := -1; before < len(rows) && len(rows) < mostListed; {
		page, after, err := s.Backend.List(ctx, f)
		if err != nil {
			s.Log.Error("open incidents not listed for a hand-over", "error", err)
			more++ // at least
			break
		}
		before = len(rows)
		for _, row := range page {
			if !seen[row.ID] {
				seen[row.ID] = true
				rows = append(rows, row)
			}
		}
		if f.After = after; after == "" {
			break
		}
	}
	slices.SortStableFunc(rows, func(a, b Summary) int { return cmp.Compare(a.Priority, b.Priority) })
	if len(rows) > mostLooked {
		more += len(rows) - mostLooked
		rows = rows[:mostLooked]
	}
	return rows, more
}

// confirmHandover takes a schedule over, with the roles that go with it. Repeated, it gives the roles again that are still
// missing.
func (s *server) confirmHandover(w http.ResponseWriter, r *http.Request) error {
	var c handover.Confirm
	req, err := s.request(w, r, &c)
	if err != nil {
		return err
	}
	schedule := r.PathValue("id")
	h, err := s.askHandover(r.Context(), schedule, req, c)
	if err != nil && (h == nil || h.Status != handover.Confirmed || h.Incoming.ID != req.By.ID) {
		return err
	}
	roles, failures := s.pass(r.Context(), req, h)
	if !h.Passed {
		s.tellPassed(r.Context(), schedule, req, handover.Pass{Roles: roles, Failures: failures})
	}
	return answer(w, HandoverReceipt{schedule, h.Status, roles, failures})
}

// onHandover asks something of the hand-over of a schedule in the name of the visitor.
func onHandover[C handover.Command](s *server) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var c C
		req, err := s.request(w, r, &c)
		if err != nil {
			return err
		}
		schedule := r.PathValue("id")
		h, err := s.askHandover(r.Context(), schedule, req, c)
		if err != nil {
			return err
		}
		return answer(w, HandoverReceipt{Schedule: schedule, Status: h.Status, Failures: h.Failures})
	}
}

// askHandover asks, and returns where the hand-over stands then.
func (s *server) askHandover(ctx context.Context, schedule string, req starter.Request, c handover.Command) (*handover.Handover, error) {
	err := s.Backend.AskHandover(ctx, schedule, req, c)
	s.Log.Info("command", "handover", schedule, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
	return afterwards(err, func() (*handover.Handover, error) { return s.Backend.Handover(ctx, schedule) },
		func(h *handover.Handover) error { return c.Check(h, req.By) })
}

// afterwards returns where something stands after it was asked, if that is known, also when it was refused. What has ended says
// why no more can be.
func afterwards[S any](err error, state func() (*S, error), check func(*S) error) (*S, error) {
	_, gone := errors.AsType[*starter.NotFoundError](err)
	_, refused := errors.AsType[*starter.RefusedError](err)
	if err != nil && !gone && !refused {
		return nil, err
	}
	is, unknown := state()
	switch {
	case unknown != nil:
		return nil, cmp.Or(err, unknown)
	case gone:
		if why := check(is); why != nil {
			err = &starter.RefusedError{Reason: why.Error()}
		}
	}
	return is, err
}

// pass gives whoever has confirmed it the roles that the outgoing person still has in the incidents. What somebody else has
// been given since stays.
func (s *server) pass(ctx context.Context, req starter.Request, h *handover.Handover) (roles int, failures []handover.Failure) {
	for _, item := range h.Items {
		if len(item.Roles) == 0 {
			continue
		}
		i, err := s.Backend.State(ctx, item.Incident)
		if err == nil && i.Status == incident.Closed {
			continue
		}
		for _, role := range item.Roles {
			why := err
			if why == nil {
				why = s.passRole(ctx, req, h, i, role)
			}
			if why != nil {
				failures = append(failures, handover.Failure{Incident: string(item.Incident), Role: string(role), Detail: why.Error()})
				continue
			}
			roles++
		}
	}
	return roles, failures
}

// passRole assigns one role, once for each hand-over.
func (s *server) passRole(ctx context.Context, req starter.Request, h *handover.Handover, i *incident.Incident, role incident.Role) error {
	n := slices.IndexFunc(i.Holders, func(holder incident.Holder) bool { return holder.Role == role })
	switch {
	case n < 0:
		return errors.New("nobody has it any more")
	case i.Holders[n].Person == h.Incoming.ID:
		return nil
	case i.Holders[n].Person != h.Outgoing.ID:
		return fmt.Errorf("%s has it now", i.Holders[n].Shown())
	}
	by := visiting(ctx)
	if err := authority.May(by.Subject, authority.Assign, s.about(authority.Incident, i)); err != nil {
		return err
	}
	c, err := s.name(incident.Assign{Role: role, Person: h.Incoming.ID, Note: h.Note})
	if err != nil {
		return err
	}
	_, err = s.Backend.Command(ctx, i.ID, starter.Request{
		ID: fmt.Sprintf("handover/%s/%s/%s", h.Schedule, h.Opened.UTC().Format(time.RFC3339Nano), role), By: req.By, Via: req.Via,
	}, c)
	return err
}

// tellPassed tells the hand-over what has become of the roles. It is told even when whoever has confirmed it has gone.
func (s *server) tellPassed(ctx context.Context, schedule string, req starter.Request, p handover.Pass) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	req.ID += "/pass"
	if err := s.Backend.AskHandover(ctx, schedule, req, p); err != nil {
		s.Log.Error("hand-over not told what has become of the roles", "handover", schedule, "failures", len(p.Failures), "error", err)
	}
}
