package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"muster/internal/action"
	"muster/internal/alert"
	"muster/internal/asset"
	"muster/internal/authority"
	"muster/internal/change"
	"muster/internal/changecalendar"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/heartbeat"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/problem"
	"muster/internal/reach"
	"muster/internal/refusal"
	"muster/internal/report"
	"muster/internal/request"
	"muster/internal/risk"
	"muster/internal/routine"
	"muster/internal/silence"
	"muster/internal/store"
	"muster/internal/throttle"
	"muster/internal/timeline"
	"muster/internal/visit"
	"muster/starter"
)

// A Directory knows people and parties: the organisation folder as it is now.
type Directory interface {
	// Repinned returns a definition as the folder has it now, for the same service and alerts.
	Repinned(pinned incident.Definition, alerts []alert.Labels) (incident.Definition, error)
	// Reported returns a definition for what people report. Its error is a *incident.NoticeFault.
	Reported(r incident.Reported) (incident.Definition, error)
	// VendorSupport returns what a vendor has promised, and Vendors whose IDs are known.
	VendorSupport(id string) (incident.VendorSupport, bool)
	Vendors() []string
	// Older tells whether a folder of another revision, changed at that time, is newer than this one.
	Older(revision string, changed time.Time) bool
	// Subject returns who acts, with a party and roles.
	Subject(actor string) (authority.Subject, bool)
	Person(id string) (delivery.Recipient, bool)
	// Team fills in what a person asks of a team at an instant: its name, who of it may answer, and by which agreement until when.
	Team(c incident.AddResponder, asker string, at time.Time) (incident.AddResponder, error)
	// Partners are those of a service, PartnerServices the services of a partner.
	Partners(service string) []string
	PartnerServices(partner string) []string
	// Recipients returns whom a target means at an instant, nobody when a schedule has a gap. Its error is that there is no
	// such target.
	Recipients(t escalation.Target, at time.Time) ([]delivery.Recipient, error)
	// Answers tells whether a person is one of those who answer for a customer, on call or not.
	Answers(person, customer string) bool
	// Form returns the organisation's own form of a report, nil where the shipped one serves.
	Form(kind report.FormKind, customer, language string) *report.Form
	// LastResorts returns whom the policies that page a schedule page when nothing else helps.
	LastResorts(schedule string) []escalation.Target
	// Request returns what a customer asks for, with the feature that it means, and what is promised now. What is wrong with it
	// is a *request.Fault.
	Request(a request.Asked) (request.Asked, request.Pinned, error)
	// Problem returns what the folder says of the problems of a service, ProblemOwner who is meant by person:kim or group:noc.
	Problem(service string) (problem.Pinned, error)
	ProblemOwner(name string) (problem.Owner, error)
	// Change returns what somebody asks for, filled in, with what the folder has to say of it. What is wrong with it is a *change.Fault or
	// a *org.PlanRefusal. StandardChanges are those that are approved beforehand.
	Change(a change.Asked, now time.Time) (change.Asked, change.Pinned, error)
	StandardChanges() []change.PreApproved
	// Action returns what the folder has to say of an action item. What is wrong with it is an *action.Fault.
	Action(a action.Asked) (action.Pinned, error)
	// Risk returns what the folder has to say of a risk that somebody escalates. What is wrong with it is a *risk.Fault.
	Risk(a risk.Asked) (risk.Pinned, error)
	// People returns everybody who can be reached; ContactTests by which contact methods test pages go, and how often by themselves.
	People(at time.Time) []reach.Person
	ContactTests(at time.Time) (all []reach.Candidate, every time.Duration)
	// Silence returns what the folder has to say of a silence that people make. What is wrong with it is a *silence.Fault.
	Silence(m silence.Match) (silence.Pinned, error)
	// SilencesBetween are those of the folder that hold alerts back in a while.
	SilencesBetween(from, to time.Time) []silence.Window
	// FrozenBetween are the freezes that have a part between two instants, with what they are of.
	FrozenBetween(from, until time.Time) ([]changecalendar.Entry, error)
	Folder() incident.Folder
	// Routines lists the ids of the routines, RoutinesIn those whose plans run in an environment of a customer. AssetOf is the asset of which
	// one is a deadline, empty for any other.
	Routines() []string
	RoutinesIn(customer, environment string) []string
	AssetOf(routine string) string
	// Assets lists the assets, in the order of the folder.
	Assets() []asset.Asset
	Asset(id string) (asset.Asset, bool)
	// Concerned returns whom a notice of a vendor concerns, with what is started for each; VendorID is what that vendor is known by.
	Concerned(n asset.Notice) []org.Concerned
	VendorID(said string) string
	// VisitTerms returns what every customer has bought for a year, VisitsPlanned the occurrences of a routine between two instants.
	VisitTerms(year int) []visit.Terms
	VisitsPlanned(routine string, after, until time.Time) []routine.Slot
	// AutomaticResponses lists the automatic responses, in the order of the folder.
	AutomaticResponses() []incident.AutomaticResponse
	// Heartbeats returns what jobs are listened for.
	Heartbeats() []heartbeat.Definition
	// PlanRoles returns the roles of a run that a person fills at an instant.
	PlanRoles(r *planrun.Run, person string, at time.Time) []string
	// PlanContacts returns how those are reached who fill roles of a plan.
	PlanContacts(roles []planrun.Filled) []report.PlanContact
	// StartPlan returns the terms of a run, and RePlan what one goes on with. What is wrong with a plan is a *org.PlanRefusal.
	StartPlan(s org.PlanStart) (planrun.Terms, error)
	RePlan(r *planrun.Run, s org.PlanStart) (planrun.Pinned, error)
}

