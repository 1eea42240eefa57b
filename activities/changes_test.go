package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/change"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/planrun"
)

func (writer) ChangeNotice(t change.Telling, to delivery.Recipient) (delivery.Message, error) {
	return delivery.Message{Kind: delivery.ChangeNotice, Language: to.Language, Subject: string(t.About), Text: string(t.Status)}, nil
}

func (writer) Change(t change.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Change, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

func TestComposeChange(t *testing.T) {
	target := func(id string) escalation.Target { return escalation.Target{Kind: escalation.Person, ID: id} }
	c := &activities.ChangeRequests{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	out, err := perform[incident.Composition](t, c.ComposeChange, activities.ComposeChangeInput{Telling: change.Telling{
		About: change.VoteWanted, Targets: []escalation.Target{target("kim"), target("kim"), target("ghost"), target("mute")},
	}})
	if err != nil || len(out.To) != 2 || out.To[0].Message.Subject != "vote" || !strings.Contains(out.Detail, "ghost") || !strings.Contains(out.Detail, "mute") {
		t.Errorf("got %+v, %v", out, err)
	}
	c.Directory = func() activities.Directory { return directory{older: true} }
	if _, err := perform[incident.Composition](t, c.ComposeChange, activities.ComposeChangeInput{}); err == nil {
		t.Error("an older folder will do")
	}
}

// A notice of a change goes to the customer's contacts, in the words for those who only have to know.
func TestComposeChangeNotice(t *testing.T) {
	c := &activities.ChangeRequests{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	for customer, want := range map[string]string{"shop": "shop/desk shop/boss", "ghost": ""} {
		out, err := perform[incident.Composition](t, c.ComposeChange, activities.ComposeChangeInput{Telling: change.Telling{About: change.Coming, Customer: customer}})
		if err != nil || (out.Detail == "") != (want != "") {
			t.Errorf("%s: got %+v, %v", customer, out, err)
		}
		var to []string
		for _, a := range out.To {
			to = append(to, a.To.ID)
			if a.Message.Kind != delivery.ChangeNotice || a.Message.Subject != "coming" {
				t.Errorf("%s is written %+v", a.To.ID, a.Message)
			}
		}
		if got := strings.Join(to, " "); got != want {
			t.Errorf("%s: goes to %q, want %q", customer, got, want)
		}
	}
}

// site has one plan and starts runs of it.
type site struct {
	sha256, refused string
	fault           error
	begun           []planrun.Terms
}

func (s *site) ChangePlan(change.Plan) (planrun.Terms, error) {
	if s.sha256 == "" {
		return planrun.Terms{}, errors.New("start plan: no such plan")
	}
	return planrun.Terms{Pinned: planrun.Pinned{SHA256: s.sha256, ParametersID: strings.Repeat("b", 64)}}, nil
}

func (s *site) BeginForChange(_ context.Context, _ change.ID, terms planrun.Terms) (planrun.ID, string, error) {
	s.begun = append(s.begun, terms)
	if s.refused != "" || s.fault != nil {
		return "", s.refused, s.fault
	}
	return "RUN-0000000001", "", nil
}

// Only the plan that was approved is started.
func TestStartChange(t *testing.T) {
	approved := strings.Repeat("a", 64)
	for name, tt := range map[string]struct {
		site         site
		run, refused string
		begun        int
		fault        string
	}{
		"as approved":              {site: site{sha256: approved}, run: "RUN-0000000001", begun: 1},
		"another plan":             {site: site{sha256: strings.Repeat("c", 64)}, refused: "are not those that were approved"},
		"no such plan":             {site: site{}, refused: "no such plan"},
		"another run has it":       {site: site{sha256: approved, refused: "taken"}, refused: "taken", begun: 1},
		"temporal does not answer": {site: site{sha256: approved, fault: errors.New("away")}, begun: 1, fault: "start plan of CHG-7K3M9QX2PA: away"},
	} {
		s := tt.site
		was := planrun.Run{Terms: planrun.Terms{Pinned: planrun.Pinned{SHA256: approved, ParametersID: strings.Repeat("b", 64)}}}
		c := &activities.ChangeRequests{House: func() activities.ChangeHouse { return &s }, Runs: &s}
		out, err := perform[activities.StartedChange](t, c.StartChange, activities.StartChangeInput{
			ID: "CHG-7K3M9QX2PA", Plan: change.Plan{ID: "look", Lines: was.Lines("")}, ForChange: planrun.ForChange{ID: "CHG-7K3M9QX2PA"},
		})
		if string(out.Run) != tt.run || (tt.refused == "") != (out.Refused == "") || !strings.Contains(out.Refused, tt.refused) || len(s.begun) != tt.begun ||
			(err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: got %+v, %v after %d starts", name, out, err, len(s.begun))
		}
		if tt.begun > 0 && s.begun[0].ForChange.ID != "CHG-7K3M9QX2PA" {
			t.Errorf("%s: the run does not say of which change it is", name)
		}
	}
}
