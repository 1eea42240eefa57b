package incident_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"muster/internal/incident"
	"muster/internal/priority"
	"muster/internal/supportplan"
	"muster/internal/timeline"
)

// inside marks what a party beside the provider must never read.
const inside = "INSIDE"

// busy is an incident of the customers acme and globex in which everything that can be said inside has been said.
func busy(globex string) *incident.Incident {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	us := timeline.Actor{Kind: timeline.Person, ID: "park", Name: inside}
	i := &incident.Incident{
		ID: "INC-1", Status: incident.Acknowledged, Priority: 1, Previous: &incident.Earlier{ID: inside},
		Definition: incident.Definition{
			Organisation: "Mirnet", Zone: "Asia/Seoul", Title: "Slow", Source: inside, Route: inside, Revision: inside,
			Service:   incident.Service{ID: "shop", Name: "Shop"},
			Customers: []incident.Customer{{ID: "acme", Name: "Acme"}, {ID: "globex", Name: globex}},
			Background: incident.Background{
				Owner: &incident.Contact{Name: inside}, Tier: 1, DependsOn: []incident.Service{{Name: inside}}, Triage: &incident.Triage{Architecture: inside},
			},
			Links: []incident.Link{{Name: inside, URL: inside}}, Roles: []incident.RoleTarget{{Role: incident.IncidentManager}},
		},
		Responders: []timeline.Actor{us}, Holders: []incident.Holder{{Person: inside}}, Decided: []string{inside}, Runs: []string{inside},
		Ticket: incident.Ticket{Wanted: 1}, Review: incident.Review{ID: inside}, Outbox: []incident.Send{{Text: inside}},
		Cause: &incident.Cause{Text: inside, Vendor: inside}, Notice: &incident.Notice{Customer: "acme", Text: inside, By: us},
		Confirmations: []incident.Confirmation{
			{Clock: supportplan.Clock{Customer: "acme"}, Answer: incident.Fixed, By: &us}, {Clock: supportplan.Clock{Customer: "globex"}, By: &us},
		},
		Cases: []incident.VendorCase{{Reference: inside}}, Summons: []incident.Summons{{Person: inside}}, Runbooks: []incident.RunbookUse{{Name: inside}},
		Related: []incident.Relation{{Title: inside}}, Merged: []incident.Merging{{Title: inside}}, MergedInto: &incident.Merging{Title: inside},
		Results: []incident.Result{{Customer: inside}}, Absent: []incident.Absence{{Person: inside}},
		Clocks: []supportplan.Clock{
			{Customer: "acme", Target: supportplan.Respond, Reason: inside}, {Customer: "globex", Target: supportplan.Respond, Reason: inside},
		},
	}
	for _, k := range timeline.Kinds() {
		for _, customer := range []string{"Acme", globex} {
			for _, by := range []timeline.Actor{us, {Kind: timeline.Person, ID: "acme/desk", Name: "Desk"}, timeline.Muster()} {
				note := inside
				if by.ID == "acme/desk" {
					note = "its own words"
				}
				i.Timeline.Add(at, k, by, timeline.F("customer", customer), timeline.F("note", note), timeline.F("cause", inside),
					timeline.F("detail", inside), timeline.F("to", inside+" "+customer), timeline.F("text", "text of "+by.ID+" to "+customer))
			}
		}
	}
	return i
}

func shown(t *testing.T, i *incident.Incident, party string) (*incident.Incident, string) {
	t.Helper()
	s := i.Shown(incident.Viewer{
		Party: party, Own: func(a timeline.Actor) bool { return party == "acme" && strings.HasPrefix(a.ID, "acme/") },
		Instead: timeline.Actor{Kind: timeline.Engine, ID: "muster", Name: "Mirnet"},
	})
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return s, string(text)
}

func TestACustomerIsShownItsOwn(t *testing.T) {
	s, text := shown(t, busy("Globex"), "acme")
	// "to" is a fact of a change of status; everything else that is said inside stays there.
	if text = strings.ReplaceAll(text, inside+" Acme", "to"); strings.Contains(strings.ReplaceAll(text, inside+" Globex", "to"), inside) {
		t.Errorf("shows what was said inside: %s", text)
	}
	if strings.Contains(text, "globex") || strings.Contains(text, "to Globex") && !strings.Contains(text, "text of acme/desk to Globex") {
		t.Errorf("shows another customer: %s", text)
	}
	if s.Notice == nil || len(s.Confirmations) != 1 || s.Confirmations[0].Answer != incident.Fixed {
		t.Errorf("does not show what was asked: %+v, %+v", s.Notice, s.Confirmations)
	}
	if len(s.Clocks) != 1 || s.Clocks[0].Customer != "acme" || s.Definition.Title != "Slow" {
		t.Errorf("shows the clocks %+v", s.Clocks)
	}
	for _, want := range []string{"text of acme/desk to Acme", "text of park to Acme", `"name":"Mirnet"`} {
		if !strings.Contains(text, want) {
			t.Errorf("does not show %q", want)
		}
	}
}

