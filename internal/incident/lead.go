package incident

import (
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/timeline"
)

// A Summons is that somebody was asked to help.
type Summons struct {
	Person   string         `json:"person"` // the person's ID
	Name     string         `json:"name,omitempty"`
	By       timeline.Actor `json:"by"`
	At       time.Time      `json:"at"`
	Due      time.Time      `json:"due"`               // until when they have to answer
	Answered time.Time      `json:"answered,omitzero"` // by whatever they have done
	Missed   bool           `json:"missed,omitempty"`  // they have not in time, and whoever asked was told
}

// AddResponder asks somebody to help. They are paged until they acknowledge, whoever else has.
type AddResponder struct {
	Person string `json:"person"`
	Name   string `json:"name,omitempty"` // filled in by the API from the organisation folder
	Note   string `json:"note"`
}

// Check refuses nobody, and who is there already.
func (c AddResponder) Check(i *Incident) error {
	const action = "add responder to"
	switch n := i.summons(c.Person); {
	case c.Person == "":
		return i.refuse(action, "person: missing")
	case i.responds(c.Person) && i.Escalation.Answered: // who has answered before a reopening may be needed anew
		return i.refuse(action, "%s is a responder already", c.Person)
	case n != nil && n.Answered.IsZero() && !n.Missed:
		return i.refuse(action, "%s was asked at %s, and has until %s to answer", c.Person, n.At.UTC().Format(time.RFC3339), n.Due.UTC().Format(time.RFC3339))
	}
	return firstOf(i.wantOpen(action), i.wantText(action, "note", c.Note, true))
}

// Apply pages them.
func (c AddResponder) Apply(i *Incident, by timeline.Actor, now time.Time) {
	i.involve(c.Person)
	s := Summons{Person: c.Person, Name: c.Name, By: by, At: now, Due: now.Add(i.answerWithin())}
	i.Summons = append(slices.DeleteFunc(i.Summons, func(s Summons) bool { return s.Person == c.Person }), s)
	i.record(now, timeline.Summoned, by, timeline.F("person", s.shown()), at("due", s.Due), timeline.F("note", c.Note))
	i.begin(Send{
		Work: Summon, Targets: []escalation.Target{{Kind: escalation.Person, ID: c.Person}}, Text: c.Note, Author: &by,
	}, now)
}

func (s *Summons) shown() string { return timeline.Actor{ID: s.Person, Name: s.Name}.Shown() }

// answerWithin is how long somebody who was asked has: as long as the first step of the escalation waits for its people.
func (i *Incident) answerWithin() time.Duration {
	p := i.Definition.Policy
	return p.Rung(p.Variant(i.Situation()), 1).Wait
}

func (i *Incident) summons(person string) *Summons {
	for n := range i.Summons {
		if i.Summons[n].Person == person {
			return &i.Summons[n]
		}
	}
	return nil
}

// Awaits tells whether somebody was asked to help and has not answered yet.
func (i *Incident) Awaits(person string) bool {
	s := i.summons(person)
	return s != nil && s.Answered.IsZero()
}

func (i *Incident) responds(person string) bool {
	return slices.ContainsFunc(i.Responders, func(r timeline.Actor) bool { return r.ID == person })
}

// showsUp takes in that somebody has done something: whoever was asked for help has answered, and whoever was given a role has it.
func (i *Incident) showsUp(by timeline.Actor, now time.Time) {
	if by.Kind != timeline.Person {
		return
	}
	if s := i.summons(by.ID); s != nil && s.Answered.IsZero() {
		s.Answered = now
	}
	for n := range i.Holders {
		if h := &i.Holders[n]; h.Person == by.ID && !h.Due.IsZero() {
			h.Due = time.Time{}
			i.record(now, timeline.RoleAccepted, by, timeline.F("role", string(h.Role)))
		}
	}
}

// settleSummons says who has not come. Whoever asked is told, and whoever leads.
func (i *Incident) settleSummons(now time.Time) {
	for n := range i.Summons {
		s := &i.Summons[n]
		if !i.Status.Open() || s.Missed || !s.Answered.IsZero() || now.Before(s.Due) {
			continue
		}
		s.Missed = true
		i.record(now, timeline.SummonsMissed, timeline.Muster(), timeline.F("person", s.shown()))
		targets := i.standsFor(IncidentManager)
		if asked := (escalation.Target{Kind: escalation.Person, ID: s.By.ID}); s.By.Kind == timeline.Person && !slices.Contains(targets, asked) {
			targets = append([]escalation.Target{asked}, targets...)
		}
		i.begin(Send{Work: Remind, About: AboutAbsent, Role: IncidentManager, Targets: targets, Text: s.shown()}, now)
	}
}

