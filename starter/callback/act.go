package callback

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/authority"
	"muster/internal/incident"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/store"
	"muster/internal/timeline"
	"muster/starter"
)

// A deed is what somebody asks of an incident with a tool that has proven itself.
type deed struct {
	id       string // under which it is decided once, however often the tool sends it
	tool     string // as it authenticated who asks
	person   string // of the organisation folder
	incident incident.ID
	content  string // fingerprint of what was shown: link.OfIncident
	action   link.Action
	at       time.Time // when that was; zero: now
	why      string    // what an action that wants a reason is given as one
}

// An answer is what came of a deed.
type answer struct {
	name     string             // of the words for it
	by       string             // who has acknowledged it, where that is what came of it
	incident *incident.Incident // as it is now, nil where that is nobody's business
}

// What can come of a deed.
const (
	done    = "done"    // as was asked, now or before
	taken   = "taken"   // somebody else has acknowledged it
	over    = "over"    // it is resolved
	changed = "changed" // it is about something else than was shown
	denied  = "denied"  // not by this person
	refused = "refused" // the rules of the incident are against it
)

// act takes a decision in the name of a person, whose authority counts and not the tool's. An error is one of ours, and passes.
func (c *Callbacks) act(r *http.Request, d deed) (answer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), Patience)
	defer cancel()
	o := c.cfg.Organisation()
	by, known := o.Subject(d.person)
	if !known {
		c.note(r, store.AttemptDenied, d.person, string(d.incident), string(d.action), "the person is not in the organisation folder")
		return answer{name: denied}, nil
	}
	i, err := c.cfg.Incidents.State(ctx, d.incident)
	if _, gone := errors.AsType[*starter.NotFoundError](err); gone {
		return answer{name: over}, nil
	}
	if err != nil {
		return answer{}, err
	}
	verb, command := starter.CommandOf(d.action, by.Party, d.why)
	about := starter.About(authority.Incident, i, o.Partners(i.Definition.Service.ID))
	if err := errors.Join(authority.May(by, authority.Read, about), authority.May(by, verb, about)); err != nil {
		c.note(r, store.AttemptDenied, d.person, string(d.incident), string(verb), err.Error())
		return answer{name: denied}, nil
	}
	req := starter.Request{ID: d.tool + "/" + d.id, By: by.Actor, Via: d.tool}
	if name := c.standing(i, d, req.ID, by.Actor.ID, command); name != "" {
		return c.stands(r, d, answer{name: name, incident: i}), nil
	}
	err = c.cfg.Incidents.Command(ctx, d.incident, req, command)
	_, ended := errors.AsType[*starter.NotFoundError](err)
	_, no := errors.AsType[*starter.RefusedError](err)
	switch {
	case ended:
		return answer{name: over, incident: i}, nil
	case err != nil && !no:
		return answer{}, err
	}
	what := "callback taken"
	if no {
		what = "callback refused"
	}
	c.cfg.Log.Info(what, "tool", d.tool, "incident", d.incident, "action", d.action, "actor", d.person)
	if now, e := c.cfg.Incidents.State(ctx, d.incident); e == nil { // else as it was: what came of it is known
		i = now
	}
	if no {
		return c.stands(r, d, answer{name: refused, incident: i}), nil
	}
	return answer{name: done, incident: i}, nil
}

// standing says why there is nothing to ask for; empty: there is. What was decided before under the id is asked for again, which is the
// same decision.
func (c *Callbacks) standing(i *incident.Incident, d deed, id, person string, command incident.Command) string {
	switch {
	case slices.Contains(i.Decided, id):
		return ""
	case !i.Status.Open():
		return over
	case d.at.Before(began(i)) && !d.at.IsZero():
		return changed
	case d.content != "" && d.content != link.OfIncident(string(i.ID), i.Definition.Title, i.Definition.Service.Name):
		return changed
	case d.action == link.Acknowledge && i.Escalation.Answered && !i.Awaits(person):
		if n := len(i.Responders); n > 0 && i.Responders[n-1].ID == person {
			return done
		}
		return taken
	case i.May(id, command, c.cfg.Now()) != nil:
		return refused
	}
	return ""
}

// began is when an incident began to be paged for, the last time.
func began(i *incident.Incident) (at time.Time) {
	for _, e := range i.Timeline.Entries {
		if e.Kind == timeline.AckExpired || e.Kind == timeline.StatusChanged && e.Fact("to") == string(incident.Triggered) {
			at = e.At
		}
	}
	return at
}

// stands completes and notes an answer to what was not done.
func (c *Callbacks) stands(r *http.Request, d deed, a answer) answer {
	if n := len(a.incident.Responders); n > 0 {
		a.by = a.incident.Responders[n-1].Shown()
	}
	if a.name != done {
		c.note(r, store.AttemptCallback, d.person, string(d.incident), string(d.action), a.name)
	}
	return a
}

// say puts what came of a deed into words for whoever did it.
func (a answer) say(o *org.Organisation, person string, action link.Action) string {
	to, _ := o.Person(person)
	name := a.name
	if name == done {
		name += "." + string(action)
	}
	text := words(to.Language)[name]
	if a.incident != nil {
		text = string(a.incident.ID) + ": " + text
	}
	return strings.ReplaceAll(text, "{by}", a.by)
}