// repinned is an incident of which a newer folder says more, also for the provider's own people.
func repinned(t *testing.T) *incident.Incident {
	t.Helper()
	w := opened(t)
	w.do("1", incident.Repin{Reason: "x", Definition: newer(func(d *incident.Definition) {
		d.Title = "another title"
		d.Owner, d.Tier = &incident.Contact{Name: inside}, 1
		d.DependsOn = []incident.Service{{ID: inside, Name: inside}}
		d.Classes = []priority.Class{inside}
	})}, park)
	w.i.Definition.Background = incident.Background{}
	return w.i
}

// Whoever works on it for another party is shown all but what is for the provider's own people.
func TestBeside(t *testing.T) {
	i := busy("Globex")
	i.Definition.Classes = []priority.Class{priority.Safety}
	i.Problem, i.Proposed = &incident.KnownProblem{ID: "PRB-1"}, &incident.Proposal{SHA256: inside}
	i.Response, i.Definition.Automatic = &incident.Response{State: incident.ResponseWaiting, Detail: inside}, &incident.AutomaticResponse{ID: inside}
	i.FoundNearby(0, []incident.Nearby{{Kind: incident.NearbyChange, ID: inside}}, "", time.Now())
	i.Previous = &incident.Earlier{ID: "INC-1", Review: "INC-0", Symptom: inside, Cause: inside, Remedy: inside}
	i.Summons = []incident.Summons{{Team: "group:dba", Members: []string{inside}, Agreement: &incident.Agreement{ID: inside}, Answerer: inside}}
	got := i.Beside()
	if s := got.Summons[0]; s.Team == "" || s.Members != nil || s.Agreement != nil || s.Answerer != "" || i.Summons[0].Members == nil {
		t.Errorf("shows who is in a team: %+v", s)
	}
	if got.Response != nil || got.Definition.Automatic != nil || got.ResponseApprovers() != nil || got.Tried() != nil {
		t.Errorf("shows what Muster does by itself: %+v", got.Response)
	}
	if got.Nearby != nil {
		t.Errorf("shows what else goes on: %+v", got.Nearby)
	}
	if got.Problem != nil || got.Proposed != nil || *got.Previous != (incident.Earlier{ID: "INC-1"}) {
		t.Errorf("shows the problem %v, the text that waits %v, and what reviews of others have found: %+v", got.Problem, got.Proposed, got.Previous)
	}
	if !reflect.ValueOf(got.Definition.Background).IsZero() {
		t.Errorf("shows %+v", got.Definition.Background)
	}
	text, err := json.Marshal(repinned(t).Beside())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), inside) || !strings.Contains(string(text), "another title") {
		t.Errorf("shows what a repin has changed inside: %s", text)
	}
	others := 0
	for _, e := range i.Timeline.Entries {
		if e.Kind != timeline.ProblemFound && e.Kind != timeline.NearbyFound && e.Kind != timeline.UpdateProposed && !strings.HasPrefix(string(e.Kind), "response.") {
			others++
		}
	}
	if i.Definition.Triage == nil || len(got.Timeline.Entries) != others || i.Previous.Cause == "" || got.Definition.Links == nil {
		t.Error("has taken more away, or from the incident itself")
	}
}

// Whoever has the name of another cannot be told from it in a timeline, so neither reads of the other.
func TestCustomersOfOneNameAreShownNoPromises(t *testing.T) {
	s, text := shown(t, busy("Acme"), "acme")
	for _, e := range s.Timeline.Entries {
		if e.Fact("customer") != "" {
			t.Errorf("shows %s: %+v", e.Kind, e.Facts)
		}
	}
	if strings.Contains(text, "text of park") {
		t.Errorf("shows what was told to one of them: %s", text)
	}
	if s.Notice == nil || len(s.Confirmations) != 1 || s.Confirmations[0].Answer != incident.Fixed {
		t.Errorf("does not show what was asked: %+v, %+v", s.Notice, s.Confirmations)
	}
	if len(s.Clocks) != 1 {
		t.Errorf("shows %d clocks, want its own", len(s.Clocks))
	}
}

func TestAPartnerIsShownNoCustomer(t *testing.T) {
	s, text := shown(t, busy("Globex"), "hanbit")
	if len(s.Clocks)+len(s.Definition.Customers) > 0 || strings.Contains(text, "text of") {
		t.Errorf("shows %s", text)
	}
	if s.Status != incident.Acknowledged || s.Priority != 1 || len(s.Timeline.Entries) == 0 {
		t.Errorf("does not show how it stands: %s", text)
	}
}
