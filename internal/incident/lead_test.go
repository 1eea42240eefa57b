package incident_test

import (
	"strings"
	"testing"
	"time"

	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/timeline"
)

// led is an incident whose roles are given at once. Lee and then Choi stand for the communications manager.
func led(t *testing.T) *world {
	t.Helper()
	w := begun(t, func(d *incident.Definition) {
		d.Lead = &incident.LeadRule{FromPriority: priority.P2, Within: 10 * time.Minute}
		d.Roles = []incident.RoleTarget{
			{Role: incident.CommunicationsManager, Targets: paged("person:lee", "person:choi")},
			{Role: incident.SupportManager, Targets: paged("person:han")},
		}
	})
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		if to[0].To.ID == "lee" { // the first of two
			to = append(to, to[0])
			to[1].To.ID, to[1].To.Name = "choi", "choi"
		}
		return to
	}
	w.settle()
	return w
}

func (w *world) holds(r incident.Role) string {
	for _, h := range w.i.Holders {
		if h.Role == r {
			return h.Person
		}
	}
	return ""
}

func TestRolesAreGivenAtOnce(t *testing.T) {
	w := led(t)
	w.wantTold("page schedule:primary webhook", "assignment lee webhook", "assignment han webhook")
	if got := w.holds(incident.CommunicationsManager); got != "lee" {
		t.Errorf("communications manager is %q", got)
	}
	if got := w.holds(incident.IncidentManager); got != "" {
		t.Errorf("incident manager is %q before anybody has acknowledged", got)
	}
}

func TestAHolderWhoDoesNotShowUpIsReplaced(t *testing.T) {
	w := led(t)
	w.do("ack", incident.Acknowledge{}, park)
	w.do("sign", incident.Note{Text: "I am here"}, timeline.Actor{Kind: timeline.Person, ID: "han"})
	w.told = nil
	w.after(10 * time.Minute)
	w.wantTold("assignment choi webhook")
	if w.holds(incident.CommunicationsManager) != "choi" || w.holds(incident.SupportManager) != "han" {
		t.Errorf("holders %+v", w.i.Holders)
	}
	if w.has(timeline.RoleAccepted) != 1 || w.has(timeline.RoleUnanswered) != 1 {
		t.Errorf("accepted %d, unanswered %d", w.has(timeline.RoleAccepted), w.has(timeline.RoleUnanswered))
	}
	w.after(10 * time.Minute) // nobody else stands for it: whoever leads is told
	w.wantTold("reminder person:park webhook")
	if w.has(timeline.RoleVacant) != 1 {
		t.Errorf("vacant %d", w.has(timeline.RoleVacant))
	}
	w.after(time.Hour)
	w.wantTold()
}

func TestWhoeverIsGivenARoleByAPersonMustShowUpToo(t *testing.T) {
	w := led(t)
	w.do("ack", incident.Acknowledge{}, park)
	w.do("hand over", incident.Assign{Role: incident.CommunicationsManager, Person: "kim", Note: "the customer calls at four"}, park)
	w.do("sign", incident.Note{Text: "x"}, timeline.Actor{Kind: timeline.Person, ID: "han"})
	w.told = nil
	w.after(10 * time.Minute)
	if got := w.holds(incident.CommunicationsManager); got != "lee" { // who has not been absent yet
		t.Errorf("communications manager is %q", got)
	}
}

func TestALessPressingIncidentIsLedByWhoeverTakesIt(t *testing.T) {
	w := begun(t, func(d *incident.Definition) {
		d.Lead = &incident.LeadRule{FromPriority: priority.P2, Within: 10 * time.Minute}
		d.Impact, d.Urgency = priority.Low, priority.Low
	})
	w.settle()
	w.wantTold("page schedule:primary webhook")
	w.do("raise", incident.SetPriority{Impact: priority.High, Urgency: priority.High, Reason: "x"}, park)
	if w.has(timeline.RoleAssigned)+w.has(timeline.RoleVacant) == 0 {
		t.Error("it has become pressing, and nobody was sought")
	}
}

func TestSomebodyWhoIsAskedIsPagedUntilTheyAcknowledge(t *testing.T) {
	w := begun(t, nil)
	w.composed = delayed
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.told = nil
	w.do("help", incident.AddResponder{Person: "lee", Name: "이서연", Note: "we need the database team"}, park)
	w.wantTold("page lee app")
	w.after(3 * time.Minute) // the method with a delay follows, although the incident is taken
	w.wantTold("page lee phone")
	w.do("here", incident.Acknowledge{}, timeline.Actor{Kind: timeline.Person, ID: "lee"})
	w.after(time.Hour)
	w.wantTold()
	if n := len(w.i.Responders); n != 2 || w.i.Responders[1].ID != "lee" {
		t.Errorf("responders %+v", w.i.Responders)
	}
}

func TestWhoeverAskedIsToldThatNobodyHasCome(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.do("help", incident.AddResponder{Person: "lee", Name: "이서연", Note: "x"}, kim)
	w.told = nil
	w.after(5 * time.Minute)
	w.wantTold("reminder person:kim, person:park webhook")
	if e := w.last(timeline.SummonsMissed); e.Fact("person") != "이서연" {
		t.Errorf("got %+v", e)
	}
	if err := w.i.Do("x", incident.AddResponder{Person: "lee", Note: "again"}, kim, w.now); err != nil {
		t.Errorf("they can be asked again: %v", err)
	}
}

