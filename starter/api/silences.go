package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/escalation"
	"muster/internal/refusal"
	"muster/internal/silence"
	"muster/starter"
)

// A SilenceSummary is one row of a list of silences; filters narrow the list.
type (
	SilenceSummary = starter.SilenceSummary
	SilenceFilter  = starter.SilenceFilter
)

// A SilencePage is a part of a list, the newest silence first.
type SilencePage struct {
	Silences []SilenceSummary `json:"silences"`
	Folder   []SilenceSummary `json:"folder"`         // those of the organisation folder that hold now, or next, and have held nothing back yet
	Next     string           `json:"next,omitempty"` // asks for what comes after, as after; empty at the end
	Language string           `json:"language"`       // in which the organisation reads …
	Zone     string           `json:"zone"`           // … and its IANA zone
}

// A NewSilence is what a silence is made of.
type NewSilence struct {
	Services []string  `json:"services,omitempty"` // IDs; any when empty
	Sources  []string  `json:"sources,omitempty"`  // IDs; any when empty
	Labels   []string  `json:"labels,omitempty"`   // such as env=prod; of a label that stands there twice, any of the values
	From     time.Time `json:"from,omitzero"`      // empty: now
	Until    time.Time `json:"until"`
	Reason   string    `json:"reason"`
}

// A SilenceReceipt says where a silence stands after it was asked something.
type SilenceReceipt struct {
	ID     silence.ID     `json:"id"`
	Status silence.Status `json:"status"`
}

// soon is how far ahead silences of the folder are listed.
const soon = 7 * 24 * time.Hour

func (s *server) silenceRoutes() []route {
	const all, one = "silences", "silences/{id}"
	return []route{
		{http.MethodGet, all, "", "", s.listSilences},
		{http.MethodPost, all, "", "", s.makeSilence}, // asks itself: what it will be about stands in the body
		{http.MethodGet, one, authority.Read, authority.Silence, s.showSilence},
		{http.MethodPost, one + "/end", authority.Close, authority.Silence, s.endSilence},
	}
}

// silenceOf is the silence that a request names: by its id, or one of the folder that holds now, or next, by its name.
func (s *server) silenceOf(r *http.Request) silence.ID {
	named := r.PathValue("id")
	if id := silence.ID(strings.ToUpper(named)); id.Valid() {
		return id
	}
	for _, x := range s.coming() {
		if x.Window == named {
			return x.ID
		}
	}
	return silence.ID(named)
}

// coming are the times of silences of the folder that are now, or soon.
func (s *server) coming() []silence.Window {
	now := s.Now()
	return s.Directory().SilencesBetween(now, now.Add(soon))
}

// untouched says of a silence of the folder that nobody knows because it has held nothing back yet that it is so, to whom may see it.
func (s *server) untouched(r *http.Request, id silence.ID, err error) error {
	if _, none := errors.AsType[*starter.NotFoundError](err); !none {
		return err
	}
	for _, w := range s.coming() {
		if w.ID == id && authority.May(visiting(r.Context()).Subject, authority.Read, s.aboutSilence(&w.Match)) == nil {
			return &starter.RefusedError{Reason: fmt.Sprintf("silence %s of the organisation folder has held nothing back yet; want it changed in silences.yaml", w.Window)}
		}
	}
	return err
}

// aboutSilence is what decides who may see a silence: a partner those of its own services alone.
func (s *server) aboutSilence(m *silence.Match) authority.Object {
	o := authority.Object{Kind: authority.Silence}
	for n, id := range m.Services {
		partners := s.Directory().Partners(id)
		if n == 0 {
			o.Partners = slices.Clone(partners)
		}
		o.Partners = slices.DeleteFunc(o.Partners, func(p string) bool { return !slices.Contains(partners, p) })
	}
	return o
}

