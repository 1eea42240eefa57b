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

	"muster/internal/action"
	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/report"
	"muster/internal/review"
	"muster/starter"
)

// A ReviewSummary is one row of the list of reviews.
type ReviewSummary struct {
	ID       incident.ID       `json:"id"` // of the incident
	Title    string            `json:"title"`
	Service  string            `json:"service"` // name
	Priority priority.Priority `json:"priority"`
	Opened   time.Time         `json:"opened"`
	NextDue  time.Time         `json:"next_due,omitzero"`
	Stage    review.Stage      `json:"stage,omitempty"` // that is due next
	Overdue  bool              `json:"overdue,omitempty"`
	ClosedAt time.Time         `json:"closed_at,omitzero"`
}

// A ReviewPage lists the reviews that are open, the newest first, or all of them.
type ReviewPage struct {
	Reviews  []ReviewSummary `json:"reviews"`
	Cut      bool            `json:"cut,omitempty"` // there are more, or some did not answer
	Language string          `json:"language"`      // in which the organisation reads …
	Zone     string          `json:"zone"`          // … and its IANA zone
}

// A ReviewReceipt says where a review stands after it was asked something.
type ReviewReceipt struct {
	ID     incident.ID   `json:"id"`
	Status review.Status `json:"status"`
	Next   []review.Next `json:"next,omitempty"` // what is still to be done
	Void   []string      `json:"void,omitempty"` // audiences of which what was approved or published is void now
}

// listReviews answers with the open reviews that the visitor may read, or with all of them.
func (s *server) listReviews(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	all := q.truth("all")
	if err := queryFaults(q.Values, q.faults, "all"); err != nil {
		return err
	}
	by := visiting(r.Context())
	ids, more, err := s.Backend.Reviews(r.Context(), !all, mostOpen)
	if err != nil {
		return err
	}
	rows, unseen := make([]*ReviewSummary, len(ids)), make([]bool, len(ids))
	each(len(ids), func(n int) {
		i, err := s.Backend.State(r.Context(), ids[n])
		if err != nil || authority.May(by.Subject, authority.Read, s.about(authority.Review, i)) != nil {
			unseen[n] = err != nil
			return
		}
		x, err := s.Backend.Review(r.Context(), ids[n])
		if unseen[n] = err != nil; err != nil || x.Status != review.Open && !all {
			return
		}
		rows[n] = summaryOf(&x)
	})
	page := ReviewPage{Reviews: []ReviewSummary{}, Cut: more || slices.Contains(unseen, true), Language: s.Language, Zone: s.Zone}
	for _, row := range rows {
		if row != nil {
			page.Reviews = append(page.Reviews, *row)
		}
	}
	return answer(w, page)
}

func summaryOf(x *review.Review) *ReviewSummary {
	row := &ReviewSummary{
		ID: x.Facts.Incident, Title: x.Facts.Title, Service: x.Facts.Service, Priority: x.Facts.Priority, Opened: x.Opened, Overdue: x.Overdue, ClosedAt: x.Ended,
	}
	if x.Status != review.Open {
		return row
	}
	if x.Rules == nil && !x.Overdue {
		row.NextDue = x.Due
	}
	for _, d := range x.Deadlines {
		if d.Done.IsZero() && !d.Due.IsZero() {
			row.Stage, row.NextDue = d.Stage, d.Due
			break
		}
	}
	return row
}

// insideReview tells whether the visitor may read what was written in a review.
func insideReview(r *http.Request) bool {
	return authority.May(visiting(r.Context()).Subject, authority.ReadInternal, authority.Object{Kind: authority.Review}) == nil
}

// review answers with the state of the review of an incident, as the visitor may see it: what was written in it is for the
// inside.
func (s *server) review(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	x, err := s.Backend.Review(r.Context(), id(r))
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind != authority.Provider {
		return answer(w, x.Shown(by.Party))
	}
	s.addLate(r.Context(), by, &x)
	return answer(w, x)
}

