package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/problem"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/starter"
)

// list answers with the incidents that the visitor may read.
func (s *server) list(w http.ResponseWriter, r *http.Request) error {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return err
	}
	by := visiting(r.Context())
	if len(by.Scopes) > 0 && !slices.Contains(by.Scopes, authority.Read) { // nothing would be a wrong answer
		return s.denied(r, authority.Read, authority.May(by.Subject, authority.Read, authority.Object{Kind: authority.Incident}))
	}
	see, some := s.sight(by)
	f.Customers, f.Services, f.Ordinary = see.Customers, see.Services, see.Ordinary
	page := Page{Incidents: []Summary{}, Language: s.Language, Zone: s.Zone}
	if some {
		rows, after, err := s.Backend.List(r.Context(), f)
		if err != nil {
			return err
		}
		page.Incidents, page.Next = append(page.Incidents, rows...), next(after)
	}
	internal := authority.May(by.Subject, authority.ReadInternal, authority.Object{Kind: authority.Incident}) == nil
	for n := range page.Incidents {
		row := &page.Incidents[n]
		if !internal {
			row.Kind = ""
		}
		row.Customers = slices.DeleteFunc(append([]string{}, row.Customers...), func(c string) bool { // none is an empty list, not null
			return !internal && c != by.Party
		})
	}
	return answer(w, page)
}

// sight narrows a list to the incidents that a visitor may read, and tells whether there can be any.
func (s *server) sight(by visitor) (f Filter, some bool) {
	sight := authority.Sees(by.Subject)
	f.Ordinary = !sight.Restricted
	switch {
	case sight.All:
		return f, true
	case len(sight.Customers) > 0:
		f.Customers = sight.Customers
	case sight.Partner != "":
		f.Services = s.Directory().PartnerServices(sight.Partner)
	}
	return f, len(f.Customers) > 0 || len(f.Services) > 0
}

func filterOf(query url.Values) (Filter, error) {
	q := asked{Values: query}
	f := Filter{Open: q.truth("open"), Limit: q.limit(), After: q.after()}
	if v := q.Get("status"); v != "" {
		if f.Status = incident.Status(v); !slices.Contains(incident.Statuses(), f.Status) {
			q.fault("status", oneOf(words(incident.Statuses())))
		}
	}
	return f, queryFaults(query, q.faults, "status", "open", "limit", "after")
}

// asked reads the values of a query, and keeps what is wrong with them.
type asked struct {
	url.Values
	faults []refusal.Fault
}

func (q *asked) fault(name, want string) {
	q.faults = append(q.faults, refusal.Fault{Field: name, Detail: fmt.Sprintf("%q; want %s", clip(q.Get(name)), want)})
}

func (q *asked) truth(name string) bool {
	switch q.Get(name) {
	case "", "false":
		return false
	case "true":
	default:
		q.fault(name, "true or false")
	}
	return true
}

// limit is how many rows a page has at most.
func (q *asked) limit() int {
	v := q.Get("limit")
	if v == "" {
		return defaultRows
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > MaxRows {
		q.fault("limit", fmt.Sprintf("a number from 1 to %d", MaxRows))
	}
	return n
}

// after is where the page before has ended.
func (q *asked) after() string {
	after, err := base64.RawURLEncoding.DecodeString(q.Get("after"))
	if err != nil {
		q.fault("after", "what the page before said is next")
	}
	return string(after)
}

// next is how the end of a page goes out.
func next(after string) string { return base64.RawURLEncoding.EncodeToString([]byte(after)) }

// queryFaults is the problem of a query: its faults, and what is not known or stands there twice.
func queryFaults(q url.Values, faults []refusal.Fault, known ...string) error {
	var names []string
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case !slices.Contains(known, name):
			faults = append(faults, refusal.Fault{Field: clip(name), Detail: "unknown; want " + oneOf(known)})
		case len(q[name]) > 1:
			faults = append(faults, refusal.Fault{Field: name, Detail: "given twice"})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return refusal.Of(http.StatusUnprocessableEntity, faults...)
}

func id(r *http.Request) incident.ID { return incident.ID(r.PathValue("id")) }

func (s *server) show(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return err
	}
	return answer(w, s.shown(r, s.behind(r, i)))
}

