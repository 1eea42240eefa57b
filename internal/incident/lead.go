package incident

import (
	"cmp"
	"slices"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/timeline"
)

// A Summons is that somebody was asked to help: a person, or a team.
type Summons struct {
	Person    string         `json:"person"` // the person's ID; empty: a team
	Name      string         `json:"name,omitempty"`
	Team      string         `json:"team,omitempty"`    // such as group:dba or schedule:dba
	Members   []string       `json:"members,omitempty"` // IDs of those of the team who may answer for it
	Agreement *Agreement     `json:"agreement,omitempty"`
	By        timeline.Actor `json:"by"`
	At        time.Time      `json:"at"`
	Due       time.Time      `json:"due"`                // until when they have to answer
	Answered  time.Time      `json:"answered,omitzero"`  // by whatever they have done
	Answerer  string         `json:"answerer,omitempty"` // ID of who of the team
	Arrived   bool           `json:"arrived,omitempty"`  // a page has arrived at one of the team
	Missed    bool           `json:"missed,omitempty"`   // they have not in time, and whoever asked was told
}

// An Agreement says how fast a team answers another. Source: teams agree how fast they answer each other (operational excellence,
// OPS02-BP06).
type Agreement struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Escalate []escalation.Target `json:"escalate,omitempty"` // who is told too when nobody has answered
}

// AddResponder asks somebody to help: a person, or a team. They are paged until one of them acknowledges, whoever else has.
type AddResponder struct {
	Person    string     `json:"person,omitempty"`
	Name      string     `json:"name,omitempty"` // filled in by the API from the organisation folder, as what follows
	Team      string     `json:"team,omitempty"` // instead of a person: group:dba or schedule:dba
	Members   []string   `json:"members,omitempty"`
	Agreement *Agreement `json:"agreement,omitempty"` // of the team; nil: it has none with whoever asks
	Due       time.Time  `json:"due,omitzero"`        // by the agreement
	Note      string     `json:"note"`
}

// Check refuses nobody, and who is there already.
func (c AddResponder) Check(i *Incident) error {
	const action = "add responder to"
	who := cmp.Or(c.Person, c.Team)
	switch n := i.summons(who); {
	case who == "":
		return i.refuse(action, "person: missing")
	case c.Person != "" && c.Team != "":
		return i.refuse(action, "person or team: want one of them")
	case c.Team != "" && len(c.Members) == 0:
		return i.refuse(action, "team %q: nobody of it may answer", c.Team)
	case c.Team != "" && !isTeam(c.Team):
		return i.refuse(action, "team %q: want group:ID or schedule:ID", c.Team)
	case i.responds(c.Person) && i.Escalation.Answered: // who has answered before a reopening may be needed anew
		return i.refuse(action, "%s is a responder already", c.Person)
	case n != nil && n.Answered.IsZero() && !n.Missed:
		return i.refuse(action, "%s was asked at %s, and has until %s to answer", who, n.At.UTC().Format(time.RFC3339), n.Due.UTC().Format(time.RFC3339))
	}
	return firstOf(i.wantOpen(action), i.wantText(action, "note", c.Note, true))
}

func isTeam(team string) bool {
	t, err := escalation.ParseTarget(team)
	return err == nil && (t.Kind == escalation.Group || t.Kind == escalation.Schedule)
}

// Apply pages them.
func (c AddResponder) Apply(i *Incident, by timeline.Actor, now time.Time) {
	paged := c.Members
	if c.Team == "" {
		paged = []string{c.Person}
	}
	var targets []escalation.Target
	for _, person := range paged {
		i.involve(person)
		targets = append(targets, escalation.Target{Kind: escalation.Person, ID: person})
	}
	s := Summons{Person: c.Person, Name: c.Name, Team: c.Team, Members: c.Members, Agreement: c.Agreement, By: by, At: now, Due: c.Due}
	if s.Due.IsZero() {
		s.Due = now.Add(i.answerWithin())
	}
	i.Summons = append(slices.DeleteFunc(i.Summons, func(s Summons) bool { return s.is(cmp.Or(c.Person, c.Team)) }), s)
	i.record(now, timeline.Summoned, by, append(s.facts(), at("due", s.Due), timeline.F("note", c.Note))...)
	i.begin(Send{Work: Summon, Targets: targets, Team: c.Team, Text: c.Note, Author: &by}, now)
}