// addLate adds the action items that were opened for a review after its end, which takes nothing any more.
func (s *server) addLate(ctx context.Context, by visitor, x *review.Review) {
	if x.Status == review.Open {
		return
	}
	f := ActionFilter{Origin: string(x.Facts.Incident)}
	f.Limit = MaxRows
	rows, _, err := s.actions(ctx, by, f)
	if err != nil {
		s.Log.Warn("action items of a closed review not found", "review", x.Facts.Incident, "error", err)
	}
	for _, row := range slices.Backward(rows) {
		if slices.ContainsFunc(x.Actions, func(a review.Action) bool { return a.ID == string(row.ID) }) {
			continue
		}
		if a, err := s.Backend.Action(ctx, row.ID); err == nil && a.Origin.Kind == action.OfReview {
			x.Actions = append(x.Actions, review.Action{ID: string(a.ID), Title: a.Title, By: a.Opener, At: a.Opened})
		}
	}
}

// reviewReport answers with the report of a review, or with its text for a customer.
func (s *server) reviewReport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	customer := q.Get("customer")
	if err := queryFaults(q, append(s.langFault(q), faults...), "format", "lang", "customer"); err != nil {
		return err
	}
	x, err := s.Backend.Review(r.Context(), id(r))
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	if by.Kind != authority.Provider { // what was published for it, and nothing else
		x, customer = *x.Shown(by.Party), by.Party
	} else if !insideReview(r) {
		return s.may(r, authority.ReadInternal, authority.Review)
	} else if customer == "" {
		s.addLate(r.Context(), by, &x)
	}
	e := report.Edition{Language: cmp.Or(q.Get("lang"), s.Language), Format: format, At: s.Now()}
	name := string(x.Facts.Incident) + ".review"
	var body []byte
	if customer == "" {
		body, err = s.Texts.ReviewReport(&x, e)
	} else {
		if t := x.Text(customer); t == nil || customer == review.Internal {
			return &starter.NotFoundError{What: fmt.Sprintf("text of the review of %s for customer %s", id(r), clip(customer))}
		}
		name += "." + customer
		body, err = s.Texts.ReviewText(&x, customer, e)
	}
	if err != nil {
		return err
	}
	if format == report.HTML { // the page has its style in itself, and needs nothing else
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", name+"."+string(format)))
	return send(w, format.Type(), body)
}

// openReview opens the review of an incident that did not open one, from what the incident knows.
func (s *server) openReview(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	req, err := s.request(w, r, &none)
	if err != nil {
		return err
	}
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return err
	}
	if i.Status != incident.Resolved && i.Status != incident.Closed {
		return &starter.RefusedError{Reason: fmt.Sprintf("open review of %s: the incident is %s; want it resolved", i.ID, i.Status)}
	}
	err = s.Backend.StartReview(r.Context(), req, i, s.Now())
	s.Log.Info("command", "review", i.ID, "command", "open", "actor", req.By.ID, "request", req.ID, "error", err)
	if err != nil {
		return err
	}
	receipt := ReviewReceipt{ID: i.ID, Status: review.Open}
	if x, err := s.Backend.Review(r.Context(), i.ID); err == nil {
		receipt.Next = x.Next()
	}
	return answer(w, receipt)
}

// sides are for whom somebody speaks who approves a text: those who operate services are technical people, members are not.
func sides(by authority.Subject) (all []review.Side) {
	if slices.Contains(by.Roles, authority.Responder) || slices.Contains(by.Roles, authority.Administrator) {
		all = append(all, review.TechnicalSide)
	}
	if slices.Contains(by.Roles, authority.Member) {
		all = append(all, review.OtherSide)
	}
	return all
}

// A reviewAsk is a command of a review as it is called over HTTP.
type reviewAsk struct {
	name   string // in the path
	verb   authority.Verb
	body   review.Command
	filled []string // fields that no body has, because they are filled in here
}

func reviewAsks() []reviewAsk {
	return []reviewAsk{
		{name: "write", verb: authority.Work, body: review.Write{}},
		{name: "factor", verb: authority.Work, body: review.AddFactor{}},
		{name: "remove-factor", verb: authority.Work, body: review.RemoveFactor{}},
		{name: "pattern", verb: authority.Work, body: review.SetPattern{}},
		{name: "invite", verb: authority.Work, body: review.Invite{}},
		{name: "submit", verb: authority.Work, body: review.Submit{}},
		{name: "meeting", verb: authority.Work, body: review.HoldMeeting{}},
		{name: "text", verb: authority.Work, body: review.WriteText{}},
		{name: "approve", verb: authority.Approve, body: review.Approve{}, filled: []string{"sides"}},
		{name: "reject", verb: authority.Approve, body: review.Reject{}},
		{name: "publish", verb: authority.Publish, body: review.PublishText{}},
		{name: "note", verb: authority.Note, body: review.Note{}},
		{name: "close", verb: authority.Close, body: review.Close{}},
	}
}

