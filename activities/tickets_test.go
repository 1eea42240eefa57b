package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/incident"
	"muster/internal/inmem"
	"muster/internal/priority"
	"muster/internal/ticket"
)

func TestSyncTicketOpensOnceAndThenUpdates(t *testing.T) {
	system := &inmem.Tickets{}
	tickets := &activities.Tickets{System: system, Writer: writer{}}
	in := activities.SyncTicketInput{
		Revision: 1, At: at, Language: "ko",
		Facts: incident.Facts{ID: "INC-1", Status: incident.Triggered, Priority: priority.P2, Service: "Shop"},
	}
	var ref ticket.Ref
	for range 2 { // the second is a repeat of an attempt whose outcome was not known
		var err error
		if ref, err = perform[ticket.Ref](t, tickets.SyncTicket, in); err != nil {
			t.Fatal(err)
		}
	}
	in.Ref, in.Revision, in.Facts.Status = ref, 2, incident.Resolved
	if again, err := perform[ticket.Ref](t, tickets.SyncTicket, in); err != nil || again != ref {
		t.Errorf("got %v, %v; want the ticket that is open", again, err)
	}
	want := ticket.Ticket{
		Key: "INC-1", Revision: 2, At: at, Title: "INC-1", Status: "resolved", Priority: "P2", Service: "Shop", Language: "ko",
	}
	if all := system.All(); len(all) != 1 || len(all[0].Revisions) != 2 || all[0].Latest() != want {
		t.Errorf("the system has %+v, want one ticket with two revisions, the last %+v", all, want)
	}
}

func TestATicketSaysNothingOfASecurityIncident(t *testing.T) {
	var told []incident.Telling
	tickets := &activities.Tickets{System: &inmem.Tickets{}, Writer: noting{&told}}
	in := activities.SyncTicketInput{Facts: incident.Facts{
		ID: "INC-1", Kind: incident.SecurityIncident, Title: "Account stolen", Alerts: []string{"StolenAccount"},
		Links: []incident.Link{{Name: "StolenAccount"}}, Service: "Shop",
	}}
	if _, err := perform[ticket.Ref](t, tickets.SyncTicket, in); err != nil {
		t.Fatal(err)
	}
	if f := told[0].Facts; f.Title != "" || f.Alerts != nil || f.Links != nil || f.Service != "Shop" || f.Kind != incident.SecurityIncident {
		t.Errorf("the ticket is written from %+v", f)
	}
}

func TestWhatATicketSystemAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ref   ticket.Ref
		id    incident.ID
		err   error
		want  string
		final bool
		after time.Duration
	}{
		{"refuses a new one", ticket.Ref{}, "INC-1", &delivery.Refusal{Detail: "no such project"}, "open ticket of INC-1: refused: no such project", true, 0},
		{"refuses an update", ticket.Ref{ID: "T-1"}, "INC-1", &delivery.Refusal{Detail: "is locked"}, "update ticket T-1: refused: is locked", true, 0},
		{"is away", ticket.Ref{}, "INC-1", errors.New("connection refused"), "open ticket of INC-1: connection refused", false, 0},
		{"wants to be left alone", ticket.Ref{ID: "T-1"}, "INC-1", &delivery.Unavailable{Detail: "429", After: time.Minute}, "update ticket T-1: unavailable", false, time.Minute},
		{"is not asked with a broken text", ticket.Ref{}, "INC-MUTE", nil, "write ticket of INC-MUTE: text is broken", true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			system := &inmem.Tickets{Answer: func(context.Context, ticket.Ref, ticket.Ticket) error { return tc.err }}
			_, err := perform[ticket.Ref](t, (&activities.Tickets{System: system, Writer: writer{}}).SyncTicket,
				activities.SyncTicketInput{Ref: tc.ref, Facts: incident.Facts{ID: tc.id}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			app, _ := errors.AsType[*temporal.ApplicationError](err)
			if final(err) != tc.final || app.NextRetryDelay() != tc.after || tc.final && app.Type() != activities.RefusedError {
				t.Errorf("final %v, type %s, next attempt after %s; want final %v, after %s", final(err), app.Type(), app.NextRetryDelay(), tc.final, tc.after)
			}
		})
	}
}

// saying writes what a message is about.
type saying struct{}

func (saying) Message(t incident.Telling, _ delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Text: "about " + string(t.About), Language: "en"}, nil
}

func TestATicketHasItsCommentAndTheWayBack(t *testing.T) {
	system := &inmem.Tickets{}
	tickets := &activities.Tickets{
		System: system, Writer: saying{}, Page: func(id incident.ID) string { return "https://muster.example/#" + string(id) },
	}
	facts := incident.Facts{ID: "INC-1", Times: incident.Times{Started: at.Add(-time.Hour), Alerted: at}}
	if _, err := perform[ticket.Ref](t, tickets.SyncTicket, activities.SyncTicketInput{Facts: facts}); err != nil {
		t.Fatal(err)
	}
	got := system.All()[0].Latest()
	if got.Text != "about " || got.Note != "about change" || got.URL != "https://muster.example/#INC-1" || !got.Since.Equal(at) {
		t.Errorf("got %+v", got)
	}
}
