package incident_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/ticket"
	"muster/internal/timeline"
)

var jira = timeline.Actor{Kind: timeline.Source, ID: "jira", Name: "Jira"}

// ticketed is an incident that somebody has taken, with the ticket T-1. The actor changes what was agreed.
func ticketed(t *testing.T, agreed func(*incident.Definition)) *world {
	t.Helper()
	w := opened(t)
	agreed(&w.i.Definition)
	w.do("ack", incident.Acknowledge{}, park)
	if w.i.Ticket.Ref.ID != "T-1" {
		t.Fatalf("the ticket is %+v", w.i.Ticket)
	}
	w.told = nil
	return w
}

func alone(*incident.Definition)      {}
func followed(d *incident.Definition) { d.TicketResolves = true }

// tells has the ticket system tell something that is done now.
func (w *world) tells(delivery string, d ticket.Deed, text string) {
	w.t.Helper()
	w.tell(ticket.Told{Delivery: delivery, Key: "INC-TEST", Ref: "T-1", Deed: d, By: "Kim Minsu", Text: text, At: w.now})
}

func (w *world) tell(t ticket.Told) {
	w.t.Helper()
	w.i.ReceiveTicket(t, jira, w.now)
	w.settle()
}

func facts(e timeline.Entry) string {
	var all []string
	for _, f := range e.Facts {
		all = append(all, f.Name+"="+f.Value)
	}
	return strings.Join(all, " ")
}

func TestACommentOutsideIsRead(t *testing.T) {
	w := ticketed(t, followed)
	w.tells("1", ticket.Commented, "The database is back.")
	e := w.last(timeline.TicketCommented)
	if got, want := facts(e), "ticket=T-1 by=Kim Minsu text=The database is back."; got != want || e.Actor != jira {
		t.Errorf("got %s by %+v, want %s", got, e.Actor, want)
	}
	w.tells("1", ticket.Commented, "The database is back.")
	if n := w.has(timeline.TicketCommented); n != 1 || w.i.Status != incident.Acknowledged {
		t.Errorf("%d entries, %s", n, w.i.Status)
	}
	w.wantTold()
}

// Whoever leads is asked once for every resolution, and nothing else happens.
func TestAResolutionOutsideIsAskedAbout(t *testing.T) {
	w := ticketed(t, alone)
	w.tells("1", ticket.Resolved, "Restarted.")
	w.tells("2", ticket.Resolved, "Closed.")
	w.wantTold("reminder person:park webhook")
	if e := w.last(timeline.TicketResolved); w.has(timeline.TicketResolved) != 1 || facts(e) != "ticket=T-1 by=Kim Minsu text=Restarted." || w.i.Status != incident.Acknowledged {
		t.Errorf("got %s, %s", facts(e), w.i.Status)
	}
	w.tells("2a", ticket.Reopened, "It is not.")
	w.tells("2b", ticket.Reopened, "In progress.")
	w.wantTold()
	if e := w.last(timeline.TicketReopened); w.has(timeline.TicketReopened) != 1 || facts(e) != "ticket=T-1 by=Kim Minsu text=It is not." || w.i.Status != incident.Acknowledged {
		t.Errorf("got %s, %s", facts(e), w.i.Status)
	}
	w.tells("2c", ticket.Resolved, "Now it is.")
	w.wantTold("reminder person:park webhook")
	w.do("p2", incident.SetPriority{Urgency: "medium", Reason: "x"}, park) // the ticket is written, and so opened again
	w.told = nil
	w.tells("3", ticket.Resolved, "")
	w.wantTold("reminder person:park webhook")
}

func TestAResolutionOutsideResolvesWhereThatWasAgreed(t *testing.T) {
	w := ticketed(t, followed)
	w.tells("1", ticket.Resolved, "")
	e := w.last(timeline.StatusChanged)
	if w.i.Status != incident.Resolved || facts(e) != "from=acknowledged to=resolved cause=ticket note=T-1, Kim Minsu" || e.Actor != jira {
		t.Errorf("%s, %s by %+v", w.i.Status, facts(e), e.Actor)
	}
	for _, told := range w.told {
		if strings.HasPrefix(told, "reminder") {
			t.Errorf("asked about what is done: %s", told)
		}
	}
	if n := len(w.i.Responders); n != 1 {
		t.Errorf("a system is a responder: %+v", w.i.Responders)
	}
	w.after(time.Hour)
	w.tells("2", ticket.Reopened, "It is not.")
	if e := w.last(timeline.StatusChanged); w.i.Status != incident.Triggered || facts(e) != "from=resolved to=triggered cause=ticket note=It is not." || w.i.Reopened != 1 {
		t.Errorf("%s, %s", w.i.Status, facts(e))
	}
}