// onReview asks something of a review in the name of the visitor.
func (s *server) onReview(a reviewAsk) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := keyOf(r)
		if err != nil {
			return err
		}
		w.Header().Set(keyHeader, key)
		body, err := s.body(w, r)
		if err != nil {
			return err
		}
		into := reflect.New(reflect.TypeOf(a.body)).Elem()
		if err := readInto(into, body, a.filled...); err != nil {
			return err
		}
		by := visiting(r.Context())
		c, _ := into.Interface().(review.Command)
		req := starter.Request{ID: requestID(key, by.Actor, r.URL.Path, c), By: by.Actor, Via: by.via}
		if yes, ok := c.(review.Approve); ok {
			yes.Sides = sides(by.Subject)
			c = yes
		}
		before, err := s.Backend.Review(r.Context(), id(r))
		if err != nil {
			return err
		}
		before.Texts = slices.Clone(before.Texts)
		_, noted := c.(review.Note)
		_, closes := c.(review.Close)
		if !noted && !closes && before.Rules == nil && before.Status == review.Open {
			return &starter.RefusedError{Reason: fmt.Sprintf("review of %s: it is from before there were stages; it takes notes, and can be closed", id(r))}
		}
		if c, err = s.meantReview(&before, c); err != nil {
			return err
		}
		err = s.Backend.AskReview(r.Context(), id(r), req, c)
		s.Log.Info("command", "review", id(r), "path", r.URL.Path, "actor", by.Actor.ID, "request", req.ID, "error", err)
		if _, refused := errors.AsType[*starter.RefusedError](err); refused && by.Kind != authority.Provider { // who of the provider did what is no customer's business
			err = &starter.RefusedError{Reason: fmt.Sprintf("review of %s: it takes nothing from you now", id(r))}
		}
		_, gone := errors.AsType[*starter.NotFoundError](err) // or it has ended
		if err != nil && !gone {
			return err
		}
		state, unknown := s.Backend.Review(r.Context(), id(r))
		switch {
		case unknown != nil:
			return unknown
		case gone:
			return &starter.RefusedError{Reason: "review of " + string(id(r)) + ": it is closed"}
		}
		receipt := ReviewReceipt{ID: id(r), Status: state.Status, Void: voided(&before, &state)}
		if by.Kind == authority.Provider {
			receipt.Next = state.Next()
		}
		return answer(w, receipt)
	}
}

// meantReview looks up what a command names: the vendor that is invited, and the whole SHA-256 of which somebody has given the beginning.
func (s *server) meantReview(x *review.Review, c review.Command) (_ review.Command, err error) {
	switch c := c.(type) {
	case review.Invite:
		_, err = s.vendor(c.Vendor)
	case review.Approve:
		c.SHA256, err = wholeSHA256(c.SHA256, sha256Of(x, c.Audience))
		return c, err
	case review.Reject:
		c.SHA256, err = wholeSHA256(c.SHA256, sha256Of(x, c.Audience))
		return c, err
	case review.PublishText:
		c.SHA256, err = wholeSHA256(c.SHA256, sha256Of(x, c.Audience))
		return c, err
	}
	return c, err
}

// sha256Of is that of a text as it is now, empty where there is none.
func sha256Of(x *review.Review, audience string) string {
	if t := x.Text(audience); t != nil {
		return t.SHA256
	}
	return ""
}

// wholeSHA256 wants the whole SHA-256 of a text: of a part of it, an author can make two texts. What is whole may be that of another
// text, which whoever is asked then says.
func wholeSHA256(given, is string) (string, error) {
	if is == "" || len(given) == len(is) {
		return given, nil
	}
	return "", fault("sha256", fmt.Sprintf("%q; want all %d digits of that of the text as it is shown", clip(given), len(is)))
}

// voided are the audiences of which something was approved or published before and is not any more.
func voided(before, after *review.Review) (all []string) {
	for n := range before.Texts {
		was := &before.Texts[n]
		is := after.Text(was.Audience)
		if is != nil && (len(was.Votes) > 0 && len(is.Votes) == 0 || !was.Published.IsZero() && is.Published.IsZero()) {
			all = append(all, was.Audience)
		}
	}
	return all
}