func TestWhoeverCannotBeReachedIsSaidAtOnce(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.refuse = func(s incident.Send) bool { return s.Summons }
	w.told = nil
	w.do("help", incident.AddResponder{Person: "lee", Note: "x"}, park)
	w.wantTold("reminder person:park webhook")
}

// dba asks a team of two, which has until an instant that its agreement says.
func dba(due time.Time) incident.AddResponder {
	return incident.AddResponder{
		Team: "group:dba", Name: "Databases", Members: []string{"lee", "moon"}, Note: "it is the database", Due: due,
		Agreement: &incident.Agreement{ID: "noc-dba", Name: "NOC to DBA", Escalate: []escalation.Target{{Kind: escalation.Person, ID: "choi"}}},
	}
}

// A team is paged as a whole, and one of it answers for all.
func TestATeamIsAskedByItsAgreement(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.told = nil
	w.do("help", dba(w.now.Add(15*time.Minute)), park)
	w.wantTold("page lee webhook", "page moon webhook")
	if e := w.last(timeline.Summoned); e.Fact("team") != "Databases" || e.Fact("agreement") != "NOC to DBA" || e.Fact("person") != "" {
		t.Errorf("got %+v", e)
	}
	if !w.i.Awaits("lee") || !w.i.Awaits("moon") || w.i.Awaits("park") {
		t.Error("the whole team is waited for, and nobody else")
	}
	w.after(14 * time.Minute)
	w.do("here", incident.Note{Text: "I look at it"}, timeline.Actor{Kind: timeline.Person, ID: "moon"})
	w.told = nil
	w.after(time.Hour)
	if s := w.i.Summons[0]; s.Missed || s.Answerer != "moon" || w.i.Awaits("lee") || w.has(timeline.SummonsMissed) != 0 {
		t.Errorf("answered in time: %+v", s)
	}
}

func TestATeamThatDoesNotAnswerInTime(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.do("help", dba(w.now.Add(15*time.Minute)), kim)
	w.told = nil
	w.after(14 * time.Minute)
	w.wantTold()
	w.after(time.Minute)
	w.wantTold("reminder person:kim, person:park, person:choi webhook")
	if e := w.last(timeline.SummonsMissed); e.Fact("team") != "Databases" || e.Fact("agreement") != "NOC to DBA" {
		t.Errorf("got %+v", e)
	}
}

// A team of which one can be reached is waited for; one of which nobody can is said at once.
func TestATeamThatCannotBeReached(t *testing.T) {
	for _, reached := range []bool{true, false} {
		w := begun(t, nil)
		w.settle()
		w.do("ack", incident.Acknowledge{}, park)
		w.refuse = func(s incident.Send) bool { return s.Summons && (s.To.ID == "lee" || !reached) }
		w.told = nil
		w.do("help", dba(w.now.Add(15*time.Minute)), park)
		if missed := w.i.Summons[0].Missed; missed == reached {
			t.Errorf("one of them reached %v, and missed %v", reached, missed)
		}
	}
}

func TestRespondersThatAreRefused(t *testing.T) {
	w := begun(t, nil)
	w.settle()
	w.do("ack", incident.Acknowledge{}, park)
	w.do("help", incident.AddResponder{Person: "lee", Note: "x"}, park)
	for _, tc := range []struct {
		give incident.AddResponder
		want string
	}{
		{incident.AddResponder{Note: "x"}, "person: missing"},
		{incident.AddResponder{Person: "kim"}, "note: missing"},
		{incident.AddResponder{Person: "kim", Team: "group:dba", Note: "x"}, "person or team: want one of them"},
		{incident.AddResponder{Team: "person:kim", Members: []string{"kim"}, Note: "x"}, "want group:ID or schedule:ID"},
		{incident.AddResponder{Team: "group:dba", Note: "x"}, "nobody of it may answer"},
		{incident.AddResponder{Person: "park", Note: "x"}, "park is a responder already"},
		{incident.AddResponder{Person: "lee", Note: "x"}, "lee was asked at 2026-11-23T09:00:00Z, and has until 2026-11-23T09:05:00Z"},
	} {
		if err := w.i.Do("x", tc.give, park, w.now); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.give, err, tc.want)
		}
	}
}

// A channel is nobody who can have a role.
func TestARoleGoesToAPerson(t *testing.T) {
	w := led(t)
	w.composed = func(to []incident.Addressed) []incident.Addressed {
		channel := incident.Addressed{To: delivery.Recipient{ID: "group:noc", Name: "noc", Methods: []string{"chat"}, Shared: true}}
		return append([]incident.Addressed{channel}, to...)
	}
	w.do("ack", incident.Acknowledge{}, park)
	w.after(10 * time.Minute)
	for _, h := range w.i.Holders {
		if strings.HasPrefix(h.Person, "group:") {
			t.Errorf("a channel has the role %s", h.Role)
		}
	}
}