// behind adds the problem behind an open incident that people have linked it to since it opened, itself or one that it has taken in:
// what is known of it helps whoever responds. Where nobody can say, the incident is shown as it is.
func (s *server) behind(r *http.Request, i *incident.Incident) *incident.Incident {
	if i.Problem != nil || !i.Status.Open() || authority.May(visiting(r.Context()).Subject, authority.Read, authority.Object{Kind: authority.Problem}) != nil {
		return i
	}
	const most = 20 // of a service
	rows, _, err := s.Backend.Problems(r.Context(), ProblemFilter{Open: true, Service: i.Definition.Service.ID, Limit: most})
	if err != nil {
		return i
	}
	for _, row := range rows {
		p, err := s.Backend.Problem(r.Context(), row.ID)
		if err == nil && slices.ContainsFunc(p.Links, func(l problem.Link) bool { return i.Has(l.Incident) }) {
			known, with := p.Found(), *i
			with.Problem = &known
			return &with
		}
	}
	return i
}

// alerts answers with the alerts of an incident, each with all that its source has said of it last.
func (s *server) alerts(w http.ResponseWriter, r *http.Request) error {
	q := asked{Values: r.URL.Query()}
	f := AlertFilter{Firing: q.truth("firing"), Name: q.Get("name"), Limit: q.limit(), After: q.after()}
	if err := queryFaults(q.Values, q.faults, "firing", "name", "limit", "after"); err != nil {
		return err
	}
	part, err := s.Backend.Alerts(r.Context(), id(r), f)
	if err != nil {
		return err
	}
	i := part.Incident
	return answer(w, AlertPage{
		ID: i.ID, Alerts: part.Found, Next: next(part.Next), Lost: part.Lost, Language: s.language(nil, i), Zone: i.Definition.Zone,
	})
}

// language is the one that is asked for, else the organisation's as it was when the incident opened.
func (s *server) language(q url.Values, i *incident.Incident) string {
	switch {
	case q.Get("lang") != "":
		return q.Get("lang")
	case i != nil && len(i.Definition.Languages) > 0:
		return i.Definition.Languages[0]
	}
	return s.Language
}

func (s *server) langFault(q url.Values) []refusal.Fault {
	if v := q.Get("lang"); v != "" && !slices.Contains(s.Texts.Languages(), v) {
		return []refusal.Fault{{Field: "lang", Detail: fmt.Sprintf("%q; want %s", clip(v), oneOf(s.Texts.Languages()))}}
	}
	return nil
}

// timeline answers with the entries after the one with a number. Runs of long ago are read only when they are asked for.
func (s *server) timeline(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	faults := s.langFault(q)
	after := 0
	if v := q.Get("after"); v != "" {
		var err error
		if after, err = strconv.Atoi(v); err != nil || after < 0 {
			faults = append(faults, refusal.Fault{Field: "after", Detail: fmt.Sprintf("%q; want the number of an entry", clip(v))})
		}
	}
	if err := queryFaults(q, faults, "lang", "after"); err != nil {
		return err
	}
	i, err := s.Backend.State(r.Context(), id(r))
	if err == nil && i.Timeline.Dropped > after {
		i, err = s.Backend.Timeline(r.Context(), id(r))
	}
	if err != nil {
		return err
	}
	i = s.shown(r, i)
	language, zone := cmp.Or(q.Get("lang"), s.ownLanguage(visiting(r.Context()).Subject), s.language(q, i)), i.Definition.Zone
	t := Timeline{ID: i.ID, Status: i.Status, Language: language, Zone: zone, Dropped: i.Timeline.Dropped, Entries: []Entry{}}
	for _, e := range i.Timeline.Entries {
		if e.Seq > after {
			t.Entries = append(t.Entries, NewEntry(s.Texts, e, language, zone))
		}
	}
	return answer(w, t)
}

func (s *server) report(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	format, faults := formatOf(q)
	if err := queryFaults(q, append(s.langFault(q), faults...), "format", "lang"); err != nil {
		return err
	}
	i, err := s.Backend.Timeline(r.Context(), id(r))
	if err != nil {
		return err
	}
	i = s.shown(r, i)
	language := s.language(q, i)
	body, err := s.Texts.Incident(i, report.Edition{
		Language: language, Format: format, At: s.Now(), Form: s.Directory().Form(report.IncidentForm, "", language),
	})
	if err != nil {
		return err
	}
	return sendReport(w, string(i.ID), format, body)
}