func TestAReopeningOutsideIsAskedAboutWhereNothingWasAgreed(t *testing.T) {
	w := ticketed(t, alone)
	w.do("over", incident.Resolve{Note: "x"}, park)
	w.after(time.Hour)
	w.told = nil
	w.tells("1", ticket.Reopened, "")
	w.tells("2", ticket.Reopened, "")
	w.wantTold("reminder person:park webhook")
	if n := w.has(timeline.TicketReopened); n != 1 || w.i.Status != incident.Resolved {
		t.Errorf("%d entries, %s", n, w.i.Status)
	}
}

// A ticket that was never said to be resolved cannot be reopened, whatever its system calls a move between open states; and before
// there is a ticket nobody tells of it.
func TestOnlyWhatWasResolvedThereIsReopened(t *testing.T) {
	w := ticketed(t, followed)
	w.i.Ticket.Disabled = true
	w.do("over", incident.Resolve{Note: "x"}, park)
	w.after(time.Minute)
	w.tells("1", ticket.Reopened, "")
	if w.i.Status != incident.Resolved || w.has(timeline.TicketReopened) != 0 {
		t.Errorf("it is %s", w.i.Status)
	}
	w = ticketed(t, followed)
	w.i.Ticket.Ref = ticket.Ref{}
	w.tells("1", ticket.Resolved, "")
	if w.i.Status != incident.Acknowledged {
		t.Errorf("a stranger's ticket has resolved it: %s", w.i.Status)
	}
}

// What is told of the state that the incident has already is what Muster has written, or old news.
func TestNothingEchoes(t *testing.T) {
	w := ticketed(t, followed)
	w.tells("1", ticket.Reopened, "")
	begun := w.now
	w.after(time.Minute)
	w.do("over", incident.Resolve{Note: "x"}, park)
	over := w.now
	w.tells("2", ticket.Resolved, "")
	w.tell(ticket.Told{Delivery: "3", Key: "INC-TEST", Ref: "T-1", Deed: ticket.Reopened, At: begun})
	w.after(time.Minute)
	w.do("again", incident.Reopen{Reason: "x"}, park)
	w.tell(ticket.Told{Delivery: "4", Key: "INC-TEST", Ref: "T-1", Deed: ticket.Resolved, At: over})
	if n := w.has(timeline.TicketResolved) + w.has(timeline.TicketReopened); n != 0 || w.i.Status != incident.Triggered {
		t.Errorf("%d entries, %s", n, w.i.Status)
	}
	w.tell(ticket.Told{Delivery: "5", Key: "INC-TEST", Ref: "T-1", Deed: ticket.Resolved})
	if w.i.Status != incident.Resolved {
		t.Errorf("what names no time is not taken: %s", w.i.Status)
	}
}

func TestWhatIsToldOfAnotherTicket(t *testing.T) {
	w := ticketed(t, followed)
	for n, told := range []ticket.Told{{Key: "INC-OTHER", Ref: "T-1"}, {Key: "INC-TEST", Ref: "T-2"}} {
		told.Delivery, told.Deed, told.Text, told.At = fmt.Sprint(n), ticket.Resolved, "x", w.now
		w.tell(told)
	}
	if w.i.Status != incident.Acknowledged || w.has(timeline.TicketResolved) != 0 {
		t.Errorf("it is %s", w.i.Status)
	}
	w.do("over", incident.Resolve{Note: "x"}, park)
	w.do("end", incident.Close{Without: "x"}, park)
	w.tells("9", ticket.Commented, "too late")
	if w.has(timeline.TicketCommented) != 0 {
		t.Error("a closed incident has heard something")
	}
}

func TestAReopeningThatIsRefusedSaysWhy(t *testing.T) {
	_, phone := merged(t)
	phone.i.Definition.TicketResolves = true
	told := ticket.Told{Delivery: "1", Key: string(phone.i.ID), Deed: ticket.Reopened, By: "Kim Minsu", At: phone.now.Add(time.Hour)}
	phone.tell(told)
	if e := phone.last(timeline.TicketReopened); phone.i.Status != incident.Merged || !strings.Contains(e.Fact("refused"), "is merged; only a resolved incident can be reopened") {
		t.Errorf("%s, %s", phone.i.Status, facts(e))
	}
}

// The longest text that is told fits into the note of a decision.
func TestTheLongestTextResolves(t *testing.T) {
	w := ticketed(t, followed)
	w.tells("1", ticket.Resolved, ticket.Cut(strings.Repeat("𝄞", 3000), ticket.LongTold))
	if w.i.Status != incident.Resolved {
		t.Errorf("it is %s: %s", w.i.Status, facts(w.last(timeline.TicketResolved)))
	}
}
