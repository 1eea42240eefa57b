package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/report"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// maxReason is how many characters the reason of a decision has at most.
const maxReason = 500

// A visit is one request by a signed link: what the link allows, who has it, and how its incident stands, if it leads to one.
type visit struct {
	link.Link
	by       authority.Subject
	incident *incident.Incident
	object   authority.Object
	used     *store.Use // what the link was used for; nil: nothing yet
	open     bool       // nothing is to be decided by this request
}

// openLink shows what is decided. It changes nothing: programs that read mail open links too.
func (c *Console) openLink(w http.ResponseWriter, r *http.Request) error {
	v, err := c.visit(r)
	if err != nil {
		return err
	}
	switch {
	case v.Form():
		return c.openForm(w, r, v)
	case v.Run != "":
		return c.openBallot(w, r, v)
	}
	c.showVisit(w, r, http.StatusOK, v, v.standing(), reason{})
	return nil
}

// useLink takes the decision, or what a form says.
func (c *Console) useLink(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") != "" { // older browsers do not say, and the token is enough
		if err := c.cross.Check(r); err != nil {
			return c.foreign(r)
		}
	}
	v, err := c.visit(r)
	if err != nil {
		return err
	}
	action := link.Action(r.PostForm.Get("action"))
	if !v.Allows(action) {
		c.note(r, store.AttemptLink, v.Person, v.about(), r.Method, "the link does not allow what was asked for")
		return &refusal{status: http.StatusForbidden, name: "link.not-allowed"}
	}
	switch {
	case v.Form():
		return c.sendForm(w, r, v)
	case v.Run != "":
		return c.useBallot(w, r, v)
	}
	why := reason{action: action, text: tidy(r.PostForm.Get("reason"))}
	verb, command := v.command(action, why.text)
	if err := v.mayTake(action); err != nil {
		c.note(r, store.AttemptDenied, v.Person, v.Incident, string(verb), err.Error())
		return &refusal{status: http.StatusForbidden, name: "link.may-not"}
	}
	if v.used != nil {
		return c.again(w, r, v, action, command)
	}
	s := v.standing()
	if !slices.Contains(s.actions, action) {
		return c.refuseVisit(w, r, v, s)
	}
	if content := v.content(); content != cmp.Or(r.PostForm.Get("content"), v.Content) { // of the page, else of the message
		name := "link.changed"
		if v.answers() {
			name = "answer.changed"
		}
		return c.refuseVisit(w, r, v, verdict{name, s.actions})
	}
	if why.fault = why.wrong(); why.fault != "" {
		c.showVisit(w, r, http.StatusUnprocessableEntity, v, s, why)
		return nil
	}
	return c.decide(w, r, v, action, command)
}

// visit reads the link of a request, or says why it is none, or none any more.
func (c *Console) visit(r *http.Request) (*visit, error) {
	l, err := c.cfg.Links.ReadLink(r.PathValue("token"))
	if err != nil {
		if _, ok := errors.AsType[*link.InvalidError](err); !ok {
			return nil, err
		}
		c.note(r, store.AttemptLink, "", link.Path, r.Method, err.Error())
		return nil, &refusal{status: http.StatusNotFound, name: "link.invalid"}
	}
	v := &visit{Link: l, open: r.Method != http.MethodPost}
	if l.Expired(c.cfg.Now()) {
		c.note(r, store.AttemptLink, l.Person, v.about(), r.Method, "the link has expired")
		return nil, &refusal{status: http.StatusGone, name: v.expired(), at: l.Expires}
	}
	o := c.cfg.Organisation()
	var known bool
	if v.by, known = o.Subject(l.Person); !known {
		c.note(r, store.AttemptDenied, l.Person, v.about(), r.Method, "the person is not in the organisation folder")
		return nil, &refusal{status: http.StatusForbidden, name: "link.gone"}
	}
	if v.Form() || v.Run != "" {
		return v, nil
	}
	if v.incident, err = c.cfg.Incidents.State(r.Context(), incident.ID(l.Incident)); err != nil {
		if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
			c.note(r, store.AttemptLink, l.Person, l.Incident, r.Method, "there is no such incident")
			return nil, &refusal{status: http.StatusNotFound, name: "link.invalid"}
		}
		return nil, err
	}
	v.object = starter.About(authority.Incident, v.incident, o.Partners(v.incident.Definition.Service.ID))
	if err := v.may(); err != nil {
		c.note(r, store.AttemptDenied, l.Person, l.Incident, r.Method, err.Error())
		return nil, &refusal{status: http.StatusForbidden, name: "link.may-not"}
	}
	use, used, err := c.cfg.Store.UsedLink(r.Context(), l.ID)
	if used {
		v.used = &use
	}
	return v, err
}