// leads tells whether roles are given at once.
func (i *Incident) leads() bool {
	rule := i.Definition.Lead
	return rule != nil && i.Priority <= rule.FromPriority
}

// appointed lists the roles that somebody has at once. The incident manager is whoever first acknowledges: until then pages climb.
func appointed() []Role { return []Role{CommunicationsManager, SupportManager} }

// keepRoles gives every role that nobody has to the first who can be reached of those who stand for it, and takes it from
// whoever gives no sign of life.
func (i *Incident) keepRoles(now time.Time) {
	if !i.Status.Open() || !i.QuietSince.IsZero() {
		return
	}
	for n := range i.Holders {
		h := i.Holders[n]
		if h.Due.IsZero() || now.Before(h.Due) {
			continue
		}
		i.Holders[n].Due = time.Time{}
		i.record(now, timeline.RoleUnanswered, timeline.Muster(), timeline.F("role", string(h.Role)), timeline.F("person", h.Shown()))
		i.Absent = append(i.Absent, Absence{h.Role, h.Person})
		i.begin(Send{Work: Appoint, Role: h.Role, Targets: i.namedFor(h.Role)}, now)
	}
	if !i.leads() {
		return
	}
	for _, r := range appointed() {
		if i.holder(r) == "" && !slices.Contains(i.Vacant, r) {
			i.Vacant = append(i.Vacant, r) // asked for once: whoever leads is told when nobody can be found
			i.begin(Send{Work: Appoint, Role: r, Targets: i.namedFor(r)}, now)
		}
	}
}

// An Absence is that somebody was given a role and has given no sign of life.
type Absence struct {
	Role   Role   `json:"role"`
	Person string `json:"person"`
}

// appoint gives a role to the first of those who can be reached, and tells them. Who was absent before is not asked again.
func (i *Incident) appoint(s Send, is Composition, now time.Time) {
	if h := i.holder(s.Role); h != "" && !slices.Contains(i.Absent, Absence{s.Role, h}) {
		return // a person has given it to somebody meanwhile
	}
	for _, a := range is.To {
		if len(a.To.Methods) == 0 || a.To.Shared || slices.Contains(i.Absent, Absence{s.Role, a.To.ID}) || i.holder(s.Role) == a.To.ID {
			continue
		}
		i.assign(s.Role, a.To.ID, a.To.Name, "", timeline.Muster(), now)
		d := s
		d.Parent, d.For, d.Work, d.About, d.To, d.Message = s.Number, Remind, Tell, AboutRole, &a.To, &a.Message
		i.beginDelivery(d, now)
		return
	}
	i.record(now, timeline.RoleVacant, timeline.Muster(), timeline.F("role", string(s.Role)), timeline.F("detail", is.Detail))
	i.begin(Send{Work: Remind, About: AboutRoleVacant, Role: s.Role, Targets: i.standsFor(IncidentManager)}, now)
}

// leadDue is when somebody who was given a role or asked for help has to show up at the latest.
func (i *Incident) leadDue() (next time.Time) {
	earliest := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if !i.Status.Open() {
		return next
	}
	for n := range i.Summons {
		if s := &i.Summons[n]; s.Answered.IsZero() && !s.Missed {
			earliest(s.Due)
		}
	}
	if i.QuietSince.IsZero() {
		for n := range i.Holders {
			earliest(i.Holders[n].Due)
		}
	}
	return next
}

// summonFailed tells whoever asked that somebody cannot be reached at all.
func (i *Incident) summonFailed(s Send, detail string, now time.Time) {
	for n := range i.Summons {
		if x := &i.Summons[n]; len(s.Targets) == 1 && x.Person == s.Targets[0].ID && x.Answered.IsZero() && !x.Missed {
			x.Due = now
		}
	}
	if detail != "" {
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(delivery.Page)), timeline.F("detail", detail))
	}
}

// pointlessSummons says why somebody need not be paged for help any more.
func (i *Incident) pointlessSummons(s *Send) string {
	if !i.Status.Open() {
		return string(i.Status)
	}
	if len(s.Targets) == 1 && !i.Awaits(s.Targets[0].ID) {
		return "acknowledged"
	}
	return ""
}