// UpdateDraft is what the next update may say to an audience. Nobody has sent it.
type UpdateDraft struct {
	Incident incident.ID           `json:"incident"`
	Audience incident.Audience     `json:"audience"`
	Language string                `json:"language"`
	Status   incident.PublicStatus `json:"status"`
	Subject  string                `json:"subject"`
	Text     string                `json:"text"`
}

func (s *server) updateDraft(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	audience := cmp.Or(incident.Audience(q.Get("audience")), incident.ForCustomers)
	faults := s.langFault(q)
	if !slices.Contains(incident.Audiences(), audience) {
		faults = append(faults, refusal.Fault{
			Field: "audience", Detail: fmt.Sprintf("%q; want %s", clip(string(audience)), oneOf(words(incident.Audiences()))),
		})
	}
	if err := queryFaults(q, faults, "audience", "lang"); err != nil {
		return err
	}
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return err
	}
	i = s.shown(r, i)
	t := i.Draft(s.Now())
	d := UpdateDraft{Incident: i.ID, Audience: audience, Language: s.language(q, i), Status: t.Says}
	if d.Subject, d.Text, err = s.Texts.Draft(t, audience, d.Language); err != nil {
		return err
	}
	return answer(w, d)
}

// formatOf is the format of a report that was asked for, and what is wrong with it.
func formatOf(q url.Values) (f report.Format, faults []refusal.Fault) {
	f = cmp.Or(report.Format(q.Get("format")), report.Markdown)
	if !slices.Contains(report.Formats(), f) {
		faults = append(faults, refusal.Fault{Field: "format", Detail: fmt.Sprintf("%q; want %s", clip(string(f)), oneOf(words(report.Formats())))})
	}
	return f, faults
}

// sendReport answers with a report under a name.
func sendReport(w http.ResponseWriter, name string, f report.Format, body []byte) error {
	if f == report.HTML { // the page has its style in itself, and needs nothing else
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", name+"."+string(f)))
	return send(w, f.Type(), body)
}

func (s *server) history(w http.ResponseWriter, r *http.Request) error {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.Backend.History(r.Context(), id(r), &b); err != nil {
		return err
	}
	return send(w, "application/json", b.Bytes())
}

// command asks something of an incident in the name of the visitor.
func (s *server) command(v verb) handler {
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
		c, err := v.read(body)
		if err != nil {
			return err
		}
		by := visiting(r.Context())
		req := starter.Request{ID: requestID(key, by.Actor, v.name, c), By: by.Actor, Via: by.via}
		if c, err = s.fill(r, c); err != nil {
			return err
		}
		receipt, err := s.Backend.Command(r.Context(), id(r), req, c)
		if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
			receipt, err = s.closed(r, req.ID, c, err)
		}
		s.Log.Info("command", "incident", id(r), "command", v.name, "actor", by.Actor.ID, "request", req.ID, "error", err)
		if err != nil {
			return err
		}
		receipt.Firing = s.firing(r, c)
		return answer(w, receipt)
	}
}

// firing tells how many alerts fire although somebody has just said that it is over.
func (s *server) firing(r *http.Request, c incident.Command) int {
	switch c.(type) {
	case incident.Resolve, incident.Close:
		if i, err := s.Backend.State(r.Context(), id(r)); err == nil { // else it is done all the same
			return i.Alerts.Firing
		}
	}
	return 0
}

// closed answers for an incident that has ended: its workflow takes no more commands, but the state still knows what was
// decided and why no more can be.
func (s *server) closed(r *http.Request, requestID string, c incident.Command, gone error) (Receipt, error) {
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return Receipt{}, gone
	}
	if err := i.May(requestID, c, s.Now()); err != nil {
		return Receipt{}, &starter.RefusedError{Reason: err.Error()}
	}
	if i.Status != incident.Closed {
		return Receipt{}, gone
	}
	return Receipt{ID: i.ID, Status: i.Status, Priority: i.Priority, Seq: i.Timeline.Dropped + len(i.Timeline.Entries)}, nil
}

