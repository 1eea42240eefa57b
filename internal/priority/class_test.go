package priority_test

import (
	"testing"

	"muster/internal/priority"
)

// The table of the source, with one class of ours.
func TestWhatClassesRaise(t *testing.T) {
	const high, medium, none = priority.High, priority.Medium, priority.Level("")
	want := []struct {
		class           priority.Class
		impact, urgency priority.Level
	}{
		{priority.Safety, high, none},
		{priority.Money, high, none},
		{priority.Reputation, high, none},
		{priority.Regulation, high, none},
		{priority.VIP, none, medium},
		{priority.VIPGroup, none, high},
		{priority.ImminentEscalation, none, high},
		{priority.ExponentialDamage, none, high},
		{priority.TimeSensitive, none, high},
	}
	if got := priority.Classes(); len(got) != len(want) {
		t.Fatalf("got %d classes, want %d", len(got), len(want))
	}
	for n, tc := range want {
		if got := priority.Classes()[n]; got != tc.class {
			t.Errorf("class %d: got %s, want %s", n, got, tc.class)
		}
		if impact, urgency := tc.class.Raises(); impact != tc.impact || urgency != tc.urgency {
			t.Errorf("%s raises %q and %q, want %q and %q", tc.class, impact, urgency, tc.impact, tc.urgency)
		}
	}
	if impact, urgency := priority.Class("rumour").Raises(); impact != none || urgency != none {
		t.Errorf("what is no class raises %q and %q", impact, urgency)
	}
}