func (s *Summons) shown() string {
	return timeline.Actor{ID: cmp.Or(s.Person, s.Team), Name: s.Name}.Shown()
}

// is tells whether a person or a team was asked.
func (s *Summons) is(who string) bool { return who != "" && cmp.Or(s.Person, s.Team) == who }

// means tells whether somebody was asked, or is of the team that was.
func (s *Summons) means(who string) bool { return s.is(who) || slices.Contains(s.Members, who) }

// facts say who was asked, and by which agreement.
func (s *Summons) facts() []timeline.Fact {
	who := "person"
	if s.Team != "" {
		who = "team"
	}
	facts := []timeline.Fact{timeline.F(who, s.shown())}
	if s.Agreement != nil {
		facts = append(facts, timeline.F("agreement", s.Agreement.Name))
	}
	return facts
}

// answerWithin is how long somebody who was asked has: as long as the first step of the escalation waits for its people.
func (i *Incident) answerWithin() time.Duration {
	p := i.Definition.Policy
	return p.Rung(p.Variant(i.Situation()), 1).Wait
}

func (i *Incident) summons(who string) *Summons {
	for n := range i.Summons {
		if i.Summons[n].is(who) {
			return &i.Summons[n]
		}
	}
	return nil
}

// Awaited returns since when somebody was asked to help, alone or with a team, and has not answered, and until when they have to: the first
// of it.
func (i *Incident) Awaited(who string) (since, due time.Time, yes bool) {
	for n := range i.Summons {
		if s := &i.Summons[n]; s.means(who) && s.Answered.IsZero() && (!yes || s.Due.Before(due)) {
			since, due, yes = s.At, s.Due, true
		}
	}
	return since, due, yes
}

// Awaits tells whether somebody was asked to help and has not answered yet.
func (i *Incident) Awaits(who string) bool {
	_, _, yes := i.Awaited(who)
	return yes
}

func (i *Incident) responds(person string) bool {
	return slices.ContainsFunc(i.Responders, func(r timeline.Actor) bool { return r.ID == person })
}

// showsUp takes in that somebody has done something: whoever was asked for help has answered, and whoever was given a role has it.
func (i *Incident) showsUp(by timeline.Actor, now time.Time) {
	if by.Kind != timeline.Person {
		return
	}
	for n := range i.Summons {
		if s := &i.Summons[n]; s.means(by.ID) && s.Answered.IsZero() {
			s.Answered = now
			if s.Team != "" {
				s.Answerer = by.ID
			}
		}
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
		i.record(now, timeline.SummonsMissed, timeline.Muster(), s.facts()...)
		targets := i.standsFor(IncidentManager)
		if asked := (escalation.Target{Kind: escalation.Person, ID: s.By.ID}); s.By.Kind == timeline.Person && !slices.Contains(targets, asked) {
			targets = append([]escalation.Target{asked}, targets...)
		}
		if s.Agreement != nil {
			targets = append(slices.Clip(targets), s.Agreement.Escalate...)
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

// summonFailed tells whoever asked that somebody cannot be reached at all: of a team, that nobody of it can.
func (i *Incident) summonFailed(s Send, detail string, now time.Time) {
	x := i.summons(s.asked())
	if x != nil && x.Answered.IsZero() && !x.Missed && !(x.Team != "" && (x.Arrived || i.summoning(x.Team))) {
		x.Due = now
	}
	if detail != "" {
		i.record(now, timeline.Undetermined, timeline.Muster(), timeline.F("what", string(delivery.Page)), timeline.F("detail", detail))
	}
}

// summoning tells whether a page may still reach somebody of a team.
func (i *Incident) summoning(team string) bool {
	on := func(s Send) bool { return s.Summons && s.Team == team }
	return slices.ContainsFunc(i.Outbox, on) || slices.ContainsFunc(i.Later, on)
}

// asked is who was asked to help: a team, or one person.
func (s *Send) asked() string {
	if s.Team == "" && len(s.Targets) == 1 {
		return s.Targets[0].ID
	}
	return s.Team
}

// pointlessSummons says why somebody need not be paged for help any more.
func (i *Incident) pointlessSummons(s *Send) string {
	if !i.Status.Open() {
		return string(i.Status)
	}
	if who := s.asked(); who != "" && !i.Awaits(who) {
		return "acknowledged"
	}
	return ""
}
