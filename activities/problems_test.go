package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/problem"
)

func (writer) Problem(t problem.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: delivery.Problem, Language: to.Language, Subject: string(t.About)}
	if to.ID == "mute" {
		return m, errors.New("text is broken")
	}
	return m, nil
}

// behind knows two incidents from before.
type behind struct {
	open  *problem.Found
	fault error
	begun *problem.Terms
}

func (b *behind) Occurred(context.Context, string, problem.Occurrence) (*problem.Found, error) {
	return b.open, nil
}

func (b *behind) Before(_ context.Context, _ string, since time.Time) ([]problem.Occurrence, error) {
	all := []problem.Occurrence{needless(1), needless(2)}
	if !since.Equal(at.Add(-24 * time.Hour)) {
		return nil, errors.New("since " + since.String())
	}
	return all, b.fault
}

func (b *behind) Begin(_ context.Context, terms problem.Terms, _ problem.Occurrence) (*problem.Found, error) {
	b.begun = &terms
	return &problem.Found{ID: "PRB-0000000001"}, nil
}

func (b *behind) Problem(service string) (problem.Pinned, error) {
	if service == "ghost" {
		return problem.Pinned{}, errors.New("service ghost: not found")
	}
	return problem.Pinned{Service: incident.Service{ID: service}}, nil
}

func occurred(n uint64) problem.Occurrence {
	return problem.Occurrence{
		Incident: incident.NewID(n), Title: "Down", Started: at.Add(-2 * time.Hour), Closed: at.Add(-time.Hour),
		Keys: []problem.Key{{By: incident.SameAlert, Value: "Down"}},
	}
}

// needless is one about whose alert nobody had to do anything.
func needless(n uint64) problem.Occurrence {
	o := occurred(n)
	o.Keys = append(o.Keys, problem.Key{By: incident.SameNoise, Value: "Down"})
	return o
}

func TestFindProblem(t *testing.T) {
	known := &problem.Found{ID: "PRB-0000000009", Workaround: "restart"}
	running := occurred(3)
	running.Closed = time.Time{}
	for _, tc := range []struct {
		name    string
		behind  behind
		service string
		o       problem.Occurrence
		times   int
		id      string
		begun   int // incidents of the problem that is opened
		fault   string
		noise   int // in how many incidents an alert is noise, if a rule says that
	}{
		{"the third of three", behind{}, "shop", occurred(3), 3, "PRB-0000000001", 3, "", 0},
		{"the third of four", behind{}, "shop", occurred(3), 4, "", 0, "", 0},
		{"still open", behind{}, "shop", running, 3, "", 0, "", 0},
		{"only by hand", behind{}, "shop", occurred(3), 0, "", 0, "", 0},
		{"one is open", behind{open: known}, "shop", occurred(3), 3, "PRB-0000000009", 0, "", 0},
		{"lists are away", behind{fault: errors.New("away")}, "shop", occurred(3), 3, "", 0, "find problem behind INC-0000000003: away", 0},
		{"the service is gone", behind{}, "ghost", occurred(3), 3, "", 0, "service ghost: not found", 0},
		{"the third of noise", behind{}, "shop", needless(3), 0, "PRB-0000000001", 3, "", 3},
		{"noise of four", behind{}, "shop", needless(3), 0, "", 0, "", 4},
		{"somebody had to act", behind{}, "shop", occurred(3), 0, "", 0, "", 3},
	} {
		b := tc.behind
		p := &activities.Problems{Recurrences: &b, House: func() activities.ProblemHouse { return &b }, Now: func() time.Time { return at }}
		rule := incident.Recurrence{Times: tc.times, Within: 24 * time.Hour, By: incident.Samenesses()}
		if tc.noise > 0 {
			rule.Within, rule.Noise = time.Hour, &incident.Often{Times: tc.noise, Within: 24 * time.Hour}
		}
		found, err := perform[*problem.Found](t, p.FindProblem, activities.FindProblemInput{Service: tc.service, Occurrence: tc.o, Rule: rule})
		id, begun := "", 0
		if found != nil {
			id = found.ID
		}
		if b.begun != nil {
			begun = len(b.begun.Incidents)
		}
		if id != tc.id || begun != tc.begun || (err == nil) != (tc.fault == "") || err != nil && !strings.Contains(err.Error(), tc.fault) {
			t.Errorf("%s: got %q, %d incidents, %v", tc.name, id, begun, err)
		}
	}
}

func TestComposeProblem(t *testing.T) {
	target := func(id string) escalation.Target { return escalation.Target{Kind: escalation.Person, ID: id} }
	p := &activities.Problems{Directory: open, Writer: writer{}, Now: func() time.Time { return at }}
	out, err := perform[incident.Composition](t, p.ComposeProblem, activities.ComposeProblemInput{Telling: problem.Telling{
		About: problem.Stale, Targets: []escalation.Target{target("kim"), target("kim"), target("ghost"), target("mute")},
	}})
	if err != nil || len(out.To) != 2 || out.To[0].Message.Subject != "stale" || !strings.Contains(out.Detail, "ghost") || !strings.Contains(out.Detail, "mute") {
		t.Errorf("got %+v, %v", out, err)
	}
	p.Directory = func() activities.Directory { return directory{older: true} }
	if _, err := perform[incident.Composition](t, p.ComposeProblem, activities.ComposeProblemInput{}); err == nil {
		t.Error("an older folder will do")
	}
}