// about is what the link leads to, or its own ID when that is a form.
func (v *visit) about() string { return cmp.Or(v.Incident, v.Run, v.ID) }

// expired names the words for a link of which the time is over.
func (v *visit) expired() string {
	switch {
	case v.Form():
		return "report.expired"
	case v.Run != "":
		return "ballot.expired"
	case v.answers():
		return "answer.expired"
	}
	return "link.expired"
}

// may tells whether whoever has the link may read what it is about, and take one of its decisions at least.
func (v *visit) may() error {
	err := authority.May(v.by, authority.Read, v.object)
	if err != nil || len(v.allowed()) > 0 {
		return err
	}
	const needed = "want a role that allows what the link is for"
	return &authority.DeniedError{Verb: authority.Acknowledge, Kind: authority.Incident, Reason: needed}
}

// allowed lists the actions of the link that authority allows now.
func (v *visit) allowed() (actions []link.Action) {
	for _, action := range []link.Action{link.Acknowledge, link.Escalate, link.Fixed, link.NotFixed} {
		if v.Allows(action) && v.mayTake(action) == nil {
			actions = append(actions, action)
		}
	}
	return actions
}

// mayTake tells whether whoever has the link may take an action. The provider answers for no customer here: a link says whose
// it is, and not for which customer.
func (v *visit) mayTake(action link.Action) error {
	verb, _ := v.command(action, "")
	if verb == authority.Answer && v.by.Kind != authority.Customer {
		return &authority.DeniedError{Verb: verb, Kind: authority.Incident, Reason: "want somebody of the customer that is asked"}
	}
	return authority.May(v.by, verb, v.object)
}

// command is what an action asks of the incident, and the verb that allows it.
func (v *visit) command(action link.Action, why string) (authority.Verb, incident.Command) {
	return starter.CommandOf(action, v.by.Party, why)
}

// content is the fingerprint of what is decided now.
func (v *visit) content() string {
	d := v.incident.Definition
	if v.answers() {
		return link.OfResolution(string(v.incident.ID), d.Service.Name, v.incident.Times.Resolved)
	}
	return link.OfIncident(string(v.incident.ID), d.Title, d.Service.Name)
}

// A verdict is how things stand for who has the link.
type verdict struct {
	name    string        // of the words that say so; empty: there is something to decide
	actions []link.Action // of the link, that can be taken now
}

// standing says what can be decided now, and why not what cannot.
func (v *visit) standing() verdict {
	i := v.incident
	if v.answers() {
		return v.asked()
	}
	if v.used != nil {
		return verdict{name: "link.done." + v.used.Action}
	}
	if !i.Status.Open() {
		return verdict{name: "link.over"}
	}
	s := verdict{actions: v.allowed()}
	switch {
	case i.Escalation.Answered && !i.Awaits(v.Person): // somebody has taken it, so there is nothing to acknowledge
		s.actions = slices.DeleteFunc(s.actions, func(a link.Action) bool { return a == link.Acknowledge })
		s.name = "link.taken"
		if n := len(i.Responders); n > 0 && i.Responders[n-1].ID == v.Person {
			s.name = "link.done.acknowledge"
		}
	case v.open && v.Content != v.content():
		s.name = "link.changed"
	}
	return s
}

// refuseVisit answers with how things stand, when that is not as the link or its page has said.
func (c *Console) refuseVisit(w http.ResponseWriter, r *http.Request, v *visit, s verdict) error {
	status := http.StatusConflict
	if s.name == "link.done.acknowledge" {
		status = http.StatusOK
	} else {
		c.note(r, store.AttemptLink, v.Person, v.Incident, r.PostForm.Get("action"), s.name[strings.Index(s.name, ".")+1:])
	}
	c.showVisit(w, r, status, v, s, reason{})
	return nil
}