// fill adds what only the organisation folder knows.
func (s *server) fill(r *http.Request, c incident.Command) (incident.Command, error) {
	switch c := c.(type) {
	case incident.Assign:
		return s.appoint(r, c)
	case incident.Repin:
		return s.define(r, c)
	case incident.AddResponder:
		return s.summon(r, c)
	case incident.SetCause:
		return s.blame(c)
	case incident.Merge:
		return s.into(r, c)
	case incident.Relate:
		other, err := s.other(r, c.To, "to", authority.Read)
		if err != nil {
			return nil, err
		}
		c.Title = other.Definition.PublicTitle()
		return c, nil
	case incident.Answer:
		return s.answerFor(r, c)
	case incident.ApproveResponse:
		return s.approveResponse(r, c)
	}
	return c, nil
}

// appoint adds the name of whoever gets a role: somebody who may do what the role is for.
func (s *server) appoint(r *http.Request, c incident.Assign) (incident.Command, error) {
	named, err := s.name(c)
	if err != nil {
		return nil, err
	}
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return nil, err
	}
	want := authority.Acknowledge
	switch c.Role {
	case incident.CommunicationsManager:
		want = authority.SendUpdate
	case incident.IncidentManager:
		want = authority.Resolve
	case incident.SupportManager:
	}
	o := s.about(authority.Incident, i)
	o.Involved = append(slices.Clip(o.Involved), c.Person) // by getting it
	if whose, _ := s.Directory().Subject(c.Person); authority.May(whose, want, o) != nil {
		return nil, refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{
			Field: "person", Detail: fmt.Sprintf("%q may not do %s in this incident, which is for the %s; want somebody who may", clip(c.Person), want, c.Role),
		})
	}
	return named, nil
}

// summon adds the name of whoever is asked to help: somebody who may answer, or a team, of whom those who may.
func (s *server) summon(r *http.Request, c incident.AddResponder) (incident.Command, error) {
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return nil, err
	}
	o := s.about(authority.Incident, i)
	may := func(person string) bool {
		o := o
		o.Involved = append(slices.Clip(o.Involved), person) // by being asked
		whose, _ := s.Directory().Subject(person)
		return authority.May(whose, authority.Acknowledge, o) == nil
	}
	wrong := func(field, format string, args ...any) (incident.Command, error) {
		return nil, refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: field, Detail: fmt.Sprintf(format, args...)})
	}
	if c.Team != "" && c.Person == "" {
		if c, err = s.Directory().Team(c, visiting(r.Context()).Actor.ID, s.Now()); err != nil {
			return wrong("team", "%s", err)
		}
		if c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return !may(m) }); len(c.Members) == 0 {
			return wrong("team", "nobody of %q may acknowledge this incident; want a team of whom somebody may", clip(c.Team))
		}
		return c, nil
	}
	named, err := s.name(incident.Assign{Person: c.Person})
	if err != nil {
		return nil, err
	}
	c.Name = named.(incident.Assign).Name
	if !may(c.Person) {
		return wrong("person", "%q may not acknowledge this incident; want somebody who may", clip(c.Person))
	}
	return c, nil
}

// blame adds what a vendor has promised.
func (s *server) blame(c incident.SetCause) (incident.Command, error) {
	if c.Domain != incident.CauseVendor || c.Vendor == "" {
		return c, nil // for the incident to judge
	}
	v, err := s.vendor(c.Vendor)
	if err != nil {
		return nil, err
	}
	c.Support = &v
	return c, nil
}

// into adds where the other incident lives. Whoever merges two must be allowed to do so in both.
func (s *server) into(r *http.Request, c incident.Merge) (incident.Command, error) {
	other, err := s.other(r, c.Into, "into", authority.Merge)
	if err != nil {
		return nil, err
	}
	own, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return nil, err
	}
	switch {
	case own.Definition.Kind != other.Definition.Kind: // who may read the one may not read the other
		return nil, &starter.RefusedError{Reason: fmt.Sprintf("merge %s: only one of it and %s is a security incident; relate them instead", id(r), other.ID)}
	case other.MergedInto != nil:
		return nil, &starter.RefusedError{Reason: fmt.Sprintf("merge %s: %s is merged into %s itself", id(r), other.ID, other.MergedInto.ID)}
	case !other.Status.Open():
		return nil, &starter.RefusedError{Reason: fmt.Sprintf("merge %s: %s is %s; want an open incident", id(r), other.ID, other.Status)}
	}
	ref, err := s.Backend.Find(r.Context(), other.ID)
	if err != nil {
		return nil, err
	}
	c.WorkflowID, c.Title = ref.WorkflowID, other.Definition.PublicTitle()
	return c, nil
}

