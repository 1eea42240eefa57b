package silence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/alert"
	"muster/internal/escalation"
	"muster/internal/incident"
	"muster/internal/silence"
	"muster/internal/timeline"
)

var (
	start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	kim   = timeline.Actor{Kind: timeline.Person, ID: "kim", Name: "김민수"}
	park  = timeline.Actor{Kind: timeline.Person, ID: "park", Name: "박서준"}
	shop  = incident.Service{ID: "shop", Name: "Shop"}
)

func TestWhichAlertsAreHeldBack(t *testing.T) {
	one := func(name string, values ...string) silence.Label { return silence.Label{Name: name, Values: values} }
	for _, tt := range []struct {
		match           silence.Match
		source, service string
		labels          string
		want            bool
	}{
		{silence.Match{Services: []string{"shop", "erp"}}, "any", "shop", "", true},
		{silence.Match{Services: []string{"shop", "erp"}}, "any", "erp", "env=prod", true},
		{silence.Match{Services: []string{"shop"}}, "any", "erp", "", false},
		{silence.Match{Sources: []string{"lab"}, Services: []string{"shop"}}, "lab", "shop", "", true},
		{silence.Match{Sources: []string{"lab"}, Services: []string{"shop"}}, "prometheus", "shop", "", false},
		{silence.Match{Labels: []silence.Label{one("env", "prod", "stage")}}, "any", "shop", "env=prod", true},
		{silence.Match{Labels: []silence.Label{one("env", "prod", "stage")}}, "any", "shop", "env=stage", true},
		{silence.Match{Labels: []silence.Label{one("env", "prod")}}, "any", "shop", "env=production", false},
		{silence.Match{Labels: []silence.Label{one("env", "prod")}}, "any", "shop", "env=PROD", false},
		{silence.Match{Labels: []silence.Label{one("env", "prod")}}, "any", "shop", "", false},
		{silence.Match{Labels: []silence.Label{one("env", "prod"), one("team", "web")}}, "any", "shop", "env=prod", false},
		{silence.Match{Labels: []silence.Label{one("env", "prod"), one("team", "web")}}, "any", "shop", "env=prod team=web", true},
		{silence.Match{Labels: []silence.Label{one("team", "")}}, "any", "shop", "env=prod", true}, // it has no such label
		{silence.Match{Labels: []silence.Label{one("team", "", "web")}}, "any", "shop", "team=web", true},
		{silence.Match{Labels: []silence.Label{one("team", "")}}, "any", "shop", "team=web", false},
	} {
		labels := map[string]string{}
		for _, l := range strings.Fields(tt.labels) {
			name, value, _ := strings.Cut(l, "=")
			labels[name] = value
		}
		if got := tt.match.Takes(tt.source, tt.service, alert.FromMap(labels)); got != tt.want {
			t.Errorf("%s takes %s on %s of %s: %t, want %t", tt.match.String(), tt.labels, tt.service, tt.source, got, tt.want)
		}
	}
}