// again answers whoever uses a link that was used. The same decision is asked for once more under the same id, in case a
// process ended between the claim and the decision.
func (c *Console) again(
	w http.ResponseWriter, r *http.Request, v *visit, action link.Action, command incident.Command,
) error {
	if v.used.Action != string(action) {
		name := "link.used."
		if v.answers() {
			name = "answer.used."
		}
		return c.refuseVisit(w, r, v, verdict{name: name + v.used.Action})
	}
	if v.incident.May(v.request(action).ID, command, c.cfg.Now()) != nil { // the claim is all that was done
		v.used = nil
		return c.refuseVisit(w, r, v, v.refused(action))
	}
	err := c.cfg.Incidents.Command(r.Context(), v.incident.ID, v.request(action), command)
	if _, ended := errors.AsType[*starter.NotFoundError](err); err != nil && !ended {
		return err
	}
	// Whoever has claimed it may have given it back meanwhile.
	if _, _, err := c.cfg.Store.UseLink(context.WithoutCancel(r.Context()), *v.used); err != nil {
		return err
	}
	c.showVisit(w, r, http.StatusOK, c.renewed(r, v), v.standing(), reason{})
	return nil
}

// request is who asks. One link is one decision, however often it is asked for.
func (v *visit) request(action link.Action) starter.Request {
	return starter.Request{ID: "link/" + v.ID + "/" + string(action), By: v.by.Actor, Via: "link:" + v.ID}
}

// decide claims the link and takes the decision. A decision that is not taken leaves the link as it was.
func (c *Console) decide(
	w http.ResponseWriter, r *http.Request, v *visit, action link.Action, command incident.Command,
) error {
	use := store.Use{Link: v.ID, Person: v.Person, Action: string(action), At: c.cfg.Now(), Expires: v.Expires}
	first, before, err := c.cfg.Store.UseLink(r.Context(), use)
	if err != nil {
		return err
	}
	if !first { // in the same moment
		v.used = &before
		return c.again(w, r, v, action, command)
	}
	err = c.cfg.Incidents.Command(r.Context(), v.incident.ID, v.request(action), command)
	c.cfg.Log.Info("link used", "incident", v.Incident, "action", action, "actor", v.Person, "link", v.ID, "error", err)
	if err == nil {
		v.used = &use
		c.showVisit(w, r, http.StatusOK, c.renewed(r, v), v.standing(), reason{})
		return nil
	}
	if e := c.cfg.Store.ReleaseLink(context.WithoutCancel(r.Context()), v.ID); e != nil {
		c.cfg.Log.Error("link not released", "link", v.ID, "error", e)
	}
	_, refused := errors.AsType[*starter.RefusedError](err)
	_, ended := errors.AsType[*starter.NotFoundError](err)
	if !refused && !ended { // it may have been done: asked again, it is the same decision
		return err
	}
	v = c.renewed(r, v)
	return c.refuseVisit(w, r, v, v.refused(action))
}

// refused says why an action was not taken: as things stand now, or else for a reason of the rules.
func (v *visit) refused(action link.Action) verdict {
	s := v.standing()
	switch {
	case !slices.Contains(s.actions, action):
		return s
	case v.answers():
		return verdict{name: "answer.refused"}
	}
	return verdict{name: "link.refused"}
}

// renewed is a visit with its incident as it is now, or as it was when that cannot be had: the decision itself is known.
func (c *Console) renewed(r *http.Request, v *visit) *visit {
	i, err := c.cfg.Incidents.State(r.Context(), v.incident.ID)
	if err != nil {
		c.cfg.Log.Warn("state after a decision not read", "incident", v.Incident, "error", err)
		return v
	}
	now := *v
	now.incident = i
	return &now
}

// A reason is what somebody has written for a decision, and what is wrong with it.
type reason struct {
	action      link.Action
	text, fault string
}

// tidy makes a written text one of plain lines.
func tidy(text string) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(text))
}

// wrong names what is wrong with a reason.
func (why reason) wrong() string {
	switch {
	case why.action == link.Acknowledge:
	case why.text == "" && why.action == link.NotFixed:
		return "answer.missing"
	case why.text == "" && why.action != link.Fixed:
		return "reason.missing"
	case !utf8.ValidString(why.text) || utf8.RuneCountInString(why.text) > maxReason:
		return "reason.long"
	}
	return ""
}

// acknowledged returns who has acknowledged last, and when as far as the timeline at hand goes back.
func acknowledged(i *incident.Incident) (by timeline.Actor, entry timeline.Entry) {
	if n := len(i.Responders); n > 0 {
		by = i.Responders[n-1]
	}
	return by, last(i, func(e timeline.Entry) bool { return e.Kind == timeline.Acknowledged && e.Actor.ID == by.ID })
}