// A visitor is who makes a request, and how that was authenticated.
type visitor struct {
	authority.Subject
	via string
}

type visitorKey struct{}

func visiting(ctx context.Context) visitor {
	v, _ := ctx.Value(visitorKey{}).(visitor)
	return v
}

// authenticated lets nobody in without a token that is good now, for somebody who is there now.
func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			secret = ""
		}
		t, err := s.Store.Token(r.Context(), strings.TrimSpace(secret))
		var by visitor
		if err == nil {
			by, err = s.visitor(t)
		}
		if err != nil {
			s.stranger(w, r, t, err)
			return
		}
		if wait := s.wait(r, t.ID); wait > 0 {
			s.note(r, store.AttemptRate, t.Actor, "", "too many requests with token "+t.ID)
			refusal.Body{
				Status: http.StatusTooManyRequests, RetryAfter: wait, Detail: "too many requests with this token: ask again later",
			}.Write(w)
			return
		}
		w.Header().Set(languageHeader, cmp.Or(s.ownLanguage(by.Subject), s.Language))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, by)))
	})
}

// wait is after what time a token may ask again, zero when it may now. Programs that show one history ask for each payload of it: these
// are slowed where they come in.
func (s *server) wait(r *http.Request, token string) time.Duration {
	if r.URL.Path == decodePath {
		return 0
	}
	return s.rate.Wait(token)
}

// Errors of a token, as whoever shows it may read them. They say nothing of any other token.
var (
	errToken   = errors.New("want Bearer and a token that the server knows")
	errExpired = errors.New("the token has expired: want a new one")
	errRevoked = errors.New("the token was revoked: want a new one")
	errGone    = errors.New("the person of the token is not in the organisation folder any more")
)

// visitor is for whom a token speaks. What a token gives itself counts for machines, and for the administrator of a data
// folder, who need not stand in the organisation folder.
func (s *server) visitor(t store.Token) (visitor, error) {
	by := visitor{via: "token:" + t.ID, Subject: authority.Subject{
		Actor: timeline.Actor{Kind: timeline.Person, ID: t.Actor, Name: t.Name}, Kind: authority.Provider,
		Roles: named[authority.Role](t.Roles),
	}}
	if t.Kind == store.Machine {
		by.Actor.Kind = timeline.Source
	} else if known, ok := s.Directory().Subject(t.Actor); ok {
		by.Subject = known
	} else if len(t.Roles) == 0 {
		return visitor{}, errGone
	}
	by.Scopes = named[authority.Verb](t.Scopes)
	return by, nil
}

func named[To ~string](texts []string) []To {
	out := make([]To, len(texts))
	for n, s := range texts {
		out[n] = To(s)
	}
	return out
}