func TestLabelsAsPeopleWriteThem(t *testing.T) {
	got, err := silence.ParseLabels([]string{"env=prod", "q=a=b", "env=stage", "team="})
	want := []silence.Label{{Name: "env", Values: []string{"prod", "stage"}}, {Name: "q", Values: []string{"a=b"}}, {Name: "team", Values: []string{""}}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
	for _, wrong := range []string{"env", "=prod", ""} {
		if _, err := silence.ParseLabels([]string{wrong}); err == nil {
			t.Errorf("%q is read", wrong)
		}
	}
}

func terms() silence.Terms {
	return silence.Terms{
		ID: "SIL-7K3M9QX2PA", Request: "r", By: kim, Tell: []escalation.Target{{Kind: escalation.Person, ID: "kim"}},
		Asked:  silence.Asked{Match: silence.Match{Services: []string{"shop"}}, From: start, Until: start.Add(2 * time.Hour), Reason: "The disk is replaced.\nAsk park."},
		Pinned: silence.Pinned{Zone: "UTC"},
	}
}

func TestWhatNoSilenceIsMadeOf(t *testing.T) {
	for want, change := range map[string]func(*silence.Terms){
		"id: want one such as":                    func(x *silence.Terms) { x.ID = "INC-1" },
		"want a person who makes it":              func(x *silence.Terms) { x.By = timeline.Actor{Kind: timeline.Source, ID: "bot"} },
		"or the one in the organisation":          func(x *silence.Terms) { x.Window = "nightly" }, // and a person
		"tell: want somebody":                     func(x *silence.Terms) { x.Tell = nil },
		"want a label or a service at least":      func(x *silence.Terms) { x.Match = silence.Match{Sources: []string{"lab"}} },
		"until: missing":                          func(x *silence.Terms) { x.Until = time.Time{} },
		"after from":                              func(x *silence.Terms) { x.Until = x.From },
		"at most 30 days after from":              func(x *silence.Terms) { x.Until = x.From.Add(30*24*time.Hour + time.Second) },
		"from: 2027-12-01T00:00:00Z; want a time": func(x *silence.Terms) { x.From = time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC); x.Until = x.From.Add(1) },
		"reason: missing":                         func(x *silence.Terms) { x.Reason = " " },
		"reason: 2001 bytes":                      func(x *silence.Terms) { x.Reason = strings.Repeat("x", 2001) },
		"labels: env: named twice": func(x *silence.Terms) {
			x.Match.Labels = []silence.Label{{"env", []string{"a"}}, {"env", []string{"b"}}}
		},
		"labels: env: 0 values; want 1 to 50": func(x *silence.Terms) { x.Match.Labels = []silence.Label{{"env", nil}} },
		"labels: name of label 1: want":       func(x *silence.Terms) { x.Match.Labels = []silence.Label{{" ", []string{"a"}}} },
		"want values of at most 1000 characters": func(x *silence.Terms) {
			x.Match.Labels = []silence.Label{{"env", []string{strings.Repeat("가", 1001)}}}
		},
		"labels: 21; want at most 20":   func(x *silence.Terms) { x.Match.Labels = make([]silence.Label, 21) },
		"services: want at most 50 IDs": func(x *silence.Terms) { x.Match.Services = make([]string, 1) },
	} {
		x := terms()
		change(&x)
		if _, err := silence.Start(x, start); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	late := terms() // it waited for a worker until its time was over
	if s, err := silence.Start(late, start.Add(3*time.Hour)); err != nil {
		t.Error(err)
	} else if s.Advance(start.Add(3 * time.Hour)); !s.Over() || s.Why != silence.Over {
		t.Errorf("it is %s", s.Status)
	}
}

func TestTheLifeOfASilence(t *testing.T) {
	x := terms()
	x.From = start.Add(time.Hour)
	s, err := silence.Start(x, start)
	if err != nil {
		t.Fatal(err)
	}
	stands := func(after time.Duration, want silence.Status, due time.Time) {
		t.Helper()
		s.Advance(start.Add(after))
		if s.Status != want || !s.NextDue().Equal(due) {
			t.Errorf("after %s it is %s, due at %s; want %s, %s", after, s.Status, s.NextDue(), want, due)
		}
	}
	stands(59*time.Minute, silence.Waiting, s.From)
	stands(time.Hour, silence.Holding, s.Until)
	s.Hold(shop, "Slow", "too slow", start.Add(time.Hour), start.Add(time.Hour))
	s.Hold(shop, "Slow", "slower", start.Add(70*time.Minute), start.Add(70*time.Minute))
	s.Hold(incident.Service{ID: "erp", Name: "ERP"}, "Slow", "", start.Add(80*time.Minute), start.Add(80*time.Minute))
	stands(2*time.Hour, silence.Ended, time.Time{})
	s.Fires("shop", "Slow", "INC-1")
	s.Fires("shop", "Slow", "INC-1")
	s.Fires("shop", "Unknown", "INC-2")
	told, wanted := s.Settle(start.Add(2 * time.Hour))
	if count, firing := silence.Counts(told.Held); !wanted || count != 3 || firing != 2 || told.Rest != 1 || told.Number != 1 || told.Held[0].Summary != "too slow" || len(told.Held[0].Incidents) != 1 {
		t.Errorf("told %t %+v", wanted, told)
	}
	if err := (silence.End{}).Check(s, park); err == nil || !strings.Contains(err.Error(), "it has ended at 2026-11-23T11:00:00Z") {
		t.Errorf("ended once more: %v", err)
	}
}

func TestWhoHearsOfASilence(t *testing.T) {
	for name, tc := range map[string]struct {
		by   timeline.Actor
		want string
	}{
		"its maker":       {kim, "person:kim"},
		"somebody else":   {park, "person:kim person:park"},
		"a machine":       {timeline.Actor{Kind: timeline.Source, ID: "bot"}, "person:kim"},
		"nobody, in time": {timeline.Actor{}, "person:kim"},
	} {
		s, err := silence.Start(terms(), start)
		if err != nil {
			t.Fatal(err)
		}
		s.Advance(start)
		s.Hold(shop, "Slow", "", start, start)
		if tc.by.ID != "" {
			if err := (silence.End{Reason: "done"}).Apply(s, tc.by, start.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		s.Overflow(start.Add(2 * time.Hour)) // changes nothing once it has ended
		told, _ := s.Settle(start.Add(2 * time.Hour))
		if got := escalation.Shown(told.To); strings.ReplaceAll(got, ",", "") != tc.want || told.EndedBy != tc.by {
			t.Errorf("%s: %s hear of it, ended by %s (%s)", name, got, told.EndedBy.Shown(), told.Why)
		}
	}
}

// A storm of names fills neither the state nor the timeline.
func TestASilenceListsSoManyNames(t *testing.T) {
	s, err := silence.Start(terms(), start)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1_000 {
		s.Hold(shop, strings.Repeat("x", n+1), strings.Repeat("y", 1_000), start, start)
	}
	if len(s.Held) != silence.MostHeld || s.More != 1_000-silence.MostHeld || len(s.Timeline.Entries) != 1+silence.MostHeld || len([]rune(s.Held[0].Summary)) > 301 {
		t.Errorf("it lists %d names and %d more, in %d entries", len(s.Held), s.More, len(s.Timeline.Entries))
	}
}
