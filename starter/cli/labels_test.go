package cli

import (
	"slices"
	"testing"
)

func TestLabelsGivenMayHaveCommasInTheirValues(t *testing.T) {
	got := labelsGiven([]string{"env=staging,env=test", "groups=Linux servers, Seoul,tier=1", "env"})
	if want := []string{"env=staging", "env=test", "groups=Linux servers, Seoul", "tier=1", "env"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
