package org_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/changecalendar"
	"muster/internal/org"
)

// The freezes of the example, with where they hold.
func TestFrozenBetween(t *testing.T) {
	o, err := org.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	all, err := o.FrozenBetween(from, from.AddDate(0, 3, 0))
	if err != nil || len(all) == 0 {
		t.Fatalf("got %v, %v", all, err)
	}
	for _, e := range all {
		if e.Kind != changecalendar.Freeze || e.Title == "" || e.Status == "" || !e.Until.After(e.From) || len(e.Environments) == 0 || len(e.Customers) == 0 || len(e.Services) == 0 {
			t.Errorf("got %+v", e)
		}
		for _, environment := range e.Environments {
			customer, id, _ := strings.Cut(environment, "/")
			found, known := o.Environment(customer, id)
			if !known || !slices.Contains(e.Customers, customer) || !slices.ContainsFunc(found.Services, func(s string) bool { return slices.Contains(e.Services, s) }) {
				t.Errorf("%s holds in %s, of %v", e.ID, environment, e.Customers)
			}
			if open := freezeHolds(t, found, e.ID); !open {
				t.Errorf("%s does not hold in %s", e.ID, environment)
			}
		}
	}
	if none, err := o.FrozenBetween(from, from); err != nil || len(none) > len(all) {
		t.Errorf("in no time: %v, %v", none, err)
	}
}

// freezeHolds tells whether an environment has a freeze.
func freezeHolds(t *testing.T, e org.Environment, id string) bool {
	t.Helper()
	for _, f := range e.Rules.Freezes {
		if f.ID == id {
			return true
		}
	}
	return false
}