// other is another incident that a command names. One that the visitor may not read is not there.
func (s *server) other(r *http.Request, other incident.ID, field string, v authority.Verb) (*incident.Incident, error) {
	missing := refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: field, Detail: fmt.Sprintf("%q; want the id of an incident", clip(string(other)))})
	i, err := s.Backend.State(r.Context(), other)
	if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	by, o := visiting(r.Context()).Subject, s.about(authority.Incident, i)
	if authority.May(by, authority.Read, o) != nil {
		return nil, missing
	}
	return i, s.denied(r, v, authority.May(by, v, o))
}

// answerFor lets a customer answer for itself alone.
func (s *server) answerFor(r *http.Request, c incident.Answer) (incident.Command, error) {
	by := visiting(r.Context())
	if by.Kind != authority.Customer {
		return c, nil
	}
	if c.Customer != "" && c.Customer != by.Party {
		return nil, refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{Field: "customer", Detail: "want none: a customer answers for itself"})
	}
	c.Customer = by.Party
	return c, nil
}

// define adds what the folder promises now for the service of an incident.
func (s *server) define(r *http.Request, c incident.Repin) (incident.Command, error) {
	i, err := s.Backend.State(r.Context(), id(r))
	if err != nil {
		return nil, err
	}
	if s.Directory().Older(i.Folder.Revision, i.Folder.Changed) {
		return nil, &starter.RefusedError{Reason: fmt.Sprintf(
			"incident %s: cannot repin: the organisation folder of this server is older than the one that the incident has last used, revision %s; try again when the folder is up to date",
			i.ID, i.Folder.Revision)}
	}
	d, err := s.Directory().Repinned(i.Definition, i.Alerts.Labels())
	if err != nil {
		return nil, &starter.RefusedError{Reason: fmt.Sprintf("incident %s: cannot repin: %v", i.ID, err)}
	}
	c.Definition = &d
	return c, nil
}

// name adds the name of a person.
func (s *server) name(a incident.Assign) (incident.Command, error) {
	p, known := s.Directory().Person(a.Person)
	whose, _ := s.Directory().Subject(a.Person)
	if !known || whose.Kind == authority.Customer {
		return nil, refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{
			Field: "person", Detail: fmt.Sprintf("%q; want the id of a person in the organisation folder who is no customer's", clip(a.Person)),
		})
	}
	a.Name = p.Name
	return a, nil
}

var key = regexp.MustCompile(`^[!-~]{1,64}$`)

// NewKey makes an Idempotency-Key.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// keyOf is the key of a request; one that has none gets one, so that it can be told of it.
func keyOf(r *http.Request) (string, error) {
	switch keys := r.Header.Values(keyHeader); {
	case len(keys) == 0:
		return NewKey(), nil
	case len(keys) > 1 || !key.MatchString(keys[0]):
		return "", refusal.Of(http.StatusUnprocessableEntity, refusal.Fault{
			Field: keyHeader, Detail: "want one of 1 to 64 visible ASCII characters",
		})
	default:
		return keys[0], nil
	}
}

// body reads the body of a request whose query is empty.
func (s *server) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return s.bodyOf(w, r, MaxBody)
}

func (s *server) bodyOf(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if err := queryFaults(r.URL.Query(), nil); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, refusal.Of(http.StatusRequestEntityTooLarge, refusal.Fault{Field: "body", Detail: fmt.Sprintf("want at most %d bytes", most)})
	}
	if err != nil {
		return nil, refusal.Of(http.StatusBadRequest, refusal.Fault{Field: "body", Detail: "ended early"})
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); len(body) > 0 && kind != "application/json" {
		return nil, refusal.Of(http.StatusUnsupportedMediaType, refusal.Fault{Field: "Content-Type", Detail: fmt.Sprintf("%q; want application/json", clip(kind))})
	}
	return body, nil
}
