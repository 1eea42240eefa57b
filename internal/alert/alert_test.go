package alert_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/alert"
)

func TestLabelsHoldWhatTheMapHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "labels")
		ls := alert.FromMap(m)
		if len(ls) != len(m) {
			t.Fatalf("got %d labels of %d", len(ls), len(m))
		}
		for i, l := range ls {
			if i > 0 && ls[i-1].Name >= l.Name {
				t.Fatalf("%q comes before %q", ls[i-1].Name, l.Name)
			}
			if l.Value != m[l.Name] || ls.Value(l.Name) != l.Value {
				t.Fatalf("%q: got %q, want %q", l.Name, ls.Value(l.Name), m[l.Name])
			}
		}
		if name := rapid.String().Draw(t, "name"); ls.Value(name) != m[name] {
			t.Fatalf("%q: got %q, want %q", name, ls.Value(name), m[name])
		}
	})
}

func TestSummaryIsTheBestSentence(t *testing.T) {
	for _, tc := range []struct {
		annotations map[string]string
		want        string
	}{
		{nil, "Name"},
		{map[string]string{"runbook": "r"}, "Name"},
		{map[string]string{"message": "m", "summary": ""}, "m"},
		{map[string]string{"message": "m", "description": "d"}, "d"},
		{map[string]string{"message": "m", "description": "d", "summary": "s"}, "s"},
	} {
		if got := (alert.Alert{Name: "Name", Annotations: alert.FromMap(tc.annotations)}).Summary(); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.annotations, got, tc.want)
		}
	}
}

func TestSentencesSayNothingTwice(t *testing.T) {
	for _, tc := range []struct {
		annotations map[string]string
		title       string
		want        []string
	}{
		{nil, "Name", nil},
		{map[string]string{"runbook_url": "https://r", "summary": "s"}, "", []string{"s"}},
		{map[string]string{"summary": "It is  slow\n", "description": "d"}, "It is slow", []string{"d"}},
		{map[string]string{"summary": "s", "description": "s", "message": " m "}, "t", []string{"s", "m"}},
		{map[string]string{"operational_data": "o", "values": "B=1", "reason": "r", "measured": "9", "description": "d"}, "d", []string{"r", "9", "B=1", "o"}},
	} {
		if got := (alert.Alert{Name: "Name", Annotations: alert.FromMap(tc.annotations)}).Sentences(tc.title); !slices.Equal(got, tc.want) {
			t.Errorf("%v: got %q, want %q", tc.annotations, got, tc.want)
		}
	}
}

func TestKnownNamesTheThing(t *testing.T) {
	for want, labels := range map[string]map[string]string{
		"Down":                  nil,
		"Down [web-2]":          {"instance": "web-2", "job": "shop"},
		"Down [shop]":           {"job": "shop"},
		"Down [db-1]":           {"host": "db-1", "instance": "10.0.0.1:9100"},
		"web-2 is down":         {"host": "web-2", "job": "shop"},
		"Disk of web-2 [sda]":   {"device": "sda", "source": "web-2"},
		"Nothing that is known": {"severity": "critical"},
	} {
		name, _, _ := strings.Cut(want, " [")
		if got := (alert.Alert{Name: name, Labels: alert.FromMap(labels)}).Known(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