func (s *server) listSilences(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := SilenceFilter{Open: q.truth("open"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = silence.Status(v); !slices.Contains(silence.Statuses(), f.Status) {
			q.fault("status", oneOf(words(silence.Statuses())))
		}
	}
	if err := queryFaults(q.Values, q.faults, "status", "open", "limit", "after"); err != nil {
		return err
	}
	by := visiting(r.Context()).Subject
	any := authority.Object{Kind: authority.Silence, Partners: []string{by.Party}}
	if err := authority.May(by, authority.Read, any); err != nil {
		return s.denied(r, authority.Read, err)
	}
	rows, after, err := s.Backend.Silences(r.Context(), f)
	if err != nil {
		return err
	}
	unseen := func(row SilenceSummary) bool {
		return authority.May(by, authority.Read, s.aboutSilence(&row.Match)) != nil
	}
	page := SilencePage{
		Silences: slices.DeleteFunc(append([]SilenceSummary{}, rows...), unseen), Folder: []SilenceSummary{}, Next: next(after),
		Language: s.Language, Zone: s.Zone,
	}
	if f.After == "" && f.Status != silence.Ended {
		of, err := s.ofFolder(r.Context(), f, page.Silences)
		if err != nil {
			return err
		}
		page.Folder = slices.DeleteFunc(of, unseen)
	}
	return answer(w, page)
}

// ofFolder are the silences of the folder that hold now, and the next of each other one, but for those that stand in a list, or that
// somebody has ended before their time.
func (s *server) ofFolder(ctx context.Context, f SilenceFilter, known []SilenceSummary) (all []SilenceSummary, err error) {
	all = []SilenceSummary{}
	for _, x := range s.coming() {
		status := silence.Waiting
		if x.In(s.Now()) {
			status = silence.Holding
		}
		same := func(row SilenceSummary) bool { return row.ID == x.ID }
		before := func(row SilenceSummary) bool { return row.Window == x.Window }
		if slices.ContainsFunc(known, same) || slices.ContainsFunc(all, before) || f.Status != "" && f.Status != status {
			continue
		}
		if status == silence.Holding {
			begun, err := s.Backend.Silence(ctx, x.ID)
			if _, none := errors.AsType[*starter.NotFoundError](err); err != nil && !none {
				return nil, err
			}
			if err == nil && begun.Over() {
				continue
			}
		}
		all = append(all, starter.SilenceRow(&x.Terms, status))
	}
	return all, nil
}

// makeSilence holds alerts back in the name of the visitor, who is told afterwards what they were.
func (s *server) makeSilence(w http.ResponseWriter, r *http.Request) error {
	var given NewSilence
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	a := silence.Asked{Match: silence.Match{Sources: given.Sources, Services: given.Services}, From: given.From, Until: given.Until, Reason: given.Reason}
	now := s.Now()
	if a.From.IsZero() {
		a.From = now
	}
	if a.Match.Labels, err = silence.ParseLabels(given.Labels); err != nil {
		return fault("labels", err.Error())
	}
	var faults []refusal.Fault
	for _, f := range a.Faults(now) {
		faults = append(faults, refusal.Fault{Field: f.Field, Detail: f.Detail})
	}
	if len(faults) > 0 {
		return refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	by := visiting(r.Context()).Subject
	if err := authority.May(by, authority.Open, s.aboutSilence(&a.Match)); err != nil {
		return s.denied(r, authority.Open, err)
	}
	pinned, err := s.Directory().Silence(a.Match)
	if bad, ok := errors.AsType[*silence.Fault](err); ok {
		return fault(bad.Field, bad.Detail)
	}
	if err != nil {
		return err
	}
	made, err := s.Backend.MakeSilence(r.Context(), req, silence.Terms{
		Asked: a, Pinned: pinned, Tell: []escalation.Target{{Kind: escalation.Person, ID: req.By.ID}},
	})
	s.Log.Info("command", "silence", a.Match.String(), "command", "make", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	return answer(w, made)
}

func (s *server) showSilence(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	id := s.silenceOf(r)
	x, err := s.Backend.Silence(r.Context(), id)
	if err != nil {
		return s.untouched(r, id, err)
	}
	return answer(w, x)
}

func (s *server) endSilence(w http.ResponseWriter, r *http.Request) error {
	var c silence.End
	req, err := s.request(w, r, &c)
	if err != nil {
		return err
	}
	id := s.silenceOf(r)
	err = s.untouched(r, id, s.Backend.EndSilence(r.Context(), id, req, c))
	s.Log.Info("command", "silence", id, "command", fmt.Sprintf("%T", c), "actor", req.By.ID, "request", req.ID, "error", err)
	x, err := afterwards(err, func() (*silence.Silence, error) { return s.Backend.Silence(r.Context(), id) },
		func(x *silence.Silence) error { return c.Check(x, req.By) })
	if err != nil {
		return err
	}
	return answer(w, SilenceReceipt{ID: cmp.Or(x.ID, id), Status: x.Status})
}
