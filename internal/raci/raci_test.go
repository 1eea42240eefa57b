package raci_test

import (
	"errors"
	"strings"
	"testing"

	"muster/internal/raci"
)

func TestLettersAndRoles(t *testing.T) {
	shared := raci.Assignment{Accountable: "lead", Responsible: []string{"deployer", "lead"}, Consulted: []string{"owner"}, Informed: []string{"desk"}}
	alone := raci.Assignment{Accountable: "lead", Informed: []string{"desk"}}
	for _, tc := range []struct {
		a    raci.Assignment
		role string
		want string
	}{
		{shared, "lead", "A/R"},
		{shared, "deployer", "R"},
		{shared, "owner", "C"},
		{shared, "desk", "I"},
		{shared, "nobody", ""},
		{alone, "lead", "A/R"}, // whoever answers for it alone does it
	} {
		if got := tc.a.Letters(tc.role); got != tc.want {
			t.Errorf("%s of %+v: %q, want %q", tc.role, tc.a, got, tc.want)
		}
	}
	if got := strings.Join(shared.Roles(), " "); got != "lead deployer owner desk" {
		t.Errorf("roles %s", got)
	}
	if got := strings.Join(alone.Doers(), " "); got != "lead" {
		t.Errorf("doers %s", got)
	}
}

func TestWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name string
		a    raci.Assignment
		want string // empty: nothing
	}{
		{"right", raci.Assignment{Accountable: "a", Responsible: []string{"a", "b"}, Consulted: []string{"c"}, Informed: []string{"d"}}, ""},
		{"nobody answers for it", raci.Assignment{Responsible: []string{"b"}}, "accountable: missing; want exactly one role"},
		{"named twice", raci.Assignment{Accountable: "a", Responsible: []string{"b", "b"}}, "responsible: b is named twice"},
		{"asked what it does", raci.Assignment{Accountable: "a", Responsible: []string{"b"}, Consulted: []string{"b"}}, "consulted: b does it"},
		{"asked what it answers for", raci.Assignment{Accountable: "a", Consulted: []string{"a"}}, "consulted: a does it"},
		{"told what it was asked", raci.Assignment{Accountable: "a", Consulted: []string{"c"}, Informed: []string{"c"}}, "informed: c takes another part"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := errors.Join(tc.a.Check()...)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