// stranger answers who has no good token. Who goes on guessing is shut out, and somebody is told.
func (s *server) stranger(w http.ResponseWriter, r *http.Request, t store.Token, cause error) {
	detail := errToken
	switch {
	case errors.Is(cause, store.ErrExpired):
		detail = errExpired
	case errors.Is(cause, store.ErrRevoked):
		detail = errRevoked
	case errors.Is(cause, errGone):
		detail = errGone
	case !errors.Is(cause, store.ErrUnknown):
		s.problemOf(r, cause).Write(w)
		return
	}
	s.note(r, store.AttemptToken, t.Actor, r.Method, detail.Error())
	if wait := s.Guess(r); wait > 0 {
		refusal.Body{Status: http.StatusTooManyRequests, RetryAfter: wait, Detail: "too many tokens that are not good: ask again later"}.Write(w)
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="muster"`)
	refusal.Body{Status: http.StatusUnauthorized, Field: "Authorization", Detail: detail.Error()}.Write(w)
}

// note keeps a refused attempt. A log that cannot be written is no reason to let somebody in, and none not to answer.
func (s *server) note(r *http.Request, k store.AttemptKind, actor, what, why string) {
	a := store.Attempt{Kind: k, Actor: actor, Remote: throttle.Address(r), Subject: r.URL.Path, Message: what, Detail: why}
	if _, err := s.Store.Record(context.WithoutCancel(r.Context()), a); err != nil {
		s.Log.Error("refused attempt not recorded", "kind", k, "actor", actor, "path", r.URL.Path, "error", err)
	}
}

// about is an incident or its review, as authority sees it.
func (s *server) about(k authority.Kind, i *incident.Incident) authority.Object {
	return starter.About(k, i, s.Directory().Partners(i.Definition.Service.ID))
}

// named is what a request names, as authority sees it, and how it is called: nothing, where the route is about none.
func (s *server) named(r *http.Request, k authority.Kind) (o authority.Object, what string, err error) {
	if id(r) == "" {
		return o, "", nil
	}
	switch k {
	case authority.Incident, authority.Review:
		what = "incident " + string(id(r))
		var i *incident.Incident
		if i, err = s.Backend.State(r.Context(), id(r)); err == nil {
			o = s.about(k, i)
		}
	case authority.Request:
		what = "request " + string(requestOf(r))
		var q *request.Request
		if q, err = s.Backend.Request(r.Context(), requestOf(r)); err == nil {
			o = authority.Object{Kind: k, Customers: []string{q.Customer}}
		}
	case authority.Action:
		what = "action item " + string(actionOf(r))
		var a *action.Action
		if a, err = s.Backend.Action(r.Context(), actionOf(r)); err == nil {
			o = authority.Object{Kind: k, Customers: a.VisibleTo()}
		}
	case authority.Risk: // the provider's alone, whichever it is
		what, o = "escalation "+string(escalationOf(r)), authority.Object{Kind: k}
		_, err = s.Backend.Escalation(r.Context(), escalationOf(r))
	case authority.Change:
		what = "change " + string(changeOf(r))
		var c *change.Change
		if c, err = s.Backend.Change(r.Context(), changeOf(r)); err == nil {
			o = aboutChange(&c.Pinned)
		}
	case authority.Silence:
		what = "silence " + r.PathValue("id")
		var x *silence.Silence
		if x, err = s.Backend.Silence(r.Context(), s.silenceOf(r)); err == nil {
			o = s.aboutSilence(&x.Match)
		}
		err = s.untouched(r, s.silenceOf(r), err)
	case authority.Response: // the provider's alone
		what, o = "automatic response "+r.PathValue("id"), authority.Object{Kind: k}
	case authority.Routine: // the provider's alone
		what, o = "routine "+r.PathValue("id"), authority.Object{Kind: k}
		_, err = s.Backend.Routine(r.Context(), r.PathValue("id"))
	case authority.Asset:
		what = "asset " + r.PathValue("id")
		x, known := s.Directory().Asset(r.PathValue("id"))
		if o = s.aboutAsset(&x); !known {
			err = &starter.NotFoundError{What: what}
		}
	case authority.PlanRun:
		what = "run " + string(planRunOf(r))
		var run *planrun.Run
		if run, err = s.Backend.PlanRun(r.Context(), planRunOf(r)); err == nil {
			o = s.aboutRun(run)
		}
	default:
	}
	return o, what, err
}

// reads tells whether somebody may read an incident.
func (s *server) reads(who authority.Subject, i *incident.Incident) bool {
	return authority.May(who, authority.Read, s.about(authority.Incident, i)) == nil
}

// may tells whether the visitor may do something to what a request names. Who may not read it learns no more than that there
// is nothing for him.
func (s *server) may(r *http.Request, v authority.Verb, k authority.Kind) error {
	by := visiting(r.Context()).Subject
	some := id(r) != "" && (k == authority.Incident || k == authority.Review) // which may be a restricted one
	err := authority.May(by, v, authority.Object{Kind: k, Restricted: some})
	if err == nil {
		return nil // whatever it is about
	}
	o, what, unknown := s.named(r, k)
	switch {
	case what == "":
		return s.denied(r, v, err)
	case unknown != nil:
		return unknown
	}
	whole := by
	whole.Scopes = nil // that a token is narrowed is no secret before whoever has it
	denial := s.denied(r, v, authority.May(by, v, o))
	if authority.May(whole, authority.Read, o) != nil {
		return &starter.NotFoundError{What: what}
	}
	return denial
}

// denied keeps a denial, and answers with it.
func (s *server) denied(r *http.Request, v authority.Verb, err error) error {
	if err == nil {
		return nil
	}
	s.note(r, store.AttemptDenied, visiting(r.Context()).Actor.ID, string(v), err.Error())
	return refusal.Body{Status: http.StatusForbidden, Detail: err.Error()}
}

// shown is an incident as the visitor may see it.
func (s *server) shown(r *http.Request, i *incident.Incident) *incident.Incident {
	by := visiting(r.Context())
	if authority.May(by.Subject, authority.ReadInternal, s.about(authority.Incident, i)) == nil {
		if by.Kind != authority.Provider {
			return i.Beside()
		}
		return i
	}
	return i.Shown(s.viewer(by, i.Definition.Organisation))
}

// viewer is a visitor of a party beside the provider, before whom the organisation stands for everybody else.
func (s *server) viewer(by visitor, organisation string) incident.Viewer {
	return starter.Viewer(s.Directory(), by.Subject, organisation)
}