// last returns the newest entry of the timeline at hand that is asked for, the zero entry when there is none.
func last(i *incident.Incident, wanted func(timeline.Entry) bool) timeline.Entry {
	for _, e := range slices.Backward(i.Timeline.Entries) {
		if wanted(e) {
			return e
		}
	}
	return timeline.Entry{}
}

// A decision is the data of the page of a link.
type decision struct {
	Person      string // whose link it is
	Facts       facts
	By, At      string // who has done what the page says, and when
	Human       bool   // by names a person
	Acknowledge bool   // can be done
	Escalate    bool
	Content     string
	Reason      string
	Fault       string
}

// facts are what a page shows of an incident.
type facts struct {
	ID, Title, Service     string
	Kind                   string // empty: ordinary
	Priority, PriorityCode string
	Status, StatusCode     string
	Since                  string
	Responder, At          string // who has acknowledged last, and when
	Human                  bool   // the responder is named, and not an organisation instead
	Paging                 bool   // goes on
	About                  []report.Fact
}

// showVisit shows how things stand, and what can be decided.
func (c *Console) showVisit(w http.ResponseWriter, r *http.Request, status int, v *visit, s verdict, why reason) {
	if v.answers() {
		c.showAnswer(w, r, status, v, s, why)
		return
	}
	p := c.page(r, "link", cmp.Or(s.name, "link.decide"), v.Person)
	i, zone := v.incident, v.incident.Definition.Zone
	moment := func(at time.Time) string { return c.cfg.Texts.Moment(at, p.Language, zone) }
	responder, taken := acknowledged(i)
	d := decision{
		Person: v.by.Actor.Shown(), Content: v.content(), Reason: why.text, Fault: why.fault,
		Acknowledge: slices.Contains(s.actions, link.Acknowledge), Escalate: slices.Contains(s.actions, link.Escalate),
		Facts: facts{
			ID: string(i.ID), Title: i.Definition.Title, Service: i.Definition.Service.Name,
			Kind:     c.cfg.Texts.IncidentKind(i.Definition.Kind, p.Language),
			Priority: c.cfg.Texts.Priority(i.Priority, p.Language), PriorityCode: i.Priority.String(),
			Status: c.cfg.Texts.Status(i.Status, p.Language), StatusCode: string(i.Status),
			Since: moment(i.Times.Started), Paging: i.Status.Open() && !i.Escalation.Answered,
		},
	}
	d.Facts.Responder, d.Facts.Human = c.shownTo(v, responder)
	if v.by.Kind == authority.Provider && c.inside(v) {
		d.Facts.About = append(c.cfg.Texts.Known(i, p.Language), c.about(&i.Definition, p.Language)...)
	}
	if !taken.At.IsZero() {
		d.Facts.At = moment(taken.At)
	}
	by, at := responder, taken.At
	switch {
	case v.used != nil:
		by, at = v.by.Actor, v.used.At
	case !i.Status.Open():
		e := last(i, func(e timeline.Entry) bool { return e.Kind == timeline.StatusChanged })
		by, at = e.Actor, e.At
	}
	d.By, d.Human = c.shownTo(v, by)
	if !at.IsZero() {
		d.At = moment(at)
	}
	p.Data = d
	c.show(w, r, status, p)
}

// about is what a responder needs to know first: what there is to do, then the service.
func (c *Console) about(d *incident.Definition, language string) (facts []report.Fact) {
	for _, l := range d.Links {
		facts = append(facts, report.Fact{Label: c.cfg.Texts.Link(l, language), Value: l.Shown(), URL: l.URL})
	}
	return append(facts, c.cfg.Texts.Service(d, language, c.cfg.Now())...)
}

// inside tells whether whoever has the link may read what is for the house alone.
func (c *Console) inside(v *visit) bool {
	return authority.May(v.by, authority.ReadInternal, v.object) == nil
}

// shownTo is the name of an actor for whoever has the link, and whether it is a person's. Other parties learn no names of
// people who are not their own.
func (c *Console) shownTo(v *visit, a timeline.Actor) (name string, human bool) {
	o := c.cfg.Organisation()
	whose, ok := o.Subject(a.ID)
	switch {
	case a.ID == "":
		return "", false
	case a == timeline.Muster():
		return "Muster", false
	case c.inside(v), ok && whose.Party == v.by.Party:
		return a.Shown(), a.Kind == timeline.Person
	}
	return o.Name, false
}
